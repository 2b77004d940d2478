"""
People's list by our fields: reads the file, finds its tables, and translates the headings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext.lists import headings
from salt_ext.lists.reading import read_file
from salt_ext.lists.tables import KEYS, Table, tables
from salt_ext.lists.totals import total_of
from salt_ext.lists.workbook import why_no_list
from salt_ext.words.cells import is_blank, text
from salt_ext.words.match import Said
from salt_ext.words.nearest import unknown

SIZES = ("memory_bytes", "disk_bytes")

MOST_HEADINGS = 20
"""So many are told of a table in which none is known."""


MOST_TOTALS = 20
"""So many rows of totals and signatures are named."""


class Part(NamedTuple):
    """A table of a list: as it stands in its sheet, the field of each column, its rows by field."""

    table: Table
    columns: dict[int, str]
    rows: list[Said]


class Listed(NamedTuple):
    """A list: its path, its tables, why other sheets are not read, and the workbook."""

    path: str
    parts: list[Part]
    unread: dict[str, str]
    book: Any = None

    @property
    def rows(self) -> list[Said]:
        """The rows of all tables."""
        return [row for part in self.parts for row in part.rows]

    @property
    def sheets(self) -> dict[str, int]:
        """How many rows each sheet has that is read."""
        counts: dict[str, int] = {}
        for part in self.parts:
            counts[part.table.sheet] = counts.get(part.table.sheet, 0) + len(part.rows)
        return counts


def read(path: str, sheet: str, wanted: Mapping[str, str]) -> Listed:
    """
    Return the list in a file: of a workbook all sheets that have a table of machines.

    ``wanted`` has the fields that the operator gives to headings; for all other
    headings they are guessed. Raises ValueError, also when no column has a serial
    number or a name.
    """
    contents = read_file(path, sheet)
    found = {grid.title: tables(grid, wanted) for grid in contents.sheets}
    _check(wanted, [one for here in found.values() for one in here])
    parts: list[Part] = []
    unread: dict[str, str] = {}
    for title, here in found.items():
        reasons = [_why_not(one, wanted) for one in here] or ["there is nothing in it"]
        found_here = [
            _part(one, wanted) for one, why in zip(here, reasons, strict=False) if not why
        ]
        unread |= _totals(title, found_here)
        parts += [_of_machines(one) for one in found_here]
        if all(reasons):
            unread[title] = reasons[0]
    if not parts:
        told = "; ".join(f"sheet {title!r}: {reason}" for title, reason in unread.items())
        raise ValueError(f"""{path}: {told}; say which with map='{{"...": sn}}'""")
    return Listed(path, parts, unread | contents.unread, contents.book)


def _check(wanted: Mapping[str, str], found: Sequence[Table]) -> None:
    """Raise ValueError when the operator names a heading that no table has."""
    known = list(dict.fromkeys(one for table in found for one in table.headings if one))
    for heading in wanted if found else ():
        if heading not in known:
            raise ValueError(f"map: {unknown('column', heading, known)}")


def _columns(table: Table, wanted: Mapping[str, str]) -> dict[int, str]:
    here = {heading: field for heading, field in wanted.items() if heading in table.headings}
    return headings.mapping(table.headings, here)


def _why_not(table: Table, wanted: Mapping[str, str]) -> str:
    """Return why a table is no list of machines, blank when it is one."""
    found = [one for one in table.headings if one]
    if ours := why_no_list(found):
        return ours
    if not set(KEYS).isdisjoint(_columns(table, wanted).values()):
        return ""
    return (
        "no row of headings was found: no column looks like a serial number or a name, and"
        f" row {table.heading} has: {', '.join(found[:MOST_HEADINGS])}"
    )


def _part(table: Table, wanted: Mapping[str, str]) -> Part:
    columns = _columns(table, wanted)
    units = {
        field: headings.unit_of(table.headings[column])
        for column, field in columns.items()
        if field in SIZES
    }
    return Part(table, columns, said(table, columns, units))


def _totals(title: str, parts: Sequence[Part]) -> dict[str, str]:
    """Return which rows of a sheet are no machines but totals and signatures."""
    words = [
        f"row {row.number}: {word}"
        for part in parts
        for row in part.rows
        if (word := total_of(row.values))
    ]
    more = f"; and {len(words) - MOST_TOTALS} more" if len(words) > MOST_TOTALS else ""
    told = "; ".join(words[:MOST_TOTALS]) + more
    return {f"totals and signatures of {title}": told} if words else {}


def _of_machines(part: Part) -> Part:
    """Return a part without its totals and signatures."""
    return part._replace(rows=[row for row in part.rows if not total_of(row.values)])


def said(table: Table, columns: Mapping[int, str], units: Mapping[str, str]) -> list[Said]:
    """Return rows by our fields; ``units`` has the units that the headings of sizes name."""
    found = []
    for number, cells in table.rows:
        values = {
            field: _with_unit(cells[column], units.get(field, ""))
            for column, field in columns.items()
            if column < len(cells) and not is_blank(cells[column])
        }
        if values:
            found.append(Said(number, values, table.sheet))
    return found


def _with_unit(value: Any, unit: str) -> Any:
    """Return a bare number with the unit of its heading: ``384 GB``."""
    if not unit or not re.fullmatch(r"[\d.]+", text(value)):
        return value
    return f"{text(value)} {unit if unit == 'bytes' else unit[0].upper() + unit[1:-1] + 'B'}"


def taken(listed: Listed, *, is_compared: bool = False) -> dict[str, Any]:
    """
    Return what was made of a file: its sheets, the field of each heading, and what is left out.

    ``is_compared`` leaves out the fields that are not compared with what machines report.
    """
    mapping: dict[str, str] = {}
    ignored: dict[str, None] = {}
    for table, columns, _ in listed.parts:
        for column, heading in enumerate(table.headings):
            field = columns.get(column)
            if field is None or (is_compared and field not in (*KEYS, *headings.COMPARED)):
                ignored |= {heading: None} if heading else {}
            elif mapping.setdefault(heading, field) != field:
                mapping[f"{heading} ({table.sheet})"] = field
    return {
        "sheets": listed.sheets,
        "unread": listed.unread,
        "mapping": mapping,
        "ignored": [one for one in ignored if one not in mapping],
    }
