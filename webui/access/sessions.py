"""
Whoever has logged in is known by a signed cookie, until it is too old.

The cookie can be read by its owner and changed by nobody. The server keeps nothing of it:
logging out takes it out of the browser, and a copy of it ends with its lifetime.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Collection
from datetime import timedelta

from flask import Flask, current_app, request, session
from flask.sessions import SecureCookieSessionInterface

from salt_ext.key_file import key
from salt_ext.settings import Settings
from webui.access.refused import Refused
from webui.access.ways import Ways
from webui.access.who import Who

CSRF_BYTES = 32
FORM_BYTES = 16 << 10
"""More is sent by nobody who logs in."""


class _Cookies(SecureCookieSessionInterface):
    """Cookies that go over https alone wherever people come by https."""

    def get_cookie_secure(self, app: Flask) -> bool:
        ways: Ways = app.extensions["ways"]
        return request.is_secure or ways.origin.startswith("https:")


def configure(app: Flask, settings: Settings) -> None:
    """Let an application have sessions. Raises :class:`SettingsError`."""
    app.secret_key = key(settings["session_key_file"], "session_key_file")
    app.session_interface = _Cookies()
    app.config.update(
        MAX_CONTENT_LENGTH=FORM_BYTES,
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=settings["session_lifetime"]),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_NAME="cmdb_session",
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.add_template_global(csrf_token)


def begin(ways: Ways, name: str, way: str, groups: Collection[str] = ()) -> None:
    """Begin the session of somebody who has just logged in; whatever was before is over."""
    session.clear()
    session.permanent = True
    session["login"] = {
        "name": name,
        "way": way,
        "groups": ways.known(groups),
        "mark": ways.mark(name) if way == "password" else "",
        "at": int(time.time()),
    }
    csrf_token()


def end() -> None:
    """End the session."""
    session.clear()


def who(ways: Ways) -> Who | None:
    """Return who has logged in; None if nobody, or if that is over."""
    login = session.get("login") if ways.has_sessions else None
    if not login:
        return None
    # The signature has a time too, but a cookie that changes gets a new one.
    if time.time() - login["at"] >= current_app.permanent_session_lifetime.total_seconds():
        return None
    name, way = login["name"], login["way"]
    if way == "password" and (name not in ways.users or login["mark"] != ways.mark(name)):
        return None  # the user is gone, or has another password
    if way == "oidc" and not ways.oidc:
        return None
    return Who(name, ways.role(name, login["groups"]), way)


def csrf_token() -> str:
    """
    Return what a form of ours has and one of another site cannot have.

    That of somebody who has logged in stands on every page, and is good for logging out.
    Each time it is written in another way, with a pad before it: pages are compressed, and
    their lengths would tell a token that stays the same (BREACH).
    """
    if "csrf" not in session:
        session["csrf"] = secrets.token_hex(CSRF_BYTES)
    pad = secrets.token_bytes(CSRF_BYTES)
    return (pad + _xor(pad, bytes.fromhex(session["csrf"]))).hex()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def check_csrf() -> None:
    """Raise :class:`Refused` unless the form that was sent is ours."""
    known = str(session.get("csrf", ""))
    if not known or not hmac.compare_digest(_unpadded(request.form.get("csrf", "")), known):
        raise Refused(403, "this form is too old, or not ours", "open the page again, and send it")


def _unpadded(sent: str) -> str:
    """Return the token that a form sent; blank when it is none."""
    try:
        both = bytes.fromhex(sent)
        return _xor(both[:CSRF_BYTES], both[CSRF_BYTES:]).hex()
    except ValueError:
        return ""
