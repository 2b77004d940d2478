"""
One asset: everything that is known of it, on one page.
"""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, jsonify, render_template

from salt_ext import store
from salt_ext.words.handovers import handovers
from webui.asked import Asked
from webui.reading import database
from webui.runs import runs
from webui.sections import groups
from webui.takes import takes

blueprint = Blueprint("asset", __name__)

SHOWN_CHANGES = 20


@blueprint.get("/a/<uuid:asset_id>")
@takes()
def page(_asked: Asked, asset_id: uuid.UUID) -> str:
    """Show the asset."""
    found = store.asset_page(database(), asset_id, SHOWN_CHANGES)
    return render_template(
        "asset.html",
        asset=found["asset"],
        groups=groups(found["asset"], found["problems"]),
        problems=found["problems"],
        runs=runs(found["changes"]),
        revisions={one["number"]: one for one in found["revisions"]},
        handed=[
            {**one, "said": said}
            for one in found["revisions"]
            for said in handovers(one["handed"], one["mode"])
        ],
        shown=len(found["changes"]),
        changed=found["changed"],
    )


@blueprint.get("/a/<uuid:asset_id>.json")
@takes(is_page=False)
def data(_asked: Asked, asset_id: uuid.UUID) -> Response:
    """Return the asset as JSON, for programs."""
    return jsonify(ok=True, asset=store.overview(database(), asset_id))
