"""
Names for PCI numbers, from the machine's own ``pci.ids``.

The file is larger (1.4 MB) than what ``Root`` reads, so it is read here, with a
limit of its own. Its path is resolved by ``Root`` like that of every other file.
The text is searched once, only for the numbers that are wanted.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from salt_ext.facts.root import Root

FILES = ("/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids")
LIMIT_BYTES = 2 << 20
TAB, HASH, NEWLINE = b"\t#\n"


def names(root: Root, wanted: Mapping[str, Collection[str]]) -> dict[str, str]:
    """
    Return the names of vendors and classes, and of the devices and subclasses below them.

    ``wanted`` maps a heading, such as ``8086`` or ``C 02``, to the numbers below
    it: ``{"8086": ["1572"]}``. The answer has keys such as ``8086`` and
    ``8086 1572``; it is empty on a machine without the file.
    """
    for path in FILES:
        where = root.real(path)
        data = _read(root.path + where) if where else b""
        if data:
            return search(data, wanted)
    return {}


def search(data: bytes, wanted: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return the names of the wanted numbers in the text of a ``pci.ids``."""
    found: dict[str, str] = {}
    data = b"\n" + data
    after = 0
    # The file has this order: vendors by number, then classes.
    for heading in sorted(wanted, key=lambda heading: (heading[:2] == "C ", heading)):
        start = data.find(f"\n{heading}  ".encode(), after)
        if start >= 0:
            after = _section(data, start + 1, heading, wanted[heading], found)
    return found


def _section(
    data: bytes, start: int, heading: str, numbers: Collection[str], found: dict[str, str]
) -> int:
    """Add the names of one section to ``found`` and return where it ends."""
    end = _line_end(data, start)
    found[heading] = _name(data, start + len(heading), end)
    left = {number.encode(): number for number in numbers}
    size = max(map(len, left), default=0)
    last = len(data) - 1
    while left and end < last:
        start = end + 1
        first = data[start]
        end = _line_end(data, start)
        if first == TAB:
            key = data[start + 1 : start + 1 + size]
            if key in left:
                found[f"{heading} {left.pop(key)}"] = _name(data, start + 1 + size, end)
        elif first not in (HASH, NEWLINE):
            return start - 1
    return end


def _line_end(data: bytes, start: int) -> int:
    end = data.find(b"\n", start)
    return end if end >= 0 else len(data)


def _name(data: bytes, start: int, end: int) -> str:
    return data[start:end].decode("utf-8", "replace").strip()


def _read(path: str) -> bytes:
    try:
        # The path is resolved already: if it is a link now, somebody has just put it there.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        chunks = []
        left = LIMIT_BYTES
        while left > 0 and (chunk := os.read(fd, left)):
            chunks.append(chunk)
            left -= len(chunk)
        return b"".join(chunks)
    except OSError:
        return b""
    finally:
        os.close(fd)
