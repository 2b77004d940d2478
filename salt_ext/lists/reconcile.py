"""
People's list beside what the machines report; pure.

A row and an asset are the same machine by the serial number, and where that
finds nothing, by the name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext.lists.headings import COMPARED, plain
from salt_ext.words import values as words

STATUSES = ("ok", "moved", "different", "ghost", "duplicate", "unknown")
PLACES = ("site", "rack")
LOOSE = ("manufacturer", "product_name", "os", "processor_model")
"""Of which people write some of the words: "Dell" for "Dell Inc."."""

SIZES = ("memory_bytes", "disk_bytes")
TOLERANCE = 0.06
"""Of a size: a disk of 3.84 TB is one of 4T in people's lists."""

AMOUNT = re.compile(r"(?:(\d+)\s*[*x])?\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?(?:\s*[*x]\s*(\d+))?")
"""``480G``, ``2*480G``, ``16 GB x 8``: how many, how much, of which unit, how many."""


class Said(NamedTuple):
    """A row of people's list: its number in the sheet, and what it says, by our fields."""

    number: int
    values: Mapping[str, Any]


class Verdict(NamedTuple):
    """What became of a row: one of STATUSES, why, and the asset that it means."""

    number: int
    status: str
    reason: str
    asset: Mapping[str, Any] | None


def said(
    rows: Iterable[tuple[int, Sequence[Any]]], columns: Mapping[int, str], units: Mapping[str, str]
) -> list[Said]:
    """Return rows by our fields; ``units`` are those that the headings of sizes name."""
    found = []
    for number, cells in rows:
        values = {
            field: _with_unit(cells[column], units.get(field, ""))
            for column, field in columns.items()
            if column < len(cells) and text(cells[column])
        }
        if values:
            found.append(Said(number, values))
    return found


def _with_unit(value: Any, unit: str) -> Any:
    return f"{text(value)}{unit}" if unit and re.fullmatch(r"[\d.]+", text(value)) else value


def text(value: Any) -> str:
    """Return a cell as text: 12345.0 is a serial number that a spreadsheet took for a number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).strip()


def reconcile(
    rows: Sequence[Said], assets: Sequence[Mapping[str, Any]]
) -> tuple[list[Verdict], list[Mapping[str, Any]]]:
    """Return a verdict for each row, and the assets that no row means."""
    finder = _Finder(assets)
    first: dict[str, int] = {}
    found: dict[int, tuple[Mapping[str, Any], str]] = {}
    verdicts: dict[int, Verdict] = {}
    for row in rows:
        key = _key(row)
        if key in first:
            word = "SN" if row.values.get("sn") else "name"
            reason = f"the same {word} as in row {first[key]}"
            verdicts[row.number] = Verdict(row.number, "duplicate", reason, None)
        elif key:
            first[key] = row.number
    claimed: dict[int, int] = {}
    for look in (finder.by_sn, finder.by_name):
        for row in rows:
            if row.number in verdicts or row.number in found:
                continue
            asset, remark = look(row)
            if asset is None:
                continue
            if id(asset) not in claimed:
                claimed[id(asset)] = row.number
                found[row.number] = asset, remark
            elif look == finder.by_sn:
                reason = f"means the same machine as row {claimed[id(asset)]}"
                verdicts[row.number] = Verdict(row.number, "duplicate", reason, asset)
    for row in rows:
        if row.number in found:
            verdicts[row.number] = _compared(row, *found[row.number])
        elif row.number not in verdicts:
            verdicts[row.number] = Verdict(row.number, "ghost", finder.why_not(row), None)
    unknown = [one for one in assets if id(one) not in claimed]
    return [verdicts[row.number] for row in rows], unknown


def _key(row: Said) -> str:
    if sn := text(row.values.get("sn")):
        return f"sn {sn.casefold()}"
    name = text(row.values.get("minion_id")) or text(row.values.get("hostname"))
    return f"name {name.casefold()}" if name else ""


class _Finder:
    """The assets by their numbers and names."""

    def __init__(self, assets: Iterable[Mapping[str, Any]]) -> None:
        self.sns: dict[str, list[Mapping[str, Any]]] = {}
        self.bare: dict[str, list[Mapping[str, Any]]] = {}
        self.names: dict[str, list[Mapping[str, Any]]] = {}
        for one in assets:
            sn = (one["sn"] or "").casefold()
            if sn:
                self.sns.setdefault(sn, []).append(one)
                self.bare.setdefault(sn.lstrip("0"), []).append(one)
            names = {(one[key] or "").casefold() for key in ("minion_id", "hostname")}
            for name in names | {name.partition(".")[0] for name in names}:
                self.names.setdefault(name, []).append(one)

    def by_sn(self, row: Said) -> tuple[Mapping[str, Any] | None, str]:
        sn = text(row.values.get("sn")).casefold()
        if not sn:
            return None, ""
        if len(same := self.sns.get(sn, [])) == 1:
            return same[0], ""
        if not same and len(same := self.bare.get(sn.lstrip("0"), [])) == 1:
            return same[0], f"the SN is {same[0]['sn']}: the file lost its leading zeros"
        return None, ""

    def by_name(self, row: Said) -> tuple[Mapping[str, Any] | None, str]:
        for field in ("minion_id", "hostname"):
            name = text(row.values.get(field)).casefold()
            for key in (name, name.partition(".")[0]):
                if key and len(same := self.names.get(key, [])) == 1:
                    return same[0], f"found by its name {text(row.values[field])}"
        return None, ""

    def why_not(self, row: Said) -> str:
        """Return why a row means no machine."""
        asset, _ = self.by_name(row)
        if asset is not None:
            name = asset["minion_id"] or asset["hostname"]
            return f"in the file only; {name} is the machine with SN {asset['sn'] or 'none'}"
        if not _key(row):
            return "the row has neither SN nor name"
        if len(self.sns.get(text(row.values.get("sn")).casefold(), [])) > 1:
            return "several machines report this SN"
        return "in the file only: no machine reports this SN or name"


def _compared(row: Said, asset: Mapping[str, Any], remark: str) -> Verdict:
    differing = {
        field
        for field in COMPARED
        if field in row.values
        and asset.get(field) is not None
        and not equal(field, row.values[field], asset[field])
    }
    sn = text(row.values.get("sn")).casefold()
    if sn and (asset["sn"] or "").casefold().lstrip("0") != sn.lstrip("0"):
        differing.add("sn")
    status = "moved" if differing & set(PLACES) else "different" if differing else "ok"
    reasons = [
        f"{words.label(field)}: {text(row.values[field])} in the file,"
        f" {words.value(asset[field], field).replace(words.NO_BREAK, ' ')} on the machine"
        for field in ("sn", *COMPARED)
        if field in differing
    ]
    return Verdict(row.number, status, "; ".join([*reasons, *filter(None, [remark])]), asset)


def equal(field: str, ours: Any, theirs: Any) -> bool:
    """Whether what people wrote and what the machine reports is the same."""
    if field in SIZES:
        amounts = sizes(text(ours), "g")
        return not amounts or any(abs(one - theirs) <= TOLERANCE * theirs for one in amounts)
    if isinstance(theirs, int):
        return text(ours) == str(theirs) or not text(ours).isdigit()
    if field == "address":
        return str(theirs) in re.split(r"[\s,;/、，；]+", text(ours))  # noqa: RUF001
    one, other = plain(text(ours)), plain(theirs)
    return one == other or (field in LOOSE and (_has(one, other) or _has(other, one)))


def _has(long: str, short: str) -> bool:
    """Whether the words of one text stand in the other, whole: R750 is not in "R750xs"."""
    return short != "" and f" {short} " in f" {long} "


def sizes(amount: str, unit: str) -> list[float]:
    """
    Return in bytes what ``128G``, ``2*480G + 3.84T`` or a bare number may mean.

    That is two readings, in powers of ten and of two; none when it is no size.
    """
    text = amount.lower().replace(",", "").replace("\N{MULTIPLICATION SIGN}", "*")
    if re.sub(r"[\s+;、]+", "", AMOUNT.sub("", text)):
        return []
    found = [match for match in AMOUNT.finditer(text) if match[2]]
    return [
        sum(
            int(one[1] or 1)
            * float(one[2])
            * int(one[4] or 1)
            * step ** " kmgtp".index(one[3] or unit)
            for one in found
        )
        for step in (1000, 1024)
        if found
    ]
