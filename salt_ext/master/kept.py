"""
Results of salt-ssh that the store could not take: kept on the master, stored by ``cmdb.sync``.

The report of a minion stays in the master's cache until the engine has stored it.
A machine without a minion has no entry there: a report that was fetched over ssh
would be lost with the process that fetched it. So this module keeps the latest
report of each such machine, through Salt's cache API.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import salt.cache
import salt.utils.verify
from salt.exceptions import SaltCacheError

from salt_ext import store
from salt_ext.master import intake
from salt_ext.master.cache import AS_IT_IS
from salt_ext.words.visible import visible

log = logging.getLogger(__name__)

BANK = "cmdb/unstored"

END = "@"
"""
The last character of each key.

Salt 3006 lists a key that ends in "p" without that letter, and lists its own
temporary files as keys. Neither of them ends in this character.
"""


class Lost(store.StoreError):
    """Reports that could neither be stored nor kept; ``names`` are their machines."""

    def __init__(self, reasons: Mapping[str, str]) -> None:
        """Take the reason for each machine; the message has the reason for the first."""
        self.names = sorted(reasons)
        super().__init__(
            f"the results of {', '.join(self.names)} are lost: they could neither be stored"
            f" nor kept in the master's cache: {reasons[self.names[0]]}",
            "make room for the master's cache, then ask these machines again",
        )


def keep(opts: Mapping[str, Any], arrivals: Iterable[store.Arrival]) -> list[str]:
    """
    Keep reports for the next ``cmdb.sync``; return the names of their machines.

    Here ``received_at`` is by the clock of this host: the store, whose clock counts, is away.
    Raises :class:`Lost` for reports that cannot be kept, after it has kept the others.
    """
    cache = _cache(opts)
    kept: list[str] = []
    reasons: dict[str, str] = {}
    for minion_id, report, received_at, _ in arrivals:
        entry = {"report": report, "received_at": received_at.timestamp()}
        try:
            if not salt.utils.verify.valid_id(cache.opts, minion_id):
                raise ValueError(f"{minion_id!r} is not a minion id")
            if _kept_at(cache, minion_id) <= entry["received_at"]:
                cache.store(BANK, minion_id + END, entry)
            kept.append(minion_id)
        except Exception as error:  # each cache driver raises its own errors, as for a full disk
            reasons[minion_id] = str(error)
    if kept:
        who = visible(", ".join(sorted(kept)))
        log.warning("Kept for the next cmdb.sync: the results of %s", who)
    if reasons:
        raise Lost(reasons)
    return sorted(kept)


def names(opts: Mapping[str, Any]) -> list[str]:
    """Return the minion ids of the machines of which a report is kept."""
    keys = _cache(opts).list(BANK) or ()
    return sorted(key.removesuffix(END) for key in keys if key.endswith(END))


def store_kept(
    opts: Mapping[str, Any],
    database: store.Database,
    listener: store.Listener | None = None,
    suspects: store.Suspects | None = None,
) -> list[store.Outcome]:
    """
    Store the kept reports, a batch at a time, and remove them; return their outcomes.

    Raises :class:`store.StoreError`; reports that were not stored stay kept, and so do
    those of machines that have used up their hour.
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
        reports = [
            (minion_id, entry.get("report"), float(entry["received_at"]))
            for minion_id, entry in entries.items()
            if entry
        ]
        taken = intake.take(database, reports, listener, suspects, is_cached=False)
        outcomes += taken
        wait = {one.minion_id for one in taken if one.status == "waiting"}
        for minion_id, entry in entries.items():
            # A newer report may have been kept meanwhile: that one stays.
            if minion_id not in wait and _entry(cache, minion_id) == entry:
                cache.flush(BANK, minion_id + END)
    return outcomes


def _cache(opts: Mapping[str, Any]) -> Any:
    return salt.cache.factory({**opts, **AS_IT_IS})


def _kept_at(cache: Any, minion_id: str) -> float:
    """Return when the kept report was received, in seconds since the epoch; 0 if damaged."""
    try:
        return float(_entry(cache, minion_id).get("received_at", 0))
    except Exception:
        return 0


def _entry(cache: Any, minion_id: str) -> dict[str, Any]:
    """Return the kept entry of a machine, or {}. Raises SaltCacheError when it is damaged."""
    entry = cache.fetch(BANK, minion_id + END)
    if not isinstance(entry, dict) or (
        entry and not isinstance(entry.get("received_at"), (int, float))
    ):
        raise SaltCacheError(f"the entry {minion_id} of the bank {BANK} is damaged")
    return entry
