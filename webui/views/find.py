"""
From what people know of a machine to its permanent address.
"""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from salt_ext import store
from webui.views import database

blueprint = Blueprint("find", __name__)


@blueprint.get("/sn/<path:reference>")
@blueprint.get("/host/<reference>")
def to_asset(reference: str) -> Response:
    """Lead to the one asset that is meant."""
    asset_id = store.resolve(database(), reference)
    return redirect(url_for("asset.page", asset_id=asset_id))


@blueprint.get("/find")
def by_query() -> Response:
    """Do the same for identifiers that do not fit into a path."""
    reference = request.args.get("q", "").strip()
    if not reference:
        raise store.FilterError("there is nothing to find: give an identifier as q")
    return to_asset(reference)
