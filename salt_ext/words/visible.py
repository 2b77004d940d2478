"""
Text from machines, made harmless for a terminal and for a log.
"""

from __future__ import annotations

from traceback import format_exception

INDENT = "  | "
"""What each line of a traceback begins with: none of them can be taken for one of the log's."""


def visible(text: object) -> str:
    """
    Return a text as one line in which all characters can be seen.

    A newline, an escape or a mark that turns the direction of writing becomes ``�``:
    what a machine calls itself cannot write a line of its own or move the cursor.
    """
    return "".join(one if one.isprintable() else "�" for one in str(text))


def trace(error: BaseException) -> str:
    """
    Return the traceback of an exception, to put behind the sentence of a log record.

    What logging itself prints of one (``exc_info``) has the text of the exception as it is,
    and in that may stand what a machine sent.
    """
    return indented("".join(format_exception(error)))


def indented(text: str) -> str:
    """Return several lines, such as a traceback, to put behind the sentence of a log record."""
    return "".join(f"\n{INDENT}{visible(line)}" for line in text.split("\n") if line)
