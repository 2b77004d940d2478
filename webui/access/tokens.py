"""
The tokens that programs send: ``Authorization: Bearer cmdb_...``.
"""

from __future__ import annotations

from collections.abc import Mapping

from salt_ext import store
from webui.access.refused import Refused
from webui.access.who import Who

CHALLENGE = 'Bearer error="invalid_token"'


def shown(environ: Mapping[str, str]) -> str | None:
    """Return the token that a request shows, None if it shows none; another scheme is no token."""
    scheme, _, text = environ.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    return text.strip() if scheme.lower() == "bearer" else None


def holder(database: store.Database, text: str) -> Who:
    """Return who holds a token. Raises :class:`Refused` unless it is valid now."""
    row = store.token_of(database, text)
    if row is None:
        raise Refused(
            401,
            "this token is not known",
            "salt-run cmdb.token makes one; it is sent as Authorization: Bearer cmdb_...",
            challenge=CHALLENGE,
        )
    if row["state"] != "valid":
        raise Refused(
            401,
            f"the token {row['name']} is {row['state']}",
            "make another: salt-run cmdb.token NAME",
            challenge=CHALLENGE,
        )
    return Who(row["name"], row["role"], "token")
