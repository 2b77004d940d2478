"""
How the tables are spread over the servers of Citus, if they are.

What grows with the fleet is kept with its asset: such a table has ``asset_id`` in each of
its keys, and the rows of one asset are together on one server. What is looked up for any
asset, or joined with its rows, stands whole on every server (a reference table). What is
joined with neither stays on the coordinator alone.

``migrate(distribute=True)`` does it once; then each ``migrate`` does it for its new tables.
docs/scale.md tells how to use it, and which statements differ.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from salt_ext.store import tally
from salt_ext.store.errors import StoreError
from salt_ext.store.schema import metadata

KEY = "asset_id"
UNIQUE = (sa.PrimaryKeyConstraint, sa.UniqueConstraint)

DISTRIBUTED, REFERENCE = "distributed", "reference"
CALLS = {
    DISTRIBUTED: f"SELECT create_distributed_table(:name, '{KEY}', colocate_with => :beside)",
    REFERENCE: "SELECT create_reference_table(:name)",
}
"""What spreads a table, by its kind in the view ``citus_tables``."""
EMPTY = "SELECT truncate_local_data_after_distributing_table(:name)"
SAYS = {DISTRIBUTED: "spread by asset", REFERENCE: "whole on each server"}

LOCAL = frozenset(
    {
        "delivery",
        "inbox",
        "installation",
        "listening",
        "master",
        "spent",
        "tally",
        "told_lately",
        "token",
    }
)
"""
The tables that stay on the coordinator: nothing joins them with those of the assets.

``delivery`` and ``master`` are numbered by their server, and the numbers of ``master`` are
too short for Citus.
"""

SESSION = """
SELECT set_config('citus.multi_shard_modify_mode', 'sequential', false),
       set_config('plan_cache_mode', 'auto', false)
  FROM pg_extension WHERE extname = 'citus'
"""
"""
What every new session asks first. It changes nothing without Citus.

Citus then writes to all shards over one connection a server and in one order; otherwise it
refuses to delete an asset in a transaction that wrote its rows in parallel, and two writers
may lock the same rows in different orders. It cannot plan what it has to send to several
shards before it knows the values.
"""


IS_SPREAD = "SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass('asset_seen')"


def begin_session(driver: Any, session: Any) -> None:
    """Set up a new connection of psycopg2, and note whether its tables are spread."""
    with driver.cursor() as cursor:
        cursor.execute(SESSION)
        session.info["has_citus"] = is_citus = cursor.rowcount > 0
        if is_citus:
            cursor.execute(IS_SPREAD)
            is_citus = cursor.rowcount > 0
        session.info["is_citus"] = is_citus
    driver.commit()


def is_citus(link: sa.Connection) -> bool:
    """
    Whether the tables were spread over the servers of Citus when a session began.

    Then a few statements have another form. PostgreSQL takes most of these forms too, and they
    would cost it more.
    """
    return bool(link.info["is_citus"])


def unplanned(link: sa.Connection, number: int) -> int | sa.ScalarSelect[int]:
    """
    Return the limit of a search in a form that PostgreSQL does not plan for.

    If it knew the number, it would read the whole table and hope to meet so many soon. Citus
    takes a number only.
    """
    return number if is_citus(link) else sa.select(sa.literal(number)).scalar_subquery()


def is_by_asset(table: sa.Table) -> bool:
    """Whether the rows of a table can be kept with their asset: each unique key has its id."""
    keys = [
        *(key for key in table.constraints if isinstance(key, UNIQUE)),
        *(index for index in table.indexes if index.unique),
    ]
    return KEY in table.c and all(KEY in key.columns for key in keys if len(key.columns))


def wanted() -> dict[str, str]:
    """Return how each table is to be spread, in an order in which that is possible."""
    tables = [table for table in metadata.sorted_tables if table.name not in LOCAL]
    # Those that stand on every server first: the others refer to them.
    return {
        table.name: DISTRIBUTED if is_by_asset(table) else REFERENCE
        for table in sorted(tables, key=is_by_asset)
    }


def spread(link: sa.Connection) -> dict[str, str]:
    """Return how each table is spread now: none is without Citus, or before it is told to."""
    if not link.info["has_citus"]:
        return {}
    found = link.execute(
        sa.text(
            "SELECT table_name::text AS name, citus_table_type AS kind FROM citus_tables"
            " WHERE citus_table_type = ANY(:kinds)"
        ),
        {"kinds": list(CALLS)},
    )
    return {row.name: row.kind for row in found}


WORKERS = sa.text("SELECT count(*) FROM pg_dist_node WHERE isactive AND shouldhaveshards")


def distribute(link: sa.Connection, *, test: bool = False) -> list[str]:
    """
    Spread each table that is not spread yet; return a sentence for each.

    With ``test`` nothing is done. Raises :class:`StoreError` without Citus, or without a worker.
    """
    if not link.info["has_citus"]:
        name = link.scalar(sa.text("SELECT current_database()"))
        raise StoreError(
            f"the database {name} has not the extension citus",
            "install Citus on each server, run in this database CREATE EXTENSION citus and"
            " SELECT citus_add_node(...) for each worker, and try again: see docs/scale.md",
            "the database has not the extension citus",
        )
    if not link.scalar(WORKERS):
        raise StoreError(
            "the coordinator knows no server that takes shards",
            "run in this database SELECT citus_add_node('worker1', 5432) for each worker, and try"
            " again: see docs/scale.md",
        )
    done = []
    there = spread(link)
    for name, kind in wanted().items():
        if name in there:
            continue
        if not test:
            if name == "asset":  # Citus takes no table with triggers
                tally.stop(link)
                link.exec_driver_sql("DROP TRIGGER IF EXISTS asset_gone ON asset")
            beside = next((one for one, of in there.items() if of == DISTRIBUTED), "none")
            link.execute(sa.text(CALLS[kind]), {"name": name, "beside": beside})
            there[name] = kind
        done.append(f"{name}: {SAYS[kind]}")
    if done and not test:
        _comment(link)
    return done


def _comment(link: sa.Connection) -> None:
    """Say again what tables and columns are for: Citus makes those that it spreads anew."""
    for table in metadata.tables.values():
        if table.comment:
            link.execute(sa.schema.SetTableComment(table))
        for column in table.columns:
            if column.comment:
                link.execute(sa.schema.SetColumnComment(column))
