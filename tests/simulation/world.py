"""
Time passes: machines report, masters deliver, things happen, the store is away.

The world never asks chance in an order that depends on what the store answered, so
that the same seed is the same story whatever the store makes of it.
"""

import heapq
import itertools
import random

from tests.simulation import happenings, hostile
from tests.simulation.fleet import Fleet
from tests.simulation.machine import DAY, HOUR, MINUTE, moment
from tests.simulation.masters import Sent

LOOK = 3 * HOUR
"""How often the engines deliver what is due."""

QUIET = 3 * DAY
"""At the end nothing happens any more: what must come right by itself has come right then."""


class World:
    """The fleet, its masters, the store, and what is to happen when."""

    def __init__(self, options, store, judge, start):
        self.options = options
        self.store = store
        self.judge = judge
        self.start = start
        self.end = start + options.weeks * 7 * DAY
        self.quiet_from = self.end - QUIET
        self.at = start
        self.chance = random.Random(f"world {options.seed}")
        self.order = random.Random(options.order) if options.order else None
        self.masters = [store.master(number, start) for number in range(1, options.masters + 1)]
        self.accepted: set[str] = set()
        self.store_is_away_until = 0.0
        self.story: list[str] = []
        self._numbers = itertools.count(1)
        self._ticks = itertools.count()
        self._heap: list = []
        self.fleet = Fleet(options.seed, options.masters)
        self.fleet.fill(options.machines, start)
        for machine in self.fleet.machines:
            self.accepted.add(machine.name)
            machine.tell(start, machine.says())
            self._next_report(machine, start)
        self.hostile = hostile.band(self)

    def run(self):
        """Play all of it."""
        for day in range(int((self.end - self.start) / DAY)):
            self.after(self.start + day * DAY, self._day)
        looks = int((self.end - self.start) / LOOK)
        for number in range(1, looks + 1):
            self.after(self.start + number * LOOK, self._look)
        while self._heap:
            self.at, _, action = heapq.heappop(self._heap)
            if self.at > self.end:
                break
            action(self.at)
        self.judge.end(self)

    def after(self, at, action):
        """Let something happen at a time; it gets the time."""
        heapq.heappush(self._heap, (at, next(self._ticks), action))

    def tell(self, at, what):
        self.story.append(f"{moment(at)}  {what}")

    # What machines do

    def _next_report(self, machine, at):
        share = 0.9 + 0.2 * machine.chance.random()
        self.after(at + machine.period * share, lambda then: self._scheduled(machine, then))

    def _scheduled(self, machine, at):
        if machine.is_gone:
            return
        self._next_report(machine, at)
        if machine.is_on:
            self.report(machine, at)

    def report(self, machine, at):
        """Let a machine read its answer, collect, and send to its masters."""
        machine.read_answer()
        report = machine.report(at)
        if machine.is_evil:
            report = self.hostile[machine.number].report(self, machine, report, at)
        self.send(machine, report, at)

    def send(self, machine, report, at):
        """Send a report to the masters of a machine under the name whose key it has."""
        name = report["minion_id"]
        if name not in self.accepted:
            return
        sent = Sent(next(self._numbers), machine, at, report, machine.body(), machine.booted_at)
        up = [self.masters[one] for one in machine.masters if self.masters[one].is_up]
        for master in up if machine.to_all else up[:1]:
            master.take(name, sent, at)
        if up and not machine.is_evil:
            machine.sent(report)
        self.judge.made(sent, [one.name for one in up])

    def reboot(self, machine, at, why, report_in=2 * MINUTE):
        machine.changed()
        machine.tell(at, f"boots: {why}")
        machine.boot(at)
        self.after(at + report_in, lambda then: machine.is_live and self.report(machine, then))

    def switch_off(self, machine, at, seconds):
        machine.is_on = False
        machine.tell(at, f"is switched off for {seconds / HOUR:.0f} h")

        def switch_on(then):
            machine.is_on = True
            if not machine.is_gone:
                self.reboot(machine, then, "is switched on")

        self.after(min(at + seconds, self.quiet_from), switch_on)

    def rename(self, machine, at, with_key):
        """Give a machine another name; the old key stays, is deleted now, or later."""
        old, machine.name = machine.name, self.fleet.new_name()
        self.accepted.add(machine.name)
        machine.answer = None
        machine.changed()
        what = "its key is deleted" if with_key else "its key stays"
        machine.tell(at, f"{old} is renamed {machine.name}; {what}")
        if with_key:
            self.delete_key(old)
        elif machine.chance.random() < 0.4:
            self.after(at + machine.chance.random() * 4 * DAY, lambda then: self.delete_key(old))
        if machine.chance.random() < 0.15:
            self.after(at + machine.chance.random() * 2 * DAY, lambda then: self.reuse(old, then))
        self.after(at + MINUTE, lambda then: machine.is_live and self.report(machine, then))

    def delete_key(self, name):
        if any(one.name == name for one in self.fleet.live()):
            return
        self.accepted.discard(name)
        for master in self.masters:
            master.cache.pop(name, None)
            master.delivered.pop(name, None)

    def reuse(self, name, at):
        """Install a new machine under a name that another one had."""
        if any(one.name == name for one in self.fleet.live()) or self.is_quiet(at):
            return
        machine = self.install("physical", at, name)
        machine.causes.append("a name that another machine had")

    def install(self, kind, at, name=None, announce=True):
        """Add a machine to the fleet; it boots and reports."""
        machine = self.fleet.install(kind, at, name)
        self.accepted.add(machine.name)
        if announce:
            machine.tell(at, f"is installed: {machine.says()}")
        self._next_report(machine, at)
        self.after(at + 3 * MINUTE, lambda then: machine.is_live and self.report(machine, then))
        return machine

    def another(self, machine, kinds):
        """Return another live machine of these kinds, or None."""
        others = [
            one
            for one in self.fleet.live()
            if one is not machine and one.is_on and one.kind in kinds and not one.is_evil
        ]
        return machine.chance.choice(others) if others else None

    def is_quiet(self, at):
        return at >= self.quiet_from

    # What the day brings

    def _day(self, at):
        self.judge.day(self)
        if self.is_quiet(at + DAY):
            if not self.is_quiet(at):
                self._calm(at)
            return
        self._disturb_masters(at)
        for machine in self.fleet.live():
            if machine.is_evil:
                continue
            for function, event in happenings.EVENTS.items():
                share, hour = machine.chance.random(), machine.chance.random()
                if machine.kind not in event.kinds or share > event.weekly / 7 * self.options.rate:
                    continue
                if function.__name__ in self.options.without:
                    continue
                self.after(at + hour * DAY, self._happens(function, machine))

    def _happens(self, function, machine):
        def happens(at):
            if machine.is_live:
                function(self, machine, at)

        return happens

    def _calm(self, at):
        """Let everything be well again when the quiet time begins."""

        def calm(then):
            for master in self.masters:
                master.clock, master.is_up, master.engine_is_up = 0.0, True, True
            for machine in self.fleet.live():
                machine.clock = 0.0
                machine.hidden = machine.partly = frozenset()
                machine.changed()

        self.after(self.quiet_from, calm)

    def _disturb_masters(self, at):
        """Let the store be away, masters or engines end, clocks jump, old entries come back."""
        for name, weekly in (
            ("outage", 0.5),
            ("engine_stops", 0.3),
            ("master_stops", 0.2),
            ("master_clock", 0.3),
            ("backup", 0.4),
            ("rewritten", 1.0),
            ("engine_restarts", 0.7),
        ):
            share, hour = self.chance.random(), self.chance.random()
            one = self.chance.choice(self.masters)
            draws = random.Random(self.chance.random())
            if share < weekly / 7 * self.options.rate and name not in self.options.without:
                action = getattr(self, f"_{name}")
                self.after(at + hour * DAY, self._disturbs(action, one, draws))

    @staticmethod
    def _disturbs(action, master, draws):
        return lambda at: action(master, draws, at)

    def _outage(self, master, draws, at):
        hours = draws.choice((0.2, 1, 5, 12, 40, 100, 200))
        until = min(at + hours * HOUR, self.quiet_from)
        self.store_is_away_until = max(self.store_is_away_until, until)
        self.tell(at, f"the store is away for {(until - at) / HOUR:.0f} h")

    def _engine_stops(self, master, draws, at):
        self._stop(master, "engine_is_up", draws, at, "its engine stops")

    def _master_stops(self, master, draws, at):
        self._stop(master, "is_up", draws, at, "stops")

    def _stop(self, master, what, draws, at, words):
        hours = draws.choice((1, 6, 30, 70))
        self.tell(at, f"{master.name}: {words} for {hours} h")
        setattr(master, what, False)

        def start(then):
            setattr(master, what, True)
            master.delivered.clear()

        self.after(min(at + hours * HOUR, self.quiet_from), start)

    def _master_clock(self, master, draws, at):
        master.clock = draws.choice((1, -1)) * draws.choice((3 * MINUTE, HOUR, DAY))
        self.tell(at, f"{master.name}: its clock goes {master.clock / HOUR:+.2f} h wrong")
        hours = draws.choice((2, 8, 30))

        def right(then):
            master.clock = 0.0
            self.tell(then, f"{master.name}: its clock is right again")

        self.after(min(at + hours * HOUR, self.quiet_from), right)

    def _backup(self, master, draws, at):
        """Some entries of a cache are again as they were, with their old times or with new ones."""
        if not master.backup:
            return
        is_new = draws.random() < 0.5
        for minion_id, entry in draws.sample(list(master.backup), min(15, len(master.backup))):
            if minion_id in master.cache:
                master.cache[minion_id] = master.entry(entry.sent, at) if is_new else entry
                self.judge.carried(entry.sent, at, master, "restored from a backup")
        self.tell(at, f"{master.name}: entries come from a backup, times are new: {is_new}")

    def _rewritten(self, master, draws, at):
        """``mine.send`` of something else writes entries with a new time and the same report."""
        names = [name for name in sorted(master.cache) if draws.random() < 0.2]
        for minion_id in names:
            entry = master.entry(master.cache[minion_id].sent, at)
            master.cache[minion_id] = entry
            self.judge.carried(entry.sent, at, master, "rewritten with the time of now")

    def _engine_restarts(self, master, draws, at):
        master.delivered.clear()
        self.tell(at, f"{master.name}: its engine starts again and reads the whole cache")

    # What engines do

    def _look(self, at):
        self.store.set_clock(at)
        if at < self.store_is_away_until:
            for master in self.masters:
                master.since = None
            return
        self.judge.before_look(self, at)
        masters = list(self.masters)
        if self.order is not None:
            self.order.shuffle(masters)
        for master in masters:
            if not (master.engine_is_up and master.is_up):
                master.since = None
                continue
            self.store.listened(master, at)
            due = master.due(self.accepted)
            for entry, outcome in self.store.ingest(master, due, self.accepted, self.order):
                minion_id = entry.sent.report["minion_id"]
                if outcome is None or outcome.status != "waiting":
                    master.delivered[minion_id] = entry.written_at
                self.judge.take(self, entry, outcome, master, at)
