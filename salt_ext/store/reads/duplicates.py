"""
Assets that share a value which only one of them should have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from salt_ext.store.columns import UNREPORTED
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import FilterError
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.listing import freshness
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import asset, asset_seen, identifier
from salt_ext.words.nearest import unknown

COLUMNS = {"sn": asset.c.sn, "hostname": asset.c.hostname}
KINDS = ("mac", "uuid")
SHARED = (*COLUMNS, *KINDS)
"""The values that two assets may share, and should not."""


@masked
def duplicates(
    database: Database,
    by: str,
    *,
    filters: Mapping[str, Any] | None = None,
    limit: int | None = 100,
) -> tuple[list[Row], int]:
    """
    Return the assets that share a value now, and how many they are; equal values stand together.

    ``by`` is one of :data:`SHARED`. Columns are counted by their indexes, MACs and
    UUIDs by the index on the values of identifiers. With filters a value is returned
    when at least one of the assets that share it fits.
    """
    if by not in SHARED:
        raise FilterError(unknown("value to find duplicates by", by, SHARED))
    if by in database.hidden.columns or by in database.hidden.kinds:
        raise database.hidden.refusal(by)
    held = _columns(by) if by in COLUMNS else _ledger(by)
    several = sa.select(held.c.value).group_by(held.c.value).having(sa.func.count() > 1)
    if filters:
        ids = matching_ids(database, filters)
        fitting = sa.select(held.c.value).where(held.c.asset_id.in_(ids))
        several = several.where(held.c.value.in_(fitting))
    shown = (
        sa.select(
            sa.literal(by, sa.Text).label("by"),
            held.c.value,
            asset.c.minion_id,
            asset.c.sn,
            asset.c.manufacturer,
            asset.c.product_name,
            freshness(database.settings).label("freshness"),
            held.c.source,
            held.c.since.label("first_seen"),
            asset_seen.c.last_seen,
            asset.c.id,
        )
        .join(asset, asset.c.id == held.c.asset_id)
        .join(asset_seen, asset_seen.c.asset_id == asset.c.id)
        .where(held.c.value.in_(several))
    )
    order = (held.c.value, asset.c.minion_id, asset.c.id)
    with database.autocommit() as link:
        found = rows(link.execute(shown.order_by(*order).limit(limit)))
        if limit is None or len(found) < limit:
            return found, len(found)
        total = link.scalar(sa.select(sa.func.count()).select_from(shown.subquery()))
        return found, int(total or 0)


def _columns(name: str) -> sa.CTE:
    column = COLUMNS[name]
    return _held(
        column,
        [column.is_not(None), asset.c.merged_into.is_(None), asset.c.kind.not_in(UNREPORTED)],
        sa.select(
            column.label("value"),
            asset.c.id.label("asset_id"),
            sa.literal("asset", sa.Text).label("source"),
            asset.c.first_seen.label("since"),
        ),
    )


def _ledger(kind: str) -> sa.CTE:
    return _held(
        identifier.c.value,
        [identifier.c.kind == kind, identifier.c.last_seen.is_(None)],
        sa.select(
            identifier.c.value,
            identifier.c.asset_id,
            identifier.c.source,
            identifier.c.first_seen.label("since"),
        )
        .join(asset, asset.c.id == identifier.c.asset_id)
        .where(asset.c.merged_into.is_(None)),
    )


def _held(
    column: sa.Column[str], conditions: Sequence[sa.ColumnElement[bool]], every: sa.Select[Any]
) -> sa.CTE:
    """Return who has the values that are there more than once; nobody has one of them twice."""
    twice = sa.select(column).where(*conditions).group_by(column).having(sa.func.count() > 1)
    # As an array: of a group PostgreSQL expects that a third of all values are there twice, and
    # would read everything again.
    values = sa.func.array(twice.scalar_subquery(), type_=sa.ARRAY(sa.Text))
    return every.where(*conditions, column == sa.any_(values)).cte("held")
