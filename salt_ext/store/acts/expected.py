"""
Keep what people say they own: a whole list, or a word about one machine.
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
    Keep a list in place of what the same source said before, and of what others said of the same.

    Each machine has ``sn``, ``minion_id``, ``fields`` and ``row``. Returns how
    many are ``kept``, and how many of before were ``replaced`` or ``dropped``,
    because the source has them no more.
    """
    kept = [
        {"id": uuid.uuid4(), "source": source, "imported_by": by, "imported_at": _now(), **one}
        for one in machines
    ]
    with database.begin() as link:
        of_source = sa.select(sa.func.count()).where(expected.c.source == source)
        before = int(link.scalar(of_source) or 0)
        replaced = link.execute(sa.delete(expected).where(_same(kept))).rowcount
        left = link.execute(sa.delete(expected).where(expected.c.source == source)).rowcount
        if kept:
            link.execute(sa.insert(expected), kept)
    return {"kept": len(kept), "replaced": replaced, "dropped": min(left, before)}


def set_expected(database: Database, sn: str, fields: Row, *, by: str) -> Row:
    """Say what is expected of a machine, in addition to what was said before; return all of it."""
    with database.begin() as link:
        before = link.execute(
            sa.select(expected).where(sa.func.lower(expected.c.sn) == sn.lower()).with_for_update()
        ).first()
        said = {**(before.fields if before else {}), **fields, "sn": sn}
        row: Row = {
            "id": before.id if before else uuid.uuid4(),
            "sn": sn,
            "minion_id": said.get("minion_id") or said.get("hostname"),
            "fields": said,
            "source": "cmdb.expected set",
            "row": None,
            "imported_at": _now(),
            "imported_by": by,
        }
        link.execute(sa.delete(expected).where(sa.func.lower(expected.c.sn) == sn.lower()))
        link.execute(sa.insert(expected).values(row))
    return row


def remove_expected(database: Database, reference: str) -> list[Row]:
    """Expect a machine no more, by its SN or else its name; return what was said of it."""
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
    """Return the condition for what was said of these machines: by SN, else by name."""
    sns = [one["sn"].lower() for one in kept if one["sn"]]
    names = [one["minion_id"].lower() for one in kept if one["minion_id"] and not one["sn"]]
    return sa.or_(
        sa.func.lower(expected.c.sn).in_(sns),
        sa.and_(expected.c.sn.is_(None), sa.func.lower(expected.c.minion_id).in_(names)),
    )


def _now() -> datetime:
    return datetime.now(timezone.utc)
