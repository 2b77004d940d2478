"""
The reports that wait for a person.
"""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import FilterError
from salt_ext.store.identity.decision import RULES
from salt_ext.store.reads.masking import masked
from salt_ext.store.reads.patterns import glob
from salt_ext.store.schema import held
from salt_ext.words.nearest import unknown

SHOWN = [one for one in held.columns if one.name != "report"]
"""The columns of a held report without its facts."""


@masked
def held_reports(
    database: Database, minion_id: str = "*", limit: int = 50, *, rule: str = ""
) -> tuple[list[Row], int]:
    """
    Return the reports that wait for a person, and how many there are in all.

    They come without their facts. ``minion_id`` may be a glob; ``rule`` is one of
    ``identity.decision.RULES``, blank for all. Raises :class:`FilterError` for another one.
    """
    if rule and rule not in RULES:
        raise FilterError(unknown("rule", rule, RULES))
    where = [glob(held.c.minion_id, minion_id)] + ([held.c.rule == rule] if rule else [])
    newest = sa.select(*SHOWN).where(*where).order_by(held.c.last_seen.desc()).limit(limit)
    number = sa.select(sa.func.count()).select_from(held).where(*where)
    with database.autocommit() as link:
        return rows(link.execute(newest)), int(link.scalar(number) or 0)


@masked
def claiming(database: Database, asset_id: uuid.UUID, limit: int = 20) -> list[Row]:
    """Return the reports that wait for a person and that may be of an asset, the last first."""
    statement = sa.select(*SHOWN).where(claimed(asset_id), held.c.rejected_at.is_(None))
    with database.autocommit() as link:
        return rows(link.execute(statement.order_by(held.c.last_seen.desc()).limit(limit)))


def claimed(asset_id: Any) -> sa.ColumnElement[bool]:
    """Return the condition that a held report may be of an asset."""
    one = sa.func.jsonb_build_object("asset_id", sa.cast(asset_id, sa.Text))
    return held.c.candidates.contains(sa.func.jsonb_build_array(one))
