"""
A token is for one installation: its id, and a signature that only this process can make.

So nothing of it is stored, and the installation alone says how long it is good for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid

from salt_ext.key_file import key

SIGNATURE_BYTES = 19
"""With the 16 of the id they make 56 characters without any filling; 152 bits nobody guesses."""

LENGTH = 56


class Tokens:
    """Makes tokens, and reads them back."""

    def __init__(self, path: str) -> None:
        """Take the key from a file, which is made if it is not there. Raises SettingsError."""
        self._key = key(path, "provision_key_file").encode()

    def of(self, installation_id: uuid.UUID) -> str:
        """Return the token of an installation: letters and digits, which need no quoting."""
        signed = installation_id.bytes + self._signature(installation_id.bytes)
        return base64.b32encode(signed).decode().lower()

    def read(self, token: str) -> uuid.UUID | None:
        """Return the id of the installation that a token is for; None for one that is not ours."""
        if len(token) != LENGTH or not token.isascii():
            return None
        try:
            signed = base64.b32decode(token.upper())
        except ValueError:
            return None
        told, signature = signed[:16], signed[16:]
        if not hmac.compare_digest(signature, self._signature(told)):
            return None
        return uuid.UUID(bytes=told)

    def _signature(self, told: bytes) -> bytes:
        return hmac.digest(self._key, b"installation " + told, hashlib.sha256)[:SIGNATURE_BYTES]
