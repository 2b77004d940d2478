"""
The masters: their caches, their clocks, what they deliver, and when they listened.
"""

import random
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from salt_ext import store
from tests.postgres import execute

IN_ITS_SECOND = 0.5
"""What the engine adds to the whole second that a cache gives."""

BATCH = 100
KEPT = 400
"""So many former entries of its cache has each master's backup."""

CLOCK = """
CREATE SCHEMA clock;
CREATE TABLE clock.moment (at timestamptz NOT NULL);
INSERT INTO clock.moment VALUES (pg_catalog.now());
CREATE FUNCTION clock.now() RETURNS timestamptz STABLE LANGUAGE sql
    AS 'SELECT at FROM clock.moment';
"""
"""A clock of the store that the simulation sets: names are looked up there first."""


@dataclass(eq=False)
class Sent:
    """A report that a machine made, whoever may carry it how often."""

    number: int
    machine: Any
    made_at: float
    report: dict
    body: dict
    """What it says: the same object as long as the machine is the same."""
    boot: float
    """When its machine had booted."""
    was_stored: bool = False


@dataclass(frozen=True)
class Entry:
    """An entry of a master's cache; ``written_at`` is by the clock of that master."""

    sent: Sent
    written_at: float
    clock: float
    """How far that clock was ahead then."""


@dataclass(eq=False)
class Master:
    """A master and its engine."""

    number: int
    name: str
    clock: float = 0.0
    is_up: bool = True
    """Whether it takes reports."""
    engine_is_up: bool = True
    cache: dict[str, Entry] = field(default_factory=dict)
    delivered: dict[str, float] = field(default_factory=dict)
    """What its engine remembers of each minion: when the entry was written that it stored."""
    backup: deque = field(default_factory=lambda: deque(maxlen=KEPT))
    since: float | None = None
    """Since when it has listened without a break."""

    def take(self, minion_id, sent, at):
        """Keep a report in the cache; the one before it is lost."""
        entry = self.entry(sent, at)
        self.cache[minion_id] = entry
        self.backup.append((minion_id, entry))

    def entry(self, sent, at):
        """Return an entry that is written now; caches tell whole seconds."""
        return Entry(sent, float(int(at + self.clock)), self.clock)

    def due(self, accepted):
        """Return the entries that its engine has to store, by minion id."""
        return {
            minion_id: entry
            for minion_id, entry in self.cache.items()
            if minion_id in accepted and self.delivered.get(minion_id) != entry.written_at
        }


class Store:
    """The store under test, with a clock that we set, and who listened to which master when."""

    def __init__(self, database):
        self.database = database
        self.uri = database.url.replace("postgresql+psycopg2", "postgresql")
        name = database.url.partition("@/")[2].partition("?")[0]
        execute(self.uri, CLOCK)
        execute(self.uri, f"ALTER DATABASE {name} SET search_path = clock, pg_catalog, public")
        database.close()
        self.now = 0.0

    def master(self, number, at):
        """Add a master; return it."""
        name = f"master{number}"
        [[row]] = execute(
            self.uri,
            "INSERT INTO public.master (name, version, started_at, beat_at, waiting)"
            " VALUES (%s, '0', %s, %s, 0) RETURNING number",
            *(name, when(at), when(at)),
        )
        return Master(row, name)

    def set_clock(self, at):
        """Set the clock of the store."""
        self.now = at
        self._run("UPDATE clock.moment SET at = %(at)s", at=when(at))

    def listened(self, master, at):
        """Record that a master's engine listens until now, without a break since it began."""
        if master.since is None:
            master.since = at
        self._run(
            "INSERT INTO listening VALUES (%(number)s, %(since)s, %(until)s)"
            " ON CONFLICT (master, since) DO UPDATE SET until = excluded.until;"
            " UPDATE master SET beat_at = %(until)s WHERE number = %(number)s",
            number=master.number,
            since=when(master.since),
            until=when(at),
        )

    def _run(self, statement, **values):
        with self.database.begin() as link:
            link.exec_driver_sql(statement, values)

    def rows(self, statement, **values):
        """Return the rows of a statement, as mappings."""
        with self.database.begin() as link:
            return [dict(row._mapping) for row in link.exec_driver_sql(statement, values)]

    def _arrival(self, master, minion_id, entry):
        """Return what the engine makes of an entry: when it came by the clock of the store."""
        position = entry.written_at + IN_ITS_SECOND
        ago = max(0.0, self.now + master.clock - position)
        if "position" not in store.Arrival._fields:
            return store.Arrival(minion_id, entry.sent.report, when(position))
        return store.Arrival(minion_id, entry.sent.report, when(self.now - ago), when(position))

    def ingest(self, master, entries, accepted, order: random.Random | None):
        """Deliver entries of a master's cache; yield each entry with its outcome."""
        items = sorted(entries.items())
        if order is not None:
            order.shuffle(items)
        for start in range(0, len(items), BATCH):
            batch = items[start : start + BATCH]
            arrivals = [self._arrival(master, minion_id, one) for minion_id, one in batch]
            listener = store.Listener(master.number, lambda names: accepted & set(names))
            outcomes = store.ingest(self.database, arrivals, listener)
            by_name = {one.minion_id: one for one in outcomes}
            yield from ((entry, by_name.get(minion_id)) for minion_id, entry in batch)


def when(at):
    return datetime.fromtimestamp(at, timezone.utc)
