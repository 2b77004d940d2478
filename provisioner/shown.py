"""
What a machine shows of itself.

A query is taken literally or not at all: iPXE leaves ``&`` and ``=`` in a serial number as they
are, so that one would otherwise become the UUID or the MAC of another machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from werkzeug.datastructures import Headers, MultiDict

from provisioner.plain import plain, plain_serial
from provisioner.refusals import Denied
from salt_ext.document.placeholders import why_not_mac, why_not_uuid
from salt_ext.store import Shown
from salt_ext.words.keys import macs_of, uuid_of
from salt_ext.words.nearest import unknown

PARAMETERS = ("uuid", "mac", "serial", "serial_hex")
"""The serial number is for people only; in hexadecimal digits none is cut or changed."""

UUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}")

ANACONDA_MAC = "x-rhn-provisioning-mac-"
"""How the headers begin in which Anaconda sends the MACs of the machine."""


def of_query(args: MultiDict[str, str], address: str) -> tuple[Shown, str]:
    """Return what a query shows, and the serial number to be said again."""
    for name, values in args.lists():
        if name not in PARAMETERS:
            told = unknown("parameter", plain(name), PARAMETERS)
            raise Denied(400, told, "a serial number with & or = in it must be left out")
        if len(values) > 1:
            raise Denied(400, f"{name} is given {len(values)} times", "give it once")
    serial = plain_serial(args.get("serial") or _decoded(args.get("serial_hex", "")))
    return keys(args.get("uuid", ""), args.get("mac", ""), address), serial


def _decoded(digits: str) -> str:
    try:
        return bytes.fromhex(digits).rstrip(b"\0").decode(errors="replace")
    except ValueError:
        raise Denied(400, "serial_hex is not hexadecimal", "leave it out") from None


def keys(uuid: str, mac: str, address: str) -> Shown:
    """Return the keys that a machine shows. Raises Denied for what can be the key of none."""
    if not UUID.fullmatch(uuid) or why_not_uuid(uuid_of(uuid)):
        raise Denied(
            400,
            f"the UUID {plain(uuid) or 'is missing: it'} cannot be the key of a machine",
            "show uuid=${uuid}; if the firmware has none of its own, give it one",
        )
    if not MAC.fullmatch(mac) or why_not_mac("".join(macs_of(mac))):
        raise Denied(
            400,
            f"the MAC {plain(mac) or 'is missing: it'} cannot be the key of a machine",
            "show mac=${netX/mac}, the port that has booted",
        )
    return Shown(uuid.lower(), macs_of(mac)[0], address)


def check_headers(headers: Headers, mac: str) -> None:
    """Refuse an installer of Red Hat that says itself that its machine has other MACs."""
    told = {word for value in _anaconda_macs(headers) for word in macs_of(value)}
    if told and mac not in told:
        raise Denied(
            403,
            "the installer says that its machine has no port with this MAC",
            "start the installation anew, from the network",
        )


def _anaconda_macs(headers: Headers) -> Iterable[str]:
    # A value is "eth0 52:54:00:12:34:56".
    return (value for name, value in headers if name.lower().startswith(ANACONDA_MAC))
