"""
The hardware that an asset shall have: what a person accepted, and what is not so now.

A part that is gone or different counts only when two collections have shown it so, by the one
rule of :mod:`salt_ext.store.confirming`.
A part that was added never counts and never makes up for a lost one, because parts
are compared by their serial numbers.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.document.diff import Change
from salt_ext.document.hardware import HARDWARE, is_hardware, which
from salt_ext.store import confirming
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import NotFound
from salt_ext.store.reads.as_of import the_revision
from salt_ext.store.reads.between import changes_between
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import asset, asset_seen, baseline, revision


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
    before = _shown_before(link, asset_id)
    shown: dict[int | None, set[bytes]] = {}
    found = []
    for one, state in now:
        number = before[one.path.partition(".")[0]]
        if number not in shown:
            shown[number] = _shown_by(link, asset_id, row["revision"], number)
        found.append(Deviation(one, state, which(one) in shown[number]))
    return found


def _since(
    link: sa.Connection, asset_id: uuid.UUID, accepted: int, number: int
) -> list[tuple[Change, str]]:
    """Return the deviations that a revision shows from an accepted one."""
    ends = (the_revision(link, asset_id, revision.c.number == one) for one in (accepted, number))
    return deviations(changes_between(link, asset_id, *ends))


def _shown_before(link: sa.Connection, asset_id: uuid.UUID) -> dict[str, int | None]:
    """Return by section the last revision before the collection that it is known by."""
    found = link.execute(SHOWN_BEFORE, {"asset_id": asset_id, "sections": [*HARDWARE]})
    return {row.section: row.number for row in found}


def _shown_by(
    link: sa.Connection, asset_id: uuid.UUID, accepted: int, number: int | None
) -> set[bytes]:
    """Return which deviations a revision shows; one that is not later than the accepted: none."""
    if number is None or number <= accepted:
        return set()
    return {which(one) for one, _ in _since(link, asset_id, accepted, number)}


SHOWN_BEFORE = sa.text(f"""
SELECT i.section, {confirming.SHOWN_BEFORE.format(asset_id=":asset_id")} AS number
  FROM unnest(CAST(:sections AS text[])) AS i(section)
  JOIN asset_seen AS seen ON seen.asset_id = :asset_id
  {confirming.SOURCES.format(section="i.section")}
""")  # noqa: S608 - constants of ours
