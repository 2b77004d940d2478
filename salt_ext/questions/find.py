"""
Where a text is known: as a name, a number or an address, of which machine or part.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.questions.table import Table

COLUMNS = ("minion_id", "sn", "what", "value", "place", "known", "since_at", "until_at")


def find(database: store.Database, text: str, limit: int) -> Table:
    """
    Return each place where a text is known, the present before the past.

    A row has the ``asset_id`` beside the columns; of a report that waits for a person it is
    None. Raises :class:`store.NotFound` that names the nearest.
    """
    rows, more = store.lookup(database, text, limit)
    if not rows:
        near = store.nearest_known(database, text)
        raise store.NotFound(
            f"{text!r} is known nowhere, neither now nor in former times",
            f"the nearest is {near!r}"
            if near
            else "values of other fields are found by a filter: see cmdb.facets",
        )
    return Table("places", COLUMNS, rows, len(rows), exact=not more)


class Target(NamedTuple):
    """
    One thing that a text may mean, with the places that say so: a machine, a part or a report.

    Of a part there is no ``asset_id``; a held report has a ``minion_id`` alone.
    """

    rows: list[Mapping[str, Any]]
    asset_id: uuid.UUID | None = None
    section: str = ""
    serial: str = ""
    minion_id: str = ""


def targets(places: Iterable[Mapping[str, Any]]) -> list[Target]:
    """
    Return what a text means, by the places where it is known.

    Where a number is that of a machine and of a part in it, such as a service tag that the
    chassis has too, the machine is meant. A part is one thing wherever it was.
    """
    rows = list(places)
    machines = {row["asset_id"] for row in rows if not row["serial"]}
    found: dict[Any, Target] = {}
    for row in rows:
        if row["asset_id"] is None:
            target = Target([], minion_id=row["minion_id"] or "")
        elif row["asset_id"] in machines or not row["serial"]:
            target = Target([], row["asset_id"])
        else:
            target = Target([], None, row["what"].partition(".")[0], row["serial"])
        found.setdefault(target[1:], target).rows.append(row)
    return [*found.values()]
