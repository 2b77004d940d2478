"""
Which of two reports of a machine is the newer one.

A clock may run ahead and be set right, and what lies in a cache may come again and
again. The time since the boot only grows, so within one boot it decides. Between
boots the clock decides, and where that went back, the next report does: on a
machine time goes on, in an old copy it does not.
"""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from typing import NamedTuple

from salt_ext.report.envelope import CLOCK_TOLERANCE


class Order(NamedTuple):
    """When a report was made: by the clock of the machine, and since which boot."""

    collected_at: datetime
    boot_id: str | None = None
    """A UUID in small letters."""
    since_boot_ms: int | None = None
    """Known if, and only if, the boot is known."""


class Age(enum.Enum):
    """How old a report is beside the one that is stored."""

    NEWER = "newer"
    OLDER = "older"
    DOUBTFUL = "doubtful"
    """It is an old one, or the machine's clock was set back: the next report tells."""


def is_later_in_boot(report: Order, stored: Order) -> bool:
    """Whether a report was made later in the same boot: then no clock can make it old."""
    return (
        report.boot_id is not None
        and report.boot_id == stored.boot_id
        and (report.since_boot_ms or 0) > (stored.since_boot_ms or 0)
    )


def compare(report: Order, stored: Order, doubted: Order | None, *, is_set_back: bool) -> Age:
    """
    Return how old a report is beside the stored one.

    ``doubted`` is the last doubtful report: a later one of the same boot proves that
    time goes on there. ``is_set_back`` is what the arrival of the report tells; it
    counts only where a boot is not known.
    """
    if is_later_in_boot(report, stored):
        return Age.NEWER
    is_later = report.collected_at > stored.collected_at
    if report.boot_id is None or stored.boot_id is None:
        return Age.NEWER if is_later or is_set_back else Age.OLDER
    if report.boot_id == stored.boot_id:
        if not is_later:
            return Age.OLDER
        # Either a virtual machine went on from a snapshot, or the report is of a time
        # when the clock ran ahead. A clock further ahead than this was refused.
        if _booted(report) - _booted(stored) > CLOCK_TOLERANCE:
            return Age.NEWER
    elif is_later:
        return Age.NEWER
    if doubted is not None and is_later_in_boot(report, doubted):
        return Age.NEWER
    return Age.DOUBTFUL


def _booted(order: Order) -> timedelta:
    """Return when the boot was by the clock of the report, since the year 1."""
    made = order.collected_at.replace(tzinfo=None) - datetime.min
    return made - timedelta(milliseconds=order.since_boot_ms or 0)
