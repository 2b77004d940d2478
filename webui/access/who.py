"""
Who asks: the name, the role, and the way by which that is known.
"""

from __future__ import annotations

from typing import NamedTuple

from flask import g, has_request_context


class Who(NamedTuple):
    """Somebody who may read; the name is blank for whoever sits at this machine."""

    name: str
    role: str
    way: str

    @property
    def has_session(self) -> bool:
        """Whether there is something to log out of; a proxy's login and a token are not ours."""
        return self.way in ("password", "oidc")


def who() -> Who | None:
    """Return who asks; None where nobody has to say so, or before it is known."""
    found: Who | None = g.get("who") if has_request_context() else None
    return found


def is_auditor() -> bool:
    """Whether whoever asks may see the hidden fields too."""
    asking = who()
    return asking is not None and asking.role == "auditor"
