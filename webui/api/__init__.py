"""
The inventory for programs: ``/api/v1``.

Every table of the pages is there at the path of its page, asked by the same model and answered
by the same question. Errors are JSON of one shape, whatever went wrong.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask

from webui.api import assets, description, feed, fleet, inventory, tables
from webui.resources import Resource


def register(app: Flask, resources: Iterable[Resource]) -> None:
    """Add the paths of the API, and its description of itself."""
    app.register_blueprint(tables.blueprint_of(resources))
    for part in (assets, fleet, feed, inventory, description):
        app.register_blueprint(part.blueprint)
