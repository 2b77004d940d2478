"""
How machines are reached.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re

import sqlalchemy as sa

from salt_ext.store.database import Database
from salt_ext.store.reads.awaited import awaited
from salt_ext.store.schema import asset


def addresses(database: Database) -> dict[str, str]:
    """
    Return by its name how each machine is reached: the address that it has reported.

    A machine that people expect and that was never heard is reached by the address that
    their list has, or else by its name.
    """
    database.hidden.check("address")
    statement = sa.select(asset.c.minion_id, asset.c.address).where(
        asset.c.minion_id.is_not(None), asset.c.address.is_not(None)
    )
    with database.autocommit() as link:
        known = {row[0]: row[1] for row in link.execute(statement)}
    said = {row["minion_id"]: row for row in awaited(database) if row["minion_id"]}
    return {name: _said(row["fields"].get("address")) or name for name, row in said.items()} | known


def _said(cell: str | None) -> str:
    """Return the first of several addresses in a cell; people write ports and notes there too."""
    for word in re.split(r"[\s,;、，；]+", cell or ""):  # noqa: RUF001
        with contextlib.suppress(ValueError):
            return str(ipaddress.ip_interface(word).ip)
    return ""
