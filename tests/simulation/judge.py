"""
What the store must be, by what it has acknowledged; and where it is not, the story.

For each asset the judge keeps which machine it truly is, the document that its stored
reports make, and the digest of every revision. A report is *new* for an asset when its
machine made it after the one that was stored last. Only new reports may change
anything, and a new report that is stored must leave its document.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from salt_ext.document.overlay import overlay
from salt_ext.report import digests
from tests.simulation.machine import MINUTE, moment
from tests.simulation.masters import Sent

STORED = ("new", "changed", "unchanged")
CLOCK_SLACK = 5 * MINUTE


@dataclass(eq=False)
class Kept:
    """An asset as it should be."""

    id: Any
    machine: Any
    name: str
    facts: dict
    last: Sent
    heard_at: float
    master: Any
    digests: list[bytes] = field(default_factory=list)
    detached: bool = False
    jumped: float = 0.0
    """How far the clock of the master went forward while its last report waited there."""
    told: set[str] = field(default_factory=set)
    """What was found wrong since its last new report: once is enough."""


@dataclass
class Finding:
    """A violation, the machines that it is about, and what it says."""

    rule: str
    at: float
    what: str
    machines: tuple


class Judge:
    """Keeps the truth, takes every outcome, and collects what is wrong."""

    def __init__(self, options, store):
        self.options = options
        self.store = store
        self.assets: dict[Any, Kept] = {}
        self.findings: list[Finding] = []
        self.outcomes = Counter()
        self.taken_over = Counter()
        self.of_machine: dict[int, Kept] = {}
        self.last_taken: dict[int, Sent] = {}
        self.listening: dict[int, list[list[float]]] = {}
        self.reports = 0
        self.delayed: dict[tuple[int, float], set[int]] = {}
        """New reports of a boot, one after another, that were refused as old ones."""
        self.held_at_end: list = []
        self.problems_at_end: Counter = Counter()

    def is_known(self, machine):
        """Whether a machine has an asset of its own."""
        kept = self.of_machine.get(machine.number)
        return kept is not None and kept.machine is machine

    # What comes in

    def made(self, sent, masters):
        """Note that a machine made a report."""
        self.reports += 1
        where = ", ".join(masters) or "nobody"
        was = sent.report["previous_minion_id"]
        says = f", was {was}{' with proof' if sent.report.get('proof') else ''}" if was else ""
        at = sent.report["collected_at"]
        sent.machine.story.append(
            f"{moment(sent.made_at)}  #{sent.number} as {sent.report['minion_id']}{says}"
            f" collected {at[5:19]} to {where}"
        )

    def carried(self, sent, at, master, how):
        """Note that an old report comes again."""
        sent.machine.story.append(f"{moment(at)}  #{sent.number} at {master.name} is {how}")

    def take(self, world, entry, outcome, master, at):
        """Compare what became of a report with what should have."""
        sent = entry.sent
        machine = sent.machine
        if outcome is None:
            self.find("answered", at, f"#{sent.number} got no answer", machine)
            return
        self.outcomes[outcome.status] += 1
        machine.story.append(
            f"{moment(at)}  #{sent.number} by {master.name} -> {outcome.status}:"
            f" {outcome.detail[:200]}"
        )
        kept = self.assets.get(outcome.asset_id) if outcome.asset_id else None
        jumped = max(0.0, master.clock - entry.clock)
        if outcome.status == "new":
            self._new(sent, outcome, master, at, kept)
        elif outcome.status in ("changed", "unchanged"):
            self._known(world, entry, outcome, master, at, kept)
        else:
            self._not_stored(entry, outcome, at)
        kept = self.assets.get(outcome.asset_id) if outcome.asset_id else None
        if kept is not None and kept.last is sent and not sent.was_stored:
            sent.was_stored = True
            kept.jumped = jumped
        self._answer(sent, outcome)

    def _answer(self, sent, outcome):
        """Let the machine know, with its next report, what became of its last one."""
        machine = sent.machine
        before = self.last_taken.get(machine.number)
        if before is not None and before.made_at > sent.made_at:
            return
        self.last_taken[machine.number] = sent
        kept = self.assets.get(outcome.asset_id)
        if outcome.status in STORED and kept is not None and kept.machine is machine:
            machine.answer = (sent.report["minion_id"], kept.name)
        else:
            machine.answer = None

    def _new(self, sent, outcome, master, at, kept):
        if kept is not None:
            self.find("one asset, one machine", at, "an asset is new twice", sent.machine)
        last = self._last_stored(sent.machine)
        if last is not None and last.made_at >= sent.made_at and not sent.machine.is_evil:
            text = f"#{sent.number} is not newer than #{last.number} and makes a new asset"
            self.find("no false change", at, text, sent.machine)
        kept = Kept(
            outcome.asset_id,
            sent.machine,
            sent.report["minion_id"],
            sent.report["facts"],
            sent,
            at,
            master,
            [digests.short(sent.report["digest"])],
        )
        self.assets[kept.id] = kept
        self._of_machine(sent, kept)

    def _known(self, world, entry, outcome, master, at, kept):
        sent = entry.sent
        if kept is None:
            if outcome.status == "changed":
                self.find("answered", at, f"#{sent.number} changed an unknown asset", sent.machine)
            return
        is_new = kept.last is not sent and self._is_new(sent, kept)
        if outcome.status == "unchanged" and not is_new:
            return  # it came again, or is an old one
        if kept.machine is not sent.machine:
            if outcome.status == "unchanged" and not self._took(kept, sent):
                return  # it was told whose report this is, and nothing came of it
            self._another_machine(world, kept, sent, at)
        name = kept.name
        if sent.report["minion_id"] != kept.name:
            name = self._name_of(kept)
            if name not in (kept.name, sent.report["minion_id"]):
                text = f"the asset is called {name} after #{sent.number}"
                self.find("names", at, text, sent.machine, kept.machine)
        document = self._after(kept, sent)
        digest = digests.short(digests.of_facts(document))
        says = document != kept.facts
        if outcome.status == "changed" and not is_new:
            text = f"#{sent.number} is not newer than #{kept.last.number} and changed the asset"
            self.find("no false change", at, text, sent.machine)
        elif outcome.status == "changed" and not says and name == kept.name and not kept.detached:
            text = f"#{sent.number} says what is known, and is called a change"
            self.find("no false change", at, text, sent.machine)
        elif outcome.status == "unchanged" and says:
            text = f"#{sent.number} says something new and is called unchanged"
            self.find("no change lost", at, text, sent.machine)
            return
        if digest != kept.digests[-1]:
            kept.digests.append(digest)
        kept.facts, kept.last, kept.heard_at, kept.master = document, sent, at, master
        kept.name, kept.detached = name, False
        kept.told.clear()
        self._of_machine(sent, kept)

    def _took(self, kept, sent):
        """Whether the store says that the last report of an asset is this one."""
        rows = self.store.rows(
            "SELECT extract(epoch FROM collected_at)::float AS at FROM asset_seen"
            " WHERE asset_id = %(id)s",
            id=kept.id,
        )
        at = rows[0]["at"] if rows else None
        return at == claimed(sent) and at != claimed(kept.last)

    def _another_machine(self, world, kept, sent, at):
        """An asset goes to another machine: by the rules only when its own is gone or silent."""
        owner = kept.machine
        why = self.may_be_taken(world, kept, at)
        if owner.is_evil and not sent.machine.is_evil:
            why = why or "taken back from a liar"
        if why and not sent.machine.is_evil:
            self.taken_over[why] += 1
        elif why and sent.machine.is_evil:
            self.taken_over[f"by a liar: {why}"] += 1
        else:
            text = (
                f"the asset {kept.name} of machine {owner.number} is given to machine"
                f" {sent.machine.number} with #{sent.number}"
            )
            self.find("one asset, one machine", at, text, owner, sent.machine)
        owner.tell(at, f"loses its asset to {sent.report['minion_id']}: {why or 'NO REASON'}")
        sent.machine.tell(at, f"takes the asset {kept.name} of machine {owner.number}")
        kept.machine = sent.machine

    def may_be_taken(self, world, kept, at):
        """Return why an asset may go to another machine, or None when it may not."""
        owner = kept.machine
        if owner.is_gone:
            return "its machine is gone"
        if kept.detached:
            return "it was detached"
        if kept.name not in world.accepted:
            return "the key of its name is gone"
        grace = self.store.database.settings["rename_grace"]
        if self.listened(kept.master, kept.heard_at, at) >= 0.9 * grace:
            return "it was silent for the grace"
        return None

    def _not_stored(self, entry, outcome, at):
        sent = entry.sent
        machine = sent.machine
        last = self._last_stored(machine)
        is_new = last is None or sent.made_at > last.made_at
        if outcome.status == "held":
            # One that was never stored is not recognised under a former name: it may be another's.
            if sent.was_stored and not machine.is_evil:
                text = f"#{sent.number} is an old report and is held: {outcome.detail[:200]}"
                self.find("no false problem", at, text, machine)
        elif outcome.status == "refused" and is_new and not machine.is_evil:
            self._refused(entry, outcome, at)

    def _refused(self, entry, outcome, at):
        """
        A new report may be refused while a clock runs ahead, and once when one was set back.

        Then it is an old one for all that the store can know; the next one tells.
        """
        machine = entry.sent.machine
        came = min(self.store.now, entry.written_at)
        if claimed(entry.sent) > came + CLOCK_SLACK:
            return
        delayed = self.delayed.setdefault((machine.number, entry.sent.boot), set())
        delayed.add(entry.sent.number)
        if len(delayed) > 1:
            text = f"#{entry.sent.number} is new and is refused: {outcome.detail[:200]}"
            self.find("no change lost", at, text, machine)

    def _is_new(self, sent, kept):
        return kept.machine is not sent.machine or sent.made_at > kept.last.made_at

    def _last_stored(self, machine):
        kept = self.of_machine.get(machine.number)
        return kept.last if kept is not None and kept.last.machine is machine else None

    def _of_machine(self, sent, kept):
        self.delayed.pop((sent.machine.number, sent.boot), None)
        self.of_machine[sent.machine.number] = kept

    def _after(self, kept, sent):
        is_same = sent.body is kept.last.body and kept.last.machine is sent.machine
        if is_same and not sent.machine.is_evil:
            return kept.facts
        return overlay(kept.facts, sent.report["facts"], sent.report["partial"])

    def of_name(self, name):
        """Return the asset that has a name, or None."""
        return next(
            (one for one in self.assets.values() if one.name == name and not one.detached), None
        )

    def _name_of(self, kept):
        rows = self.store.rows("SELECT minion_id FROM asset WHERE id = %(id)s", id=kept.id)
        return rows[0]["minion_id"] if rows else None

    # Who listened

    def before_look(self, world, at):
        """Called when the engines begin to look."""
        for master in world.masters:
            if not (master.engine_is_up and master.is_up):
                continue
            spans = self.listening.setdefault(master.number, [])
            if master.since is None or not spans:
                spans.append([at, at])
            spans[-1][1] = at

    def listened(self, master, since, until):
        """Return for how many seconds of a time the engine of a master listened."""
        spans = self.listening.get(master.number, ())
        return sum(max(0.0, min(end, until) - max(begin, since)) for begin, end in spans)

    def day(self, world):
        """Called at the beginning of each day."""
        from tests.simulation import invariants

        invariants.daily(self, world)

    def end(self, world):
        """Called at the end."""
        from tests.simulation import invariants

        invariants.at_end(self, world)

    # What is wrong

    def find_once(self, kept, rule, at, what):
        """Note a violation about an asset that goes on until its next report."""
        if rule not in kept.told:
            kept.told.add(rule)
            self.find(rule, at, what, kept.machine)

    def find(self, rule, at, what, *machines):
        """Note a violation."""
        self.findings.append(Finding(rule, at, what, machines))
        for machine in machines:
            machine.story.append(f"{moment(at)}  *** {rule}: {what}")


def claimed(sent):
    """Return ``collected_at`` in seconds since the epoch."""
    return datetime.fromisoformat(sent.report["collected_at"][:-1] + "+00:00").timestamp()


def plain(text):
    """Return a reason without what names one machine, to count it."""
    words = [
        word
        for word in text.replace(",", " ").replace(";", " ").split()
        if not any(letter.isdigit() for letter in word)
    ]
    return " ".join(words)[:100]
