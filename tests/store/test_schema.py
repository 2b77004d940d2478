"""The tables that the code knows are those that the migrations make."""

from pathlib import Path

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from salt_ext import store
from salt_ext.store.database import HEAD
from salt_ext.store.schema import metadata

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
