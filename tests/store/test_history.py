"""What was, told by the store, against what was reported then."""

import copy
import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from benchmarks import fleet
from salt_ext import store
from salt_ext.document.diff import Change, diff
from salt_ext.settings import resolve
from salt_ext.store.reads.listing import NOW_ONLY, present
from salt_ext.store.schema import revision
from tests.machines import NOW, arrival, dimm, later, revisions, server

COLUMNS = [name for name in present(resolve()).fields if name not in NOW_ONLY]
MACHINES = 9


class Past:
    """A store with a year of a fleet, and what this test remembers of every moment of it."""

    def __init__(self, database):
        self.database = database
        self.documents = {}
        """Asset: [(since, all that was known then)]."""
        self.names = {}
        """Asset: [(since, name)]."""
        self.lists = {}
        """Moment: (the list, the totals) that the store gave then."""
        self.statuses = Counter()

    def take(self, at, minion_id, facts, **fields):
        [outcome] = store.ingest(self.database, [arrival(facts, minion_id, at, **fields)])
        self.statuses[outcome.status] += 1
        if outcome.status in ("new", "changed", "unchanged"):
            steps = self.documents.setdefault(outcome.asset_id, [])
            # No section that was known is lost by a report without it, or with a part of it.
            known = {} if not steps else steps[-1][1]
            partial = {name: known[name] for name in fields.get("partial", ()) if name in known}
            now = {**known, **facts, **partial}
            if not steps or steps[-1][1] != now:
                steps.append((at, now))
        rows = store.assets(self.database, columns=COLUMNS, limit=1000).rows
        for row in rows:
            steps = self.names.setdefault(row["id"], [])
            if not steps or steps[-1][1] != row["minion_id"]:
                steps.append((at, row["minion_id"]))
        self.lists[at] = rows, store.totals(self.database, groupings=["site,os"])

    def document(self, asset_id, at):
        return last(self.documents[asset_id], at)

    def name(self, asset_id, at):
        return last(self.names[asset_id], at)

    def moments(self, chance, count):
        """Moments of changes, just before them, and between them."""
        times = sorted(self.lists)
        found = []
        for _ in range(count):
            found.append(chance.choice(times) - timedelta(milliseconds=chance.choice([0, 0, 1])))
            span = (times[-1] - times[0]) * chance.random()
            found.append(times[0] + span)
        return sorted(max(one, times[0]) for one in found)


def last(steps, at):
    return next((value for since, value in reversed(steps) if since <= at), None)


@pytest.fixture(scope="module")
def past(new_database):
    database = store.Database(resolve(("test", {"database_url": new_database()})))
    chance = random.Random(4)
    found = Past(database)
    start = fleet.START - timedelta(days=1)
    for number in range(1, MACHINES + 1):
        report = fleet.report(number, start)
        found.take(start, report["minion_id"], report["facts"])
    year = list(fleet.year(MACHINES))
    for count, (at, _, facts) in enumerate(year):
        following = year[count + 1][0] if count + 1 < len(year) else at + timedelta(hours=4)
        pause = (following - at) / 4
        name = facts["operating_system"]["hostname"]
        fields = {}
        if count % 9 == 3:  # a collector that failed
            facts = {key: value for key, value in facts.items() if key != "disks"}
            fields = {"errors": {"disks": {"type": "OSError", "message": "no"}}}
        elif count % 9 == 6:  # one that saw nothing of what there is
            facts = {**facts, "memory": {}}
            fields = {"partial": ["memory"]}
        elif count % 40 == 20:  # other hardware under the name
            facts = fleet.machine(1000 + count)
        found.take(at, name, facts, **fields)
        if count % 12 == 5:  # it takes another name, and says so
            found.take(at + pause, f"{name}-{count}", facts, previous=name, last=at)
        if count % 15 == 7:  # a change that is taken back
            stick = {**facts, "slots": [{"designation": f"PCIe {chance.randrange(9)}"}]}
            found.take(at + 2 * pause, name, stick)
            found.take(at + 3 * pause, name, {**facts, "slots": facts.get("slots", [])})
    yield found
    database.close()


def test_the_year_of_this_test_has_what_makes_history_hard(past):
    assert past.statuses["changed"] > 40
    assert past.statuses["new"] > MACHINES
    names = [[name for _, name in steps] for steps in past.names.values()]
    assert any(None in steps for steps in names), "none was detached"
    assert any(len(set(steps) - {None}) > 1 for steps in names), "none was renamed"
    ops = {row["op"] for row in store.changes(past.database, limit=10_000)}
    assert ops == {"added", "removed", "changed", "moved", "replaced", "renamed"}


def test_the_document_of_any_time_is_what_was_reported_then(past):
    for asset_id, steps in past.documents.items():
        for number, (since, facts) in enumerate(steps):
            assert store.document(past.database, asset_id, since)[1] == facts
            if number:
                before = since - timedelta(milliseconds=1)
                assert store.document(past.database, asset_id, before)[1] == steps[number - 1][1]
        assert store.document(past.database, asset_id)[1] == steps[-1][1]
        assert store.overview(past.database, asset_id)["facts"] == steps[-1][1]


def test_before_its_first_report_nothing_is_known_of_an_asset(past):
    for asset_id, steps in past.documents.items():
        with pytest.raises(store.NotFound, match="nothing is known of this asset at") as error:
            store.document(past.database, asset_id, steps[0][0] - timedelta(milliseconds=1))
        assert f"{steps[0][0]:%Y-%m-%d %H:%M}" in error.value.hint


def test_the_difference_of_two_times_is_that_of_the_two_documents(past):
    chance = random.Random(5)
    for asset_id, steps in past.documents.items():
        for _ in range(3):
            start, end = sorted(chance.choice(steps)[0] for _ in range(2))
            old, new, changes = store.compare(past.database, asset_id, start, end)
            assert old["recorded_at"] <= start
            assert new["recorded_at"] <= end
            expected = diff(past.document(asset_id, start), past.document(asset_id, end))
            assert changes == expected


def test_the_list_of_any_time_is_the_list_that_was_given_then(past):
    for at, (rows, (totals, [groups])) in past.lists.items():
        page = store.assets(past.database, columns=COLUMNS, limit=1000, at=at)
        assert page.rows == rows
        whole, [each] = store.totals(past.database, groupings=["site,os"], at=at)
        assert whole == {name: totals[name] for name in whole}
        assert each == [{name: group[name] for name in each[0]} for group in groups]


def test_a_filter_and_a_text_of_the_past_ask_for_what_was_so_then(past):
    for at, (rows, _) in list(past.lists.items())[::9]:
        kernel = rows[0]["kernel_release"]
        expected = [row["id"] for row in rows if row["kernel_release"] == kernel]
        filters = {"kernel_release": kernel}
        page = store.assets(past.database, filters=filters, columns="os", at=at)
        assert [row["id"] for row in page.rows] == expected
        assert page.total == len(expected)
        name = rows[0]["minion_id"]
        expected = [row["id"] for row in rows if name in (row["minion_id"] or "")]
        assert store.assets(past.database, text=name, at=at, columns="os").total == len(expected)


def fleet_diffs(past):
    """A few spans of the year, each with what was different in the end of each asset."""
    moments = past.moments(random.Random(6), 6)
    for start, end in [(moments[0], moments[-1]), *zip(moments, moments[2:], strict=False)]:
        expected = {}
        for asset_id in past.documents:
            old, new = (past.document(asset_id, one) for one in (start, end))
            names = [past.name(asset_id, one) for one in (start, end)]
            if new is None:
                continue
            changes = [] if old is None else diff(old, new)
            if old is not None and names[0] != names[1]:
                changes.insert(0, Change("renamed", "minion_id", None, None, *names))
            if old is None or changes:
                expected[asset_id] = changes
        yield start, end, expected


def test_what_became_of_the_fleet_is_what_became_of_each_asset(past):
    for start, end, expected in fleet_diffs(past):
        rows, after = [], ""
        while True:
            found = store.fleet_diff(past.database, start, end, after=after, limit=3)
            if not found["rows"]:
                break
            rows += found["rows"]
            after = rows[-1]["name"]
        assert [row["name"] for row in rows] == sorted(row["name"] for row in rows)
        assert found["assets"] == len(rows) == len(expected)
        assert found["new"] == sum(row["is_new"] for row in rows)
        for row in rows:
            changes = expected[row["asset_id"]]
            told = [Change(**one) for one in row["changes"]]
            assert told == [one for one in changes if not row["is_new"]]
            assert row["is_new"] == (past.document(row["asset_id"], start) is None)


def test_waves_and_sections_count_the_assets_that_changed(past):
    for start, end, expected in fleet_diffs(past):
        sections, waves = Counter(), Counter()
        for asset_id in expected:
            own = set()
            steps = past.documents[asset_id]
            for (_, old), (at, new) in pairwise(steps):
                own |= {as_wave(one) for one in diff(old, new) if start < at <= end}
            steps = past.names[asset_id]
            for (_, old), (at, new) in pairwise(steps):
                if start < at <= end:
                    own.add(("minion_id", None, "renamed", repr(old), repr(new)))
            sections.update({wave[0].partition(".")[0] for wave in own})
            waves.update(own)
        found = store.fleet_diff(past.database, start, end)
        assert {row["section"]: row["assets"] for row in found["sections"]} == sections
        told = [
            (as_wave(Change(row["op"], row["path"], None, row["field"], row["old"], row["new"])))
            for row in found["waves"]
        ]
        assert [waves[one] for one in told] == [row["assets"] for row in found["waves"]]
        assert [row["assets"] for row in found["waves"]] == sorted(waves.values())[::-1][:20]


def test_a_fleet_diff_of_many_assets_and_of_revisions_like_no_other_is_the_same(
    database, monkeypatch
):
    def take(day, number, facts):
        minute = later(days=day, minutes=number)
        [outcome] = store.ingest(database, [arrival(facts, f"web{number:02}", minute)])
        assert outcome.status in ("new", "changed", "unchanged")

    for number in range(12):
        take(0, number, server(number))
    for day in (1, 2, 3, 4):
        for number in range(2 * day - 2, 12):
            disks = [] if number % 3 == day else server(number)["disks"]
            take(day, number, server(number, firmware={"version": str(day)}, disks=disks))
    take(9, 5, server(95))  # other hardware: the machine that had the name is detached
    spans = [(later(days=one), later(days=two)) for one, two in ((0, 1), (0, 2), (1, 4), (0, 10))]

    def told():
        return [
            store.fleet_diff(database, start, end, after=after, limit=5)
            for start, end in spans
            for after in ("", "web08")
        ]

    found = told()
    assert max(row["assets"] for one in found for row in one["waves"]) >= 8
    monkeypatch.setattr("salt_ext.store.reads.fleet_diff.FEW", 0)
    assert told() == found
    with database.begin() as link:
        link.execute(sa.update(revision).values(alike=None))
    assert told() == found


def as_wave(one):
    values = (one.old, one.new) if one.component is None else (None, None)
    return (one.path, one.field, one.op, *map(repr, values))


def test_the_changes_of_an_asset_have_those_of_what_was_merged_into_it(database):
    keyless = {name: server(1)[name] for name in ("operating_system", "memory", "disks")}
    store.ingest(database, [arrival(server(1), "old")])
    for minutes, version in ((1, "a"), (2, "b")):
        facts = {**keyless, "firmware": {"version": version}}
        store.ingest(database, [arrival(facts, "new", later(days=2, minutes=minutes))])
    [outcome] = store.ingest(database, [arrival(server(1), "new", later(days=3))])
    assert outcome.asset_id == store.resolve(database, "old") == store.resolve(database, "new")
    rows = store.changes(database, store.Wanted(outcome.asset_id))
    assert [(row["op"], row["new"]) for row in rows] == [("renamed", "new"), ("changed", "b")]
    # The one that it was taken for is no asset of the fleet any more, and was one then.
    found = store.fleet_diff(database, NOW, later(days=3))
    assert [row["name"] for row in found["rows"]] == ["new"]
    assert store.assets(database).total == 1
    assert store.assets(database, at=later(days=2, minutes=5)).total == 2


def test_what_became_of_a_part_of_the_fleet_is_told_of_its_assets_alone(past):
    start, end = min(past.lists), max(past.lists)
    for site in {row["site"] for row in past.lists[end][0]}:
        found = store.fleet_diff(past.database, start, end, filters={"site": site}, limit=1000)
        rows = store.assets(past.database, filters={"site": site}, limit=1000).rows
        assert {row["asset_id"] for row in found["rows"]} <= {row["id"] for row in rows}
        assert found["assets"] == len(found["rows"])


def test_a_change_that_was_taken_back_is_none(database):
    for minutes, version in enumerate(["1", "2", "1"]):
        facts = server(1, firmware={"version": version})
        store.ingest(database, [arrival(facts, at=later(minutes=minutes))])
    assert store.fleet_diff(database, NOW, later(minutes=1))["assets"] == 1
    assert store.fleet_diff(database, NOW, later(minutes=2))["assets"] == 0


def test_a_name_that_was_taken_back_is_no_change(database):
    for day, (name, before) in enumerate([("a", None), ("b", "a"), ("a", "b")]):
        last = later(days=day - 1) if before else None
        store.ingest(database, [arrival(server(1), name, later(days=day), before, last=last)])
    assert store.fleet_diff(database, NOW, later(days=2))["assets"] == 0
    [row] = store.fleet_diff(database, NOW, later(days=1))["rows"]
    assert [(one["op"], one["old"], one["new"]) for one in row["changes"]] == [
        ("renamed", "a", "b")
    ]


def test_a_problem_with_its_identity_is_no_difference_of_an_asset(database):
    clone = server(2, system=server(1)["system"], baseboards=server(1)["baseboards"])
    store.ingest(database, [arrival(server(1), "a")])
    store.ingest(database, [arrival(clone, "b", later(minutes=1))])
    found = store.fleet_diff(database, NOW, later(minutes=1))
    assert [(row["name"], row["is_new"]) for row in found["rows"]] == [("b", True)]


def test_a_span_that_ends_before_it_begins_is_refused(database):
    with pytest.raises(store.StoreError, match="the first moment is after the second"):
        store.fleet_diff(database, later(minutes=1), NOW)
    store.ingest(database, [arrival(server(1))])
    store.ingest(database, [arrival(server(1, usb=[]), at=later(minutes=5))])
    asset_id = store.resolve(database, "web01")
    with pytest.raises(store.StoreError, match="the first moment is after the second"):
        store.compare(database, asset_id, later(minutes=5), NOW)


def test_two_machines_differ_in_what_is_not_their_own_number(database):
    other = server(2)
    other["memory"]["devices"].append(dimm("A3", "X"))
    other["firmware"]["version"] = "2.0"
    store.ingest(database, [arrival(server(1), "a"), arrival(other, "b")])
    one, two = (store.resolve(database, name) for name in "ab")
    assert [(change.op, change.path) for change in store.compare_assets(database, one, two)] == [
        ("changed", "firmware.version"),
        ("added", "memory.devices"),
        ("changed", "network"),
        ("changed", "operating_system.hostname"),
    ]
    assert store.compare_assets(database, one, one) == []
    store.ingest(database, [arrival({**other, "usb": []}, "b", later(minutes=9))])
    assert len(store.compare_assets(database, one, two)) == 5
    assert len(store.compare_assets(database, one, two, later(minutes=8))) == 4


def test_history_goes_forwards_where_the_clocks_of_two_masters_differ(database):
    """The second master's clock is behind: it stores the newer report at an earlier time."""
    versions = [
        server(1, firmware={"version": str(one)}, location={"site": f"s{one}"}) for one in range(3)
    ]
    for facts, collected, received in zip(versions, (0, 5, 6), (0, 7, 6), strict=True):
        one = arrival(facts, at=later(minutes=collected))
        store.ingest(database, [one._replace(received_at=later(minutes=received))])
    asset_id = store.resolve(database, "web01")
    moments = [row["recorded_at"] for row in revisions(database, asset_id)]
    assert moments == sorted(moments, reverse=True)
    assert store.overview(database, asset_id)["last_seen"] == later(minutes=7)
    for minutes, version in ((0, 0), (6.5, 0), (7, 2)):
        at = later(minutes=minutes)
        assert store.document(database, asset_id, at)[1] == versions[version]
        [row] = store.assets(database, columns="site", at=at).rows
        assert row["site"] == f"s{version}"


def test_a_report_that_comes_while_history_is_read_does_not_spoil_it(database):
    facts, numbers = server(), iter(range(100))

    def report():
        number = next(numbers)
        slot = facts["memory"]["devices"]
        slot[1:] = [dimm("A2", f"4F{number}")] if number % 2 else []
        at = later(minutes=number)
        [outcome] = store.ingest(database, [arrival(copy.deepcopy(facts), at=at)])
        assert outcome.status in ("new", "changed")

    report()
    report()
    asset_id = store.resolve(database, "web01")
    with database.begin() as link:
        engine = link.engine
    before = store.document(database, asset_id, NOW)[1]
    writing = []

    def between(*_):
        if not writing:
            writing.append(True)
            report()
            writing.clear()

    # A report comes after each statement of the reader.
    event.listen(engine, "after_cursor_execute", between)
    try:
        assert store.document(database, asset_id, NOW)[1] == before
        old, new, changes = store.compare(database, asset_id, NOW, None)
    finally:
        event.remove(engine, "after_cursor_execute", between)
    assert {one.path for one in changes} <= {"memory.devices"}
    assert old["number"] < new["number"]


def test_a_history_that_was_altered_is_told_and_not_shown(database):
    store.ingest(database, [arrival(server(1))])
    store.ingest(database, [arrival(server(1, firmware={"version": "2"}), at=later(minutes=1))])
    asset_id = store.resolve(database, "web01")
    with database.begin() as link:
        link.exec_driver_sql("UPDATE change SET old = '\"9\"' WHERE path = 'firmware.version'")
    with pytest.raises(store.StoreError, match="does not match its digest"):
        store.document(database, asset_id, NOW)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        pytest.param({}, 4, id="all"),
        pytest.param({"since": later(minutes=2)}, 2, id="since, that moment included"),
        pytest.param({"until": later(minutes=1)}, 2, id="until, that moment included"),
        pytest.param({"section": "firmware"}, 2, id="a section"),
        pytest.param({"section": "memory.devices"}, 2, id="a list in a section"),
        pytest.param({"section": "mem"}, 0, id="no section but the beginning of one"),
        pytest.param({"component": "4F0001A1"}, 1, id="a part"),
        pytest.param({"filters": {"site": "dc1"}}, 2, id="of some assets"),
        pytest.param({"filters": {"site": "dc1"}, "section": "memory"}, 1, id="both"),
    ],
)
def test_changes_are_those_that_are_wanted(database, wanted, count):
    sites = {1: {"location": {"site": "dc1"}}, 2: {}}
    for minutes in range(3):
        for number, location in sites.items():
            facts = server(number, firmware={"version": str(min(minutes, 1))}, **location)
            if minutes == 2:
                facts["memory"]["devices"][0]["locator"] = "B1"
            name = f"web{number:02d}"
            store.ingest(database, [arrival(facts, name, later(minutes=minutes))])
    question = store.Wanted(**wanted)
    assert store.count_changes(database, question) == count
    rows = store.changes(database, question)
    assert len(rows) == count
    assert store.changes(database, question, limit=1) == rows[:1]
    moments = [row["recorded_at"] for row in rows]
    assert moments == sorted(moments, reverse=True)


def test_a_report_without_a_section_or_with_a_part_of_it_takes_nothing_away(database):
    store.ingest(database, [arrival(server(1))])
    asset_id = store.resolve(database, "web01")
    known = store.document(database, asset_id)[1]
    less = copy.deepcopy(known)
    del less["disks"], less["memory"]["devices"][1]
    partial = arrival(less, at=later(minutes=1), partial=["memory"])
    [outcome] = store.ingest(database, [partial])
    assert outcome.status == "unchanged"
    assert store.document(database, asset_id)[1] == known
    # A whole section without it is a fact.
    [outcome] = store.ingest(database, [arrival(less, at=later(minutes=2))])
    assert outcome.status == "changed"
    assert [row["op"] for row in store.changes(database)] == ["removed"]
