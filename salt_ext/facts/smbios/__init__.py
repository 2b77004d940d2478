"""
SMBIOS: from bytes to structures (DMTF DSP0134, version 3.7).

Much firmware writes these tables badly: wrong counts, lengths and versions,
strings that are not there. So nothing here raises, whatever the bytes are: what
can be read is kept, and :attr:`Tables.problems` says what was wrong. The meaning of
the fields of a structure is in ``fields.py``.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from salt_ext.facts.root import Root

    Version = tuple[int, int]

DIRECTORY = "/sys/firmware/dmi/tables"
END_OF_TABLE = 127
HEADER_BYTES = 4
# Without an entry point the version is unknown; every table of the last fifteen
# years is newer than 2.6, the one version that changes the meaning of a field.
ASSUMED_VERSION = (3, 0)
# Wrong versions in the entry points of some firmware, and the right ones.
MISTAKEN_VERSIONS = {(2, 31): (2, 3), (2, 33): (2, 3), (2, 51): (2, 6)}


class EntryPoint:
    """What an entry point says of the table; ``length`` and ``count`` are None in version 3."""

    __slots__ = ("count", "length", "problems", "version")

    def __init__(self, version: Version, length: int | None, count: int | None) -> None:
        """Correct a version that some firmware gets wrong."""
        self.version = MISTAKEN_VERSIONS.get(version, version)
        self.length = length
        self.count = count
        self.problems: list[str] = []


class Structure:
    """One structure; to read a field beyond its end returns None."""

    __slots__ = ("_data", "_strings", "_tail", "handle", "type")

    def __init__(self, data: bytes, tail: bytes) -> None:
        """Take the formatted area and the strings, each but the last followed by a NUL."""
        self.type = data[0]
        self.handle = int.from_bytes(data[2:4], "little")
        self._data = data
        self._tail = tail
        self._strings: list[bytes] | None = None

    def __len__(self) -> int:
        """Return the length of the formatted area; it grows from version to version."""
        return len(self._data)

    def data(self, offset: int, length: int) -> bytes | None:
        """Return ``length`` bytes, or None when the structure ends before them."""
        end = offset + length
        return self._data[offset:end] if end <= len(self._data) else None

    def byte(self, offset: int) -> int | None:
        """Return an unsigned integer of one byte."""
        return self._data[offset] if offset < len(self._data) else None

    def word(self, offset: int) -> int | None:
        """Return an unsigned integer of two bytes."""
        return self._integer(offset, 2)

    def dword(self, offset: int) -> int | None:
        """Return an unsigned integer of four bytes."""
        return self._integer(offset, 4)

    def qword(self, offset: int) -> int | None:
        """Return an unsigned integer of eight bytes."""
        return self._integer(offset, 8)

    def text(self, offset: int) -> str | None:
        """Return the string whose number is at ``offset``, without surrounding blanks."""
        number = self.byte(offset)
        return self.string(number) if number else None

    def string(self, number: int) -> str | None:
        """Return a string by its number, from 1 on; None when there is no such string."""
        if self._strings is None:
            self._strings = self._tail.split(b"\0")
        if not 0 < number <= len(self._strings):
            return None
        return self._strings[number - 1].decode("utf-8", "replace").strip() or None

    def _integer(self, offset: int, width: int) -> int | None:
        data = self.data(offset, width)
        return None if data is None else int.from_bytes(data, "little")


class Tables:
    """The structures that were read, the SMBIOS version of the table, and what was wrong."""

    __slots__ = ("problems", "structures", "version")

    def __init__(self, version: Version) -> None:
        """Start without structures, as for a machine without SMBIOS."""
        self.version = version
        self.structures: list[Structure] = []
        self.problems: list[str] = []

    def of(self, kind: int) -> list[Structure]:
        """Return the structures of one type; inactive ones have a type of their own."""
        return [item for item in self.structures if item.type == kind]


def tables(root: Root) -> Tables:
    """Return the machine's tables; collectors share them by ``root.once(tables)``."""
    header = root.data(f"{DIRECTORY}/smbios_entry_point", 64)
    entry = None if header is None else entry_point(header)
    table = root.data(f"{DIRECTORY}/DMI")
    if table is None:
        return Tables(entry.version if entry else ASSUMED_VERSION)
    found = structures(table, entry.version if entry else ASSUMED_VERSION)
    if entry is None:
        found.problems.insert(0, "no valid entry point")
        return found
    found.problems[:0] = entry.problems
    if entry.length is not None and len(table) < entry.length:
        found.problems.append(f"{entry.length} bytes announced, {len(table)} there")
    if entry.count is not None and len(found.structures) != entry.count:
        found.problems.append(f"{entry.count} structures announced, {len(found.structures)} there")
    return found


def entry_point(data: bytes) -> EntryPoint | None:
    """Return what an entry point of one of the three kinds says; None when it is not one."""
    if data.startswith(b"_SM3_") and len(data) >= 0x18:
        # It has only the greatest length that the table may have, and no count.
        entry = EntryPoint((data[7], data[8]), None, None)
        length = data[6]
    elif data.startswith(b"_SM_") and len(data) >= 0x1E:
        entry = EntryPoint((data[6], data[7]), _word(data, 0x16), _word(data, 0x1C))
        length = data[5]
    elif data.startswith(b"_DMI_") and len(data) >= 0x0F:
        entry = EntryPoint((data[14] >> 4, data[14] & 15), _word(data, 6), _word(data, 12))
        length = 15
    else:
        return None
    if sum(data[:length]) & 0xFF:
        entry.problems.append("wrong checksum in the entry point")
    return entry


def structures(table: bytes, version: Version) -> Tables:
    """
    Return every structure up to the end-of-table structure.

    The length and the number of structures in the entry point are often wrong and
    are not used: a table ends at its end-of-table structure, at the first structure
    of an impossible length, or with its last byte.
    """
    found = Tables(version)
    position = 0
    while position + HEADER_BYTES <= len(table):
        length = _length(table, position)
        start = position + length  # of the strings
        if length < HEADER_BYTES:
            found.problems.append(f"a structure of {length} bytes at {position}")
            return found
        if start > len(table):
            found.problems.append(f"the structure at {position} is cut")
            return found
        end = table.find(b"\0\0", start)
        if end < 0:
            # A string without its NUL is dropped: half a serial number is a wrong one.
            tail = table[start:].rpartition(b"\0")[0]
            found.problems.append(f"the strings of the structure at {position} are cut")
            found.structures.append(Structure(table[position:start], tail))
            return found
        found.structures.append(Structure(table[position:start], table[start:end]))
        if table[position] == END_OF_TABLE:
            return found
        position = end + 2
    found.problems.append("the table ends without an end-of-table structure")
    return found


def _length(table: bytes, position: int) -> int:
    """Return the length of a structure's formatted area."""
    length = table[position + 1]
    if table[position] == 34 and length == 0x10:
        # Some firmware makes a Management Device five bytes too long: these are the
        # first five bytes of its first string.
        text = table[position + 0x0B : position + 0x10].partition(b"\0")[0]
        if text.isascii() and text and text.decode().isprintable():
            return 0x0B
    return length


def _word(data: bytes, offset: int) -> int:
    return int.from_bytes(data[offset : offset + 2], "little")
