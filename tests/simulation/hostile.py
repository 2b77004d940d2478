"""
Accepted minions that lie: they know all facts of their victims, but not their keys.

A liar may say anything under its own name. It knows the victims' documents, hashes of
secrets, boots, and what an earlier rename of a victim gave away.
"""

import copy
import random

from salt_ext.facts import timestamp
from salt_ext.report import envelope
from tests.simulation.machine import DAY, MINUTE, SECOND, hashed

SHARE = 0.05
AHEAD = 9 * MINUTE
"""As far as a clock may be ahead without being refused."""


def band(world):
    """Make some machines of the fleet hostile; return the liars by number."""
    options = world.options
    count = round(options.machines * SHARE) if "hostile" not in options.without else 0
    honest = [one for one in world.fleet.machines if one.kind in ("physical", "vm", "mac")]
    chosen = random.Random(f"hostile {options.seed}").sample(honest, min(count, len(honest)))
    liars = {}
    for machine in chosen:
        machine.is_evil = True
        machine.edition = SECOND
        machine.period /= 2
        machine.tell(world.start, "is hostile")
        liars[machine.number] = Liar(world, machine)
    return liars


class Liar:
    """What one hostile minion does: a tactic for some days, then another."""

    def __init__(self, world, machine):
        self.chance = random.Random(f"liar {machine.number} of {world.options.seed}")
        self.own_name = machine.name
        self.second_name = f"{machine.name}b"
        world.accepted.add(self.second_name)
        self.until = world.start + 2 * DAY
        self.tactic = honest
        self.victim = None
        self.seen = {}
        """A victim's earlier reports, by its number."""

    def report(self, world, machine, own, at):
        """Return what the minion sends in place of its own report."""
        if at > self.until:
            self.until = at + self.chance.choice((1, 2, 4)) * DAY
            self.tactic = self.chance.choice(TACTICS)
            self.victim = self._choose(world)
            if self.victim:
                line = f"{self.tactic.__name__} against {self.victim.name}"
                machine.tell(at, f"attacks: {line}")
                self.victim.story.append(f"{machine.story[-1]} by {machine.name}")
        # Chance is asked for equally often whatever the tactic is.
        share = self.chance.random()
        if self.victim is None or self.victim.is_gone:
            return own
        theirs = self.victim.report(at)
        old = self.seen.setdefault(self.victim.number, theirs)
        lie = self.tactic(self, own, theirs, old, share, at)
        if share > 0.9:
            self.seen[self.victim.number] = theirs
        name = self.second_name if self.tactic is two_names and share < 0.5 else self.own_name
        return {**copy.deepcopy(lie), "minion_id": name}

    def _choose(self, world):
        others = [one for one in world.fleet.machines if one.is_live and not one.is_evil]
        victim = others[int(self.chance.random() * len(others))]
        # A machine that nobody knows yet has no asset to lose.
        return victim if world.judge.is_known(victim) else None


def honest(liar, own, theirs, old, share, at):
    """It says what it is."""
    return own


def copies_all(liar, own, theirs, old, share, at):
    """All keys and the machine-id of the victim, and that it was the victim; no proof."""
    return {**theirs, **_was(theirs), "proof": None}


def guesses_secret(liar, own, theirs, old, share, at):
    """The same with a secret of its own and the right moment."""
    proof = {"secret": liar.own_name, "collected_at": theirs["collected_at"]}
    return {**theirs, **_was(theirs), "proof": proof, "secret_hash": hashed(liar.own_name)}


def uses_old_proof(liar, own, theirs, old, share, at):
    """The right secret, which an earlier rename gave away, with a moment that is over."""
    secret = liar.victim.file and liar.victim.file.secret
    proof = {"secret": secret or "unknown", "collected_at": old["collected_at"]}
    return {**theirs, **_was(theirs), "proof": proof}


def best_key_alone(liar, own, theirs, old, share, at):
    """One serial number or UUID of the victim and nothing else; its clock is ahead."""
    system = {**theirs["facts"].get("system", {})}
    document = {"system": system, "virtual": theirs["facts"].get("virtual", {})}
    return {**_of(document, theirs), **_was(theirs), "collected_at": _ahead(liar, at)}


def serial_in_own_machine(liar, own, theirs, old, share, at):
    """Its own hardware with the victim's serial number and UUID."""
    system = {**own["facts"].get("system", {}), **theirs["facts"].get("system", {})}
    return _of({**own["facts"], "system": system}, own)


def card_in_own_machine(liar, own, theirs, old, share, at):
    """Its own hardware with the victim's network cards, in slots before its own."""
    cards = [
        {**card, "pci_slot": f"0000:00:0{number}.0", "name": f"a{number}"}
        for number, card in enumerate(theirs["facts"].get("network", []))
    ]
    return _of({**own["facts"], "network": cards + own["facts"].get("network", [])}, own)


def repeats(liar, own, theirs, old, share, at):
    """A report of the victim as it was some days ago, or is now."""
    return old if share < 0.5 else theirs


def later_boot(liar, own, theirs, old, share, at):
    """The victim's boot, years later, so that the victim's own reports would be old ones."""
    late = {"since_boot_ms": 10**11, "collected_at": _ahead(liar, at)}
    return {**theirs, **_was(theirs), **late}


def flaps(liar, own, theirs, old, share, at):
    """The victim and itself by turns."""
    return {**theirs, **_was(theirs)} if share < 0.5 else own


def two_names(liar, own, theirs, old, share, at):
    """The victim under two names."""
    return {**theirs, **_was(theirs)}


def reports_nothing(liar, own, theirs, old, share, at):
    """No facts at all, and that it was the victim."""
    return {**_of({}, own), **_was(theirs)}


TACTICS = (
    honest,
    copies_all,
    guesses_secret,
    uses_old_proof,
    best_key_alone,
    serial_in_own_machine,
    card_in_own_machine,
    repeats,
    later_boot,
    flaps,
    two_names,
    reports_nothing,
)


def _was(theirs):
    return {"previous_minion_id": theirs["minion_id"]}


def _of(facts, like):
    """Return a report of other facts with the header of another one."""
    document = {"collected_at": "", "duration_ms": 1, "errors": {}, "partial": [], **facts}
    body = envelope.build(document, "", None, "agent")
    header = {name: value for name, value in like.items() if name not in body}
    header |= {"collected_at": like["collected_at"], "minion_id": like["minion_id"]}
    return {**body, **header}


def _ahead(liar, at):
    return timestamp(at + AHEAD)
