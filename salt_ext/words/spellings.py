"""
The spellings in which the store may have a name, a number or an address that people write.
"""

from __future__ import annotations

import ipaddress
import re

from salt_ext.document.placeholders import uuid_spellings
from salt_ext.words.cells import narrow

PREFIX = re.compile(
    r"^(?:urn:uuid:|uuid[.:]|wwn-|naa\.|eui\.|nguid[.:]|vmware-|parallels-|nvme\.)?(?:0x)?",
    re.IGNORECASE,
)
"""What systems and tools put before the digits of a worldwide name or a UUID."""

SEPARATORS = re.compile(r"[-:.\s{}]")
HEX = re.compile(r"[0-9a-f]+")
MAC, EUI, UUID, INFINIBAND = 12, 16, 32, 40
"""How many digits each has: a MAC, a WWN or EUI-64, a UUID, NGUID or extended WWN, and a port."""


def spellings(text: str) -> set[str]:
    """
    Return a text as it is and in either case, and the normal forms of what it may be.

    These are a MAC and the GUID of a port with colons, a worldwide name without anything
    between its digits, a UUID in both byte orders, and an IP address in its shortest form.
    A link-local address that is made of a MAC stands for that MAC.
    """
    whole = narrow(text) or text.strip()
    found = (whole, whole.lower(), whole.upper(), whole.lower().rstrip(".").strip())
    return {one for one in found if one} | normal_forms(whole)


def normal_forms(text: str) -> set[str]:
    """Return the normal forms of an address, a UUID, a MAC or a worldwide name; else nothing."""
    address = bare_address(text)
    found = {address, *_mac_in(address)} if address else set()
    digits = SEPARATORS.sub("", PREFIX.sub("", text.strip(), count=1)).lower()
    if not HEX.fullmatch(digits):
        return found
    if len(digits) == MAC:
        found.add(_pairs(digits))
    elif len(digits) == EUI:
        # With colons it may be an address of IPv6 as well.
        found.update((digits, _pairs(digits)))
    elif len(digits) == UUID:
        found.update((digits, *uuid_spellings(digits)))
    elif len(digits) == INFINIBAND:  # the last eight octets are the port's own
        found.add(_pairs(digits[-EUI:]))
    return found


def bare_address(text: str) -> str:
    """Return an IP address without prefix length and zone, in its shortest form; blank if none."""
    bare = text.strip().partition("/")[0].partition("%")[0].strip("[]")
    if not ("." in bare or ":" in bare):
        return ""
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


def _mac_in(address: str) -> set[str]:
    """Return the MAC that a link-local address is made of (RFC 4291, appendix A)."""
    found = ipaddress.ip_address(address)
    octets = found.packed[-8:]
    if found.version == 4 or not found.is_link_local or octets[3:5] != b"\xff\xfe":
        return set()
    mac = bytes([octets[0] ^ 2]) + octets[1:3] + octets[5:]
    return {_pairs(mac.hex())}


def _pairs(digits: str) -> str:
    return ":".join(re.findall("..", digits))
