"""
What is wrong with parts: each rule finds them by a JSON path in a section, and judges them.

The paths are also the condition of an index (``IS_ILL`` of the schema), so that the few
sections with a fault are found among those of a whole fleet. Whoever changes a path writes a
migration that makes the index again; until then the answers are right, and slow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from salt_ext.document.keys import number
from salt_ext.store.growth import SOON, day, runs_out
from salt_ext.store.prediction import ENOUGH, Evidence, counted, evidence

SEVERITIES = ("critical", "warning", "notice")

USED_UP_PERCENT = 90

MANY_CORRECTED = 50
"""So many corrected errors more from one report to the next are a warning, fewer a notice."""

Item = dict[str, Any]
"""
What a path found.

An item of volatile values has besides ``counters``, how those of the part have grown, and
``last_seen``, up to when that is known.
"""


class Finding(NamedTuple):
    """How severe a fault is, which part has it, and a text that says what is wrong."""

    severity: str
    component: str
    says: str
    evidence: Evidence = Evidence()
    """What speaks for the end of a disk: of faults as severe those with more come first."""


class Rule(NamedTuple):
    """A section, whether to look into its volatile values, a JSON path, how to judge an item."""

    section: str
    is_volatile: bool
    path: str
    judge: Callable[[Item], Finding | None]
    """Returns None for what is no fault after all."""
    name: str
    """What is told of how often the rule is right."""


def _failing(item: Item) -> Finding:
    reasons = ", ".join(map(str, item.get("health", {}).get("failing", ())))
    says = f"says that it fails: {reasons}" if reasons else "says that it fails"
    return Finding("critical", _name(item), says)


def _failed_before(item: Item) -> Finding:
    attributes = ", ".join(map(str, item["health"]["failed_before"]))
    return Finding("notice", _name(item), f"was beyond its threshold once: {attributes}")


UNCORRECTED = {
    "media_errors": "media errors",
    "uncorrected_reads": "reads uncorrected",
    "uncorrected_writes": "writes uncorrected",
}
"""Counters of disks of NVMe and SAS: data that could not be read or written."""


def _worn(item: Item) -> Finding | None:
    """Judge the counters of a disk; the ``key`` of the item is the key of the disk."""
    values = _counts(item)
    bad = [f"{values[key]} {word}" for key, word in UNCORRECTED.items() if values.get(key, 0) > 0]
    used, found = values.get("percentage_used", 0), evidence(values)
    words = [*filter(None, [counted(values)]), *bad, *_wear(item, used)]
    if not words:
        return None
    is_grave = found.counters >= ENOUGH or bad or used >= 100
    return Finding("warning" if is_grave else "notice", item["key"], "; ".join(words), found)


def _wear(item: Item, used: float) -> list[str]:
    """Say how much of its life a disk has used, from 90 % on or if the rest is used soon."""
    wear, seen_at = item["counters"].get("percentage_used"), item["last_seen"]
    end = runs_out(wear, seen_at) if wear else None
    if used < USED_UP_PERCENT and (end is None or end > seen_at + SOON):
        return []
    says = f"{used} % of its life used"
    if wear is None or end is None:
        return [says]
    return [
        f"{says}, all of it about {day(end)} at the rate since {day(wear.first_at)}"
        f" ({wear.first_value} % then)"
    ]


def _memory(item: Item) -> Finding | None:
    """Judge the errors of memory: corrected ones by how many there are more, never by all."""
    uncorrected = _counts(item).get("ue_count", 0)
    words = [f"{uncorrected} uncorrected errors"] if uncorrected else []
    corrected = item["counters"].get("ce_count")
    more = corrected.lately(item["last_seen"]) if corrected else 0
    words += [f"{more} more corrected errors {corrected.between()}"] if more else []
    if not words:
        return None
    severity = "warning" if more >= MANY_CORRECTED else "notice"
    says = ", ".join(words) + _slot(item["value"])
    return Finding("critical" if uncorrected else severity, item["key"], says)


def _counts(item: Item) -> dict[str, int]:
    """Return what counts anything: a machine may send what it likes beside what was found."""
    return {key: one for key, one in item["value"].items() if type(one) is int and one > 0}


def _slot(counted: Item) -> str:
    """Say in which slot the module is, where the machine knows that of what it counts."""
    names = [counted.get(name) for name in ("bank_locator", "locator")]
    slot = " ".join(one for one in names if isinstance(one, str))
    return f"; module in {slot}" if slot else ""


def _raid(item: Item) -> Finding:
    severity = "critical" if item["health"] == "failed" else "warning"
    state = item.get("state")
    return Finding(severity, _name(item), f"{item['health']}: {state}" if state else item["health"])


def _array(item: Item) -> Finding:
    missing = item["health"]["degraded"]
    return Finding("warning", _name(item), f"degraded: {missing} missing of {item['raid_disks']}")


def _paths(item: Item) -> Finding:
    failed = [path for path in item["paths"] if path.get("health") == "failed"]
    severity = "critical" if len(failed) == len(item["paths"]) else "warning"
    names = ", ".join(f"{path.get('name')} {path.get('state')}" for path in failed)
    says = f"{len(failed)} of {len(item['paths'])} paths failed: {names}"
    return Finding(severity, _name(item), says)


def _power(item: Item) -> Finding:
    if item.get("plugged") is False:
        return Finding("notice", _name(item), "is not plugged in")
    severity = "warning" if "non-critical" in item["status"].lower() else "critical"
    return Finding(severity, _name(item), f"status: {item['status']}")


def _name(item: Item) -> str:
    """Return a name for a part that people understand: its place and its own number."""
    place: Any
    if item.get("slot") is not None:
        place = ":".join(
            str(item[one]) for one in ("enclosure", "slot") if item.get(one) is not None
        )
    else:
        place = item.get("location") or item.get("name") or item.get("id") or item.get("model")
    return " ".join(str(one) for one in (place, number(item)) if one)


_COUNTERS = " || ".join(
    f"@.value.{name} > 0"
    for name in (
        *("pending", "uncorrectable", "reported_uncorrectable"),
        *(*UNCORRECTED, "reallocated"),
    )
)
_ILL = '? (@.health == "degraded" || @.health == "failed")'

WORN = Rule(
    "smart",
    True,
    f"$.keyvalue() ? ({_COUNTERS} || @.value.percentage_used >= {USED_UP_PERCENT})",
    _worn,
    "disk counters",
)
"""A disk by its counters."""

WEARS = WORN._replace(path="")
"""A disk that will have used its life soon; it is found by how its wear grows, and by no path."""

FAILS = Rule(
    "smart",
    False,
    "$[*] ? (@.passed == false || exists(@.health.failing[*]))",
    _failing,
    "disk's own word",
)
"""A disk that says of itself that it fails, or that is beyond a threshold."""

RULES = (
    FAILS,
    Rule(
        "smart",
        False,
        "$[*] ? (exists(@.health.failed_before[*]))",
        _failed_before,
        "disk failed before",
    ),
    WORN,
    Rule(
        "memory",
        True,
        "$.edac.keyvalue() ? (@.value.ce_count > 0 || @.value.ue_count > 0)",
        _memory,
        "memory errors",
    ),
    Rule("raid", False, f"$.*[*] {_ILL}", _raid, "RAID controller"),
    Rule("raid", False, f"$.controllers[*].battery {_ILL}", _raid, "RAID battery"),
    Rule("disks", False, '$[*] ? (@.paths[*].health == "failed")', _paths, "paths to a disk"),
    Rule("md", False, "$[*] ? (@.health.degraded > 0)", _array, "array of md"),
    Rule(
        "power_supplies",
        False,
        '$[*] ? (@.status like_regex "critical$" flag "i" || @.plugged == false)',
        _power,
        "power supply",
    ),
)
