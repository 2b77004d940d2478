"""
Give this moment a name.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import sqlalchemy as sa

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

    Masters know of a report in which second it came. So the moment is the end of
    this one, and what is reported after the return counts as later.
    """
    now = datetime.now(timezone.utc)
    end = now.replace(microsecond=999_999)
    if not re.fullmatch(NAME, name) or is_moment(name, now):
        raise StoreError(
            f"{name!r} cannot name a snapshot",
            "a name begins with a letter, has letters, digits and . _ -, and is no time",
        )
    matching(listing(database, None), filters or {}, "")
    row = {
        "name": name,
        "taken_at": end,
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
    time.sleep(max(0.0, (end - datetime.now(timezone.utc)).total_seconds()))
    return row
