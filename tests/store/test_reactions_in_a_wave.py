"""
A thousand machines lose a module in one minute: the reactors of the manual, with the real brake.

What a reactor does here is what its file in ``docs/examples`` does, without Salt: ask the machine
again, and ask the brake before it is drained.
"""

from collections import Counter
from fnmatch import fnmatchcase

import pytest
import yaml

from salt_ext import store
from salt_ext.master import events
from tests.machines import arrival, later, server
from tests.unit.docs import markdown

MACHINES = 1000
ACT = store.Act("a reaction", "it has lost a part", test=False)
MIB = 1 << 20


def reactors():
    """Return the names of the reactors of the manual by the tags that they are for."""
    [text] = [one for one in markdown.blocks("self-healing.md", "yaml") if "reactor:" in one]
    found = yaml.safe_load(text)["reactor"]
    return {tag: file.rpartition("/")[2] for one in found for tag, [file] in one.items()}


class Fleet:
    """Machines that are each in a rack of their own, and what the reactions did to them."""

    def __init__(self, database):
        """Let all of them report, whole; nobody is told of that."""
        self.database = database
        self.reactors = reactors()
        self.names = [f"web{number:04d}" for number in range(MACHINES)]
        self.told = []
        self.drained = []
        self.seconds = 0
        store.ingest(database, [self.report(number) for number in range(MACHINES)])
        while self.sweep():
            pass
        self.told.clear()

    def report(self, number, *, is_whole=True):
        facts = server(number, location={"site": "dc1", "rack": f"R{number}"})
        if not is_whole:
            facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
        return arrival(facts, self.names[number], later(seconds=self.seconds))

    def collect(self, numbers):
        """Machines report, through a collector that sees one module less than there is."""
        self.seconds += 1
        store.ingest(self.database, [self.report(one, is_whole=False) for one in numbers])

    def sweep(self):
        """Tell what is new as an engine does, and react to it; return how much that was."""
        news = []
        fire = lambda data, tag: news.append((tag, data))  # noqa: E731
        found = events.send(self.database, fire, lambda: self.names, MIB)
        self.told += news
        for tag, data in news:
            for pattern, file in self.reactors.items():
                if fnmatchcase(tag, pattern):
                    self.react(file, data)
        return found

    def react(self, file, data):
        if file == "loss_reactor.sls" and any(one["class"] == "loss" for one in data["changes"]):
            self.collect([self.names.index(data["minion_id"])])
        if file == "lost_reactor.sls":
            asset_id = store.resolve(self.database, data["minion_id"])
            if store.permit_reaction(self.database, asset_id, "drain", ACT)["is_permitted"]:
                store.set_lifecycle(self.database, asset_id, "maintenance", ACT, "active")
                self.drained.append(data["minion_id"])


@pytest.fixture
def fleet(database):
    return Fleet(database)


# How many machines have reported at each look of the engine, and so how many are drained.
@pytest.mark.parametrize(
    ("looks", "drains"), [([MACHINES], 0), ([50] * 20, 0), ([4] * 25 + [300] * 3, 5)]
)
def test_they_are_one_problem_and_not_a_thousand_drains(fleet, database, looks, drains):
    at = 0
    for most in looks:
        numbers = range(at, at + most)
        at += most
        fleet.collect(numbers)
        fleet.sweep()
        # The collector goes on to see too little, whoever asks.
        fleet.collect(numbers)
        fleet.sweep()
    while fleet.sweep():
        pass
    told = Counter(tag.split("/")[2] for tag, _ in fleet.told)
    assert len(fleet.drained) == drains
    assert told["lost"] <= database.settings["wave_machines"]
    [problem], _ = store.problems(database, kind="brake")
    assert problem["subject"] == "wave"
    assert problem["message"].startswith("1,000 machines have lost memory.devices since ")
    # Whoever asks by himself is refused too.
    asset_id = store.resolve(database, fleet.names[-1])
    assert not store.permit_reaction(database, asset_id, "drain", ACT)["is_permitted"]
    [again], _ = store.problems(database, kind="brake")
    assert again["id"] == problem["id"]
