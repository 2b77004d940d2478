"""
What a format of the inventory is: the feeds beside this file are of this kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.feeds.handed import LeftOut
from salt_ext.store import FilterError
from salt_ext.words.nearest import unknown

COLUMNS = (
    *("sn", "hostname", "site", "room", "rack", "unit", "kind", "manufacturer", "product_name"),
    *("os", "lifecycle", "freshness"),
)
"""What is told of a machine to programs in which people choose among it."""

TRUTH = {"true": True, "false": False, "1": True, "0": False}


class Option(NamedTuple):
    """What a reader may say about a format; with no default he must."""

    type: type
    """``str``, ``int``, ``bool``, or ``list`` of fields with commas between them."""
    default: Any
    help: str
    words: Sequence[str] = ()
    """The values that there are, or those of a list, if they are few."""
    most: int = 65535
    """Of a number, which is 1 at least."""
    pattern: str = ""
    """What a text is like, so that it can be nothing else in the format."""


NAME = Option(
    str,
    "minion_id",
    "What machines are called: `minion_id`, which Salt has checked, or `hostname`, what each"
    " calls itself.",
    ("minion_id", "hostname"),
)
FIELDS = Option(list, (), "More fields to tell of each machine, such as `list.owner`.")
PORT = Option(int, None, "The port to connect to.")
OOB = Option(
    bool,
    False,
    "Out of band: machines that have a BMC, each with the address of that instead of its own.",
)


class Feed(NamedTuple):
    """
    A format of the inventory for a program.

    ``write`` gets the machines (:class:`salt_ext.feeds.handed.Handed`), those that are left
    out so far, to which it may add, and the options by name; it yields text, and keeps no
    machine longer than it must.
    """

    about: str
    """Who reads it, in one sentence."""
    media: str
    write: Callable[..., Iterable[str]]
    columns: Sequence[str] = ()
    """What it tells of a machine, as far as that is not hidden from whoever asks."""
    options: Mapping[str, Option] = {}
    needs_address: bool = True
    """Whether a machine without an address is left out."""
    read: Callable[..., Iterator[Mapping[str, Any]]] = store.machines
    """What the machines are asked of."""
    settings: Sequence[str] = ()
    """The settings that ``write`` gets by name too."""


class Answer(NamedTuple):
    """A feed as a program gets it."""

    body: bytes
    media: str
    machines: int
    """How many are in it."""
    left_out: Sequence[LeftOut]


def options_of(
    name: str, options: Mapping[str, Option], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return all options of what has this name. Raises :class:`FilterError`."""
    for one in given:
        if one not in options:
            raise FilterError(unknown("option", one, options))
    found = {}
    for one, option in options.items():
        value = given.get(one)
        if value is None or value == "":
            if option.default is None:
                raise FilterError(f"{name} needs {one}=...: {option.help}")
            value = option.default
        found[one] = value if value == option.default else _checked(one, option, value)
    return found


def _checked(name: str, option: Option, value: Any) -> Any:
    if option.type is list:
        names = value.split(",") if isinstance(value, str) else value
        found = tuple(dict.fromkeys(str(one).strip() for one in names if str(one).strip()))
        for one in found:
            if option.words and one not in option.words:
                raise FilterError(unknown(name, one, option.words))
        return found
    if option.type is bool:
        if str(value).lower() not in TRUTH:
            raise FilterError(f"{name} is true or false, not {value!r}")
        return TRUTH[str(value).lower()]
    if option.type is int:
        if not str(value).isdecimal() or not 1 <= int(value) <= option.most:
            raise FilterError(
                f"{name} is {value!r}, but it must be a number from 1 to {option.most:,}"
            )
        return int(value)
    if option.words and value not in option.words:
        raise FilterError(unknown(name, value, option.words))
    if option.pattern and not re.fullmatch(option.pattern, str(value)):
        raise FilterError(f"{value!r} is no value of {name}: {option.help}")
    return str(value)


def json_list(items: Iterable[Any]) -> Iterator[str]:
    """Yield a list as JSON, an item a line."""
    before = "["
    for one in items:
        yield f"{before}\n{json.dumps(one)}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"
