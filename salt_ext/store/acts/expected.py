"""
Keep what people say they own: a whole list, or what they say about one machine.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timezone

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import NotFound
from salt_ext.store.schema import expected
from salt_ext.store.text import is_text


def import_expected(
    database: Database, machines: Sequence[Row], *, source: str, by: str
) -> dict[str, int]:
    """
    Store a list in place of the last one of its source, and of other entries on its machines.

    Each machine has ``sn``, ``minion_id``, ``fields`` and ``row``. Returns three
    numbers: ``kept`` machines are stored now; ``replaced`` entries were about the
    same machines; ``dropped`` entries are no longer in the list of this source.
    """
    kept = [
        {"id": uuid.uuid4(), "source": source, "imported_by": by, "imported_at": _now(), **one}
        for one in machines
    ]
    with database.begin() as link:
        replaced = link.execute(sa.delete(expected).where(_same(kept))).rowcount
        dropped = link.execute(sa.delete(expected).where(expected.c.source == source)).rowcount
        if kept:
            link.execute(sa.insert(expected), kept)
    return {"kept": len(kept), "replaced": replaced, "dropped": dropped}


def set_expected(database: Database, sn: str, fields: Row, *, by: str) -> Row:
    """Add to what is expected of a machine, by its SN; return the whole entry as it is now."""
    with database.begin() as link:
        is_it = sa.func.lower(expected.c.sn) == sn.lower()
        before = link.execute(
            sa.select(expected).where(is_it).order_by(expected.c.imported_at).with_for_update()
        ).all()
        said: Row = {}
        # Several lists may have said something of it: the newest word of a field counts.
        for one in before:
            said |= one.fields
        said |= {**fields, "sn": sn}
        row: Row = {
            "id": before[-1].id if before else uuid.uuid4(),
            "sn": sn,
            "minion_id": said.get("minion_id") or said.get("hostname"),
            "fields": said,
            "source": "cmdb.expected set",
            "row": None,
            "imported_at": _now(),
            "imported_by": by,
        }
        link.execute(sa.delete(expected).where(is_it))
        link.execute(sa.insert(expected).values(row))
    return row


def remove_expected(database: Database, reference: str) -> list[Row]:
    """Remove what is expected of a machine, by its SN or else its name; return what it was."""
    with database.begin() as link:
        for column in (expected.c.sn, expected.c.minion_id) if is_text(reference) else ():
            gone = rows(
                link.execute(
                    sa.delete(expected)
                    .where(sa.func.lower(column) == reference.lower())
                    .returning(*expected.columns)
                )
            )
            if gone:
                return gone
    raise NotFound(f"nobody expects a machine {reference!r}", "see: salt-run cmdb.expected list")


def _same(kept: Sequence[Row]) -> sa.ColumnElement[bool]:
    """Return the condition for entries about the same machines: by SN, else by name."""
    sns = [one["sn"].lower() for one in kept if one["sn"]]
    names = [one["minion_id"].lower() for one in kept if one["minion_id"] and not one["sn"]]
    return sa.or_(
        sa.func.lower(expected.c.sn).in_(sns),
        sa.and_(expected.c.sn.is_(None), sa.func.lower(expected.c.minion_id).in_(names)),
    )


def _now() -> datetime:
    return datetime.now(timezone.utc)
