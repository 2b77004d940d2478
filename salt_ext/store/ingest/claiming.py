"""
What the reports of a batch claim to be: known before any lock is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from salt_ext.facts.identity import identify
from salt_ext.report import checking
from salt_ext.report.limits import Limits
from salt_ext.store.columns import list_columns
from salt_ext.store.identity import claims
from salt_ext.store.identity.owners import booted
from salt_ext.store.ingest.findings import Findings
from salt_ext.store.ingest.touching import Due
from salt_ext.words.match import Machine


class Claimed(NamedTuple):
    """A report that says something new, the identifiers in it, and what it claims but for parts."""

    due: Due
    found: dict[str, Any]
    claim: claims.Claim


def claimed(due: Iterable[Due], findings: Findings) -> list[Claimed]:
    """Return the reports with what they claim; those that claim too much are refused."""
    left: list[Claimed] = []
    for one in due:
        minion_id, report = one.arrival.minion_id, one.arrival.report
        with findings.timed(minion_id):
            found = identify(report["facts"])
            try:
                check_identifiers(found, findings.limits)
            except checking.TooMuch as error:
                findings.refuse_size(one.arrival, one.order, error)
                continue
            claim = claims.claim(
                minion_id,
                report.get("previous_minion_id"),
                report["facts"],
                found,
                with_parts=False,
                shown=report.get("proof"),
            )
        booted_at = booted(one.arrival.received_at, one.order.since_boot_ms)
        claim = claim._replace(boot_id=one.order.boot_id, booted_at=booted_at)
        left.append(Claimed(one, found, claim))
    return left


def with_parts(due: Due, found: Mapping[str, Any], claim: claims.Claim) -> claims.Claim:
    """Return a claim with the parts that tell, where it is not clear whose a report is."""
    return claim._replace(parts=claims.part_serials(due.arrival.report["facts"], found))


def words_of(minion_id: str, facts: Mapping[str, Any], found: Mapping[str, Any]) -> Machine:
    """Return the words by which people's lists may mean a machine that nobody knew."""
    candidates = found["candidates"]
    shown: dict[str, list[str]] = {"uuid": [], "mac": []}
    for one in candidates:
        if one["kind"] in shown:
            shown[one["kind"]].append(one["value"])
    columns = list_columns(facts, [one["kind"] for one in candidates])
    keys = {"uuids": shown["uuid"], "macs": shown["mac"]}
    return {"id": None, **columns, **keys, "minion_id": minion_id}


def check_identifiers(found: Mapping[str, Any], limits: Limits) -> None:
    """Raise :class:`checking.TooMuch` for a machine that shows too many identifiers."""
    count = len(found["candidates"]) + len(found["rejected"])
    if count > limits.max_identifiers:
        raise checking.TooMuch(
            "facts",
            f"show {count} identifiers; at most {limits.max_identifiers} are stored"
            " (max_identifiers)",
        )
