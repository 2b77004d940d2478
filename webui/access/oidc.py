"""
Logging in at a provider of OpenID Connect: the code flow with PKCE, by Authlib.

Authlib checks state, nonce, signature and times of the answer; whose answer it is and for
whom is said to it here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, current_app
from joserfc.errors import JoseError
from werkzeug.wrappers import Response

from salt_ext.key_file import secret
from salt_ext.words.visible import visible
from webui.access.refused import Refused
from webui.access.ways import Oidc, Ways

TIMEOUT_SECONDS = 10
LEEWAY_SECONDS = 60
LONGEST_NAME = 200

AGAIN = "log in again; if it stays so, the log of the web process says why"


class Person(NamedTuple):
    """Somebody whom the provider knows."""

    name: str
    groups: list[str]


def register(app: Flask, way: Oidc) -> None:
    """Make the provider known. Raises :class:`SettingsError` without the client's secret."""
    app.extensions["oidc"] = OAuth(app).register(
        "oidc",
        server_metadata_url=way.discovery_url,
        client_id=way.client_id,
        client_secret=secret(way.client_secret_file),
        client_kwargs={
            "scope": way.scope,
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_SECONDS,
        },
    )


def leave(back: str) -> Response:
    """Send a browser to the provider, which sends it ``back``."""
    found: Response = _asked(lambda client: client.authorize_redirect(back))
    return found


def arrive(ways: Ways) -> Person:
    """Return who comes back from the provider. Raises :class:`Refused`."""
    way = ways.oidc
    assert way is not None  # noqa: S101 - the route is there with the way alone

    def claims(client: Any) -> dict[str, Any]:
        issuer = client.load_server_metadata().get("issuer")
        token = client.authorize_access_token(
            claims_options={
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": way.client_id},
            },
            leeway=LEEWAY_SECONDS,
        )
        found: dict[str, Any] = token["userinfo"]
        return found

    return person(way, _asked(claims))


def person(way: Oidc, claims: dict[str, Any]) -> Person:
    """Return whom claims are about. Raises :class:`Refused` when they name nobody."""
    name = claims.get(way.name_claim)
    if not isinstance(name, str) or not name.strip():
        raise Refused(
            403,
            "the login provider does not tell your name",
            f"let it put the claim {way.name_claim} into the ID token, or set name_claim",
        )
    groups = claims.get(way.groups_claim) or []
    listed = groups if isinstance(groups, list) else [groups]
    return Person(name.strip()[:LONGEST_NAME], [one for one in listed if isinstance(one, str)])


def _asked(ask: Any) -> Any:
    """Return what the provider answers; what is wrong with that is for the log alone."""
    try:
        return ask(current_app.extensions["oidc"])
    except requests.RequestException as error:
        _log(error)
        raise Refused(503, "the login provider does not answer", AGAIN) from None
    except (OAuthError, JoseError, KeyError, ValueError, RuntimeError) as error:
        _log(error)
        raise Refused(403, "logging in at the provider failed", AGAIN) from None


def _log(error: Exception) -> None:
    current_app.logger.warning("oidc: %s", visible(f"{type(error).__name__}: {error}"))
