"""
What you must know of an asset when you are on call, on one screen and one sheet of paper.
"""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, jsonify, render_template

from salt_ext.questions.card import card
from webui.asked import Asked
from webui.reading import database
from webui.runs import runs
from webui.takes import takes

blueprint = Blueprint("asset_card", __name__)


@blueprint.get("/a/<uuid:asset_id>/card")
@takes()
def page(_asked: Asked, asset_id: uuid.UUID) -> str:
    """Show the card."""
    found = card(database(), asset_id)
    return render_template("asset_card.html", card=found, runs=runs(found["changes"]))


@blueprint.get("/a/<uuid:asset_id>/card.json")
@takes(is_page=False)
def data(_asked: Asked, asset_id: uuid.UUID) -> Response:
    """Return the card as JSON, for programs."""
    return jsonify(ok=True, card=card(database(), asset_id))
