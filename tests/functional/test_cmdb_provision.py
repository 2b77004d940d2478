"""``cmdb.provision`` and ``cmdb.installations``: what may be installed, and what came of it."""

import re

import pytest

from salt_ext import store
from tests.machines import arrival, server

UUID = "4c4c4544-0058-5910-805a-b9c04f000041"
MAC = "52:54:00:00:00:41"
OK, DIFFERENT, WRONG = 0, 1, 2


@pytest.fixture
def plan(cmdb):
    """A function that plans a machine by commands alone."""

    def planned(sn="NEW1", lifecycle="planned", **fields):
        fields = {"hostname": sn.lower(), "uuid": UUID, "mac": MAC, "profile": "debian12"} | fields
        _, status, text = cmdb("expected", "set", sn, **fields)
        assert status == OK, text
        if lifecycle:
            assert cmdb("lifecycle", sn, lifecycle, reason="new racks")[1] == OK

    return planned


def provision(cmdb, *args, **kwargs):
    return cmdb("provision", *args, **{"reason": "new racks, CHG-1", **kwargs})


def test_what_is_planned_is_opened_once_and_revoked(cmdb, plan):
    plan(disk_layout="lvm:sda", address="10.0.0.5")
    answer, status, text = provision(cmdb, "NEW1", test=True)
    assert (status, "1 installation would be opened" in text) == (OK, True), text
    assert cmdb("installations")[0]["total"] == 0
    answer, status, text = provision(cmdb, "NEW1")
    assert status == OK, text
    [opened] = answer["opened"]
    assert (opened["macs"], opened["address"]) == ([MAC], "10.0.0.5")
    assert re.search(r"^new1 +NEW1 +debian12 +4c4c4544-.* lvm:sda +in 59m", text, re.M), text
    assert "/boot.ipxe (the setting provisioner_url says where yours is)" in text
    answer, status, text = provision(cmdb, "NEW1")
    assert (status, answer["opened"]) == (DIFFERENT, [])
    assert "an installation of it is open until" in text
    _, _, text = cmdb("installations")
    assert re.search(r"^new1 +NEW1 +open +debian12 ", text, re.M), text
    assert provision(cmdb, UUID, revoke=True, test=True)[0]["rows"][0][2] == "would be revoked"
    answer, status, _ = provision(cmdb, "NEW1", revoke=True)
    assert (status, answer["rows"][0][:3]) == (OK, ["new1", "debian12", "revoked"])
    assert [row[2] for row in cmdb("installations")[0]["rows"]] == ["revoked"]
    assert provision(cmdb, "NEW1", expires="30m")[1] == OK


@pytest.mark.parametrize(
    ("fields", "lifecycle", "why", "todo"),
    [
        ({}, "", "it is active, not planned or staged", "cmdb.lifecycle new1 staged"),
        ({}, "retired", "it is retired", "cmdb.lifecycle new1 staged"),
        (
            {"uuid": "", "mac": ""},
            "planned",
            "neither its UUID nor a MAC is known, and a serial number alone is no key",
            "cmdb.expected set NEW1 uuid=... or mac=...",
        ),
        ({"hostname": "bad_name"}, "planned", "no host name that is one: bad_name", "hostname=..."),
        ({"disk_layout": "lvm"}, "planned", "names no disk", "disk_layout=lvm:sda"),
        ({"disk_layout": "zfs:sda"}, "planned", "there are: lvm, plain", "disk_layout=lvm:sda"),
        ({"profile": ""}, "planned", "it has no profile", "give profile=..."),
        ({"profile": "../../etc"}, "planned", "its profile has a name with other", "profile="),
    ],
)
def test_a_machine_that_may_not_be_installed_is_told_why_and_what_to_do(
    cmdb, plan, fields, lifecycle, why, todo
):
    plan(lifecycle=lifecycle, **fields)
    answer, status, text = provision(cmdb, "NEW1")
    assert (status, answer["opened"]) == (DIFFERENT, [])
    assert why in answer["refused"][0]["why"], text
    assert todo in text
    assert cmdb("installations")[0]["total"] == 0


def test_a_placeholder_is_refused_where_it_is_planned(cmdb):
    for wrong in ({"uuid": "03000200-0400-0500-0006-000700080009"}, {"mac": "00:00:00:00:00:00"}):
        _, status, text = cmdb("expected", "set", "NEW1", **wrong)
        assert (status, "names no machine" in text) == (WRONG, True), text


def test_a_placeholder_of_a_list_is_refused_where_it_is_installed(cmdb, database):
    fields = {"hostname": "new1", "uuid": "03000200-0400-0500-0006-000700080009"}
    store.set_expected(database, "NEW1", {**fields, "list.profile": "x"}, by="list")
    cmdb("lifecycle", "NEW1", "planned", reason="x")
    answer, status, _ = provision(cmdb, "NEW1")
    assert status == DIFFERENT
    assert "the UUID of its plan cannot be a key: the example UUID" in answer["refused"][0]["why"]


@pytest.mark.parametrize(
    "address",
    ["10.0.0.999", "garbage", "web01.example", "10.0.0.5, 10.0.0.6", "10.0.0.5/24 10.0.0.6"],
)
def test_a_planned_address_that_is_not_one_address_is_refused_and_never_left_out(
    cmdb, plan, address
):
    plan(address=address)
    answer, status, _ = provision(cmdb, "NEW1")
    assert (status, answer["opened"]) == (DIFFERENT, [])
    [refused] = answer["refused"]
    assert (
        refused["why"]
        == "the address of its plan cannot be that of a machine: it is not one IP address"
    )
    assert refused["todo"].startswith("salt-run cmdb.expected set NEW1 address=...")


def test_an_instruction_to_cloud_init_is_no_serial_number_and_not_repeated(cmdb, plan):
    serial = "ds=nocloud;s=http://10.0.0.1/secret/"
    plan(sn=serial, hostname="new1")
    answer, status, text = provision(cmdb, "new1")
    assert (status, answer["opened"]) == (DIFFERENT, [])
    assert "is an instruction to cloud-init" in text
    assert "secret" not in text


def test_keys_that_another_installation_or_machine_has_are_refused(cmdb, plan, database):
    plan()
    plan("NEW2")
    plan("NEW3", uuid="4c4c4544-0058-5910-805a-b9c04f000001", mac="52:54:00:00:00:43")
    assert provision(cmdb, "NEW1")[1] == OK
    _, status, text = provision(cmdb, sn="NEW2")
    assert status == DIFFERENT, text
    assert "the open installation of new1 has the same UUID or MAC" in text
    other = server(1)
    del other["system"]["serial_number"]
    store.ingest(database, [arrival(other, "web01")])
    # The plan turned out to be that machine: it is the machine that is installed anew.
    _, status, text = provision(cmdb, "web01", test=True)
    assert (status, "1 installation would be opened" in text) == (OK, True), text


def test_a_key_that_a_machine_shows_which_a_plan_does_not_mean_is_refused(cmdb, plan, database):
    store.ingest(database, [arrival(server(1), "web01"), arrival(server(2), "web02")])
    both = "4c4c4544-0058-5910-805a-b9c04f000001", "52:54:00:00:00:01 52:54:00:00:00:02"
    plan(uuid="", mac=both[1])
    answer, status, _ = provision(cmdb, "NEW1")
    assert status == DIFFERENT
    assert re.match(r"web0[12] reports this UUID or MAC", answer["refused"][0]["why"])


def test_a_whole_rack_is_opened_and_what_is_wrong_with_one_stops_no_other(cmdb, plan):
    for number in range(3):
        plan(f"R{number}", uuid="", mac=f"52:54:00:00:01:0{number}", rack="R01")
    plan("R9", uuid="", mac="", rack="R01")
    answer, status, text = provision(cmdb, rack="R01", profile="rocky9")
    assert status == DIFFERENT
    assert {one["name"] for one in answer["opened"]} == {"r0", "r1", "r2"}, text
    assert {one["profile"] for one in answer["opened"]} == {"rocky9"}
    assert [one["name"] for one in answer["refused"]] == ["r9"]
    assert "3 installations open, 1 refused" in text
    assert cmdb("installations", rack="R01", state="open")[0]["total"] == 3


def test_a_second_machine_is_never_taken_for_a_profile(cmdb, plan):
    plan()
    plan("NEW2", uuid="", mac="52:54:00:00:00:42")
    _, status, text = provision(cmdb, "NEW1", "NEW2")
    assert (status, "several by a filter such as sn__in=" in text) == (WRONG, True), text
    assert len(provision(cmdb, sn__in="NEW1,NEW2")[0]["opened"]) == 2


def test_a_reason_is_asked_for(cmdb, plan):
    plan()
    _, status, text = cmdb("provision", "NEW1")
    assert (status, "why? give reason=" in text) == (WRONG, True)


def test_installations_go_into_a_file_with_all_their_columns(cmdb, plan, tmp_path):
    plan()
    provision(cmdb, "NEW1")
    cmdb("installations", out_file=str(tmp_path / "all.csv"))
    head, row = (tmp_path / "all.csv").read_text(encoding="utf-8-sig").splitlines()
    assert {"uuid", "macs", "reason", "outcome"} < set(head.split(","))
    assert "new racks, CHG-1" in row or '"new racks, CHG-1"' in row
