"""
Text from machines, made harmless for a terminal and for a log.
"""

from __future__ import annotations


def visible(text: object) -> str:
    """
    Return a text as one line in which all characters can be seen.

    A newline, an escape or a mark that turns the direction of writing becomes ``�``:
    what a machine calls itself cannot write a line of its own or move the cursor.
    """
    return "".join(one if one.isprintable() else "�" for one in str(text))
