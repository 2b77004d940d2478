"""
How often one may try to log in, and take the whole inventory away as a file.

The counts are each worker's own and in its memory: with four workers somebody has up to
four times as many tries.
"""

from __future__ import annotations

import math
import time
from typing import Any

from flask import Flask, Response, current_app, g, request
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded

from webui import errors
from webui.access.who import who

FILES = (".csv", ".ndjson", ".xlsx")
FILES_PER_MINUTE = 30
TRIES_PER_MINUTE = 10
"""With one name from one address: a proxy in front is one address for all who come by it."""

TRIES_PER_MINUTE_OF_ALL_NAMES = 60


def register(app: Flask) -> None:
    """Count, and refuse with 429 and the time after which to try again."""
    files = ApplicationLimit(
        f"{FILES_PER_MINUTE} per minute",
        exempt_when=lambda: not request.path.endswith(FILES),
        # What was refused because much is asked for already took nothing away.
        deduct_when=lambda response: response.status_code == 200,
    )
    limiter = Limiter(_asker, app=app, storage_uri="memory://", application_limits=[files])
    app.extensions["limits"] = limiter
    if login := app.view_functions.get("login.password"):
        limited: Any = limiter.limit(f"{TRIES_PER_MINUTE_OF_ALL_NAMES} per minute")(login)
        limited = limiter.limit(f"{TRIES_PER_MINUTE} per minute", key_func=_name)(limited)
        app.view_functions["login.password"] = limited
    app.register_error_handler(RateLimitExceeded, _too_often)


def _asker() -> str:
    asking = who()
    peer = request.remote_addr or "unix"
    return f"{asking.way} {asking.name}" if asking and asking.name else peer


def _name() -> str:
    return f"{request.remote_addr or 'unix'} {request.form.get('name', '')[:100]}"


def _too_often(error: RateLimitExceeded) -> Response:
    g.refused = "too often"
    limiter: Limiter = current_app.extensions["limits"]
    current = limiter.current_limit
    seconds = max(1, math.ceil(current.reset_at - time.time())) if current else 60
    response = errors.answer(
        429, f"this was asked too often: {error.description}", f"wait {seconds} s, and try again"
    )
    response.headers["Retry-After"] = str(seconds)
    return response
