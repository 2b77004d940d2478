"""
What a site's own functions may say of a report before it is stored.

The setting ``report_hooks`` lists them by dotted path. Each is called as
``hook(minion_id, report)`` with a copy of a report that was checked and says something
new. It returns None to leave the report as it is, or :class:`Amended`, or raises
:class:`Refused`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Refused(Exception):
    """A report is not to be stored; the message says why."""


class Amended(NamedTuple):
    """Other facts than those that a machine sent, and why."""

    facts: Mapping[str, Any]
    reason: str
