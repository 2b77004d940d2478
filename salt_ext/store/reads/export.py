"""
Everything that a filter finds, to write it down: read in batches, as of one moment.

A fleet is larger than memory, so rows come from a cursor of the server, and a
section of the documents at a time. All reads of one extract see the database as
it was when the first began, however long the last one takes.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import psycopg2
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.exc import DBAPIError

from salt_ext.document.diff import Change
from salt_ext.document.undo import undo
from salt_ext.exchange.lines import line
from salt_ext.store.database import Database, Row, ping
from salt_ext.store.parts import FILLED_FIELDS, SOURCES, is_there, items_of
from salt_ext.store.reads.filters import matching
from salt_ext.store.reads.listing import Listing, joined, listing
from salt_ext.store.schema import asset_facts, change, problem, revision

BATCH = 500
"""Rows fetched at once: of a large section these are some MiB."""

BLOCK_BYTES = 1 << 18
"""Of lines that are read at once: what fits into a processor's own memory."""


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
        # A COPY takes as long as the file that is made of it.
        link.execute(sa.text("SET LOCAL statement_timeout = 0"))
        # Whoever stops halfway, by an error too, leaves no copying behind: nothing else could
        # be said over its connection, not even that this is the end.
        with contextlib.ExitStack() as copies:
            yield Extract(link, source, found, copies)


class Extract:
    """The reads of one extract; each can be made once or several times, one after the other."""

    def __init__(
        self,
        link: sa.Connection,
        source: Listing,
        found: Sequence[sa.ColumnElement[bool]],
        copies: contextlib.ExitStack,
    ) -> None:
        """Keep what :func:`extract` made; ``copies`` ends those that are not read to the end."""
        self._link = link
        self._source = source
        self._found = found
        self._copies = copies
        self.at = source.at
        self.fields = frozenset(source.fields)

    def assets(self, columns: Sequence[str]) -> Iterator[Row]:
        """Yield the assets by their names, those without one last."""
        wanted = [self._source.field(name).label(name) for name in columns]
        statement = joined(sa.select(*wanted), self._source, self._found)
        yield from self._rows(statement.order_by(self._source.fields["minion_id"]))

    def parts(
        self, section: str, names: Sequence[str], marks: Mapping[str, str]
    ) -> Iterator[bytes]:
        """
        Yield minion id, SN and these fields of each part of a section, asset by asset.

        They come in blocks of lines, as COPY writes them, with nothing for what is
        not known; a field that holds more than a text or a number is JSON. ``marks``
        are put before the values of fields.
        """
        return (self._parts_then if self.at else self._parts_now)(section, names, marks)

    def _parts_now(
        self, section: str, names: Sequence[str], marks: Mapping[str, str]
    ) -> Iterator[bytes]:
        """Let the server take the parts apart: it is faster at that, and hands over less."""
        chosen = self._chosen()
        path = ".".join(["$", *SOURCES[section].path[1:]]) + "[*]"
        each = sa.func.jsonb_path_query(asset_facts.c.facts, sa.cast(path, JSONPATH), type_=JSONB)
        items = each.alias("item")
        item = items.column
        texts = [
            sa.literal(marks[name]) + item[name].astext if name in marks else item[name].astext
            for name in names
        ]
        statement = (
            sa.select(chosen.c.minion_id, chosen.c.sn, *texts)
            .join(asset_facts, asset_facts.c.asset_id == chosen.c.id)
            .join(items, sa.true())
            .where(
                asset_facts.c.section == section,
                *(item[name].is_distinct_from(sa.text("'false'")) for name in FILLED_FIELDS),
            )
            .order_by(chosen.c.minion_id)
        )
        copied = self._copied(statement)
        self._copies.callback(copied.close)
        return copied

    def _parts_then(
        self, section: str, names: Sequence[str], marks: Mapping[str, str]
    ) -> Iterator[bytes]:
        """Undo what changed since, for which a section must be whole."""
        chosen = self._chosen()
        here = sa.and_(asset_facts.c.asset_id == chosen.c.id, asset_facts.c.section == section)
        statement = (
            sa.select(chosen, asset_facts.c.facts)
            .join(asset_facts, here, isouter=True)
            .order_by(chosen.c.minion_id)
        )
        for batch in self._batches(statement):
            later = self._later(section, [row.id for row in batch])
            block = []
            for row in batch:
                facts = _undone(section, row.facts, later.get(row.id, ()))
                for item in filter(is_there, items_of(facts, SOURCES[section].path)):
                    texts = [_as_text(item.get(name), marks.get(name, "")) for name in names]
                    block.append(line([row.minion_id, row.sn, *texts]))
            yield b"".join(block)

    def _later(self, section: str, ids: list[uuid.UUID]) -> dict[uuid.UUID, list[Any]]:
        """Return what changed in a section after the moment, the last revision first."""
        later: dict[uuid.UUID, list[Any]] = {}
        here = change.c.path == section
        statement = (
            sa.select(change)
            .join(
                revision,
                sa.and_(
                    revision.c.asset_id == change.c.asset_id,
                    revision.c.number == change.c.revision,
                ),
            )
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

    def changes(self, since: datetime) -> Iterator[Row]:
        """Yield what changed on these assets since a moment, the newest first."""
        chosen = self._chosen()
        told = [change.c[name] for name in Change._fields]
        statement = (
            sa.select(*told, revision.c.recorded_at, chosen.c.minion_id, chosen.c.sn)
            .join(
                revision,
                sa.and_(
                    revision.c.asset_id == change.c.asset_id,
                    revision.c.number == change.c.revision,
                ),
            )
            .join(chosen, chosen.c.id == revision.c.asset_id)
            .where(revision.c.recorded_at >= since)
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
        columns = (self._source.key.label("id"), fields["minion_id"], fields["sn"])
        return joined(sa.select(*columns), self._source, self._found).subquery("chosen")

    def _batches(self, statement: sa.Select[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
        result = self._link.execute(statement.execution_options(yield_per=BATCH))
        yield from result.partitions()

    def _copied(self, statement: sa.Select[Any]) -> Generator[bytes]:
        """Yield what COPY writes of a statement while the server finds more, in whole lines."""
        compiled = statement.compile(
            dialect=self._link.dialect, compile_kwargs={"render_postcompile": True}
        )
        cursor: Any = self._link.connection.cursor()
        query = cursor.mogrify(str(compiled), compiled.params)
        copy = b"COPY (" + query + b") TO STDOUT (NULL '', ENCODING 'UTF8')"
        source, sink = os.pipe()
        # The pipe is closed before the thread is waited for: so it ends when nobody reads on.
        with cursor, ThreadPoolExecutor(1) as server, open(source, "rb", BLOCK_BYTES) as pipe:
            copying = server.submit(_copy, cursor, copy, sink)
            while block := pipe.read(BLOCK_BYTES) + pipe.readline():
                yield block
            try:
                copying.result()
            except psycopg2.Error as error:
                raise DBAPIError.instance("COPY", None, error, psycopg2.Error) from error

    def _rows(self, statement: sa.Select[Any]) -> Iterator[Row]:
        names = [column.name for column in statement.selected_columns]
        for batch in self._batches(statement):
            for row in batch:
                yield dict(zip(names, row, strict=True))


def _copy(cursor: Any, statement: bytes, pipe: int) -> None:
    with open(pipe, "wb", BLOCK_BYTES) as file:
        cursor.copy_expert(statement, file)


def _as_text(value: Any, mark: str) -> str | None:
    """Return a value as PostgreSQL's ``->>`` does, behind a mark."""
    if value is None:
        return None
    return mark + (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _undone(section: str, facts: Any, later: Sequence[Any]) -> dict[str, Any]:
    """Return a document of one section as it was before changes, revision by revision."""
    document = {} if facts is None else {section: facts}
    revisions: dict[int, list[Change]] = {}
    for row in later:
        step = Change(row.op, row.path, row.component, row.field, row.old, row.new)
        revisions.setdefault(row.revision, []).append(step)
    for steps in revisions.values():
        document = undo(document, steps)
    return document
