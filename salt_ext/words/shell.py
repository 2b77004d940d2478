"""
A word of a command line that is printed for somebody to copy.
"""

from __future__ import annotations

import re
import shlex

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
YAML_WORDS = frozenset(("yes", "no", "on", "off", "true", "false", "null", "none", "y", "n"))
"""What YAML reads as something other than a text."""


def argument(word: str) -> str:
    """
    Return a word as a shell, and then Salt's YAML, reads it: as this very text.

    What a machine calls itself can neither begin another command nor an option.
    """
    if PLAIN.fullmatch(word) and word.lower() not in YAML_WORDS:
        return word
    return shlex.quote(f'"{"".join(map(_escaped, word))}"')


def _escaped(one: str) -> str:
    """Return a character as it stands between double quotes in YAML, where it can be seen."""
    if one in '"\\':
        return "\\" + one
    # Salt does not read as YAML what has a # in it.
    return one if one.isprintable() and one != "#" else f"\\U{ord(one):08X}"
