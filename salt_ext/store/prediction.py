"""
Which disks fail next: the rule by which they are ranked.

``./dev bench prediction`` judges this very rule by disks that failed; ``docs/prediction.md``
says how often it is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

COUNTERS = {"reallocated": 5, "reported_uncorrectable": 187, "pending": 197, "uncorrectable": 198}
"""
The counters of an ATA disk that tell of its end, and the number of each as a SMART attribute.

Commands that timed out (188) do not: of the disks that count any hardly more fail than of all.
"""

MANY = 1000
"""One counter that is so large counts as two: of such disks as many fail as of those with two."""

ENOUGH = 2
"""So much is a warning: about one disk in four fails within 30 days."""

PRIOR_YEARS = 50
"""
How many years of disks that fail as often as the fleet's do a model is given beside its own.

So one failure of three disks is no rate of 33 %, and a model that many disks are of has its own.
"""


class Evidence(NamedTuple):
    """What speaks for the end of a disk, to be compared: the larger one fails sooner."""

    counters: int = 0
    """How many counters are not zero; one that is large counts as two."""
    yearly_rate: float = 0.0
    """The share of the disks of its model that fail in a year: decides where that is the same."""


class Rate(NamedTuple):
    """How often the disks of a model fail."""

    yearly: float
    """Which share of them in a year, drawn towards the fleet's."""
    years: float
    """For how long all of them together were in use."""


def evidence(values: Mapping[str, Any], yearly_rate: float = 0.0) -> Evidence:
    """Return what the counters of a disk, some of which may be missing, say."""
    return Evidence(sum(_weight(values.get(name, 0)) for name in COUNTERS), yearly_rate)


def _weight(count: float) -> int:
    return (count > 0) + (count >= MANY)


def counted(values: Mapping[str, Any]) -> str:
    """Return in words which counters are not zero; blank if none is."""
    told = [
        f"{number} {name.replace('_', ' ')} {values[name]}"
        + (" (counts as two)" if values[name] >= MANY else "")
        for name, number in COUNTERS.items()
        if values.get(name, 0) > 0
    ]
    verb = "is" if len(told) == 1 else "are"
    words = f"{len(told)} of {len(COUNTERS)} SMART counters {verb} not zero: {', '.join(told)}"
    return words if told else ""


def yearly_rate(failed: int, years: float, of_fleet: float) -> float:
    """Return which share of the disks of a model fails in a year, drawn towards the fleet's."""
    return (failed + PRIOR_YEARS * of_fleet) / (years + PRIOR_YEARS)


def compared(of_model: Rate, of_fleet: float) -> str:
    """
    Return in words how often the disks of a model fail, beside those of the fleet.

    Blank if they were in use for less than the years that are given: such a rate says more of
    the fleet than of the model, and that of a fleet which is hardly known says nothing. It
    decides between equals, and is no news.
    """
    if of_model.years < PRIOR_YEARS:
        return ""
    words = f"its model fails {of_model.yearly:.1%} a year here, the fleet {of_fleet:.1%}"
    return words.replace("%", " %")
