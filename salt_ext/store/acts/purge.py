"""
What a person may remove for ever.

Of an asset that is neither detached nor retired, only volatile values and problems
that are over can be removed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from salt_ext.store.acts.act import Act, decided
from salt_ext.store.database import Database, Row
from salt_ext.store.identity.locking import lock_assets, lock_identity
from salt_ext.store.schema import (
    UNCHECKED,
    asset,
    asset_facts,
    asset_seen,
    change,
    problem,
    revision,
)
from salt_ext.words.nearest import unknown


def purge(database: Database, what: str, before: datetime, act: Act) -> list[Row]:
    """
    Remove what is older than a moment; return ``what`` was removed and how many ``rows``.

    ``what`` is one of :data:`CLASSES`. The age of an asset is the time since its last
    report, or since it was detached. Its history is removed with it.
    """
    if what not in CLASSES:
        raise ValueError(unknown("class", what, CLASSES))
    with database.begin() as link:
        if not act.test:
            # A machine that comes back meanwhile is identified before the purge or after it.
            lock_identity(link)
        found = CLASSES[what](link, before, act.test)
        if not act.test:
            counts = {row["what"]: row["rows"] for row in found}
            evidence = {"older than": f"{before:%Y-%m-%d %H:%M} UTC", **counts}
            decided(link, "purge", act, None, evidence)
        return found


def _volatile(link: sa.Connection, before: datetime, test: bool) -> list[Row]:
    silent = sa.select(asset_seen.c.asset_id).where(asset_seen.c.last_seen < before)
    where = (asset_facts.c.volatile.is_not(None), asset_facts.c.asset_id.in_(silent))
    found = [_count(link, "volatile values of sections", asset_facts, *where)]
    if not test:
        link.execute(sa.update(asset_facts).where(*where).values(volatile=None))
    return found


def _problems(link: sa.Connection, before: datetime, test: bool) -> list[Row]:
    is_old = problem.c.closed_at < before
    found = [_count(link, "problems that are over", problem, is_old)]
    if not test:
        link.execute(sa.delete(problem).where(is_old))
    return found


def _detached(link: sa.Connection, before: datetime, test: bool) -> list[Row]:
    is_detached = (asset_seen.c.detached_at < before) & (asset_seen.c.mode != "list")
    return _assets(link, "detached assets", is_detached, test)


def _retired(link: sa.Connection, before: datetime, test: bool) -> list[Row]:
    is_retired = (asset.c.lifecycle == "retired") & (asset_seen.c.last_seen < before)
    return _assets(link, "retired assets", is_retired, test)


CLASSES: dict[str, Callable[[sa.Connection, datetime, bool], list[Row]]] = {
    "volatile": _volatile,
    "problems": _problems,
    "detached": _detached,
    "retired": _retired,
}


def _assets(
    link: sa.Connection, what: str, condition: sa.ColumnElement[bool], test: bool
) -> list[Row]:
    """Remove whole assets, and the assets that were merged into them."""
    chosen = (
        sa.select(asset_seen.c.asset_id)
        .join(asset, asset.c.id == asset_seen.c.asset_id)
        .where(condition)
    )
    found = {*link.scalars(chosen)}
    if not test:
        # Some may have reported before they were locked, and others have become old since.
        lock_assets(link, found)
        found &= {*link.scalars(chosen)}
    ids = sa.literal(sorted(found), sa.ARRAY(sa.UUID))
    of_assets = asset.c.id.in_(
        sa.select(asset.c.id).where(
            (asset.c.id == sa.any_(ids)) | (asset.c.merged_into == sa.any_(ids))
        )
    )
    mine = sa.select(asset.c.id).where(of_assets)
    removed = [
        _count(link, what, asset, of_assets),
        _count(link, f"revisions of {what}", revision, revision.c.asset_id.in_(mine)),
        _count(link, f"changes of {what}", change, change.c.asset_id.in_(mine)),
    ]
    if not test:
        for table in UNCHECKED:
            link.execute(sa.delete(table).where(table.c.asset_id.in_(mine)))
        link.execute(sa.delete(asset).where(of_assets))
    return removed


def _count(link: sa.Connection, what: str, table: sa.Table, *where: sa.ColumnElement[bool]) -> Row:
    rows = link.scalar(sa.select(sa.func.count()).select_from(table).where(*where))
    return {"what": what, "rows": int(rows or 0)}
