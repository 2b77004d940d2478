"""
What is known of one asset, now or as it was.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from salt_ext import store
from salt_ext.lists.headings import order
from salt_ext.questions.card import differs
from salt_ext.words.cells import is_blank


def known(
    database: store.Database, asset_id: uuid.UUID, at: datetime | None = None
) -> dict[str, Any]:
    """
    Return everything that is known of an asset, or its columns and facts as they were then.

    Raises :class:`store.NotFound` when nothing was known of it at that moment.
    """
    if at is None:
        return store.overview(database, asset_id)
    revision, facts = store.document(database, asset_id, at)
    one, columns = {"id": asset_id}, store.KEPT_COLUMNS
    page = store.assets(database, filters=one, columns=columns, at=at, mask_hidden=True)
    if not page.rows:
        # It had turned out to be another one before: this says which.
        return store.overview(database, asset_id)
    return {**page.rows[0], "changed_at": revision["recorded_at"], "facts": facts}


def said(database: store.Database, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """
    Return what people's lists say of an asset, each field beside what the machine reports.

    ``row`` has the columns of the asset. Of each field the newest row of a list counts that
    has a value; ``source``, ``row``, ``imported_by`` and ``imported_at`` tell whose it is.
    """
    found: dict[str, dict[str, Any]] = {}
    for kept in reversed(store.said_of(database, row["id"])):
        about = {name: kept[name] for name in ("source", "row", "imported_by", "imported_at")}
        for field, value in kept["fields"].items():
            if not is_blank(value):
                differing = differs(field, value, row)
                reported = row.get(field) if differing else None
                found[field] = {
                    **{"field": field, "value": value, "reported": reported},
                    **{"differs": differing, **about},
                }
    return sorted(found.values(), key=lambda one: (order(one["field"]), one["field"]))
