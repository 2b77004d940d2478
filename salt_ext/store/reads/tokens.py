"""
Tokens of programs: 256 random bits each, of which the store has the SHA-256 alone.

Nobody can guess them or learn them from their hashes, so whoever may read the store
may read those.
"""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.schema import token

STATE = sa.case(
    (token.c.revoked_at.is_not(None), "revoked"),
    (token.c.expires_at <= sa.func.now(), "expired"),
    else_="valid",
).label("state")


def hash_of(text: str) -> str:
    """Return what the store has of a token."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def token_of(database: Database, text: str) -> Row | None:
    """Return the row of a token with its ``state``; None if it is unknown."""
    with database.autocommit() as link:
        # How long the index takes tells of the hash, and from that nobody gets to the token.
        found = rows(link.execute(sa.select(token, STATE).where(token.c.hash == hash_of(text))))
        return found[0] if found else None


def tokens(database: Database, limit: int = 1000) -> tuple[list[Row], int]:
    """Return the tokens without their hashes, the newest first, and how many there are in all."""
    columns = [column for column in token.c if column.name != "hash"]
    with database.autocommit() as link:
        statement = sa.select(*columns, STATE).order_by(token.c.created_at.desc()).limit(limit)
        found = rows(link.execute(statement))
        return found, int(link.scalar(sa.select(sa.func.count()).select_from(token)) or 0)
