"""The tables that the code knows are those that the migrations make."""

from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from salt_ext import store
from salt_ext.store import ingest
from salt_ext.store.database import HEAD
from salt_ext.store.schema import metadata
from tests.machines import arrival, later, server

MIGRATIONS = Path(store.__file__).parent / "migrations"


def test_the_migrations_make_the_schema_of_the_code(database):
    with database.begin() as link:
        context = MigrationContext.configure(
            link, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_the_code_asks_for_the_last_migration():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_asset_seen_stays_hot(database):
    with database.begin() as link:
        options = link.scalar(
            sa.text("SELECT reloptions FROM pg_class WHERE relname = 'asset_seen'")
        )
    assert "fillfactor=90" in options


def test_what_every_report_changes_stands_together_in_its_row(database):
    with database.begin() as link:
        names = [one["name"] for one in sa.inspect(link).get_columns("asset_seen")]
    changed = ["position", "collected_at", "last_seen", "since_boot_ms"]
    assert names[names.index(changed[0]) :][: len(changed)] == changed


def test_a_new_row_has_a_filling_that_its_first_touch_or_change_drops(database):
    def fillings():
        with database.begin() as link:
            found = link.execute(
                sa.text("SELECT minion_id, filling FROM asset JOIN asset_seen ON id = asset_id")
            )
            return {row.minion_id: row.filling for row in found}

    ingest(database, [arrival(server(), "touched"), arrival(server(2), "changed")])
    assert fillings() == {"touched": " " * 40, "changed": " " * 40}
    other = server(2)
    other["operating_system"]["kernel_release"] = "6.99.0"
    again = [
        arrival(server(), "touched", later(minutes=1)),
        arrival(other, "changed", later(minutes=1)),
    ]
    assert [one.status for one in ingest(database, again)] == ["unchanged", "changed"]
    assert fillings() == {"touched": None, "changed": None}
