"""
Parts: which ones there are, and where each part with a number of its own is and was.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, cast

import sqlalchemy as sa

from salt_ext.document.keys import number
from salt_ext.document.placeholders import why_not_serial, why_not_text
from salt_ext.store.columns import integer_of, text_of
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import FilterError, NotFound
from salt_ext.store.hidden import MARK
from salt_ext.store.parts import SOURCES
from salt_ext.store.reads import seen
from salt_ext.store.reads.filters import matching, of_parts
from salt_ext.store.reads.listing import hides_part, joined, listing
from salt_ext.store.reads.masking import masked
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
    if source.hidden.path(".".join(SOURCES[section].path)):
        raise source.hidden.refusal(section)
    of_section: dict[str, Any] = {}
    of_assets: dict[str, Any] = {}
    for name, value in (filters or {}).items():
        (of_section if name.startswith(f"{section}.") else of_assets)[name] = value
    closed = [name for name in PART_FIELDS if hides_part(source.hidden, f"{section}.{name}")]
    kinds = [part.c[name] for name in PART_FIELDS if name not in closed]
    counted = (
        sa.select(
            *kinds,
            sa.func.sum(part.c.count).label("count"),
            sa.func.count().label("assets"),
            sa.func.count().over().label("kinds"),
        )
        .where(part.c.section == section, *of_parts(of_section, source))
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
        row |= dict.fromkeys(closed, MARK)
        del row["kinds"]
    return found, total


STAY = [column for column in placement.c if column.name != "firmware_version"]
"""A stay without the firmware, which may have been another one before: the changes tell."""


@masked
def genealogy(database: Database, serial: str) -> list[Row]:
    """
    Return every place where a part was, the last first, with the ``changes`` of the part there.

    Raises :class:`NotFound` when no part has this serial number, WWN or MAC.
    """
    hidden = database.hidden
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
                sa.select(*STAY, asset.c.minion_id, asset.c.sn)
                .join(asset, asset.c.id == placement.c.asset_id)
                .where(placement.c.serial.in_({serial, serial.lower()}), *seen.placements(hidden))
                .order_by(placement.c.since.desc(), placement.c.path, placement.c.place)
                .limit(LONGEST)
            )
        )
        if not stays:
            if near := nearest_part(link, serial, hidden):
                nowhere.hint = f"the nearest is {near!r}"
            if hidden:
                nowhere.hint += f"; {hidden.note()}"
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

CAME_OR_WENT = ("added", "removed", "replaced")

MODELS = ("model", "part_number", "product_name", "product")
"""The fields with the name of a model."""

FOR_EVER = datetime.max.replace(tzinfo=timezone.utc)


def moves(link: sa.Connection, changes: list[Row]) -> list[Row]:
    """
    Add ``moved_from`` and ``moved_to``: the asset that a part came from, or went to, or None.

    A part has moved when it was never seen in both machines: the other one lost it
    before this one had it, or had it after this one lost it. And both must have shown
    the same model and size, as far as they showed any.
    """
    numbers = [_numbers(row) for row in changes]
    serials = {serial for pair in numbers for serial in pair if serial}
    journeys = _journeys(link, serials) if serials else {}
    found: list[tuple[Row, str, Any, Any, datetime | None]] = []
    for row, (gone, come) in zip(changes, numbers, strict=True):
        row["moved_from"] = row["moved_to"] = None
        before = _before(journeys.get(come or "", []), row)
        after = _after(journeys.get(gone or "", []), row)
        if before is not None and before.asset_id != row["asset_id"]:
            found.append((row, "moved_from", row["new"], before, before.until))
        if after is not None and after.asset_id != row["asset_id"]:
            found.append((row, "moved_to", row["old"], after, after.since))
    shown = _shown(link, {(stay.asset_id, at) for *_, stay, at in found}) if found else {}
    for row, name, item, stay, at in found:
        other = shown.get((stay.asset_id, at, stay.path, stay.serial))
        # A part that came with the first report, or is in a retired machine, is in no change.
        if other is None and stay.model not in item.values():
            other = {"model": stay.model}
        if _is_like(item, other or {}):
            row[name] = {one: getattr(stay, one) for one in ("asset_id", "minion_id", "place")}
    return changes


def _shown(
    link: sa.Connection, moments: set[tuple[uuid.UUID, datetime | None]]
) -> dict[tuple[Any, ...], Any]:
    """
    Return the parts that came to assets, or went, at some moments.

    They are by asset, moment, path and the number of their own.
    """
    found = link.execute(
        sa.select(
            change.c.asset_id, revision.c.recorded_at, change.c.path, change.c.old, change.c.new
        )
        .join(revision, OF_REVISION)
        .where(
            sa.tuple_(revision.c.asset_id, revision.c.recorded_at).in_(moments),
            change.c.component.is_not(None),
            change.c.op.in_(CAME_OR_WENT),
        )
    )
    return {
        (asset_id, at, path, serial): item
        for asset_id, at, path, *items in found
        for item in items
        if item and (serial := number(item))
    }


def _is_like(item: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """
    Whether what two records say of model and size agrees, as far as both say it.

    Behind SCSI the first 16 letters of a model are shown.
    """
    sizes = {integer_of(one.get("size_bytes")) for one in (item, other)} - {None}
    mine, theirs = (
        [text for name in MODELS if (text := text_of(one.get(name))) and not why_not_text(text)]
        for one in (item, other)
    )
    return len(sizes) < 2 and (
        not (mine and theirs)
        or any(a.startswith(b) or b.startswith(a) for a in mine for b in theirs)
    )


def _before(stays: list[Any], row: Row) -> Any:
    """Return the stay before the one that a change began."""
    return next((one for one in reversed(stays) if one.since < row["recorded_at"]), None)


def _after(stays: list[Any], row: Row) -> Any:
    """Return the stay after the one that a change ended."""
    rest: list[Any] = []
    for stay in reversed(stays):
        if stay.asset_id == row["asset_id"] and stay.since <= row["recorded_at"]:
            return rest[-1] if rest else None
        rest.append(stay)
    return None


def _journeys(link: sa.Connection, serials: set[str]) -> dict[str, list[Any]]:
    """Return the stays of each number in their order, if it never was in two machines at once."""
    journeys: dict[str, list[Any]] = {}
    for stay in link.execute(STAYS, {"serials": list(serials)}):
        journeys.setdefault(stay.serial, []).append(stay)
    return {serial: stays for serial, stays in journeys.items() if _is_of_one_part(stays)}


def _stays() -> sa.Select[Any]:
    """
    Return the statement for the stays of some ``serials``.

    A part was seen last when its machine reported last with it. Of a machine that is
    detached or retired that is its last report.
    """
    ended_by = sa.and_(
        revision.c.asset_id == placement.c.asset_id, revision.c.recorded_at == placement.c.until
    )
    is_over = asset_seen.c.detached_at.is_not(None) | (asset.c.lifecycle == "retired")
    last_with_it = sa.select(sa.func.min(revision.c.last_before)).where(ended_by).scalar_subquery()
    seen = sa.case(
        (placement.c.until.is_not(None), last_with_it),
        (is_over, asset_seen.c.last_seen),
    )
    rare = (
        sa.select(placement.c.serial)
        .where(placement.c.serial.in_(sa.bindparam("serials", expanding=True)))
        .group_by(placement.c.serial)
        .having(sa.func.count() <= LONGEST)
    )
    return (
        sa.select(*STAY, asset.c.minion_id, seen.label("last_seen"))
        .join(asset, asset.c.id == placement.c.asset_id)
        .join(asset_seen, asset_seen.c.asset_id == placement.c.asset_id, isouter=True)
        .where(placement.c.serial.in_(rare))
        .order_by(placement.c.since)
    )


STAYS = _stays()


def _is_of_one_part(stays: list[Any]) -> bool:
    """Whether a number was never in two machines at once; the stays are in their order."""
    ends: dict[uuid.UUID, datetime] = {}
    for stay in stays:
        others = (end for asset_id, end in ends.items() if asset_id != stay.asset_id)
        if any(end >= stay.since for end in others):
            return False
        ends[stay.asset_id] = max(_end(stay), ends.get(stay.asset_id, stay.since))
    return True


def _end(stay: Any) -> datetime:
    """Return the last moment at which a part was surely in a machine."""
    if stay.last_seen is not None:
        return cast(datetime, stay.last_seen)
    # Of the oldest revisions it is not known which report was the last before them.
    return stay.until - timedelta(microseconds=1) if stay.until else FOR_EVER


def _numbers(row: Row) -> tuple[str | None, str | None]:
    """
    Return the own numbers of the part that went and of the part that came with a change.

    A part that changed neither went nor came, even if its number can be read only now.
    """
    if row["component"] is None or row["op"] not in CAME_OR_WENT:
        return None, None
    old, new = (number(row[name]) if row[name] else None for name in ("old", "new"))
    return (None, None) if old == new else (old, new)
