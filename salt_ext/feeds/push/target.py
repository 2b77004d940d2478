"""
What a system has to offer, so that machines can be pushed into it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from salt_ext.feeds.feed import Option
from salt_ext.feeds.handed import Handed
from salt_ext.words.plain import simple

T = TypeVar("T")

Fields = dict[str, Any]
"""
The fields of an object by name, as they are compared: texts, numbers, truths, lists of texts.

Three are in each: ``name``; ``asset_id``, the mark (None on what is not ours); and
``retired``, whether *we* switched it off. What a person switched off is not ``retired``.

A list is a set of which others may have elements too (groups, templates): theirs stay. None
is a value that we do not know: theirs stays, and what we wrote earlier is taken away.
"""


NOTHING_SAID: Mapping[int, str] = {}


class Push(NamedTuple):
    """What the setting ``pushes`` says of one push; its token is shown nowhere."""

    name: str
    system: str
    url: str
    token: str
    filters: Mapping[str, Any]
    options: Mapping[str, Any]
    """Those of every push and those of its system, all of them."""


class Found(NamedTuple):
    """An object as it is there."""

    id: str
    fields: Fields
    raw: Any = None
    """What else the system needs to change it, such as the id of its interface."""


class Refused(Exception):
    """
    The system does not take what was sent, in its own words.

    ``of`` has the sentence for each object that it was for, by its position, where the system
    tells that. The same may be sent again, without these.
    """

    def __init__(self, message: str, of: Mapping[int, str] = NOTHING_SAID) -> None:
        """Keep what the system has said."""
        super().__init__(message)
        self.of = of


class PushFailed(Exception):
    """The push cannot go on: the system is away, or does not let us in. ``hint``: what to do."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep the sentences, for the caller to show."""
        super().__init__(message)
        self.hint = hint


class Target(Protocol):
    """
    A system that machines are pushed into; it is made from a :class:`Push`.

    What cannot go on (no connection, no rights, an option that names nothing there) raises
    :class:`PushFailed` in each of the functions.
    """

    @property
    def needs_address(self) -> bool:
        """Whether a machine without an address is left out."""

    @property
    def needs_interface(self) -> bool:
        """Whether it needs to know of the interface that has the address."""

    @property
    def keeps(self) -> Collection[str]:
        """Fields that we may have written, and do not take away when they are wanted no more."""

    @property
    def bulk(self) -> int:
        """How many objects are created or changed by one call of these functions."""

    @property
    def columns(self) -> Sequence[str]:
        """What it needs to know of each machine: columns of the list."""

    @property
    def calls(self) -> int:
        """How many requests were sent."""

    def fields(self, machine: Handed) -> Fields:
        """Return what shall be there of a machine, without the three that are in each."""

    def ours(self) -> Iterable[Found]:
        """Yield all objects that carry a mark, retired ones too."""

    def holders(self, wanted: Mapping[str, Fields]) -> Mapping[str, Found]:
        """
        Return the objects that stand in the place of these, by their names, whoever made them.

        They have one of the names, as the system tells names apart; or they are this machine by
        its serial number.
        """

    def lacking(self, steps: Sequence[tuple[Found | None, Fields]]) -> Mapping[int, str]:
        """
        Return which of these cannot be written, by position, and what there lacks for it.

        Without an object it is a new one. What can be made on the way does not lack.
        """

    def made_first(self) -> Sequence[str]:
        """Return what will be made there on the way for all that was asked about by now."""

    def create(self, wanted: Sequence[Fields]) -> Sequence[str]:
        """Make these objects, all or none, mark included; return their ids in this order."""

    def update(self, changes: Sequence[tuple[Found, Fields]]) -> None:
        """
        Write these fields into these objects, all or none; all their other fields stay.

        ``retired`` switches an object off or on again. None takes a value away.
        """


class System(NamedTuple):
    """What the frame knows of a system."""

    options: Mapping[str, Option]
    """What the setting may say about a push into it, beside what all have."""
    target: Callable[[Push], Target]


def slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield the items, so many at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def text(value: Any, most: int | None = None) -> str | None:
    """Return a value as systems give it back: without blanks at its ends; None if nothing is."""
    said = "" if value is None else str(simple(value))
    return said[:most].strip() or None
