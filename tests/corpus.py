"""Where the hardware corpus is, for the tests that read it."""

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parent.parent
_DIRECTORY = Path(os.environ.get("CMDB_CORPUS") or _REPOSITORY.parent / "shared" / "corpus")

CORPUS: Path | None = _DIRECTORY if _DIRECTORY.is_dir() else None
"""The directory of captured data, or None when it is not beside this checkout."""

needs_corpus = pytest.mark.skipif(
    CORPUS is None, reason="the hardware corpus is not beside this checkout"
)


def corpus_files(*patterns: str) -> list[Path]:
    """Return the files that match any pattern, in order; none without a corpus."""
    if CORPUS is None:
        return []
    found = {path for pattern in patterns for path in CORPUS.glob(pattern) if path.is_file()}
    return sorted(found)


def corpus_name(path: Path) -> str:
    """Return a file's name inside the corpus, as an id for a parametrised test."""
    return path.relative_to(CORPUS).as_posix() if CORPUS else path.name
