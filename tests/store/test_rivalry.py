"""Machines that claim what others show: nothing is taken, nothing is lost, everybody is told."""

import itertools

import pytest

from salt_ext import store
from tests.machines import arrival, later, revisions, server
from tests.postgres import open_store

CLOUD = ("cloud_instance_id", "serial_number", "board_serial_number", "uuid", "mac")


def at(minutes):
    """A time some days ago: the grace may be over by now."""
    return later(days=-5, minutes=minutes)


def send(database, facts, name, minutes, previous=None, **fields):
    [outcome] = store.ingest(database, [arrival(facts, name, at(minutes), previous, **fields)])
    return outcome


def stranger(number, **victim):
    """Hardware of its own that shows some values of another machine's system."""
    facts = server(number)
    facts["system"] = {**facts["system"], **victim}
    return facts


def bare(number, *sections):
    """What a machine shows that shows hardly anything."""
    facts = server(number)
    kept = {name: facts[name] for name in sections}
    kept["operating_system"] = {
        name: value for name, value in facts["operating_system"].items() if name != "machine_id"
    }
    return kept


def names(database):
    return {row["minion_id"] for row in store.assets(database, columns="minion_id").rows}


def problems(database, **options):
    return {
        (row["minion_id"], row["kind"], row["subject"])
        for row in store.problems(database, **options)[0]
    }


def shared(database, name):
    row = store.overview(database, store.resolve(database, name))
    return {one["kind"] for one in row["identifiers"] if one["shared"]}


def test_one_serial_number_and_a_name_take_nothing_from_a_live_machine(database):
    victim = send(database, server(1), "victim", 0)
    thief = bare(2)
    thief["system"] = {
        "manufacturer": "Dell Inc.",
        "serial_number": server(1)["system"]["serial_number"],
    }
    # Its clock runs nine minutes ahead.
    claim = arrival(thief, "thief", at(10), "victim")
    claim = claim._replace(received_at=at(1))
    assert [one.status for one in store.ingest(database, [claim])] == ["held"]
    again = send(database, server(1, firmware={"version": "2"}), "victim", 5)
    assert (again.status, again.asset_id) == ("changed", victim.asset_id)
    assert names(database) == {"victim"}
    [held], _ = store.held_reports(database)
    assert held["minion_id"] == "thief"
    assert ("thief", "identity", "held") in problems(database)


def test_all_that_a_live_machine_shows_takes_nothing_either(database):
    victim = send(database, server(1), "victim", 0)
    for minutes in (1, 20, 40):
        stolen = {"secret": "another secret", "collected_at": "2026-01-01T00:00:00.000Z"}
        claim = send(database, server(1), "thief", minutes, "victim", proof=stolen)
        assert claim.status == "held"
        assert send(database, server(1), "victim", minutes + 1).asset_id == victim.asset_id
    assert names(database) == {"victim"}


def test_a_rename_with_the_proof_is_believed_at_once_and_a_copy_of_it_is_not(database):
    first = send(database, server(1), "old", 0)
    send(database, server(1), "old", 5)
    copy = send(database, server(1), "copy", 6, "old", last=at(0))
    assert copy.status == "held"
    renamed = send(database, server(1), "new", 7, "old", last=at(5))
    assert (renamed.status, renamed.asset_id) == ("changed", first.asset_id)
    assert names(database) == {"new"}


def test_the_key_of_a_minion_that_was_removed_gives_its_name_away(database):
    listener = store.Listener(1, lambda names: set(names) - {"old"})
    first = arrival(server(1), "old", at(0))
    second = arrival(server(1), "new", at(5))
    [was] = store.ingest(database, [first], store.Listener(1, set))
    [other] = store.ingest(database, [second], store.Listener(2, lambda names: set()))
    assert other.status == "held"  # another master never had the key
    second = arrival(server(1), "new", at(6))
    [now] = store.ingest(database, [second], listener)
    assert (now.status, now.asset_id) == ("changed", was.asset_id)


def test_a_stranger_voids_no_serial_number(database):
    victims = [send(database, server(one), f"web{one:02d}", 0) for one in range(1, 21)]
    for one in range(1, 21):
        number = server(one)["system"]["serial_number"]
        send(database, stranger(99, serial_number=number), "thief", one)
    # Whoever is concerned is named, and knows its own machine all the same.
    for one, victim in enumerate(victims, 1):
        found = send(database, server(one, firmware={"version": "2"}), f"web{one:02d}", 30)
        assert (found.status, found.asset_id) == ("changed", victim.asset_id)
    told = {name for name, kind, subject in problems(database) if subject == "shared"}
    assert told == {"thief", *(f"web{one:02d}" for one in range(1, 21))}
    assert "thief" in names(database)
    # When the stranger is gone, everything is as before.
    act = store.Act("ops", "a forgery", test=False)
    store.set_lifecycle(database, store.resolve(database, "thief"), "retired", act)
    store.purge(database, "retired", later(days=1), act)
    assert not any(shared(database, f"web{one:02d}") for one in range(1, 21))
    store.maintain(database)
    assert not {one for one in problems(database) if one[2] == "shared"}
    moved = send(database, server(1), "renamed", 60 * 24 * 3)
    assert moved.asset_id == victims[0].asset_id


def test_each_of_two_machines_with_one_serial_number_is_told_until_one_is_disowned(database):
    number = server(1)["system"]["serial_number"]
    send(database, server(1), "web01", 0)
    send(database, stranger(2, serial_number=number), "web02", 1)
    assert {("web01", "identity", "shared"), ("web02", "identity", "shared")} <= problems(database)
    assert shared(database, "web01") == shared(database, "web02") == {"serial_number"}
    # It could be taken from neither: not even after silence is a machine known by it alone.
    act = store.Act("ops", "copied", test=False)
    web02 = store.resolve(database, "web02")
    found = store.disown(database, web02, "serial_number", act, own=False)
    assert found["values"] == ["dell/9xyz001"]
    store.maintain(database)
    assert not problems(database)
    changed = stranger(2, serial_number=number)
    changed["firmware"] = {"version": "2"}
    again = send(database, changed, "web02", 2)
    assert (again.status, again.asset_id) == ("changed", web02)
    assert not problems(database)
    assert shared(database, "web01") == set()
    store.disown(database, web02, "serial_number", act, own=True)
    assert shared(database, "web01") == {"serial_number"}


def test_a_key_is_its_machine_s_again_when_only_one_shows_it_for_the_grace(database):
    number = server(1)["system"]["serial_number"]
    send(database, server(1), "web01", 0)
    send(database, stranger(2, serial_number=number), "web02", 1)
    own = server(2)
    send(database, own, "web02", 2)
    store.maintain(open_store(database.url, rename_grace="9d"))
    assert ("web01", "identity", "shared") in problems(database)  # it may show it again
    store.maintain(database)
    assert not problems(database)


@pytest.mark.parametrize("place", [0, 1])
def test_a_travelling_card_does_not_decide_where_other_cards_are_as_before(database, place):
    def cards(*macs):
        facts = bare(1)
        facts["network"] = [
            {"name": f"eth{number}", "mac": mac, "permanent_mac": mac}
            for number, mac in enumerate(macs)
        ]
        return facts

    mine, theirs = "52:54:00:aa:00:01", "52:54:00:bb:00:01"
    first = send(database, cards(mine), "box", 0)
    send(database, cards(theirs, "52:54:00:bb:00:02"), "other", 0)
    both = [mine, theirs] if place else [theirs, mine]
    again = send(database, cards(*both), "box", 5)
    assert (again.status, again.asset_id) == ("changed", first.asset_id)


def test_two_machines_that_alternate_under_one_name_are_told(database):
    def of(mac):
        card = {**server(1)["network"][0], "mac": mac, "permanent_mac": mac}
        return server(1, network=[card])

    for minutes, mac in enumerate(["52:54:00:aa:00:01", "52:54:00:aa:00:02"]):
        send(database, of(mac), "web01", minutes)
    assert not problems(database)  # a card was replaced
    send(database, of("52:54:00:aa:00:01"), "web01", 3)
    assert problems(database) == {("web01", "identity", "alternating")}
    [row], _ = store.problems(database)
    assert "52:54:00:aa:00:01 again in place of mac 52:54:00:aa:00:02" in row["message"]
    store.maintain(database)
    assert not problems(database)


def test_what_a_person_has_accepted_stays_accepted_when_it_flaps(database):
    one, other, third = (server(1, baseboards=[]) for _ in range(3))
    for number, facts in ((7, other), (8, third)):
        facts["system"] = server(number)["system"]
    first = send(database, one, "web01", 0)
    for minutes, facts in ((1, other), (2, one)):
        assert send(database, facts, "web01", minutes).status == "held"
        outcome = store.rule(database, "web01", "accept", by="ops", why="firmware flaps")
        assert outcome.asset_id == first.asset_id
    for minutes, facts in zip(range(3, 9), itertools.cycle((other, one)), strict=False):
        again = send(database, facts, "web01", minutes)
        assert (again.status, again.asset_id) == ("changed", first.asset_id)
    assert send(database, third, "web01", 20).status == "held"


def test_what_a_person_has_accepted_takes_nothing_from_a_machine_that_is_live_since(database):
    send(database, server(1), "web01", 0)
    assert send(database, server(1), "db01", 1).status == "held"
    store.rule(database, "db01", "accept", by="ops", why="renamed")
    # It is renamed back, with the proof; and then somebody shows the same as db01 again.
    back = send(database, server(1), "web01", 5, "db01", last=at(1))
    assert names(database) == {"web01"}
    assert send(database, server(1), "db01", 6).status == "held"
    assert send(database, server(1), "web01", 7).asset_id == back.asset_id


def test_a_machine_that_loses_its_name_and_has_another_in_one_batch_is_stored(database, caplog):
    """Other hardware takes the name of a machine that was silent, which has a new one now."""
    first = send(database, server(1), "web01", 0)
    batch = [
        arrival(server(2), "web01", later(hours=-2)),
        arrival(server(1), "web02", later(hours=-2)),
    ]
    outcomes = {one.minion_id: one for one in store.ingest(database, batch)}
    assert not [one for one in caplog.records if "tried alone" in one.message]
    assert outcomes["web02"].asset_id == first.asset_id != outcomes["web01"].asset_id
    assert {one.status for one in outcomes.values()} <= {"new", "changed"}
    assert names(database) == {"web01", "web02"}
    numbers = [one["number"] for one in revisions(database, first.asset_id)]
    assert numbers == sorted(numbers, reverse=True)
    assert store.document(database, first.asset_id, later())[1] == server(1)


def test_a_decision_is_not_made_about_a_report_that_came_after_the_preview(database):
    for number, name in ((1, "victim"), (2, "thief"), (7, "old")):
        send(database, server(number), name, 0)
    send(database, server(7), "thief", 1)
    [row], _ = store.held_reports(database)
    seen = store.mark(row["evidence"])
    send(database, server(1), "thief", 2)
    about = {"by": "ops", "why": "the one that I saw", "report": seen}
    with pytest.raises(store.StoreError, match="is not the one that you looked at"):
        store.rule(database, "thief", "merge", **about)
    assert names(database) == {"victim", "thief", "old"}


@pytest.mark.parametrize("changed", ["machine-id", "card", "board", "nothing"])
def test_a_stranger_with_all_keys_breaks_no_rename_that_is_proved(database, changed):
    thief = server(21)
    for section in ("system", "baseboards"):
        thief[section] = server(1)[section]
    thief["network"] = server(1)["network"] + thief["network"]
    first = send(database, server(1), "web", 0)
    for minutes, name, facts in ((1, "thief", thief), (2, "web", server(1)), (3, "thief", thief)):
        send(database, facts, name, minutes)
    mine = server(1)
    if changed == "machine-id":
        mine["operating_system"]["machine_id"] = "a" * 32
    elif changed == "card":
        mine["network"] = server(9)["network"]
    elif changed == "board":
        mine["baseboards"] = server(9)["baseboards"]
    renamed = send(database, mine, "web-new", 4, "web", last=at(2))
    assert (renamed.status, renamed.asset_id) == ("changed", first.asset_id)
    assert "web" not in names(database)


def test_what_was_rejected_stays_so_when_another_claim_came_between(database):
    send(database, server(1), "victim", 0)
    send(database, server(2), "thief", 1)
    send(database, server(30), "thief", 2)
    store.rule(database, "thief", "reject", by="ops", why="a forgery")
    send(database, server(1), "thief", 3)
    assert send(database, server(30), "thief", 4).detail == "a person has rejected it"


def test_reports_of_one_machine_are_stored_one_after_the_other(database, caplog):
    """Their former names move some of them to later rounds, and never two into one."""
    send(database, server(1), "victim", 0)
    batch = [
        arrival(server(2), "victim", at(5)),
        arrival(server(3), "thief", at(1), "victim"),
        arrival(server(4), "thief", at(2)),
        arrival(server(5), "thief", at(3)),
    ]
    assert len(store.ingest(database, batch)) == 4
    assert not [one for one in caplog.records if "tried alone" in one.message]
