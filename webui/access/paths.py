"""
Where to go after logging in: a path of ours, whatever an address says.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def local_path(text: str, otherwise: str) -> str:
    """Return a path of this origin, or ``otherwise`` where it is none."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return otherwise
    is_ours = LOCAL.fullmatch(text) and not parts.scheme and not parts.netloc
    return text if is_ours else otherwise
