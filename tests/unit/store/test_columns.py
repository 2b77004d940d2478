"""What the asset list shows, whatever a machine says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salt_ext.facts.identity import identify
from salt_ext.store.columns import LARGEST, LARGEST_COUNT, list_columns, place_of
from salt_ext.store.parts import placements
from salt_ext.store.schema import LIST_COLUMNS
from tests.machines import server

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.text(max_size=2), scalars)
FIELDS = {
    "system": ["manufacturer", "product_name", "serial_number", "uuid", "family"],
    "operating_system": ["pretty_name", "name", "hostname", "kernel_release", "machine_id"],
    "processors": ["model", "threads"],
    "memory": ["installed_bytes", "total_bytes"],
    "virtual": ["role", "container", "cloud"],
    "location": ["site", "rack"],
    "disks": ["size_bytes"],
    "network": ["name", "kind", "addresses", "default_address", "permanent_mac", "pci_slot"],
    "baseboards": ["serial_number", "manufacturer", "type"],
    "chassis": ["serial_number", "type", "asset_tag"],
}
hostile = st.fixed_dictionaries(
    {},
    optional={
        section: st.dictionaries(st.sampled_from(fields), anything)
        | st.lists(st.dictionaries(st.sampled_from(fields), anything), max_size=3)
        for section, fields in FIELDS.items()
    },
)


@settings(max_examples=200, deadline=None)
@given(hostile)
def test_no_facts_break_the_columns_or_the_identity(facts):
    found = identify(facts)
    for candidate in found["candidates"]:
        assert isinstance(candidate["value"], str)
    columns = list_columns(facts, [one["kind"] for one in found["candidates"]])
    assert set(columns) | {"temporary"} == {*LIST_COLUMNS, "from_list"}
    for name, value in columns.items():
        if name in ("memory_bytes", "disk_bytes", "disk_count", "processor_threads"):
            limit = LARGEST_COUNT if name == "processor_threads" else LARGEST
            assert value is None or (type(value) is int and 0 <= value <= limit)
        else:
            assert value is None or (isinstance(value, str) and len(value) <= 500)


def test_a_serial_that_is_a_placeholder_is_not_shown_as_one():
    facts = server(1)
    facts["system"]["serial_number"] = "To Be Filled By O.E.M."
    facts["baseboards"] = [{"manufacturer": "ASUS", "serial_number": "A1B2C3D4"}]
    kinds = [one["kind"] for one in identify(facts)["candidates"]]
    assert list_columns(facts, kinds)["sn"] == "A1B2C3D4"


def test_a_guest_and_a_container_are_told_from_hardware():
    for virtual, kind in (
        ({"role": "none"}, "physical"),
        ({"role": "guest"}, "virtual"),
        ({"role": "guest", "container": "lxc"}, "container"),
    ):
        assert list_columns(server(1, virtual=virtual), [])["kind"] == kind


def test_a_container_has_no_parts_of_its_own():
    host = server()
    assert placements(host)
    assert placements({**host, "virtual": {"role": "none", "container": "lxc"}}) == {}


def test_a_drive_without_a_medium_is_no_disk_of_the_list():
    slot = {"name": "sdb", "removable": True, "transport": "usb"}
    disk = {"name": "sda", "removable": False, "size_bytes": 960}
    offline = {"name": "sdc", "removable": False}
    columns = list_columns({"disks": [disk, offline, slot]}, [])
    assert (columns["disk_count"], columns["disk_bytes"]) == (2, 960)
    with_medium = {**slot, "size_bytes": 64}
    assert list_columns({"disks": [disk, with_medium]}, [])["disk_count"] == 2


PLACES = ("site", "room", "rack", "unit")


def four(*values):
    return {name: value for name, value in zip(PLACES, values, strict=True) if value}


@pytest.mark.parametrize(
    ("reported", "listed", "shown", "from_list"),
    [
        pytest.param(
            four("sh9", "", "Z1", "U09"),
            four("sh1", "3F-301", "C02", "32"),
            ("sh9", None, "Z1", "U09"),
            None,
            id="another site: nothing of it",
        ),
        pytest.param(
            four("sh9", "", "", ""),
            four("sh1", "301", "C02", "32"),
            ("sh9", None, None, None),
            None,
            id="another site, and nothing else is reported",
        ),
        pytest.param(
            four("", "", "Z1", ""),
            four("sh1", "301", "C02", "32"),
            ("sh1", "301", "Z1", None),
            "site, room",
            id="another rack: what is above it",
        ),
        pytest.param(
            four("SH-1", "", "C02", ""),
            four("sh1机房", "301", "C-2机柜", "32"),
            ("SH-1", "301", "C02", "32"),
            "room, unit",
            id="the same in other words",
        ),
        pytest.param(
            four("sh9", "", "", ""),
            four("", "301", "C02", "32"),
            ("sh9", "301", "C02", "32"),
            "room, rack, unit",
            id="a list without sites",
        ),
    ],
)
def test_a_place_is_not_mixed_from_two_that_contradict_each_other(
    reported, listed, shown, from_list
):
    assert place_of(reported, listed) == {
        **dict(zip(PLACES, shown, strict=True)),
        "from_list": from_list,
    }
