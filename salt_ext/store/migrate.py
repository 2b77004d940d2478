"""The schema, brought up to this version of the code."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from salt_ext.store import distribution
from salt_ext.store.database import Database
from salt_ext.store.errors import StoreError
from salt_ext.store.rights import renew

# Two masters may start a migration at once; the second waits for the first.
LOCK = 0x636D6462
LOCK_TIMEOUT_SECONDS = 10
"""A step waits no longer than this for a table: meanwhile all later reads queue behind it."""

ENCODING = "UTF8"


def migrate(database: Database, *, test: bool = False, distribute: bool = False) -> list[str]:
    """
    Take the steps that the schema lacks; return each as ``revision description``.

    With ``test`` the steps are named and not taken. All of them are one
    transaction: a step that fails leaves the schema as it was. Who writes meanwhile is
    waited for, or waits and is then told that the schema is another one. The four roles
    of the store get their rights on new tables, where they have rights already. With
    ``distribute`` the tables are spread over the servers of Citus; those of a store that is
    spread always are. Raises :class:`StoreError` when others keep a table busy for too long,
    when the database cannot hold every character, and when it has no Citus to spread by.
    """
    # Imported here, so that no other command has to wait until Alembic is loaded.
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)
    with database.begin_unchecked() as link:
        _check_encoding(link)
        # A step over a year of history, or the wait for the other master, may take minutes.
        link.exec_driver_sql("SET LOCAL statement_timeout = 0")
        link.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        link.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
        current = MigrationContext.configure(link).get_current_revision()
        steps = [
            f"{step.revision} {step.doc}"
            for step in reversed(list(script.iterate_revisions("head", current or "base")))
        ]
        if steps and not test:
            if current is not None:
                # Every writer reads this table in its transaction.
                link.exec_driver_sql("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
            config.attributes["connection"] = link
            command.upgrade(config, "head")
        if not test:
            _index_words(link)
        if distribute or distribution.spread(link):
            steps += distribution.distribute(link, test=test)
        steps += renew(link, test=test)
    if distribute:
        # What these sessions know of the tables is no longer so: see distribution.is_citus.
        database.close()
    return steps


def _check_encoding(link: sa.Connection) -> None:
    encoding, name = link.execute(
        sa.text("SELECT current_setting('server_encoding'), current_database()")
    ).one()
    if encoding != ENCODING:
        raise StoreError(
            f"the database {name} has the encoding {encoding}, not {ENCODING}: not every character"
            " of a report can be stored in it",
            new_database(name),
            f"the database has the encoding {encoding}, not {ENCODING}",
        )


def new_database(name: str) -> str:
    """Return how to make a database that can hold every character."""
    return (
        f"createdb --encoding={ENCODING} --locale=C.UTF-8 --template=template0 {name}_utf8,"
        " and name it in cmdb:database_url; a store moves there with pg_dump and pg_restore"
    )


def _index_words(link: sa.Connection) -> None:
    """
    Index free text by its trigrams, if the extension pg_trgm is available.

    pg_trgm comes with Debian's postgresql package, elsewhere with
    postgresql-contrib. Without it a search for free text reads every asset.
    """
    offered = sa.text("SELECT FROM pg_available_extensions WHERE name = 'pg_trgm'")
    if link.execute(offered).first() is None:
        return
    try:
        with link.begin_nested():
            link.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except sa.exc.ProgrammingError:  # this role may not create extensions
        return
    for name, where in TRIGRAMS.items():
        table = name.partition("_search")[0]
        link.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name} ON {table} USING gin ({where}")


TRIGRAMS = {
    "asset_search_idx": "search gin_trgm_ops)",
    "asset_was_search_idx": r"(lower(coalesce(hostname, '') || E'\n' || coalesce(address, '')))"
    " gin_trgm_ops)",
    "identifier_search_idx": "value gin_trgm_ops) WHERE last_seen IS NOT NULL",
    "placement_search_idx": "lower(serial) gin_trgm_ops)",
}
"""What is searched for a piece of a text: the end of the statement that makes each index."""
