"""
The keys of a machine as people and boot programs write them: its UUID and its MACs.

A key has one form, whoever writes it: a MAC with colons, and of the two byte orders of a
UUID, which firmwares mix, the smaller one.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from salt_ext.document import placeholders
from salt_ext.document.placeholders import uuid_spellings, why_not_mac, why_not_uuid
from salt_ext.words.cells import text
from salt_ext.words.spellings import bare_address, normal_forms

BETWEEN = re.compile("[\\s,;|/\u3001\uff0c\uff1b]+")
"""What people write between several MACs."""

MOST = 64
"""So many MACs of one machine are keys; no machine has so many ports."""

LONGEST = 4000
"""Characters of a text that are looked at."""

MAC_LENGTHS = (17, 23)
"""Of a MAC with colons: of Ethernet, and of InfiniBand."""


def uuid_of(written: object) -> str:
    """Return a UUID as a key, or a blank where the text is none."""
    found = {one for one in normal_forms(text(written)[:LONGEST]) if one.count("-") == 4}
    return min(uuid_spellings(found.pop())) if found else ""


def macs_of(written: object) -> list[str]:
    """Return the MACs of a text as keys, each once; what is none is left out."""
    return list(dict.fromkeys(mac for _, mac in _macs(written) if mac))[:MOST]


def why_no_uuid(written: object) -> str:
    """Return why a text cannot be the UUID of one machine; blank where it can."""
    return why_not_uuid(uuid_of(written)) or ""


def why_no_macs(written: object) -> str:
    """Return why a text cannot be the MACs of one machine; blank where it can."""
    found = list(_macs(written))
    for word, mac in found:
        if reason := why_not_mac(mac):
            return f"{word}: {reason}"
    if len(found) > MOST:
        return f"these are more than {MOST}"
    return "" if found else "it is blank"


def why_no_address(written: object) -> str:
    """Return why a text cannot be the IP address of one machine; blank where it can."""
    return "" if good_address(written) else "it is not one IP address"


def good_address(written: object) -> str:
    """Return an IP address without its prefix length and zone; blank where it is none, or more."""
    try:
        ipaddress.ip_interface(text(written))
    except ValueError:
        return ""
    return bare_address(text(written))


def good_uuid(written: object) -> str:
    """Return a UUID as a key; blank where it is none, or only a placeholder."""
    return "" if why_no_uuid(written) else uuid_of(written)


def good_macs(written: object) -> list[str]:
    """Return the MACs of a text as keys, without placeholders."""
    return [mac for mac in macs_of(written) if not why_not_mac(mac)]


def _macs(written: object) -> Iterator[tuple[str, str]]:
    """Yield each word of a text, and the MAC that it is; blank if none."""
    for word in BETWEEN.split(text(written)[:LONGEST]):
        if word:
            forms = (one for one in normal_forms(word) if len(one) in MAC_LENGTHS and one[2] == ":")
            yield word, next(forms, "")


def is_instruction(serial: object) -> bool:
    """Whether what people wrote as a serial number is an instruction to cloud-init."""
    return placeholders.is_instruction(text(serial))
