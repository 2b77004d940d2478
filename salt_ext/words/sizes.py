"""
How many bytes a text has in the store, and as much of it as may be kept.
"""

from __future__ import annotations


def size_bytes(text: str) -> int:
    """Return the bytes of a text in UTF-8: of Chinese three times its characters."""
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def beginning(text: str, most_bytes: int) -> str:
    """Return the beginning of a text that has at most so many bytes, in whole characters."""
    if size_bytes(text) <= most_bytes:
        return text
    return text[:most_bytes].encode(errors="replace")[:most_bytes].decode(errors="ignore")
