"""
The sender of one webhook: a thread that takes what is due out of the store, and posts it.

Each webhook has one, so that a receiver that is slow or away costs its own queue and
neither another webhook nor a report.
"""

from __future__ import annotations

import logging
from functools import partial
from threading import Event, Thread

from salt_ext import store
from salt_ext.master.events import MOST_BYTES, events
from salt_ext.master.webhooks.body import address, body, headers, now
from salt_ext.master.webhooks.posting import post
from salt_ext.master.webhooks.setting import Webhook, subscriber, webhooks
from salt_ext.words.visible import trace, visible

log = logging.getLogger(__name__)

POLL_SECONDS = 5
"""How often the queue is looked at: another master may have put something in."""

LONGEST_PAUSE_SECONDS = 60

PATIENCE = 5
"""After so many failures in a row, about half a minute, the webhook is a problem."""


SAYS = {"plain": "", "saltgui": r'"success":\s*true'}
"""salt-api answers 200 too when its master does not run, and that it was no success."""


def attempt(hook: Webhook, taken: store.Delivery) -> str:
    """Try to send an event; return why its receiver did not take it, or nothing."""
    content = body(taken, now())
    sent = headers(hook, taken, content)
    return post(address(hook, taken), content, sent, ca_file=hook.ca_file, says=SAYS[hook.format])


class Sender(Thread):
    """Sends the deliveries of one webhook until its process ends."""

    def __init__(self, database: store.Database, hook: Webhook, master: str) -> None:
        """Take the store, and the id of the master whose engine this is."""
        super().__init__(name=f"cmdb webhook {hook.name}", daemon=True)
        self.database = database.within(store.DELIVERIES)
        self.hook = hook
        self.master = master
        self.has_more = Event()
        self.failures = 0
        self.is_clear = False  # whether a problem of it that is over was closed

    def run(self) -> None:
        """Send until the process ends; nothing that goes wrong may end this."""
        while True:
            try:
                self._send_all()
                pause = self._pause()
            except Exception as error:
                # The store is away, or this is a bug: what waits goes on waiting.
                self.failures += 1
                pause = self._pause()
                if self.failures == 1:
                    log.warning("%s", visible(f"The webhook {self.hook.name} rests: {error}"))
                log.debug("A webhook rests%s", trace(error))
            if self.failures:
                Event().wait(pause)  # not earlier, however much comes meanwhile
            else:
                self.has_more.wait(POLL_SECONDS)
            self.has_more.clear()

    def _pause(self) -> float:
        """Return how long to rest after this many failures in a row: 1, 2, 4 to 60 seconds."""
        return min(LONGEST_PAUSE_SECONDS, 1 << min(max(self.failures - 1, 0), 6))

    def _send_all(self) -> None:
        """Send what is due, until nothing is or one is refused."""
        hook = self.hook
        store.give_up_deliveries(self.database, hook.name, hook.give_up_seconds, self.master)
        done = None
        while taken := store.take_delivery(self.database, hook.name, done):
            if why := attempt(hook, taken):
                store.undelivered(self.database, taken.id, why)
                self._failed(why)
                return
            done = taken.id
            self.is_clear = False
            if self.failures:
                log.warning("The webhook %s takes events again", visible(hook.name))
            self.failures = 0
        if not self.is_clear:
            store.settle_webhook(self.database, hook.name)
            self.is_clear = True

    def _failed(self, why: str) -> None:
        self.failures += 1
        name = self.hook.name
        if self.failures == 1:
            said = f"The webhook {name} takes no event, which is tried again: {why}"
            log.warning("%s", visible(said))
        if self.failures == PATIENCE:
            message = f"the webhook {name} takes no events, which wait: {why}"
            store.complain_of_webhook(self.database, name, message, self.master)


class Senders:
    """The senders of all webhooks of the settings."""

    def __init__(self, database: store.Database, master: str) -> None:
        """Check the setting. Raises :class:`SettingsError`."""
        hooks = webhooks(database.settings)
        self.subscribers = [subscriber(one, partial(events, limit=MOST_BYTES)) for one in hooks]
        self._senders = [Sender(database, one, master) for one in hooks]

    def start(self) -> None:
        """Send from now on."""
        for one in self._senders:
            one.start()

    def wake(self) -> None:
        """Look at the queues at once: something may have been put in."""
        for one in self._senders:
            one.has_more.set()
