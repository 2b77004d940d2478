"""
Redirects from any identifier of a machine to the permanent address of its page.
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
    """Redirect to the page of the asset with this identifier."""
    asset_id = store.resolve(database(), reference)
    return redirect(url_for("asset.page", asset_id=asset_id))


@blueprint.get("/find")
def by_query() -> Response:
    """Do the same for identifiers that do not fit into a path."""
    reference = request.args.get("q", "").strip()
    if not reference:
        raise store.FilterError("there is nothing to find: give an identifier as q")
    return to_asset(reference)
