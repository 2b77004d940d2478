"""A proxy before a real HTTP service, which can break what the service answers."""

import contextlib
import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP = ("connection", "content-length", "transfer-encoding", "server", "date")


class Proxy:
    """
    Passes requests on, and answers as the service did, unless a fault is set.

    A fault is called with the number of the request, from one, its path, and the status and the
    body of the answer. It returns both, perhaps others; a body that is an int is cut after so
    many bytes, and None is no answer at all.
    """

    def __init__(self, url):
        self._target = urlsplit(url).netloc
        self.asked = []
        self.fault = None
        self._over = threading.Event()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                proxy._answer(self)

            do_POST = do_GET

            def log_message(self, *args):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.netloc = f"127.0.0.1:{self._server.server_port}"
        self.url = url.replace(self._target, self.netloc)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _answer(self, request):
        length = int(request.headers.get("Content-Length") or 0)
        service = http.client.HTTPConnection(self._target, timeout=120)
        with contextlib.closing(service):
            # Its own name stays in Host, so the links in the answers lead through it again.
            service.request(
                request.command, request.path, request.rfile.read(length), dict(request.headers)
            )
            answer = service.getresponse()
            status, body = answer.status, answer.read()
        self.asked.append(request.path)
        said, cut = body, None
        if self.fault is not None:
            status, said = self.fault(len(self.asked), request.path, status, body)
        if said is None:
            self._over.wait(60)
            return
        if isinstance(said, int):
            said, cut = body, said
        request.send_response(status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP:
                request.send_header(name, value)
        request.send_header("Content-Length", str(len(said)))
        request.end_headers()
        request.wfile.write(said[:cut])

    def close(self):
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def before(url):
    """Yield a proxy before what is at a URL."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()


def changed(body, change):
    """Return JSON after a change of its content."""
    content = json.loads(body)
    change(content)
    return json.dumps(content).encode()
