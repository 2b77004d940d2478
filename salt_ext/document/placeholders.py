"""
Firmware strings that identify nothing.

Boards leave the factory with "To be filled by O.E.M.", "0123456789" or the
name of the field itself where a serial number should be. Every ``why_not``
function here returns a sentence that says why a value identifies nothing, or None
when it may identify something. In doubt a value is kept: two machines with the
same serial number are noticed later, but a rejected good one is never noticed.
"""

from __future__ import annotations

from itertools import pairwise
from operator import sub

MAX_LENGTH = 128
"""No maker prints a longer serial number, and a key must fit a database index."""

WORDS = (
    "|n/a|na|none|null|nil|(null)|(null string)|unknown|unknow|undefined|not defined|invalid"
    "|empty|[empty]|void|blank|no dimm|no asset tag|no asset information|no serial"
    "|no serial number|none provided|default|default string|defaultstring|$(default_string)"
    "|standard|oem|oem_serial|oem default string000|mkf_oem_smbios_default_string|fill by oem"
    "|unspecified|none specified|unpopulated|absent|missing|reserved|no memory"
    "|tbd|tbd by oem|tbd by odm|eval|iatpass|tulip computers|nnnnnnn|sample|test|<bad index>"
    "|<out of spec>|*|x|xx|xxx|sn-12345|1234|12345|123456|1234567|"
)

BRACKETS = "[]()<>{}"  # as in "[N/A]" and "(null)"

PHRASES = (
    "to be filled",
    "to be defined",
    "tobefilled",
    "filled by",
    "not specified",
    "not available",
    "not applicable",
    "not provided",
    "not present",
    "not installed",
    "not populated",
    "no module installed",
    "not settable",
    "not supported",
    "not set",
    "not used",
    "no specified",
    "oem define",
    "oem_define",
    "oem-define",
)

OWNERS = ("", "system", "chassis", "baseboard", "board", "mb", "enclosure", "product", "oemchassis")
FIELDS = (
    "assettag",
    "chassislocation",
    "boardchassislocation",
    "family",
    "manufacturer",
    "name",
    "productname",
    "serial",
    "serialno",
    "serialnum",
    "serialnumb",
    "serialnumber",
    "sernum",
    "sn",
    "s/n",
    "sku",
    "skunumber",
    "version",
)
FIELD_NAMES = frozenset(owner + field for owner in OWNERS for field in FIELDS)
WITHOUT_MARKS = str.maketrans("", "", " -_.:#")
TEMPLATES = ("asset", "assettag", "moduleserial", "moduleserialnumber", "serial", "sernum", "tag")

TEMPLATES_OF_SLOTS = ("sernum", "serialnum", "assettag")
"""How the last word of "A1_SerNum0" and "DIMM0_AssetTagNum" begins."""

SEPARATORS = str.maketrans("", "", " -:.")
RISING = "0123456789" * 4
FALLING = "9876543210" * 4
RUNS = ("12345678", "87654321", "0123456789abcdef", "abcdefgh")
LABELS = ("sn", "s/n", "serial", "serialno", "serialnumber")
"""What stands before a serial number in some firmware, as in "SN: 000001"."""

JOKES = ("bad", "dead", "deadbeef", "badf00d", "baadf00d", "badc0de", "badcafe", "cafebabe")
"""Words of hexadecimal digits that programmers leave where a number is missing."""

BY_HYPERVISORS = (
    "qm000",
    "drive-ide",
    "drive-sata",
    "drive-scsi",
    "drive-virtio",
    "local-nvme-ssd-",
    "local-ssd-",
    "nvme_card",
    "persistent-disk-",
    "vmware nvme",
)
"""How the numbers begin that hypervisors and clouds give to the disks of every guest."""

UUIDS = {
    "03000200-0400-0500-0006-000700080009": "the example UUID of a firmware kit",
    "03020100-0504-0706-0809-0a0b0c0d0e0f": "the example UUID of a firmware kit",
    "10000000-0000-8000-0040-000000000000": "a UUID that many unrelated boards carry",
    "6ab5b300-538d-1014-9fb5-b0684d007b53": "a UUID that many unrelated boards carry",
    "deadbeef-dead-beef-dead-beefdeadbeef": "a UUID made up by hand",
    "12345678-1234-5678-90ab-cddeefaabbcc": "a UUID made up by hand",
}

COUNTED_DIGITS, COUNTED_OCTETS = 23, 10
"""So many of 31 steps from digit to digit, or of 15 from octet to octet: no accident."""

HEXADECIMAL = frozenset("0123456789abcdef")
UP = frozenset((*pairwise("0123456789abcdef0"), ("9", "0")))
DOWN = frozenset((other, one) for one, other in UP)
ALIKE = frozenset((digit, digit) for digit in "123456789abcde")
"""The steps from digit to digit where somebody counts or repeats."""
STEPS = UP | DOWN | ALIKE

MAC_PREFIXES = {
    "00:50:56:c0:": "the address of a VMware network on a desktop, not of a card",
    "0a:00:27:": "the address of a VirtualBox host-only network, not of a card",
    "00:1a:ca:ff:ff:": "the address by which every BlueField talks to its host",
    "02:80:37:ec:02:00": "the address that all modems of one maker share",
    "20:41:53:59:4e:": "the address of a dial-up adapter, not of a card",
    "50:50:54:50:30:": "the address of a tunnel, not of a card",
    "33:50:6f:45:30:": "the address of a tunnel, not of a card",
}


def why_not_text(value: str) -> str | None:
    """Return why a name, a maker or an asset tag is only a placeholder, or None."""
    text = " ".join(value.lower().split())
    if not any(map(str.isalnum, text)):
        return "it is blank or punctuation only"
    bare = text.strip(BRACKETS)
    if _is_left(text) or (bare != text and _is_left(bare)) or "o.e.m" in text:
        return "it is a placeholder that the firmware's maker left in place"
    if _is_field_name(text):
        return "it is the name of the field, not a value"
    return None


def _is_left(text: str) -> bool:
    """Whether a text is one that the firmware's maker left in place."""
    return f"|{text}|" in WORDS or text.startswith(PHRASES)


def is_instruction(value: str) -> bool:
    """
    Whether a serial number tells cloud-init where to take its data from, and names no machine.

    Virtual machines are given such ones, as ``ds=nocloud;s=http://10.0.0.1/secret/``.
    """
    return value.lstrip()[:3].lower() == "ds="


def why_not_serial(value: str) -> str | None:
    """Return why a serial number or an asset tag cannot identify anything, or None."""
    if reason := why_not_text(value):
        return reason
    if is_instruction(value):
        return "it is an instruction to cloud-init, not a number"
    if len(value) > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} characters"
    if " " in value.strip() and not any(map(str.isdigit, value)):
        return "it is words without a digit"
    text = value.lower()
    if text.startswith(BY_HYPERVISORS):
        return "it is the number that a hypervisor gives to a disk of every guest"
    bare = text if text.isalnum() else "".join(filter(str.isalnum, _without_label(text)))
    bare = bare.removeprefix("0x")
    letters = set(bare)
    if len(letters) == 1:
        return "it is one character repeated"
    if letters <= {"0", "1"}:
        return "it is made of zeros and ones only"
    if any(run in bare for run in RUNS) or (len(bare) >= 4 and (bare in RISING or bare in FALLING)):
        return "it counts up or down"
    if bare.isdigit() and (len(bare) < 4 or len(bare.lstrip("0")) < 3):
        return "it is a number too short to be one of a kind"
    if bare.strip("0") in JOKES:
        return "it is a word made of hexadecimal digits"
    return None


def _without_label(text: str) -> str:
    label, _, rest = text.replace(":", " ").partition(" ")
    return rest if label in LABELS and rest.strip() else text


def why_not_uuid(value: str) -> str | None:
    """Return why a UUID cannot identify a machine, or None."""
    digits = value.strip().lower().replace("-", "")
    if len(digits) != 32 or not HEXADECIMAL.issuperset(digits):
        return "it is not a UUID"
    if len(set(digits)) <= 2:
        return "it is one or two digits repeated"
    spellings = uuid_spellings(value)
    for spelling in spellings:
        if reason := UUIDS.get(spelling):
            return reason
    if any(_is_counted(spelling.replace("-", "")) for spelling in spellings):
        return "it counts up or down"
    return None


def _is_counted(digits: str) -> bool:
    """
    Whether somebody typed a UUID by counting: ``00112233-...``, ``11111111-2222-...``.

    In a random one, four digits of 31 are like the one before or the next higher one.
    Nearly all are where somebody counted. Runs of 0 and of f are only the filling
    before a good number.
    """
    octets = bytes.fromhex(digits)
    if [*map(sub, octets[1:], octets)].count(1) >= COUNTED_OCTETS:
        return True
    pairs = [*pairwise(digits)]
    if sum(map(STEPS.__contains__, pairs)) < COUNTED_DIGITS:
        return False  # as nearly all are, whichever way the steps go
    up, down, alike = (sum(map(steps.__contains__, pairs)) for steps in (UP, DOWN, ALIKE))
    return max(up, down) + alike >= COUNTED_DIGITS


def why_not_mac(value: str) -> str | None:
    """Return why a hardware address cannot identify a network card, or None."""
    text = value.strip().lower()
    octets = text.split(":")
    if (
        len(octets) not in (6, 8)
        or any(len(octet) != 2 for octet in octets)
        or not HEXADECIMAL.issuperset("".join(octets))
    ):
        return "it is not a hardware address"
    if len(set(octets)) == 1:
        return "it is one octet repeated"
    for prefix, reason in MAC_PREFIXES.items():
        if text.startswith(prefix):
            return reason
    if len(octets) == 6 and int(octets[0], 16) & 1:
        return "it is a group address"
    return None


def is_unset(name: str) -> bool:
    """
    Whether a worldwide name or UUID is hardly more than zeros.

    It has two digits only, or its maker's part only, or no maker: ``5000000000000001``, for
    in the types 5 and 6 of SPC-4 the maker's number follows the first digit. Of 16 digits the
    maker chooses the last ones. Of 32 an array may count its units there, from 0.
    """
    digits = name.translate(SEPARATORS)
    if len(set(digits)) <= 2 or not digits[8:].strip("0"):
        return True
    return digits[0] in "56" and len(digits) in (16, 32) and not digits[1:7].strip("0")


def uuid_spellings(value: str) -> tuple[str, str]:
    """
    Return a UUID as it is, and with the bytes of its first three fields reversed; lower case.

    Firmware before SMBIOS 2.6 and some hypervisors write those fields in the
    other byte order, so one machine can show either spelling.
    """
    digits = value.strip().lower().replace("-", "")
    d = digits
    swapped = d[6:8] + d[4:6] + d[2:4] + d[:2] + d[10:12] + d[8:10] + d[14:16] + d[12:14] + d[16:]
    return _hyphenated(digits), _hyphenated(swapped)


def _hyphenated(digits: str) -> str:
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _is_field_name(text: str) -> bool:
    """Whether a value is a field's own name, such as "Type2 - Board Serial Number"."""
    word = text.translate(WITHOUT_MARKS)
    if word[:4] == "type" and word[4:5].isdigit():
        word = word[5:]
    stem = word.rstrip("0123456789x")
    rest = word[len(stem) :]
    # "SerNum00" is a template; "SN0012345" may be somebody's serial number.
    slot, _, field = text.rpartition("_")
    return (
        word in FIELD_NAMES
        or (slot != "" and field.startswith(TEMPLATES_OF_SLOTS))
        or (stem in FIELD_NAMES and len(set(rest)) == 1)
        or (stem in TEMPLATES and 1 <= len(rest) <= 2)
    )
