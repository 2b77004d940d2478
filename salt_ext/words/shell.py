"""
A word of a command line that is printed for somebody to copy.
"""

from __future__ import annotations

import json
import re
import shlex

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
YAML_WORDS = frozenset(("yes", "no", "on", "off", "true", "false", "null", "y", "n"))
"""What YAML reads as something other than a text."""


def argument(word: str) -> str:
    """
    Return a word as a shell, and then Salt's YAML, reads it: as this very text.

    What a machine calls itself can neither begin another command nor an option.
    """
    if PLAIN.fullmatch(word) and word.lower() not in YAML_WORDS:
        return word
    return shlex.quote(json.dumps(word))
