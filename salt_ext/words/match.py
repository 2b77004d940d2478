"""
Which machine a row of people's list means: the one rule, for every command that reads such a list.

A row means the machine with its serial number or, where that finds nothing, with
its name. Case makes no difference, nor do wide letters, blanks and characters that
nobody sees. Leading zeros of a serial number may be missing, because spreadsheets drop
them, and so may its last digits, because they round; the domain of a name may be
missing, because people drop it. A row that could mean several machines means none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

Machine = Mapping[str, Any]
"""An asset with its ``sn``, ``minion_id`` and ``hostname``."""

NOTHING = frozenset(
    (
        *("", "-", "--", "---", "/", "\\", "?", "n/a", "na", "#n/a", "none", "null", "nil", "tbd"),
        *(
            "#ref!",
            "#value!",
            "#name?",
            "unknown",
            "无",
            "暂无",
            "未知",
            "待定",
            "待补",
            "空",
            "没有",
            "不详",
        ),
    )
)
"""What people write, in lower case, where they know nothing."""

SIGNS = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        "\u00d7": "x",
        "\u2715": "x",
    }
)
"""The signs that a machine has for those that people have: dashes, and the sign of times."""

QUOTES = "'`\"\u2018\u2019\u201c\u201d"
INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
INTEGER = re.compile(r"(\d{1,40})\.0+")
NUMBER = re.compile(r"\d{1,40}(?:\.\d{1,40})?(?:e\+?\d{1,2})?")

EXACT_DIGITS = 15
"""A spreadsheet keeps no more of a number."""

ROUNDED_DIGITS = 6
"""A number with fewer digits, such as ``1.2E+10``, could be too many others."""


class Said(NamedTuple):
    """A row of people's list: its number in the sheet, its values by our fields, its sheet."""

    number: int
    values: Mapping[str, Any]
    sheet: str = ""


class Match(NamedTuple):
    """
    The machine that a row means, or None, and why.

    ``is_repeated`` is true when a row before it means the same machine.
    """

    machine: Machine | None
    why: str
    is_repeated: bool = False


def text(value: Any) -> str:
    """
    Return a cell as the text that people see in it.

    12345.0 is a serial number that a spreadsheet took for a number, and midnight is the
    time of a day that was written without one.
    """
    if isinstance(value, float):
        exact = f"{value:.{EXACT_DIGITS}g}"
        value = int(Decimal(exact)) if value.is_integer() else exact
    elif isinstance(value, datetime):
        return value.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    shown = "" if value is None else str(value)
    return (shown if shown.isascii() else INVISIBLE.sub("", shown)).strip()


def is_blank(value: Any) -> bool:
    """Whether a cell says nothing: it is empty, or has a word for that."""
    return not spelled(value)


def narrow(value: Any) -> str:
    """Return a serial number or name as a machine would write it; blank where nothing is known."""
    shown = text(value)
    if not shown.isascii():
        shown = unicodedata.normalize("NFKC", shown).translate(SIGNS)
    if shown.casefold() in NOTHING:
        return ""
    whole = INTEGER.fullmatch(shown)
    return " ".join((whole[1] if whole else shown.strip(QUOTES)).split())


def spelled(value: Any) -> str:
    """Return a serial number or name without what makes no difference: case, wide letters."""
    return narrow(value).casefold()


def row_key(values: Mapping[str, Any]) -> str:
    """Return the key of a row in its list: its SN, or else its name; blank without both."""
    if sn := spelled(values.get("sn")):
        return f"sn {sn}"
    name = spelled(name_of(values))
    return f"name {name}" if name else ""


def name_of(values: Mapping[str, Any]) -> str:
    """Return what a row calls its machine."""
    return narrow(values.get("minion_id")) or narrow(values.get("hostname"))


def named(values: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the SN and the name that a row gives."""
    return narrow(values.get("sn")) or None, name_of(values) or None


def bare(sn: Any) -> str:
    """Return a serial number without case, blanks and leading zeros."""
    return spelled(sn).replace(" ", "").lstrip("0")


def same_sn(said: Any, reported: Any) -> bool:
    """Whether what people wrote may be the serial number that a machine reports."""
    if bare(said) == bare(reported):
        return True
    sn = spelled(said)
    digits = rounded_to(sn)
    return digits > 0 and not numbers(sn, digits).isdisjoint(numbers(spelled(reported), digits))


def rounded_to(sn: str) -> int:
    """Return how many digits a spreadsheet has left of a serial number, 0 when it is whole."""
    found = NUMBER.fullmatch(sn)
    if found is None:
        return 0
    if "e" in sn:
        digits = len(sn.partition("e")[0].replace(".", "").rstrip("0"))
        return digits if digits >= ROUNDED_DIGITS else EXACT_DIGITS
    is_long = sn.isdigit() and len(sn) > EXACT_DIGITS and sn.endswith("0")
    return EXACT_DIGITS if is_long else 0


def numbers(sn: str, digits: int) -> set[str]:
    """Return what a spreadsheet may make of a serial number: rounded, or cut off, or nothing."""
    if not NUMBER.fullmatch(sn):
        return set()
    cut = sn[:digits].ljust(len(sn), "0") if sn.isdigit() else sn
    return {f"{float(one):.{digits - 1}e}" for one in (sn, cut)}


def short(name: Any) -> str:
    """Return a name without case and domain; an IP address has no domain."""
    whole = spelled(name).rstrip(".")
    return whole if whole.replace(".", "").isdigit() else whole.partition(".")[0]


def same_name(one: Any, other: Any) -> bool:
    """Whether two names may mean one machine: one may lack the domain that the other has."""
    first, second = spelled(one).rstrip("."), spelled(other).rstrip(".")
    return first == second or first == short(second) or short(first) == second


def match(rows: Sequence[Said], machines: Sequence[Machine]) -> list[Match]:
    """
    Return for each row which machine it means.

    One row at most means a machine; a later row with the same SN is a repetition.
    """
    known = _Known(machines)
    found: dict[int, Match] = {}
    first: dict[str, int] = {}
    for place, row in enumerate(rows):
        key = known.row_key(row.values)
        if key in first:
            word = "SN" if key.startswith("sn ") else "name"
            reason = f"the same {word} as in {_called(rows[first[key]], row)}"
            found[place] = Match(None, reason, True)
        elif key:
            first[key] = place
    meant: dict[int, int] = {}
    for look in (known.by_sn, known.by_name):
        for place, row in enumerate(rows):
            if place in found:
                continue
            machine, why = look(row.values)
            if machine is None:
                continue
            if id(machine) not in meant:
                meant[id(machine)] = place
                found[place] = Match(machine, why)
            elif look == known.by_sn:
                before = _called(rows[meant[id(machine)]], row)
                found[place] = Match(machine, f"means the same machine as {before}", True)
    return [
        found[place] if place in found else Match(None, known.why_not(row.values))
        for place, row in enumerate(rows)
    ]


def _lost(said: str, reported: Any) -> str:
    """Return what happened to a serial number on its way into the file."""
    if bare(said) != bare(reported):
        return "the file has it as a rounded number"
    if spelled(reported).endswith(said):
        return "the file lost its leading zeros"
    return "the file has it with other zeros or blanks"


def _is_called(machine: Machine, name: str) -> bool:
    return any(same_name(name, machine[key]) for key in ("minion_id", "hostname") if machine[key])


def _called(row: Said, other: Said) -> str:
    """Return what a row is called where another row is told of."""
    return f"row {row.number}" + (f" of {row.sheet}" if row.sheet != other.sheet else "")


class _Known:
    """The machines by their serial numbers and names."""

    def __init__(self, machines: Iterable[Machine]) -> None:
        self.sns: dict[str, list[Machine]] = {}
        self.bare: dict[str, list[Machine]] = {}
        self.numbers: dict[int, dict[str, list[Machine]]] = {}
        """By serial numbers that were rounded, for each number of digits that was asked for."""
        self.names: dict[str, list[Machine]] = {}
        self.without_domain: dict[str, list[Machine]] = {}
        """Of names with a domain, by what stands before it."""
        for one in machines:
            if sn := spelled(one["sn"]):
                self.sns.setdefault(sn, []).append(one)
                self.bare.setdefault(bare(sn), []).append(one)
            names = {spelled(one[key]) for key in ("minion_id", "hostname")}
            for name in names:
                self.names.setdefault(name, []).append(one)
            for name in {short(name) for name in names} - names:
                self.without_domain.setdefault(name, []).append(one)

    def row_key(self, values: Mapping[str, Any]) -> str:
        """Return the key of a row; an SN that several machines have is none without the name."""
        key = row_key(values)
        is_shared = len(self.sns.get(spelled(values.get("sn")), ())) > 1
        return f"{key} {spelled(name_of(values))}" if is_shared else key

    def by_sn(self, values: Mapping[str, Any]) -> tuple[Machine | None, str]:
        sn = spelled(values.get("sn"))
        if not sn:
            return None, ""
        if same := self.sns.get(sn, []):
            if len(same) > 1:  # then the name tells which of them
                same = [one for one in same if _is_called(one, name_of(values))]
            return (same[0], "") if len(same) == 1 else (None, "")
        for same in (self.bare.get(bare(sn), []), self._rounded(sn)):
            if len(same) == 1:
                return same[0], f"the SN is {same[0]['sn']}: {_lost(sn, same[0]['sn'])}"
        return None, ""

    def _rounded(self, sn: str) -> list[Machine]:
        """Return the machines whose serial number a spreadsheet would write so."""
        if not (digits := rounded_to(sn)):
            return []
        if digits not in self.numbers:
            by_number = self.numbers[digits] = {}
            for one, machines in self.sns.items():
                for written in numbers(one, digits):
                    by_number.setdefault(written, []).extend(machines)
        found = (self.numbers[digits].get(one, []) for one in numbers(sn, digits))
        return max(found, key=len)

    def by_name(self, values: Mapping[str, Any]) -> tuple[Machine | None, str]:
        for field in ("minion_id", "hostname"):
            name = spelled(values.get(field)).rstrip(".")
            # Another domain is another machine: only one of both may lack it.
            for names, key in (
                (self.names, name),
                (self.without_domain, name),
                (self.names, short(name)),
            ):
                if key and len(same := names.get(key, [])) == 1:
                    return same[0], f"found by its name {text(values[field])}"
        return None, ""

    def why_not(self, values: Mapping[str, Any]) -> str:
        """Return why a row means no machine."""
        machine, _ = self.by_name(values)
        if machine is not None:
            name = machine["minion_id"] or machine["hostname"]
            return f"in the file only; {name} is the machine with SN {machine['sn'] or 'none'}"
        if not row_key(values):
            return "the row has neither SN nor name"
        sn = spelled(values.get("sn"))
        if len(self.sns.get(sn, [])) > 1:
            return "several machines report this SN"
        if rounded_to(sn):
            return "in the file only; the SN is a number that a spreadsheet rounds: make it text"
        return "in the file only: no machine reports this SN or name"
