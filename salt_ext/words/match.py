"""
Which machine a row of people's list means: the one rule, for every command that reads such a list.

A row means the machine with its serial number or, where that finds nothing, with
its name. Case makes no difference. Leading zeros of a serial number may be
missing, because spreadsheets drop them, and so may the domain of a name, because
people do. A row that could mean several machines means none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

Machine = Mapping[str, Any]
"""An asset with its ``sn``, ``minion_id`` and ``hostname``."""


class Said(NamedTuple):
    """A row of people's list: its number in the sheet, and its values by our fields."""

    number: int
    values: Mapping[str, Any]


class Match(NamedTuple):
    """
    The machine that a row means, or None, and why.

    ``is_repeated`` is true when a row before it means the same machine.
    """

    machine: Machine | None
    why: str
    is_repeated: bool = False


def text(value: Any) -> str:
    """Return a cell as text: 12345.0 is a serial number that a spreadsheet took for a number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def row_key(values: Mapping[str, Any]) -> str:
    """Return the key of a row in its list: its SN, or else its name; blank without both."""
    if sn := text(values.get("sn")):
        return f"sn {sn.casefold()}"
    name = name_of(values)
    return f"name {name.casefold()}" if name else ""


def name_of(values: Mapping[str, Any]) -> str:
    """Return what a row calls its machine."""
    return text(values.get("minion_id")) or text(values.get("hostname"))


def named(values: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the SN and the name that a row gives."""
    return text(values.get("sn")) or None, name_of(values) or None


def bare(sn: Any) -> str:
    """Return a serial number without case and leading zeros."""
    return text(sn).casefold().lstrip("0")


def short(name: Any) -> str:
    """Return a name without case and domain; an IP address has no domain."""
    whole = text(name).casefold()
    return whole if whole.replace(".", "").isdigit() else whole.partition(".")[0]


def same_name(one: Any, other: Any) -> bool:
    """Whether two names may mean one machine: one may lack the domain that the other has."""
    first, second = text(one).casefold(), text(other).casefold()
    return first == second or first == short(second) or short(first) == second


def match(rows: Sequence[Said], machines: Sequence[Machine]) -> dict[int, Match]:
    """
    Return by the number of a row which machine it means.

    One row at most means a machine; a later row with the same SN is a repetition.
    """
    known = _Known(machines)
    found: dict[int, Match] = {}
    first: dict[str, int] = {}
    for row in rows:
        key = row_key(row.values)
        if key in first:
            word = "SN" if key.startswith("sn ") else "name"
            found[row.number] = Match(None, f"the same {word} as in row {first[key]}", True)
        elif key:
            first[key] = row.number
    meant: dict[int, int] = {}
    for look in (known.by_sn, known.by_name):
        for row in rows:
            if row.number in found:
                continue
            machine, why = look(row.values)
            if machine is None:
                continue
            if id(machine) not in meant:
                meant[id(machine)] = row.number
                found[row.number] = Match(machine, why)
            elif look == known.by_sn:
                reason = f"means the same machine as row {meant[id(machine)]}"
                found[row.number] = Match(machine, reason, True)
    for row in rows:
        if row.number not in found:
            found[row.number] = Match(None, known.why_not(row.values))
    return found


class _Known:
    """The machines by their serial numbers and names."""

    def __init__(self, machines: Iterable[Machine]) -> None:
        self.sns: dict[str, list[Machine]] = {}
        self.bare: dict[str, list[Machine]] = {}
        self.names: dict[str, list[Machine]] = {}
        self.without_domain: dict[str, list[Machine]] = {}
        """Of names with a domain, by what stands before it."""
        for one in machines:
            if sn := text(one["sn"]).casefold():
                self.sns.setdefault(sn, []).append(one)
                self.bare.setdefault(bare(sn), []).append(one)
            names = {text(one[key]).casefold() for key in ("minion_id", "hostname")}
            for name in names:
                self.names.setdefault(name, []).append(one)
            for name in {short(name) for name in names} - names:
                self.without_domain.setdefault(name, []).append(one)

    def by_sn(self, values: Mapping[str, Any]) -> tuple[Machine | None, str]:
        sn = text(values.get("sn")).casefold()
        if not sn:
            return None, ""
        if len(same := self.sns.get(sn, [])) == 1:
            return same[0], ""
        if not same and len(same := self.bare.get(bare(sn), [])) == 1:
            return same[0], f"the SN is {same[0]['sn']}: the file lost its leading zeros"
        return None, ""

    def by_name(self, values: Mapping[str, Any]) -> tuple[Machine | None, str]:
        for field in ("minion_id", "hostname"):
            name = text(values.get(field)).casefold()
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
        if len(self.sns.get(text(values.get("sn")).casefold(), [])) > 1:
            return "several machines report this SN"
        return "in the file only: no machine reports this SN or name"
