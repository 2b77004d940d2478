"""
Results of salt-ssh that the store could not take: kept on the master, stored by ``cmdb.sync``.

What a minion sent lies in the master's cache until the engine has stored it; a
machine without a minion has nothing there, and what was asked of it over ssh
would be lost with the process that asked. Of each machine the latest report is
kept, by Salt's own cache API.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

import salt.cache
import salt.utils.verify
from salt.exceptions import SaltCacheError

from salt_ext import store
from salt_ext.master import intake
from salt_ext.master.cache import AS_IT_IS

log = logging.getLogger(__name__)

BANK = "cmdb/unstored"

END = "@"
"""Ends the key of each entry: Salt 3006 lists keys without a last "p", and temporary files too."""


class Lost(store.StoreError):
    """Reports that could neither be stored nor kept; ``names`` are their machines."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """Say which, and why the first of them."""
        self.names = sorted(reasons)
        super().__init__(
            f"the results of {', '.join(self.names)} are lost: they could neither be stored"
            f" nor kept in the master's cache: {reasons[self.names[0]]}",
            "make room for the master's cache, then ask these machines again",
        )


def keep(opts: Mapping[str, Any], arrivals: Iterable[store.Arrival]) -> list[str]:
    """
    Keep reports for the next ``cmdb.sync``; return the names of their machines.

    Raises :class:`Lost` when all that could be kept is kept.
    """
    cache = _cache(opts)
    kept: list[str] = []
    reasons: dict[str, str] = {}
    for minion_id, report, received_at in arrivals:
        entry = {"report": report, "received_at": received_at.timestamp()}
        try:
            if not salt.utils.verify.valid_id(cache.opts, minion_id):
                raise ValueError(f"{minion_id!r} is not a minion id")
            if _kept_at(cache, minion_id) <= entry["received_at"]:
                cache.store(BANK, minion_id + END, entry)
            kept.append(minion_id)
        except Exception as error:  # what a driver raises for a full disk is its own affair
            reasons[minion_id] = str(error)
    if kept:
        log.warning("Kept for the next cmdb.sync: the results of %s", ", ".join(sorted(kept)))
    if reasons:
        raise Lost(reasons)
    return sorted(kept)


def names(opts: Mapping[str, Any]) -> list[str]:
    """Return the machines of which something is kept."""
    keys = _cache(opts).list(BANK) or ()
    return sorted(key.removesuffix(END) for key in keys if key.endswith(END))


def store_kept(opts: Mapping[str, Any], database: store.Database) -> list[store.Outcome]:
    """
    Store what is kept, a batch at a time, and let go of it; return what became of it.

    Raises :class:`store.StoreError`; then all that was not stored is kept still.
    """
    cache = _cache(opts)
    waiting = names(opts)
    size = database.settings["batch_size"]
    outcomes: list[store.Outcome] = []
    for begin in range(0, len(waiting), size):
        entries: dict[str, dict[str, Any]] = {}
        for minion_id in waiting[begin : begin + size]:
            try:
                entries[minion_id] = _entry(cache, minion_id)
            except Exception as error:
                reason = f"what was kept of it in the master's cache cannot be read: {error}"
                outcomes.append(store.Outcome(minion_id, "refused", reason))
        arrivals = [
            store.Arrival(
                minion_id,
                entry.get("report"),
                datetime.fromtimestamp(entry["received_at"], timezone.utc),
            )
            for minion_id, entry in entries.items()
            if entry
        ]
        outcomes += intake.say(store.ingest(database, arrivals))
        for minion_id, entry in entries.items():
            # Not when a newer one was kept meanwhile.
            if _entry(cache, minion_id) == entry:
                cache.flush(BANK, minion_id + END)
    return outcomes


def _cache(opts: Mapping[str, Any]) -> Any:
    return salt.cache.factory({**opts, **AS_IT_IS})


def _kept_at(cache: Any, minion_id: str) -> float:
    """Return of when the report is that is kept of a machine; a damaged one is the oldest."""
    try:
        return float(_entry(cache, minion_id).get("received_at", 0))
    except Exception:
        return 0


def _entry(cache: Any, minion_id: str) -> dict[str, Any]:
    """Return what is kept of a machine; raises when it is damaged."""
    entry = cache.fetch(BANK, minion_id + END)
    if not isinstance(entry, dict) or (
        entry and not isinstance(entry.get("received_at"), (int, float))
    ):
        raise SaltCacheError(f"the entry {minion_id} of the bank {BANK} is damaged")
    return entry
