"""
Functions loaded by a dotted path such as ``salt_ext.facts.memory.memory``: collectors and modes.
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
    cannot be called, and whatever the module raises when it is imported.
    """
    module, _, name = path.rpartition(".")
    if not module:
        raise ImportError(f"{path!r} is not a dotted path to a function")
    try:
        __import__(module)
    except SystemExit as error:  # a script, which is no module, or one with its own idea of errors
        raise ImportError(f"{module} calls sys.exit() when it is imported") from error
    found = getattr(sys.modules[module], name)
    if not callable(found):
        raise TypeError(f"{path!r} is not callable")
    return found  # type: ignore[no-any-return]
