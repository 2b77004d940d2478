"""
The words that are searched in a list: what the search text has, and the numbers of parts.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from salt_ext.store.reads import seen
from salt_ext.store.reads.known import is_identifier
from salt_ext.store.reads.listing import Listing
from salt_ext.store.schema import identifier, placement
from salt_ext.words.spellings import normal_forms, spellings


def has_word(source: Listing, word: str) -> sa.ColumnElement[bool]:
    """
    Whether an asset has a word in its search text, or a part or an identifier of that number.

    Of parts and identifiers the whole number counts, in any spelling.
    """
    texts = sorted({word.lower(), *normal_forms(word)})
    forms = sorted(spellings(word))
    parts = sa.select(placement.c.asset_id).where(
        placement.c.serial.in_(forms),
        _is_then(source, placement.c.since, placement.c.until),
        *seen.placements(source.hidden),
    )
    numbers = sa.select(identifier.c.asset_id).where(
        is_identifier(sorted({one.lower() for one in forms})),
        _is_then(source, identifier.c.first_seen, identifier.c.last_seen),
        *seen.identifiers(source.hidden),
    )
    # As an array: then PostgreSQL finds these by the key, and the others by their text.
    having = sa.func.array(parts.union_all(numbers).scalar_subquery())
    return sa.or_(
        *(source.text.contains(one, autoescape=True) for one in texts),
        source.key == sa.any_(having),
    )


def _is_then(source: Listing, since: Any, until: Any) -> sa.ColumnElement[bool]:
    """Whether something that lasted from one moment to another is so at that of the list."""
    if source.at is None:
        return sa.cast(until.is_(None), sa.Boolean)
    return sa.and_(since <= source.at, until.is_(None) | (until > source.at))
