"""
Which changes tell people something: the rule of ``words.changes.worth_telling``, for PostgreSQL.

So what is counted, limited and put in pages is what is shown. A test holds both against
each other.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.schema import change

_other = change.alias("other")

EMPTY = ("[]", "{}")
"""Sections with nothing in them, as the text of their JSON."""


def _is_nothing(value: sa.ColumnElement[object]) -> sa.ColumnElement[bool]:
    return value.is_(None) | sa.cast(value, sa.Text).in_(EMPTY)


def _is_empty_slot(value: sa.ColumnElement[object]) -> sa.ColumnElement[bool]:
    return sa.cast(value.op("->")("present"), sa.Text) == "false"


OF_EMPTY_SECTION = sa.and_(
    change.c.component.is_(None),
    ~change.c.path.contains("."),
    _is_nothing(change.c.old),
    _is_nothing(change.c.new),
)

OF_BARE_SLOT = sa.and_(
    change.c.component.is_not(None),
    change.c.field.is_(None),
    sa.or_(
        change.c.old.is_(None) & _is_empty_slot(change.c.new),
        change.c.new.is_(None) & _is_empty_slot(change.c.old),
    ),
    sa.select(_other.c.op)
    .where(
        _other.c.asset_id == change.c.asset_id,
        _other.c.revision == change.c.revision,
        _other.c.path == change.c.path,
        _other.c.op == "moved",
    )
    .correlate(change)
    .exists(),
)

TOLD = sa.not_(sa.func.coalesce(OF_EMPTY_SECTION | OF_BARE_SLOT, sa.false()))
"""Whether a change tells people something."""
