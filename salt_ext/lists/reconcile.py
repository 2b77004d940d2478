"""
People's list beside the machines: what each row is, and which machines no row means.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.lists.headings import COMPARED, plain
from salt_ext.lists.match import Machine, Said, bare, match, named, text
from salt_ext.lists.rows import SIZES, Listed
from salt_ext.words import values as words

STATUSES = ("ok", "moved", "different", "ghost", "duplicate", "unknown")
PLACES = ("site", "rack")
LOOSE = ("manufacturer", "product_name", "os", "processor_model")
"""Of which people write some of the words: "Dell" for "Dell Inc."."""

TOLERANCE = 0.06
"""Of a size: a disk of 3.84 TB is one of 4T in people's lists."""

AMOUNT = re.compile(r"(?:(\d+)\s*[*x])?\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?(?:\s*[*x]\s*(\d+))?")
"""``480G``, ``2*480G``, ``16 GB x 8``: how many, how much, of which unit, how many."""


class Verdict(NamedTuple):
    """What became of a row: one of STATUSES, why, and the asset that it means."""

    number: int
    status: str
    reason: str
    asset: Mapping[str, Any] | None


def reconcile(
    rows: Sequence[Said], machines: Sequence[Machine]
) -> tuple[list[Verdict], list[Machine]]:
    """Return a verdict for each row, and the machines that no row means."""
    verdicts = []
    meant = set()
    found = match(rows, machines)
    for row in rows:
        machine, why, is_repeated = found[row.number]
        if is_repeated:
            verdicts.append(Verdict(row.number, "duplicate", why, machine))
        elif machine is None:
            verdicts.append(Verdict(row.number, "ghost", why, None))
        else:
            meant.add(id(machine))
            verdicts.append(_compared(row, machine, why))
    return verdicts, [one for one in machines if id(one) not in meant]


def _compared(row: Said, asset: Mapping[str, Any], remark: str) -> Verdict:
    differing = {
        field
        for field in COMPARED
        if field in row.values
        and asset.get(field) is not None
        and not equal(field, row.values[field], asset[field])
    }
    if text(row.values.get("sn")) and bare(row.values["sn"]) != bare(asset["sn"]):
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


COLUMNS = (
    *("minion_id", "hostname", "sn", "kind", "site", "rack", "manufacturer", "product_name"),
    *("os", "processor_model", "processor_threads", "memory_bytes", "disk_count", "disk_bytes"),
    *("address", "last_seen"),
)
"""What is read of an asset, and what the sheet of the unknown ones shows."""


def compare(
    database: store.Database, rows: Sequence[Said], filters: Mapping[str, Any]
) -> tuple[list[Verdict], list[Mapping[str, Any]]]:
    """Return a verdict for each row, and the assets of a filter that none of them means."""
    with store.extract(database, filters=filters) as source:
        assets = list(source.assets(COLUMNS))
    return reconcile(rows, assets)


def cells(assets: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """Return assets as the rows of a sheet of COLUMNS."""
    return [[one[name] for name in COLUMNS] for one in assets]


def summary(
    listed: Listed, verdicts: Sequence[Verdict], unknown: Sequence[Mapping[str, Any]], limit: int
) -> dict[str, Any]:
    """Return what a comparison found: how many of each status, and what is not ok."""
    counts = dict.fromkeys(STATUSES, 0)
    for one in verdicts:
        counts[one.status] += 1
    counts["unknown"] = len(unknown)
    values = {row.number: row.values for row in listed.rows}
    wrong = [
        [one.number, one.status, *named(values[one.number]), one.reason]
        for one in verdicts
        if one.status != "ok"
    ]
    wrong += [
        [None, "unknown", one["sn"], one["minion_id"] or one["hostname"], "not in the file"]
        for one in unknown
    ]
    return {
        "sheet": listed.table.sheet,
        "mapping": {
            listed.table.headings[column]: field for column, field in listed.columns.items()
        },
        "ignored": [
            heading
            for column, heading in enumerate(listed.table.headings)
            if heading and column not in listed.columns
        ],
        "counts": counts,
        "columns": ["row", "status", "sn", "name", "reason"],
        "rows": wrong[:limit],
        "total": len(wrong),
        "of": "differences",
    }
