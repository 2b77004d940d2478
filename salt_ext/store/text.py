"""
Which texts PostgreSQL accepts.
"""

from __future__ import annotations

LONGEST = 1000


def is_text(value: str) -> bool:
    """
    Whether PostgreSQL accepts a text: it has no NUL and no surrogate.

    Python makes a surrogate of each byte from the shell that is not valid UTF-8.
    """
    return "\0" not in value and not any("\ud800" <= one <= "\udfff" for one in value)


def storable(value: object) -> str:
    """Return what a person wrote, without what PostgreSQL refuses, up to 1000 characters."""
    return "".join(one for one in str(value) if is_text(one))[:LONGEST]
