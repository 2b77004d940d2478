"""A small provider of OpenID Connect on loopback: code flow, PKCE, ID tokens signed by RS256."""

import base64
import contextlib
import hashlib
import secrets
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlencode

from flask import Flask, jsonify, redirect, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT, SECRET = "salt-cmdb", "secret of the client, which nobody may see"


class Provider:
    """What the provider knows, and how a test lets it err."""

    def __init__(self) -> None:
        """Begin with an honest provider at which alice is logged in."""
        self.url = ""
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.signed_by = self.key
        self.person: dict = {"sub": "u1", "preferred_username": "alice", "groups": ["ops"]}
        self.wrong: dict = {}
        """Claims that go over the right ones; None leaves one out."""
        self.has_id_token = True
        self.asked: list[dict] = []
        self.codes: dict[str, dict] = {}

    def claims(self, nonce: str) -> dict:
        now = int(time.time())
        right = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        said = {**right, **self.person, **self.wrong}
        return {name: value for name, value in said.items() if value is not None}

    def id_token(self, nonce: str) -> str:
        header = {"alg": "RS256", "kid": self.signed_by.kid}
        return jwt.encode(header, self.claims(nonce), self.signed_by)


def application(provider: Provider) -> Flask:
    """The endpoints."""
    app = Flask("provider")

    @app.get("/.well-known/openid-configuration")
    def discovery():
        return jsonify(
            issuer=provider.url,
            authorization_endpoint=f"{provider.url}/authorize",
            token_endpoint=f"{provider.url}/token",
            jwks_uri=f"{provider.url}/keys",
            response_types_supported=["code"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=["RS256"],
        )

    @app.get("/keys")
    def keys():
        return jsonify(keys=[provider.key.as_dict(private=False)])

    @app.get("/authorize")
    def authorize():
        asked = request.args.to_dict()
        provider.asked.append(asked)
        assert (asked["client_id"], asked["response_type"]) == (CLIENT, "code")
        assert (asked["code_challenge_method"], "openid" in asked["scope"]) == ("S256", True)
        code = secrets.token_urlsafe()
        provider.codes[code] = asked
        back = {"code": code, "state": asked["state"], "session_state": "x", "iss": provider.url}
        return redirect(f"{asked['redirect_uri']}?{urlencode(back)}")

    @app.post("/token")
    def token():
        asked = provider.codes.pop(request.form["code"], None)
        basic = request.authorization
        if basic is None or (basic.username, basic.password) != (CLIENT, SECRET):
            return jsonify(error="invalid_client"), 401
        digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or asked["code_challenge"] != challenge:
            return jsonify(error="invalid_grant", error_description="wrong verifier"), 400
        if asked["redirect_uri"] != request.form["redirect_uri"]:
            return jsonify(error="invalid_grant"), 400
        answer = {"access_token": secrets.token_urlsafe(), "token_type": "Bearer"}
        if provider.has_id_token:
            answer["id_token"] = provider.id_token(asked["nonce"])
        return jsonify(answer)

    return app


@contextlib.contextmanager
def running() -> Iterator[Provider]:
    """Run a provider."""
    provider = Provider()
    server = make_server("127.0.0.1", 0, application(provider), threaded=True)
    provider.url = f"http://127.0.0.1:{server.port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
