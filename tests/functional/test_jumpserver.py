"""The inventory for JumpServer: what its API and its import take, also of hostile machines."""

import csv
import io
import json

import pytest

from salt_ext import settings, store
from salt_ext.feeds import jumpserver, make
from tests.machines import arrival, later, server
from webui import create_app


def machine(number, address, site="fra1", rack="R07", **sections):
    network = [{"name": "eth0", "kind": "physical", "default_address": address}]
    place = {"site": site, "rack": rack}
    return server(number, network=network, location=place, **sections)


@pytest.fixture
def fleet(database):
    """Two that are there, one retired, one that left its name to other hardware, one missing."""
    said = {
        "web01": machine(1, "10.0.0.1"),
        "web02": machine(2, "fd00::2", rack=None),
        "web03": machine(3, "10.0.0.3"),
    }
    store.ingest(database, [arrival(facts, name) for name, facts in said.items()])
    gone = store.resolve(database, "web03")
    store.set_lifecycle(database, gone, "retired", store.Act("me", "sold", test=False))
    store.ingest(database, [arrival(machine(4, "10.0.0.4"), "web04", later(days=-2))])
    store.ingest(database, [arrival(machine(5, "10.0.0.5"), "web04")])
    store.ingest(database, [arrival(machine(6, "10.0.0.6"), "web06", later(days=-20))])
    return database


def told(database, name="jumpserver", filters=None, **options):
    return make(database, name, filters or {}, options).body.decode()


def hosts(database, **options):
    return {one["name"]: one for one in json.loads(told(database, **options))}


def rows(database, **options):
    return list(csv.DictReader(io.StringIO(told(database, "jumpserver_csv", **options))))


def test_a_body_is_what_the_api_makes_a_host_of(fleet):
    found = hosts(fleet)
    assert list(found) == ["web01", "web02", "web04"]
    assert found["web01"] == {
        "id": str(store.resolve(fleet, "web01")),
        "name": "web01",
        "address": "10.0.0.1",
        "platform": {"pk": 1},
        "protocols": [{"name": "ssh", "port": 22}],
        "nodes_display": ["/Default/fra1/R07"],
        "is_active": True,
        "comment": "SN 9XYZ001, Dell Inc. PowerEdge R750",
    }
    assert found["web02"]["address"] == "fd00::2"
    assert found["web02"]["nodes_display"] == ["/Default/fra1"]


def test_the_file_has_the_same_in_the_cells_that_the_import_reads(fleet):
    [first, *_] = rows(fleet)
    first["id"] = first["id"].removeprefix("'")  # with which it marks a leading 0
    assert first == {
        "id": str(store.resolve(fleet, "web01")),
        "name": "web01",
        "address": "10.0.0.1",
        "platform": "1",
        "protocols": '["ssh/22"]',
        "nodes_display": '["/Default/fra1/R07"]',
        "is_active": "True",
        "comment": "SN 9XYZ001, Dell Inc. PowerEdge R750",
    }


def test_retirement_travels_when_it_is_asked_for(fleet):
    found = hosts(fleet, retired=True)
    active = {name: one["is_active"] for name, one in found.items()}
    detached = next(name for name in active if name.startswith("web04~"))
    assert active == {
        "web01": True,
        "web02": True,
        "web03": False,
        "web04": True,
        detached: False,
        "web06": True,
    }
    assert found[detached]["address"] == "10.0.0.4"
    assert found[detached]["id"] != found["web04"]["id"]
    assert {row["name"]: row["is_active"] == "True" for row in rows(fleet, retired=True)} == active


@pytest.mark.parametrize("former", ["old-web09", "web09"])
def test_hardware_that_is_gone_leaves_its_host_name_to_what_has_it_now(database, former):
    for number, name in ((1, former), (2, "new-web09")):
        facts = machine(number, f"10.0.0.{number}")
        facts["operating_system"]["hostname"] = "web09"
        store.ingest(database, [arrival(facts, name)])
    gone = store.resolve(database, former)
    store.set_lifecycle(database, gone, "retired", store.Act("me", "sold", test=False))
    asked = {"retired": True, "name": "hostname"}
    found = json.loads(make(database, "jumpserver", {}, asked).body)
    active = {one["name"]: (one["address"], one["is_active"]) for one in found}
    assert active == {
        "web09": ("10.0.0.2", True),
        f"web09~{str(gone)[:8]}": ("10.0.0.1", False),
    }


@pytest.mark.parametrize("is_own", [True, False])
def test_no_machine_is_called_as_one_that_is_gone(fleet, is_own):
    [gone] = hosts(fleet, retired=True).keys() - {"web01", "web02", "web03", "web04", "web06"}
    for number, called in ((7, gone), (8, gone.replace("~", "-"))):
        facts = machine(number, f"10.0.0.{number}")
        facts["operating_system"]["hostname"] = called
        name = called if is_own else f"other{number}"
        store.ingest(fleet, [arrival(facts, name)])
    asked = {"retired": True, "name": "minion_id" if is_own else "hostname"}
    found = [one["name"] for one in json.loads(make(fleet, "jumpserver", {}, asked).body)]
    assert found.count(called) == 1
    assert found.count(gone) == 1


def test_options_say_the_platform_the_way_in_and_the_nodes(fleet):
    host = hosts(
        fleet, platform=5, protocol="telnet", port=2222, root="/Ops/cmdb", nodes="rack,product_name"
    )["web01"]
    assert host["platform"] == {"pk": 5}
    assert host["protocols"] == [{"name": "telnet", "port": 2222}]
    assert host["nodes_display"] == ["/Ops/cmdb/R07/PowerEdge R750"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"port": 0}, "port is 0, but it must be a number from 1 to 65,535"),
        ({"platform": "linux"}, "platform is 'linux', but it must be a number from 1 to 1,000,000"),
        ({"protocol": "ssh/22"}, "'ssh/22' is no value of protocol"),
        ({"root": "Default"}, "'Default' is no value of root"),
        ({"nodes": "sitte"}, "did you mean 'site'?"),
        ({"platfrom": 1}, "did you mean 'platform'?"),
        ({"retired": "perhaps"}, "retired is true or false"),
    ],
)
def test_what_an_option_cannot_be_is_told(fleet, options, words):
    with pytest.raises(store.FilterError) as caught:
        told(fleet, **options)
    assert words in str(caught.value)


HOSTILE = [
    "=cmd|' /C calc'!A1",
    "a/b",
    "it's",
    '"quoted"',
    "\u201cwide\u201d",
    "line\nbreak",
    "\\",
    "机房一",
    "-",
    "{{ 7*7 }}",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_machine_breaks_a_cell_or_makes_a_node_of_its_own(database, text):
    facts = machine(1, "10.0.0.1", site=text)
    facts["system"]["serial_number"] = "=1+1"
    store.ingest(database, [arrival(facts, "web01")])
    body = told(database, "jumpserver_csv")
    assert body.isascii()
    [row] = csv.DictReader(io.StringIO(body))
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())
    # As the import reads it: every quote becomes a double one, then it must be JSON.
    as_read = row["nodes_display"].translate(
        dict.fromkeys(map(ord, "'\u201c\u201d\u2018\u2019"), '"')
    )
    [node] = json.loads(as_read)
    [same] = hosts(database)["web01"]["nodes_display"]
    assert node == same
    assert node.count("/") <= 3
    assert node.startswith("/Default")


def test_a_file_that_jumpserver_would_refuse_is_refused_here(fleet, monkeypatch):
    monkeypatch.setattr(jumpserver, "MOST_BYTES", 200)
    with pytest.raises(store.FilterError, match="which JumpServer refuses: make one for each site"):
        told(fleet, "jumpserver_csv")


def test_a_name_that_is_too_long_for_it_is_left_out_and_told(database):
    store.ingest(database, [arrival(machine(1, "10.0.0.1"), "w" * 129)])
    answer = make(database, "jumpserver", {}, {})
    assert (json.loads(answer.body), answer.machines) == ([], 0)
    assert "at most 128 characters" in answer.left_out[0].why


def test_the_api_gives_the_same(fleet):
    app = create_app(settings.resolve(("test", {"database_url": fleet.url})))
    client = app.test_client()
    answer = client.get("/api/v1/inventory/jumpserver_csv?retired=true&site=fra1")
    assert answer.mimetype == "text/csv"
    assert answer.text == told(fleet, "jumpserver_csv", {"site": "fra1"}, retired="true")
    app.extensions["database"].close()
