"""
How large the store is, how much comes in, and which collectors fail.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.distribution import spread
from salt_ext.store.schema import metadata

SIZE = """
       CASE WHEN reltuples < 0 THEN pg_stat_get_live_tuples(oid) ELSE reltuples END::bigint AS rows,
       pg_table_size(oid) AS table_bytes, pg_indexes_size(oid) AS index_bytes
  FROM"""

SIZES = sa.text(f"""
SELECT relname AS "table", {SIZE} pg_class
 WHERE oid = ANY(ARRAY(SELECT to_regclass(name)::oid FROM unnest(CAST(:names AS text[])) AS name))
""")  # noqa: S608 - constants of ours

SHARDS = sa.text(f"""
WITH shard AS (
    SELECT shard.*
      FROM run_command_on_all_nodes($$
            SELECT jsonb_agg(shard)
              FROM (SELECT logicalrelid::text AS "table", shardid, {SIZE} pg_dist_shard
                      JOIN pg_class ON oid = to_regclass(shard_name(logicalrelid, shardid))
                   ) AS shard $$) AS node,
           jsonb_to_recordset(CAST(node.result AS jsonb)) AS shard(
               "table" text, shardid bigint, rows bigint, table_bytes bigint, index_bytes bigint)
     WHERE node.success AND "table" = ANY(:names)
)
SELECT "table", sum(rows)::bigint AS rows, sum(table_bytes)::bigint AS table_bytes,
       sum(index_bytes)::bigint AS index_bytes
  FROM (SELECT "table", max(rows) AS rows, sum(table_bytes) AS table_bytes,
               sum(index_bytes) AS index_bytes
          FROM shard
         GROUP BY "table", shardid) AS shard
 GROUP BY "table"
""")  # noqa: S608 - constants of ours
"""The sizes of the tables that are spread over the servers of Citus: the coordinator has none."""

ALL_BYTES = sa.text("""
SELECT sum(CAST(result AS bigint))::bigint
  FROM run_command_on_all_nodes('SELECT pg_database_size(current_database())')
 WHERE success
""")

CHANGED = """
SELECT FROM revision
 WHERE (number = 1 OR EXISTS (SELECT FROM change
                               WHERE asset_id = revision.asset_id AND revision = number))
   AND recorded_at > now() - interval"""
"""The reports that brought something new; to be the source of another one is nothing new."""

RATES = sa.text(f"""
SELECT pg_database_size(current_database()) AS database_bytes,
       (SELECT count(*) FROM asset_seen WHERE last_seen > now() - interval '1 hour'
           AND mode <> 'list')
           AS heard_last_hour,
       (SELECT count(*) FROM ({CHANGED} '1 hour') AS changed)
           AS changed_last_hour,
       (SELECT count(*) FROM ({CHANGED} '1 day') AS changed)
           AS changed_last_day,
       (SELECT count(*) FROM problem WHERE closed_at IS NULL) AS open_problems,
       (SELECT count(*) FROM held WHERE rejected_at IS NULL) AS held_reports,
       (SELECT count(*) FROM inbox) AS inbox_reports
""")  # noqa: S608 - constants of ours

ERRORS = sa.text("""
SELECT subject AS collector, count(*) AS machines, sum(count)::bigint AS errors,
       max(last_seen) AS last_seen
  FROM problem
 WHERE kind = 'collector' AND closed_at IS NULL
 GROUP BY subject
 ORDER BY machines DESC, errors DESC, subject
""")


def failing_collectors(database: Database) -> list[Row]:
    """
    Return the collectors that fail now, those that fail on most machines first.

    Each has ``collector``, the number of ``machines``, of ``errors`` since each of these
    problems is known, and ``last_seen``.
    """
    with database.autocommit() as link:
        return rows(link.execute(ERRORS))


def statistics(database: Database) -> Row:
    """
    Return the size of the database and of each of its ``tables``, what comes in, what fails.

    ``rows`` of a table is PostgreSQL's estimate from its last look. On Citus the bytes are
    those of all servers. ``heard_last_hour`` counts machines, because an unchanged report
    leaves only the time of the last one. ``changed_last_hour`` counts reports that brought
    something new, by the index on their times. ``collectors`` are those that fail now: on
    how many ``machines``, and with how many ``errors`` since each of these problems is known.
    """
    with database.autocommit() as link:
        there = spread(link)
        tables = rows(link.execute(SIZES, {"names": list(metadata.tables.keys() - there.keys())}))
        failing = rows(link.execute(ERRORS))
        found = {**link.execute(RATES).one()._mapping}
        if there:
            tables += rows(link.execute(SHARDS, {"names": list(there)}))
            found["database_bytes"] = link.scalar(ALL_BYTES)
    tables.sort(key=lambda row: (-row["table_bytes"] - row["index_bytes"], row["table"]))
    return {**found, "tables": tables, "collectors": failing}
