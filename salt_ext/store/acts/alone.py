"""
Let what must not run twice at a time run once, on whatever master.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa

from salt_ext.store.database import Database
from salt_ext.store.errors import StoreError

LOCK = 0x70757368
"""The first half of the number of our locks; the other is of what runs."""


@contextlib.contextmanager
def alone(database: Database, what: str) -> Iterator[None]:
    """
    Let nobody else do this meanwhile; ``what`` is as in ``the push 'monitoring'``.

    Raises :class:`StoreError` if somebody does. The lock ends with the session, so what was
    killed leaves none behind.
    """
    key = sa.func.hashtext(what)
    with database.autocommit() as link:
        if not link.scalar(sa.select(sa.func.pg_try_advisory_lock(LOCK, key))):
            raise StoreError(
                f"{what} is running already",
                "wait until it has ended, here or on another master",
            )
        try:
            yield
        finally:
            # A session that was lost meanwhile has no lock any more: it is done all the same.
            with contextlib.suppress(sa.exc.DBAPIError):
                link.scalar(sa.select(sa.func.pg_advisory_unlock(LOCK, key)))
