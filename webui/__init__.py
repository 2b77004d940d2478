"""
The read-only inventory in the browser: ``gunicorn --config python:webui.server``.

It reads through :mod:`salt_ext.store` alone, in read-only transactions: PostgreSQL
itself refuses any write. Without a login it answers its own machine only, sets no cookie
and needs no secret.
"""

from __future__ import annotations

import os
import uuid
from typing import Any

from flask import Flask, Response, g, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import MethodNotAllowed

from salt_ext import store
from salt_ext.settings import Settings, from_environ
from salt_ext.words.plain import simple
from webui import (
    access,
    api,
    cells,
    errors,
    fleet_metrics,
    format,
    hashed,
    heavy,
    language,
    log,
    menu,
    metrics,
    reading,
    silence,
    timemode,
    transfer,
)
from webui.access import limits
from webui.cached import Cache
from webui.takes import refuse_options
from webui.views import (
    asset,
    asset_card,
    asset_identity,
    asset_raw,
    assets,
    changes,
    clouds,
    compare,
    find,
    fleet_diff,
    health,
    help,
    installations,
    login,
    losses,
    odd,
    overview,
    parts,
    probes,
    quality,
    racks,
    reports,
    status,
    suggest,
)

METHODS = ("GET", "HEAD")

VIEWS = (
    overview,
    assets,
    asset,
    asset_card,
    asset_identity,
    asset_raw,
    find,
    quality,
    reports,
    status,
    help,
    probes,
)
"""The pages that are more than a table."""

RESOURCES = (
    *changes.RESOURCES,
    *parts.RESOURCES,
    *racks.RESOURCES,
    *clouds.RESOURCES,
    *compare.RESOURCES,
    *fleet_diff.RESOURCES,
    *health.RESOURCES,
    *installations.RESOURCES,
    *losses.RESOURCES,
    *odd.RESOURCES,
    *quality.RESOURCES,
    *reports.RESOURCES,
    *status.RESOURCES,
    *suggest.RESOURCES,
)
"""The tables, each with a page and files."""

HEADERS = {
    # Nothing inline and nothing from elsewhere: what a machine calls itself can
    # never become a script, even if a template forgot to escape it.
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


class _Json(DefaultJSONProvider):
    """JSON with moments and ids as the runner has them, and with columns in their order."""

    sort_keys = False

    @staticmethod
    def default(value: Any) -> Any:
        """Return a value that JSON has, for a value of a type that JSON does not have."""
        found = simple(value)
        return found if found is not value else DefaultJSONProvider.default(value)


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application; by default with the settings of the environment."""
    app = Flask(__name__, static_folder=None)
    app.json = _Json(app)
    # With it /sn//x would lead to wherever the Host header says.
    app.url_map.merge_slashes = False
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    settings = from_environ(os.environ) if settings is None else settings
    reports.presets(settings)  # raises an error about one that cannot be asked
    database = store.Database(settings, read_only=True, limits=store.PAGES)
    app.extensions["settings"] = settings
    app.extensions["database"] = database
    app.extensions["cache"] = Cache(settings["cache_seconds"])
    # The first to see a request are the last to see its answer.
    transfer.register(app)
    metrics.register(app)
    app.register_blueprint(fleet_metrics.blueprint)
    app.before_request(_begin)
    access.register(app, settings)
    app.before_request(_accept_reads_only)
    app.before_request(refuse_options)
    app.after_request(_add_headers)
    format.register(app, database.zone)
    cells.register(app, database.zone)
    log.register()
    for part in (hashed, heavy, language, menu, reading, timemode, errors, silence):
        part.register(app)
    for view in VIEWS:
        app.register_blueprint(view.blueprint)
    for resource in RESOURCES:
        app.register_blueprint(resource.alone())
    api.register(app, (*RESOURCES, find.PLACES))
    login.register(app)
    limits.register(app)
    return app


def _begin() -> None:
    g.request_id = uuid.uuid4().hex[:12]


def _accept_reads_only() -> None:
    methods = ("POST",) if request.endpoint in login.FORMS else METHODS
    if request.method not in methods:
        raise MethodNotAllowed(methods)
    # PostgreSQL holds no text with a NUL character, so such a query could find nothing.
    given = [request.path, *request.args, *(text for _, text in request.args.items(multi=True))]
    if any("\0" in text for text in given):
        raise store.FilterError("the address holds a NUL character")


def _add_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    response.headers["X-Request-ID"] = g.request_id
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
