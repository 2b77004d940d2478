"""
People's list compared with the machines: a status for each row, and machines without a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.lists.compare import contradicts
from salt_ext.lists.headings import COMPARED
from salt_ext.lists.rows import Listed, taken
from salt_ext.lists.workbook import UNKNOWN
from salt_ext.words import values as words
from salt_ext.words.cells import spelled, text
from salt_ext.words.match import Machine, Match, Said, match, named, same_name, same_sn

STATUSES = ("ok", "moved", "different", "ghost", "duplicate", "unknown")
RARE = ("held", "expected", "outside")
"""Statuses that are counted only where there is such a row."""

RIGHT = ("ok", "expected", "outside")
"""Statuses of rows that nothing contradicts."""

NAMES = ("minion_id", "hostname")
HOST_NAME = re.compile(r"[a-z0-9_][a-z0-9._-]*")
"""What could be the name of a host; people also write ``Dell 服务器`` there."""

PLACES = ("site", "room", "rack", "unit")

MOST_HELD = 10_000
"""Of the reports that wait for a person, the newest are looked at."""


class Verdict(NamedTuple):
    """
    The result for a row: one of STATUSES or RARE, the reason, and the asset that the row means.

    ``is_gone`` is true when that asset is retired or detached.
    """

    number: int
    status: str
    reason: str
    asset: Mapping[str, Any] | None
    is_gone: bool = False


def reconcile(
    rows: Sequence[Said],
    assets: Sequence[Machine],
    filters: Mapping[str, Any] | None = None,
    held: Sequence[Machine] = (),
    awaited: Sequence[Machine] = (),
) -> tuple[list[Verdict], list[Machine]]:
    """
    Return a verdict for each row, and the machines that no row means.

    Rows are matched with all ``assets``. Those with ``chosen`` false are left out by
    ``filters``: no row needs to mean them, and a row that does is told where they are.
    ``held`` are machines whose report waits for a person, see :func:`held_machines`, and
    ``awaited`` those that only lists have which were imported.
    """
    found = match(rows, assets)
    lost = [row for row, one in zip(rows, found, strict=True) if _is_ghost(one)]
    waiting = iter(zip(match(lost, held), match(lost, awaited), strict=True))
    verdicts = []
    for row, one in zip(rows, found, strict=True):
        if one.is_repeated:
            verdicts.append(Verdict(row.number, "duplicate", one.why, one.machine))
        elif one.machine is not None:
            verdicts.append(_compared(row, one.machine, one.why, filters or {}))
        else:
            verdicts.append(_unreported(row, one.why, *next(waiting)))
    meant = {id(one.machine) for one in found}
    return verdicts, [one for one in assets if id(one) not in meant and _is_wanted(one)]


def _unreported(row: Said, why: str, held: Match, awaited: Match) -> Verdict:
    """Return the verdict for a row that means no machine which reports."""
    if held.machine is not None:
        reason = f"a report of it waits for a decision: cmdb.quarantine {held.machine['held_as']}"
        return Verdict(row.number, "held", reason, None)
    if awaited.machine is not None:
        reason = f"no machine reports it; a list has it as {awaited.machine['kind']}"
        return Verdict(row.number, "expected", reason, None)
    return Verdict(row.number, "ghost", why, None)


def _is_ghost(found: Match) -> bool:
    return found.machine is None and not found.is_repeated


def _is_wanted(asset: Machine) -> bool:
    """Whether people's list should have an asset."""
    return asset.get("chosen", True) and not _gone(asset)


def _compared(
    row: Said, asset: Mapping[str, Any], remark: str, filters: Mapping[str, Any]
) -> Verdict:
    is_outside = not asset.get("chosen", True)
    differing = _differing(row, asset, PLACES if is_outside else COMPARED)
    reasons = [
        f"{words.label(field)}: {text(row.values[field])} in the file,"
        f" {_reported(field, asset)} on the machine"
        for field in ("sn", *NAMES, *COMPARED)
        if field in differing
    ]
    if differing & set(PLACES) or (is_outside and _is_elsewhere(row, asset, filters)):
        status = "moved"
    elif is_outside:
        status = "outside"
    else:
        status = "different" if differing else "ok"
    gone = _gone(asset)
    outside = _outside(asset) if is_outside else ""
    reason = "; ".join([*reasons, *filter(None, [outside, gone, remark])])
    return Verdict(row.number, status, reason, asset, bool(gone))


def _differing(row: Said, asset: Mapping[str, Any], fields: Iterable[str]) -> set[str]:
    """Return in which of these fields, and the SN, a row contradicts its machine."""
    found = {
        field
        for field in fields
        if field in row.values
        and not _is_only_listed(field, asset)
        and contradicts(field, row.values[field], asset)
    }
    has_sn = spelled(row.values.get("sn"))
    if has_sn and not same_sn(row.values["sn"], asset["sn"]):
        found.add("sn")
    return found | {field for field in NAMES if is_misnamed(row.values.get(field), asset)}


def is_misnamed(said: Any, asset: Mapping[str, Any]) -> bool:
    """Whether a row calls its machine otherwise than by one of its names, or its address."""
    names = [asset[name] for name in NAMES if asset[name]]
    is_address = asset.get("address") and not contradicts("address", said, asset)
    if not HOST_NAME.fullmatch(spelled(said)) or not names or is_address:
        return False
    return not any(same_name(said, one) for one in names)


def _is_only_listed(place: str, asset: Mapping[str, Any]) -> bool:
    """Whether only another list says that an asset stands there: no word of the machine."""
    return place in (asset.get("from_list") or "").split(", ")


def _outside(asset: Mapping[str, Any]) -> str:
    """Return where an asset is that the filter leaves out."""
    if asset.get("site") is None:
        return "the filter leaves it out"
    says = "a list has it in" if _is_only_listed("site", asset) else "it reports from"
    return f"{says} {asset['site']}"


def _reported(field: str, asset: Mapping[str, Any]) -> str:
    sockets = asset.get("sockets") if field == "processor_model" else None
    known = asset[field]
    if field in NAMES:
        known = known or next(asset[name] for name in NAMES if asset[name])
    value = words.value(known, field).replace(words.NO_BREAK, " ")
    return f"{sockets} x {value}" if sockets else value


def _is_elsewhere(row: Said, asset: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    """
    Whether an asset that the filters leave out stands elsewhere than the list is about.

    A row that says where its machine stands is about that place, whatever the filter.
    """
    asked = {name.partition("__")[0]: value for name, value in filters.items()}
    return any(
        place in asked
        and place not in row.values
        and asset.get(place) is not None
        and asset[place] != asked[place]
        for place in PLACES
    )


def _gone(asset: Mapping[str, Any]) -> str:
    """Return what an asset is that people need not list, blank for all others."""
    if asset.get("lifecycle") == "retired":
        return "it is retired"
    if asset.get("freshness") == "detached":
        return "it is detached: its name belongs to other hardware"
    return ""


def machines(database: store.Database, filters: Mapping[str, Any]) -> list[Machine]:
    """Return all assets with the fields of UNKNOWN, and whether they are what is asked for."""
    with store.extract(database, filters=filters) as source:
        found = source.judged([*UNKNOWN.values(), "from_list"])
        # What only another list has is no machine that a row could mean.
        return [one for one in found if one["freshness"] != "unreported"]


def awaited_machines(database: store.Database) -> list[Machine]:
    """Return what only lists have that were imported."""
    with store.extract(database, filters={"freshness": "unreported"}) as source:
        return list(source.assets(["sn", "minion_id", "hostname", "kind"]))


def held_machines(database: store.Database) -> list[Machine]:
    """Return the machines whose report waits for a person, once for each SN that it shows."""
    reports, _ = store.held_reports(database, limit=MOST_HELD)
    return [
        # Its name stands in the first of them only: a name that several have means none.
        {
            "sn": sn,
            "minion_id": None if number else report["minion_id"],
            "hostname": None,
            "held_as": report["minion_id"],
        }
        for report in reports
        if report["rejected_at"] is None
        for number, sn in enumerate(_sns(report["evidence"]) or [None])
    ]


def _sns(evidence: Mapping[str, Any]) -> list[str]:
    """Return the serial numbers among the keys of a report, without their makers."""
    return [
        value.partition("/")[2]
        for kind, value in evidence["keys"]
        if kind.endswith("serial_number")
    ]


def summary(
    listed: Listed, verdicts: Sequence[Verdict], unknown: Sequence[Mapping[str, Any]], limit: int
) -> dict[str, Any]:
    """Return the content of an answer: how many rows have each status, and which to look at."""
    counts = dict.fromkeys((*STATUSES, *RARE), 0)
    for one in verdicts:
        counts[one.status] += 1
    counts["unknown"] = len(unknown)
    shown: list[tuple[str | None, list[Any]]] = [
        (row.sheet, [one.number, one.status, *named(row.values), one.reason])
        for row, one in zip(listed.rows, verdicts, strict=True)
        if one.is_gone or one.status not in RIGHT
    ]
    shown += [
        (None, [None, "unknown", one["sn"], one["minion_id"] or one["hostname"], "not in the file"])
        for one in unknown
    ]
    columns = ["row", "status", "sn", "name", "reason"]
    rows = [row for _, row in shown[:limit]]
    if len(listed.sheets) > 1:
        columns = ["sheet", *columns]
        rows = [[sheet, *row] for sheet, row in shown[:limit]]
    return {
        **taken(listed, is_compared=True),
        "counts": {name: number for name, number in counts.items() if number or name in STATUSES},
        "columns": columns,
        "rows": rows,
        "total": len(shown),
        "of": "rows to look at",
    }
