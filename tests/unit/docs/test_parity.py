"""Every command that reads has a page and a path of the API, or the reason why not."""

import ast
import re
from pathlib import Path

import salt_ext.runners
from salt_ext import settings
from tests.unit.docs import markdown
from webui import create_app

PAGE = "web/parity.md"
ROWS = markdown.rows(PAGE, "command")
RUNNERS = Path(salt_ext.runners.__file__).parent


def commands():
    """Return the names of all commands, as Salt calls them."""
    found = set()
    for path in RUNNERS.glob("cmdb*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                found.add(f"cmdb.{node.name.rstrip('_')}")
    return found


def words(cell):
    return re.findall(r"`([^`]+)`", cell)


def test_every_command_stands_in_the_table_or_among_those_that_act():
    reading = {words(command)[0] for command, *_ in ROWS}
    _, _, tail = markdown.text(PAGE).partition("What acts has no page")
    acting = {one for one in words(tail) if one.startswith("cmdb.")}
    assert not reading & acting
    assert reading | acting == commands()


def test_a_command_without_a_page_or_a_path_has_a_reason():
    assert [command for command, page, path, why in ROWS if not (page and path) and not why] == []


def test_every_page_and_path_that_is_named_is_there():
    app = create_app(settings.resolve())
    known = {re.sub(r"<\w+:", "<", rule.rule) for rule in app.url_map.iter_rules()}
    named = {one for _, page, _, _ in ROWS for one in words(page)}
    named |= {f"/api/v1{one}" for _, _, path, _ in ROWS for one in words(path)}
    assert sorted(named - known) == []
