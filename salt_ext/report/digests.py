"""
The digests by which facts, sections and reports are told apart without being read.

Facts have the digest of their canonical JSON; it is made of the texts of their
sections, so that a section that did not change need not be written out again.
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
    """Return the same of facts of which the canonical text of each section is known."""
    parts = [_quoted(name) + b":" + texts[name] for name in sorted(texts)]
    return hashlib.sha256(b"{" + b",".join(parts) + b"}").hexdigest()


def of_section(text: bytes) -> str:
    """Return what tells one canonical text of a section from another, in hexadecimal."""
    return hashlib.sha256(text).hexdigest()[:SECTION_CHARACTERS]


def of_report(report: Mapping[str, Any]) -> bytes:
    """
    Return what is equal of two reports that say the same.

    The same facts say more when they are all there is than when a collector saw
    a part of it.
    """
    digest = bytes.fromhex(report["digest"])
    partial = sorted(name for name in report["partial"] if isinstance(name, str))
    if not partial:
        return digest
    return hashlib.sha256(digest + "\n".join(partial).encode(errors="replace")).digest()


def short(digest: str) -> bytes:
    """Return the digest of facts as revisions keep it; 8 bytes tell an asset's apart."""
    return bytes.fromhex(digest)[:SHORT_BYTES]


_quoted = lru_cache(maxsize=256)(document.encode)  # there are twenty names of sections
