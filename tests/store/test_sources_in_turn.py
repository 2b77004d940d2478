"""Reports of all sources in any order, against a small model of what must be known after each."""

import random
from datetime import timedelta

import pytest

from salt_ext import store
from salt_ext.document import normal
from salt_ext.report.sources import rank
from salt_ext.store import ingest
from tests.machines import arrival, later, server
from tests.postgres import open_store

MISSING_AFTER = timedelta(days=7)
MODES = ("agent", "agent", "ssh", "cmdb_grain", "redfish", "grains", "grains")
STICKS = [
    [],
    [{"location": "port 1", "model": "Ultra Fit", "serial_number": "STICK1"}],
    [{"location": "port 1", "model": "Ultra Fit"}, {"location": "port 2", "model": "Key"}],
]
VALUES = {
    "firmware": [{"version": "1.0"}, {"version": "1.1", "vendor": "Dell"}, {"vendor": "DELL"}],
    "usb": STICKS,
    "tpm": [{}, {"version": "2.0"}],
    "smart": [[], [{"name": "sda", "passed": True}], [{"name": "sda", "passed": False}]],
}


class Model:
    """What is known of a machine, and which source told each section."""

    def __init__(self):
        self.facts, self.told = {}, {}
        self.best = None
        self.heard = {}

    def _heard(self, source):
        """When a source was heard; sources of the best rank are equals."""
        if rank(source) == rank(self.best):
            return max(at for mode, at in self.heard.items() if rank(mode) == rank(source))
        return self.heard[source]

    def take(self, mode, facts, at):
        """Take a report; return whether the machine has changed by what it tells."""
        has_changed = self.best is None
        for name, value in facts.items():
            if name not in self.facts:
                has_changed |= self.best is not None and rank(mode) == rank(self.best)
            else:
                source = self.told[name]
                if rank(mode) > rank(source) and at - self._heard(source) <= MISSING_AFTER:
                    continue
                has_changed |= rank(mode) == rank(source) and value != self.facts[name]
            self.facts[name], self.told[name] = value, mode
        self.heard[mode] = at
        if self.best is None or rank(mode) <= rank(self.best):
            # Those of the best rank are told by whoever of them came last, where it tells them.
            self.best = mode
        return has_changed


@pytest.fixture(scope="module")
def known(new_database):
    database = open_store(new_database(), modes={"redfish": "site.redfish"})
    yield database
    database.close()


@pytest.mark.parametrize("seed", range(6))
def test_each_section_is_that_of_the_best_source_and_every_moment_can_be_asked_for(known, seed):
    chance, model, at = random.Random(seed), Model(), later(days=-300)
    name, moments, changed = f"web{seed:02d}", [], 0
    for _ in range(60):
        at += timedelta(hours=chance.choice((1, 5, 24, 100, 200)), seconds=1)
        mode = chance.choice(MODES)
        facts = server(100 + seed)
        for section, values in VALUES.items():
            facts.pop(section, None)
            if chance.random() < 0.7:
                facts[section] = chance.choice(values)
        facts = normal(facts)
        [outcome] = ingest(known, [arrival(facts, name, at, mode=mode)])
        is_new = model.best is None
        expected = "new" if is_new else "changed" if model.take(mode, facts, at) else "unchanged"
        if is_new:
            model.take(mode, facts, at)
        assert outcome.status == expected, (mode, outcome)
        changed += expected == "changed"
        asset = store.overview(known, outcome.asset_id)
        assert asset["facts"] == model.facts
        assert {one: rank(mode) for one, mode in asset["sources"].items()} == {
            one: rank(mode) for one, mode in model.told.items()
        }
        assert asset["last_seen"] == at
        assert rank(asset["mode"]) == rank(model.best)
        moments.append((at, model.facts.copy()))
    for then, facts in moments:
        assert store.document(known, outcome.asset_id, then)[1] == facts
    told = store.changes(known, store.Wanted(outcome.asset_id), limit=10_000)
    assert len({row["revision"] for row in told}) <= changed
    assert store.held_reports(known)[0] == []


def test_every_report_that_says_the_same_again_only_moves_the_time(known):
    facts = server(90)
    at = later(days=-3)
    for mode in ("grains", "redfish", "cmdb_grain", "agent", "ssh"):
        at += timedelta(minutes=30)
        ingest(
            known, [arrival({**facts, "usb": STICKS[1 + (mode == "ssh")]}, "same", at, mode=mode)]
        )
    asset_id = store.resolve(known, "same")
    with known.begin() as link:
        rows = "SELECT asset_facts.ctid::text FROM asset_facts JOIN asset ON id = asset_id"
        before = link.exec_driver_sql(f"{rows} WHERE minion_id = 'same' ORDER BY 1").all()
    revision = store.overview(known, asset_id)["revision"]
    for mode in ("grains", "redfish", "cmdb_grain", "ssh") * 3:
        at += timedelta(minutes=30)
        again = arrival({**facts, "usb": STICKS[1 + (mode == "ssh")]}, "same", at, mode=mode)
        [outcome] = ingest(known, [again])
        assert (outcome.status, outcome.detail) == ("unchanged", "as before")
    asset = store.overview(known, asset_id)
    assert (asset["revision"], asset["last_seen"]) == (revision, at)
    with known.begin() as link:
        assert link.exec_driver_sql(f"{rows} WHERE minion_id = 'same' ORDER BY 1").all() == before
