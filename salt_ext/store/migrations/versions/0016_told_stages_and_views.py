"""Which stages of life were told, and the views that other programs may rely on."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

# Since when, by each master, so much time was listened: see salt_ext/store/listening.py.
LISTENED = """
    SELECT array_agg(coalesce(reached.stale, '-infinity') ORDER BY each.number) AS stale,
           array_agg(coalesce(reached.missing, '-infinity') ORDER BY each.number) AS missing
      FROM generate_series(0, (SELECT coalesce(max(number), 0) FROM master)) AS each(number)
      LEFT JOIN master
        ON master.number = each.number
       AND coalesce(master.beat_at, now()) >= now() - interval '30 days'
      LEFT JOIN (
           SELECT number,
                  max(lower(span) + (listened - stale_after))
                      FILTER (WHERE listened >= stale_after) AS stale,
                  max(lower(span) + (listened - missing_after))
                      FILTER (WHERE listened >= missing_after) AS missing
             FROM (SELECT number, span, sum(upper(span) - lower(span)) OVER (
                          PARTITION BY number ORDER BY span DESC) AS listened
                     FROM (SELECT number, unnest(range_agg(
                                  tstzrange(since, least(until, now())))) AS span
                             FROM (SELECT master AS number, since, until FROM listening
                                    WHERE master <> 0
                                    UNION ALL
                                   SELECT 0, since, until FROM listening) AS heard
                            WHERE since < now() GROUP BY number) AS merged) AS counted,
                  ages
            GROUP BY number) AS reached
        ON reached.number = coalesce(master.number, 0)
"""

ALL_MACHINES = f"""
CREATE VIEW cmdb_all_machines AS
WITH ages AS (
    SELECT coalesce(nullif(current_setting('cmdb.stale_after', true), ''), '2h')::interval
           AS stale_after,
           coalesce(nullif(current_setting('cmdb.missing_after', true), ''), '7d')::interval
           AS missing_after),
listened AS MATERIALIZED ({LISTENED})
SELECT asset.id AS asset_id, asset.minion_id, asset.sn, asset.kind, asset.lifecycle,
       CASE WHEN seen.mode = 'list' THEN 'unreported'
            WHEN seen.detached_at IS NOT NULL THEN 'detached'
            WHEN seen.last_seen < (SELECT coalesce(
                 missing[coalesce(seen.master, 0) + 1], missing[1]) FROM listened) THEN 'missing'
            WHEN seen.last_seen < (SELECT coalesce(
                 stale[coalesce(seen.master, 0) + 1], stale[1]) FROM listened) THEN 'stale'
            ELSE 'fresh' END AS freshness,
       CASE WHEN seen.mode <> 'list' THEN seen.last_seen END AS last_seen,
       asset.first_seen, asset.hostname, asset.site, asset.room, asset.rack, asset.unit,
       asset.from_list, asset.manufacturer, asset.product_name, asset.os, asset.kernel_release,
       asset.processor_model, asset.processor_threads, asset.memory_bytes, asset.disk_count,
       asset.disk_bytes, asset.address,
       coalesce((SELECT jsonb_object_agg(regexp_replace(key, '^list\\.', ''), value)
                   FROM jsonb_each(asset.listed)), '{{}}') AS list,
       coalesce((SELECT jsonb_object_agg(regexp_replace(key, '^list\\.', ''), value
                                         ORDER BY expected.imported_at, expected.source)
                   FROM expected, jsonb_each(expected.fields)
                  WHERE expected.asset_id = asset.id
                    AND split_part(lower(expected.minion_id), '.', 1)
                        = split_part(lower(asset.minion_id), '.', 1)
                    AND (strpos(rtrim(expected.minion_id, '.'), '.') = 0
                         OR strpos(asset.minion_id, '.') = 0
                         OR lower(rtrim(expected.minion_id, '.')) = lower(asset.minion_id))
                    AND btrim(value #>> '{{}}') <> ''), '{{}}') AS named
  FROM asset JOIN asset_seen AS seen ON seen.asset_id = asset.id
 WHERE asset.merged_into IS NULL
"""  # noqa: S608 - a constant of ours

MACHINES = """
CREATE VIEW cmdb_machines AS
SELECT * FROM cmdb_all_machines
 WHERE lifecycle <> 'retired' AND freshness IN ('fresh', 'stale')
"""

COMMENTS = """
COMMENT ON VIEW cmdb_machines IS
    'the machines for other programs: no retired, missing or detached one; see docs/salt.md';
COMMENT ON VIEW cmdb_all_machines IS 'all assets for other programs; see docs/salt.md'
"""


def upgrade() -> None:
    """Take the step."""
    op.add_column(
        "decision",
        sa.Column(
            "told",
            sa.Boolean(),
            server_default=sa.true(),
            nullable=False,
            comment="false: an event has to tell of it yet",
        ),
    )
    op.create_index(
        "decision_untold_idx", "decision", ["decided_at"], postgresql_where=sa.text("NOT told")
    )
    op.execute(ALL_MACHINES)
    op.execute(MACHINES)
    op.execute(COMMENTS)
