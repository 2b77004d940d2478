"""
How many assets there are, kept so that a list need not count them.

Triggers of PostgreSQL note by how many each transaction makes them more or fewer, in a row of
its own: no writer waits for another one. Every hour ``cmdb.maintain`` counts all and makes one
row of these. A merged asset does not count.

On Citus, whose tables may have no triggers, there is no such row, and the assets are counted.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.schema import asset, tally

IS_MERGED = asset.c.merged_into.is_not(None)

# Both parts see the same moment, so what somebody else adds meanwhile stays a row of its own.
COUNT_ANEW = sa.text("""
WITH gone AS (DELETE FROM tally RETURNING assets)
INSERT INTO tally (assets)
SELECT (SELECT count(*) FROM asset) - (SELECT count(*) FROM asset WHERE merged_into IS NOT NULL)
 WHERE EXISTS (SELECT FROM gone)
""")

STOP = (
    "DROP TRIGGER IF EXISTS tally_added ON asset",
    "DROP TRIGGER IF EXISTS tally_removed ON asset",
    "DROP TRIGGER IF EXISTS tally_merged ON asset",
    "DELETE FROM tally",
)


def number_of_assets() -> sa.ColumnElement[int]:
    """Return the number of all assets: the kept one, else they are counted."""
    kept = sa.select(sa.cast(sa.func.sum(tally.c.assets), sa.BigInteger)).scalar_subquery()
    return sa.func.coalesce(kept, number_of() - number_of(IS_MERGED))


def number_of(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """Return the number of assets, the merged ones too, that fit some conditions."""
    return sa.select(sa.func.count()).select_from(asset).where(*conditions).scalar_subquery()


def count_anew(link: sa.Connection) -> None:
    """Count all assets and make one row of their number, where it is kept."""
    # Asked first, because Citus refuses the statement that counts.
    if link.scalar(sa.select(sa.exists(sa.select(tally)))):
        link.execute(COUNT_ANEW)


def stop(link: sa.Connection) -> None:
    """Keep the number no more."""
    for statement in STOP:
        link.exec_driver_sql(statement)
