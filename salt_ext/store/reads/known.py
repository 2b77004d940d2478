"""
By which names, numbers and addresses an asset is known now: conditions that have an index.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from salt_ext.store.schema import asset, identifier
from salt_ext.store.search import KNOWN, LISTED

KNOWN_LINES = sa.func.string_to_array(
    sa.func.split_part(asset.c.search, KNOWN, 2), "\n", type_=ARRAY(sa.Text)
)
"""What an asset is known by and what people's lists say of it, each line once."""

REPORTED = sa.func.split_part(
    sa.func.split_part(asset.c.search, KNOWN, 2), LISTED, 1, type_=sa.Text
)
"""What a machine is known by, without what lists say."""


def is_known_by(lower: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether an asset has one of these texts as a line, or as its name without the domain."""
    return sa.or_(
        KNOWN_LINES.overlap(sa.literal(list(lower), ARRAY(sa.Text))),
        is_short_name(asset.c.minion_id, lower),
        is_short_name(asset.c.hostname, lower),
    )


def is_called(lower: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether an asset has one of these names, numbers or addresses; what lists say is none."""
    lines = sa.func.string_to_array(REPORTED, "\n", type_=ARRAY(sa.Text))
    return sa.and_(
        is_known_by(lower),
        sa.or_(
            lines.overlap(sa.literal(list(lower), ARRAY(sa.Text))),
            is_short_name(asset.c.minion_id, lower),
            is_short_name(asset.c.hostname, lower),
        ),
    )


AFTER_MAKER = sa.func.substr(
    identifier.c.value, sa.func.strpos(identifier.c.value, "/") + 1, type_=sa.Text
)
"""The serial number in the value of an identifier, which begins with the maker: dell/9xyz1k2."""


def is_identifier(lower: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether an identifier in the ledger has one of these values, or is a name with a domain."""
    first = sorted({one.partition("/")[0] for one in lower})
    return sa.or_(
        identifier.c.value.in_(lower),
        # A number may have a slash of its own: the index has what stands before that.
        sa.func.split_part(identifier.c.value, "/", 2).in_(first) & AFTER_MAKER.in_(lower),
        (identifier.c.kind == "minion_id") & is_short_name(identifier.c.value, lower),
    )


def is_short_name(column: sa.ColumnElement[str], lower: Sequence[str]) -> sa.ColumnElement[bool]:
    """Whether a name is one of these, or is one of them with a domain behind it."""
    name = sa.func.lower(column)
    first = sa.func.split_part(name, ".", 1).in_(sorted({one.partition(".")[0] for one in lower}))
    return first & (name.in_(lower) | sa.func.split_part(name, ".", 1).in_(lower))


def has_bare_sn(bare_sn: str) -> sa.ColumnElement[bool]:
    """Whether an asset has this serial number, without case, blanks and leading zeros."""
    its_own = sa.func.ltrim(sa.func.replace(sa.func.lower(asset.c.sn), " ", ""), "0")
    return its_own == bare_sn if bare_sn else sa.false()
