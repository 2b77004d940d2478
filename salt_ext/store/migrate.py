"""The schema, brought up to this version of the code."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from salt_ext.store.database import Database

# Two masters may start a migration at once; the second waits for the first.
LOCK = 0x636D6462


def migrate(database: Database, *, test: bool = False) -> list[str]:
    """
    Take the steps that the schema lacks; return each as ``revision description``.

    With ``test`` the steps are named and not taken. All of them are one
    transaction: a step that fails leaves the schema as it was.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)
    with database.begin_unchecked() as link:
        link.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        current = MigrationContext.configure(link).get_current_revision()
        steps = [
            f"{step.revision} {step.doc}"
            for step in reversed(list(script.iterate_revisions("head", current or "base")))
        ]
        if steps and not test:
            config.attributes["connection"] = link
            command.upgrade(config, "head")
    return steps
