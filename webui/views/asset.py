"""
One asset: everything that is known of it, on one page.
"""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from salt_ext import store
from salt_ext.questions.asset import known
from salt_ext.words.handovers import handovers
from salt_ext.words.times import timestamp
from webui import errors, timemode
from webui.asked import Asked, Past
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
@takes(Past, has_past=True, is_page=False)
def data(_asked: Past, asset_id: uuid.UUID) -> Response:
    """Return the asset as JSON, for programs, as it is or as it was."""
    return jsonify(ok=True, asset=known(database(), asset_id, timemode.as_of()))


@blueprint.get("/a/<uuid:asset_id>@<moment>")
@takes()
def at(_asked: Asked, asset_id: uuid.UUID, moment: str) -> AnyResponse:
    """Lead to the asset as it was at a moment: an address that is easily typed."""
    return redirect(url_for("asset.page", asset_id=asset_id, _as_of=moment))


@blueprint.app_errorhandler(store.Merged)
def lead_to_other(error: store.Merged) -> AnyResponse:
    """Lead to the asset that the one of this address turned out to be."""
    path = request.view_args or {}
    if request.endpoint is None or "asset_id" not in path:
        return errors.answer(404, str(error), error.hint)
    return redirect(timemode.to(request.endpoint, **{**path, "asset_id": error.into}))


@blueprint.app_errorhandler(store.NotYet)
def before_first_report(error: store.NotYet) -> AnyResponse:
    """Say when an asset reported first, where nothing was known of it; programs get an error."""
    path = request.view_args or {}
    if request.endpoint is None or "asset_id" not in path or not g.is_page:
        return errors.answer(404, str(error), error.hint)
    then = timestamp(timemode.rounded_up(error.first))
    there = timemode.to(request.endpoint, **{**path, timemode.OPTION: then})
    return Response(render_template("asset_before.html", first=error.first, there=there))
