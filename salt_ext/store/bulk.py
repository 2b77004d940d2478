"""
Many rows in one statement: each column is sent as one array.

So the text of the statement is the same for any number of rows.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from io import StringIO
from typing import Any
from uuid import UUID

import psycopg2
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from salt_ext.document import encode

NULL = "\\N"
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
"""What COPY takes for its own in a text."""

NOTHING: Mapping[str, str] = {}

ONE_BY_ONE = """
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_seqscan = off;
"""
"""
Text to put before a statement: from there on the transaction finds each row by an index.

A batch is a small share of all machines. PostgreSQL plans to read a whole table
only when its statistics are from a time when the fleet was small. Two writers also
rely on a join in the order of the array: a hash join has another order, and the
two would lock the same rows in different orders.
"""


class Prepared:
    """
    A statement that each session of PostgreSQL plans once.

    To plan one of ours takes longer than to execute it for a single report. In the
    text each parameter is ``:name``.
    """

    before = ""

    def __init__(self, text: str) -> None:
        """Take the text; nothing is sent yet."""
        names: list[str] = []

        def number(found: re.Match[str]) -> str:
            if found[1] not in names:
                names.append(found[1])
            return f"${names.index(found[1]) + 1}"

        body = re.sub(r"(?<![:\w]):([a-z]\w*)", number, text)
        name = "cmdb_" + hashlib.sha256(text.encode()).hexdigest()[:16]
        values = ", ".join(f"%({one})s" for one in names)
        self.name = name
        self._prepare = f"PREPARE {name} AS {body}"
        self._execute = f"{self.before}EXECUTE {name}"
        self._execute += f"({values})" if names else ""

    def __call__(self, link: sa.Connection, values: Mapping[str, Any]) -> sa.CursorResult[Any]:
        """Execute it with these values of its parameters."""
        known: set[str] = link.info.setdefault("prepared", set())
        if self.name not in known:
            link.exec_driver_sql(self._prepare)
            known.add(self.name)
        return link.exec_driver_sql(self._execute, dict(values))


class OneByOne(Prepared):
    """The same for one that finds each row by an index: see :data:`ONE_BY_ONE`."""

    before = ONE_BY_ONE


BARE = {int, datetime, UUID}
"""Kinds whose text has neither a quote nor a backslash."""

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def insert(
    link: sa.Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    update: Mapping[str, str] | None = None,
) -> None:
    """
    Insert one row or more, all with the same columns.

    ``update`` says what becomes of a row that exists already: column to SQL, in
    which ``excluded`` is the new row. An empty mapping leaves that row as it is.
    With None a row that exists already is an error.
    """
    names = tuple(rows[0])
    pairs = None if update is None else tuple(update.items())
    columns = [_column(table.c[name].type, [row[name] for row in rows]) for name in names]
    _statement(table, names, pairs)(
        link, {f"c{number}": column for number, column in enumerate(columns)}
    )


def copy(link: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """
    Insert one row or more, all with the same columns, of which none may be there already.

    Nothing is as fast: neither side makes a statement of the values, and PostgreSQL writes
    many rows at once to its log.
    """
    names = tuple(rows[0])
    columns = [_cells(table.c[name].type, [row[name] for row in rows]) for name in names]
    lines = "\n".join(map("\t".join, zip(*columns, strict=True)))
    quoted = ", ".join(f'"{name}"' for name in names)
    statement = f'COPY "{table.name}" ({quoted}) FROM STDIN'
    driver: Any = link.connection.dbapi_connection
    with driver.cursor() as cursor:
        try:
            cursor.copy_expert(statement, StringIO(lines))
        except psycopg2.Error as error:
            # SQLAlchemy has no COPY, but whoever catches its errors shall catch this one too.
            original: Any = error
            is_lost = link.dialect.is_disconnect(original, driver, cursor)
            if is_lost:
                link.invalidate(error)
            raise DBAPIError.instance(
                *(statement, None, original, psycopg2.Error),
                connection_invalidated=is_lost,
                dialect=link.dialect,
            ) from error


def _cells(kind: Any, values: list[Any]) -> list[str]:
    """Return the values of a column as COPY reads them."""
    if isinstance(kind, sa.JSON):
        texts = [one if one is None or type(one) is bytes else encode(one) for one in values]
        # Canonical JSON has no character that COPY takes for its own, except this one.
        return [NULL if text is None else text.decode().replace("\\", "\\\\") for text in texts]
    if isinstance(kind, sa.Text | sa.Enum):
        return [NULL if text is None else _escaped(text) for text in values]
    # Of ids and moments there are few different ones in a batch.
    known = {value: _cell(value) for value in set(values)}
    return [known[value] for value in values]


def _cell(value: object) -> str:
    if value is None:
        return NULL
    return f"\\\\x{value.hex()}" if isinstance(value, bytes) else str(value)


def _escaped(text: str) -> str:
    if text.isprintable() and "\\" not in text:
        return text
    return text.translate(ESCAPES)


@cache
def _statement(
    table: sa.Table, names: tuple[str, ...], update: tuple[tuple[str, str], ...] | None
) -> Prepared:
    types = [table.c[name].type for name in names]
    is_json = [isinstance(kind, sa.JSON) for kind in types]
    arrays = ", ".join(
        f"CAST(:c{number} AS {'text' if json else kind.compile(_DIALECT)}[])"
        for number, (kind, json) in enumerate(zip(types, is_json, strict=True))
    )
    quoted = [f'"{name}"' for name in names]
    values = ", ".join(
        f"CAST(i.{name} AS {kind.compile(_DIALECT)})" if json else f"i.{name}"
        for name, kind, json in zip(quoted, types, is_json, strict=True)
    )
    conflict = ""
    if update is not None:
        keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
        to = ", ".join(f'"{name}" = {value}' for name, value in update)
        conflict = f"ON CONFLICT ({keys}) DO " + (f"UPDATE SET {to}" if to else "NOTHING")
    columns = ", ".join(quoted)
    return Prepared(
        f'INSERT INTO "{table.name}" ({columns})'  # noqa: S608 - constants of ours
        f" SELECT {values} FROM unnest({arrays}) AS i({columns}) {conflict}"
    )


def taken(*names: str) -> dict[str, str]:
    """Return an ``update`` for :func:`insert` that takes these columns from the new row."""
    return {name: f'excluded."{name}"' for name in names}


def array(values: Iterable[Any]) -> str:
    """
    Return values as the text of a PostgreSQL array.

    psycopg2 makes of a Python list an expression with a constant for each value:
    it takes three times as long to write here and to read in PostgreSQL.
    """
    found = [*values]
    kinds = set(map(type, found))
    # Most columns are of one kind, whose texts need no look at each: one join makes the array.
    if kinds <= BARE:
        return '{"' + '","'.join(map(str, found)) + '"}' if found else "{}"
    if kinds == {str}:
        text = '","'.join(found)
        if "\\" not in text and text.count('"') == 2 * (len(found) - 1):
            return '{"' + text + '"}'
    return "{" + ",".join([_element(one) for one in found]) + "}"


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    return f'"{value}"'


def _column(kind: Any, values: list[Any]) -> str | list[str | None]:
    """Return the values of a column as a parameter that PostgreSQL can cast to an array."""
    if isinstance(kind, sa.JSON):
        # Bytes are canonical JSON already. A list, because in the text of an array each
        # of its many quotes would be escaped twice.
        texts = [one if one is None or type(one) is bytes else encode(one) for one in values]
        return [None if text is None else text.decode() for text in texts]
    return array(values)
