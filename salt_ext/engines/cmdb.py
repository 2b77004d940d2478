"""
On the master: reports from the authenticated cache into the store, in batches.

.. code-block:: yaml

    engines:
      - cmdb: {}

    cmdb:
      database_url: postgresql+psycopg2://cmdb:secret@127.0.0.1/cmdb

The cache bank ``mine`` holds what ``cmdb.collect`` sent and the bank ``grains``
the grain of minions that never sent anything; Salt writes both under the
minion id that it authenticated itself. Events are hints to look at a minion at
once: they can be forged, and a forged one leads to the same cache. While
PostgreSQL is away the cache keeps the latest report of every minion.
"""

import logging
import threading
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import salt.cache
import salt.utils.event
import salt.utils.mine
import salt.utils.minions
import salt.version

from salt_ext import report as envelope
from salt_ext import settings, store
from salt_ext.feed import Feed

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

log = logging.getLogger(__name__)

BANKS_SINCE = (3008,)
"""From this Salt on the cache has a bank for each kind; before, a bank for each minion."""


def start() -> None:
    """Run until the master ends."""
    try:
        options = settings.from_opts(__opts__)
        database = store.Database(options)
    except (settings.SettingsError, store.StoreError) as error:
        log.critical("The cmdb engine does nothing until the master is restarted: %s", error)
        threading.Event().wait()  # a process that ended would be started again at once
        return
    feed = Feed(Cache(__opts__), lambda reports: _store(database, reports), options["batch_size"])
    away = False
    next_sweep = 0.0
    with salt.utils.event.get_master_event(__opts__, __opts__["sock_dir"], listen=True) as bus:
        while True:
            wait = next_sweep - time.monotonic()
            hint = bus.get_event(wait=wait, tag="salt/job/", full=True) if wait > 0 else None
            try:
                if hint is None:
                    next_sweep = time.monotonic() + _sweep(feed, options["sweep_seconds"])
                else:
                    feed.look(_hinted(hint))
                if hint is None or not away:
                    feed.drain()
                    if away:
                        log.warning("The store is back, and what waited for it is stored")
                    away = False
            except store.StoreError as error:
                if not away:
                    log.error("%s; %s. %d reports wait", error, error.hint, len(feed.due))
                away = True
            except Exception as error:
                # One look that failed must not end the engine: the next one is in seconds.
                log.exception("The cmdb engine failed and goes on")
                store.record_failure(database, "engine", __opts__["id"], "engine", error)


def _sweep(feed: Feed, sweep_seconds: float) -> float:
    """Look at everything; return the seconds until the next time."""
    began = time.monotonic()
    feed.look()
    # Never more than a tenth of the time, however large the fleet.
    return max(sweep_seconds, 10 * (time.monotonic() - began))


def _hinted(event: dict[str, Any]) -> list[str]:
    """Return the minion that an event hints at: one that has returned cmdb.collect."""
    parts = str(event.get("tag")).split("/")
    data = event.get("data")
    if len(parts) == 5 and parts[3] == "ret" and isinstance(data, dict):
        return [parts[4]] if data.get("fun") == "cmdb.collect" else []
    return []


def _store(database: store.Database, reports: list[tuple[str, Any, float]]) -> None:
    arrivals = [
        store.Arrival(minion_id, report, datetime.fromtimestamp(at, timezone.utc))
        for minion_id, report, at in reports
    ]
    for outcome in store.ingest(database, arrivals):
        level = logging.WARNING if outcome.status in ("held", "refused") else logging.DEBUG
        log.log(level, "%s is %s: %s", outcome.minion_id, outcome.status, outcome.detail)


class Cache:
    """The reports in the master's cache, of minions whose key is accepted."""

    def __init__(self, opts: dict[str, Any], *, one_bank_each: bool | None = None) -> None:
        """Use the cache of these master options, in the layout of this Salt by default."""
        self.cache = salt.cache.factory(opts)
        self.minions = salt.utils.minions.CkMinions(opts)
        if one_bank_each is None:
            one_bank_each = salt.version.__saltstack_version__ < BANKS_SINCE
        self.one_bank_each = one_bank_each

    def versions(self, minion_ids: Iterable[str] | None = None) -> dict[str, tuple[float, ...]]:
        """Return when the mine and the grains of each accepted minion were last written."""
        accepted = self.minions._pki_minions()
        if minion_ids is not None:
            accepted &= set(minion_ids)
        present = {kind: self._with(kind, accepted) for kind in ("mine", "grains")}
        return {
            minion_id: tuple(
                float(self.cache.updated(*self._place(kind, minion_id)) or 0)
                if minion_id in present[kind]
                else 0.0
                for kind in ("mine", "grains")
            )
            for minion_id in present["mine"] | present["grains"]
        }

    def report(self, minion_id: str, version: tuple[float, ...]) -> tuple[Any, float] | None:
        """Return what a minion sent by cmdb.collect, else the report of its grain, and its time."""
        mine_at, grains_at = version
        sent = self._fetch("mine", minion_id).get(envelope.MINE_FUNCTION)
        if isinstance(sent, dict) and salt.utils.mine.MINE_ITEM_ACL_ID in sent:
            sent = sent.get(salt.utils.mine.MINE_ITEM_ACL_DATA)
        if sent is not None:
            return sent, mine_at
        grains = self._fetch("grains", minion_id)
        if self.one_bank_each:
            grains = grains.get("grains") or {}
        grain = grains.get("cmdb")
        if not isinstance(grain, dict):
            return None
        try:
            return envelope.build(grain, minion_id, None, "grains"), grains_at
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # Refused by the store, with this sentence.
            reason = f"the grain cmdb is malformed: {error!r}"
            return {"schema": envelope.SCHEMA, "mode": "grains", "digest": reason}, grains_at

    def _place(self, kind: str, minion_id: str) -> tuple[str, str]:
        if self.one_bank_each:
            return f"minions/{minion_id}", "mine" if kind == "mine" else "data"
        return kind, minion_id

    def _with(self, kind: str, accepted: set[str]) -> set[str]:
        """Return the minions that have an entry: asking for one that is missing logs a warning."""
        if self.one_bank_each:
            return {one for one in accepted if self.cache.contains(*self._place(kind, one))}
        return accepted & set(self.cache.list(kind) or ())

    def _fetch(self, kind: str, minion_id: str) -> dict[str, Any]:
        value = self.cache.fetch(*self._place(kind, minion_id))
        return value if isinstance(value, dict) else {}
