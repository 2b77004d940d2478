"""
The name or number that was meant by one that the store does not have.

Nearly each asset has its own, so that they cannot be compared one by one: every slip of
the finger that leads to what was typed is looked for in the indexes.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from salt_ext.store.database import Database
from salt_ext.store.hidden import Hidden
from salt_ext.store.reads import seen
from salt_ext.store.reads.patterns import NUMEROUS
from salt_ext.store.schema import asset, identifier, placement
from salt_ext.store.text import is_text
from salt_ext.words.nearest import nearest, slips

NAMES: tuple[sa.ColumnElement[str], ...] = tuple(asset.c[name] for name in NUMEROUS)
LEDGER: tuple[sa.ColumnElement[str], ...] = (
    identifier.c.value,
    # The value of a serial number begins with the maker: dell/9xyz1k2.
    sa.func.split_part(identifier.c.value, "/", 2, type_=sa.Text),
)
PARTS: tuple[sa.ColumnElement[str], ...] = (placement.c.serial,)

ENOUGH = 10
"""So many values of a column are compared with what was typed."""


def nearest_asset(link: sa.Connection, typed: str, hidden: Hidden) -> str | None:
    """Return the name, number or other identifier of an asset that was meant."""
    return nearest(typed, slipped(link, typed, (*NAMES, *LEDGER), hidden))


def nearest_part(link: sa.Connection, typed: str, hidden: Hidden) -> str | None:
    """Return the number of a part that was meant."""
    return nearest(typed, slipped(link, typed, PARTS, hidden))


def nearest_known(database: Database, typed: str) -> str | None:
    """Return the name or number, of an asset or of a part, that was meant."""
    if not is_text(typed):
        return None
    with database.autocommit() as link:
        return nearest(typed, slipped(link, typed, (*NAMES, *LEDGER, *PARTS), database.hidden))


def slipped(
    link: sa.Connection, typed: str, columns: Iterable[sa.ColumnElement[str]], hidden: Hidden
) -> list[str]:
    """Return the values of columns from which a text differs by one slip of the finger."""
    cases = (typed, typed.lower(), typed.upper())
    possible = sa.literal(sorted(set().union(*map(slips, cases))), ARRAY(sa.Text))
    # As a subquery PostgreSQL cannot count them: it takes a thousand for so many that it would
    # rather read the table, and not its index.
    one_of_them = sa.any_(sa.func.array(sa.select(sa.func.unnest(possible)).scalar_subquery()))
    found: dict[str, None] = {}
    shown = {identifier: seen.identifiers, placement: seen.placements}
    for column in columns:
        if column.name in hidden.columns:
            continue
        [table] = sa.select(column).columns_clause_froms
        where = shown[table](hidden) if table in shown else []
        here = sa.select(column).where(column == one_of_them, *where)
        known = here.distinct().limit(ENOUGH)
        found.update(dict.fromkeys(link.scalars(known)))
    return list(found)
