"""
The envelope in which a machine's facts travel.

A report is ``{"schema", "minion_id", "previous_minion_id", "collected_at",
"mode", "digest", "facts", "volatile", "errors", "partial", "duration_ms"}``.
The digest is over the canonical JSON of the stable facts and is made on the
machine: while it does not change, the master touches one row and never looks
at the body. Which minion a report speaks for is decided by what Salt
authenticated, never by ``minion_id``.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from functools import lru_cache

from salt_ext import document
from salt_ext.document.volatile import split

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SCHEMA = 1
MODES = ("agent", "salt", "ssh", "return", "grains")
"""The ways in: by schedule, asked by the master, salt-ssh, ``--return``, the grains alone."""

MINE_FUNCTION = "cmdb.report"
"""The name under which a report lies in the master's mine."""

CLOCK_TOLERANCE = timedelta(minutes=10)


def build(
    facts_document: Mapping[str, Any], minion_id: str, previous_minion_id: str | None, mode: str
) -> dict[str, Any]:
    """Return the report of a fact document, as ``facts.collect`` makes it."""
    from salt_ext.facts import HEADER

    sections = {key: value for key, value in facts_document.items() if key not in HEADER}
    stable, volatile = split(sections)
    stable = document.normal(stable)
    return {
        "schema": SCHEMA,
        "minion_id": minion_id,
        "previous_minion_id": previous_minion_id,
        "collected_at": facts_document["collected_at"],
        "mode": mode,
        "digest": digest(stable),
        "facts": stable,
        "volatile": volatile,
        "errors": dict(facts_document["errors"]),
        "partial": list(facts_document["partial"]),
        "duration_ms": facts_document["duration_ms"],
    }


def digest(facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of facts in normal form, in hexadecimal."""
    return hashlib.sha256(document.encode(facts)).hexdigest()


def mark(text: bytes) -> str:
    """Return what tells one canonical text of a section from another."""
    return hashlib.sha256(text).hexdigest()[:32]


_quoted = lru_cache(maxsize=256)(document.encode)  # there are twenty names of sections


def digest_of(texts: Mapping[str, bytes]) -> str:
    """Return the digest of facts of which the canonical text of each section is known."""
    parts = [_quoted(name) + b":" + texts[name] for name in sorted(texts)]
    return hashlib.sha256(b"{" + b",".join(parts) + b"}").hexdigest()
