"""
Store everything that waits on the master, once and without the engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from salt.exceptions import SaltCacheError

from salt_ext import __version__, store
from salt_ext.master import intake, kept
from salt_ext.master.cache import Cache

STATUSES = ("new", "changed", "unchanged", "held", "refused", "waiting")
BAD = ("held", "refused", "waiting")
INBOX_SECONDS = 600.0
"""After that the reports of the inbox wait for the next time: some may come for ever."""


def sync(opts: Mapping[str, Any], database: store.Database) -> dict[str, Any]:
    """
    Store the kept results of salt-ssh, the reports in the inbox, then the master's cache.

    No minion is asked. The time since the sync before this one counts as listened, if
    that is not longer ago than ``stale_after``. In the answer, ``counts`` has the
    number of reports of each status, ``held``, ``refused`` and ``waiting`` have the names
    of those machines, and ``machines`` has the reason for each. Raises
    :class:`store.StoreError`.
    """
    counts: Counter[str] = Counter()
    bad: list[dict[str, str]] = []

    def tell(outcomes: Iterable[store.Outcome]) -> None:
        for outcome in outcomes:
            counts[outcome.status] += 1
            if outcome.status in BAD:
                row = {"minion_id": outcome.minion_id, "status": outcome.status}
                bad.append({**row, "detail": outcome.detail})

    pause = timedelta(seconds=database.settings["stale_after"])
    number = store.beat(
        database, opts["id"], __version__, bridge=max(store.BRIDGE, pause), is_engine=False
    )
    suspects = store.Suspects()

    def take_cache() -> None:
        feed = intake.feed(cache, database, tell, listener=listener, suspects=suspects)
        feed.look()
        feed.drain()

    try:
        cache = Cache(opts)
        listener = store.Listener(number, cache.trusted)
        _each(
            lambda: tell(kept.store_kept(opts, database, listener, suspects)),
            lambda: tell(
                intake.empty_inbox(
                    database, cache.accepted, suspects=suspects, seconds=INBOX_SECONDS
                )
            ),
            take_cache,
        )
    except (SaltCacheError, OSError) as error:
        raise store.StoreError(
            f"the master's cache cannot be used: {error}",
            "what was stored until then is stored; mend the cache and run cmdb.sync again",
        ) from error
    return {
        "counts": {status: counts[status] for status in STATUSES},
        **{one: sorted({row["minion_id"] for row in bad if row["status"] == one}) for one in BAD},
        "machines": bad,
    }


def _each(*steps: Callable[[], None]) -> None:
    """
    Take every step, and those once more in which reports could not be stored.

    Then it has shown whether the reports are to blame: the others were stored since.
    """
    again = []
    for step in steps:
        try:
            step()
        except store.Unstored:
            again.append(step)
    for step in again:
        step()
