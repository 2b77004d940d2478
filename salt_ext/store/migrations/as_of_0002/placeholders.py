"""
Firmware strings that name nothing, as step 0002 knows them.

All functions take a text in lower case.
"""

from __future__ import annotations

LONGEST = 128

WORDS = (
    "|n/a|na|none|null|nil|(null)|(null string)|unknown|unknow|undefined|not defined|invalid"
    "|empty|[empty]|void|blank|no dimm|no asset tag|no asset information|no serial"
    "|no serial number|none provided|default|default string|defaultstring|$(default_string)"
    "|standard|oem|oem_serial|oem default string000|mkf_oem_smbios_default_string|fill by oem"
    "|tbd|tbd by oem|tbd by odm|eval|iatpass|tulip computers|nnnnnnn|sample|test|<bad index>"
    "|<out of spec>|*|x|xx|xxx|sn-12345|1234|12345|123456|1234567|"
)

PHRASES = (
    *("to be filled", "to be defined", "tobefilled", "filled by", "not specified"),
    *("not available", "not applicable", "not provided", "not present", "not installed"),
    *("not settable", "not supported", "not set", "not used", "no specified"),
    *("oem define", "oem_define", "oem-define"),
)

OWNERS = ("", "system", "chassis", "baseboard", "board", "mb", "enclosure", "product", "oemchassis")
FIELDS = (
    *("assettag", "chassislocation", "boardchassislocation", "family", "manufacturer", "name"),
    *("productname", "serial", "serialno", "serialnum", "serialnumb", "serialnumber", "sernum"),
    *("sn", "s/n", "sku", "skunumber", "version"),
)
FIELD_NAMES = frozenset(owner + field for owner in OWNERS for field in FIELDS)
WITHOUT_MARKS = str.maketrans("", "", " -_.:#")
TEMPLATES = ("asset", "assettag", "moduleserial", "moduleserialnumber", "serial", "sernum", "tag")

RISING = "0123456789" * 4
FALLING = "9876543210" * 4
RUNS = ("12345678", "0123456789abcdef", "abcdefgh")

UUIDS = (
    "03000200-0400-0500-0006-000700080009",
    "03020100-0504-0706-0809-0a0b0c0d0e0f",
    "10000000-0000-8000-0040-000000000000",
    "6ab5b300-538d-1014-9fb5-b0684d007b53",
    "deadbeef-dead-beef-dead-beefdeadbeef",
    "12345678-1234-5678-90ab-cddeefaabbcc",
)

HEXADECIMAL = frozenset("0123456789abcdef")

MAC_PREFIXES = (
    *("00:50:56:c0:", "0a:00:27:", "02:80:37:ec:02:00", "20:41:53:59:4e:"),
    *("50:50:54:50:30:", "33:50:6f:45:30:"),
)


def is_no_name(text: str) -> bool:
    """Whether a name or a maker says nothing."""
    text = " ".join(text.split())
    return (
        not any(map(str.isalnum, text))
        or f"|{text}|" in WORDS
        or "o.e.m" in text
        or text.startswith(PHRASES)
        or _is_field_name(text)
    )


def is_no_serial(text: str) -> bool:
    """Whether a serial number cannot identify anything."""
    bare = "".join(filter(str.isalnum, text))
    letters = set(bare)
    return (
        is_no_name(text)
        or len(text) > LONGEST
        or len(letters) == 1
        or letters <= {"0", "1"}
        or any(run in bare for run in RUNS)
        or (len(bare) >= 4 and (bare in RISING or bare in FALLING))
        or (len(bare) < 4 and bare.isdigit())
    )


def is_no_uuid(text: str) -> bool:
    """Whether a UUID cannot identify a machine."""
    digits = text.replace("-", "")
    return (
        len(digits) != 32
        or not HEXADECIMAL.issuperset(digits)
        or len(set(digits)) <= 2
        or any(spelling in UUIDS for spelling in uuid_spellings(text))
    )


def is_no_mac(text: str) -> bool:
    """Whether a hardware address cannot identify a network card."""
    octets = text.split(":")
    return (
        len(octets) not in (6, 8)
        or any(len(octet) != 2 for octet in octets)
        or not HEXADECIMAL.issuperset("".join(octets))
        or len(set(octets)) == 1
        or text.startswith(MAC_PREFIXES)
        or (len(octets) == 6 and int(octets[0], 16) & 1 == 1)
    )


def uuid_spellings(text: str) -> tuple[str, str]:
    """Return a UUID as it is and with its first three fields byte-swapped."""
    d = text.replace("-", "")
    swapped = d[6:8] + d[4:6] + d[2:4] + d[:2] + d[10:12] + d[8:10] + d[14:16] + d[12:14] + d[16:]
    return _hyphenated(d), _hyphenated(swapped)


def _hyphenated(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _is_field_name(text: str) -> bool:
    """Whether a value is a field's own name, such as "Type2 - Board Serial Number"."""
    word = text.translate(WITHOUT_MARKS)
    if word[:4] == "type" and word[4:5].isdigit():
        word = word[5:]
    stem = word.rstrip("0123456789x")
    rest = word[len(stem) :]
    return (
        word in FIELD_NAMES
        or (stem in FIELD_NAMES and len(set(rest)) == 1)
        or (stem in TEMPLATES and 1 <= len(rest) <= 2)
    )
