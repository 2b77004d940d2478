"""
Up to four documents side by side: assets, or one asset at several moments.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.document import is_components, same, without_identity
from salt_ext.document.keys import keyed, place
from salt_ext.questions.table import Table
from salt_ext.words.changes import PARTS
from salt_ext.words.values import describe, label, value

NAMES = ("a", "b", "c", "d")
"""What the sides are called in an address, and in a file."""

BASELINE = "baseline"


class Side(NamedTuple):
    """One of the documents: whose it is, and since when it was so."""

    asset_id: uuid.UUID
    minion_id: str | None
    sn: str | None
    at: datetime | None
    """As of when; None for the present."""
    recorded_at: datetime
    """When the report was stored that made the document what it was then."""
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the asset is called."""
        return self.minion_id or self.sn or str(self.asset_id)


class Row(NamedTuple):
    """One value of all sides; None where a side has none."""

    section: str
    what: str
    values: list[str | None]
    differs: bool


def side(
    database: store.Database,
    text: str,
    moment: Callable[[str], datetime],
    at: datetime | None = None,
) -> Side:
    """
    Return the document that a text means: ``web01``, ``web01@7d`` or ``web01@baseline``.

    ``moment`` reads a time or the name of a snapshot; ``at`` is the moment of a text that
    names none. Raises :class:`store.NotFound`.
    """
    name, mark, when = text.rpartition("@")
    if not mark:
        name, when = text, ""
    try:
        asset_id = store.resolve(database, name)
    except store.NotFound:
        # A name may have an @ of its own.
        asset_id, when = store.resolve(database, text), ""
    if when == BASELINE:
        at = store.baseline_of(database, asset_id)["accepted_at"]
    elif when:
        at = moment(when)
    revision, facts = store.document(database, asset_id, at)
    one, columns = {"id": asset_id}, ("minion_id", "sn")
    row = store.assets(database, filters=one, columns=columns, mask_hidden=True).rows
    called = row[0] if row else {"minion_id": None, "sn": None}
    recorded_at = revision["recorded_at"]
    return Side(asset_id, called["minion_id"], called["sn"], at, recorded_at, facts)


def compare(sides: Sequence[Side], *, whole: bool = False) -> Table:
    """
    Return what differs between the sides, and with ``whole`` also what does not, behind it.

    What no two machines share, such as serial numbers, is left out where the sides are of
    several machines. ``rows`` have ``section``, ``what``, ``differs`` and a value for each
    of the names of the sides.
    """
    is_one_machine = len({one.asset_id for one in sides}) == 1
    documents = [one.facts if is_one_machine else without_identity(one.facts) for one in sides]
    found = list(_walk((), documents))
    differing = [row for row in found if row.differs]
    shown = differing + [row for row in found if not row.differs] if whole else differing
    names = NAMES[: len(sides)]
    rows = [
        {"section": row.section, "what": row.what, "differs": row.differs}
        | dict(zip(names, row.values, strict=True))
        for row in shown
    ]
    return Table("values", ("section", "what", "differs", *names), rows, len(rows))


def _walk(path: tuple[str, ...], values: Sequence[Any]) -> Iterator[Row]:
    """Yield the rows of one value of all documents, or of all that is below it."""
    known = [one for one in values if one is not None]
    if known and all(isinstance(one, Mapping) for one in known):
        for name in sorted({name for one in known for name in one}):
            yield from _walk((*path, name), [(one or {}).get(name) for one in values])
    elif any(map(is_components, known)) and all(isinstance(one, list) for one in known):
        yield from _parts(path, [one or [] for one in values])
    elif known:
        texts = [None if one is None else value(one, path[-1], ".".join(path)) for one in values]
        what = " › ".join(map(label, path[1:])) or label(path[0])  # noqa: RUF001
        yield Row(path[0], what, texts, not _are_same(values))


def _parts(path: tuple[str, ...], lists: Sequence[list[Any]]) -> Iterator[Row]:
    """Yield a row for each part that is not on all sides, or for each field that differs."""
    where = ".".join(path)
    title = PARTS.get(where) or label(path[-1])
    sides = [keyed(one) for one in lists]
    for key in dict.fromkeys(key for one in sides for key in one):
        items = [one.get(key) for one in sides]
        known = [one for one in items if one is not None]
        what = f"{title} {place(known[0]) or key}"
        if len(known) < len(items) or _are_same(items):
            texts = [None if one is None else describe(one, where) for one in items]
            yield Row(path[0], what, texts, not _are_same(items))
            continue
        for field in sorted({field for one in known for field in one}):
            values = [one.get(field) for one in known]
            if not _are_same(values):
                texts = [None if one is None else value(one, field, where) for one in values]
                yield Row(path[0], f"{what}: {label(field)}", texts, True)


def _are_same(values: Sequence[Any]) -> bool:
    return all(same(values[0], one) for one in values[1:])
