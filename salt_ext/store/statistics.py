"""
How large the store is, and how much comes in.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.schema import metadata

SIZES = sa.text("""
SELECT relname AS "table",
       CASE WHEN reltuples < 0 THEN pg_stat_get_live_tuples(oid) ELSE reltuples END::bigint AS rows,
       pg_table_size(oid) AS table_bytes, pg_indexes_size(oid) AS index_bytes
  FROM pg_class
 WHERE oid = ANY(ARRAY(SELECT to_regclass(name)::oid FROM unnest(CAST(:names AS text[])) AS name))
 ORDER BY pg_total_relation_size(oid) DESC, relname
""")

RATES = sa.text("""
SELECT pg_database_size(current_database()) AS database_bytes,
       (SELECT count(*) FROM asset_seen WHERE last_seen > now() - interval '1 hour')
           AS heard_last_hour,
       (SELECT count(*) FROM revision WHERE recorded_at > now() - interval '1 hour')
           AS changed_last_hour,
       (SELECT count(*) FROM revision WHERE recorded_at > now() - interval '1 day')
           AS changed_last_day,
       (SELECT count(*) FROM problem WHERE closed_at IS NULL) AS open_problems,
       (SELECT count(*) FROM held WHERE rejected_at IS NULL) AS held_reports,
       (SELECT count(*) FROM inbox) AS inbox_reports
""")


def statistics(database: Database) -> Row:
    """
    Return the size of the database and of each of its ``tables``, and what comes in.

    ``rows`` of a table are what PostgreSQL counted when it last looked. An
    unchanged report leaves no more than the time of the last one, so
    ``heard_last_hour`` are machines; ``changed_last_hour`` are reports that
    brought something new, counted by the index on their times.
    """
    with database.begin() as link:
        tables = rows(link.execute(SIZES, {"names": list(metadata.tables)}))
        return {**link.execute(RATES).one()._mapping, "tables": tables}
