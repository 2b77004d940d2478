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

SEVERITIES = ("critical", "warning", "notice")

USED_UP_PERCENT = 90

Item = dict[str, Any]


class Finding(NamedTuple):
    """How severe a fault is, which part has it, and a text that says what is wrong."""

    severity: str
    component: str
    says: str


class Rule(NamedTuple):
    """A section, whether to look into its volatile values, a JSON path, how to judge an item."""

    section: str
    is_volatile: bool
    path: str
    judge: Callable[[Item], Finding]


def _failing(item: Item) -> Finding:
    reasons = ", ".join(map(str, item.get("health", {}).get("failing", ())))
    says = f"says that it fails: {reasons}" if reasons else "says that it fails"
    return Finding("critical", _name(item), says)


def _failed_before(item: Item) -> Finding:
    attributes = ", ".join(map(str, item["health"]["failed_before"]))
    return Finding("notice", _name(item), f"was beyond its threshold once: {attributes}")


BAD_COUNTERS = {
    "pending": "sectors pending",
    "uncorrectable": "sectors uncorrectable",
    "reported_uncorrectable": "errors uncorrectable",
    "media_errors": "media errors",
    "uncorrected_reads": "reads uncorrected",
    "uncorrected_writes": "writes uncorrected",
}


def _worn(item: Item) -> Finding:
    """Judge the counters of a disk; the ``key`` of the item is the key of the disk."""
    # A machine may send anything beside the counter that was found.
    values = {key: one for key, one in item["value"].items() if isinstance(one, (int, float))}
    bad = [f"{values[key]} {word}" for key, word in BAD_COUNTERS.items() if values.get(key, 0) > 0]
    used, moved = values.get("percentage_used", 0), values.get("reallocated", 0)
    words = [*bad]
    if moved > 0:
        words.append(f"{moved} sectors reallocated")
    if used >= USED_UP_PERCENT:
        words.append(f"{used} % of its life used")
    return Finding("warning" if bad or used >= 100 else "notice", item["key"], ", ".join(words))


def _memory(item: Item) -> Finding:
    corrected, uncorrected = (item["value"].get(one) or 0 for one in ("ce_count", "ue_count"))
    words = [f"{uncorrected} uncorrected errors"] if uncorrected else []
    words += [f"{corrected} corrected errors"] if corrected else []
    return Finding("critical" if uncorrected else "notice", item["key"], ", ".join(words))


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


_COUNTERS = " || ".join(f"@.value.{name} > 0" for name in (*BAD_COUNTERS, "reallocated"))
_ILL = '? (@.health == "degraded" || @.health == "failed")'

FAILS = Rule("smart", False, "$[*] ? (@.passed == false || exists(@.health.failing[*]))", _failing)
"""A disk that says of itself that it fails, or that is beyond a threshold."""

RULES = (
    FAILS,
    Rule("smart", False, "$[*] ? (exists(@.health.failed_before[*]))", _failed_before),
    Rule(
        "smart",
        True,
        f"$.keyvalue() ? ({_COUNTERS} || @.value.percentage_used >= {USED_UP_PERCENT})",
        _worn,
    ),
    Rule(
        "memory",
        True,
        "$.edac.keyvalue() ? (@.value.ce_count > 0 || @.value.ue_count > 0)",
        _memory,
    ),
    Rule("raid", False, f"$.*[*] {_ILL}", _raid),
    Rule("raid", False, f"$.controllers[*].battery {_ILL}", _raid),
    Rule("disks", False, '$[*] ? (@.paths[*].health == "failed")', _paths),
    Rule("md", False, "$[*] ? (@.health.degraded > 0)", _array),
    Rule(
        "power_supplies",
        False,
        '$[*] ? (@.status like_regex "critical$" flag "i" || @.plugged == false)',
        _power,
    ),
)
