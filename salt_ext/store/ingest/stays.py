"""
Where parts are while another source tells of them: a handover moves none.

Two sources may tell of the same part, and one of them without its number. So a stay that
is open goes on. It ends where the part is not told by the best source of its machine,
once that has seen the whole section.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store import bulk
from salt_ext.store.parts import Kind, Placement

OPEN = bulk.Prepared("""
SELECT placement.asset_id, placement.serial, placement.path, placement.model,
       placement.firmware_version
  FROM placement
  JOIN unnest(CAST(:ids AS uuid[])) AS i(asset_id) ON i.asset_id = placement.asset_id
 WHERE placement.until IS NULL
""")


class HandedStays(NamedTuple):
    """The parts with numbers of their own in the sections of a machine that were handed over."""

    asset_id: uuid.UUID
    at: datetime
    ending: frozenset[str]
    """The sections whose stays end where the part is not told now."""
    now: Mapping[Placement, Kind]
    """The kind of each part that is told now, by its place."""


class Placed(NamedTuple):
    """A stay that ends, or whose part turns out to be of another kind."""

    serial: str
    path: str
    asset_id: str
    until: datetime | None
    model: str | None
    firmware_version: str | None


class Settled(NamedTuple):
    """What to write: rows of new stays, and the stays that change, as ``Gathered.placed``."""

    begun: list[dict[str, Any]]
    placed: list[Placed]


def settled(link: sa.Connection, handed: Sequence[HandedStays]) -> Settled:
    """Return which stays begin and end with handovers."""
    found = Settled([], [])
    still: dict[uuid.UUID, dict[tuple[str, str], Kind]] = {}
    for row in OPEN(link, {"ids": bulk.array({one.asset_id for one in handed})}):
        still.setdefault(row.asset_id, {})[row.serial, row.path] = Kind(
            row.model, row.firmware_version
        )
    for one in handed:
        before, now = still.get(one.asset_id, {}), {(stay.serial, stay.path) for stay in one.now}
        for stay, kind in one.now.items():
            key = stay.serial, stay.path
            if key not in before:
                times = {"since": one.at, "until": None}
                about = {**stay._asdict(), **times, **kind._asdict()}
                found.begun.append({"asset_id": one.asset_id, **about})
            elif kind.model is not None and kind != before[key]:
                found.placed.append(Placed(*key, str(one.asset_id), None, *kind))
        for (serial, path), kind in before.items():
            if (serial, path) not in now and path.partition(".")[0] in one.ending:
                found.placed.append(Placed(serial, path, str(one.asset_id), one.at, *kind))
    return found
