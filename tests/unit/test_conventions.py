"""Promises that no other tool checks."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from salt_ext.store.database import HEAD
from salt_ext.store.schema import metadata

ROOT = Path(__file__).parents[2]
FUNCTIONS = [
    pytest.param(node, id=f"{path.parent.name}.{node.name}")
    for room in ("modules", "runners")
    for path in sorted((ROOT / "salt_ext" / room).glob("[!_]*.py"))
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_commands_show_an_example(function):
    assert "CLI Example:" in (ast.get_docstring(function) or "")


def modules_after(code):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_importing_the_package_imports_nothing():
    assert modules_after("import salt_ext") - modules_after("pass") <= {"salt_ext"}


def test_the_facts_import_nothing_heavy():
    heavy = {"typing", "dataclasses", "subprocess", "json", "datetime", "asyncio", "salt"}
    bare = modules_after("pass")
    assert not (modules_after("import salt_ext.facts, salt_ext.settings") - bare) & heavy


def test_the_migrations_make_the_schema_of_the_code(database):
    with database.begin() as link:
        context = MigrationContext.configure(
            link, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_the_code_asks_for_the_last_migration():
    config = Config()
    config.set_main_option("script_location", str(ROOT / "salt_ext/store/migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_asset_seen_stays_hot(database):
    with database.begin() as link:
        options = link.scalar(
            sa.text("SELECT reloptions FROM pg_class WHERE relname = 'asset_seen'")
        )
    assert "fillfactor=90" in options
