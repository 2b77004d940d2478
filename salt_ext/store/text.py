"""
Which texts PostgreSQL takes.
"""

from __future__ import annotations

LONGEST = 1000


def is_text(value: str) -> bool:
    """Whether PostgreSQL can be asked for a text; bytes of a shell may be half a character."""
    return "\0" not in value and not any("\ud800" <= one <= "\udfff" for one in value)


def storable(value: object) -> str:
    """Return what a person wrote as text that PostgreSQL takes."""
    return "".join(one for one in str(value) if is_text(one))[:LONGEST]
