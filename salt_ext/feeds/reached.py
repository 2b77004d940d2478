"""
How salt-ssh reaches machines: the roster ``cmdb``.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from salt_ext import store
from salt_ext.feeds.handed import NAME, LeftOut, handed
from salt_ext.feeds.login import means_another

ASKS_SILENT_TOO = "cmdb_roster_silent_too"
"""The option of a Salt process that asks machines which may have been silent for long."""

OF_REPORTED = ("freshness", "lifecycle")
"""A filter on one of these asks for machines that have reported."""


def reached(
    database: store.Database,
    filters: Mapping[str, Any] | None = None,
    *,
    is_silent_too: bool = False,
) -> tuple[dict[str, str], list[LeftOut]]:
    """
    Return by minion id the address by which each machine is reached, and who is left out.

    A machine that people expect and that was never heard is reached by the address that
    their list has, or else by its name. ``is_silent_too``: and what is missing, as nobody
    can be heard again that is not asked.
    """
    asked = dict(filters or {})
    is_of_reported = any(name.partition("__")[0] in OF_REPORTED for name in asked)
    rows = store.machines(
        database,
        filters={
            **(store.SILENT_TOO if is_silent_too else {}),
            **asked,
            "minion_id__isnull": False,
        },
        columns=["address"],
    )
    left_out: list[LeftOut] = []
    found = {one.name: one.address for one in handed(rows, left_out, needs_address=True)}
    for row in store.awaited(database, filters=asked) if not is_of_reported else ():
        name = row["minion_id"] or ""
        address = _said(row["fields"].get("address"))
        if NAME.fullmatch(name) and (address or not means_another(name, "")):
            found.setdefault(name, address or name)
    return found, left_out


def _said(cell: str | None) -> str:
    """Return the first of several addresses in a cell; people write ports and notes there too."""
    for word in re.split(r"[\s,;、，；]+", cell or ""):  # noqa: RUF001
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_interface(word).ip)
    return ""
