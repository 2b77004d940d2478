"""
The page to log in at, the ways through it, and out again.
"""

from __future__ import annotations

from flask import (
    Blueprint,
    Flask,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from pydantic import Field
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from webui.access import oidc, sessions, users
from webui.access.paths import local_path
from webui.access.ways import Ways
from webui.access.who import who
from webui.asked import Asked
from webui.language import translated
from webui.takes import takes

blueprint = Blueprint("login", __name__)

FORMS = ("login.password", "login.out")
"""The only two addresses of all that take more than GET and HEAD."""


class Onwards(Asked):
    """Where to go when that is done."""

    next: str = Field("", max_length=2000)


def register(app: Flask) -> None:
    """Add the pages where there is a way of logging in that needs them."""
    if app.extensions["ways"].has_sessions:
        app.register_blueprint(blueprint)


def _ways() -> Ways:
    ways: Ways = current_app.extensions["ways"]
    return ways


def _next(given: str) -> str:
    return local_path(given, url_for("overview.page"))


@blueprint.get("/login")
@takes(Onwards)
def page(asked: Onwards) -> str | Response:
    """Show the ways of logging in; whoever has done it goes on."""
    there = _next(asked.next)
    if who():
        return redirect(there, 303)
    return _page(there)


def _page(there: str, wrong: str = "") -> str:
    return render_template("login.html", ways=_ways(), next=there, wrong=wrong)


@blueprint.post("/login")
def password() -> Response | tuple[str, int]:
    """Log in a user of the settings."""
    sessions.check_csrf()
    ways, name = _ways(), request.form.get("name", "")
    there = _next(request.form.get("next", ""))
    if not ways.users or not users.is_right(ways, name, request.form.get("password", "")):
        # Somebody may have typed the password into the wrong field.
        g.refused = f"wrong password of {name if name in ways.users else 'an unknown name'}"
        return _page(there, translated("Wrong name or password.")), 403
    sessions.begin(ways, name, "password")
    return redirect(there, 303)


@blueprint.get("/login/oidc")
@takes(Onwards)
def leave(asked: Onwards) -> Response:
    """Go to the OIDC provider."""
    _check_oidc()
    there = _next(asked.next)
    # What was begun before and not ended would make the cookie larger each time.
    session.clear()
    session["next"] = there
    return oidc.leave(_ways().origin + url_for("login.back"))


@blueprint.get("/login/oidc/back")
def back() -> Response:
    """Come back from the OIDC provider."""
    _check_oidc()
    there = _next(session.get("next", ""))
    person = oidc.arrive(_ways())
    sessions.begin(_ways(), person.name, "oidc", person.groups)
    return redirect(there, 303)


def _check_oidc() -> None:
    if not _ways().oidc:
        raise NotFound


back.asked = Asked  # type: ignore[attr-defined] # its options are the provider's


@blueprint.post("/logout")
def out() -> Response:
    """Log out."""
    sessions.check_csrf()
    sessions.end()
    return redirect(url_for("login.page"), 303)
