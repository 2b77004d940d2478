"""
Which asset is meant by what people call it.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.distribution import unplanned
from salt_ext.store.errors import NotFound
from salt_ext.store.reads import seen
from salt_ext.store.reads.known import is_called, is_identifier
from salt_ext.store.reads.listing import listing
from salt_ext.store.reads.lookup import called_so
from salt_ext.store.reads.masking import masked
from salt_ext.store.reads.names import CALLED, but
from salt_ext.store.reads.slipped import nearest_asset
from salt_ext.store.schema import asset, identifier
from salt_ext.store.text import is_text
from salt_ext.words.called import called
from salt_ext.words.match import bare
from salt_ext.words.spellings import spellings


def resolve(database: Database, reference: str) -> uuid.UUID:
    """
    Return the id of the one asset that a reference means.

    A reference is an id, a name, a serial number or any other identifier, present
    or former; present ones are searched first. Raises :class:`NotFound` if no asset
    or several are meant.
    """
    nobody = NotFound(f"there is no asset {reference!r}", "look for it in the list of assets")
    if not reference or not is_text(reference):
        raise nobody
    hidden = database.hidden
    note = f"; {hidden.note()}" if hidden else ""
    text = listing(database, None).text if hidden else asset.c.search
    with database.autocommit() as link:
        for statement in _meanings(reference, database):
            # An asset that was merged stands for the one that it turned out to be.
            meant = sa.select(sa.func.coalesce(asset.c.merged_into, asset.c.id)).where(
                asset.c.id.in_(statement)
            )
            found = link.execute(
                sa.select(asset.c.id, *CALLED)
                .where(asset.c.id.in_(meant))
                .order_by(asset.c.minion_id)
                .limit(10)
            ).all()
            if len(found) == 1:
                return uuid.UUID(str(found[0].id))
            if found:
                several = ", ".join(
                    f"{called(but(hidden, row._asdict()))} ({row.id})" for row in found
                )
                raise NotFound(
                    f"{reference!r} means several assets: {several}",
                    "use one of these ids or minion ids",
                )
        means = None if hidden else link.execute(MEANS, {"bare": bare(reference)}).one_or_none()
        if means is not None:
            nobody.hint = (
                f"a row of {means.source} with this SN means {called(means._asdict())}, by its name"
            )
            raise nobody
        near = nearest_asset(link, reference, hidden)
        if near is not None:
            nobody.hint = f"the nearest is {near!r}{note}"
            raise nobody
        # Any of those that have it, not the first ones: nearly all may have it.
        some = (
            sa.select(asset.c.minion_id)
            .where(
                text.contains(reference.lower(), autoescape=True),
                asset.c.minion_id.is_not(None),
            )
            .limit(unplanned(link, SIMILAR))
        )
        similar = sorted(link.scalars(some))
    if similar:
        nobody.hint = f"similar: {', '.join(str(one) for one in similar)}"
    nobody.hint += note
    raise nobody


def _meanings(reference: str, database: Database) -> Iterator[sa.SelectBase]:
    with contextlib.suppress(ValueError):
        yield sa.select(asset.c.id).where(asset.c.id == uuid.UUID(reference))
    hidden = database.hidden
    for names in (("minion_id", "sn"), ("hostname", "address")):
        columns = [asset.c[name] for name in names if name not in hidden.columns]
        is_one = sa.or_(sa.false(), *(column == reference for column in columns))
        yield sa.select(asset.c.id).where(is_one)
    lower = sorted({one.lower() for one in spellings(reference)})
    ledger = sa.select(identifier.c.asset_id).where(is_identifier(lower), *seen.identifiers(hidden))
    is_it = asset.c.id.in_(called_so(database, lower)) if hidden else is_called(lower)
    yield ledger.where(identifier.c.last_seen.is_(None)).union(sa.select(asset.c.id).where(is_it))
    yield ledger


# A row with another SN than that of its machine; by its own SN nobody finds an asset.
MEANS = sa.text("""
SELECT expected.source, asset.id, asset.minion_id, asset.hostname, asset.sn
  FROM expected JOIN asset ON asset.id = expected.asset_id
 WHERE expected.bare_sn = :bare AND expected.bare_sn <> ''
 ORDER BY expected.source, expected.id LIMIT 1
""")

SIMILAR = 5
"""So many names are told of assets that have what was typed in their search text."""

LONGEST_NUMBER = 30


@masked
def padded(database: Database, number: int) -> list[Row]:
    """Return the assets whose serial number or name is this number after leading zeros."""
    columns = [asset.c.minion_id]
    columns += [asset.c.sn] if "sn" not in database.hidden.columns else []
    digits = str(number)
    spellings = [digits.zfill(length) for length in range(len(digits), LONGEST_NUMBER)]
    with database.autocommit() as link:
        return rows(
            link.execute(
                sa.select(asset.c.id, asset.c.minion_id, asset.c.sn)
                .where(sa.or_(*(column.in_(spellings) for column in columns)))
                .order_by(asset.c.minion_id)
                .limit(10)
            )
        )
