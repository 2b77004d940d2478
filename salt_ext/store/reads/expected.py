"""
The machines that people say they own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.schema import asset, expected

ORDER = (expected.c.source, expected.c.row, expected.c.sn, expected.c.id)


def expected_machines(database: Database) -> list[Row]:
    """Return what people expect, in the order of their lists."""
    with database.autocommit() as link:
        return rows(link.execute(sa.select(expected).order_by(*ORDER)))


def expected_like(database: Database, row: Mapping[str, Any]) -> tuple[list[Row], list[Row]]:
    """
    Return what people say of machines like an asset, the newest first, and all assets meant by it.

    Alike are serial numbers without case and leading zeros, and names without
    case and domain. Which row means which asset is not decided here. Both tables
    are read whole, as nothing indexes these spellings.
    """
    sns = _but_none(_bare_number(row["sn"]))
    names = _but_none(_short_name(row["minion_id"]), _short_name(row["hostname"]))
    said = _bare(expected.c.sn).in_(sns) | _short(expected.c.minion_id).in_(names)
    newest_first = (expected.c.imported_at.desc(), expected.c.id)
    with database.autocommit() as link:
        found = rows(link.execute(sa.select(expected).where(said).order_by(*newest_first)))
        sns |= _but_none(*(_bare_number(one["sn"]) for one in found))
        names |= _but_none(*(_short_name(one["minion_id"]) for one in found))
        alike = (
            _bare(asset.c.sn).in_(sns)
            | _short(asset.c.minion_id).in_(names)
            | _short(asset.c.hostname).in_(names)
        )
        columns = (asset.c.id, asset.c.sn, asset.c.minion_id, asset.c.hostname)
        statement = sa.select(*columns).where(alike, asset.c.merged_into.is_(None))
        return found, rows(link.execute(statement)) if found else []


def _bare(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.func.ltrim(sa.func.lower(column), "0")


def _short(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.func.split_part(sa.func.lower(column), ".", 1)


def _bare_number(sn: str | None) -> str:
    return (sn or "").lower().lstrip("0")


def _short_name(name: str | None) -> str:
    return (name or "").lower().partition(".")[0]


def _but_none(*texts: str) -> set[str]:
    return {one for one in texts if one}
