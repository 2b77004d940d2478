"""
The engine on the master: it stores the reports of Salt's authenticated cache, in batches.

.. code-block:: yaml

    engines:
      - cmdb: {}

    cmdb:
      database_url: postgresql+psycopg2://cmdb:secret@127.0.0.1/cmdb

Salt writes the cache under the minion id that it authenticated itself. Events
are only hints to look at a minion at once. They can be forged, but a forged event
leads to the same cache. While PostgreSQL is away the cache keeps the latest
report of every minion. The engine tries again after 1, 2, 4 and so on up to 60
seconds, and then goes on after the last report that the store has.

Machines that have to know what became of their reports are answered: see
:mod:`salt_ext.master.replies`. After each look through the whole cache, the engine
compares machines that were installed, and have reported since, with their plans (see
:mod:`salt_ext.lists.installed`), and tells on the event bus what is new in the store: see
:mod:`salt_ext.master.events`.
Webhooks are sent beside all that, by threads of their own.
Once an hour it removes what is over and old, as ``cmdb.maintain`` does.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import salt.utils.event
from salt.exceptions import SaltCacheError

from salt_ext import settings, store
from salt_ext.lists.installed import compare_installed
from salt_ext.master import events, intake, pillar, replies
from salt_ext.master.cache import Cache
from salt_ext.master.feed import Feed
from salt_ext.master.heartbeat import EVERY_SECONDS, Heartbeat
from salt_ext.master.last_answers import LastAnswers
from salt_ext.master.replies import Replies
from salt_ext.master.sweep import Sweep
from salt_ext.master.waits import Waits
from salt_ext.master.webhooks.sending import Senders
from salt_ext.words.visible import trace, visible

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

log = logging.getLogger(__name__)

LONGEST_WAIT_SECONDS = 60
LONGEST_BUSY_SECONDS = 300
"""While there is always another report, what follows a look through the cache waits no longer."""

INBOX_SECONDS = 5.0
"""So long a turn takes reports out of the inbox, however many come: others wait meanwhile."""

MAINTAIN_SECONDS = 3600
EVENT_TAG = "salt/job/"

CONNECT_SECONDS = 5
"""So soon an engine that has always something to do connects to the bus, and again then."""

MOST_EVENTS = 1000
"""Events that are taken from the bus at once; Salt drops a listener that 10,000 wait for."""


def start() -> None:
    """Run until the master ends."""
    try:
        options = settings.from_opts(__opts__)
        events.wanted(options)
        database = store.Database(options)
        webhooks = Senders(database, __opts__["id"])
    except (settings.SettingsError, store.StoreError) as error:
        reason = visible(error)
        log.critical("The cmdb engine does nothing until the master is restarted: %s", reason)
        threading.Event().wait()  # Salt would start a process that ended again at once
        return
    cache = Cache(__opts__, mends=True)
    feed: Feed | None = None  # None while the store or the cache is away
    sweep = Sweep(options["sweep_seconds"])
    waits, suspects = Waits(), store.Suspects()
    failures = 0
    not_before = 0.0
    at_latest, connect_at = 0.0, time.monotonic() + CONNECT_SECONDS
    is_swept = is_busy = is_well = False
    news = _Retried("Events wait in the store")
    comparing = _Retried("Installed machines wait to be compared with their plans")
    answers = Replies()
    answering = _Retried("Machines wait for the answer to their reports")
    heart = Heartbeat(database, __opts__["id"])
    maintenance = _Retried("What is over stays in the store", MAINTAIN_SECONDS)
    webhooks.start()
    with salt.utils.event.get_master_event(__opts__, __opts__["sock_dir"], listen=False) as bus:
        while True:
            # A turn is short, however much there is to do: an event waits for one turn only.
            until = not_before if feed is None else sweep.next_at
            wait = 0.0 if is_busy else min(EVERY_SECONDS, until - time.monotonic())
            if is_busy and not bus.cpub and time.monotonic() >= connect_at:
                wait, connect_at = 0.1, time.monotonic() + CONNECT_SECONDS
            hinted = _hinted(bus, wait, options["batch_size"])
            if feed is None and time.monotonic() < not_before:
                continue
            try:
                if feed is None:
                    feed = _feed(cache, database, heart, answers, waits, suspects)
                    sweep.begin()
                if sweep.go_on(feed) and not is_swept:
                    is_swept, at_latest = True, time.monotonic() + LONGEST_BUSY_SECONDS
                if hinted:
                    feed.look(hinted)
                is_busy = feed.drain(most=1) > 0 or sweep.is_under_way
                # What happened to a whole fleet is told as one: not before all of it is stored.
                is_time = is_swept and (not is_busy or time.monotonic() >= at_latest)
                answering.attempt(lambda: replies.send(answers, __opts__))
                heart.beat(feed.due)
                if is_time:
                    intake.empty_inbox(database, cache.accepted, waits, suspects, INBOX_SECONDS)
                if failures and not is_busy:
                    log.warning("The cmdb engine works again, and what waited for it is stored")
                    failures = 0
                if not is_well:
                    store.close_problem(database, "engine", __opts__["id"], "engine")
                    is_well = True
                if is_time:
                    comparing.attempt(lambda: compare_installed(database))
                    news.attempt(lambda: _tell_news(bus, database, cache, webhooks))
                    maintenance.attempt(lambda: _maintain(database))
                    is_swept = False
            except store.Unstored as error:
                # The others go on at once; these are tried again, and less and less often.
                failures += 1
                is_busy = False
                for minion_id in error.minion_ids:
                    waits.wait(minion_id, _pause(failures))
                sweep.pause(1)
                _tell(database, error, is_first=failures == 1)
            except Exception as error:
                # Nothing may end the engine. A new feed asks the store which reports it has:
                # a database that comes back may be older, from a backup or a replica.
                feed = None
                is_busy = is_well = False
                failures += 1
                not_before = time.monotonic() + _pause(failures)
                _tell(database, error, is_first=failures == 1)
                heart.fail(error)


def _feed(
    cache: Cache,
    database: store.Database,
    heart: Heartbeat,
    answers: Replies,
    waits: Waits,
    suspects: store.Suspects,
) -> Feed:
    """Return a feed into the store that lets the heart beat after each batch."""
    listener = store.Listener(heart.beat({}), cache.trusted)

    def beat(outcomes: list[store.Outcome]) -> None:
        heart.beat(feed.due)

    feed = intake.feed(
        cache, database, beat, answers.note, listener=listener, waits=waits, suspects=suspects
    )
    return feed


class _Retried:
    """Work that may fail without stopping the engine; after failures it is tried less often."""

    def __init__(self, consequence: str, every_seconds: float = 0) -> None:
        """
        Take the sentence that the first failure writes to the log as a warning.

        After a success the work is not done again for ``every_seconds``.
        """
        self.consequence = consequence
        self.every_seconds = every_seconds
        self.failures = 0
        self.not_before = 0.0

    def attempt(self, work: Callable[[], object]) -> None:
        """Do the work, unless it failed a moment ago."""
        if time.monotonic() < self.not_before:
            return
        try:
            work()
            self.failures = 0
            self.not_before = time.monotonic() + self.every_seconds
        except Exception as error:
            self.failures += 1
            self.not_before = time.monotonic() + _pause(self.failures)
            if self.failures == 1:
                log.warning("%s", visible(f"{self.consequence}: {error}"))
            else:
                log.debug("%s%s", visible(self.consequence), trace(error))


def _tell_news(bus: Any, database: store.Database, cache: Cache, webhooks: Senders) -> None:
    """Tell on the event bus what is new in the store, and let the webhooks have it."""

    def fire(data: dict[str, Any], tag: str) -> None:
        if not bus.fire_event(data, tag):
            raise OSError("the event bus of the master does not answer")

    events.send(
        database,
        fire,
        cache.accepted,
        __opts__["max_event_size"],
        webhooks.subscribers,
        __opts__["id"],
    )
    webhooks.wake()


def _maintain(database: store.Database) -> None:
    """Remove what is over and old, in the store and on this master."""
    LastAnswers(__opts__, pillar.KIND).forget()
    store.maintain(database, is_patient=False)


def _pause(failures: int) -> int:
    """Return how long to wait after this many failures in a row: 1, 2, 4 to 60 seconds."""
    return min(LONGEST_WAIT_SECONDS, 1 << min(failures - 1, LONGEST_WAIT_SECONDS.bit_length()))


def _tell(database: store.Database, error: Exception, *, is_first: bool) -> None:
    """Log why the engine does not go on; what may pass by itself is logged only once."""
    if isinstance(error, (store.StoreError, SaltCacheError, OSError)):
        if is_first:
            hint = f"; {error.hint}" if isinstance(error, store.StoreError) else ""
            log.error("%s. Reports wait in the master's cache", visible(f"{error}{hint}"))
        return
    log.error("The cmdb engine failed and tries again%s", trace(error))
    with contextlib.suppress(store.StoreError):
        store.record_failure(database, "engine", __opts__["id"], "engine", error)


def _hinted(bus: Any, wait: float, most: int) -> list[str]:
    """
    Return the minions that events hint at, at most ``most``.

    Waits up to ``wait`` seconds for the first event; takes those that are there then.
    """
    hinted: list[str] = []
    if wait > 0:
        until = time.monotonic() + wait
        event = bus.get_event(wait=wait, tag=EVENT_TAG, full=True, auto_reconnect=True)
        if event is None and time.monotonic() < until:
            # The bus is away and gives no event at once: without a sleep this would spin.
            time.sleep(min(1.0, max(0.0, until - time.monotonic())))
        hinted += _hint(event or {})
    elif not bus.cpub:  # not connected yet: catching up need not wait for the bus
        return []
    for _ in range(MOST_EVENTS):
        # Any tag: with one, Salt gives None for each event of another.
        event = None if len(hinted) >= most else bus.get_event(full=True, no_block=True)
        if event is None:
            break
        hinted += _hint(event)
    return hinted


def _hint(event: dict[str, Any]) -> list[str]:
    """Return the minion that has returned cmdb.collect in a list; [] for other events."""
    parts = str(event.get("tag")).split("/")
    data = event.get("data")
    if len(parts) == 5 and parts[3] == "ret" and isinstance(data, dict):
        return [parts[4]] if data.get("fun") == "cmdb.collect" else []
    return []
