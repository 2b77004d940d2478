"""
What a machine says of itself, as it may be said again: on its console and in the log.
"""

from __future__ import annotations

import re

from salt_ext.document.placeholders import why_not_serial

NOT_PLAIN = re.compile(r"[^A-Za-z0-9.,_:/+-]")
LONGEST = 64


def plain(text: object) -> str:
    """Return a text as one word, in which nothing means anything to iPXE or a shell."""
    return NOT_PLAIN.sub("?", str(text)[:LONGEST])


def plain_serial(serial: str) -> str:
    """Return a serial number as it may be shown; a reason for one that is none."""
    if reason := why_not_serial(serial):
        return f"(not shown: {reason.removeprefix('it is ')})" if serial else ""
    if "@" in serial or "://" in serial:
        return "(not shown: an address)"
    return plain(serial)
