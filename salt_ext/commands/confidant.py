"""
Where a new secret is told: once, and to the person who asked alone.

What a runner returns goes to Salt's event bus and into its job cache, so a secret is
never a part of the answer.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from salt_ext.commands.arguments import Misused

TERMINAL = "/dev/tty"


@contextlib.contextmanager
def confidant(path: str = "") -> Iterator[TextIO]:
    """
    Yield a new file that only its owner may read; without a path, the terminal.

    The file is gone again when the secret is not made after all. Raises :class:`Misused`.
    """
    try:
        flags = os.O_WRONLY | os.O_NOCTTY | (os.O_CREAT | os.O_EXCL if path else 0)
        descriptor = os.open(path or TERMINAL, flags, 0o600)
    except OSError as error:
        why = f"{path}: {error.strerror}" if path else "there is no terminal to show it on"
        raise Misused(f"{why}: give out_file=, a new file that only you may read") from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
    except BaseException:
        if path:
            Path(path).unlink(missing_ok=True)
        raise
