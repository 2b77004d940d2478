"""Machines that are planned by their UUID or a MAC, and turn out to be the ones that report."""

import pytest

from salt_ext import store
from salt_ext.lists import expected, rows
from salt_ext.lists.reconcile import machines
from tests.machines import arrival, later, server

UUID = "4c4c4544-0058-5910-805a-b9c04f000001"  # of server(1)
SWAPPED = "44454C4C-5800-1059-805A-B9C04F000001"
OTHER_UUID = "4c4c4544-0058-5910-805a-b9c04f000099"
MAC = "52:54:00:00:00:01"
ACT = store.Act("alice", "new racks", test=False)


def plan(database, reference, **fields):
    store.set_expected(database, reference, {"hostname": "db01", **fields}, by="alice")
    return store.resolve(database, "db01")


def unnumbered(number):
    """A machine whose firmware has no serial number."""
    facts = server(number)
    del facts["system"]["serial_number"]
    return facts


def installed_asset(database):
    with database.begin() as link:
        return link.exec_driver_sql("SELECT asset_id FROM installation").scalar()


@pytest.fixture
def keep(database, tmp_path):
    """Import these lines as a list of this name."""

    def imported(*lines, source="plan.csv"):
        path = tmp_path / "plan.csv"
        path.write_text("\n".join(lines))
        return expected.keep(database, rows.read(str(path), "", {}), source=source, by="me")

    return imported


@pytest.mark.parametrize(
    ("reference", "fields"),
    [
        (UUID, {}),
        (SWAPPED, {}),
        (MAC, {}),
        ("N/A", {"mac": "52-54-00-00-00-77 52-54-00-00-00-01"}),
        ("1234567", {"uuid": SWAPPED}),
    ],
)
def test_the_first_report_of_a_machine_with_that_key_makes_its_plan_a_machine(
    database, reference, fields
):
    planned = plan(database, reference, **fields)
    assert store.overview(database, planned)["freshness"] == "unreported"
    [outcome] = store.ingest(database, [arrival(server(1), "tmp-01")])
    assert (outcome.status, outcome.asset_id) == ("new", planned)
    [row] = store.expected_machines(database)
    assert row["asset_id"] == planned
    assert store.awaited(database) == []


def test_a_stand_in_is_found_by_its_keys_and_stands_where_people_say(database):
    planned = plan(database, UUID, mac=MAC)
    for reference in (UUID, SWAPPED, MAC, MAC.replace(":", "-"), "db01"):
        assert store.resolve(database, reference) == planned
    done = store.set_lifecycle(database, planned, "planned", ACT)
    assert (done["old"], done["new"]) == ("active", "planned")
    store.set_expected(database, UUID, {"rack": "R01"}, by="bob")
    assert len(store.expected_machines(database)) == 1
    assert store.overview(database, planned)["lifecycle"] == "planned"
    store.ingest(database, [arrival(server(1), "tmp-01")])
    assert store.overview(database, planned)["lifecycle"] == "planned"


def test_the_name_goes_before_the_key_and_the_number_before_both(database):
    store.ingest(database, [arrival(server(2), "db01"), arrival(server(3), "db03")])
    store.set_expected(database, "9XYZ003", {"hostname": "db01", "uuid": UUID}, by="alice")
    store.ingest(database, [arrival(server(1), "web01", later(minutes=1))])
    [row] = store.expected_machines(database)
    assert row["asset_id"] == store.resolve(database, "db03")


def test_a_key_that_two_machines_show_means_neither(database, keep):
    both = server(2)
    both["system"]["uuid"] = UUID
    store.ingest(database, [arrival(server(1), "web01"), arrival(both, "web02")])
    keep("Name,UUID", f"db01,{UUID}")
    [row] = store.expected_machines(database)
    assert row["asset_id"] is None
    shown = expected.expected(database, only_missing=False, limit=9)
    reason = shown["rows"][0][shown["columns"].index("reason")]
    assert reason == "several machines, or another row, have this UUID or MAC"


@pytest.mark.parametrize(
    ("lines", "word", "kept"),
    [
        (["Name,MAC", f"db01,{MAC}", f"db02,52:54:00:00:00:09 {MAC.replace(':', '-')}"], "MAC", 2),
        (["SN,UUID", f"S1,{UUID}", f"S2,{SWAPPED}"], "UUID", 2),
        # Without another key it is the same machine once more.
        (["Name,MAC", f",{MAC}", f",{MAC}"], "MAC", 1),
    ],
)
def test_two_rows_of_a_list_with_one_key_are_told_at_its_import(keep, lines, word, kept):
    done = keep(*lines)
    [[_, number, *_, reason]] = done["rows"]
    assert (number, done["total"], done["counts"]["kept"]) == (3, 1, kept)
    assert reason.startswith(f"the same {word} as in row 2")
    assert done["counts"].get("with a key of another row", 0) == kept - 1


def test_what_is_said_of_a_machine_stays_with_it_when_another_takes_the_name(database, keep):
    keep("Name,MAC", f"db01,{MAC}")
    store.ingest(database, [arrival(server(1), "web01")])
    store.ingest(database, [arrival(server(2), "db01", later(minutes=1))])
    [row] = store.expected_machines(database)
    assert row["asset_id"] == store.resolve(database, "web01")


def test_a_list_may_have_all_of_it_in_chinese(database, keep):
    done = keep(
        "主机名,系统UUID,网卡MAC地址,装机模板,分区方案,生命周期",
        f"db01,{UUID},{MAC},debian12,raid1,planned",
        f",{UUID.replace('1', '2')},,debian12,,staged",
    )
    assert done["counts"]["kept"] == 2
    columns = "hostname,lifecycle,list.profile,list.disk_layout"
    page = store.assets(database, columns=columns)
    assert {tuple(row[name] for name in columns.split(",")) for row in page.rows} == {
        ("db01", "planned", "debian12", "raid1"),
        (None, "staged", "debian12", None),
    }


def test_a_list_plans_only_what_nobody_has_said_another_stage_of(database, keep):
    lines = ("Name,Lifecycle", "db01,planned", "db02,maintenance")
    keep(*lines)
    planned = store.resolve(database, "db01")
    assert store.overview(database, store.resolve(database, "db02"))["lifecycle"] == "active"
    store.set_lifecycle(database, planned, "retired", ACT)
    keep(*lines)
    assert store.overview(database, planned)["lifecycle"] == "retired"


def test_rows_of_two_lists_with_one_key_have_one_stand_in(database, keep):
    keep("SN,UUID", f"NEW1,{UUID}", source="purchases")
    keep("Name,UUID,MAC", f"db01,{SWAPPED},{MAC}", f"db02,,{MAC[:-1]}2", source="plan")
    store.set_expected(database, MAC, {"list.profile": "debian12"}, by="alice")
    page = store.assets(database, columns="sn,hostname,list.profile")
    assert {row["hostname"]: (row["sn"], row["list.profile"]) for row in page.rows} == {
        "db01": ("NEW1", "debian12"),
        "db02": (None, None),
    }
    assert len(store.awaited(database)) == 2


def test_a_word_that_could_be_several_plans_changes_none(database):
    plan(database, "NEW1", uuid=UUID)
    store.set_expected(database, "NEW2", {"uuid": UUID}, by="alice")
    with pytest.raises(store.NotFound, match="several machines: NEW1, NEW2"):
        store.set_expected(database, UUID, {"rack": "R1"}, by="alice")
    assert len(store.expected_machines(database)) == 2
    with pytest.raises(ValueError, match="firmware kit"):
        store.set_expected(database, "03000200-0400-0500-0006-000700080009", {}, by="alice")


@pytest.mark.parametrize("reference", ["NEW1", OTHER_UUID])
@pytest.mark.parametrize("is_known", [False, True], ids=["new", "moved card"])
def test_a_mac_makes_no_machine_with_another_number_or_uuid_the_planned_one(
    database, reference, is_known
):
    planned = plan(database, reference, mac=MAC, **{"list.profile": "debian12"})
    store.set_lifecycle(database, planned, "planned", ACT)
    store.open_installations(database, [planned], ACT)
    if is_known:
        card = {"mac": "52:54:00:00:00:99", "permanent_mac": "52:54:00:00:00:99"}
        facts = server(1)
        facts["network"][0] |= card
        store.ingest(database, [arrival(facts, "web01")])
    [outcome] = store.ingest(database, [arrival(server(1), "web01", later(minutes=1))])
    store.maintain(database)
    assert outcome.asset_id != planned
    [row] = store.expected_machines(database)
    assert (row["asset_id"], row["stands_as"]) == (None, planned)
    assert installed_asset(database) == planned
    shown = expected.expected(database, only_missing=False, limit=9)
    reason = shown["rows"][0][shown["columns"].index("reason")]
    assert reason == "in the file only; web01 has its UUID or MAC, but another SN or UUID"


def test_a_row_without_the_number_gives_nobody_the_plan_of_another_row(database, keep):
    keep("SN,Name,UUID", f"NEW1,db01,{OTHER_UUID}", source="purchases")
    keep("Name,MAC,profile", f"db01,{MAC},debian12", source="plan")
    planned = store.resolve(database, "NEW1")
    assert store.resolve(database, MAC) == planned
    store.set_lifecycle(database, planned, "planned", ACT)
    store.open_installations(database, [planned], ACT, profile="debian12")
    [outcome] = store.ingest(database, [arrival(server(1), "web01")])
    assert outcome.asset_id != planned
    store.maintain(database)
    assert installed_asset(database) == planned


def test_the_machine_with_the_number_goes_before_one_that_was_found_by_its_mac(database):
    planned = plan(database, "9XYZ002", mac=MAC, **{"list.profile": "debian12"})
    store.set_lifecycle(database, planned, "planned", ACT)
    store.open_installations(database, [planned], ACT)
    store.ingest(database, [arrival(unnumbered(1), "web01")])
    assert store.resolve(database, "web01") == planned
    store.ingest(database, [arrival(server(2), "web02", later(minutes=1))])
    store.ingest(database, [arrival(unnumbered(1), "web01", later(minutes=2))])
    store.maintain(database)
    [row] = store.expected_machines(database)
    assert row["asset_id"] == installed_asset(database) == store.resolve(database, "web02")


def test_the_installation_of_a_plan_goes_to_the_machine_that_it_turns_out_to_be(database):
    planned = plan(database, "9XYZ001", mac="52:54:00:00:00:99", **{"list.profile": "debian12"})
    store.set_lifecycle(database, planned, "planned", ACT)
    store.ingest(database, [arrival(unnumbered(1), "web01")])
    [opened] = store.open_installations(database, [planned], ACT).opened
    card = unnumbered(1)
    card["network"][0] |= {"mac": "52:54:00:00:00:99", "permanent_mac": "52:54:00:00:00:99"}
    store.ingest(database, [arrival(card, "web01", later(minutes=5))])
    store.maintain(database)
    assert installed_asset(database) == store.resolve(database, "web01") != opened["asset_id"]


def test_machines_of_a_comparison_are_found_by_their_keys(database, keep):
    store.ingest(database, [arrival(server(1), "web01")])
    keep("Name,MAC,Rack", f"db01,{MAC},R7")
    shown = expected.expected(database, only_missing=False, limit=9)
    [row] = [dict(zip(shown["columns"], one, strict=True)) for one in shown["rows"]]
    assert (row["seen_as"], row["status"]) == ("web01", "different")
    assert "uuids" not in machines(database, {})[0]


def numbered(number, sn, name, uuid):
    facts = server(number, operating_system={"hostname": name})
    facts["system"] |= {"serial_number": sn, "uuid": uuid}
    return facts


@pytest.mark.parametrize("order", [("A", "B"), ("B", "A")], ids="".join)
@pytest.mark.parametrize(
    ("sn", "name"), [("S1A", "x1"), ("", "s1a")], ids=["by its number", "by its name"]
)
def test_of_two_plans_with_one_uuid_a_machine_gets_its_own(database, order, sn, name):
    for one in order:
        fields = {"hostname": f"s1{one.lower()}", "uuid": OTHER_UUID}
        store.set_expected(database, f"S1{one}", fields, by="alice")
    planned, other = store.resolve(database, "S1A"), store.resolve(database, "S1B")
    store.set_lifecycle(database, planned, "planned", ACT)
    store.set_lifecycle(database, other, "staged", ACT)
    [outcome] = store.ingest(database, [arrival(numbered(7, sn, name, OTHER_UUID), name)])
    assert outcome.asset_id == planned
    assert store.overview(database, planned)["lifecycle"] == "planned"
    assert store.resolve(database, "S1B") == other
    assert [row["sn"] for row in store.awaited(database)] == ["S1B"]


def test_a_machine_that_two_plans_could_mean_by_one_uuid_becomes_neither(database):
    for name in ("db01", "db02"):
        store.set_expected(database, name, {"hostname": name, "uuid": UUID}, by="alice")
    [outcome] = store.ingest(database, [arrival(unnumbered(1), "tmp")])
    assert outcome.asset_id not in {store.resolve(database, name) for name in ("db01", "db02")}
    assert len(store.awaited(database)) == 2


def test_a_machine_is_planned_under_the_name_of_the_one_whose_place_it_takes(database):
    store.ingest(database, [arrival(server(1), "web01")])
    before = store.resolve(database, "web01")
    store.set_lifecycle(database, before, "retired", ACT)
    store.set_expected(database, "REPL1", {"hostname": "web01", "uuid": OTHER_UUID}, by="alice")
    planned = store.resolve(database, "REPL1")
    assert planned != before == store.resolve(database, "web01")
    assert store.set_lifecycle(database, planned, "planned", ACT)["new"] == "planned"
    shown = expected.expected(database, only_missing=False, limit=9)
    [row] = [dict(zip(shown["columns"], one, strict=True)) for one in shown["rows"]]
    assert (row["seen_as"], row["status"]) == (None, "never seen")
    new = numbered(7, "REPL1", "web01", OTHER_UUID)
    [outcome] = store.ingest(database, [arrival(new, "web01-new", later(minutes=9))])
    assert outcome.asset_id == planned


def test_a_wrong_number_in_a_list_is_no_other_machine_where_a_key_agrees_or_there_is_none(
    database, keep
):
    store.ingest(database, [arrival(server(1), "web01"), arrival(server(2), "web02")])
    keep("SN,Name,MAC", f"WRONG1,web01,{MAC}", "WRONG2,web02,")
    assert {row["asset_id"] for row in store.expected_machines(database)} == {
        store.resolve(database, name) for name in ("web01", "web02")
    }


def test_a_plan_with_a_key_of_another_plan_is_told_when_it_is_set_and_in_the_list(database, keep):
    first = store.set_expected(database, "S1A", {"hostname": "s1a", "mac": MAC}, by="alice")
    assert first["reason"] == ""
    second = store.set_expected(database, "S1B", {"hostname": "s1b", "mac": MAC}, by="alice")
    assert second["reason"] == "its UUID or MAC is that of another row too: S1A"
    # Two lists that have one machine are no such case.
    keep("SN,MAC", "S2,", f"S1C,{MAC[:-1]}2")
    assert not store.set_expected(database, "S1C", {"mac": f"{MAC[:-1]}2"}, by="alice")["reason"]
    shown = expected.expected(database, only_missing=False, limit=9)
    reasons = [dict(zip(shown["columns"], one, strict=True)) for one in shown["rows"]]
    assert {one["sn"]: one["reason"].partition("; ")[2] for one in reasons} == {
        "S1A": "its UUID or MAC is that of another row too: S1B",
        "S1B": "its UUID or MAC is that of another row too: S1A",
        "S1C": "",
        "S2": "",
    }


def test_a_plan_that_means_a_machine_by_its_name_says_so(database):
    store.ingest(database, [arrival(server(1), "web01")])
    row = store.set_expected(database, "REPL1", {"hostname": "web01"}, by="alice")
    assert row["reason"].startswith("it means web01, which shows another SN; ")
    with pytest.raises(store.NotFound) as error:
        store.resolve(database, "REPL1")
    assert error.value.hint == "a row of cmdb.expected set with this SN means web01, by its name"
