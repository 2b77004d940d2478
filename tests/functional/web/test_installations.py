"""The page of installations, and the same for programs."""

import pytest

from salt_ext import store
from salt_ext.lists.installed import compare_installed
from tests.machines import arrival, server

UUID, MAC = "4c4c4544-0058-5910-805a-b9c04f000001", "52:54:00:00:00:01"  # of server(1)
ACT = store.Act("alice", "new racks, CHG-1", test=False)


def text(node):
    return " ".join(node.get_text(" ").split())


@pytest.fixture
def fleet(database):
    """One machine that was installed, with another model than planned, and one that may be."""
    plans = {
        "9XYZ001": {"hostname": "web01", "uuid": UUID, "product_name": "R740"},
        "NEW2": {"hostname": "db02", "mac": "52:54:00:00:00:02", "site": "dc1"},
    }
    for sn, fields in plans.items():
        store.set_expected(database, sn, {**fields, "list.profile": "debian12"}, by="alice")
        asset_id = store.resolve(database, sn)
        store.set_lifecycle(database, asset_id, "planned", ACT)
        [row] = store.open_installations(database, [asset_id], ACT).opened
        if sn == "9XYZ001":
            shown = store.Shown(UUID, MAC)
            store.begin_installation(database, shown)
            store.finish_installation(database, row["id"], shown)
    store.set_expected(database, "NEW2", {"hostname": "<b>db02</b>"}, by="alice")
    with database.begin() as link:
        # What is done stays so: only for a test the clock is put back.
        link.exec_driver_sql("SET LOCAL session_replication_role = replica")
        link.exec_driver_sql("UPDATE installation SET done_at = done_at - interval '1 hour'")
    store.ingest(database, [arrival(server(1), "web01")])
    assert compare_installed(database) == 1
    return database


def test_each_installation_is_a_row_that_leads_to_its_machine(fleet, page):
    soup = page("/installations")
    assert "Installations: 2" in text(soup.find(role="status"))
    rows = {text(row.th): row for row in soup.tbody.find_all("tr")}
    assert set(rows) == {"web01", "<b>db02</b>"}
    assert "R740 planned, PowerEdge R750 reported" in text(rows["web01"])
    assert "web01" in text(page(rows["web01"].a["href"]).h1)
    assert "NEW2" in text(page(rows["<b>db02</b>"].a["href"]))


def test_why_it_is_this_asset_leads_to_the_installations_of_it(fleet, page):
    soup = page(f"/a/{store.resolve(fleet, 'web01')}/identity")
    assert "not as planned: product_name" in text(soup)
    [link] = [one for one in soup.main.find_all("a") if text(one) == "Installations"]
    assert [text(row.th) for row in page(link["href"]).tbody.find_all("tr")] == ["web01"]


def test_states_and_filters_choose_some(fleet, page):
    assert [text(row.th) for row in page("/installations?state=done").tbody.find_all("tr")] == [
        "web01"
    ]
    soup = page("/installations?site=dc1")
    assert [text(row.th) for row in soup.tbody.find_all("tr")] == ["<b>db02</b>"]
    states = soup.find("nav", attrs={"aria-label": "What has become of them"})
    links = {text(one): one["href"] for one in states.find_all("a")}
    assert [*links] == ["All", *store.INSTALLATION_STATES]
    assert all("site=dc1" in one for one in links.values())
    assert "must be one of" in text(page("/installations?state=opne", 400))
    assert "There are none." in text(page("/installations?state=revoked"))


def test_programs_have_the_same(fleet, client):
    found = client.get("/api/v1/installations?state=done").json
    [row] = found["rows"]
    assert (row["name"], row["state"], row["profile"]) == ("web01", "done", "debian12")
    assert row["outcome"] == "product_name: R740 planned, PowerEdge R750 reported"
    assert row["uuid"] == UUID
    lines = client.get("/installations.csv").text.splitlines()
    assert len(lines) == 3


def test_whom_keys_are_hidden_from_sees_that_there_are_differences_only(fleet, database_url):
    hiding = fleet.hiding(["product_name", "system.uuid"])
    rows, _ = store.installations(hiding)
    [row] = [one for one in rows if one["state"] == "done"]
    assert (row["uuid"], row["bound_uuid"]) == ("hidden", "hidden")
    assert row["differences"] == [dict.fromkeys(("field", "planned", "reported"), "hidden")]
