"""The cases of the corpus that people reported in public: their inputs and right values."""

from __future__ import annotations

import json
import re
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from salt_ext.facts.root import Root
from tests.corpus import corpus_files

STEP = re.compile(r"\[([^\]=]+)=([^\]]*)\]|\[(\d+|\*)\]|\.?([^.\[]+)")


def cases(*kinds: str) -> list[Any]:
    """Return the folders of the cases of some kinds, as parameters."""
    return [
        pytest.param(path.parent, id=path.parent.name)
        for path in corpus_files("public-cases/*/case.json")
        if kind_of(path.parent) in kinds
    ]


def kind_of(case):
    return json.loads((case / "case.json").read_text())["kind"]


def read(case: Path, name: str) -> Any:
    """Return a JSON file of a case."""
    return json.loads((case / name).read_text())


def laid_out(case: Path, where: Path) -> Root:
    """Write the tree of a case below a directory and return it as a Root."""
    for name, content in read(case, "tree.json").items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content)
        elif "link" in content:
            path.symlink_to(content["link"])
        else:
            path.write_bytes(bytes.fromhex(content["hex"]))
    return Root(str(where))


def value_at(answer: Any, path: str) -> Any:
    """Return what is at a path of an answer; None where it leads nowhere."""
    if path in answer:
        return answer[path]
    return reduce(_step, STEP.findall(path), answer)


def _step(value: Any, step: tuple[str, str, str, str]) -> Any:
    field, wanted, number, name = step
    if field:
        found = [one for one in value or [] if str(one.get(field)) == wanted]
        return found if len(found) > 1 else found[0] if found else None
    if number:
        return value if number == "*" else next(iter(value[int(number) :]), None)
    if name == "#":
        return len(value)
    if name == "sum":
        return sum(value)
    if isinstance(value, list):
        return [one.get(name) for one in value]
    return value.get(name) if value else None


def is_right(found, wanted):
    """Whether a value is the right one; ``wanted`` may be a rule such as ``{"$not": ...}``."""
    if not (isinstance(wanted, dict) and any(key.startswith("$") for key in wanted)):
        return found == wanted or (isinstance(wanted, list) and [found] == wanted)
    [(rule, value)] = wanted.items()
    return {
        "$present": lambda: (found is not None) == value,
        "$not": lambda: found != value,
        "$in": lambda: found in value,
        "$about": lambda: found is not None and abs(found - value) <= value / 1000,
    }[rule]()


def wrong(case: Path, answer: Any) -> dict[str, Any]:
    """Return, by its path, what is not as it should be in the answer to a case."""
    found = {path: value_at(answer, path) for path in read(case, "expected.json")}
    return {
        path: found[path]
        for path, wanted in read(case, "expected.json").items()
        if not is_right(found[path], wanted)
    }
