"""
Modes are the ways in which a master asks machines for reports; each has a file of its own.

A mode is a callable ``mode(opts, request) -> Plan``. The setting ``modes`` has its
dotted path, as ``collectors`` has those of collectors. A mode returns at once with
the names of the machines. It asks them while the caller takes the answers, one by
one. A mode stores nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, NamedTuple

from salt_ext.facts import dotted_path, failure
from salt_ext.settings import SettingsError
from salt_ext.store import StoreError
from salt_ext.words.nearest import unknown


class Request(NamedTuple):
    """What a mode shall do; ``is_over()`` is true once nobody waits for answers any more."""

    tgt: Any
    tgt_type: str
    batch: int | str
    """How many may be asked at a time: a number, or a share such as ``10%``."""
    workers: int
    timeout_seconds: int
    """How long one machine may take."""
    roster: str
    is_over: Callable[[], bool]


class Answer(NamedTuple):
    """What one machine answered: its report and when that came, or None and the reason."""

    minion_id: str
    report: Any
    received_at: float
    """In seconds since the epoch."""
    reason: str = ""
    traceback: str = ""
    """Of an exception that nobody foresaw: it is kept among the problems of the machine."""


class Plan(NamedTuple):
    """
    The machines that a mode asks, and their answers, in any order.

    No machine is asked before the first answer is taken.
    """

    names: list[str]
    answers: Generator[Answer, None, None]
    is_cached: bool
    """Whether the reports are in the master's cache too, and wait there if the store fails."""


class Unavailable(StoreError):
    """A mode cannot ask any machine: a sentence, and what to do about it."""


Mode = Callable[[Mapping[str, Any], Request], Plan]


def load(paths: Mapping[str, str | None], name: str) -> Mode:
    """Return the mode with this name. Raises :class:`SettingsError`."""
    path = paths.get(name)
    if not path:
        known = sorted(one for one in paths if paths[one])
        raise SettingsError(unknown("mode", name, ["auto", *known]))
    try:
        return dotted_path.load(path)
    except Exception as error:  # a module of the site may raise anything when it is imported
        why = failure.sentence(error)
        raise SettingsError(f"modes: {name}: {path!r} cannot be used: {why}") from error


def in_order(request: Request, found: Iterable[str]) -> list[str]:
    """Return the found names, in the order of a target that is a list, or else sorted."""
    if request.tgt_type == "list":
        wanted = set(found)
        return [name for name in dict.fromkeys(request.tgt) if name in wanted]
    return sorted(found)


def size_of(batch: int | str, machines: int) -> int:
    """Return how many machines a batch such as ``50`` or ``10%`` is; at least one."""
    if isinstance(batch, str):
        return max(1, machines * int(batch.rstrip("%")) // 100)
    return batch
