"""What people say they own: whose words take the place of whose."""

import pytest

from salt_ext import store
from salt_ext.lists import expected, rows


def row(sn=None, name=None, number=2):
    return {"sn": sn, "minion_id": name, "fields": {"sn": sn, "minion_id": name}, "row": number}


@pytest.fixture
def known(database):
    """What somebody's list has said of four machines: by number, by name, and by both."""
    rows = [row("S1"), row(None, "web02"), row("S3", "web03"), row(None, "web04")]
    store.import_expected(database, rows, source="theirs.csv", by="them")
    return database


def theirs(database):
    return [
        (one["sn"], one["minion_id"])
        for one in store.expected_machines(database)
        if one["source"] == "theirs.csv"
    ]


def test_another_list_takes_nothing_away_that_this_one_says(known):
    before = theirs(known)
    done = store.import_expected(known, [row("S1"), row("NEW")], source="ours.csv", by="us")
    assert done.counts == {"kept": 2, "known": 0, "changed": 0, "dropped": 0}
    assert theirs(known) == before


def test_a_list_that_comes_again_takes_all_that_it_said_before_along(known):
    done = store.import_expected(known, [row("S1"), row("S9")], source="theirs.csv", by="them")
    assert (done.counts["kept"], done.counts["dropped"]) == (2, 3)
    assert theirs(known) == [("S1", None), ("S9", None)]
    done = store.import_expected(known, [], source="theirs.csv", by="them")
    assert (done.counts["dropped"], store.expected_machines(known)) == (2, [])


def test_nobody_is_expected_by_a_text_that_no_list_can_have(known):
    with pytest.raises(store.NotFound, match="nobody expects"):
        store.remove_expected(known, "S1\0")
    assert [one["sn"] for one in store.remove_expected(known, "S1")] == ["S1"]
    assert [one["minion_id"] for one in store.remove_expected(known, "web02")] == ["web02"]


def test_a_machine_that_a_list_names_twice_is_kept_once(database, tmp_path):
    lines = ["Serial,Name", "S1,web01", "S1,web02", ",web03", ",web03", ",web04", "S2,web04"]
    path = tmp_path / "list.csv"
    path.write_text("\n".join(lines))
    done = expected.keep(database, rows.read(str(path), "", {}), source="list", by="me")
    assert (done["counts"]["kept"], done["counts"]["left out"]) == (4, 2)
    kept = store.expected_machines(database)
    assert [(one["row"], one["sn"], one["minion_id"]) for one in kept] == [
        (2, "S1", "web01"),
        (4, None, "web03"),
        (6, None, "web04"),
        (7, "S2", "web04"),
    ]
