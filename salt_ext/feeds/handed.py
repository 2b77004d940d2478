"""
Which machines a program can be told of, and which are left out because it would misread them.

What a machine calls itself is hostile text: one with a bad name is left out and told, and
everybody else is served.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}")
"""A name that no program takes for a pattern, an option or two names."""

NO_ADDRESS = "it has reported no address, or that of loopback"


class Handed(NamedTuple):
    """A machine with a name that is its own, and the address that it has reported."""

    name: str
    address: str
    """As :func:`address_of` returns it; empty where it has none."""
    row: Mapping[str, Any]
    """``id`` and the columns that were asked for."""

    @property
    def host(self) -> str:
        """The address as it stands before a port."""
        return f"[{self.address}]" if ":" in self.address else self.address


class LeftOut(NamedTuple):
    """A machine that is not told, and why."""

    name: str
    asset_id: str
    why: str


def handed(
    rows: Iterable[Mapping[str, Any]], left_out: list[LeftOut], *, needs_address: bool
) -> Iterator[Handed]:
    """Yield those of :func:`salt_ext.store.machines` that can be told; list all others."""
    for row in rows:
        address = address_of(row.get("address"))
        why = _why_not(row, address, needs_address)
        if why:
            left_out.append(LeftOut(row["name"] or "", str(row["id"]), why))
        else:
            yield Handed(row["name"], address, row)


def address_of(value: str | None) -> str:
    """
    Return an address without its prefix and its zone; empty if it is none.

    None is what means the machine of whoever reads it: ``0.0.0.0``, and loopback, which is all
    that a machine without a network has. Nor is an IPv4 address written as an IPv6 one, by which
    a socket would get to either; no interface has it.
    """
    # To let ipaddress read the prefix takes it six times as long.
    address, slash, prefix = (value or "").partition("%")[0].partition("/")
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if slash and not prefix.isdecimal():
        return ""
    if found.is_unspecified or found.is_loopback or getattr(found, "ipv4_mapped", None):
        return ""
    return str(found)


def _why_not(row: Mapping[str, Any], address: str, needs_address: bool) -> str:
    if not row["name"]:
        return "it has no name"
    if not NAME.fullmatch(row["name"]):
        return "its name has other characters than letters, digits, '.', '_' and '-'"
    if row["namesakes"] > 1 and not row["is_own"]:
        return f"{row['namesakes']} machines have this name"
    if needs_address and not address:
        return NO_ADDRESS
    return ""
