"""A year of a fleet, with all that happens to machines: each of them stays the one that it is."""

from collections import Counter
from datetime import timedelta
from itertools import groupby

import pytest

from benchmarks import fleet
from benchmarks.fleet import models
from salt_ext import store
from salt_ext.facts.identity import identify
from tests.postgres import open_store

MACHINES, DAYS = 300, 365


class Year:
    """What a fleet has reported in a year, and what the store made of it."""

    def __init__(self, database):
        self.database = database
        self.facts = {}
        """Machine: its last document."""
        self.assets = {}
        """Machine: the assets that its reports went to."""
        self.statuses = Counter()
        self.happened = Counter()
        self.names = {}
        """Name: the machines that have had it, the last one last."""

    def take(self, day):
        """Store what is reported on one day."""
        arrivals, numbers = [], {}
        for at, number, facts in day:
            report = fleet.report(number, at, facts)
            arrivals.append(store.Arrival(report["minion_id"], report, at))
            numbers[report["minion_id"]] = number
            self._note(number, facts)
        for outcome in store.ingest(self.database, arrivals):
            self.statuses[outcome.status] += 1
            self.assets.setdefault(numbers[outcome.minion_id], set()).add(outcome.asset_id)

    def _note(self, number, facts):
        name, before = facts["operating_system"]["hostname"], self.facts.get(number)
        if before:
            for what, section, field in (
                ("renamed", "operating_system", "hostname"),
                ("installed anew", "operating_system", "machine_id"),
                ("given another board", "system", "uuid"),
            ):
                self.happened[what] += before[section][field] != facts[section][field]
        elif name in self.names:
            self.happened["named as one that is gone"] += 1
        self.facts[number] = facts
        had = self.names.setdefault(name, [])
        if had[-1:] != [number]:
            had.append(number)

    @property
    def live(self):
        """The machines that have their name still, by asset."""
        return {
            self.assets[had[-1]].copy().pop(): name
            for name, had in self.names.items()
            if self.facts[had[-1]]["operating_system"]["hostname"] == name
        }


def marks(facts):
    """What a machine shows of who it is."""
    system, software = facts["system"], facts["operating_system"]
    return system["uuid"], software["hostname"], software["machine_id"]


def story():
    """What is reported by all to whom something happens that counts, and by a few of the others."""
    reports = list(fleet.story(MACHINES, DAYS, fleet.START))
    shown, seen_on = {}, {}
    for _, number, facts in reports:
        shown.setdefault(number, set()).update(marks(facts))
        for mark in marks(facts):
            seen_on.setdefault(mark, set()).add(number)
    hard = {
        number
        for number, of_machine in shown.items()
        if len(of_machine) > 3 or any(len(seen_on[mark]) > 1 for mark in of_machine)
    }
    return [one for one in reports if one[1] in hard or one[1] % 8 == 0]


@pytest.fixture(scope="module")
def year(new_database):
    database = open_store(new_database())
    found = Year(database)
    for _, day in groupby(story(), lambda one: one[0].date()):
        found.take(day)
    yield found
    database.close()


def test_the_year_has_what_makes_identity_hard(year):
    assert min(year.happened.values()) >= 2
    assert set(year.happened) == {
        *("renamed", "installed anew", "given another board", "named as one that is gone")
    }
    ids = Counter(facts["operating_system"]["machine_id"] for facts in year.facts.values())
    assert max(ids.values()) >= 2, "no guest is a copy of another"


def test_nothing_is_refused_or_waits_for_a_person(year):
    assert set(year.statuses) == {"new", "changed", "unchanged"}
    assert store.held_reports(year.database)[0] == []


def test_each_machine_is_one_asset_and_each_asset_one_machine(year):
    assert {len(assets) for assets in year.assets.values()} == {1}
    assert len(set().union(*year.assets.values())) == len(year.assets)
    assert year.statuses["new"] == len(year.facts)


def test_in_the_end_all_have_reported_but_those_that_are_gone(year):
    rows = store.assets(year.database, columns="last_seen", limit=2 * MACHINES).rows
    silent = [row for row in rows if row["last_seen"] < fleet.START + timedelta(days=DAYS)]
    assert 2 <= len(silent) <= MACHINES // 10
    assert year.statuses["unchanged"] == len(rows) - len(silent)


def test_each_name_is_that_of_the_machine_which_had_it_last(year):
    rows = store.assets(year.database, columns="minion_id", limit=2 * MACHINES).rows
    assert {row["id"]: row["minion_id"] for row in rows if row["minion_id"]} == year.live
    detached = [had[:-1] for had in year.names.values() if len(had) > 1]
    gone = {asset for numbers in detached for one in numbers for asset in year.assets[one]}
    assert {row["id"] for row in rows if not row["minion_id"]} == gone


def test_all_that_a_machine_was_ever_known_by_leads_to_its_asset(year):
    for number in {*[*year.facts][::10], *(one for one in year.facts if one > MACHINES)}:
        [asset_id] = year.assets[number]
        facts = year.facts[number]
        assert store.document(year.database, asset_id)[1] == facts
        for one in identify(facts)["candidates"]:
            if one["kind"] in ("serial_number", "uuid"):
                assert store.resolve(year.database, one["value"]) == asset_id
        if facts["operating_system"]["hostname"] in models.later_names(number):
            assert store.resolve(year.database, models.name(number)) == asset_id
