"""
Whatever is not answered: the status, a sentence and what to do, to be read on a console.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask, Response, current_app, request
from flask_limiter import RateLimitExceeded
from werkzeug.exceptions import HTTPException

from provisioner import log
from provisioner.plain import plain
from salt_ext import store

RETRY_SECONDS = 10
MOST_CANDIDATES = 20

PROVISION = "salt-run cmdb.provision"

AGAIN = f"then {PROVISION} ... revoke=True and {PROVISION} ... again: what is open keeps its plan"
"""What follows the correction of a plan of which an installation is open."""

OVER = {
    "done": (
        "it is installed already",
        f"to install it once more: salt-run cmdb.lifecycle ... staged, then {PROVISION}",
    ),
    "expired": ("its installation was open for too long", f"open it again: {PROVISION}"),
    "revoked": ("its installation was revoked", f"open it again: {PROVISION}"),
    "closed": (
        "it is no longer planned or staged",
        f"if its disks may be wiped: salt-run cmdb.lifecycle ... staged, then {PROVISION}",
    ),
}
"""Of each state in which an installation is over: what has happened, and what to do."""


class Denied(Exception):
    """A request that is not answered: with which status, why, and what to do."""

    def __init__(self, status: int, why: str, todo: str) -> None:
        """Take what is said on the console of the machine."""
        super().__init__(why)
        self.status, self.why, self.todo = status, why, todo

    @property
    def lines(self) -> list[str]:
        """What is said, for a console."""
        return [f"salt-cmdb: {self.status} {self.why}", self.todo]


def judged(served: store.Served, who: str) -> Mapping[str, Any]:
    """
    Return the installation that a machine may have. Raises Denied when there is none for it.

    ``who`` is the machine as it shows itself.
    """
    if served.state == "open" and served.installation is not None:
        return served.installation
    if served.state == "ambiguous":
        raise Denied(
            409,
            f"several open installations have a key of {who}: {_listed(served.candidates)}",
            "correct the plans, and revoke all but one of them",
        )
    if served.state == "foreign":
        raise Denied(
            403,
            f"the installation is of another machine: the {_and(served.differs)} of {who} is not as"
            " planned, or not that of the machine that asked first",
            f"start the machine that is meant, or correct the plan; {AGAIN}",
        )
    if served.state in OVER:
        why, todo = OVER[served.state]
        raise Denied(410, f"{who} gets nothing: {why}", todo)
    raise Denied(
        404,
        f"no installation is open for {who}",
        f"salt-run cmdb.expected set ... with this UUID or MAC, then {PROVISION}",
    )


def _and(keys: Sequence[str]) -> str:
    return " and the ".join(one if one == "address" else one.upper() for one in keys)


def _listed(candidates: Sequence[Mapping[str, Any]]) -> str:
    told = [
        f"{plain(one['plan'].get('hostname') or one['plan'].get('sn') or one['id'])} with"
        f" {' '.join(filter(None, [one['uuid'], *one['macs'][:3]]))}"
        for one in candidates[:MOST_CANDIDATES]
    ]
    more = len(candidates) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")


def register(app: Flask) -> None:
    """Register a handler for every kind of error."""
    app.register_error_handler(Denied, answer)
    app.register_error_handler(RateLimitExceeded, _too_often)
    app.register_error_handler(store.StoreError, _away)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)


def answer(refusal: Denied) -> Response:
    """Return a refusal as text, and tell the log."""
    log.refused(refusal.why)
    response = Response("\n".join(refusal.lines) + "\n", refusal.status, mimetype="text/plain")
    if refusal.status in (429, 503):
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def away(error: store.StoreError) -> Denied:
    """Return what is said when the store does not answer; the log has where that is."""
    current_app.logger.warning("%s", error)
    return Denied(503, error.public, f"the machine may ask again in {RETRY_SECONDS} seconds")


def _away(error: store.StoreError) -> Response:
    return answer(away(error))


def _too_often(error: RateLimitExceeded) -> Response:
    return answer(Denied(429, f"asked too often: {error.description}", "wait a minute"))


def _http_error(error: HTTPException) -> Response:
    response = answer(Denied(error.code or 500, error.name, "see docs/provisioning.md"))
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers[name] = value
    return response


def _bug(error: Exception) -> Response:
    current_app.logger.error("%s failed", request.endpoint, exc_info=error)
    return answer(Denied(500, "this answer has a bug", "the log of the provisioner has more"))
