"""
Everything that a filter finds, to write it down: read in batches, as of one moment.

A fleet is larger than memory, so rows come from a cursor of the server, and a
section of the documents at a time. All reads of one extract see the database as
it was when the first began, however long the last one takes.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.document.diff import Change
from salt_ext.document.undo import undo
from salt_ext.store.database import Database, Row, ping
from salt_ext.store.hidden import MARK
from salt_ext.store.parts import SOURCES, is_there, items_of
from salt_ext.store.reads import seen
from salt_ext.store.reads.filters import matching
from salt_ext.store.reads.history import TOLD
from salt_ext.store.reads.listing import Listing, joined, listing
from salt_ext.store.reads.masking import of_answer, of_value
from salt_ext.store.schema import (
    OF_HANDOVER,
    OF_REVISION,
    asset_facts,
    change,
    handover,
    problem,
    revision,
)

BATCH = 500
"""Rows fetched at once: of a large section these are some MiB."""


@contextlib.contextmanager
def extract(
    database: Database,
    *,
    filters: Mapping[str, Any] | None = None,
    text: str = "",
    at: datetime | None = None,
) -> Iterator[Extract]:
    """Yield a way to read all assets that a filter finds, as they are or as they were."""
    source = listing(database, at)
    found = matching(source, filters or {}, text)
    ping(database)
    with database.begin_unchecked() as link:
        # Before the first statement, or PostgreSQL refuses it.
        link.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        # Whoever writes a file takes the time of a large fleet to sort, and of a file to pack.
        link.execute(sa.text("SET LOCAL statement_timeout = 0"))
        link.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        yield Extract(link, source, found)


class Extract:
    """The reads of one extract; each can be made once or several times, one after the other."""

    def __init__(
        self, link: sa.Connection, source: Listing, found: Sequence[sa.ColumnElement[bool]]
    ) -> None:
        """Keep what :func:`extract` made."""
        self._link = link
        self._source = source
        self._found = found
        self.at = source.at
        self.fields = frozenset(source.fields)

    def assets(self, columns: Sequence[str]) -> Iterator[Row]:
        """Yield the assets by their names, those without one last."""
        wanted = [self._source.field(name).label(name) for name in columns]
        statement = joined(sa.select(*wanted), self._source, self._found)
        yield from self._rows(statement.order_by(self._source.fields["minion_id"]))

    def judged(self, columns: Sequence[str]) -> Iterator[Row]:
        """Yield all assets with ``id``, these columns, and whether they are ``chosen``."""
        wanted = [self._source.key.label("id")]
        wanted += [self._source.field(name).label(name) for name in columns]
        chosen = sa.func.coalesce(sa.and_(sa.true(), *self._found), False).label("chosen")
        statement = joined(sa.select(*wanted, chosen), self._source, ())
        yield from self._rows(statement.order_by(self._source.fields["minion_id"]))

    def parts(self, section: str) -> Iterator[tuple[str | None, str | None, Mapping[str, Any]]]:
        """Yield minion id, SN and the facts of each part of a section, asset by asset."""
        hidden, path = self._source.hidden, ".".join(SOURCES[section].path)
        hidden.check(path)
        chosen = self._chosen()
        here = sa.and_(asset_facts.c.asset_id == chosen.c.id, asset_facts.c.section == section)
        statement = (
            sa.select(chosen, asset_facts.c.facts)
            .join(asset_facts, here, isouter=True)
            .order_by(chosen.c.minion_id)
        )
        for batch in self._batches(statement):
            ids = [row.id for row in batch]
            handed = self._handed(section, ids) if self.at else {}
            later = self._later(section, ids) if self.at else {}
            for row in batch:
                number, then = handed.get(row.id, (None, row.facts))
                steps = later.get(row.id, ())
                if number is not None:
                    steps = [one for one in steps if one.revision < number]
                facts = _undone(section, then, steps)
                for item in filter(is_there, items_of(facts, SOURCES[section].path)):
                    yield row.minion_id, row.sn, of_value(hidden, path, item) if hidden else item

    def _later(self, section: str, ids: list[uuid.UUID]) -> dict[uuid.UUID, list[Any]]:
        """Return what changed in a section after the moment, the last revision first."""
        later: dict[uuid.UUID, list[Any]] = {}
        here = change.c.path == section
        statement = (
            sa.select(change, revision.c.key_rule)
            .join(revision, OF_REVISION)
            .where(
                change.c.asset_id.in_(ids),
                revision.c.recorded_at > self.at,
                here | change.c.path.startswith(f"{section}.", autoescape=True),
            )
            .order_by(change.c.asset_id, change.c.revision.desc(), change.c.position)
        )
        for row in self._link.execute(statement):
            later.setdefault(row.asset_id, []).append(row)
        return later

    def _handed(self, section: str, ids: list[uuid.UUID]) -> dict[uuid.UUID, tuple[int, Any]]:
        """Return the first revision after the moment that hands a section over; and what it was."""
        statement = (
            sa.select(handover.c.asset_id, handover.c.revision, handover.c.old)
            .join(revision, OF_HANDOVER)
            .where(
                handover.c.asset_id.in_(ids),
                handover.c.section == section,
                revision.c.recorded_at > self.at,
            )
            # Of several the first one stays, which is read last.
            .order_by(handover.c.asset_id, handover.c.revision.desc())
        )
        return {row.asset_id: (row.revision, row.old) for row in self._link.execute(statement)}

    def changes(self, since: datetime) -> Iterator[Row]:
        """Yield what changed on these assets since a moment, the newest first."""
        chosen = self._chosen()
        told = [change.c[name] for name in Change._fields]
        statement = (
            sa.select(*told, revision.c.recorded_at, chosen.c.minion_id, chosen.c.sn)
            .join(revision, OF_REVISION)
            .join(chosen, chosen.c.id == revision.c.asset_id)
            .where(revision.c.recorded_at >= since, TOLD, *seen.changes(self._source.hidden))
            .order_by(
                revision.c.recorded_at.desc(),
                revision.c.asset_id,
                revision.c.number.desc(),
                change.c.position,
            )
        )
        if self.at is not None:
            statement = statement.where(revision.c.recorded_at <= self.at)
        yield from self._rows(statement)

    def problems(self, columns: Sequence[str]) -> Iterator[Row]:
        """Yield the open problems of these assets; without a filter, of all minions."""
        wanted = [problem.c[name] for name in columns]
        statement = sa.select(*wanted).where(problem.c.closed_at.is_(None))
        if self._found:
            statement = statement.where(
                problem.c.minion_id.in_(sa.select(self._chosen().c.minion_id))
            )
        order = (problem.c.last_seen.desc(), problem.c.minion_id, problem.c.subject)
        yield from self._rows(statement.order_by(*order))

    def _chosen(self) -> sa.Subquery:
        """Return the assets that the filter finds: id, minion id and SN."""
        fields = self._source.fields
        number = fields.get("sn", sa.literal(MARK).label("sn"))
        columns = (self._source.key.label("id"), fields["minion_id"], number)
        return joined(sa.select(*columns), self._source, self._found).subquery("chosen")

    def _batches(self, statement: sa.Select[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
        result = self._link.execute(statement.execution_options(yield_per=BATCH))
        yield from result.partitions()

    def _rows(self, statement: sa.Select[Any]) -> Iterator[Row]:
        names = [column.name for column in statement.selected_columns]
        hidden = self._source.hidden
        for batch in self._batches(statement):
            found = (dict(zip(names, row, strict=True)) for row in batch)
            yield from of_answer(hidden, [*found]) if hidden else found


def _undone(section: str, facts: Any, later: Sequence[Any]) -> dict[str, Any]:
    """Return a document of one section as it was before changes, revision by revision."""
    document = {} if facts is None else {section: facts}
    revisions: dict[tuple[int, int], list[Change]] = {}
    for row in later:
        step = Change(row.op, row.path, row.component, row.field, row.old, row.new)
        revisions.setdefault((row.revision, row.key_rule), []).append(step)
    for (_, rule), steps in revisions.items():
        document = undo(document, steps, rule)
    return document
