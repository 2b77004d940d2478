"""
Makers of memory by the numbers that JEDEC has given them (JEP106).

A module has the number of its maker, and much firmware writes that instead of the name,
in many forms: ``80AD``, ``0x2C00``, ``CE00``, ``7F98000000000000``, or the numbers of the
module, of its register and of its chips in one: ``00CE00B300CE``.
"""

from __future__ import annotations

PARITY, CODE = 0x80, 0x7F
CONTINUED = "7f"  # each such octet before the code leads to the next bank
HEXADECIMAL = frozenset("0123456789abcdef")

MAKERS = {
    0: {
        0x01: "AMD",
        0x04: "Fujitsu",
        0x09: "Intel",
        0x10: "NEC",
        0x18: "Kioxia",
        0x24: "IBM",
        0x2C: "Micron",
        0x2D: "SK Hynix",
        0x41: "Infineon",
        0x4E: "Samsung",
        0x5A: "Winbond",
    },
    1: {
        0x11: "Dataram",
        0x14: "SMART Modular",
        0x18: "Kingston",
        0x3A: "PNY",
        0x40: "Viking",
        0x4E: "Unigen",
        0x4F: "Transcend",
        0x7A: "Apacer",
    },
    2: {0x1E: "Corsair", 0x35: "SpecTek", 0x7E: "Elpida"},
    3: {0x0B: "Nanya", 0x13: "GeIL", 0x14: "Mushkin", 0x16: "Netlist", 0x25: "Kingmax"},
    4: {0x43: "Ramaxel", 0x48: "Powerchip", 0x4B: "A-DATA", 0x4D: "G.Skill", 0x6F: "Team Group"},
    5: {
        0x02: "Patriot",
        0x1B: "Crucial",
        0x3A: "Virtium",
        0x51: "Qimonda",
        0x77: "Avant",
    },
    6: {
        0x34: "Super Talent",
        0x41: "ASint",
        0x53: "Silicon Power",
        0x63: "ATP",
        0x69: "SanMax",
        0x71: "Innodisk",
    },
    7: {0x5D: "Wilk Elektronik", 0x6F: "Zentel"},
    8: {0x13: "Gloway", 0x18: "Essencore", 0x48: "Lenovo"},
    9: {0x03: "HPE", 0x4D: "Longsys"},
    10: {0x0F: "UniIC", 0x11: "CXMT", 0x48: "Advantech", 0x56: "Longsys", 0x76: "Lexar"},
    11: {0x12: "Kingbank", 0x73: "Inspur"},
    12: {0x1C: "PowerV", 0x2B: "Biwin", 0x68: "Rayson"},
}
"""The makers of modules and chips in servers: how many banks before theirs, and their code."""


def maker(text: str) -> str | None:
    """Return the maker whose number firmware has written, or None for any other text."""
    digits = text.lower().removeprefix("jedec id:").replace(" ", "").removeprefix("0x")
    if len(digits) < 4 or len(digits) % 2 or not HEXADECIMAL.issuperset(digits):
        return None
    after = 0
    while digits.startswith(CONTINUED, 2 * after):
        after += 1
    code = digits[2 * after : 2 * after + 2]
    rest = digits[2 * after + 2 :]
    if after or (len(digits) > 4 and set(rest) in ({"0"}, {"f"})):
        return _named(after, int(code, 16)) if code else None
    first, second = int(digits[:2], 16), int(digits[2:4], 16)
    # Either octet may be the first. Only one of the two readings is a maker's.
    return _named(first & CODE, second) or _named(second & CODE, first)


def of_word(number: int | None) -> str | None:
    """Return the maker by an SMBIOS field: the bank in the low octet, the code in the high one."""
    return None if number is None else _named(number & CODE, number >> 8)


def _named(bank: int, code: int) -> str | None:
    """Return the maker with a code; the number of ones in a code with its parity bit is odd."""
    return MAKERS.get(bank, {}).get(code & CODE) if bin(code).count("1") % 2 else None
