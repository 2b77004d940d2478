"""
One asset: everything that is known of it, on one page.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, jsonify, render_template

from salt_ext import store
from webui.history import runs
from webui.sections import groups
from webui.views import database

blueprint = Blueprint("asset", __name__)

SHOWN_CHANGES = 20


@blueprint.get("/a/<uuid:asset_id>")
def page(asset_id: uuid.UUID) -> str:
    """Show the asset."""
    asset = store.overview(database(), asset_id)
    of_asset = store.Wanted(asset_id)
    rows = store.changes(database(), of_asset, limit=SHOWN_CHANGES)
    changed = store.count_changes(database(), of_asset)
    revisions = store.revisions(database(), asset_id, limit=SHOWN_CHANGES)
    problems: list[dict[str, Any]] = []
    if asset["minion_id"]:
        problems, _ = store.problems(database(), minion_id=asset["minion_id"])
    return render_template(
        "asset.html",
        asset=asset,
        groups=groups(asset, problems),
        problems=problems,
        runs=runs(rows),
        revisions={one["number"]: one for one in revisions},
        shown=len(rows),
        changed=changed,
    )


@blueprint.get("/a/<uuid:asset_id>.json")
def data(asset_id: uuid.UUID) -> Response:
    """Return the asset for programs."""
    return jsonify(ok=True, asset=store.overview(database(), asset_id))
