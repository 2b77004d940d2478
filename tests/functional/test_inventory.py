"""The inventory for other programs, on the command line and in the API."""

import json

import pytest

from salt_ext import settings
from salt_ext.feeds import FEEDS
from salt_ext.store import ingest
from salt_ext.store.reads.listing import listing
from tests.machines import arrival, server
from tests.unit.docs import markdown
from webui import create_app


def with_address(number, address):
    network = [{"name": "eth0", "kind": "physical", "default_address": address}]
    return server(number, network=network)


@pytest.fixture
def fleet(database):
    said = (("web01", "10.0.0.1"), ("web02", "fd00::2"), ("web 3", "10.0.0.3"), ("web04", "??"))
    for number, (name, address) in enumerate(said, start=1):
        ingest(database, [arrival(with_address(number, address), name)])
    return database


@pytest.fixture
def client(fleet):
    app = create_app(settings.resolve(("test", {"database_url": fleet.url})))
    yield app.test_client()
    app.extensions["database"].close()


def test_the_command_and_the_api_give_the_same(cmdb, client):
    _, _, text = cmdb("inventory", "prometheus", port=9100)
    response = client.get("/api/v1/inventory/prometheus?port=9100")
    assert json.loads(text) == response.json
    assert [one["targets"] for one in response.json] == [["10.0.0.1:9100"], ["[fd00::2]:9100"]]


def test_who_is_left_out_is_counted_and_told(cmdb, client, capsys):
    assert client.get("/api/v1/inventory/prometheus?port=9100").headers["X-CMDB-Left-Out"] == "2"
    _, _, text = cmdb("inventory", "left_out")
    assert [one["name"] for one in json.loads(text)] == ["web 3", "web04"]
    said = capsys.readouterr().err
    assert "its name has other characters" in said
    assert "web 3" in said


def test_who_is_left_out_of_one_format_alone_is_told_for_that_one(fleet, client):
    ingest(fleet, [arrival(with_address(5, "10.0.0.5"), "site_web05")])
    assert client.get("/api/v1/inventory/ansible").headers["X-CMDB-Left-Out"] == "3"
    for query, count in (("", 2), ("?of=ssh_config", 2), ("?of=jumpserver", 2), ("?of=ansible", 3)):
        assert len(client.get(f"/api/v1/inventory/left_out{query}").json) == count


def test_what_a_format_needs_is_asked_for(cmdb, client):
    response = client.get("/api/v1/inventory/prometheus")
    assert response.status_code == 400
    assert response.json["error"].startswith("prometheus needs port=...")
    assert cmdb("inventory", "prometheus")[1] == 2
    assert "did you mean 'prometheus'" in cmdb("inventory", "promtheus")[2]
    slip = client.get("/api/v1/inventory/prometheus?port=1&sitte=dc1")
    assert "did you mean 'site'" in slip.json["error"]


@pytest.mark.parametrize("option", ["fields", "group_by"])
def test_only_fields_of_the_list_can_be_asked_for(client, option):
    # A whole part of the facts has texts that Ansible would take for templates.
    response = client.get(f"/api/v1/inventory/ansible?{option}=interface")
    assert response.status_code == 400
    assert response.json["error"].startswith("there is no field 'interface'")


def test_what_has_not_changed_is_sent_once_and_written_once(cmdb, client, tmp_path):
    path = "/api/v1/inventory/prometheus?port=9100"
    etag = client.get(path).headers["ETag"]
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 304
    file = tmp_path / "targets.json"
    for is_new in (True, False):
        answer, _, _ = cmdb("inventory", "prometheus", port=9100, out_file=str(file))
        assert answer["is_new"] is is_new
    assert len(json.loads(file.read_text())) == 2


def test_the_formats_are_listed(cmdb):
    _, retcode, text = cmdb("inventory")
    assert retcode == 0
    assert all(name in text for name in FEEDS)


def test_no_option_has_the_name_of_a_field(database):
    fields = set(listing(database, None).fields)
    assert not [one for feed in FEEDS.values() for one in feed.options if one in fields]


def test_the_api_refuses_node_groups_where_its_own_settings_have_none(client):
    response = client.get("/api/v1/inventory/nodegroups")
    assert response.status_code == 400
    assert "no node groups are set here" in response.json["error"]


@pytest.mark.parametrize("path", ["inventory/prometeus", "inventory/prometeus?port=1"])
def test_an_address_that_the_api_does_not_have_is_told_with_the_nearest(client, path):
    response = client.get(f"/api/v1/{path}")
    assert response.status_code == 404
    assert "did you mean '/api/v1/inventory/prometheus'?" in response.json["error"]
    assert all(f"/api/v1/inventory/{name}" in response.json["error"] for name in FEEDS)
    assert "/api/v1/assets" not in response.json["error"]


@pytest.mark.parametrize("path", ["inventory", "inventory/"])
def test_the_folder_of_the_formats_lists_them(client, path):
    response = client.get(f"/api/v1/{path}")
    assert response.status_code == 404
    assert all(f"/api/v1/inventory/{name}" in response.json["error"] for name in FEEDS)


@pytest.mark.parametrize(
    ("format", "given", "said"),
    [
        ("prometeus", {"port": 1}, "there is no format 'prometeus'; did you mean 'prometheus'?"),
        ("ssh_config", {"proxyjump": "a"}, "did you mean 'proxy_jump'? There are: user, port,"),
        ("left_out", {"port": 1}, "there is no field 'port'"),
        ("ssh_config", {"user": "a b"}, "'a b' is no value of user: Who logs in: letters, digits"),
        ("ansible", {"fields": "list.nope"}, "no list of people's was imported yet"),
        ("ansible", {"outfile": "x"}, "did you mean the option 'out_file'?"),
    ],
)
def test_a_slip_in_the_command_is_told_by_what_was_meant(cmdb, format, given, said):
    _, status, text = cmdb("inventory", format, **given)
    assert status == 2
    assert said in text
    assert "'sort'" not in text


def test_a_field_that_looks_like_an_option_is_a_field(cmdb, fleet):
    # A letter between room and root, which is an option.
    assert "no asset has room=R1" in cmdb("inventory", "jumpserver", room="R1")[2]


def test_what_the_manual_lets_ansible_ask_needs_no_list(client):
    config = markdown.blocks("ansible.md", "ini")[0]
    # The machines here are at no site.
    query = config.partition("query = ")[2].strip().replace("site=fra1", "q=web")
    response = client.get(f"/api/v1/inventory/ansible?{query}")
    assert response.status_code == 200, response.text


def test_a_typo_is_no_empty_inventory(client):
    response = client.get("/api/v1/inventory/prometheus?port=9100&site=DC9")
    assert response.status_code == 400
    assert "no asset has site=DC9" in response.json["error"]
    # Nobody is retired, which is an answer.
    assert client.get("/api/v1/inventory/prometheus?port=9100&lifecycle=retired").json == []
