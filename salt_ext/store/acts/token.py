"""
Make and revoke the tokens by which programs read the inventory over HTTP.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from salt_ext.store.clock import now
from salt_ext.store.database import Database, Row
from salt_ext.store.errors import NotFound, StoreError
from salt_ext.store.reads.tokens import hash_of
from salt_ext.store.schema import ROLES, token
from salt_ext.words.nearest import unknown

PREFIX = "cmdb_"
"""By it people and programs that look for leaked secrets know what a token is for."""

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
LONGEST_DAYS = 3660


def create_token(
    database: Database, name: str, role: str, valid: timedelta, *, by: str
) -> tuple[str, Row]:
    """
    Make a token; return it and its row. Nobody can ask for it again.

    Raises :class:`StoreError` while another token has the name.
    """
    if not re.fullmatch(NAME, name):
        raise ValueError(f"{name!r} cannot name a token: use letters, digits and . _ -")
    if role not in ROLES:
        raise ValueError(unknown("role", role, ROLES))
    if not timedelta(0) < valid <= timedelta(days=LONGEST_DAYS):
        raise ValueError(f"a token is valid for at least a second and at most {LONGEST_DAYS} days")
    text = PREFIX + secrets.token_urlsafe(32)
    with database.begin() as link:
        created_at = now(link)
        row = {
            "name": name,
            "role": role,
            "created_at": created_at,
            "created_by": by,
            "expires_at": created_at + valid,
        }
        made = insert(token).values({**row, "hash": hash_of(text)}).on_conflict_do_nothing()
        if not link.execute(made).rowcount:
            raise StoreError(
                f"there is a token {name!r} already",
                f"choose another name, or first: salt-run cmdb.token {name} revoke=True",
            )
    return text, row


def revoke_token(database: Database, name: str, *, by: str) -> Row:
    """Revoke the token with a name, from now on; return its row. Raises :class:`NotFound`."""
    is_it = (token.c.name == name) & token.c.revoked_at.is_(None)
    with database.begin() as link:
        values = {"revoked_at": now(link), "revoked_by": by}
        columns = [column for column in token.c if column.name != "hash"]
        done = sa.update(token).where(is_it).values(values).returning(*columns)
        row = link.execute(done).one_or_none()
        if row is None:
            names = link.scalars(sa.select(token.c.name).where(token.c.revoked_at.is_(None)))
            raise NotFound(unknown("token", name, names.all()), "salt-run cmdb.token lists them")
        return dict(row._mapping)
