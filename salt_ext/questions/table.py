"""
The answer to most questions: rows with columns, as a page, a file, a program or a terminal has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple


class Table(NamedTuple):
    """
    Rows and what is to be said about them.

    ``rows`` may be read once only, and then as they come from the store. They may have more
    than the ``columns``, such as the ids that links need.
    """

    of: str
    """What a row is, in the plural: ``ill parts``."""
    columns: Sequence[str]
    rows: Iterable[Mapping[str, Any]]
    total: int
    """How many rows there are in all."""
    exact: bool = True
    """False: there are more than ``total``."""
    first: int = 1
    """The number of the first of these rows, counted from 1."""
    next: str | None = None
    previous: str | None = None
    """The cursors of the neighbouring pages, None if there is none."""
    hint: str = ""
    """Why there are no rows, if something about the question says why."""
    age_seconds: float = 0
    """How old the answer is, if it was kept since somebody else asked."""
    counts: Mapping[str, Any] = {}
    """How many rows of each class there are, where rows have classes."""


def cut(
    of: str,
    columns: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    limit: int | None,
    why: Callable[[], str],
) -> Table:
    """Return the first rows of a list that is read as a whole; ``limit`` None returns all."""
    return Table(of, columns, rows[:limit], len(rows), hint="" if rows else why())
