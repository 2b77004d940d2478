"""
People's list compared with the machines: a status for each row, and machines without a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.lists.compare import equal
from salt_ext.lists.headings import COMPARED
from salt_ext.lists.rows import Listed, taken
from salt_ext.words import values as words
from salt_ext.words.match import Machine, Said, match, named, same_sn, spelled, text

STATUSES = ("ok", "moved", "different", "ghost", "duplicate", "unknown")
PLACES = ("site", "room", "rack", "unit")


class Verdict(NamedTuple):
    """The result for a row: one of STATUSES, the reason, and the asset that the row means."""

    number: int
    status: str
    reason: str
    asset: Mapping[str, Any] | None


def reconcile(
    rows: Sequence[Said], assets: Sequence[Machine]
) -> tuple[list[Verdict], list[Machine]]:
    """Return a verdict for each row, and the machines that no row means."""
    verdicts = []
    meant = set()
    for row, found in zip(rows, match(rows, assets), strict=True):
        machine, why, is_repeated = found
        if is_repeated:
            verdicts.append(Verdict(row.number, "duplicate", why, machine))
        elif machine is None:
            verdicts.append(Verdict(row.number, "ghost", why, None))
        else:
            meant.add(id(machine))
            verdicts.append(_compared(row, machine, why))
    return verdicts, [one for one in assets if id(one) not in meant]


def _compared(row: Said, asset: Mapping[str, Any], remark: str) -> Verdict:
    differing = {
        field
        for field in COMPARED
        if field in row.values
        and asset.get(field) is not None
        and not equal(field, row.values[field], asset[field])
    }
    if spelled(row.values.get("sn")) and not same_sn(row.values["sn"], asset["sn"]):
        differing.add("sn")
    status = "moved" if differing & set(PLACES) else "different" if differing else "ok"
    reasons = [
        f"{words.label(field)}: {text(row.values[field])} in the file,"
        f" {words.value(asset[field], field).replace(words.NO_BREAK, ' ')} on the machine"
        for field in ("sn", *COMPARED)
        if field in differing
    ]
    return Verdict(row.number, status, "; ".join([*reasons, *filter(None, [remark])]), asset)


COLUMNS = (
    *("minion_id", "hostname", "sn", "kind", "site", "rack", "manufacturer", "product_name"),
    *("os", "processor_model", "processor_threads", "memory_bytes", "disk_count", "disk_bytes"),
    *("address", "last_seen"),
)
"""The columns that are read of each asset, and that the sheet of unknown machines shows."""


def machines(database: store.Database, filters: Mapping[str, Any]) -> list[Machine]:
    """Return the assets that a filter finds, with COLUMNS."""
    with store.extract(database, filters=filters) as source:
        return list(source.assets(COLUMNS))


def cells(assets: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """Return assets as rows with the columns of COLUMNS."""
    return [[one[name] for name in COLUMNS] for one in assets]


def summary(
    listed: Listed, verdicts: Sequence[Verdict], unknown: Sequence[Mapping[str, Any]], limit: int
) -> dict[str, Any]:
    """Return the content of an answer: how many rows have each status, and which are not ok."""
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
        **taken(listed, is_compared=True),
        "counts": counts,
        "columns": ["row", "status", "sn", "name", "reason"],
        "rows": wrong[:limit],
        "total": len(wrong),
        "of": "differences",
    }
