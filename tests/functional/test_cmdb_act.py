"""The commands by which people act, through Salt's own loader."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import NOW, arrival, dimm, later, report, server

WHY = {"reason": "CHG-4711"}


@pytest.fixture
def fleet(database):
    """Two servers that have just reported."""
    machines = [arrival(server(1), "web01"), arrival(server(2), "web02")]
    assert {one.status for one in ingest(database, machines)} == {"new"}


def collect(database, facts, seconds, name="web01", **fields):
    """A machine reports so many seconds later."""
    [outcome] = ingest(database, [arrival(facts, name, later(seconds=seconds), **fields)])
    return outcome


def without_dimm(number=1):
    facts = server(number)
    facts["memory"] = {
        "installed_bytes": 64 << 30,
        "devices": [dimm("A1", f"4F{number:04d}A1"), {"locator": "A2", "present": False}],
    }
    return facts


def everything(database):
    """All rows of all tables."""
    with database.begin() as link:
        return {
            table.name: sorted(map(str, link.execute(sa.select(table)).all()))
            for table in store.schema.metadata.sorted_tables
        }


ACTS = [
    ("rename", ["web01"], {"new": "db07"}),
    ("lifecycle", ["web01", "maintenance"], {}),
    ("baseline", ["accept", "web01"], {}),
    ("purge", [], {"class": "volatile", "older_than": "0s"}),
]


@pytest.mark.parametrize(("command", "args", "kwargs"), ACTS)
def test_a_test_changes_nothing_and_says_what_would_be(
    cmdb, fleet, database, command, args, kwargs
):
    before = everything(database)
    answer, retcode, text = cmdb(command, *args, **kwargs, test=True)
    assert retcode == 0
    assert answer["test"] is True
    assert "would be" in text
    assert everything(database) == before


@pytest.mark.parametrize(("command", "args", "kwargs"), ACTS)
def test_without_a_reason_nothing_is_done(cmdb, fleet, database, command, args, kwargs):
    before = everything(database)
    _, retcode, text = cmdb(command, *args, **kwargs, test=False)
    assert retcode == 2
    assert "why? give reason='...'" in text
    assert everything(database) == before


@pytest.mark.parametrize(("command", "args", "kwargs"), ACTS)
def test_who_did_it_when_and_why_is_kept(cmdb, fleet, database, command, args, kwargs):
    began = datetime.now(timezone.utc)
    answer, retcode, _ = cmdb(command, *args, **kwargs, test=False, **WHY)
    assert retcode == 0
    assert json.loads(json.dumps(answer)) == answer
    [made] = [one for one in store.decisions(database) if one["action"] == command]
    assert made["reason"].endswith(": CHG-4711")
    assert made["decided_by"]
    assert timedelta() <= made["decided_at"] - began < timedelta(minutes=5)


def test_a_renamed_asset_keeps_its_history_and_is_found_by_both_names(cmdb, fleet, database):
    asset_id = store.resolve(database, "web01")
    answer, _, text = cmdb("rename", "web01", new="db07", **WHY)
    assert (answer["old"], answer["new"]) == ("web01", "db07")
    assert "salt-key --accept=db07, and salt-key --delete=web01" in text
    assert {store.resolve(database, "web01"), store.resolve(database, "db07")} == {asset_id}
    [change] = store.changes(database, store.Wanted(asset_id))
    assert (change["op"], change["old"], change["new"]) == ("renamed", "web01", "db07")
    # The document is as before, and so is its digest.
    revision, facts = store.document(database, asset_id)
    assert facts == store.document(database, asset_id, NOW)[1]
    assert revision["reason"].endswith("CHG-4711")
    names = {one["value"]: one["is_current"] for one in _names(database, asset_id)}
    assert names == {"web01": False, "db07": True}
    was = store.assets(database, columns="minion_id", at=NOW, filters={"sn": "9XYZ001"})
    assert [row["minion_id"] for row in was.rows] == ["web01"]
    assert store.assets(database, text="db07").total == 1


def _names(database, asset_id):
    row = store.overview(database, asset_id)
    return [one for one in row["identifiers"] if one["kind"] == "minion_id"]


def test_a_renamed_machine_goes_on_under_its_new_name_and_back(cmdb, fleet, database):
    asset_id = store.resolve(database, "web01")
    cmdb("rename", "web01", new="db07", **WHY)
    found = collect(database, server(1), 1, "db07", previous="web01")
    assert (found.status, found.asset_id) == ("unchanged", asset_id)
    found = collect(database, without_dimm(), 2, "db07", previous="web01")
    assert (found.status, found.asset_id) == ("changed", asset_id)
    assert cmdb("rename", "db07", new="web01", **WHY)[1] == 0
    names = {one["value"]: one["is_current"] for one in _names(database, asset_id)}
    assert names == {"web01": True, "db07": False}
    assert store.document(database, asset_id, NOW)[1] == server(1)


def test_until_the_minion_has_its_new_name_its_reports_are_held(cmdb, fleet, database):
    cmdb("rename", "web01", new="db07", **WHY)
    assert collect(database, server(1), 1, "web01").status == "held"
    assert store.overview(database, store.resolve(database, "9XYZ001"))["minion_id"] == "db07"


def test_a_minion_that_never_takes_its_new_name_keeps_the_old_one(cmdb, fleet, database):
    asset_id = store.resolve(database, "web01")
    cmdb("rename", "web01", new="db07", **WHY)
    assert collect(database, server(1), 60, "web01").status == "held"
    found = collect(database, server(1), 2 * 86400, "web01")
    assert (found.status, found.asset_id) == ("changed", asset_id)
    assert store.resolve(database, "web01") == asset_id
    assert store.held_reports(database)[0] == []


def test_a_taken_name_is_refused_and_says_by_whom(cmdb, fleet, database):
    _, retcode, text = cmdb("rename", "web01", new="web02", **WHY)
    assert retcode == 2
    assert "web02 is the name of another asset, with the serial number 9XYZ002" in text
    assert collect(database, server(1), 1, "web03").status == "held"
    _, retcode, text = cmdb("rename", "web02", new="web03", test=True)
    assert retcode == 2
    assert "salt-run cmdb.quarantine show web03" in text


def test_a_lifecycle_is_beside_the_freshness_and_the_past_knows_it(cmdb, fleet, database):
    _, _, text = cmdb("lifecycle", "9XYZ001", "maintenance", **WHY)
    assert text == "web01  active → maintenance"
    _, _, text = cmdb("lifecycle", "web01", "retired", **WHY)
    assert text == "web01  maintenance → retired"
    found = store.assets(database, columns="lifecycle,freshness", filters={"minion_id": "web01"})
    assert found.rows[0] | {"id": 0} == {"id": 0, "lifecycle": "retired", "freshness": "fresh"}
    at = NOW - timedelta(seconds=0)
    was = store.assets(database, columns="lifecycle", filters={"minion_id": "web01"}, at=at)
    assert [row["lifecycle"] for row in was.rows] == ["active"]
    # A report says nothing of it.
    assert collect(database, without_dimm(), 60).status == "changed"
    assert store.assets(database, filters={"lifecycle": "retired"}).total == 1


def test_of_many_that_change_a_lifecycle_from_what_it_was_one_does(cmdb, fleet, database):
    asset_id = store.resolve(database, "web01")
    act = store.Act("a reaction", "it lost a module", test=False)

    def ask(_):
        try:
            return store.set_lifecycle(database, asset_id, "maintenance", act, "active")["new"]
        except store.StoreError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(ask, range(24)))
    refused = "web01 is maintenance and not active: it stays so"
    assert answers == {"maintenance": 1, refused: 23}
    _, retcode, text = cmdb("lifecycle", "web01", "maintenance", was="active", **WHY)
    assert (retcode, refused in text) == (2, True)
    _, retcode, _ = cmdb("lifecycle", "web01", "active", was="maintenance", **WHY)
    assert retcode == 0


def test_a_lifecycle_that_is_so_already_is_no_decision(cmdb, fleet, database):
    before = everything(database)
    _, retcode, text = cmdb("lifecycle", "web01", "active", **WHY)
    assert (retcode, text) == (0, "web01 is active already")
    assert everything(database) == before


def test_a_loss_counts_once_a_second_collection_shows_it_still(cmdb, fleet, database):
    cmdb("baseline", "accept", "web01", **WHY)
    cmdb("baseline", "accept", "web02", **WHY)
    answer, retcode, text = cmdb("baseline", "check", exit_code=True)
    assert (retcode, answer["checked"], answer["assets"]) == (0, 2, [])
    assert text == "2 baselines checked, 0 not as accepted"

    collect(database, without_dimm(), 1)
    _, retcode, text = cmdb("baseline", "check", exit_code=True)
    assert retcode == 0
    assert "lost  Memory module A2" in text
    assert "(not confirmed yet)" in text

    assert collect(database, without_dimm(), 2).status == "unchanged"
    answer, retcode, text = cmdb("baseline", "check", "web*", exit_code=True)
    assert (retcode, answer["bad"]) == (1, 1)
    assert "not confirmed" not in text
    assert cmdb("baseline", "check", "web*")[1] == 0
    assert cmdb("baseline", "check", section="memory", exit_code=True)[1] == 1
    assert cmdb("baseline", "check", section="disks", exit_code=True)[1] == 0
    assert cmdb("baseline", "check", "web02", exit_code=True)[1] == 0
    _, retcode, text = cmdb("baseline", "show", "web01")
    assert "4F0001A2 → empty" in text


def test_a_part_that_is_back_in_the_next_collection_was_never_lost(cmdb, fleet, database):
    cmdb("baseline", "accept", "web01", **WHY)
    collect(database, without_dimm(), 1)
    collect(database, server(1), 2)
    answer, retcode, _ = cmdb("baseline", "check", exit_code=True)
    assert (retcode, answer["assets"]) == (0, [])


def test_a_loss_is_confirmed_by_a_report_that_brings_another_change(cmdb, fleet, database):
    cmdb("baseline", "accept", "web01", **WHY)
    collect(database, without_dimm(), 1)
    also = without_dimm()
    also["firmware"] = {"vendor": "Dell Inc.", "version": "2.0.0"}
    collect(database, also, 2)
    answer, retcode, _ = cmdb("baseline", "check", exit_code=True)
    assert retcode == 1
    states = {
        (one["path"], one["state"]): one["is_confirmed"]
        for one in answer["assets"][0]["deviations"]
    }
    assert states["memory.devices", "lost"] is True
    assert states["firmware.version", "different"] is False


def test_a_report_that_does_not_look_confirms_nothing(cmdb, fleet, database):
    cmdb("baseline", "accept", "web01", **WHY)
    collect(database, without_dimm(), 1)
    blind = without_dimm()
    del blind["memory"]
    collect(database, blind, 2)
    collect(database, blind, 3)
    assert cmdb("baseline", "check", exit_code=True)[1] == 0
    collect(database, without_dimm(), 4)
    assert cmdb("baseline", "check", exit_code=True)[1] == 1


def test_what_was_added_never_hides_a_loss_and_is_none(cmdb, fleet, database):
    cmdb("baseline", "accept", "web01", **WHY)
    more = server(1)
    more["memory"]["devices"].append(dimm("B1", "NEW1"))
    collect(database, more, 1)
    collect(database, more, 2)
    answer, retcode, text = cmdb("baseline", "check", exit_code=True)
    assert (retcode, answer["bad"]) == (0, 0)
    assert "added  Memory module B1" in text
    less = without_dimm()
    less["memory"]["installed_bytes"] = 128 << 30
    less["memory"]["devices"].append(dimm("B1", "NEW1"))
    collect(database, less, 3)
    collect(database, less, 4)
    assert cmdb("baseline", "check", exit_code=True)[1] == 1


def test_a_kernel_or_an_address_is_no_hardware(cmdb, fleet, database):
    cmdb("baseline", "accept", "web01", **WHY)
    other = server(1)
    other["operating_system"]["kernel_release"] = "6.12.0"
    other["network"][0] |= {"addresses": ["10.9.9.9/16"], "mtu": 9000}
    other["network"].append({"name": "bond0", "kind": "bond", "slaves": ["eno1"]})
    collect(database, other, 1)
    collect(database, other, 2)
    answer, _, _ = cmdb("baseline", "check")
    assert answer["assets"] == []


def test_a_new_baseline_makes_it_right(cmdb, fleet, database):
    cmdb("baseline", "accept", "web01", **WHY)
    collect(database, without_dimm(), 1)
    collect(database, without_dimm(), 2)
    cmdb("baseline", "accept", "web01", **WHY)
    assert cmdb("baseline", "check", exit_code=True)[1] == 0
    _, _, text = cmdb("baseline", "show", "web01")
    assert "revision 2, accepted" in text
    assert text.endswith("CHG-4711\n  as accepted")


@pytest.fixture
def old(database):
    """Assets of long ago: one detached, one retired, one alive but silent, one problem."""
    long_ago = NOW - timedelta(days=800)
    facts = server(3)
    facts["memory"]["volatile"] = {"free_bytes": 1}
    names = {1: "web01", 2: "web02", 3: "web03"}
    machines = [arrival(server(number), name, long_ago) for number, name in names.items()]
    ingest(database, [*machines[:2], arrival(facts, "web03", long_ago)])
    half = NOW - timedelta(days=700)
    [outcome] = ingest(database, [arrival(server(9), "web01", half)])  # other hardware
    assert outcome.status == "new"
    bad = arrival(server(2), "web02", half)
    bad.report["digest"] = "0" * 64
    ingest(database, [bad])
    ingest(database, [arrival(server(2), "web02", half + timedelta(hours=1))])
    act = store.Act("me", "sold", test=False)
    store.set_lifecycle(database, store.resolve(database, "web02"), "retired", act)


@pytest.mark.parametrize(
    ("what", "rows", "gone"),
    [
        ("volatile", [1], None),
        ("problems", [1], None),
        ("detached", [1, 2, 1], "9XYZ001"),
        ("retired", [1, 1, 0], "9XYZ002"),
    ],
)
def test_what_is_old_is_counted_then_removed(cmdb, old, database, what, rows, gone):
    before = store.assets(database, columns="sn").rows
    options = {"class": what, "older_than": "365d"}
    answer, _, _ = cmdb("purge", **options)
    assert [row[1] for row in answer["rows"]] == rows
    assert store.assets(database, columns="sn").rows == before
    answer, _, text = cmdb("purge", **options, test=False, **WHY)
    assert [row[1] for row in answer["rows"]] == rows
    assert "removed" in text
    answer, _, _ = cmdb("purge", **options)
    assert sum(row[1] for row in answer["rows"]) == 0
    left = {row["sn"] for row in store.assets(database, columns="sn").rows}
    assert left == {row["sn"] for row in before} - {gone}


def test_the_history_of_an_asset_that_is_heard_of_stays(cmdb, old, database):
    """A retired machine that has come back is not removed, however old it is."""
    assert collect(database, server(2), 1, "web02").status == "unchanged"
    answer, _, _ = cmdb("purge", **{"class": "retired"}, older_than="365d", test=False, **WHY)
    assert [row[1] for row in answer["rows"]] == [0, 0, 0]


@pytest.mark.parametrize(
    ("command", "args", "kwargs", "retcode", "says"),
    [
        ("rename", [], {"new": "x", **WHY}, 2, "which asset?"),
        ("rename", ["nobody"], {"new": "x", **WHY}, 3, "there is no asset 'nobody'"),
        ("rename", ["web01"], {**WHY}, 2, "cannot be a minion id"),
        ("rename", ["web01"], {"new": 12345, **WHY}, 2, """write new='"..."'"""),
        ("rename", ["web01"], {"new": "a/../b", **WHY}, 2, "cannot be a minion id"),
        ("rename", ["web01"], {"new": "web01", **WHY}, 2, "is its name already"),
        ("rename", ["web01"], {"nwe": "x", **WHY}, 2, "did you mean 'new'"),
        ("lifecycle", ["web01", "retierd"], {**WHY}, 2, "did you mean 'retired'"),
        ("lifecycle", ["web01"], {**WHY}, 2, "there are: planned, staged, active"),
        ("lifecycle", ["web01", 5], {**WHY}, 2, "state arrived as 5"),
        ("lifecycle", [12345, "active"], {**WHY}, 2, "drops leading zeros"),
        ("baseline", [], {}, 2, "there are: accept, show, check"),
        ("baseline", ["acept", "web01"], {}, 2, "did you mean 'accept'"),
        ("baseline", ["show", "web01"], {}, 3, "no baseline of this asset was accepted"),
        ("baseline", ["check"], {"sight": "dc1"}, 2, "did you mean 'site'"),
        ("baseline", ["check"], {"section": "memori"}, 2, "did you mean 'memory'"),
        ("purge", [], {}, 2, "give class=, one of: volatile, problems, detached, retired"),
        ("purge", [], {"class": "old", "older_than": "1d"}, 2, "no class 'old'"),
        ("purge", [], {"class": "retired"}, 2, "older than what?"),
        ("purge", [], {"class": "retired", "older_than": "soon"}, 2, "'soon' is not a time"),
    ],
)
def test_wrong_input_gets_a_sentence(cmdb, fleet, command, args, kwargs, retcode, says):
    _, status, text = cmdb(command, *args, **kwargs)
    assert says in text
    assert status == retcode
    assert "Traceback" not in text


@pytest.mark.parametrize(("command", "args", "kwargs"), ACTS)
def test_a_database_that_is_away_is_named(master_opts, cmdb, command, args, kwargs):
    master_opts["cmdb"]["database_url"] = "postgresql+psycopg2://u:secret@127.0.0.1:1/cmdb"
    _, status, text = cmdb(command, *args, **kwargs, test=False, **WHY)
    assert status == 2
    assert "cannot reach the database at" in text
    assert "secret" not in text


@pytest.fixture
def send(database):
    """A function that puts a report into the inbox as a database role and has it stored."""

    def run(role, facts, name, seconds=0, previous=None):
        sent = report(facts, name, later(seconds=seconds), previous, mode="return")
        with database.begin() as link:
            link.execute(
                sa.insert(store.schema.inbox),
                {
                    "minion_id": name,
                    "report": json.dumps(sent),
                    "received_at": later(seconds=seconds),
                    "sent_by": role,
                },
            )
        [outcome] = store.take_inbox(database, minions={"minion01"})
        return outcome

    return run


def test_a_machine_without_a_master_takes_its_role_along_when_it_is_renamed(cmdb, database, send):
    assert send("laptops", server(1), "lap01").status == "new"
    asset_id = store.resolve(database, "lap01")
    answer, _, text = cmdb("rename", "lap01", new="lap07", **WHY)
    assert answer["role"] == "laptops"
    assert "the database role laptops reports it under this name too" in text
    assert "salt-key" not in text
    # Nobody else may be the first to use the new name, or the old one meanwhile.
    for name in ("lap07", "lap01"):
        forged = send("others", server(1), name, 1)
        assert forged.status == "refused"
        assert f"{name} is reported by the database role laptops" in forged.detail
    assert send("laptops", server(1), "lap01", 2).status == "held"
    found = send("laptops", server(1), "lap07", 3, previous="lap01")
    assert (found.status, found.asset_id) == ("unchanged", asset_id)


def test_a_name_that_another_role_reports_is_refused(cmdb, database, send):
    send("laptops", server(1), "lap01")
    send("kiosks", server(2), "kio01")
    cmdb("rename", "kio01", new="kio02", **WHY)
    before = everything(database)
    for options in (WHY, {"test": True}):
        _, retcode, text = cmdb("rename", "lap01", new="kio01", **options)
        assert retcode == 2
        assert "kio01 is reported by the database role kiosks, and lap01 by laptops" in text
    assert everything(database) == before


def test_a_trial_binds_no_name(cmdb, database, send):
    send("laptops", server(1), "lap01")
    before = everything(database)
    assert cmdb("rename", "lap01", new="lap07", test=True)[0]["role"] == "laptops"
    assert everything(database) == before


def test_nobody_in_the_inbox_was_a_machine_of_others_before(cmdb, database, send):
    """Who says what it was called takes over that asset; so it must have been its own."""
    send("laptops", server(1), "lap01")
    ingest(database, [arrival(server(2), "web02")])
    for number, name in ((1, "lap01"), (2, "web02"), (3, "minion01")):
        forged = send("others", server(number), f"new{number:02d}", 1, previous=name)
        assert forged.status == "refused"
        assert f"{name} " in forged.detail
    assert store.overview(database, store.resolve(database, "9XYZ001"))["minion_id"] == "lap01"
    # Its own role may say so; but nothing proves it until the old name is silent.
    assert send("laptops", server(1), "lap02", 2, previous="lap01").status == "held"
    own = send("laptops", server(1), "lap02", 2 * 86400, previous="lap01")
    assert (own.status, own.asset_id) == ("changed", store.resolve(database, "lap02"))
