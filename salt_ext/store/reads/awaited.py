"""
The machines that people expect and that have never reported: where a master begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.filters import matching
from salt_ext.store.reads.listing import Listing, listing, own_value
from salt_ext.store.reads.masking import masked
from salt_ext.store.said import OWN, machines
from salt_ext.store.schema import LIST_COLUMNS, asset, expected

SPOKEN = [name for name in LIST_COLUMNS if isinstance(asset.c[name].type, sa.Text)]
"""The columns of an asset that a list may have, as the texts that they are there too."""

NAME = sa.func.coalesce(expected.c.short_name, expected.c.short_hostname)

_other = expected.alias("other")
_same_sn = _other.c.bare_sn == expected.c.bare_sn
_same_name = sa.and_(
    (_other.c.short_name == NAME) | (_other.c.short_hostname == NAME),
    _other.c.bare_sn.is_(None) | expected.c.bare_sn.is_(None),
)
_same_uuid = _other.c.uuid == expected.c.uuid
IS_AWAITED = sa.and_(
    expected.c.asset_id.is_(None),
    expected.c.awaited,
    # A reason that a person gave counts for all lists.
    ~sa.select(_other.c.id).where(~_other.c.awaited, _same_sn | _same_name | _same_uuid).exists(),
)


@masked
def awaited(database: Database, *, filters: Mapping[str, Any] | None = None) -> list[Row]:
    """
    Return what is expected, has never reported and shall report, each machine once.

    Each has ``sn``, ``minion_id`` and ``fields``, and ``source``, ``row`` and
    ``imported_at`` of the newest row about it. A filter is compared with what the list
    says, as it is compared with an asset otherwise; what no list can say fits none.
    """
    source = listing(database, None)
    found = matching(_of_lists(source), filters or {}, "")
    statement = (
        sa.select(expected, NAME.label("name"))
        .where(IS_AWAITED, *found)
        .order_by(expected.c.imported_at, expected.c.source, expected.c.row, expected.c.id)
    )
    with database.autocommit() as link:
        said = rows(link.execute(statement))
    # Nor does the order tell anything of a hidden number.
    number = "id" if "sn" in database.hidden.columns else "sn"
    return sorted(
        _machines(said), key=lambda row: (row["minion_id"] or "~", str(row[number] or ""))
    )


def _machines(said: Sequence[Row]) -> Iterable[Row]:
    """Return one row for each machine: what several lists say of it, the newest word of each."""
    for of_machine in machines(said):
        found: Row = {"sn": None, "minion_id": None, "fields": {}}
        for row in of_machine:
            called = {name: row[name] or found[name] for name in ("sn", "minion_id")}
            found = {**row, **called, "fields": {**found["fields"], **row["fields"]}}
        yield found


def _of_lists(source: Listing) -> Listing:
    """Return the listing of what the lists say, with the fields of a listing of assets."""
    fields: dict[str, sa.ColumnElement[Any]] = {
        name: own_value(expected.c.fields[name], column.type)
        if name.startswith(OWN)
        else sa.cast(sa.null(), column.type)
        for name, column in source.fields.items()
    }
    fields |= {name: expected.c.fields[name].astext for name in SPOKEN if name in fields}
    known = {"sn": expected.c.sn, "minion_id": expected.c.minion_id}
    fields |= {name: column for name, column in known.items() if name in fields}
    never = dict.fromkeys(source.states, sa.false())
    return source._replace(fields=fields, key=expected.c.id, text=expected.c.source, states=never)
