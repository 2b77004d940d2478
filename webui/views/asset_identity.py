"""
Why an asset is this asset: its ledger, what was decided, and what a person has to decide.
"""

from __future__ import annotations

import functools
import uuid

from flask import Blueprint, Response, jsonify, render_template

from salt_ext.exchange import FORMATS
from salt_ext.questions.identity import claims, identity
from salt_ext.questions.table import Table
from webui import timemode
from webui.asked import Past
from webui.reading import database
from webui.resources import as_file
from webui.takes import takes

blueprint = Blueprint("asset_identity", __name__)

PATH = "/a/<uuid:asset_id>/identity"
COLUMNS = (
    *("kind", "value", "source", "quality", "first_seen", "last_seen"),
    *("is_current", "shared", "disowned"),
)


@blueprint.get(PATH)
@takes(Past, has_past=True)
def page(_asked: Past, asset_id: uuid.UUID) -> str:
    """Show what identifies the asset, or did at a moment; what waits, waits now."""
    found = identity(database(), asset_id, timemode.as_of())
    names = [one for one in found["identifiers"] if one["kind"] == "minion_id"]
    return render_template(
        "asset_identity.html",
        asset=found,
        former=[one for one in names if not one["is_current"]],
        claims=claims(database(), asset_id),
        columns=COLUMNS,
        formats=FORMATS,
    )


@blueprint.get(f"{PATH}.json")
@takes(Past, has_past=True, is_page=False)
def data(_asked: Past, asset_id: uuid.UUID) -> Response:
    """Return the same as JSON, for programs."""
    found = identity(database(), asset_id, timemode.as_of())
    return jsonify(ok=True, **found, claims=claims(database(), asset_id))


def ledger(format_of: str, _asked: Past, asset_id: uuid.UUID) -> Response:
    """Return the identifiers as a file."""
    rows = identity(database(), asset_id, timemode.as_of())["identifiers"]
    table = Table("identifiers", COLUMNS, rows, len(rows))
    return as_file("identifiers", format_of, table, database())


for _format in FORMATS:
    if _format != "json":
        _view = takes(Past, has_past=True, is_page=False)(functools.partial(ledger, _format))
        blueprint.add_url_rule(f"{PATH}.{_format}", _format, _view)
