"""
The spellings in which the store may have a name or number that people write.
"""

from __future__ import annotations

import re

from salt_ext.facts.identity import uuid_spellings

HEX = re.compile(r"[0-9a-f]+")
UUID_DIGITS, MAC_DIGITS = 32, 12


def spellings(text: str) -> set[str]:
    """
    Return a text as it is and in either case; a UUID in both byte orders, a MAC with colons.

    Firmware, systems and hypervisors write the first three fields of a UUID in
    different orders, so people may have read either one.
    """
    found = {text, text.lower(), text.upper()}
    digits = re.sub(r"[-:.]", "", text.lower())
    if HEX.fullmatch(digits) and len(digits) == UUID_DIGITS:
        found.update(uuid_spellings(digits))
    elif HEX.fullmatch(digits) and len(digits) == MAC_DIGITS:
        found.add(":".join(re.findall("..", digits)))
    return found
