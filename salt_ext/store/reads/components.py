"""
Parts: which ones there are, and where each part with a number of its own is and was.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from salt_ext.document.keys import number
from salt_ext.document.placeholders import why_not_serial
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import FilterError, NotFound
from salt_ext.store.parts import SOURCES
from salt_ext.store.reads.filters import matching, of_parts
from salt_ext.store.reads.listing import joined, listing
from salt_ext.store.reads.slipped import nearest_part
from salt_ext.store.schema import (
    OF_REVISION,
    PART_FIELDS,
    asset,
    asset_seen,
    change,
    part,
    placement,
    revision,
)
from salt_ext.store.text import is_text
from salt_ext.words.nearest import unknown


def components(
    database: Database,
    section: str,
    *,
    filters: Mapping[str, Any] | None = None,
    limit: int = 100,
) -> tuple[list[Row], int]:
    """
    Return the kinds of parts of a section, the most frequent first, and how many kinds.

    Each has ``count``, how many of them there are, and ``assets``, in how many
    machines. The filters are those of the asset list; filters on parts of this
    section choose which parts are counted.
    """
    if section not in SOURCES:
        raise FilterError(unknown("section of parts", section, SOURCES))
    source = listing(database, None)
    of_section: dict[str, Any] = {}
    of_assets: dict[str, Any] = {}
    for name, value in (filters or {}).items():
        (of_section if name.startswith(f"{section}.") else of_assets)[name] = value
    kinds = [part.c[name] for name in PART_FIELDS]
    counted = (
        sa.select(
            *kinds,
            sa.func.sum(part.c.count).label("count"),
            sa.func.count().label("assets"),
            sa.func.count().over().label("kinds"),
        )
        .where(part.c.section == section, *of_parts(of_section))
        .group_by(*kinds)
        .order_by(sa.desc("count"), *kinds)
        .limit(limit)
    )
    if of_assets:
        ids = joined(sa.select(source.key), source, matching(source, of_assets, ""))
        counted = counted.where(part.c.asset_id.in_(ids))
    with database.autocommit() as link:
        found = rows(link.execute(counted))
    total = int(found[0]["kinds"]) if found else 0
    for row in found:
        row["count"] = int(row["count"])
        del row["kinds"]
    return found, total


def genealogy(database: Database, serial: str) -> list[Row]:
    """
    Return every place where a part was, the last first, with the ``changes`` of the part there.

    Raises :class:`NotFound` when no part has this serial number, WWN or MAC.
    """
    reason = why_not_serial(serial)
    nowhere = NotFound(
        f"no part has the serial number, WWN or MAC {serial!r}"
        + (f" for itself: {reason}" if reason else ""),
        "see the numbers of a machine's parts with cmdb.show",
    )
    if reason or not is_text(serial):
        raise nowhere
    with database.autocommit() as link:
        stays = rows(
            link.execute(
                sa.select(placement, asset.c.minion_id, asset.c.sn)
                .join(asset, asset.c.id == placement.c.asset_id)
                .where(placement.c.serial.in_({serial, serial.lower()}))
                .order_by(placement.c.since.desc(), placement.c.path, placement.c.place)
                .limit(LONGEST)
            )
        )
        if not stays:
            if near := nearest_part(link, serial):
                nowhere.hint = f"the nearest is {near!r}"
            raise nowhere
        own = rows(
            link.execute(
                sa.select(change, revision.c.recorded_at)
                .join(revision, OF_REVISION)
                .where(
                    change.c.asset_id.in_({row["asset_id"] for row in stays}),
                    change.c.component.in_({row["serial"] for row in stays}),
                    change.c.field.is_not(None),
                )
                .order_by(revision.c.recorded_at)
            )
        )
    for stay in stays:
        stay["changes"] = [
            one
            for one in own
            if one["asset_id"] == stay["asset_id"]
            and one["recorded_at"] >= stay["since"]
            and (stay["until"] is None or one["recorded_at"] <= stay["until"])
        ]
    return stays


LONGEST = 1000
"""At most so many places of a part; a serial number with more is not of one part only."""


def moves(link: sa.Connection, changes: list[Row]) -> list[Row]:
    """
    Add ``moved_from`` and ``moved_to``: the asset that a part came from, or went to, or None.

    A part has moved when it was never seen in both machines: the other one lost it
    before this one had it, or had it after this one lost it.
    """
    numbers = [_numbers(row) for row in changes]
    serials = {serial for pair in numbers for serial in pair if serial}
    journeys = _journeys(link, serials) if serials else {}
    for row, (gone, come) in zip(changes, numbers, strict=True):
        before = [
            stay
            for stay in journeys.get(come or "", ())
            if stay.asset_id != row["asset_id"] and stay.since < row["recorded_at"]
        ]
        after = [
            stay
            for stay in journeys.get(gone or "", ())
            if stay.asset_id != row["asset_id"]
            and (stay.until is None or stay.until > row["recorded_at"])
        ]
        row["moved_from"] = _asset_of(before[-1:])
        row["moved_to"] = _asset_of(after[:1])
    return changes


def _journeys(link: sa.Connection, serials: set[str]) -> dict[str, list[Any]]:
    """
    Return the stays of each number in their order, if it never was in two machines at once.

    A part was seen last when its machine reported last with it. Of a machine that is
    detached or retired that is its last report.
    """
    ended_by = sa.and_(
        revision.c.asset_id == placement.c.asset_id, revision.c.recorded_at == placement.c.until
    )
    is_over = asset_seen.c.detached_at.is_not(None) | (asset.c.lifecycle == "retired")
    last_report = sa.case((is_over, asset_seen.c.last_seen))
    last_with_it = sa.select(sa.func.min(revision.c.last_before)).where(ended_by).scalar_subquery()
    seen = sa.case(
        (placement.c.until.is_(None), last_report),
        else_=sa.func.coalesce(last_with_it, placement.c.until),
    )
    journeys: dict[str, list[Any]] = {}
    for stay in link.execute(
        sa.select(placement, asset.c.minion_id, seen.label("last_seen"))
        .join(asset, asset.c.id == placement.c.asset_id)
        .join(asset_seen, asset_seen.c.asset_id == placement.c.asset_id, isouter=True)
        .where(placement.c.serial.in_(serials))
        .order_by(placement.c.since)
    ):
        journeys.setdefault(stay.serial, []).append(stay)
    return {
        serial: stays
        for serial, stays in journeys.items()
        if not any(
            one.asset_id != other.asset_id
            and (one.last_seen is None or one.last_seen > other.since)
            for one, other in pairwise(stays)
        )
    }


def _asset_of(stays: list[Any]) -> dict[str, uuid.UUID | str | None] | None:
    for stay in stays:
        return {"asset_id": stay.asset_id, "minion_id": stay.minion_id, "place": stay.place}
    return None


def _numbers(row: Row) -> tuple[str | None, str | None]:
    """Return the own numbers of the part that went and of the part that came with a change."""
    if row["component"] is None or row["field"] is not None:
        return None, None
    old, new = (number(row[name]) if row[name] else None for name in ("old", "new"))
    return (None, None) if old == new else (old, new)
