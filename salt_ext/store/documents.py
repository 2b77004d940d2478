"""
The current document of an asset: a row for each section.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from salt_ext.store.schema import asset_facts


def current(asset_id: Any) -> sa.ScalarSelect[Any]:
    """Return the expression for all facts of an asset."""
    return (
        sa.select(sa.func.jsonb_object_agg(asset_facts.c.section, asset_facts.c.facts))
        .where(asset_facts.c.asset_id == asset_id)
        .scalar_subquery()
    )
