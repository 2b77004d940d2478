"""Stores of every released schema, and the code of the next one."""

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from salt_ext import store
from tests.store.old_store import REVISIONS, fill_store, upgrade

NEXT = f"{int(REVISIONS[-1]) + 1:04}"
A_STEP = f'''
"""The firmware's version in the list."""

import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{REVISIONS[-1]}"


def upgrade() -> None:
    """Take the step."""
    for table in ("asset", "asset_was"):
        op.add_column(table, sa.Column("firmware_version", sa.Text()))
    op.create_index("asset_firmware_version_id_idx", "asset", ["firmware_version", "id"])
    op.execute("""
        UPDATE asset SET firmware_version = facts.facts->>'version'
          FROM asset_facts AS facts
         WHERE facts.asset_id = asset.id AND facts.section = 'firmware'""")
'''
IN_THE_CODE = (
    ("database.py", f'HEAD = "{REVISIONS[-1]}"', f'HEAD = "{NEXT}"'),
    ("schema.py", "LIST_COLUMNS = (", 'LIST_COLUMNS = (\n    "firmware_version",'),
    (
        "schema.py",
        '    "asset",\n    metadata,\n',
        '    "asset",\n    metadata,\n    sa.Column("firmware_version", sa.Text),\n',
    ),
    (
        "columns.py",
        "    return {\n",
        '    return {\n        "firmware_version": _mapping(facts, "firmware").get("version"),\n',
    ),
)
USE = """
import json, sys
from salt_ext import settings, store
database = store.Database(settings.resolve(("test", {"database_url": sys.argv[1]})))
steps = [step[:4] for step in store.migrate(database)]
rows = store.assets(database, columns="minion_id,firmware_version").rows
print(json.dumps([steps, {row["minion_id"]: row["firmware_version"] for row in rows}]))
"""


@pytest.fixture(scope="session")
def store_of(new_database, databases):
    """
    A function that returns the URL of a new store of a released schema.

    Each schema is made once, out of the one before, and copied.
    """
    made = {}
    numbers = itertools.count()

    def template(revision):
        if revision not in made:
            if revision == REVISIONS[0]:
                url = new_database(empty=True)
                upgrade(url, revision)
                fill_store(url)
            else:
                url = copy(template(REVISIONS[REVISIONS.index(revision) - 1]))
                upgrade(url, revision)
            made[revision] = url
        return made[revision]

    def copy(url):
        template = str(sa.make_url(url).database)
        databases.close(template)
        return databases.copy(template, f"old_{next(numbers)}")

    return lambda revision: copy(template(revision))


@pytest.fixture(scope="session")
def next_version(tmp_path_factory):
    """A function that migrates and reads a store with our code plus one column of the list."""
    home = tmp_path_factory.mktemp("next_version")
    room = home / "salt_ext" / "store"
    shutil.copytree(Path(store.__file__).parents[1], home / "salt_ext")
    (room / "migrations" / "versions" / f"{NEXT}_firmware.py").write_text(A_STEP)
    for name, old, new in IN_THE_CODE:
        text = (room / name).read_text()
        assert old in text, f"{name} has no {old}"
        (room / name).write_text(text.replace(old, new, 1))

    def use(url):
        done = subprocess.run(
            [sys.executable, "-c", USE, url],
            env={**os.environ, "PYTHONPATH": str(home)},
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return use
