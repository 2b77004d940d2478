"""What the doctor says of reports that wait, are refused or held, and cannot be read."""

import pytest

from salt_ext.commands.doctor import machines
from salt_ext.master.feed import Unreadable

NOW = 1_000_000.0
MANY = [f"web{number:02d}" for number in range(7)]


class Source:
    """A cache: by minion id what is in it, or why it cannot be read."""

    def __init__(self, entries):
        """Take (when the mine was written, when the grains, report and its time or the error)."""
        self.entries = entries

    def versions(self, minion_ids=None):
        """Return the times."""
        return {name: entry[:2] for name, entry in self.entries.items()}

    def report(self, minion_id, version):
        """Return the report."""
        found = self.entries[minion_id][2]
        if isinstance(found, Exception):
            raise found
        return found


def cached(entries, positions=()):
    return machines.cached(Source(entries), dict(positions), 7200, NOW)


def agent(at):
    return (at, at - 100, ({"mode": "agent"}, at))


def test_what_is_newer_than_the_store_has_waits():
    found = cached(
        {"a": agent(NOW - 9), "b": agent(NOW - 9), "c": agent(NOW - 9)},
        {"a": NOW - 9 + 0.5, "b": NOW - 50},
    )
    assert found.waiting == {"b": NOW - 9, "c": NOW - 9}


def test_newer_grains_of_a_machine_that_reports_itself_do_not_wait():
    entry = (NOW - 500, NOW - 3, ({"mode": "agent"}, NOW - 500))
    assert cached({"a": entry}, {"a": NOW - 499.5}).waiting == {}
    from salt_ext.report import core_grains

    bare = core_grains.report({"os": "Debian"}, "a", NOW - 3)
    entry = (0.0, NOW - 3, (bare, NOW - 3))
    assert cached({"a": entry}, {"a": NOW - 50}).waiting == {"a": NOW - 3}


def test_a_mine_without_a_report_of_ours_does_not_wait():
    assert cached({"a": (NOW - 3, 0.0, None)}).waiting == {}


def test_an_entry_that_cannot_be_read_is_found_among_new_and_old_ones():
    bad = Unreadable("remove it: salt-run ...")
    found = cached(
        {"a": (NOW - 3, 0.0, bad), "b": (NOW - 9000, 0.0, bad), "c": (NOW - 99, 0.0, bad)},
        {"b": NOW - 8999, "c": NOW - 98},
    )
    assert found.unreadable.keys() == {"a", "b"}  # c was stored, and is not suspected
    check = machines.damaged(found)
    assert (check.status, check.hint) == ("fail", "remove it: salt-run ...")
    assert "a, b" in check.detail
    assert machines.damaged(cached({})).status == "ok"


@pytest.mark.parametrize(
    ("ages", "sweep", "status", "says"),
    [
        ([], 5, "ok", "no report waits"),
        ([3, 2], 5, "ok", "2 reports wait in the cache, the oldest for 3 s"),
        ([30], 5, "ok", "1 reports wait"),
        ([31], 5, "warn", "oldest for 31 s: web00"),
        ([300] * 7, 5, "warn", "7 reports wait in the cache, the oldest for 5 min: web00"),
        ([301], 5, "fail", "oldest for 5 min"),
        ([301], 60, "warn", "5 min"),
        ([1300], 60, "fail", "22 min"),
    ],
)
def test_a_lag_is_told_by_the_oldest_report_that_waits(ages, sweep, status, says):
    waiting = {name: NOW - age for name, age in zip(MANY, ages, strict=False)}
    check = machines.lag(machines.Cached(waiting, {}, []), (), sweep, NOW)
    assert check.status == status
    assert says in check.detail
    assert ("and 2 more" in check.detail) is (len(ages) == 7)


def test_a_machine_with_a_problem_of_its_own_makes_no_lag():
    found = machines.Cached({"a": NOW - 9000, "b": NOW - 4}, {}, [])
    assert machines.lag(found, {"a"}, 5, NOW).status == "ok"
    assert machines.lag(found, {"b"}, 5, NOW).status == "fail"


def test_a_report_of_a_time_to_come_is_not_green():
    found = cached({"a": agent(NOW - 9)}, {"a": NOW + 3600})
    check = machines.lag(found, (), 5, NOW)
    assert check.status == "warn"
    assert "a time to come" in check.detail


def test_each_kind_of_problem_has_its_command():
    rows = [
        {"kind": "collector", "machines": 9, "names": MANY[:5]},
        {"kind": "held", "machines": 7, "names": MANY[:5]},
        {"kind": "identity", "machines": 2, "names": MANY[:2]},
        {"kind": "report", "machines": 1, "names": MANY[:1]},
        {"kind": "something", "machines": 1, "names": MANY[:1]},
    ]
    checks = {one.check: one for one in machines.attention(rows)}
    assert list(checks) == ["held", "identity", "reports", "something"]
    assert {one.status for one in checks.values()} == {"warn"}
    assert "7 reports are held" in checks["held"].detail
    assert checks["held"].detail.endswith("web00, web01, web02, web03, web04 and 2 more")
    assert "cmdb.quarantine" in checks["held"].hint
    assert "cmdb.errors" in checks["something"].hint


def test_a_failed_collector_alone_is_told_and_green():
    [check] = machines.attention([{"kind": "collector", "machines": 9, "names": MANY[:5]}])
    assert check.status == "ok"
    assert "9 machines have a collector problem" in check.detail
    assert machines.attention([])[0].status == "ok"
