"""What is sent to NetBox, and what it refuses: without a NetBox."""

import pytest

from salt_ext.feeds.handed import Handed, address_of
from salt_ext.feeds.push.netbox import OPTIONS, NetBox
from salt_ext.feeds.push.netbox_api import each, said
from salt_ext.feeds.push.netbox_kinds import host_of, interface_of, wanted_of
from salt_ext.feeds.push.netbox_related import slug
from salt_ext.feeds.push.plan import differences
from salt_ext.feeds.push.target import Found, Push

ROW = {
    "kind": "physical",
    "sn": "9XYZ001",
    "product_name": "PowerEdge R750",
    "site": "fra1",
    "rack": "R07",
    "unit": "12",
    "os": "Debian GNU/Linux 12 (bookworm)",
    "processor_threads": 64,
    "memory_bytes": 2**38,
}


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        # NetBox 4.6 and later: new objects by position, others by id.
        ({"detail": "1 of 2", "errors": [{"index": 1, "errors": {"serial": ["Long."]}}]}, "serial"),
        ({"detail": "1 of 2", "errors": [{"id": 8, "errors": {"serial": ["Long."]}}]}, "serial"),
        # Older ones: a list as long as the bulk.
        ([{}, {"serial": ["Long."]}], "serial"),
        ([{}, {"__all__": ["Long."]}], ""),
    ],
)
def test_a_refusal_names_the_objects_that_it_is_for(answer, refused):
    why = f"{refused}: Long." if refused else "Long."
    assert each(answer, [{"id": 7}, {"id": 8}]) == {1: why}


@pytest.mark.parametrize(
    "answer", [{"detail": "No."}, {"errors": "No."}, {"errors": [{"index": 9}]}, [{}], None, "No."]
)
def test_of_another_answer_nobody_is_named(answer):
    assert each(answer, [{"id": 7}, {"id": 8}]) == {}
    assert said(answer)


def test_an_error_is_a_line_with_the_fields_it_is_about():
    answer = {"name": ["Too long.", "Taken."], "site": {"id": ["Wrong."]}, "__all__": ["No\nway."]}
    assert said(answer) == "name: Too long.; name: Taken.; id: Wrong.; No way."
    assert len(said({"name": ["x" * 5000]})) < 400


def test_short_names_are_ascii_and_do_not_meet():
    assert slug("Debian GNU/Linux 12 (bookworm)") == "debian-gnu-linux-12-bookworm"
    assert slug("上海") != slug("北京")
    assert slug("Zürich").startswith("zurich-")
    assert all(len(slug(name)) <= 100 for name in ("x" * 300, "上" * 300, "é" * 300))


@pytest.mark.parametrize(
    ("unit", "position"), [("12", 12), ("U07", 7), (" u1 ", 1), ("12-14", None), ("0", None)]
)
def test_a_unit_that_is_one_number_is_a_position(unit, position):
    assert wanted_of({**ROW, "unit": unit}, "")["position"] == position


def test_without_a_site_there_is_no_rack_and_without_a_rack_no_position():
    fields = wanted_of({**ROW, "site": None}, "10.0.0.1")
    assert (fields["site"], fields["rack"], fields["position"]) == (None, None, None)
    assert wanted_of({**ROW, "rack": ""}, "")["position"] is None


def test_a_guest_has_processors_and_memory_and_no_rack():
    fields = wanted_of({**ROW, "kind": "virtual"}, "fd00::1")
    assert (fields["vcpus"], fields["memory"]) == (64, 262144)
    assert (fields["IPv4"], fields["IPv6"]) == (None, "fd00::1")
    assert not {"rack", "position", "device type"} & fields.keys()


@pytest.mark.parametrize(
    ("there", "ours"),
    [
        ("::10.0.0.1/128", address_of("::10.0.0.1")),
        ("2001:DB8:0::1/64", "2001:db8::1"),
        ("10.0.0.1/24", "10.0.0.1"),
        ("no address/24", "no address"),
    ],
)
def test_an_address_is_compared_and_not_how_it_is_written(there, ours):
    assert host_of(there) == ours


def test_an_interface_is_what_the_facts_tell_of_it():
    told = {"name": "bond0", "kind": "bond", "mac": "52:54:00:00:00:01"}
    addresses = ["10.0.0.10/8", "10.0.0.1/24"]
    row = {"address": "10.0.0.1", "interface": {**told, "addresses": addresses}}
    assert interface_of(row) == ("bond0", "lag", "52:54:00:00:00:01", "24")
    # InfiniBand has a GUID there; other sources tell the address alone.
    other = {"name": "ib0", "mac": "0:1:2", "addresses": ["10.0.0.1"]}
    assert interface_of({**row, "interface": other}) == ("ib0", "other", None, None)
    # Blanks at its ends NetBox does not keep, and would not find it by them.
    assert interface_of({**row, "interface": {"name": " eth0 "}}).name == "eth0"
    assert interface_of({**row, "interface": {"name": "  "}}).name == "primary"
    assert interface_of({**row, "interface": None}) == ("primary", "other", None, None)


def netbox(**options):
    usual = {"ca_file": "", **{name: option.default for name, option in OPTIONS.items()}}
    return NetBox(Push("p", "netbox", "http://127.0.0.1:1", "t", {}, {**usual, **options}))


def wanted(target, **told):
    address = "10.0.0.1"
    row = {**ROW, "id": 1, "manufacturer": "Dell", "address": address, "interface": None, **told}
    return target.fields(Handed("web01", address, row))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"only_at_first": ["site", "rack", "position"]}, {}),
        ({"only_at_first": ["site"]}, {}),
        ({"cluster": "kvm"}, {"kind": "virtual"}),
        ({}, {"product_name": None}),
    ],
)
def test_what_is_not_ours_any_more_or_told_no_more_stays_in_netbox(options, told):
    before = wanted(netbox(), kind=told.get("kind", "physical"))
    now = netbox(**options)
    assert differences(wanted(now, **told), before, before, now.keeps) == {}


def test_a_machine_that_tells_no_site_any_more_stays_at_its_site():
    before, now = wanted(netbox()), netbox()
    changes = differences(wanted(now, site=None), before, before, now.keeps)
    assert changes == {"rack": None, "position": None}


def test_where_people_say_the_site_the_rack_is_theirs_too():
    target = netbox(only_at_first=["site"])
    there = {**wanted(netbox()), "site": "ams1", "rack": "ams1 / A01", "position": 3}
    assert differences(wanted(target), there, {}, target.keeps) == {}


def test_a_device_that_is_a_guest_now_is_told_what_to_do():
    there = Found("dcim/devices/1", {"kind": "device", "site": "fra1"}, {"id": 1})
    [why] = netbox().lacking([(there, {"kind": "virtual machine"})]).values()
    assert "clear its custom field cmdb_asset_id there, then with recreate=True" in why
