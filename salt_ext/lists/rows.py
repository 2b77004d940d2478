"""
People's list by our fields: reads the file, and translates the headings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext.lists import headings
from salt_ext.lists.reading import Table, read_table
from salt_ext.words.match import Said, is_blank, text

SIZES = ("memory_bytes", "disk_bytes")


def said(
    rows: Iterable[tuple[int, Sequence[Any]]], columns: Mapping[int, str], units: Mapping[str, str]
) -> list[Said]:
    """Return rows by our fields; ``units`` has the units that the headings of sizes name."""
    found = []
    for number, cells in rows:
        values = {
            field: _with_unit(cells[column], units.get(field, ""))
            for column, field in columns.items()
            if column < len(cells) and not is_blank(cells[column])
        }
        if values:
            found.append(Said(number, values))
    return found


def _with_unit(value: Any, unit: str) -> Any:
    return f"{text(value)}{unit}" if unit and re.fullmatch(r"[\d.]+", text(value)) else value


KEYS = ("sn", "minion_id", "hostname")


class Listed(NamedTuple):
    """A list: its path, its table in the file, the field of each column, its rows by field."""

    path: str
    table: Table
    columns: dict[int, str]
    rows: list[Said]


def read(path: str, sheet: str, wanted: Mapping[str, str]) -> Listed:
    """
    Return the list in a file.

    ``wanted`` has the fields that the operator gives to headings; for all other
    headings they are guessed. Raises ValueError, also when no column has a serial
    number or a name.
    """
    table = read_table(path, sheet, list(wanted))
    columns = headings.mapping(table.headings, wanted)
    if not set(KEYS) & set(columns.values()):
        found = ", ".join(filter(None, table.headings[:20]))
        raise ValueError(
            f"{path}: no column of {table.sheet!r} looks like a serial number or a name; the"
            f""" headings in row {table.heading} are: {found}; say which with map='{{"...": sn}}'"""
        )
    units = {
        field: headings.unit_of(table.headings[column])
        for column, field in columns.items()
        if field in SIZES
    }
    return Listed(path, table, columns, said(table.rows, columns, units))


def taken(listed: Listed, *, is_compared: bool = False) -> dict[str, Any]:
    """
    Return what was made of the headings: the field of each, and those that are ignored.

    ``is_compared`` leaves out the list's own fields, of which machines know nothing.
    """
    fields = {
        column: field
        for column, field in listed.columns.items()
        if not (is_compared and field.startswith(headings.OWN))
    }
    texts = listed.table.headings
    return {
        "mapping": {texts[column]: field for column, field in fields.items()},
        "ignored": [one for column, one in enumerate(texts) if one and column not in fields],
    }
