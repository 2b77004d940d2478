"""
What a machine may be told about itself: its asset, and what people's lists say of it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.hidden import Hidden
from salt_ext.store.reads.machines import machines
from salt_ext.store.said import spoken
from salt_ext.store.schema import asset, expected
from salt_ext.words.cells import is_blank
from salt_ext.words.match import Said, match, same_name, short


class Told(NamedTuple):
    """
    What is known of the machine with a minion id.

    ``columns`` are those of its asset, empty where it never reported. ``listed`` is what the
    lists say of that asset, the newest word of each field. ``named`` is what they say of this
    minion id: a row without it is matched by what the machine itself reports.
    """

    columns: Row
    listed: dict[str, Any]
    named: dict[str, Any]


def told_of(
    database: Database,
    minion_id: str,
    *,
    filters: Mapping[str, Any] | None = None,
    columns: Sequence[str] = (),
) -> Told | None:
    """
    Return what is known of a machine; None if it is not handed out: see :mod:`.machines`.

    Of one that never reported the lists are asked alone.
    """
    asked = {**(filters or {}), "minion_id__exact": minion_id}
    # Closed here, and not when its memory is freed: what fails then is nobody's error.
    with contextlib.closing(machines(database, filters=asked, columns=columns)) as found:
        own = next(found, None)
    with database.autocommit() as link:
        if own is not None:
            said = rows(link.execute(ROWS.where(expected.c.asset_id == own["id"])))
        else:
            said = _of_unheard(link, minion_id)
    by_name = [row for row in said if row["minion_id"] and same_name(row["minion_id"], minion_id)]
    named = _newest(by_name, database.hidden)
    if own is None:
        return Told({}, named, named) if by_name else None
    known = {name: own[name] for name in ("id", *columns)}
    return Told(known, _newest(said, database.hidden), named)


def _of_unheard(link: sa.Connection, minion_id: str) -> list[Row]:
    """Return the rows that would mean a machine which reported under a name of no asset."""
    called = {"minion_id": minion_id, "name": short(minion_id)}
    said = rows(link.execute(UNHEARD, called))
    own: Row = {"sn": None, "minion_id": minion_id, "hostname": None}
    others = rows(link.execute(OTHERS, called)) if said else []
    return [one for one in said if match([Said(0, spoken(one))], [*others, own])[0].machine is own]


def _newest(said: Sequence[Row], hidden: Hidden) -> dict[str, Any]:
    """Return the newest word of each field, if it is not hidden from whoever asks."""
    found: dict[str, Any] = {}
    for row in said:
        found |= {name: value for name, value in row["fields"].items() if not is_blank(value)}
    return {name: value for name, value in found.items() if name not in hidden.columns}


ROWS = sa.select(
    expected.c.sn, expected.c.minion_id, expected.c.fields, expected.c.source
).order_by(expected.c.imported_at, expected.c.source, expected.c.id)

# Whoever has reported is not among the unheard, whether it is handed out or not.
UNHEARD = ROWS.where(
    (expected.c.short_name == sa.bindparam("name"))
    | (expected.c.short_hostname == sa.bindparam("name")),
    ~sa.select(asset.c.id).where(asset.c.minion_id == sa.bindparam("minion_id")).exists(),
)

OTHERS = sa.text("""
SELECT sn, minion_id, hostname FROM asset
 WHERE split_part(lower(minion_id), '.', 1) = :name
 UNION
SELECT asset.sn, asset.minion_id, asset.hostname
  FROM expected JOIN asset ON asset.id = expected.asset_id
 WHERE :name IN (short_name, short_hostname)
""")
