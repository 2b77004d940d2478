"""
The search text of an asset: all that free text is looked for in, one value on each line.

It has three parts: what describes the asset, what it is known by, and what people's
lists say. The last two have an index by whole lines, so that a name, a number or an
address is found without comparing any other. Everything is in lower case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from salt_ext.document.placeholders import why_not_serial
from salt_ext.store.columns import place_of
from salt_ext.words.spellings import bare_address

LENGTH = 6000
"""Characters: room for all columns, with at most 500 each, and for many addresses."""

LINE = 500
"""Characters of one value: with four bytes each an index still takes it."""

DESCRIBED_BY = ("site", "rack", "manufacturer", "product_name", "os")
KNOWN_BY = ("hostname", "sn", "address")
"""The columns that free text is searched in, beside the minion id."""

KNOWN = "\n\x1d\n"
"""What stands in the search text before what the asset is known by."""

LISTED = "\n\x1e\n"
"""What stands in the search text before what people's lists say."""

LISTED_LENGTH = 2000
"""Characters of what people's lists say that free text is searched in."""

NUMBERS = {
    "system": ("uuid",),
    "chassis": ("asset_tag",),
    "baseboards": ("asset_tag",),
    "bmc": ("mac", "addresses", "hostname", "guid"),
    "cloud": ("instance_id",),
    "virtual": ("instance_id",),
    "disks": ("wwn", "eui64", "nguid", "uuid"),
    "gpus": ("uuid",),
    "network": ("permanent_mac", "mac", "addresses"),
}
"""
The fields by which people look for a machine, at any depth of these sections.

The serial numbers of parts are not among them: ``placement`` has those.
"""


SEARCHED = frozenset((*NUMBERS, "location"))
"""The sections that the search text is made of, beside the columns of the list."""


class Number(NamedTuple):
    """A number or an address in the facts, and where it stands."""

    value: str
    section: str
    field: str
    item: Mapping[str, Any]
    """What it is of: an interface, a disk, the controller."""


def search_text(
    minion_id: str | None,
    columns: Mapping[str, Any],
    facts: Mapping[str, Any],
    keys: Iterable[str] = (),
) -> str:
    """
    Return the search text of what a machine reports, in which ``columns`` are those of the list.

    ``keys`` are other numbers by which it is known. It has no words of people's lists:
    :func:`with_listed` adds them.
    """
    location = facts.get("location")
    reported = {**columns, **place_of(location if isinstance(location, dict) else {}, {})}
    described = _lines(reported[name] for name in DESCRIBED_BY)
    known = [minion_id, *(reported[name] for name in KNOWN_BY)]
    known += [*keys, *(one.value for one in numbers(facts))]
    return f"{described}{KNOWN}{_lines(known)}"[:LENGTH]


def with_listed(search: str, listed: Mapping[str, Any] | None) -> str:
    """Return a search text with what people's lists say, in place of what they said before."""
    reported = search.partition(LISTED)[0]
    words = _lines(str(one) for one in (listed or {}).values())
    return f"{reported}{LISTED}{words[:LISTED_LENGTH]}" if words else reported


def numbers(facts: Mapping[str, Any]) -> Iterator[Number]:
    """Yield the numbers and addresses by which people look for a machine, in normal form."""
    for section, fields in NUMBERS.items():
        yield from _below(section, fields, facts.get(section))


def _below(section: str, fields: tuple[str, ...], value: Any) -> Iterator[Number]:
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield from _below(section, fields, item)
    elif isinstance(value, dict):
        for field in fields:
            given = value.get(field) or []
            for one in given if isinstance(given, list) else [given]:
                if isinstance(one, str) and (text := _normal(field, one)):
                    yield Number(text, section, field, value)
        for below in value.values():
            if isinstance(below, (dict, list)):
                yield from _below(section, fields, below)


def _normal(field: str, value: str) -> str:
    """Return a value as it is looked for; blank for a placeholder."""
    if field == "addresses":
        # Only IPv6 has several forms, and to parse one takes a while.
        bare = bare_address(value) if ":" in value else ""
        return bare or value.partition("/")[0].lower()
    if field == "asset_tag" and why_not_serial(value):
        return ""
    return value.lower()


def _lines(values: Iterable[Any]) -> str:
    """Return texts as lines in lower case, each once, no longer than an index takes."""
    texts = (one.lower()[:LINE] for one in values if isinstance(one, str) and one)
    return "\n".join(dict.fromkeys(texts))
