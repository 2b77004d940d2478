"""What waits for webhooks: each event once, only what is wanted, and never without an end."""

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.master import events
from salt_ext.store.deliveries import LEASE_SECONDS
from tests.machines import arrival, dimm, later, server

MIB = 1 << 20
MASTER = "master01"


def subscriber(name="tickets", kinds=("changed", "new", "problem"), **conditions):
    def wanted(news):
        return events.events([one for one in news if one.kind in kinds], MIB)

    return store.Subscriber(name, wanted, **conditions)


@pytest.fixture
def tell(database):
    """What an engine does with each sweep."""

    def sweep(*subscribers, fire=lambda data, tag: None):
        return events.send(
            database, fire, lambda: {"web01", "web02", MASTER}, MIB, subscribers, MASTER
        )

    return sweep


def drained(database, name="tickets"):
    """All that is due for a webhook, taken out one by one."""
    found = []
    while taken := store.take_delivery(database, name, found[-1].id if found else None):
        found.append(taken)
    return found


def kinds(found):
    return [(one.data["kind"], one.data.get("minion_id")) for one in found]


def less_memory(number, **sections):
    facts = server(number, **sections)
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    facts["memory"]["installed_bytes"] = 64 << 30
    return facts


def firmware(number, version):
    return server(number, firmware={"vendor": "Dell Inc.", "version": version})


def execute(database, text, **values):
    with database.begin() as link:
        link.execute(sa.text(text), values)


def problems(database):
    rows, _ = store.problems(database, kind="webhook")
    return [row["message"] for row in rows]


def test_an_event_waits_once_for_each_webhook_and_is_gone_when_it_was_taken(database, tell):
    store.ingest(database, [arrival(server(1), "web01")])
    tell(subscriber("one"), subscriber("two"))
    tell(subscriber("one"), subscriber("two"))
    for name in ("one", "two"):
        [taken] = drained(database, name)
        assert (taken.tag, taken.attempt) == (
            f"salt/cmdb/new/{store.resolve(database, 'web01')}",
            1,
        )
        assert taken.data["sn"] == "9XYZ001"
        assert drained(database, name) == []


def test_what_the_bus_did_not_take_waits_for_no_webhook_yet(database, tell):
    def away(data, tag):
        raise OSError("no bus")

    store.ingest(database, [arrival(server(1), "web01")])
    with pytest.raises(OSError, match="no bus"):
        tell(subscriber(), fire=away)
    assert store.take_delivery(database, "tickets") is None
    tell(subscriber())
    assert kinds(drained(database)) == [("new", "web01")]


def test_a_delivery_that_somebody_sends_is_nobody_elses_until_its_time_is_over(database, tell):
    store.ingest(database, [arrival(server(1), "web01")])
    tell(subscriber())
    first = store.take_delivery(database, "tickets")
    assert store.take_delivery(database, "tickets") is None
    execute(
        database,
        "UPDATE delivery SET due_at = due_at - :lease * interval '1 second'",
        lease=LEASE_SECONDS,
    )
    again = store.take_delivery(database, "tickets")
    assert (again.id, again.attempt) == (first.id, 2)


def test_a_class_is_asked_of_every_change_however_many_there_are(database, tell):
    many = {"usb": [{"location": f"port {one}", "model": "x"} for one in range(150)]}
    store.ingest(database, [arrival(server(1), "web01"), arrival(server(2), "web02")])
    tell()
    store.ingest(database, [arrival(less_memory(1, **many), "web01", later(seconds=1))])
    store.ingest(database, [arrival(firmware(2, "9.9"), "web02", later(seconds=1))])
    tell(subscriber("all"), subscriber(classes=["loss"]))
    [loss] = drained(database)
    assert loss.data["minion_id"] == "web01"
    assert {one["class"] for one in loss.data["changes"]} == {"loss"}
    assert {one["path"] for one in loss.data["changes"]} == {"memory.devices"}
    assert len(drained(database, "all")) == 2


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"sections": ["firmware"]}, ["web02"]),
        ({"sections": ["memory.devices"]}, ["web01"]),
        ({"sections": ["mem"]}, []),
        ({"fields": ["firmware.version"]}, ["web02"]),
        ({"fields": ["memory.devices.size_bytes"]}, []),
        ({"sections": ["memory", "firmware"]}, ["web01", "web02"]),
        ({"sections": ["memory"], "classes": ["firmware"]}, []),
        ({"filters": {"minion_id": "web02"}}, ["web02"]),
        ({"filters": {"memory_bytes__lt": "100GiB"}, "classes": ["loss"]}, ["web01"]),
        ({"filters": {"disks.model__contains": "no such"}}, []),
    ],
)
def test_a_webhook_gets_what_fits_all_of_its_conditions(database, tell, conditions, expected):
    store.ingest(database, [arrival(server(1), "web01"), arrival(server(2), "web02")])
    tell()
    store.ingest(database, [arrival(less_memory(1), "web01", later(seconds=1))])
    store.ingest(database, [arrival(firmware(2, "9.9"), "web02", later(seconds=1))])
    tell(subscriber(**conditions))
    assert sorted(one.data["minion_id"] for one in drained(database)) == expected


def test_conditions_on_changes_leave_the_other_kinds_alone(database, tell):
    tell()
    store.ingest(database, [arrival(server(1), "web01")])
    store.ingest(database, [arrival(server(2), "web02")])
    tell(subscriber(classes=["loss"], filters={"minion_id": "web01"}))
    assert kinds(drained(database)) == [("new", "web01")]


def test_a_filter_that_nobody_understands_is_a_problem_and_stops_no_other(database, tell):
    store.ingest(database, [arrival(server(1), "web01")])
    tell(subscriber("wrong", filters={"sit": "fra1"}), subscriber("right"))
    assert kinds(drained(database, "right")) == [("new", "web01")]
    assert drained(database, "wrong") == []
    [message] = problems(database)
    assert "the filters of the webhook wrong" in message
    assert "did you mean 'site'?" in message


def test_the_same_on_many_machines_is_one_delivery(database, tell):
    names = [f"web{one:03d}" for one in range(150)]
    store.ingest(database, [arrival(server(n), name) for n, name in enumerate(names)])
    events.send(database, lambda data, tag: None, lambda: names, MIB)
    news = [arrival(firmware(n, "9.9"), name, later(seconds=1)) for n, name in enumerate(names)]
    store.ingest(database, news)
    events.send(database, lambda data, tag: None, lambda: names, MIB, [subscriber()], MASTER)
    [taken] = drained(database)
    assert (taken.tag, taken.data["count"]) == ("salt/cmdb/many/changed", 150)


def test_what_was_tried_for_too_long_is_given_up_told_and_can_be_sent_again(database, tell):
    store.ingest(database, [arrival(server(1), "web01")])
    tell(subscriber())
    assert store.give_up_deliveries(database, "tickets", 0, MASTER) == 0  # it was not even tried
    taken = store.take_delivery(database, "tickets")
    store.undelivered(database, taken.id, "it answers 500")
    assert store.take_delivery(database, "tickets") is None  # not at once
    assert store.give_up_deliveries(database, "tickets", 3600, MASTER) == 0
    assert store.give_up_deliveries(database, "tickets", 0, MASTER) == 1
    assert problems(database) == [
        "1 events could not be delivered to the webhook tickets: it answers 500;"
        " salt-run cmdb.webhook tickets resend=True sends them again"
    ]
    store.settle_webhook(database, "tickets")
    assert problems(database), "as long as something was given up it is not over"
    [row], total = store.deliveries_of(database, "tickets", 50)
    assert (row["state"], row["failure"], total) == ("given up", "it answers 500", 1)
    assert store.resend_deliveries(database, "tickets") == 1
    assert problems(database) == []
    [again] = drained(database)
    assert again.id == taken.id, "a receiver that has it after all can tell"
    with pytest.raises(store.NotFound, match="no event of the webhook tickets was given up"):
        store.resend_deliveries(database, "tickets")


def test_each_failure_lets_a_delivery_wait_longer_but_not_for_ever(database, tell):
    store.ingest(database, [arrival(server(1), "web01")])
    tell(subscriber())
    waits = []
    for _ in range(12):
        execute(database, "UPDATE delivery SET due_at = now()")
        store.undelivered(database, store.take_delivery(database, "tickets").id, "it answers 500")
        with database.begin() as link:
            wait = sa.text("SELECT extract(epoch FROM due_at - now()) FROM delivery")
            waits.append(round(link.scalar(wait)))
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]


def test_a_queue_has_an_end_and_what_is_not_queued_is_told(database, tell, monkeypatch):
    monkeypatch.setattr("salt_ext.store.deliveries.MOST_WAITING", 1)
    store.ingest(database, [arrival(server(one), f"web0{one}") for one in (1, 2)])
    tell(subscriber())
    assert len(drained(database)) == 1
    [message] = problems(database)
    assert "1 events wait for the webhook tickets" in message
    assert "1 more, now, will not be sent" in message
    store.settle_webhook(database, "tickets")
    assert problems(database) == []


def test_the_queues_are_listed_also_those_without_a_setting(database, tell):
    store.ingest(database, [arrival(server(1), "web01")])
    tell(subscriber("gone"))
    rows = {row["webhook"]: row for row in store.webhook_queues(database, ["tickets"])}
    assert rows["tickets"]["waiting"] == 0
    assert rows["gone"]["waiting"] == 1


def test_maintenance_removes_what_nobody_took_for_long(database, tell):
    store.ingest(database, [arrival(server(1), "web01")])
    tell(subscriber())
    execute(database, "UPDATE delivery SET queued_at = now() - interval '91 days'")
    steps = {row["step"]: row["rows"] for row in store.maintain(database)}
    assert steps["events that no webhook took, removed"] == 1
    assert store.take_delivery(database, "tickets") is None


def test_a_lost_module_has_its_class_on_the_bus_too(database, tell):
    fired = []
    store.ingest(database, [arrival(server(1), "web01")])
    tell()
    facts = server(1)
    facts["memory"]["devices"] = [dimm("A1", "4F0001A1"), {"locator": "A2", "present": False}]
    store.ingest(database, [arrival(facts, "web01", later(seconds=1))])
    tell(fire=lambda data, tag: fired.append(data))
    assert [one["class"] for one in fired[0]["changes"]] == ["loss"]
