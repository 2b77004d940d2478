"""A fleet from its first inventory to reports of every kind: only what happened is told."""

import os
from datetime import timedelta

import pytest

from benchmarks import fleet
from salt_ext import store
from salt_ext.master import intake
from salt_ext.master.cache import Cache
from salt_ext.report.envelope import MINE_FUNCTION
from tests import master_cache, salt_grains
from tests.machines import NOW

MACHINES = 300
START = NOW - timedelta(hours=30)
LOST = range(1, 300, 30)
"""The numbers of the machines that lose a memory module."""


class Site:
    """A master with the machines of the made-up fleet, and the store behind it."""

    def __init__(self, master_opts, runners, database, root):
        self.master_opts, self.runners, self.database = master_opts, runners, database
        self.root, self.cache = root, Cache(master_opts)
        self.facts, self.numbers = {}, {}
        for number in range(1, MACHINES + 1):
            facts = fleet.machine(number)
            name = facts["operating_system"]["hostname"]
            self.facts[name], self.numbers[name] = facts, number
        keys = root / "pki_dir/minions"
        keys.mkdir(parents=True, exist_ok=True)
        for name in self.facts:
            (keys / name).write_text("a key")

    def keep(self, kind, name, entry, at):
        """Put an entry into the master's cache as if it had come at a moment."""
        bank, key = master_cache.keep(self.cache, kind, name, entry)
        seconds = at.timestamp()
        os.utime(self.root / "cachedir" / bank / f"{key}.p", (seconds, seconds))

    def grains(self, at, **more):
        for name, facts in self.facts.items():
            self.keep("grains", name, salt_grains.core(facts, **more), at)
        return self.sync()

    def agent(self, at):
        for name in self.facts:
            self.keep("mine", name, {MINE_FUNCTION: self.report(name, at, "agent")}, at)
        return self.sync()

    def sync(self):
        return self.runners["cmdb.sync"]()["data"]["cmdb"]["counts"]

    def report(self, name, at, mode):
        return fleet.report(self.numbers[name], at, self.facts[name], mode)

    def take(self, at, made):
        """Hand reports over as ``cmdb.collect`` does, which has them of no cache."""
        reports = [(name, made(name), at.timestamp()) for name in self.facts]
        outcomes = intake.take(self.database, reports, is_cached=False)
        return {one.status for one in outcomes}

    def told(self):
        """Whatever the store tells of changes to anybody."""
        news = []
        store.tell(self.database, news.extend, lambda: set(self.facts))
        diff = store.fleet_diff(self.database, START - timedelta(days=1), NOW)
        return {
            "changes": store.changes(self.database, limit=10_000),
            "count": store.count_changes(self.database),
            "events": [one for one in news if one.kind in ("changed", "renamed")],
            "waves": diff["waves"],
            "differ": [one["name"] for one in diff["rows"] if not one["is_new"]],
            "held": store.held_reports(self.database)[0],
            "problems": store.problems(self.database)[0],
        }


@pytest.fixture
def site(master_opts, runners, database, tmp_path):
    return Site(master_opts, runners, database, tmp_path)


def test_from_the_first_inventory_through_a_day_of_reports_only_what_happened_is_told(site):
    assert site.grains(START)["new"] == MACHINES
    assert site.agent(START + timedelta(hours=1))["unchanged"] == MACHINES
    assert store.assets(site.database).total == MACHINES
    for hour in range(2, 26, 8):
        at = START + timedelta(hours=hour)
        for minutes, mode in enumerate(("agent", "ssh", "salt")):
            then = at + timedelta(minutes=20 * minutes)
            made = {name: site.report(name, then, mode) for name in site.facts}
            assert site.take(then, made.__getitem__) == {"unchanged"}
        # A reboot: Salt's grains come again, of another kernel and with other names of disks.
        then = at + timedelta(hours=1)
        bare = {
            name: salt_grains.report(facts, name, then, kernelrelease=f"6.9.{hour}", ssds=["vdx"])
            for name, facts in site.facts.items()
        }
        assert site.take(then, bare.__getitem__) == {"unchanged"}
        then = at + timedelta(hours=1, minutes=10)
        grain = {name: site.report(name, then, "cmdb_grain") for name in site.facts}
        assert site.take(then, grain.__getitem__) == {"unchanged"}
    assert not any(site.told().values())

    lost = set()
    for number in LOST:
        name = list(site.facts)[number - 1]
        memory = site.facts[name]["memory"]
        modules = [one for one in memory["devices"] if one.get("serial_number")]
        if modules:
            lost.add((name, modules[-1]["serial_number"]))
            memory["devices"] = [one for one in memory["devices"] if one != modules[-1]]
    assert len(lost) == len(LOST)
    site.agent(START + timedelta(hours=27))
    told = site.told()
    removed = [
        (row["minion_id"], row["component"])
        for row in told["changes"]
        if (row["op"], row["path"]) == ("removed", "memory.devices")
    ]
    assert set(removed) == lost
    assert len(told["changes"]) == told["count"] == len(removed) == len(LOST)
    assert len(told["events"]) == len(LOST)
    # And what Salt alone knew is still there to be asked for.
    for name in list(site.facts)[::50]:
        asset_id = store.resolve(site.database, name)
        then = store.document(site.database, asset_id, START + timedelta(minutes=30))[1]
        assert then["processors"]["model"].endswith(" @ 2.00GHz")
