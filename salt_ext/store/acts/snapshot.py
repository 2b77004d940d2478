"""
Give this moment a name.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from salt_ext.store.clock import clock
from salt_ext.store.database import Database, Row
from salt_ext.store.errors import StoreError
from salt_ext.store.reads.filters import matching
from salt_ext.store.reads.listing import listing
from salt_ext.store.reads.snapshots import NAME, is_moment
from salt_ext.store.schema import snapshot


def take_snapshot(
    database: Database,
    name: str,
    *,
    by: str,
    filters: Mapping[str, Any] | None = None,
    comment: str = "",
) -> Row:
    """
    Give a name to this moment; the filters say which assets it is about.

    Masters know the arrival of a report to the second, from its beginning. So the
    function waits for a second: a report that comes after the return counts as later.
    Returns the row of the snapshot.
    """
    now = clock(database).now
    if not re.fullmatch(NAME, name) or is_moment(name, now):
        raise StoreError(
            f"{name!r} cannot name a snapshot",
            "a name begins with a letter, has letters, digits and . _ -, and is no time",
        )
    matching(listing(database, None), filters or {}, "")
    row = {
        "name": name,
        "taken_at": now,
        "taken_by": by,
        "filters": dict(filters or {}),
        "comment": comment,
    }
    with database.begin() as link:
        taken = link.scalar(sa.select(snapshot.c.taken_at).where(snapshot.c.name == name))
        if taken is not None:
            raise StoreError(
                f"there is a snapshot {name!r} already, of {taken:%Y-%m-%d %H:%M} UTC",
                "choose another name",
            )
        link.execute(sa.insert(snapshot).values(row))
    time.sleep(1)
    return row
