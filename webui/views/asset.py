"""
One asset: everything that is known of it, on one page.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from salt_ext import store
from salt_ext.questions.asset import known, said
from salt_ext.words.called import called
from salt_ext.words.times import timestamp
from webui import errors, sections, timemode
from webui.asked import Asked, Past
from webui.peers import Peers
from webui.reading import database
from webui.runs import runs
from webui.takes import takes

blueprint = Blueprint("asset", __name__)

SHOWN_CHANGES = 20


@blueprint.get("/a/<uuid:asset_id>")
@takes(Past, has_past=True)
def page(_asked: Past, asset_id: uuid.UUID) -> str:
    """Show the asset as it is, or as it was."""
    at = timemode.as_of()
    then = known(database(), asset_id, at) if at else None
    try:
        found = store.asset_page(database(), asset_id, SHOWN_CHANGES, at)
    except store.Merged:
        if then is None:
            raise
        # It was an asset of its own then, and is part of another one now.
        empty: dict[str, Any] = {name: [] for name in ("ill", "lost", "changes", "problems")}
        return _show({"asset": then, **empty}, then)
    return _show(found, then or found["asset"])


def _names(ill: dict[str, Any]) -> list[str]:
    """
    Return what an ill part may be called in its list.

    A module of memory is called after its controller, the kernel's name and its label, which
    may be that of its slot: ``mc0 dimm3 DIMM_A2``. Only the module is ill.
    """
    component = str(ill["component"])
    if ill["section"] == "memory":
        return [component, *component.split(" ", 2)[2:]]
    return component.split()


def _show(found: dict[str, Any], asset: dict[str, Any]) -> str:
    """Show what is known now beside the facts of an asset, which may be those of the past."""
    at, now, ill = timemode.as_of(), found["asset"], found["ill"]
    is_ill = {name for one in ill for name in _names(one)} if at is None else ()
    is_lost = {one["place"] for one in found["lost"]} if at is None else ()
    peers = Peers(asset, is_past=at is not None)
    problems = found["problems"] if at is None else []
    return render_template(
        "asset.html",
        asset=asset,
        now=now,
        at=at,
        title=asset["minion_id"] or asset["sn"] or called(asset),
        peers=peers,
        facts=sections.shown(asset, problems, sections.Marks(peers, is_ill, is_lost)),
        ill=ill,
        lost=found["lost"],
        held=found.get("held", 0),
        said=said(database(), asset) if found.get("is_said") and at is None else [],
        problems=problems,
        runs=runs(found["changes"]),
        reports={(one["asset_id"], one["revision"]): one for one in found["changes"]},
        shown=len(found["changes"]),
        has_more=found.get("more", False),
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
