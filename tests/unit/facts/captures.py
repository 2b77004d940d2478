"""Captured trees of the corpus: what is in them, laid out below a directory."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from salt_ext.facts.root import Root
from tests.corpus import corpus_files, corpus_name


def expectation(path: Path) -> dict[str, Any]:
    """Return what others say of a corpus file; empty when nobody said anything."""
    for directory in path.parents:
        if (expected := _expectations(directory)) is not None:
            return expected.get(path.relative_to(directory).as_posix()) or {}
    return {}


@cache
def _expectations(directory: Path) -> dict[str, Any] | None:
    """Return what is said of the files below a directory, if it is said there."""
    path = directory / "expected.json"
    return json.loads(path.read_text()) if path.exists() else None


def captures(*patterns: str, having: str = "") -> list[Any]:
    """Return the corpus files whose expectation has a key, as parameters."""
    return [
        pytest.param(path, id=corpus_name(path))
        for path in corpus_files(*patterns)
        if having in expectation(path)
    ]


def unpacked(archive: Path, where: Path, only: tuple[str, ...]) -> Root:
    """Lay out the files whose names have one of ``only`` in them, and all links."""
    if archive.suffix == ".ttar":
        _unpack_text(archive.read_text(), where, only)
    else:
        extract(archive, where, lambda one: one.issym() or any(part in one.name for part in only))
    for directory, names, _ in os.walk(where):
        if "sys" in names:
            return Root(directory)
    return Root(str(where))  # nothing of that is in it


def extract(archive: Path, where: Path, wanted: Callable[[tarfile.TarInfo], bool]) -> None:
    """Lay out the wanted members of an archive."""
    made: set[str] = set()
    with tarfile.open(archive) as tar:
        for member in tar:
            if not wanted(member):
                continue
            path = f"{where}/{member.name}"
            directory = path if member.isdir() else os.path.dirname(path)
            if directory not in made:
                os.makedirs(directory, exist_ok=True)
                made.add(directory)
            if member.issym():
                os.symlink(member.linkname, path)
            elif file := tar.extractfile(member):
                with open(path, "wb") as out:
                    out.write(file.read())


def _unpack_text(text: str, where: Path, only: tuple[str, ...]) -> None:
    """Unpack a ttar: ``Path:``, then ``Lines:`` and as many of them, or ``SymlinkTo:``."""
    lines = iter(text.splitlines())
    path = where
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "Path":
            path = where / value
        elif name == "SymlinkTo":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(value)
        elif name == "Lines":
            content = "".join(f"{next(lines)}\n" for _ in range(int(value)))
            if any(part in path.as_posix() for part in only):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content.replace("EOF\n", ""))
