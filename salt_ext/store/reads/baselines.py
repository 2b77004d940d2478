"""
The hardware that an asset shall have: what a person accepted, and what is not so now.

A part that is gone or different counts only when two collections have shown it so.
A part that was added never counts and never makes up for a lost one, because parts
are compared by their serial numbers.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.document import encode
from salt_ext.document.diff import Change
from salt_ext.document.hardware import HARDWARE, is_hardware
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import NotFound
from salt_ext.store.reads.as_of import the_revision
from salt_ext.store.reads.between import changes_between
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import asset, asset_facts, asset_seen, baseline, revision


class Deviation(NamedTuple):
    """
    A change since the baseline.

    ``state`` is lost, different or added; ``is_confirmed`` says whether an earlier
    collection has shown the same.
    """

    change: Change
    state: str
    is_confirmed: bool

    def section(self) -> str:
        """Return the section that the change is in."""
        return self.change.path.partition(".")[0]

    def counts(self) -> bool:
        """Whether this counts as a fault: it is confirmed, and is not an added part."""
        return self.is_confirmed and self.state != "added"


def deviations(changes: Iterable[Change]) -> list[tuple[Change, str]]:
    """Return the changes of hardware among others, each with its state."""
    return [(one, _state(one)) for one in changes if is_hardware(one)]


def _state(one: Change) -> str:
    return {"removed": "lost", "added": "added"}.get(one.op, "different")


@masked
def baseline_of(database: Database, asset_id: uuid.UUID) -> Row:
    """Return the baseline of an asset with its ``deviations``. Raises :class:`NotFound`."""
    with database.autocommit() as link:
        found = rows(link.execute(_BASELINES.where(baseline.c.asset_id == asset_id)))
        if not found:
            raise NotFound(
                "no baseline of this asset was accepted",
                "accept what it is now: salt-run cmdb.baseline accept ASSET reason='...'",
            )
        return {**found[0], "deviations": _found(link, found[0])}


@masked
def check_baselines(
    database: Database, filters: Mapping[str, Any] | None = None, section: str = ""
) -> Iterator[Row]:
    """Yield every asset that has a baseline, by name, with ``deviations`` in one section or all."""
    database.hidden.check(section)
    ids = matching_ids(database, filters or {})
    with database.autocommit() as link:
        found = rows(link.execute(_BASELINES.where(baseline.c.asset_id.in_(ids))))
        for row in found:
            all_of_it = _found(link, row)
            here = [one for one in all_of_it if section in ("", one.section())]
            yield {**row, "deviations": here}


_BASELINES = (
    sa.select(
        baseline,
        asset.c.minion_id,
        asset.c.sn,
        asset.c.lifecycle,
        asset_seen.c.revision.label("revision_now"),
    )
    .join(asset, asset.c.id == baseline.c.asset_id)
    .join(asset_seen, asset_seen.c.asset_id == baseline.c.asset_id)
    .order_by(asset.c.minion_id, asset.c.id)
)


def _found(link: sa.Connection, row: Row) -> list[Deviation]:
    if row["revision"] == row["revision_now"]:
        return []
    asset_id = row["asset_id"]
    now = _since(link, asset_id, row["revision"], row["revision_now"])
    reported = _reported(link, asset_id)
    shown: dict[datetime, set[bytes]] = {}
    found = []
    for one, state in now:
        at = reported[one.path.partition(".")[0]]
        if at not in shown:
            shown[at] = _shown_before(link, asset_id, row["revision"], at)
        found.append(Deviation(one, state, _key(one) in shown[at]))
    return found


def _since(
    link: sa.Connection, asset_id: uuid.UUID, accepted: int, number: int
) -> list[tuple[Change, str]]:
    """Return the deviations that a revision shows from an accepted one."""
    ends = (the_revision(link, asset_id, revision.c.number == one) for one in (accepted, number))
    return deviations(changes_between(link, asset_id, *ends))


def _reported(link: sa.Connection, asset_id: uuid.UUID) -> dict[str, datetime]:
    """Return when each section was last collected; a missing one counts as in the last report."""
    seen = link.scalar(
        sa.select(asset_seen.c.collected_at).where(asset_seen.c.asset_id == asset_id)
    )
    at = sa.func.coalesce(asset_facts.c.collected_at, seen)
    statement = sa.select(asset_facts.c.section, at).where(asset_facts.c.asset_id == asset_id)
    return {**dict.fromkeys(HARDWARE, seen), **{row[0]: row[1] for row in link.execute(statement)}}


def _shown_before(
    link: sa.Connection, asset_id: uuid.UUID, accepted: int, at: datetime
) -> set[bytes]:
    """Return the keys of the deviations that were there before the report of that moment."""
    number = link.scalar(
        sa.select(sa.func.max(revision.c.number)).where(
            revision.c.asset_id == asset_id, revision.c.collected_at < at
        )
    )
    if number is None or number <= accepted:
        return set()
    return {_key(one) for one, _ in _since(link, asset_id, accepted, number)}


def _key(one: Change) -> bytes:
    """Return which part or field of the baseline has changed, whatever is in its place now."""
    part = one.component if one.field is not None else one.old
    return encode([one.path, part, one.field])
