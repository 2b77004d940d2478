"""A machine that was installed, compared with its plan by its first report after that."""

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.lists.installed import compare_installed, differences
from tests.machines import NOW, arrival, later, server
from tests.postgres import earlier

UUID, MAC = "4c4c4544-0058-5910-805a-b9c04f000001", "52:54:00:00:00:01"  # of server(1)
SWAPPED = "44454C4C-5800-1059-805A-B9C04F000001"
ACT = store.Act("alice", "new racks, CHG-1", test=False)
PLAN = {"hostname": "web01", "uuid": SWAPPED, "mac": MAC, "list.profile": "debian12"}


def install(database, name="9XYZ001", **fields):
    """Plan a machine and let it be installed, an hour ago by the clocks of the tests' reports."""
    store.set_expected(database, name, {**PLAN, **fields}, by="alice")
    asset_id = store.resolve(database, name)
    store.set_lifecycle(database, asset_id, "planned", ACT)
    done = store.open_installations(database, [asset_id], ACT)
    [row] = done.opened
    shown = store.Shown(
        fields.get("uuid") or UUID, fields.get("mac", MAC).split()[0], row["address"] or ""
    )
    assert store.begin_installation(database, shown).state == "open"
    assert store.finish_installation(database, row["id"], shown).state == "open"
    put_back(database)
    return asset_id


def put_back(database):
    """Let what is done be done an hour earlier: elsewhere than in a test it stays as it is."""
    with database.begin() as link:
        link.execute(sa.text("SET LOCAL session_replication_role = replica"))
        an_hour_ago = earlier("done_at", "interval '1 hour'")
        link.execute(sa.text(f"UPDATE installation SET done_at = {an_hour_ago}"))


def told(database):
    found = []
    store.tell(database, found.extend, lambda: {"web01"})
    return [one for one in found if one.kind == "installed"]


def test_as_planned_is_told_once_with_no_differences(database):
    asset_id = install(database, site="dc1", product_name="PowerEdge R750", address="10.0.0.1")
    assert compare_installed(database) == 0
    store.ingest(database, [arrival(server(1), "web01")])
    assert compare_installed(database) == 1
    assert compare_installed(database) == 0
    [row], total = store.installations(database)
    assert (row["state"], row["differences"], total) == ("done", [], 1)
    assert row["compared_at"] is not None
    [news] = told(database)
    assert news.asset == str(asset_id)
    assert news.detail == {
        "installation": str(row["id"]),
        "profile": "debian12",
        "differences": [],
    }
    assert news.about["minion_id"] == "web01"
    assert told(database) == []
    decided = store.decisions(database, asset_id=asset_id)
    assert any(
        one["action"] == "installed" and one["reason"].endswith(": as planned") for one in decided
    )


def test_what_is_not_as_planned_is_kept_and_told_field_by_field(database):
    install(database, mac=f"{MAC} 52:54:00:00:00:99", product_name="R740", disk_layout="lvm:sda")
    facts = server(1)
    facts["operating_system"]["hostname"] = "other"
    store.ingest(database, [arrival(facts, "db09")])
    compare_installed(database)
    [row], _ = store.installations(database)
    assert [(one["field"], one["planned"], one["reported"]) for one in row["differences"]] == [
        ("hostname", "web01", "other"),
        ("mac", "52:54:00:00:00:99", MAC),
        ("product_name", "R740", facts["system"]["product_name"]),
    ]
    found = []
    store.tell(database, found.extend, lambda: {"db09"})
    [news] = [one for one in found if one.kind == "installed"]
    assert news.detail["differences"] == row["differences"]


def test_a_machine_that_is_installed_anew_is_compared_by_what_it_reports_after_that(database):
    store.ingest(database, [arrival(server(1), "web01", later(hours=-3))])
    asset_id = store.resolve(database, "web01")
    store.set_lifecycle(database, asset_id, "staged", ACT)
    [row] = store.open_installations(database, [asset_id], ACT, profile="debian12").opened
    # What nobody planned is what the machine itself has reported.
    assert (row["uuid"], row["macs"]) == ("44454c4c-5800-1059-805a-b9c04f000001", [MAC])
    shown = store.Shown(UUID, MAC)
    store.begin_installation(database, shown)
    store.finish_installation(database, row["id"], shown)
    assert compare_installed(database) == 0
    store.ingest(database, [arrival(server(1), "web01", later(minutes=30))])
    assert compare_installed(database) == 1
    assert store.installations(database)[0][0]["differences"] == []


def test_one_that_cannot_be_compared_is_a_problem_of_its_own_and_keeps_no_other_one_waiting(
    database,
):
    first = install(database)
    other = {"uuid": server(2)["system"]["uuid"], "mac": "52:54:00:00:00:02"}
    install(database, "9XYZ002", **other, hostname="web02")
    reports = [arrival(server(1), "web01"), arrival(server(2), "web02")]
    store.ingest(database, reports)
    plan = "UPDATE installation SET plan = CAST(:plan AS jsonb) WHERE asset_id = :id RETURNING plan"
    with database.begin() as link:
        link.execute(sa.text(plan), {"plan": "[]", "id": first})
    assert compare_installed(database) == 2
    assert [(row["minion_id"], row["subject"]) for row in swept(database)] == [
        ("web01", "installed")
    ]
    assert "AttributeError" in swept(database)[0]["message"]
    assert [row["compared_at"] is None for row in by_name(database)] == [True, False]
    # It is not tried with every look, but when the machine has reported again.
    assert compare_installed(database) == 0
    store.ingest(database, [arrival(server(1), "web01", later(minutes=30))])
    with database.begin() as link:
        link.execute(sa.text(plan), {"plan": "{}", "id": first})
    assert compare_installed(database) == 1
    assert swept(database) == []
    assert [row["compared_at"] is None for row in by_name(database)] == [False, False]


def swept(database):
    return store.problems(database, kind="sweep")[0]


def by_name(database):
    return sorted(store.installations(database)[0], key=lambda row: str(row["name"]))


def test_a_plan_by_a_uuid_alone_is_opened_installed_reported_and_compared(database):
    fields = {"hostname": "web01", "list.profile": "debian12"}
    store.set_expected(database, SWAPPED, fields, by="alice")
    planned = store.resolve(database, SWAPPED)
    store.set_lifecycle(database, planned, "planned", ACT)
    [row] = store.open_installations(database, [planned], ACT).opened
    assert (row["uuid"], row["macs"]) == ("44454c4c-5800-1059-805a-b9c04f000001", [])
    assert store.begin_installation(database, store.Shown(UUID, MAC)).state == "open"
    assert store.finish_installation(database, row["id"], store.Shown(UUID, MAC)).state == "open"
    put_back(database)
    store.ingest(database, [arrival(server(1), "web01")])
    assert store.resolve(database, "web01") == planned
    assert compare_installed(database) == 1
    [[row], total] = store.installations(database)
    assert (row["name"], row["state"], row["differences"], total) == ("web01", "done", [], 1)
    assert [news.asset for news in told(database)] == [str(planned)]


def test_the_stage_of_life_stays_what_people_have_said(database):
    asset_id = install(database)
    store.ingest(database, [arrival(server(1), "web01")])
    compare_installed(database)
    assert store.overview(database, asset_id)["lifecycle"] == "planned"


MACHINE = {
    **dict.fromkeys(("manufacturer", "product_name", "os", "site", "room", "rack", "unit")),
    **dict.fromkeys(("processor_model", "processor_threads", "memory_bytes", "disk_count")),
    **dict.fromkeys(("disk_bytes", "kind", "from_list", "sn", "minion_id", "hostname", "address")),
    **{"uuids": [UUID], "macs": [MAC], "bound_uuid": UUID, "bound_mac": MAC, "facts": None},
}


@pytest.mark.parametrize(
    ("plan", "machine", "fields"),
    [
        ({"sn": "S1"}, {"sn": "S1"}, []),
        ({"sn": "S1"}, {"sn": "S2"}, ["sn"]),
        ({"sn": "S1"}, {}, ["sn"]),
        ({"sn": "To be filled by O.E.M."}, {"sn": "S2"}, []),
        ({"uuid": "4c4c4544-0058-5910-805a-b9c04f000002"}, {}, ["uuid"]),
        ({}, {"bound_uuid": "4c4c4544-0058-5910-805a-b9c04f000002"}, ["uuid"]),
        ({}, {"bound_mac": "52:54:00:00:00:02"}, ["mac"]),
        ({}, {"bound_mac": "52:54:00:00:00:02", "macs": [], "uuids": []}, []),
        ({"hostname": "web01.example.com"}, {"minion_id": "web01"}, []),
        ({"address": "10.0.0.9"}, {"address": "10.0.0.1"}, ["address"]),
        (
            {"address": "10.0.0.9"},
            {"address": "10.0.0.1", "facts": {"network": [{"addresses": ["10.0.0.9/24"]}]}},
            [],
        ),
        ({"disk_layout": "lvm:sda"}, {"facts": {"lvm": []}}, ["disk_layout"]),
        ({"disk_layout": "lvm:sda"}, {"facts": {"lvm": [{"name": "root"}]}}, []),
        ({"disk_layout": "plain:sda"}, {"facts": {"lvm": [{"name": "root"}]}}, ["disk_layout"]),
        ({"disk_layout": "plain:sda"}, {"facts": {}}, []),
        ({"disk_layout": "a site's own"}, {"facts": {"lvm": []}}, []),
        ({"memory_bytes": "256 GB"}, {"memory_bytes": 128 << 30}, ["memory_bytes"]),
        ({"memory_bytes": "128G"}, {"memory_bytes": 128 << 30}, []),
        ({"site": "dc1"}, {"site": "dc2"}, ["site"]),
        ({"site": "dc1"}, {"site": "dc2", "from_list": "site, rack"}, []),
        ({"product_name": "x" * 9999}, {"product_name": "y"}, ["product_name"]),
    ],
)
def test_only_what_was_planned_and_is_reported_can_differ(plan, machine, fields):
    found = differences(plan, {**MACHINE, **machine})
    assert [one["field"] for one in found] == fields
    assert all(len(one["planned"]) <= 200 for one in found)


def test_installations_are_listed_by_state_and_by_filters(database):
    install(database, site="dc1")
    store.set_expected(database, "NEW2", {**PLAN, "uuid": "", "mac": "52:54:00:00:00:02"}, by="a")
    second = store.resolve(database, "NEW2")
    store.set_lifecycle(database, second, "staged", ACT)
    store.open_installations(database, [second], ACT)
    rows, total = store.installations(database, limit=1)
    assert (len(rows), total, rows[0]["sn"], rows[0]["state"]) == (1, 2, "NEW2", "open")
    rows, total = store.installations(database, filters={"site": "dc1"})
    assert [(row["name"], row["profile"], row["state"]) for row in rows] == [
        ("web01", "debian12", "done")
    ]
    assert store.installations(database, state="open", filters={"sn": "9XYZ001"}) == ([], 0)
    assert store.installations(database, asset_id=second)[1] == 1
    with pytest.raises(ValueError, match="did you mean 'started'"):
        store.installations(database, state="startet")
    store.remove_expected(database, "NEW2")
    rows, _ = store.installations(database, state="closed")
    assert [(row["name"], row["asset_id"]) for row in rows] == [("web01", None)]
    assert rows[0]["opened_at"] > NOW.replace(year=2000)
