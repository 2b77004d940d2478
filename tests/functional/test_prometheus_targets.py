"""What Prometheus is told of machines, whatever these say of themselves."""

import json
import os
import stat

import pytest

from salt_ext import settings, store
from salt_ext.feeds import prometheus
from salt_ext.store import ingest
from tests.functional.conftest import in_rack
from tests.machines import arrival, server
from webui import create_app

PATH = "/api/v1/inventory/prometheus"
HOSTILE = 'dc"} 1\n\u202emoc.live, \\'


@pytest.fixture
def client(database, database_url):
    app = create_app(settings.resolve(("test", {"database_url": database_url})))
    yield app.test_client()
    app.extensions["database"].close()


@pytest.fixture
def said(database):
    """A function that stores a list of people with one machine."""

    def store_list(fields):
        row = {"sn": fields["sn"], "minion_id": None, "fields": fields, "row": 1, "awaited": True}
        types = {
            name: "number" if isinstance(value, int) else "text"
            for name, value in fields.items()
            if name.startswith("list.")
        }
        store.import_expected(database, [row], source="a.csv", by="ann", types=types)

    return store_list


def groups(client, query="port=9100"):
    response = client.get(f"{PATH}?{query}")
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/json"
    return response.json


def test_a_machine_is_a_group_with_all_of_its_labels(database, client):
    ingest(database, [arrival(in_rack(1), "web01")])
    [group] = groups(client)
    assert group["targets"] == ["10.0.0.1:9100"]
    assert group["labels"] == {
        "__meta_cmdb_asset_id": str(store.resolve(database, "web01")),
        "__meta_cmdb_name": "web01",
        "__meta_cmdb_sn": "9XYZ001",
        "__meta_cmdb_hostname": "web01",
        "__meta_cmdb_site": "dc1",
        "__meta_cmdb_rack": "R07",
        "__meta_cmdb_unit": "U11",
        "__meta_cmdb_kind": "physical",
        "__meta_cmdb_manufacturer": "Dell Inc.",
        "__meta_cmdb_product_name": "PowerEdge R750",
        "__meta_cmdb_os": "Debian GNU/Linux 12 (bookworm)",
        "__meta_cmdb_lifecycle": "active",
        "__meta_cmdb_freshness": "fresh",
    }


def test_machines_that_claim_one_address_silence_nobody(database, client):
    for number in (1, 2):
        network = [{"name": "eth0", "kind": "physical", "default_address": "10.0.0.1"}]
        ingest(database, [arrival(server(number, network=network), f"web{number:02d}")])
    found = groups(client)
    assert [one["targets"] for one in found] == [["10.0.0.1:9100"]] * 2
    assert [one["labels"]["__meta_cmdb_sn"] for one in found] == ["9XYZ001", "9XYZ002"]


def test_every_label_is_a_string_whatever_it_is_made_of(database, client):
    place = {"site": HOSTILE, "rack": 7, "unit": {"a": [1]}, "room": True}
    ingest(database, [arrival(server(location=place))])
    fields = "memory_bytes,last_seen,temporary,processor_threads"
    [group] = groups(client, f"port=9100&fields={fields}")
    assert {type(value) for value in group["labels"].values()} == {str}
    assert group["labels"]["__meta_cmdb_memory_bytes"] == str(128 << 30)
    assert group["labels"]["__meta_cmdb_temporary"] == "false"
    assert group["labels"]["__meta_cmdb_last_seen"].endswith("Z")


def test_the_columns_of_peoples_lists_are_labels_when_they_are_asked_for(database, client, said):
    ingest(database, [arrival(server())])
    said({"sn": "9XYZ001", "list.owner": "Ann Lee", "list.班": "夜", "list.slots": 4})
    assert "__meta_cmdb_list_owner" not in groups(client)[0]["labels"]
    [group] = groups(client, "port=9100&fields=list.owner,list.班,list.slots,sn")
    assert group["labels"]["__meta_cmdb_list_owner"] == "Ann Lee"
    assert group["labels"]["__meta_cmdb_list__73ed_"] == "夜"
    assert group["labels"]["__meta_cmdb_list_slots"] == "4"
    slip = client.get(f"{PATH}?port=9100&fields=list.ownr")
    assert slip.status_code == 400
    assert "did you mean 'list.owner'" in slip.json["error"]


def test_fields_that_would_be_one_label_are_refused(database, client, said):
    ingest(database, [arrival(server())])
    said({"sn": "9XYZ001", "list.cost-centre": "1", "list.cost.centre": "2"})
    response = client.get(f"{PATH}?port=9100&fields=list.cost-centre,list.cost.centre")
    assert response.status_code == 400
    assert response.json["error"] == (
        "list.cost-centre and list.cost.centre would both be the label"
        " __meta_cmdb_list_cost_centre: ask for one of them"
    )


@pytest.mark.parametrize("field", ["list.owner", "list.U高度", "list.a b", "list.é-", "list.{x}"])
def test_every_label_has_a_name_that_prometheus_takes(field):
    label = prometheus.label_of(field)
    assert label.startswith("__meta_cmdb_list_")
    assert label.isascii()
    assert label.isidentifier()


def test_out_of_band_the_address_is_that_of_the_bmc(database, client):
    silent = in_rack(2) | {"bmc": {"present": True}}
    guest = server(3) | {"bmc": {}}
    odd = in_rack(4) | {"bmc": {"present": True, "addresses": {"0": "10.0.0.9"}}}
    six = in_rack(5) | {"bmc": {"present": True, "addresses": ["fd00::5/64"]}}
    machines = [in_rack(1), silent, guest, odd, six, server(6)]
    for number, facts in enumerate(machines, start=1):
        ingest(database, [arrival(facts, f"web{number:02d}")])
    counted = store.count_statements()
    response = client.get(f"{PATH}?port=9290&oob=true")
    assert counted.count <= 3
    assert [one["targets"] for one in response.json] == [["10.128.0.1:9290"], ["[fd00::5]:9290"]]
    assert response.json[0]["labels"]["__meta_cmdb_sn"] == "9XYZ001"
    # Those with a BMC that tells no address, not those without one.
    assert response.headers["X-CMDB-Left-Out"] == "2"


def test_addresses_of_bmcs_can_be_hidden_apart_from_those_of_machines(database, database_url):
    ingest(database, [arrival(in_rack(1), "web01")])
    for hidden, query in (("bmc", "port=1&oob=1"), ("address", "port=1")):
        given = {"database_url": database_url, "hidden_fields": [hidden]}
        app = create_app(settings.resolve(("test", given)))
        client = app.test_client()
        assert client.get(f"{PATH}?{query}").status_code == 403
        other = "port=1" if hidden == "bmc" else "port=1&oob=1"
        assert len(groups(client, other)) == 1
        app.extensions["database"].close()


@pytest.mark.parametrize("port", ["", "0", "65536", "9100x", "-1", "٩"])
def test_a_port_is_needed_and_is_one(client, port):
    response = client.get(f"{PATH}?port={port}")
    assert response.status_code == 400
    assert "port" in response.json["error"]


def test_nobody_is_an_empty_list_and_a_database_that_is_away_is_an_error(client, database):
    assert groups(client) == []
    app = create_app(
        settings.resolve(("test", {"database_url": "postgresql+psycopg2://x@127.0.0.1:1/x"}))
    )
    response = app.test_client().get(f"{PATH}?port=9100")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert response.json["error"]
    app.extensions["database"].close()


def test_the_order_stays_whoever_reports_last(database, client):
    for number in (3, 1, 2):
        ingest(database, [arrival(server(number), f"web{number:02d}")])
    first = client.get(f"{PATH}?port=9100")
    ingest(database, [arrival(server(1), "web01")])
    again = client.get(f"{PATH}?port=9100", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    names = [one["labels"]["__meta_cmdb_name"] for one in first.json]
    assert names == ["web01", "web02", "web03"]


@pytest.fixture
def target(tmp_path, database):
    ingest(database, [arrival(server())])
    (tmp_path / "targets").mkdir()
    return tmp_path / "targets/cmdb.json"


def test_a_file_is_left_alone_while_nothing_changes(cmdb, target, database):
    assert cmdb("inventory", "prometheus", port=9100, out_file=str(target))[1] == 0
    os.utime(target, (1, 1))
    ingest(database, [arrival(server())])
    assert cmdb("inventory", "prometheus", port=9100, out_file=str(target))[1] == 0
    assert target.stat().st_mtime == 1
    ingest(database, [arrival(server(2), "web02")])
    cmdb("inventory", "prometheus", port=9100, out_file=str(target))
    assert target.stat().st_mtime > 1
    assert len(json.loads(target.read_text())) == 2
    assert os.listdir(target.parent) == [target.name]


def test_a_file_keeps_the_rights_that_somebody_gave_it(cmdb, target, database):
    cmdb("inventory", "prometheus", port=9100, out_file=str(target))
    target.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(target, 0, 12345)
    before = target.stat()
    ingest(database, [arrival(server(2), "web02")])
    cmdb("inventory", "prometheus", port=9100, out_file=str(target))
    after = target.stat()
    assert after.st_ino != before.st_ino
    assert stat.S_IMODE(after.st_mode) == 0o640
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)


def test_a_file_stays_as_it_was_while_the_database_is_away(cmdb, target, master_opts):
    cmdb("inventory", "prometheus", port=9100, out_file=str(target))
    before = target.read_bytes()
    master_opts["cmdb"] = {"database_url": "postgresql+psycopg2://x@127.0.0.1:1/x"}
    _, retcode, text = cmdb("inventory", "prometheus", port=9100, out_file=str(target))
    assert retcode == 2
    assert "127.0.0.1" in text
    assert target.read_bytes() == before
    assert os.listdir(target.parent) == [target.name]
