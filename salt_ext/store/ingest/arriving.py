"""
Machines that nobody knows: no asset has their name, or one of their keys.

There is nothing to decide about them, so all masters store such machines at the same time,
and only the end is done by one after the other: nobody may have stored a machine with the
same name or key meanwhile. Whoever decides about other reports waits until they are done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from salt_ext.report import checking
from salt_ext.store.errors import Contended
from salt_ext.store.identity.locking import around, lock_arrival, lock_identity
from salt_ext.store.identity.owners import Owners
from salt_ext.store.ingest.before import Stored
from salt_ext.store.ingest.changing import Storing
from salt_ext.store.ingest.claiming import Claimed, words_of
from salt_ext.store.ingest.findings import Findings
from salt_ext.store.ingest.holding import waiting
from salt_ext.store.ingest.listed import listed_among
from salt_ext.store.ingest.replays import former_holders
from salt_ext.store.listening import Listener

NAMES = "asset_minion_id_key"
"""The index that lets no two assets have one name; on Citus a number follows."""


def store_new(
    link: sa.Connection,
    reports: Sequence[Claimed],
    findings: Findings,
    listener: Listener | None = None,
    beside: Sequence[Claimed] = (),
) -> list[Claimed]:
    """
    Store the machines among these that nobody knows; return the reports of which one must decide.

    ``beside`` are the reports of the same batch, of machines that are known, which wait for a
    decision: who shows a key of theirs has to wait for it too.
    Raises :class:`Contended` when another writer has stored one of them meanwhile.
    """
    lock_identity(link, shared=True)
    known = Owners(link, [one.claim for one in reports])
    strangers = _strangers(link, reports, known, beside)
    if not strangers:
        return [*reports]
    before = known.ids()
    storing = Storing(link, findings, listener.number if listener else None, ())
    storing.known, storing.stored = known, Stored(link, ())
    storing.awaited = False
    for one in strangers:
        with findings.timed(one.claim.minion_id):
            try:
                storing.take(one.due, one.claim, one.found)
            except checking.TooMuch as error:
                findings.refuse_size(one.due.arrival, one.due.order, error)
    try:
        storing.write_new()
    except IntegrityError as error:
        if not _is_taken(error):
            raise
        raise _faster() from error
    claims = [one.claim for one in strangers]
    lock_arrival(link)
    if around(link, claims) - before - storing.taken:
        raise _faster()
    names = {one.minion_id for one in claims}
    return [one for one in reports if one.claim.minion_id not in names]


def _faster() -> Contended:
    return Contended("another writer has stored the same machine", "try again")


def _is_taken(error: IntegrityError) -> bool:
    """Whether another writer has stored a machine of the same name meanwhile."""
    told: Any = error.orig
    return (told.diag.constraint_name or "").startswith(NAMES)


def _strangers(
    link: sa.Connection, reports: Sequence[Claimed], known: Owners, beside: Sequence[Claimed]
) -> list[Claimed]:
    """Return the reports of machines that nothing in the store, or in the batch, is about."""
    claims = [one.claim for one in reports]
    shown = Counter(
        token
        for one in [*claims, *(other.claim for other in beside)]
        for token in {one.minion_id, one.previous_minion_id or one.minion_id, *one.keys}
    )
    holders = former_holders(link, [one.minion_id for one in claims])
    held = waiting(link, claims)
    found = [
        one
        for one in reports
        if not known.around(one.claim)
        and one.claim.minion_id not in holders
        and one.claim.minion_id not in held
        and all(
            shown[token] == 1
            for token in (one.claim.minion_id, one.claim.previous_minion_id, *one.claim.keys)
            if token is not None
        )
    ]
    machines = [
        words_of(one.claim.minion_id, one.due.arrival.report["facts"], one.found) for one in found
    ]
    listed = listed_among(link, machines)
    return [one for number, one in enumerate(found) if number not in listed]
