"""
Print the fact document of this machine, or of a captured tree.

Usage: ``python -m salt_ext.facts [--root DIR] [--only system,memory] [--slow] [--pretty]``.
``--slow`` runs the slow collectors too and keeps nothing for the next run.
The exit status is 0, also when the document has errors in it, and 2 for bad arguments.
"""

from __future__ import annotations

import json
import os
import sys

from salt_ext import facts
from salt_ext.facts.identity import identify

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

USAGE = "usage: python -m salt_ext.facts [--root DIR] [--only SECTION,...] [--slow] [--pretty]"


def main(argv: list[str]) -> int:
    """Run the command line and return the exit status."""
    root, only, slow, pretty = "/", None, False, False
    arguments = list(argv)
    while arguments:
        name, given, value = arguments.pop(0).partition("=")
        if name == "--pretty" and not given:
            pretty = True
            continue
        if name == "--slow" and not given:
            slow = True
            continue
        if name in ("-h", "--help"):
            print(USAGE)
            return 0
        if name not in ("--root", "--only"):
            return _refuse(f"there is no option {name!r}")
        if not given:
            if not arguments:
                return _refuse(f"{name} needs a value")
            value = arguments.pop(0)
        if name == "--root":
            root = value
        else:
            only = value.split(",")
    if not os.path.isdir(root):
        return _refuse(f"there is no directory {root!r}")
    fast_collectors = facts.COLLECTORS
    slow_collectors = facts.SLOW_COLLECTORS if slow else {}
    collectors = {**fast_collectors, **slow_collectors}
    if only is not None:
        for section in only:
            if section not in collectors:
                there_are = ", ".join(collectors)
                return _refuse(f"there is no section {section!r}; there are: {there_are}")
        collectors = {section: collectors[section] for section in only}
    # What a collector or a library prints goes to stderr, not into the document.
    printed, stdout = sys.stdout, os.dup(1)
    sys.stdout = sys.stderr
    os.dup2(2, 1)
    try:
        document = facts.collect(
            root, {name: path for name, path in collectors.items() if name in fast_collectors}
        )
        if slow:
            _add_slow(
                document,
                root,
                {name: path for name, path in collectors.items() if name in slow_collectors},
            )
        document["identity"] = identify(document)
        # Not to descriptor 1: a collector that was left behind may still print there.
        _write(document, os.dup(stdout), pretty)
    finally:
        if printed:
            printed.flush()  # to stderr: its buffer may hold what a collector printed
        os.dup2(stdout, 1)
        os.close(stdout)
        sys.stdout = printed
    return 0


def _write(document: dict[str, Any], descriptor: int, pretty: bool) -> None:
    text = json.dumps(document, indent=2 if pretty else None, ensure_ascii=False)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except BrokenPipeError:  # `| head` is not an error
        pass


def _add_slow(document: dict[str, Any], root: str, collectors: dict[str, str]) -> None:
    # Not at the top: to import these takes longer than to run the fast collectors.
    from tempfile import TemporaryDirectory

    from salt_ext.facts.slow import collect

    with TemporaryDirectory(prefix="cmdb-") as directory:
        found = collect(root, collectors, directory, 0, facts.SLOW_DEADLINE_SECONDS)
    document["errors"].update(found.pop("errors"))
    document["versions"].update(found.pop("versions"))
    document["partial"] = sorted({*document["partial"], *found.pop("partial")})
    document.update(found)


def _refuse(message: str) -> int:
    print(f"{message}\n{USAGE}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
