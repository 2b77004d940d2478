"""One machine from its hardware to the browser, through the real programs."""

import json

import pytest

from salt_ext import settings
from webui import create_app


@pytest.fixture
def client(fleet):
    url = fleet.database.settings["database_url"]
    return create_app(settings.resolve(("test", {"database_url": url}))).test_client()


def test_a_machine_comes_from_its_hardware_to_the_browser(fleet, eventually, client):
    old = fleet.flash("1.10.2")
    fleet.collect(fleet.web01)
    eventually(lambda: fleet.bios_version(fleet.web01) == old)

    table = fleet.json("salt-run", "cmdb.list", "web01", "columns=minion_id,sn")["cmdb"]
    assert table["rows"] == [["web01", "DEMO8K2"]]
    assert "PowerEdge R650" in fleet.run("salt-run", "cmdb.report").stdout
    shown = fleet.json("salt-run", "cmdb.show", "DEMO8K2", "section=memory")["cmdb"]["asset"]
    assert len(shown["facts"]["memory"]["devices"]) == 8

    new = fleet.flash("1.12.1")
    fleet.collect(fleet.web01)
    eventually(lambda: fleet.bios_version(fleet.web01) == new)
    result = fleet.run("salt-run", "cmdb.diff", "web01", "exit_code=True", "--out=json")
    assert result.returncode == 1
    [change] = json.loads(result.stdout)["cmdb"]["changes"]
    assert (change["path"], change["old"], change["new"]) == ("firmware.version", old, new)
    assert f"{old} → {new}" in fleet.run("salt-run", "cmdb.diff", "web01").stdout

    assert "web01" in client.get("/assets?q=web01").text
    page = client.get(f"/a/{fleet.asset(fleet.web01)['id']}").text
    assert old in page
    assert new in page


def test_a_machine_without_dmi_tables_is_there_too(fleet, eventually):
    fleet.collect(fleet.web02)
    asset = eventually(lambda: fleet.asset(fleet.web02))
    assert asset["mode"] in ("salt", "grains")
    assert asset["processor_threads"] > 0


def test_a_minion_is_known_by_its_grain_before_it_has_collected_anything(fleet, eventually):
    assert eventually(lambda: fleet.asset(fleet.web01))
    grain = fleet.json("salt", "web01", "grains.get", "cmdb:system:serial_number", "--static")
    assert grain == {"web01": "DEMO8K2"}


def test_a_minion_finds_itself_in_order(fleet):
    answer = fleet.json("salt-call", "cmdb.check", on=fleet.web01)["local"]
    assert answer["ok"] is True
    assert answer["sections"]["memory"] == "ok"
    # A captured tree has no devices that the slow collectors could ask.
    assert set(answer["sections"].values()) == {"ok", "this machine gives no way to tell"}


def test_what_one_minion_sent_no_other_minion_can_read(fleet):
    fleet.collect(fleet.web01)
    seen = fleet.json("salt", "web*", "mine.get", "web01", "cmdb.report", "--static")
    assert list(seen["web01"]) == ["web01"]
    assert seen["web02"] == {}


def test_a_machine_without_a_master_writes_by_the_returner(fleet, tmp_path):
    config = {
        "id": "laptop",
        "file_client": "local",
        "root_dir": str(tmp_path),
        "cmdb": {"database_url": fleet.database.url, "root": str(tmp_path / "nothing")},
    }
    (tmp_path / "minion").write_text(json.dumps(config))
    laptop = type("Masterless", (), {"id": "laptop", "config_dir": tmp_path})
    command = ("--local", "cmdb.collect", "send=False", "--return", "cmdb")
    report = fleet.json("salt-call", *command, on=laptop)["local"]
    assert fleet.asset(laptop)["mode"] == report["mode"] == "return"
