"""Whatever people know of a machine or a part, in whatever spelling, finds it and no other."""

from importlib import import_module

import pytest
import sqlalchemy as sa

from salt_ext import store
from tests.citus import one_server
from tests.machines import arrival, later, server
from tests.postgres import open_store

ACT = store.Act("operator", "test", False)


def rich(number):
    """A server that shows every kind of identifier, each of its own."""
    facts = server(number)
    facts["network"].append(
        {
            "name": "ib0",
            "kind": "physical",
            "mac": f"7c:fe:90:03:00:a1:b2:{number:02x}",
            "addresses": [f"192.0.2.{number}/24", f"2001:db8:0:1::{number:x}/64"],
        }
    )
    facts["bmc"] = {
        "present": True,
        "mac": f"2c:ea:7f:00:00:{number:02x}",
        "addresses": [f"10.128.0.{number}/10"],
        "hostname": f"idrac-{number:03d}",
    }
    facts["disks"][0]["wwn"] = f"5002538f000000{number:02x}"
    facts["disks"].append(
        {
            "name": "nvme0n1",
            "model": "M",
            "serial_number": f"PHLN{number:06d}",
            "eui64": f"0025385f000000{number:02x}",
            "nguid": f"{number:02x}" + "3634473052700023" + "002538450000a1",
        }
    )
    facts["chassis"] = [
        {
            "manufacturer": "Dell Inc.",
            "serial_number": f"CH/{number:03d} A%",
            "asset_tag": f"RZ-{number:04d}",
        }
    ]
    facts["power_supplies"] = [{"location": "PSU1", "serial_number": f"PSU7{number:06d}"}]
    facts["cloud"] = {"provider": "aws", "instance_id": f"i-0abc{number:08x}"}
    return facts


@pytest.fixture(scope="module")
def fleet(new_database):
    database = open_store(new_database())
    names = {1: "web01.example.com", 2: "WEB02", 3: "db03", 12: "web12", 17: "10.9.9.9"}
    store.ingest(database, [arrival(rich(one), name) for one, name in names.items()])
    yield database
    database.close()


SPELLINGS = {
    "minion_id": [
        "web01.example.com",
        "WEB01.EXAMPLE.COM",
        "web01",
        " web01 ",
        "web01.example.com.",
    ],
    "sn": ["9XYZ001", "9xyz001"],
    "a disk": ["S64F000001", "s64f000001"],
    "a memory module": ["4F0001A1", "4f0001a1"],
    "a power supply": ["PSU7000001", "psu7000001"],
    "the board": [".9XYZ001.CNIVC0000001.", "CNIVC0000001"],
    "the chassis": ["CH/001 A%", "ch/001 a%"],
    "the asset tag": ["RZ-0001", "rz-0001", "RZ\u20130001"],
    "the uuid": [
        "4c4c4544-0058-5910-805a-b9c04f000001",
        "44454C4C-5800-1059-805A-B9C04F000001",
        "4c4c454400585910805ab9c04f000001",
        "{4C4C4544-0058-5910-805A-B9C04F000001}",
    ],
    "a mac": ["52:54:00:00:00:01", "52-54-00-00-00-01", "5254.0000.0001", "525400000001"],
    "a link-local address": ["fe80::5054:ff:fe00:1%eno1"],
    "a port of InfiniBand": [
        "7c:fe:90:03:00:a1:b2:01",
        "0x7cfe900300a1b201",
        "7cfe:9003:00a1:b201",
    ],
    "a wwn": ["5002538f00000001", "0x5002538F00000001", "naa.5002538f00000001"],
    "a wwn with colons": ["50:02:53:8f:00:00:00:01", "wwn-0x5002538f00000001"],
    "an eui64": ["0025385f00000001", "eui.0025385f00000001"],
    "an nguid": ["013634473052700023002538450000a1", "0x013634473052700023002538450000A1"],
    "an address": ["192.0.2.1", "192.0.2.1/24", "::ffff:192.0.2.1"],
    "an address of IPv6": ["2001:db8:0:1::1", "2001:DB8:0:1:0:0:0:1", "2001:db8:0:1::1/64"],
    "the bmc": ["10.128.0.1", "2c:ea:7f:00:00:01", "2CEA7F000001", "idrac-001", "IDRAC-001"],
    "the cloud's id": ["i-0abc00000001", "I-0ABC00000001"],
}


@pytest.mark.parametrize(
    "text", [one for texts in SPELLINGS.values() for one in texts], ids=lambda text: ascii(text)
)
def test_any_spelling_of_any_identifier_finds_its_machine_and_no_other(fleet, text):
    rows, more = store.lookup(fleet, text)
    assert {row["minion_id"] for row in rows} == {"web01.example.com"}
    assert {row["known"] for row in rows} == {"present"}
    assert not more
    if all(row["what"] not in PARTS for row in rows):
        assert store.resolve(fleet, text) == rows[0]["asset_id"]


PARTS = ("disks", "memory.devices", "power_supplies", "baseboards", "chassis", "network")


def test_it_is_said_what_fits_and_where(fleet):
    def said(text):
        return {(row["what"], row["value"], row["place"]) for row in store.lookup(fleet, text)[0]}

    assert said("10.128.0.1") == {("bmc.addresses", "10.128.0.1", "")}
    assert said("192.0.2.1") == {("network.addresses", "192.0.2.1", "ib0")}
    assert said("naa.5002538f00000001") == {("disks.wwn", "5002538f00000001", "sda")}
    assert ("power_supplies", "PSU7000001", "PSU1") in said("psu7000001")


def test_a_machine_whose_name_is_an_address_is_found_by_it(fleet):
    assert [row["minion_id"] for row in store.lookup(fleet, "10.9.9.9")[0]] == ["10.9.9.9"]


def test_a_name_with_a_domain_finds_the_machine_that_has_none(fleet):
    rows, _ = store.lookup(fleet, "web02.example.com")
    assert {row["minion_id"] for row in rows} == {"WEB02"}
    assert store.lookup(fleet, "db03.example.com.")[0]


def test_an_sn_that_lost_its_zeros_finds_its_machine(database):
    facts = server(1)
    facts["system"]["serial_number"] = "00012345678"
    store.ingest(database, [arrival(facts)])
    assert {row["minion_id"] for row in store.lookup(database, "12345678")[0]} == {"web01"}


def test_a_piece_finds_all_that_have_it_and_more_is_said(fleet):
    rows, more = store.lookup(fleet, "PHLN0000")
    assert len({row["minion_id"] for row in rows}) == 5
    assert not more
    rows, more = store.lookup(fleet, "PHLN0000", 3)
    assert (len(rows), more) == (3, True)
    rows, _ = store.lookup(fleet, "idrac-0")
    assert {row["what"] for row in rows} == {"bmc.hostname"}
    assert store.lookup(fleet, "0%") == ([], False)


def test_what_only_describes_machines_opens_none(fleet):
    with pytest.raises(store.NotFound):
        store.resolve(fleet, "dell inc.")
    rows, _ = store.lookup(fleet, "dell inc.")
    assert {row["what"] for row in rows} == {"manufacturer"}


def test_two_machines_with_one_number_are_two(database):
    one, other = server(1), server(2)
    for facts in (one, other):
        facts["bmc"] = {"present": True, "addresses": ["192.168.0.120/24"]}
    store.ingest(database, [arrival(one, "web01"), arrival(other, "web02")])
    rows, _ = store.lookup(database, "192.168.0.120")
    assert [row["minion_id"] for row in rows] == ["web01", "web02"]
    with pytest.raises(store.NotFound, match="means several assets: web01"):
        store.resolve(database, "192.168.0.120")


def test_former_names_and_addresses_find_the_machine_that_had_them(database):
    store.ingest(database, [arrival(server(1), "old01")])
    facts = server(1)
    facts["operating_system"]["hostname"] = "fresh.example.com"
    facts["network"][0]["addresses"] = ["10.7.7.7/16"]
    store.ingest(database, [arrival(facts, "old01", later(minutes=5))])
    store.rename(database, store.resolve(database, "old01"), "new01", ACT)
    for text in ("old01", "OLD01", server(1)["operating_system"]["hostname"], "10.0.0.1/16"):
        rows, _ = store.lookup(database, text)
        assert {(row["minion_id"], row["known"]) for row in rows} == {("new01", "former")}, text
    rows, _ = store.lookup(database, "fresh")
    assert {(row["minion_id"], row["known"]) for row in rows} == {("new01", "present")}


def test_a_disk_is_found_where_it_was_and_where_it_is(database):
    donor, heir = server(1), server(2)
    store.ingest(database, [arrival(donor, "web01"), arrival(heir, "web02")])
    disk = donor["disks"].pop()
    heir["disks"].append({**disk, "name": "sdb"})
    store.ingest(database, [arrival(donor, "web01", later(minutes=1))])
    store.ingest(database, [arrival(heir, "web02", later(minutes=2))])
    rows, _ = store.lookup(database, disk["serial_number"].lower())
    assert [(row["minion_id"], row["known"]) for row in rows] == [
        ("web02", "present"),
        ("web01", "former"),
    ]
    assert rows[1]["until_at"] == later(minutes=1)


def test_a_held_machine_is_found_by_its_name_and_by_what_it_shows(database):
    store.ingest(database, [arrival(server(1), "m1"), arrival(server(2), "m2")])
    stolen = server(2)
    stolen["system"] = server(1)["system"]
    stolen["operating_system"]["machine_id"] = "0" * 31 + "7"
    [outcome] = store.ingest(database, [arrival(stolen, "m3", later(minutes=5))])
    assert outcome.status == "held"
    [row], _ = store.lookup(database, "M3")
    assert (row["what"], row["minion_id"], row["asset_id"]) == (store.HELD, "m3", None)
    rows, _ = store.lookup(database, "9xyz001")
    assert {row["minion_id"] for row in rows} == {"m1", "m3"}


@pytest.mark.parametrize("text", ["", " ", "\0", "\ud800", "%", "_", "'", "\\", "a" * 5000, "\x1d"])
def test_no_text_breaks_it(fleet, text):
    assert store.lookup(fleet, text) == ([], False)


@one_server("a store is spread later than by this migration")
def test_the_migration_makes_the_search_text_that_reports_make(fleet):
    step = import_module("salt_ext.store.migrations.versions.0012_search")
    ask = sa.text("SELECT minion_id, search FROM asset ORDER BY id")
    with fleet.begin() as link:
        before = {name: set(search.split("\n")) for name, search in link.execute(ask)}
        link.execute(sa.text("UPDATE asset SET search = ''"))
        link.exec_driver_sql(step.SEARCH.replace("%", "%%"))
        after = {name: set(search.split("\n")) for name, search in link.execute(ask)}
        link.rollback()
    assert after == before
