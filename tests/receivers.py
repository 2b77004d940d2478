"""Receivers of webhooks that behave well or badly, each a real server on loopback."""

import contextlib
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SECRET = "a secret of the tests, long enough"


class Receiver:
    """An HTTP server that remembers what was posted and answers with these statuses in turn."""

    def __init__(self, *statuses, location="", certificate=None, says=b""):
        posts, answers = [], [*statuses]

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                posts.append((self.path, dict(self.headers), body))
                self.send_response(answers.pop(0) if answers else 200)
                if location:
                    self.send_header("Location", location)
                self.end_headers()
                self.wfile.write(says)

            do_GET = do_POST

            def log_message(self, *args):
                pass

        self.posts = posts
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        scheme = "http"
        if certificate is not None:
            self._server.socket = speaks_tls(self._server.socket, certificate)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def events(self):
        """The bodies that came, of which each must be signed."""
        for _, headers, body in self.posts:
            signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            assert headers["X-CMDB-Signature"] == f"sha256={signature}"
            assert json.loads(body)["id"] == headers["X-CMDB-Delivery"]
        return [json.loads(body) for _, _, body in self.posts]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Rude:
    """A server that does something of its own with each connection."""

    def __init__(self, behave):
        self.connections = 0
        self._sockets = []
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                self._sockets.append(client)
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError):
            self._behave(client)

    def close(self):
        for one in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


def certificate(path):
    """Write a new certificate of 127.0.0.1 with its key into a file; return its path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    how = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *how)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def speaks_tls(plain, certificate):
    """Return a socket that speaks TLS with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context.wrap_socket(plain, server_side=True, do_handshake_on_connect=True)


def hang(client):
    """Take the connection and say nothing."""
    while client.recv(1 << 16):
        pass


def drip(client):
    """Send a head that never ends, a byte now and then: no single wait is long."""
    client.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        client.sendall(b"X")
        threading.Event().wait(0.1)


def dawdle(client):
    """Answer 200 with a body that comes a byte now and then."""
    client.recv(1 << 16)
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        client.sendall(b" ")
        threading.Event().wait(0.1)


def pour(client):
    """Answer 200 with a body that never ends."""
    client.recv(1 << 16)
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while True:
        client.sendall(b"x" * (1 << 16))


def babble(client):
    """Answer with what is neither HTTP nor TLS."""
    client.recv(1 << 16)
    client.sendall(b"\x00\xff220 mail ready \x1b[31m\r\n" * 3)
    client.close()
