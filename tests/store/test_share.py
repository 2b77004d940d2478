"""One machine, whatever it reports, keeps nobody's news waiting and loses none of its own."""

import pytest

from salt_ext import store
from salt_ext.master import events
from salt_ext.store import share
from tests.machines import arrival, dimm, later, server

MIB = 1 << 20
NAMES = {"evil", "web02"}
TICKETS = store.Subscriber("tickets", lambda news: events.events(news, MIB))


@pytest.fixture
def tell(database):
    """What an engine does with each sweep; returns the events of the bus."""

    def sweep():
        fired = []
        events.send(
            database,
            lambda data, tag: fired.append((data["kind"], data["minion_id"])),
            lambda: NAMES,
            MIB,
            [TICKETS],
            "master01",
        )
        return fired

    return sweep


@pytest.fixture
def reports(database):
    """A function that lets a machine report, each time a second later."""
    seconds = iter(range(10_000))

    def report(name, facts, *errors):
        one = arrival(facts, name, later(seconds=next(seconds)))
        failed = {"type": "OSError", "message": "gone", "traceback": ""}
        one.report["errors"] = dict.fromkeys(errors, failed)
        store.ingest(database, [one])

    return report


def lessened(number):
    facts = server(number)
    facts["memory"]["devices"] = [dimm("A1", f"4F{number:04d}A1")]
    return facts


def waiting(database):
    return store.deliveries_of(database, "tickets", 1000)[1]


def an_hour_goes_by(database):
    with database.begin() as link:
        link.exec_driver_sql("UPDATE told_lately SET since = since - interval '1 hour'")


def problems(database, **wanted):
    rows, _ = store.problems(database, kind="news", **wanted)
    return [(row["minion_id"], row["message"]) for row in rows]


def test_many_problems_of_one_machine_at_once_are_one_event_that_counts_them(
    database, tell, reports
):
    reports("evil", server(1))
    tell()
    reports("evil", server(1), *[f"own{one:02d}" for one in range(50)])
    assert tell() == [("problem", "evil")]
    assert tell() == []
    reports("evil", server(1), *[f"few{one:02d}" for one in range(10)])
    assert tell() == [("problem", "evil")] * 10
    one = [store.take_delivery(database, "tickets") for _ in range(2)][-1]
    assert (one.data["problem"], one.data["more"]) == ("collector", 49)


def test_what_only_lists_have_is_nobodys_share(database, tell, monkeypatch):
    monkeypatch.setattr(share, "MOST_TOLD", 1)
    for number in range(3):
        store.ingest(database, [arrival(server(number), f"web0{number}")])
    with database.begin() as link:
        link.exec_driver_sql("UPDATE asset SET minion_id = NULL")
        link.exec_driver_sql("UPDATE asset_seen SET last_seen = now() - interval '2 minutes'")
        link.exec_driver_sql("UPDATE asset_seen SET changed_at = now() - interval '2 minutes'")
    assert len(tell()) == 3
    assert problems(database) == []


def test_a_machine_that_always_has_news_leaves_the_queue_to_the_others(
    database, tell, reports, monkeypatch
):
    monkeypatch.setattr(share, "MOST_TOLD", 20)
    for number, name in enumerate(sorted(NAMES)):
        reports(name, server(number))
    tell()
    for number in range(40):
        reports("evil", server(0), f"own{number}")
        tell()
    assert waiting(database) == 20 + len(["the other machine", "that no more is told of it"])
    reports("web02", lessened(1))
    assert tell() == [("changed", "web02")]


def test_what_has_no_share_left_is_told_together_when_the_hour_is_over(
    database, tell, reports, monkeypatch
):
    monkeypatch.setattr(share, "MOST_TOLD", 3)
    for version in range(3):
        reports("evil", server(1, firmware={"version": f"1.{version}"}))
        assert tell()
    [(name, message)] = problems(database)
    assert name == "evil"
    assert message.startswith("3 events within an hour told of it; what is new of it from now on")
    assert tell() == [("problem", "evil")], "who is told is told of that too"
    for version in range(3, 9):
        reports("evil", server(1, firmware={"version": f"1.{version}"}))
    reports("evil", lessened(1))
    assert tell() == []
    an_hour_goes_by(database)
    assert tell() == [("changed", "evil")]
    assert problems(database) == []


def test_a_machine_without_an_asset_has_a_share_too(database, tell, monkeypatch):
    monkeypatch.setattr(share, "MOST_TOLD", 3)
    for number in range(9):
        one = arrival(server(1), "web02", later(seconds=number))
        one.report["errors"] = {f"own{number}": "not a mapping"}
        store.ingest(database, [one])
        tell()
    assert waiting(database) == 3 + len(["that no more is told of it"])


def test_an_asset_that_has_lost_its_name_is_news_of_the_machine_that_had_it(
    database, tell, reports, monkeypatch
):
    monkeypatch.setattr(share, "MOST_TOLD", 1)
    reports("evil", server(1))
    with database.begin() as link:
        link.exec_driver_sql(
            "INSERT INTO asset_was (asset_id, since, until, minion_id)"
            " SELECT id, first_seen, first_seen + interval '1 s', minion_id FROM asset"
        )
        link.exec_driver_sql("UPDATE asset SET minion_id = NULL")
        link.exec_driver_sql("UPDATE asset_seen SET changed_at = now() - interval '2 minutes'")
    assert tell() == [("new", None)]
    assert [name for name, _ in problems(database)] == ["evil"]
