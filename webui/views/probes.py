"""
Addresses for load balancers and monitoring.
"""

from __future__ import annotations

from flask import Blueprint, Response, current_app

from salt_ext import store
from webui.errors import RETRY_SECONDS
from webui.reading import database

blueprint = Blueprint("probes", __name__)


def _plain(text: str, status: int = 200) -> Response:
    return Response(f"{text}\n", status, mimetype="text/plain")


@blueprint.get("/healthz")
def alive() -> Response:
    """Say that this process runs; the database is not asked."""
    return _plain("ok")


@blueprint.get("/readyz")
def ready() -> Response:
    """Say whether the database answers and has the schema that this code reads."""
    try:
        store.ping(database())
        return _plain("ok")
    except store.StoreError as error:
        current_app.logger.warning("not ready: %s", error)
        response = _plain(f"{error.public}; {error.hint}", 503)
        response.headers["Retry-After"] = str(RETRY_SECONDS)
        return response
