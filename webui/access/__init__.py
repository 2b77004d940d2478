"""
Who may read: without a login only this machine and tokens, with one those who say who they are.

What a request shows counts in this order: a token, the header of a proxy, the cookie of
somebody who logged in. One that is wrong is refused; the next never stands in for it.
"""

from __future__ import annotations

from urllib.parse import quote

from flask import Flask, current_app, g, redirect, request, url_for
from werkzeug.wrappers import Response

from salt_ext import store
from salt_ext.settings import Settings
from webui.access import local, log, oidc, proxies, sessions, tokens
from webui.access.refused import Refused
from webui.access.ways import Ways, configured, origin
from webui.access.who import Who, who

PROBES = ("probes.alive", "probes.ready")
"""Open to everybody: a load balancer has to ask, and they tell nothing of the inventory."""

METRICS = ("metrics.page", "fleet_metrics.page")
"""
With a token that nobody can check, because the database is away, they tell just that.

Prometheus would otherwise lose the numbers of the process with those of the fleet.
"""

DOOR = ("static", "login.page", "login.password", "login.leave", "login.back")
"""Open to everybody once there is a login: what it takes to log in."""

CONFIGURE = (
    "without a login only requests of this machine are answered: configure `login` in the file"
    " that CMDB_SETTINGS names (docs/web/access.md), or send a token of salt-run cmdb.token"
)


def register(app: Flask, settings: Settings) -> None:
    """Refuse whoever may not read, and log who asks. Raises :class:`SettingsError`."""
    ways = app.extensions["ways"] = configured(settings)
    if ways.has_sessions:
        sessions.configure(app, settings)
    if ways.oidc:
        oidc.register(app, ways.oidc)
    log.register(app, settings["access_log"])
    app.before_request(_admit)
    app.add_template_global(who)
    app.add_template_global(origin)


def _admit() -> Response | None:
    """Set who asks, or refuse; send a browser whose user has not logged in to do that."""
    ways: Ways = current_app.extensions["ways"]
    if request.endpoint in PROBES:
        return None
    try:
        g.who = _who(ways)
    except store.StoreUnreachable:
        if request.endpoint in METRICS:
            return None
        raise
    if g.who is not None or (ways and request.endpoint in DOOR):
        return None
    # Not accept_mimetypes: it finds text/html in the */* of programs too.
    is_browser = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
    if ways.has_sessions and is_browser:
        return redirect(url_for("login.page", next=_here()), 303)
    raise Refused(401, "this needs a login", _how(ways), challenge="Bearer")


def _who(ways: Ways) -> Who | None:
    """Return who asks, None if nobody says so. Raises :class:`Refused` for what is wrong."""
    environ = request.environ
    shown = tokens.shown(environ)
    if shown is not None:
        return tokens.holder(current_app.extensions["database"], shown)
    if not ways:
        if why := local.why_from_elsewhere(environ):
            raise Refused(403, why, CONFIGURE)
        return Who("", "viewer", "this machine")
    if ways.header and (named := proxies.named(ways.header, environ)):
        return Who(named.name, ways.role(named.name, named.groups), "header")
    return sessions.who(ways)


def _here() -> str:
    """Return this address from its path on, as it was sent: what is encoded stays so."""
    path = quote(request.script_root + request.path)
    query = request.query_string.decode("latin-1")
    return f"{path}?{query}" if query else path


def _how(ways: Ways) -> str:
    if ways.has_sessions:
        return f"log in at {url_for('login.page')}, or send Authorization: Bearer cmdb_..."
    return "come through the proxy that asks who you are, or send Authorization: Bearer cmdb_..."
