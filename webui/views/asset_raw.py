"""
The whole document of one asset, as it is in the store.
"""

from __future__ import annotations

import uuid

from flask import Blueprint, render_template

from salt_ext.questions.asset import known
from webui import timemode
from webui.asked import Past
from webui.reading import database
from webui.takes import takes

blueprint = Blueprint("asset_raw", __name__)


@blueprint.get("/a/<uuid:asset_id>/raw")
@takes(Past, has_past=True)
def page(_asked: Past, asset_id: uuid.UUID) -> str:
    """Show the facts and the latest volatile values as JSON, however long they are."""
    return render_template("asset_raw.html", asset=known(database(), asset_id, timemode.as_of()))
