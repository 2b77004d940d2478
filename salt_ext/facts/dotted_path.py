"""
What a dotted path such as ``salt_ext.facts.memory.memory`` names: collectors, and modes of asking.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def load(path: str) -> Callable[..., Any]:
    """
    Return the callable that a dotted path names.

    Raises ImportError or AttributeError when there is none, TypeError when it
    cannot be called, and whatever its module raises.
    """
    module, _, name = path.rpartition(".")
    if not module:
        raise ImportError(f"{path!r} is not a dotted path to a function")
    __import__(module)
    found = getattr(sys.modules[module], name)
    if not callable(found):
        raise TypeError(f"{path!r} is not callable")
    return found  # type: ignore[no-any-return]
