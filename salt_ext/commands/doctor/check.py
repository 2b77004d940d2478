"""
What a check found, and what becomes of a check that fails itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from salt_ext import store

OK, WARN, FAIL = "ok", "warn", "fail"

NAMED = 5
"""How many machines a sentence names at most."""


class Check(NamedTuple):
    """What was looked at, ``ok``, ``warn`` or ``fail``, what was found and what to do."""

    check: str
    status: str
    detail: str
    hint: str = ""


def attempt(name: str, check: Callable[[], Check]) -> Check:
    """Return what a check found; one that raises has failed, for it has found out nothing."""
    return attempt_all(name, lambda: [check()])[0]


def attempt_all(name: str, checks: Callable[[], list[Check]]) -> list[Check]:
    """Do the same with checks that are made of one look."""
    try:
        return checks()
    except store.StoreError as error:
        return [Check(name, FAIL, str(error), error.hint)]
    except Exception as error:
        return [Check(name, FAIL, f"could not be checked: {type(error).__name__}: {error}")]


def some(names: Sequence[str], total: int | None = None) -> str:
    """Return the first names of a list, and how many more there are."""
    more = (len(names) if total is None else total) - len(names[:NAMED])
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more else "")


def ago(seconds: float) -> str:
    """Return a time in words: 12 s, 5 min, 3 h or 2 d."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
