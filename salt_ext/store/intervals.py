"""
How far a share or a rate can be trusted: exact intervals of 95 %.

Both ask how large or small a share may be so that what was seen is still likely: the interval of
Clopper and Pearson, by the tail of the binomial distribution. Of a few parts nearly nothing is
known then, where a percentage looks as if all were.
"""

from __future__ import annotations

from math import exp, inf, lgamma, log, log1p
from typing import NamedTuple

TAIL = 0.025
"""How likely it is at most, on either side, that the truth lies outside."""

STEPS = 60
"""Halvings: more than a float has digits."""


class Interval(NamedTuple):
    """The best guess, and between what the truth is with 95 %."""

    low: float
    best: float
    high: float


def share(hits: int, of: int) -> Interval:
    """Return which share of all is meant by so many hits of a number of them."""
    if not of:
        return Interval(0.0, 0.0, 1.0)
    return Interval(_lowest(hits, of), hits / of, 1 - _lowest(of - hits, of))


def times(failed: int, years: float, others: int, their_years: float) -> Interval | None:
    """
    Return how many times as often parts fail as others do; None if one of both was never seen.

    Given are how many failed and in how many years of use, summed over all parts. Were both
    alike, each of all failures would be one of these parts with the chance that their share of
    the years is; so the interval of their share of the failures is one of the times.
    """
    if years <= 0 or their_years <= 0 or not failed + others:
        return None
    of_failures = share(failed, failed + others)
    return Interval(
        *(one / (1 - one) * their_years / years if one < 1 else inf for one in of_failures)
    )


def _lowest(hits: int, of: int) -> float:
    """Return the smallest share for which so many hits or more are not less likely than TAIL."""
    low, high = 0.0, hits / of
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_least(hits, of, middle) < TAIL else (low, middle)
    return low


def _at_least(hits: int, of: int, chance: float) -> float:
    """Return how likely so many hits or more are, for a chance of at most ``hits / of``."""
    if chance <= 0:
        return 0.0 if hits else 1.0
    if chance >= 1:
        return 1.0
    # Each term is smaller than the one before, the sooner so the more there are.
    term = exp(
        lgamma(of + 1)
        - lgamma(hits + 1)
        - lgamma(of - hits + 1)
        + hits * log(chance)
        + (of - hits) * log1p(-chance)
    )
    total = 0.0
    while term > total * 1e-12:
        total += term
        term *= (of - hits) / (hits + 1) * chance / (1 - chance)
        hits += 1
    return total
