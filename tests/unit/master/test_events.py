"""When what happens to many machines is one event."""

from collections import Counter

import pytest

from salt_ext.master import events
from salt_ext.store import News
from tests.machines import NOW

LIMIT = 65536


def news(number, kind="changed", field="kernel_release", **detail):
    about = {"minion_id": f"web{number:03d}", "sn": f"S{number}"}
    change = {"op": "changed", "path": "operating_system", "component": None, "field": field}
    change |= {"class": "software"}
    changes = [{**change, "old": "6.1", "new": "6.12"}] if kind == "changed" else []
    return News(kind, f"id{number}", NOW, about, detail, changes)


def sent(found):
    """How many events of each kind are sent for this news."""
    return Counter(tag.rpartition("/")[0] for tag, _ in events.events(found, LIMIT))


@pytest.mark.parametrize(
    ("machines", "expected"),
    [(100, {"salt/cmdb/changed": 100}), (101, {"salt/cmdb/many": 1})],
)
def test_the_same_on_more_than_a_hundred_machines_is_one_event(machines, expected):
    assert sent(news(one) for one in range(machines)) == expected


def test_what_is_not_the_same_is_counted_apart():
    kernels = [news(one) for one in range(100)]
    others = [news(one, field="version_id") for one in range(100, 200)]
    assert sent(kernels + others) == {"salt/cmdb/changed": 200}
    failing = [news(one, "problem", problem="collector", subject="smart") for one in range(100)]
    others = [news(one, "problem", problem="collector", subject="lldp") for one in range(100)]
    assert sent(failing + others) == {"salt/cmdb/problem": 200}


def test_such_an_event_names_a_hundred_and_counts_all():
    [(tag, data)] = events.events([news(one) for one in range(150)], LIMIT)
    assert tag == "salt/cmdb/many/changed"
    assert data["count"] == 150
    assert data["minion_ids"] == [f"web{one:03d}" for one in range(100)]


def test_machines_that_were_installed_otherwise_than_planned_are_counted_apart():
    fine = [news(one, "installed", differences=[]) for one in range(101)]
    wrong = [news(one, "installed", differences=[{"field": "sn"}]) for one in range(101, 103)]
    assert sent(fine + wrong) == {"salt/cmdb/many": 1, "salt/cmdb/installed": 2}
