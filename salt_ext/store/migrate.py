"""The schema, brought up to this version of the code."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from salt_ext.store.database import Database

# Two masters may start a migration at once; the second waits for the first.
LOCK = 0x636D6462
LOCK_TIMEOUT_SECONDS = 10
"""A step waits no longer for a table: all reads that come after it stand behind it meanwhile."""


def migrate(database: Database, *, test: bool = False) -> list[str]:
    """
    Take the steps that the schema lacks; return each as ``revision description``.

    With ``test`` the steps are named and not taken. All of them are one
    transaction: a step that fails leaves the schema as it was. Raises
    :class:`StoreError` when others keep a table busy for too long.
    """
    # Imported here, because every other command would wait for it.
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)
    with database.begin_unchecked() as link:
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
            config.attributes["connection"] = link
            command.upgrade(config, "head")
        if not test:
            _index_words(link)
    return steps


def _index_words(link: sa.Connection) -> None:
    """
    Index free text by its trigrams where PostgreSQL has the means.

    They come with Debian's postgresql package, and with postgresql-contrib
    elsewhere; without them free text is found by reading every asset.
    """
    offered = sa.text("SELECT FROM pg_available_extensions WHERE name = 'pg_trgm'")
    if link.execute(offered).first() is None:
        return
    try:
        with link.begin_nested():
            link.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except sa.exc.ProgrammingError:  # not for this role to do
        return
    link.exec_driver_sql(
        "CREATE INDEX IF NOT EXISTS asset_search_idx ON asset USING gin (search gin_trgm_ops)"
    )
