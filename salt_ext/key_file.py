"""
A key of a server's own in a file, which is made when it is not there.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from salt_ext.settings import SettingsError

KEY_BYTES = 32


def secret(path: str) -> str:
    """Return the secret in a file. Raises :class:`SettingsError`."""
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {getattr(error, 'strerror', '') or 'no text'}") from None
    if not text:
        raise SettingsError(f"{path} is empty")
    return text


def key(path: str, setting: str) -> str:
    """
    Return the key in a file, which is made if it is not there.

    Raises :class:`SettingsError`; ``setting`` is the one that names the file.
    """
    try:
        if not os.path.exists(path):
            _make(path)
        if os.stat(path).st_mode & 0o007:
            raise SettingsError(f"{path}: everybody may read this key: chmod o= {path}")
    except OSError as error:
        raise SettingsError(f"{setting}: {path}: {error.strerror}") from None
    found = secret(path)
    if len(found) < KEY_BYTES:
        raise SettingsError(f"{path}: a key has at least {KEY_BYTES} characters")
    return found


def _make(path: str) -> None:
    """Make the file whole or not at all: workers that start together must have one key."""
    draft = f"{path}.{os.getpid()}.{secrets.token_hex(4)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{secrets.token_hex(KEY_BYTES)}\n")
        os.link(draft, path)
    except FileExistsError:
        pass  # another worker was faster, and its key is everybody's
    finally:
        Path(draft).unlink()
