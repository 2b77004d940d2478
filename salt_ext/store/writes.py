"""
What a batch of reports writes: gathered first, then one statement for each table.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from salt_ext import report as envelope
from salt_ext.facts.identity import identify, uuid_spellings
from salt_ext.store import identity
from salt_ext.store.columns import list_columns
from salt_ext.store.diff import Change, diff, merge
from salt_ext.store.owners import Owners
from salt_ext.store.schema import (
    asset,
    asset_facts,
    asset_seen,
    change,
    held,
    identifier,
    problem,
    revision,
)


class Arrival(NamedTuple):
    """A report, the minion id that Salt authenticated for it, and when the master got it."""

    minion_id: str
    report: Any
    received_at: datetime


class Outcome(NamedTuple):
    """
    What became of a report.

    ``status`` is new, changed, unchanged, held or refused; ``detail`` a sentence.
    """

    minion_id: str
    status: str
    detail: str
    asset_id: uuid.UUID | None = None


class Problem(NamedTuple):
    """Something an operator should know: ``subject`` is the collector, the field or the key."""

    kind: str
    minion_id: str
    subject: str
    message: str
    traceback: str
    at: datetime


class Writes:
    """What a batch writes, gathered so that each table takes one statement."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.rows: dict[sa.Table, list[dict[str, Any]]] = {}
        self.detached: list[dict[str, Any]] = []
        self.shared: set[identity.Key] = set()
        self.accepted: list[str] = []

    def hold(
        self, arrival: Arrival, decision: identity.Decision, candidates: list[dict[str, Any]]
    ) -> None:
        """Keep a report for a person to decide."""
        self._add(
            held,
            minion_id=arrival.minion_id,
            reason=decision.reason,
            candidates=candidates,
            report=arrival.report,
            first_seen=arrival.received_at,
            last_seen=arrival.received_at,
            count=1,
        )

    def store(
        self,
        arrival: Arrival,
        collected_at: datetime,
        asset_id: uuid.UUID,
        decision: identity.Decision,
        before: sa.Row[Any] | None,
        known: Owners,
    ) -> bool:
        """Gather all rows of one accepted report; return whether anything changed."""
        report = arrival.report
        old = before.facts if before is not None else {}
        facts = merge(old, report["facts"], report["partial"])
        claim = identity.claim(arrival.minion_id, report.get("previous_minion_id"), facts)
        name = known.learn(asset_id, claim, decision)
        self.accepted.append(arrival.minion_id)
        self.shared.update(decision.shared)
        changes = diff(old, facts) if before is not None else []
        if before is not None and before.minion_id != name:
            renamed = Change("renamed", "minion_id", None, None, before.minion_id, name)
            changes.insert(0, renamed)
        changed = before is None or bool(changes)
        number = (before.revision if before is not None else 0) + changed
        found = identify(facts)
        if decision.detached:
            self._detach(decision.detached, arrival, name)
        if changed:
            self._add(
                asset,
                id=asset_id,
                minion_id=name,
                temporary=found["primary"] is None,
                revision=number,
                first_seen=before.first_seen if before is not None else arrival.received_at,
                changed_at=arrival.received_at,
                detached_at=None,
                **list_columns(facts, [one["kind"] for one in found["candidates"]]),
            )
            self._add(
                revision,
                asset_id=asset_id,
                number=number,
                recorded_at=arrival.received_at,
                collected_at=collected_at,
                mode=report["mode"],
                reason=decision.reason,
                digest=bytes.fromhex(envelope.digest(facts)),
            )
            self._changes(asset_id, number, arrival.received_at, changes)
            self._ledger(asset_id, arrival, found, name, before, known)
        self._add(
            asset_seen,
            asset_id=asset_id,
            digest=bytes.fromhex(report["digest"]),
            collected_at=collected_at,
            last_seen=arrival.received_at,
            volatile_at=collected_at,
            mode=report["mode"],
        )
        sections = dict.fromkeys(report["facts"], report["collected_at"])
        self._add(
            asset_facts,
            asset_id=asset_id,
            facts=facts,
            volatile={**(before.volatile if before is not None else {}), **report["volatile"]},
            collected={**(before.collected if before is not None else {}), **sections},
        )
        return changed

    def _detach(self, asset_id: uuid.UUID, arrival: Arrival, name: str) -> None:
        self.detached.append({"id_": asset_id, "at": arrival.received_at, "name": name})

    def _changes(
        self, asset_id: uuid.UUID, number: int, at: datetime, changes: list[Change]
    ) -> None:
        for position, one in enumerate(changes):
            self._add(
                change,
                asset_id=asset_id,
                revision=number,
                position=position,
                recorded_at=at,
                **one._asdict(),
            )

    def _ledger(
        self,
        asset_id: uuid.UUID,
        arrival: Arrival,
        found: Mapping[str, Any],
        name: str,
        before: sa.Row[Any] | None,
        known: Owners,
    ) -> None:
        rows = {
            (one["kind"], one["value"]): (one["source"], one["quality"])
            for one in found["candidates"]
        }
        rows["minion_id", name] = ("salt", "low")
        ledger = known.ledger.get(asset_id, {})
        for (kind, value), (source, quality) in rows.items():
            if not ledger.get((kind, value)):
                self._add(
                    identifier,
                    asset_id=asset_id,
                    kind=kind,
                    value=value,
                    source=source,
                    quality=quality,
                    shared=identity.key(kind, value) in known.shared,
                    first_seen=arrival.received_at,
                    last_seen=None,
                )
        for (kind, value), is_current in ledger.items():
            if is_current and (kind, value) not in rows:
                self._add(
                    identifier,
                    asset_id=asset_id,
                    kind=kind,
                    value=value,
                    source="",
                    quality="",
                    shared=False,
                    first_seen=arrival.received_at,
                    last_seen=before.last_seen if before is not None else arrival.received_at,
                )

    def _add(self, table: sa.Table, **row: Any) -> None:
        self.rows.setdefault(table, []).append(row)

    def execute(self, link: sa.Connection) -> None:
        """Write everything; names are given up before they are taken."""
        if self.detached:
            self._execute_detached(link)
        for table, update in _UPSERTS.items():
            # Sorted by key, so that two writers wait for each other and never both ways.
            rows = self.rows.get(table)
            if rows:
                names = [column.name for column in table.primary_key]
                rows.sort(key=lambda row: tuple(str(row[name]) for name in names))
                statement = insert(table)
                if update:
                    statement = statement.on_conflict_do_update(
                        index_elements=names,
                        set_={name: _new_value(table, statement, name) for name in update},
                    )
                link.execute(statement, rows)
        if self.shared:
            link.execute(
                sa.update(identifier)
                .where(
                    sa.tuple_(identifier.c.kind, identifier.c.value).in_(
                        [
                            (kind, spelling)
                            for kind, value in self.shared
                            for spelling in (uuid_spellings(value) if kind == "uuid" else (value,))
                        ]
                    )
                )
                .values(shared=True)
            )
        if self.accepted:
            link.execute(sa.delete(held).where(held.c.minion_id.in_(self.accepted)))

    def _execute_detached(self, link: sa.Connection) -> None:
        for one in self.detached:
            number = link.scalar(
                sa.update(asset)
                .where(asset.c.id == one["id_"])
                .values(
                    minion_id=None,
                    detached_at=one["at"],
                    changed_at=one["at"],
                    revision=asset.c.revision + 1,
                )
                .returning(asset.c.revision)
            )
            link.execute(
                sa.update(identifier)
                .where(
                    identifier.c.asset_id == one["id_"],
                    identifier.c.kind == "minion_id",
                    identifier.c.last_seen.is_(None),
                )
                .values(
                    last_seen=sa.select(asset_seen.c.last_seen)
                    .where(asset_seen.c.asset_id == one["id_"])
                    .scalar_subquery()
                )
            )
            last = link.execute(
                sa.select(revision)
                .where(revision.c.asset_id == one["id_"])
                .order_by(revision.c.number.desc())
                .limit(1)
            ).one()
            self._add(
                revision,
                **{
                    **last._mapping,
                    "number": number,
                    "recorded_at": one["at"],
                    "reason": f"other hardware reports as {one['name']}",
                },
            )
            renamed = Change("renamed", "minion_id", None, None, one["name"], None)
            self._changes(one["id_"], int(number or 0), one["at"], [renamed])


def _new_value(table: sa.Table, statement: Any, name: str) -> Any:
    if name == "count":
        return table.c.count + statement.excluded.count
    if table is identifier and name in ("source", "quality"):
        # An identifier that is reported no more keeps what is known of it.
        return sa.func.coalesce(sa.func.nullif(statement.excluded[name], ""), table.c[name])
    return statement.excluded[name]


def _all_but(table: sa.Table, *names: str) -> list[str]:
    keys = {column.name for column in table.primary_key}
    return [one.name for one in table.columns if one.name not in keys and one.name not in names]


_UPSERTS: dict[sa.Table, list[str]] = {
    asset: _all_but(asset, "lifecycle", "first_seen"),
    asset_seen: _all_but(asset_seen),
    asset_facts: _all_but(asset_facts),
    identifier: ["source", "quality", "last_seen"],
    revision: [],
    change: [],
    held: _all_but(held, "first_seen"),
}
"""Every table in the order of writing, with what a row that exists takes from a new one."""


def record_problems(link: sa.Connection, problems: Sequence[Problem]) -> None:
    """Write problems; one that is known already is counted."""
    rows: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in problems:
        rows[one.minion_id, one.kind, one.subject[:500]] = {
            "id": uuid.uuid4(),
            "kind": one.kind,
            "minion_id": one.minion_id,
            "subject": one.subject[:500],
            "message": one.message[:4000],
            "traceback": one.traceback[:16000],
            "first_seen": one.at,
            "last_seen": one.at,
            "count": 1,
        }
    if not rows:
        return
    statement = insert(problem)
    excluded = statement.excluded
    link.execute(
        statement.on_conflict_do_update(
            index_elements=["minion_id", "kind", "subject"],
            set_={
                "message": excluded.message,
                "traceback": excluded.traceback,
                "last_seen": sa.func.greatest(problem.c.last_seen, excluded.last_seen),
                "count": problem.c.count + excluded.count,
            },
        ),
        [rows[key] for key in sorted(rows)],
    )
