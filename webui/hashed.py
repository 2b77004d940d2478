"""
Style sheets and icons, each under an address with its digest: a browser keeps them for ever.

``url_for("static", filename=...)`` makes such an address.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any

from flask import Flask, Response, send_from_directory

DIRECTORY = Path(__file__).parent / "static"
YEAR_SECONDS = 365 * 24 * 3600


def register(app: Flask) -> None:
    """Serve the files; the application must have no static folder of Flask's."""
    app.add_url_rule("/static/<digest>/<path:filename>", "static", static)
    app.url_defaults(_add_digest)


def static(digest: str, filename: str) -> Response:
    """Return a file; what it was before an upgrade is not there any more, so what it is now."""
    response = send_from_directory(DIRECTORY, filename, conditional=True)
    if digest == digest_of(filename):
        response.cache_control.no_cache = None
        response.cache_control.public = True
        response.cache_control.max_age = YEAR_SECONDS
        response.cache_control.immutable = True
    return response


@functools.cache
def digest_of(filename: str) -> str:
    """Return the beginning of a file's SHA-256."""
    return hashlib.sha256((DIRECTORY / filename).read_bytes()).hexdigest()[:12]


def _add_digest(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static":
        values.setdefault("digest", digest_of(values["filename"]))
