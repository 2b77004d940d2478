"""
The digests of facts, sections and reports: equal digests mean equal content.

The digest of facts is over their canonical JSON. It can be made from the
canonical texts of the sections, so that no section is encoded twice.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from salt_ext import document

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SECTION_CHARACTERS = 32
SHORT_BYTES = 8


def of_facts(facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of facts in normal form, in hexadecimal."""
    return hashlib.sha256(document.encode(facts)).hexdigest()


def of_sections(texts: Mapping[str, bytes]) -> str:
    """Return what :func:`of_facts` returns, from the canonical text of each section."""
    parts = [_quoted(name) + b":" + texts[name] for name in sorted(texts)]
    return hashlib.sha256(b"{" + b",".join(parts) + b"}").hexdigest()


def of_section(text: bytes) -> str:
    """Return the digest of a section's canonical text: half of its SHA-256, in hexadecimal."""
    return hashlib.sha256(text).hexdigest()[:SECTION_CHARACTERS]


def of_report(report: Mapping[str, Any]) -> bytes:
    """
    Return the digest of what a report says: its facts, and how they were collected.

    The partial sections count, because the same facts say less when a collector
    saw only a part of the machine, and the versions of the collectors: the store has to
    know them before the next change. 32 bytes; without either they are those of the
    digest of the facts.
    """
    digest = bytes.fromhex(report["digest"])
    partial = sorted(name for name in report["partial"] if isinstance(name, str))
    versions = report.get("versions")
    if not partial and not versions:
        return digest
    said = "\n".join(partial)
    if versions:
        said += f"\0{versions}"
    return hashlib.sha256(digest + said.encode(errors="replace")).digest()


def short(digest: str) -> bytes:
    """Return the first 8 bytes of a digest; they are enough for the revisions of one asset."""
    return bytes.fromhex(digest)[:SHORT_BYTES]


_quoted = lru_cache(maxsize=256)(document.encode)  # there are only some twenty section names
