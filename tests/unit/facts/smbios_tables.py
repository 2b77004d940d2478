"""SMBIOS tables for the tests: built by field, or taken out of a dmidecode dump."""

import struct


def structure(kind, length, fields=(), strings=(), handle=0):
    """
    Return one structure of ``length`` formatted bytes.

    ``fields`` maps an offset to bytes, to an integer of one byte, or to a
    string, which goes into the string set and leaves its number behind.
    """
    data = bytearray(length)
    data[:4] = struct.pack("<BBH", kind, length, handle)
    texts = list(strings)
    for offset, value in dict(fields).items():
        if isinstance(value, str):
            texts.append(value)
            value = len(texts)
        raw = bytes([value]) if isinstance(value, int) else value
        data[offset : offset + len(raw)] = raw
    tail = b"".join(text.encode("utf-8", "surrogateescape") + b"\0" for text in texts) or b"\0"
    return bytes(data) + tail + b"\0"


END = structure(127, 4, handle=0xFEFF)


def word(value):
    return struct.pack("<H", value)


def dword(value):
    return struct.pack("<I", value)


def qword(value):
    return struct.pack("<Q", value)


def entry_point_32(table, version=(2, 8), count=0):
    entry = bytearray(b"_SM_\0\x1f" + bytes(version) + bytes(8) + b"_DMI_\0")
    entry += struct.pack("<HIHB", len(table), 32, count, version[0] << 4 | version[1] & 15)
    entry[0x15] = -sum(entry[0x10:]) & 0xFF
    entry[4] = -sum(entry) & 0xFF
    return bytes(entry)


def entry_point_64(table, version=(3, 3)):
    entry = bytearray(b"_SM3_\0\x18" + bytes(version) + b"\0\x01\0")
    entry += struct.pack("<IQ", len(table), 32)
    entry[5] = -sum(entry) & 0xFF
    return bytes(entry)


def entry_point_legacy(table, version=(2, 0), count=0):
    entry = bytearray(b"_DMI_\0" + struct.pack("<HIHB", len(table), 32, count, version[0] << 4))
    entry[14] |= version[1]
    entry[5] = -sum(entry) & 0xFF
    return bytes(entry)


def machine(tree, table, entry=None):
    """Lay a table out below ``tree`` as the kernel shows it."""
    directory = tree / "sys/firmware/dmi/tables"
    directory.mkdir(parents=True)
    (directory / "DMI").write_bytes(table)
    (directory / "smbios_entry_point").write_bytes(entry or entry_point_64(table))


def split_dump(dump):
    """
    Return (entry point or None, table) of a dump.

    ``dmidecode --dump-bin`` puts the table where the entry point says, Windows
    puts eight bytes with version and length before it, and a bare table begins
    with its first structure.
    """
    if dump.startswith(b"_SM3_"):
        size, (length, address) = dump[6], struct.unpack_from("<IQ", dump, 0x0C)
    elif dump.startswith(b"_SM_"):
        size, (length, address) = dump[5], struct.unpack_from("<HI", dump, 0x16)
    elif dump.startswith(b"_DMI_"):
        size, (length, address) = 15, struct.unpack_from("<HI", dump, 6)
    elif len(dump) > 8 and struct.unpack_from("<I", dump, 4)[0] == len(dump) - 8:
        return entry_point_64(dump[8:], (dump[1], dump[2])), dump[8:]
    else:
        return None, dump
    if address >= len(dump):  # of the machine's memory, not of the file
        address = 32
    return dump[:size], dump[address : address + length]
