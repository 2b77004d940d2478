"""
What one machine may cost: the limits of a report, and of the reports of an hour.

No honest machine meets them. The largest of the captured machines has a report of
17 KB with 64 components and 5 identifiers; the limits leave room for hosts with
thousands of paths to their disks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from salt_ext.settings import OPTIONS


class Limits(NamedTuple):
    """The settings of the same names."""

    max_report_bytes: int
    max_components: int
    max_identifiers: int
    max_changes: int
    max_errors: int
    max_error_bytes: int
    changes_per_hour: int
    bytes_per_hour: int


def limits(settings: Mapping[str, Any]) -> Limits:
    """Return the limits that are set."""
    return Limits(*(settings[name] for name in Limits._fields))


USUAL = Limits(*(OPTIONS[name].default for name in Limits._fields))

PACE = 80
"""
For each second that a report cost, its machine waits so many before the next one is read.

So one machine has 45 s of each hour of the engine, and with what no report is charged
for, as to free its memory, less than a minute.
"""
