"""
Redirects from any identifier of a machine to the permanent address of its page.
"""

from __future__ import annotations

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from salt_ext import store
from webui.asked import Asked
from webui.reading import database
from webui.takes import takes
from webui.timemode import to

blueprint = Blueprint("find", __name__)


class Searched(Asked):
    """An identifier to look for."""

    q: str = ""


@blueprint.get("/sn/<path:reference>")
@blueprint.get("/host/<reference>")
@takes()
def to_asset(_asked: Asked, reference: str) -> Response:
    """Redirect to the page of the asset with this identifier."""
    return _page_of(reference)


@blueprint.get("/find")
@takes(Searched)
def by_query(asked: Searched) -> Response:
    """Do the same for identifiers that do not fit into a path."""
    if not asked.q.strip():
        raise store.FilterError("there is nothing to find: give an identifier as q")
    return _page_of(asked.q.strip())


def _page_of(reference: str) -> Response:
    return redirect(to("asset.page", asset_id=store.resolve(database(), reference)))
