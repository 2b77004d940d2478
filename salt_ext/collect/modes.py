"""
The ways in which a master asks machines for reports, one file each.

A mode is a callable ``mode(opts, request) -> Plan``, named by dotted path in the
setting ``modes`` as collectors are in theirs. It says at once whom it would ask,
and asks while its answers are taken one by one. Storing is not its business.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any, NamedTuple

from salt_ext.facts import dotted_path
from salt_ext.settings import SettingsError
from salt_ext.store import StoreError
from salt_ext.words.nearest import unknown


class Request(NamedTuple):
    """What is asked of a mode; :attr:`is_over` is true once nobody waits for answers any more."""

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
    """What one machine gave: its report and when that came, or a reason and no report."""

    minion_id: str
    report: Any
    received_at: float
    """In seconds since the epoch."""
    reason: str = ""


class Plan(NamedTuple):
    """Whom a mode asks, and what they answer, in any order; nobody is asked before it is taken."""

    names: list[str]
    answers: Generator[Answer, None, None]
    is_cached: bool
    """Whether reports that cannot be stored now wait in the master's cache anyway."""


class Unavailable(StoreError):
    """A mode that can ask nobody, in a sentence, and what to do about it."""


Mode = Callable[[Mapping[str, Any], Request], Plan]


def load(paths: Mapping[str, str | None], name: str) -> Mode:
    """Return the mode of a name. Raises :class:`SettingsError`."""
    path = paths.get(name)
    if not path:
        known = sorted(one for one in paths if paths[one])
        raise SettingsError(unknown("mode", name, ["auto", *known]))
    try:
        return dotted_path.load(path)
    except (ImportError, AttributeError, TypeError) as error:
        raise SettingsError(f"modes: {name}: {path!r} cannot be used: {error}") from None


def in_order(request: Request, found: Iterable[str]) -> list[str]:
    """Return names in the order that a list asks for, else in that of the alphabet."""
    if request.tgt_type == "list":
        wanted = set(found)
        return [name for name in dict.fromkeys(request.tgt) if name in wanted]
    return sorted(found)


def size_of(batch: int | str, machines: int) -> int:
    """Return how many machines a batch such as ``50`` or ``10%`` is; at least one."""
    if isinstance(batch, str):
        return max(1, machines * int(batch.rstrip("%")) // 100)
    return batch
