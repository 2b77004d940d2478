"""
Store everything that waits on the master, once and without the engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from salt.exceptions import SaltCacheError

from salt_ext import store
from salt_ext.master import intake, kept
from salt_ext.master.cache import Cache

STATUSES = ("new", "changed", "unchanged", "held", "refused")
BAD = ("held", "refused")


def sync(opts: Mapping[str, Any], database: store.Database) -> dict[str, Any]:
    """
    Store the kept results of salt-ssh, the reports in the inbox, then the master's cache.

    No minion is asked. In the answer, ``counts`` has the number of reports of each
    status, ``held`` and ``refused`` have the names of those machines, and
    ``machines`` has the reason for each. Raises :class:`store.StoreError`.
    """
    counts: Counter[str] = Counter()
    bad: list[dict[str, str]] = []

    def tell(outcomes: Iterable[store.Outcome]) -> None:
        for outcome in outcomes:
            counts[outcome.status] += 1
            if outcome.status in BAD:
                row = {"minion_id": outcome.minion_id, "status": outcome.status}
                bad.append({**row, "detail": outcome.detail})

    try:
        tell(kept.store_kept(opts, database))
        cache = Cache(opts)
        tell(intake.empty_inbox(database, cache.accepted))
        feed = intake.feed(cache, database, tell)
        feed.look()
        feed.drain()
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
