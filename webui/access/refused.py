"""
A request that is refused: why, in a sentence, and what to do.
"""

from __future__ import annotations

from typing import Any

from flask import g
from werkzeug.exceptions import HTTPException


class Refused(HTTPException):
    """A request of somebody who may not ask that; the access log has the reason too."""

    def __init__(self, code: int, reason: str, hint: str, *, challenge: str = "") -> None:
        """Refuse with a status; ``challenge`` is what ``WWW-Authenticate`` says."""
        super().__init__(reason)
        self.code = code
        self.hint = hint
        self.title = "The login provider is away" if code == 503 else ""
        self.challenge = challenge
        g.refused = reason

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        """Return the headers of the answer."""
        found = list(super().get_headers(*args, **kwargs))
        return [*found, ("WWW-Authenticate", self.challenge)] if self.challenge else found
