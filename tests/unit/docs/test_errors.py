"""``docs/errors.md`` has every exception of ours, and what commands and pages make of it."""

import ast
import builtins
import importlib
import re

import pytest

import webui
from salt_ext import settings
from salt_ext.commands import answers
from tests.unit.docs import markdown
from tests.unit.docs.markdown import ROOT

PAGE = "errors.md"
ARGUMENTS = (("said",), ("said", "hint"), ("said", "hint", "what"), ({"web01": "reason"},))
"""What an exception may be made of: a text, a text and a hint, the reasons of machines."""
ROWS = [
    tuple(re.sub(r"^`(.*)`$", r"\1", cell) for cell in (name, path, exits, http))
    for name, path, *_, exits, http in markdown.rows(PAGE, "exception")
]


def is_exception(name):
    found = getattr(builtins, name, None)
    return isinstance(found, type) and issubclass(found, BaseException)


def exceptions():
    """Return (name, file) of every public exception in the two packages."""
    classes = [
        (node.name, str(path.relative_to(ROOT)), [ast.unparse(base) for base in node.bases])
        for package in ("provisioner", "salt_ext", "webui")
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    ours: set[str] = set()
    while (
        found := {
            name
            for name, _, bases in classes
            if any(is_exception(one) or one.rpartition(".")[2] in ours for one in bases)
        }
        - ours
    ):
        ours |= found
    return {(name, path) for name, path, _ in classes if name in ours and name[0] != "_"}


def made(name, path):
    """Return an exception of a class, with whatever it takes."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    kind = getattr(importlib.import_module(module), name)
    for arguments in ARGUMENTS:
        try:
            return kind(*arguments)
        except (TypeError, AttributeError):
            continue
    raise AssertionError(f"{name} takes none of {ARGUMENTS}")


def raiser(error):
    def ask(*arguments):
        raise error

    return ask


def with_status(number):
    """Return (name, file, status) of the exceptions that have a status in a column."""
    rows = [(*row[:2], row[number]) for row in ROWS if row[number] != "-"]
    return [pytest.param(name, path, int(status), id=name) for name, path, status in rows]


def test_the_page_has_every_exception_once_and_where_it_is():
    named = [f"{name} in {path}" for name, path, *_ in ROWS]
    wrong = markdown.differences(named, {f"{name} in {path}" for name, path in exceptions()})
    assert not wrong, f"docs/{PAGE}: {wrong}"


@pytest.mark.parametrize(("name", "path", "status"), with_status(2))
def test_a_command_exits_with_the_status_that_is_written(name, path, status):
    error = made(name, path)
    answer = answers.envelope("table", raiser(error))["data"]
    assert answer["retcode"] == status
    assert answer["cmdb"]["error"] == str(error)


@pytest.mark.parametrize(("name", "path", "status"), with_status(3))
def test_a_page_answers_with_the_status_that_is_written(name, path, status):
    error = made(name, path)
    app = webui.create_app(settings.resolve())
    app.add_url_rule("/raise", view_func=raiser(error))
    answer = app.test_client().get("/raise")
    assert answer.status_code == status
    assert str(error) in answer.get_data(as_text=True)
