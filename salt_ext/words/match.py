"""
Which machine a row of people's list means: the one rule, for every command that reads such a list.

A row means the machine with its serial number or, where that finds nothing, with
its name. Case makes no difference, nor do wide letters, blanks and characters that
nobody sees. Leading zeros of a serial number may be missing, because spreadsheets drop
them, and so may its last digits, because they round; the domain of a name may be
missing, because people drop it. A minion id, which Salt has authenticated, counts before a
host name, which any machine can give itself: what is the minion id of one machine or of
several is the host name of none. Where neither tells, the row means the machine that
shows its UUID or, where that finds nothing, one of its MACs, and neither another SN nor
another UUID than the row has: a network card moves, and an address can be anybody's. Nor does a
row with a key mean a machine by its name whose SN is another one and that has none of its keys:
a machine may be planned under the name of the one whose place it takes. A row that could mean
several machines means none, and so do rows that could mean one machine by the same key.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext.document.placeholders import why_not_serial
from salt_ext.words.cells import EXACT_DIGITS, narrow, spelled, text
from salt_ext.words.keys import good_macs, good_uuid, uuid_of

Machine = Mapping[str, Any]
"""
An asset with its ``sn``, ``minion_id`` and ``hostname``.

It may have ``uuids`` and ``macs``, the keys of its own that it shows now.
"""

NAMES = ("minion_id", "hostname")
"""The names of a machine, and of a row: the one that is trusted first."""

KEYS = ("uuid", "mac")
"""What else tells a machine; a key that several rows have tells of none of them."""

SUREST = ("sn", *NAMES, *KEYS)
"""By what a row means a machine, the surest first."""

SHARED_KEY = "its UUID or MAC is that of another row too"
"""What is told of a row whose key a row of another machine has."""

NUMBER = re.compile(r"\d{1,40}(?:\.\d{1,40})?(?:e\+?\d{1,2})?")

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

    ``is_repeated`` is true when a row before it means the same machine. ``by`` is what of the
    machine tells: its ``sn``, ``minion_id``, ``hostname``, ``uuid`` or ``mac``. It is
    ``minion_id`` too where the row means none because several have that name, or another row
    means the one that has it.
    """

    machine: Machine | None
    why: str
    is_repeated: bool = False
    by: str = ""


def row_key(values: Mapping[str, Any]) -> str:
    """Return the key of a row in its list: its SN, name, UUID or MAC; blank without all."""
    if sn := spelled(values.get("sn")):
        return f"sn {sn}"
    if name := spelled(name_of(values)):
        return f"name {name}"
    if uuid := good_uuid(values.get("uuid")):
        return f"UUID {uuid}"
    return next((f"MAC {mac}" for mac in good_macs(values.get("mac"))), "")


def shares_key(values: Mapping[str, Any], machine: Machine) -> bool:
    """Whether a machine shows the UUID of a row, or one of its MACs, and is no other machine."""
    is_same = good_uuid(values.get("uuid")) in map(uuid_of, machine.get("uuids") or ())
    has_mac = not set(good_macs(values.get("mac"))).isdisjoint(machine.get("macs") or ())
    return (is_same or has_mac) and not is_other(values, machine)


def is_other(values: Mapping[str, Any], machine: Machine) -> bool:
    """Whether a machine shows another SN than a row has, or another UUID; a placeholder is none."""
    uuid = good_uuid(values.get("uuid"))
    shown = {good_uuid(one) for one in machine.get("uuids") or ()} - {""}
    return has_other_sn(values, machine) or (bool(uuid and shown) and uuid not in shown)


def has_other_sn(values: Mapping[str, Any], machine: Machine) -> bool:
    """Whether a machine shows another SN than a row has; a placeholder is none."""
    sns = values.get("sn"), machine["sn"]
    are_good = all(spelled(sn) and not why_not_serial(text(sn)) for sn in sns)
    return are_good and not same_sn(*sns)


def is_namesake(values: Mapping[str, Any], machine: Machine) -> bool:
    """Whether a machine has another SN than a row, and other keys: so it has at most its name."""
    uuid, macs = good_uuid(values.get("uuid")), set(good_macs(values.get("mac")))
    uuids_shown = {good_uuid(one) for one in machine.get("uuids") or ()} - {""}
    macs_shown = set(machine.get("macs") or ())
    is_known = bool((uuid and uuids_shown) or (macs and macs_shown))
    shares = uuid in uuids_shown or not macs.isdisjoint(macs_shown)
    return is_known and not shares and has_other_sn(values, machine)


def with_shared_keys(rows: Iterable[Said]) -> Iterator[tuple[Said, str]]:
    """
    Yield each row that has a UUID or a MAC of a row before it, and says so in words.

    Such a key means no machine, so that nobody would be known by it.
    """
    first: dict[str, Said] = {}
    for row in rows:
        macs = (f"MAC {mac}" for mac in good_macs(row.values.get("mac")))
        uuid = good_uuid(row.values.get("uuid"))
        keys = dict.fromkeys([*([f"UUID {uuid}"] if uuid else []), *macs])
        if key := next((key for key in keys if key in first), ""):
            word = key.partition(" ")[0]
            yield row, f"the same {word} as in {_called(first[key], row)}: it means neither machine"
        for key in keys:
            first.setdefault(key, row)


def name_of(values: Mapping[str, Any]) -> str:
    """Return what a row calls its machine."""
    return next(filter(None, (narrow(values.get(field)) for field in NAMES)), "")


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
            word = "SN" if key.startswith("sn ") else key.partition(" ")[0]
            reason = f"the same {word} as in {_called(rows[first[key]], row)}"
            found[place] = Match(None, reason, True)
        elif key:
            first[key] = place
    meant: dict[int, int] = {}
    looks = (known.by_sn, known.by_minion_id, known.by_hostname, known.by_uuid, known.by_mac)
    for by, look in zip(SUREST, looks, strict=True):
        seen = [(place, *look(row.values)) for place, row in enumerate(rows) if place not in found]
        wanted = Counter(id(machine) for _, machine, _ in seen if machine is not None)
        for place, machine, why in seen:
            if machine is None or (by in KEYS and wanted[id(machine)] > 1):
                continue
            if id(machine) not in meant:
                meant[id(machine)] = place
                found[place] = Match(machine, why, by=by)
            elif by == "sn":
                before = _called(rows[meant[id(machine)]], rows[place])
                found[place] = Match(machine, f"means the same machine as {before}", True)
    return [
        found[place] if place in found else known.none(row.values) for place, row in enumerate(rows)
    ]


def _lost(said: str, reported: Any) -> str:
    """Return what happened to a serial number on its way into the file."""
    if bare(said) != bare(reported):
        return "the file has it as a rounded number"
    if spelled(reported).endswith(said):
        return "the file lost its leading zeros"
    return "the file has it with other zeros or blanks"


def _called_so(machines: Sequence[Machine], name: str) -> list[Machine]:
    """Return which of some machines have a name: as minion id, or else as host name."""
    for key in NAMES:
        if found := [one for one in machines if one[key] and same_name(name, one[key])]:
            return found
    return []


def _called(row: Said, other: Said) -> str:
    """Return what a row is called where another row is told of."""
    return f"row {row.number}" + (f" of {row.sheet}" if row.sheet != other.sheet else "")


def _one_called(
    values: Mapping[str, Any], found: Sequence[Machine], why: str
) -> tuple[Machine | None, str]:
    """Return the one machine that was found by the name of a row, unless it only has that name."""
    is_it = len(found) == 1 and not is_namesake(values, found[0])
    return (found[0], why) if is_it else (None, "")


class _Names:
    """The machines by one of their names: the minion id, or the host name."""

    def __init__(self, machines: Iterable[Machine], key: str) -> None:
        self.names: dict[str, list[Machine]] = {}
        self.without_domain: dict[str, list[Machine]] = {}
        """Of names with a domain, by what stands before it."""
        for one in machines:
            if name := spelled(one[key]).rstrip("."):
                self.names.setdefault(name, []).append(one)
                if short(name) != name:
                    self.without_domain.setdefault(short(name), []).append(one)

    def called(self, values: Mapping[str, Any]) -> tuple[list[Machine], str]:
        """Return the machines that have a name of a row, one where that can be told, and why."""
        several: list[Machine] = []
        for field in NAMES:
            name = spelled(values.get(field)).rstrip(".")
            # Another domain is another machine: only one of both may lack it.
            found = name and (
                self.names.get(name) or self.without_domain.get(name) or self.names.get(short(name))
            )
            if found and len(found) == 1:
                return found, f"found by its name {text(values[field])}"
            several = several or found or []
        return several, ""


class _Known:
    """The machines by their serial numbers and names."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.sns: dict[str, list[Machine]] = {}
        self.bare: dict[str, list[Machine]] = {}
        self.numbers: dict[int, dict[str, list[Machine]]] = {}
        """By serial numbers that were rounded, for each number of digits that was asked for."""
        self.minion_ids, self.hostnames = (_Names(machines, key) for key in NAMES)
        self.uuids: dict[str, list[Machine]] = {}
        self.macs: dict[str, list[Machine]] = {}
        for one in machines:
            for uuid in {uuid_of(uuid) for uuid in one.get("uuids") or ()}:
                self.uuids.setdefault(uuid, []).append(one)
            for mac in one.get("macs") or ():
                self.macs.setdefault(mac, []).append(one)
            if sn := spelled(one["sn"]):
                self.sns.setdefault(sn, []).append(one)
                self.bare.setdefault(bare(sn), []).append(one)

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
                same = _called_so(same, name_of(values))
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

    def by_minion_id(self, values: Mapping[str, Any]) -> tuple[Machine | None, str]:
        return _one_called(values, *self.minion_ids.called(values))

    def by_hostname(self, values: Mapping[str, Any]) -> tuple[Machine | None, str]:
        if self.minion_ids.called(values)[0]:
            return None, ""
        return _one_called(values, *self.hostnames.called(values))

    def by_uuid(self, values: Mapping[str, Any]) -> tuple[Machine | None, str]:
        found = [one for one in self._with_uuid(values) if not is_other(values, one)]
        return (found[0], "found by its UUID") if len(found) == 1 else (None, "")

    def by_mac(self, values: Mapping[str, Any]) -> tuple[Machine | None, str]:
        found = [one for one in self._with_macs(values) if not is_other(values, one)]
        return (found[0], "found by its MAC") if len(found) == 1 else (None, "")

    def _with_uuid(self, values: Mapping[str, Any]) -> list[Machine]:
        return self.uuids.get(good_uuid(values.get("uuid")), [])

    def _with_macs(self, values: Mapping[str, Any]) -> list[Machine]:
        """Return the machines that show a MAC of a row, each once."""
        macs = good_macs(values.get("mac"))
        return list({id(one): one for mac in macs for one in self.macs.get(mac, ())}.values())

    def none(self, values: Mapping[str, Any]) -> Match:
        """Return that a row means no machine, and why."""
        by_id, _ = self.minion_ids.called(values)
        called = by_id or self.hostnames.called(values)[0]
        return Match(None, self._why_not(values, called), by="minion_id" if by_id else "")

    def _why_not(self, values: Mapping[str, Any], called: Sequence[Machine]) -> str:
        """Return why a row means no machine; ``called`` are those that have its name."""
        if len(called) == 1:
            name, sn = called[0]["minion_id"] or called[0]["hostname"], called[0]["sn"]
            return f"in the file only; {name} is the machine with SN {sn or 'none'}"
        if not row_key(values):
            return "the row has no SN, name, UUID or MAC"
        sn = spelled(values.get("sn"))
        if len(self.sns.get(sn, [])) > 1:
            return "several machines report this SN"
        if rounded_to(sn):
            return "in the file only; the SN is a number that a spreadsheet rounds: make it text"
        if called:
            return "several machines have this name"
        if with_key := [*self._with_uuid(values), *self._with_macs(values)]:
            if all(is_other(values, one) for one in with_key):
                name = with_key[0]["minion_id"] or with_key[0]["hostname"]
                return f"in the file only; {name} has its UUID or MAC, but another SN or UUID"
            return "several machines, or another row, have this UUID or MAC"
        return "in the file only: no machine reports this SN or name"
