"""
A store with many assets and a year of history, from a few machines that were ingested.

The machines report through :func:`store.ingest`; then SQL copies them. Each copy has its own ids,
names, numbers and addresses, and its times are some minutes earlier. Rows are written in the order
of time, as in a store that grew. Documents and changes are the same in all copies of a machine.
"""

from __future__ import annotations

import sqlalchemy as sa

from benchmarks.fleet.documents import SITES
from benchmarks.fleet.seed import seed
from benchmarks.postgres import Server
from salt_ext import store
from salt_ext.store import schema, tally
from salt_ext.store.schema import (
    asset,
    asset_facts,
    asset_seen,
    asset_was,
    change,
    decision,
    identifier,
    part,
    placement,
    revision,
)

COPIES = 100

BUILDING = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_wal_size": "'8GB'",
    "work_mem": "'256MB'",
    "maintenance_work_mem": "'512MB'",
    "autovacuum": "off",
    "jit": "off",
}
"""Settings while the store is built: this is not measured, and may be lost in a crash."""

TABLES: dict[sa.Table, str] = {
    asset: "first_seen",
    asset_was: "until",
    asset_seen: "",
    asset_facts: "",
    identifier: "first_seen",
    revision: "recorded_at",
    change: "recorded_at",
    part: "",
    schema.build: "",
    placement: "since",
    decision: "decided_at",
}
"""The tables to copy, and the moment that orders their rows; where it is blank, ids do."""

SITE = f"(ARRAY{list(SITES)})[1 + copy % {len(SITES)}]"
NAME = "pg_temp.name({}, copy)"
OWN: dict[sa.Column[str], str] = {
    asset.c.minion_id: NAME.format("minion_id"),
    asset.c.hostname: NAME.format("hostname"),
    asset.c.sn: "pg_temp.number(sn, copy)",
    asset.c.site: SITE,
    asset.c.address: "pg_temp.address(address, copy)",
    asset.c.search: "pg_temp.wwn(pg_temp.address(pg_temp.mac("
    "replace(replace(replace(replace(search,"
    f" coalesce(minion_id, '-'), coalesce({NAME.format('minion_id')}, '-')),"
    f" hostname, {NAME.format('hostname')}),"
    f" coalesce(lower(sn), '-'), lower(pg_temp.number(coalesce(sn, '-'), copy))), site, {SITE}),"
    " copy), copy), copy)",
    asset_was.c.minion_id: NAME.format("minion_id"),
    asset_was.c.hostname: NAME.format("hostname"),
    asset_was.c.sn: "pg_temp.number(sn, copy)",
    asset_was.c.site: SITE,
    asset_was.c.address: "pg_temp.address(address, copy)",
    identifier.c.value: "CASE WHEN kind IN ('minion_id', 'hostname') THEN"
    f" {NAME.format('value')} WHEN kind LIKE '%mac%' THEN pg_temp.mac(value, copy)"
    " ELSE lower(pg_temp.number(value, copy)) END",
    placement.c.serial: "pg_temp.number(serial, copy)",
    decision.c.minion_id: NAME.format("minion_id"),
}

FUNCTIONS = """
CREATE FUNCTION pg_temp.id(uuid, int) RETURNS uuid IMMUTABLE LANGUAGE sql AS
    $$ SELECT CASE $2 WHEN 0 THEN $1 ELSE md5($1::text || $2)::uuid END $$;
CREATE FUNCTION pg_temp.earlier(timestamptz, int) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS
    $$ SELECT $1 - $2 * interval '430 seconds' $$;
CREATE FUNCTION pg_temp.name(text, int) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT left($1, -6) || to_char(right($1, 6)::int + $2 * {stride}, 'FM9000000') $$;
CREATE FUNCTION pg_temp.number(text, int) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT CASE $2 WHEN 0 THEN $1 ELSE $1 || lpad($2::text, 2, '0') END $$;
CREATE FUNCTION pg_temp.mac(text, int) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT CASE $2 WHEN 0 THEN $1 ELSE regexp_replace($1, '\\y(..:..):..:(..:..:..)\\y',
              '\\1:' || lpad(to_hex($2), 2, '0') || ':\\2', 'g') END $$;
CREATE FUNCTION pg_temp.wwn(text, int) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT CASE $2 WHEN 0 THEN $1 ELSE regexp_replace($1, '\\y([0-9a-f]{{14}})[0-9a-f]{{2}}\\y',
              '\\1' || lpad(to_hex($2), 2, '0'), 'g') END $$;
CREATE FUNCTION pg_temp.address(text, int) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$ SELECT regexp_replace($1, '\\y10\\.', 10 + $2 || '.', 'g') $$;
"""

LAST_SEEN = """
UPDATE asset_seen SET position = collected_at,
       last_seen = now() - ('x' || left(md5(asset_id::text), 4))::bit(16)::int *
       CASE WHEN md5(asset_id::text) < '08' THEN interval '1 minute'
            ELSE interval '10 milliseconds' END
"""
"""Most assets reported in the last minutes; some have been silent for up to 45 days."""

PROBLEMS = """
INSERT INTO problem (id, kind, minion_id, subject, message, traceback, first_seen, last_seen,
                     count, closed_at)
SELECT gen_random_uuid(), 'collector', minion_id, 'smart', 'OSError: [Errno 5] of its own', '',
       first_seen, first_seen + interval '1 day', 1,
       CASE WHEN md5(id::text) > '02'
            THEN first_seen + interval '9 days' END
  FROM asset WHERE md5(id::text) < '20' AND minion_id IS NOT NULL
"""


def build(server: Server, name: str, assets: int, copies: int = COPIES) -> store.Database:
    """Make a store with about so many assets, and with a year of history that ends now."""
    database = server.new_store(name)
    with server.set(**BUILDING):
        seed(database, assets // copies)
        with database.begin() as link:
            _copy(link, copies)
    server.ask("VACUUM ANALYZE", name)
    server.ask("CHECKPOINT")
    return database


def _copy(link: sa.Connection, copies: int) -> None:
    def run(statement: str) -> None:
        link.exec_driver_sql(statement.replace("%", "%%"))

    largest = link.scalar(sa.text("SELECT max(right(minion_id, 6)::int) FROM asset"))
    run(FUNCTIONS.format(stride=largest))
    run("SET LOCAL statement_timeout = 0")
    run("SET LOCAL session_replication_role = replica")  # the foreign keys are right anyway
    for table in TABLES:
        run(f"CREATE TEMPORARY TABLE seed_{table.name} AS TABLE {table.name}")
        run(f"ANALYZE seed_{table.name}")
    run(f"TRUNCATE {', '.join(table.name for table in TABLES)} CASCADE")
    for table, moment in TABLES.items():
        order = f"pg_temp.earlier({moment}, copy)" if moment else "pg_temp.id(asset_id, copy)"
        of_table = f"WHERE indrelid = '{table.name}'::regclass"
        run(f"UPDATE pg_index SET indisready = false {of_table}")
        run(
            f"INSERT INTO {table.name} ({', '.join(column.name for column in table.columns)})"
            f" SELECT {', '.join(_copied(column) for column in table.columns)}"
            f" FROM seed_{table.name} AS seed, generate_series(0, {copies - 1}) AS copy"
            f" ORDER BY {order}"
        )
        run(f"UPDATE pg_index SET indisready = true {of_table}")
        run(f"REINDEX TABLE {table.name}")
    run(LAST_SEEN)
    run(PROBLEMS)
    tally.count_anew(link)


def _copied(column: sa.Column[str]) -> str:
    """Return the SQL expression that makes a column of a copy."""
    if column in OWN:
        return OWN[column]
    if isinstance(column.type, sa.UUID):
        return f"pg_temp.id({column.name}, copy)"
    if isinstance(column.type, sa.DateTime):
        return f"pg_temp.earlier({column.name}, copy)"
    return column.name
