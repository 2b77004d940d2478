"""
The list of assets with sections of their facts, one asset, and its document at a moment.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from flask import Blueprint, Response
from pydantic import Field, field_validator

from salt_ext import store
from salt_ext.questions.asset import known
from webui import timemode
from webui.api.description import described
from webui.api.envelope import PREFIX, Rows, Value, of_table, value
from webui.asked import Past
from webui.heavy import admit
from webui.query import Assets
from webui.reading import database
from webui.takes import takes
from webui.views.assets import LIST

blueprint = Blueprint("api_asset", __name__, url_prefix=PREFIX)


class AskedAssets(Assets):
    """The list, and what else is wanted of each asset."""

    include: tuple[str, ...] = Field(
        (), description="Sections of the facts, with commas: disks,memory. Of the present only."
    )

    @field_validator("include", mode="before")
    @classmethod
    def _sections(cls, given: Iterable[str]) -> tuple[str, ...]:
        """Return names that stand in one text with commas, or in several."""
        return tuple(one.strip() for text in given for one in text.split(",") if one.strip())


def assets(asked: AskedAssets) -> Response:
    """
    The list of assets.

    With include= each row has the named sections of its facts under sections.
    """
    if asked.include and timemode.as_of():
        raise store.FilterError("include= is of the present only: ask for the document instead")
    for name in asked.include:
        store.check_section(database(), name)
    return admit(_list, asked) if timemode.as_of() else _list(asked)


def _list(asked: AskedAssets) -> Response:
    table = LIST.table(asked)
    if not asked.include:
        return of_table(table, asked)
    rows = [{**row, "sections": {}} for row in table.rows]
    by_id = {row["id"]: row["sections"] for row in rows}
    for asset_id, name, facts in store.sections(database(), by_id, asked.include):
        by_id[asset_id][name] = facts
    return of_table(table._replace(rows=rows), asked)


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


blueprint.add_url_rule(
    "/assets",
    "assets",
    takes(AskedAssets, has_past=True, is_page=False)(
        described(assets, AskedAssets, Rows, tag="assets")
    ),
)
for path, view in (("", asset), ("/document", document)):
    blueprint.add_url_rule(
        f"/assets/<uuid:asset_id>{path}",
        view.__name__,
        takes(Past, has_past=True, is_page=False)(described(view, Past, Value, tag="assets")),
    )
