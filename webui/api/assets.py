"""
One asset, and its document at a moment.
"""

from __future__ import annotations

import uuid

from flask import Blueprint, Response

from salt_ext import store
from salt_ext.questions.asset import known
from webui import timemode
from webui.api.description import described
from webui.api.envelope import PREFIX, Value, value
from webui.asked import Past
from webui.reading import database
from webui.takes import takes

blueprint = Blueprint("api_asset", __name__, url_prefix=PREFIX)


def asset(_asked: Past, asset_id: uuid.UUID) -> Response:
    """
    One asset.

    Everything that is known of it, as it is or as it was.
    """
    return value(asset=known(database(), asset_id, timemode.as_of()))


def document(_asked: Past, asset_id: uuid.UUID) -> Response:
    """
    The facts of one asset.

    As its last report told them, or the last one before a moment, with that revision.
    """
    revision, facts = store.document(database(), asset_id, timemode.as_of())
    told = ("number", "recorded_at", "collected_at", "mode", "reason")
    return value(revision={name: revision[name] for name in told}, document=facts)


for path, view in (("", asset), ("/document", document)):
    blueprint.add_url_rule(
        f"/assets/<uuid:asset_id>{path}",
        view.__name__,
        takes(Past, has_past=True, is_page=False)(described(view, Past, Value, tag="assets")),
    )
