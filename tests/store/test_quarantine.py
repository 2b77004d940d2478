"""Held reports, and what a person decides about them, in the store."""

import uuid

import pytest

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import arrival, later, server


@pytest.fixture
def held(database):
    """A store in which other hardware reports under the name of a live machine."""
    ingest(database, [arrival(server(1), "web01")])
    [outcome] = ingest(database, [arrival(server(2), "web01", later(minutes=5))])
    assert outcome.status == "held"
    return database


def decide(database, choice, **more):
    given = {"by": "ops", "why": "seen in the rack", **more}
    return store.rule(database, "web01", choice, **given)


def actions(database):
    return [(row["action"], row["decided_by"]) for row in store.decisions(database, limit=9)]


def test_a_preview_tells_of_each_choice_and_changes_nothing(held):
    found = store.choices(held, "web01")
    assert [one.name for one in found] == ["accept", "split", "reject"]
    says = " ".join(" ".join(one.says) for one in found)
    for word in ("web01", "dell/9xyz001", "dell/9xyz002", "detached"):
        assert word in says
    assert store.assets(held).total == 1
    assert len(store.held_reports(held)[0]) == 1


def test_split_gives_the_name_to_a_new_asset_and_keeps_the_history_of_the_old_one(held):
    old = store.resolve(held, "9XYZ001")
    outcome = decide(held, "split")
    assert outcome.status == "new"
    assert store.resolve(held, "web01") == outcome.asset_id != old
    assert store.overview(held, old)["freshness"] == "detached"
    assert store.held_reports(held)[0] == []
    assert ("split", "ops") in actions(held)
    [row] = [one for one in store.decisions(held, asset_id=old) if one["action"] == "split"]
    assert "seen in the rack" in row["reason"]
    # The next report needs nobody.
    [again] = ingest(held, [arrival(server(2), "web01", later(minutes=20))])
    assert (again.status, again.asset_id) == ("unchanged", outcome.asset_id)


def test_accept_says_that_the_machine_has_another_board_now(held):
    asset_id = store.resolve(held, "web01")
    outcome = decide(held, "accept")
    assert (outcome.status, outcome.asset_id) == ("changed", asset_id)
    assert store.resolve(held, "9XYZ002") == asset_id
    assert store.resolve(held, "9XYZ001") == asset_id  # what it was is still an answer
    assert store.assets(held).total == 1
    _, facts = store.document(held, asset_id)
    assert facts["system"]["serial_number"] == "9XYZ002"
    [again] = ingest(held, [arrival(server(2), "web01", later(minutes=20))])
    assert again.status == "unchanged"


def test_what_was_rejected_is_counted_and_asked_no_more(held):
    asset_id = store.resolve(held, "web01")
    decide(held, "reject")
    assert store.problems(held) == ([], 0)
    ingest(held, [arrival(server(2), "web01", later(minutes=20))])
    ingest(held, [arrival(server(2), "web01", later(minutes=40))])
    [row] = store.held_reports(held)[0]
    assert row["rejected_at"]
    assert row["count"] == 3
    assert store.problems(held) == ([], 0)
    assert [one for one, _ in actions(held)].count("held") == 1
    # Not even when the old machine has been silent for days.
    [outcome] = ingest(held, [arrival(server(2), "web01", later(days=9))])
    assert outcome.status == "held"
    assert store.resolve(held, "web01") == asset_id
    # Other evidence is a new question.
    ingest(held, [arrival(server(3), "web01", later(minutes=50))])
    [row] = store.held_reports(held)[0]
    assert row["rejected_at"] is None
    assert store.problems(held)[1] == 1


def test_merge_folds_one_asset_into_the_other_and_forgets_nothing(database):
    ingest(database, [arrival(server(1), "old")])
    other = server(2)
    ingest(database, [arrival(other, "web01")])
    both = server(1, baseboards=other["baseboards"], disks=other["disks"])
    [outcome] = ingest(database, [arrival(both, "web01", later(minutes=5))])
    assert outcome.status == "held"
    kept, lost = store.resolve(database, "9XYZ001"), store.resolve(database, "9XYZ002")
    merges = [one for one in store.choices(database, "web01") if one.name == "merge"]
    assert merges
    outcome = decide(database, "merge", subject=merges[0].subject.id)
    assert {outcome.asset_id, merges[0].subject.id} == {kept, lost}
    assert store.assets(database).total == 1
    # Whoever knows the merged one by anything is led to the other.
    for reference in ("web01", "old", str(lost), str(kept)):
        assert store.resolve(database, reference) == outcome.asset_id
    [again] = ingest(database, [arrival(both, "web01", later(minutes=20))])
    assert again.status == "unchanged"


def test_a_choice_that_is_none_names_those_there_are(held):
    with pytest.raises(store.StoreError) as error:
        decide(held, "burn")
    assert "split" in error.value.hint
    with pytest.raises(store.StoreError):
        decide(held, "accept", subject=uuid.uuid4())
    with pytest.raises(store.NotFound) as missing:
        store.rule(held, "nobody", "accept", by="ops", why="")
    assert "cmdb.quarantine" in missing.value.hint
    assert len(store.held_reports(held)[0]) == 1


def test_a_machine_that_goes_on_says_nothing_about_the_one_that_wants_its_name(held):
    ingest(held, [arrival(server(1), "web01", later(minutes=10))])
    changed = server(1, firmware={"version": "2.0"})
    ingest(held, [arrival(changed, "web01", later(minutes=20))])
    assert len(store.held_reports(held)[0]) == 1
    assert store.problems(held)[1] == 1


def test_a_report_that_is_accepted_at_last_is_held_no_more(held):
    [outcome] = ingest(held, [arrival(server(2), "web01", later(days=3))])
    assert outcome.status == "new"
    assert store.held_reports(held)[0] == []
    assert store.problems(held) == ([], 0)
