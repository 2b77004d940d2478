"""
Text from machines, made harmless for a terminal and for a log.
"""

from __future__ import annotations

import re
from traceback import format_exception
from unicodedata import category

INDENT = "  | "
"""What each line of a traceback begins with: none of them can be taken for one of the log's."""


IGNORED = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""Characters that leave no trace and yet count as letters, marks or nothing at all."""


def visible(text: object) -> str:
    """
    Return a text as one line in which all characters can be seen.

    What nobody sees becomes ``<U+202E>``, as less shows it: a newline, an escape, a mark
    that turns the direction of writing, a letter without a width. What a machine calls
    itself cannot write a line of its own, move the cursor or look like another name.
    """
    found = str(text)
    if found.isprintable() and (found.isascii() or not IGNORED.search(found)):
        return found
    return "".join(map(sign, found))


def sign(character: str) -> str:
    """Return a character if it can be seen, and else its name."""
    return character if is_seen(character) else f"<U+{ord(character):04X}>"


def is_seen(character: str) -> bool:
    """Whether a character leaves a trace on a screen; a space does."""
    if IGNORED.match(character):
        return False
    return character.isprintable() or category(character) == "Zs"


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
