"""What free text is looked for in, and by which lines an asset is known."""

from salt_ext.facts.identity import identify
from salt_ext.store.columns import list_columns
from salt_ext.store.search import KNOWN, LENGTH, LISTED, numbers, search_text, with_listed
from tests.machines import server

BMC = {
    "mac": "2C:EA:7F:00:00:01",
    "addresses": ["10.128.0.1/10"],
    "gateway": "10.128.0.254",
    "hostname": "idrac-9XYZ001",
    "other_channels": [{"channel": 8, "addresses": ["2001:DB8:0:0::8/64"]}],
    "redfish": {"addresses": ["169.254.1.1"], "hostname": "web01-bmc"},
}
DISKS = [
    {"name": "sda", "serial_number": "S64F000001", "wwn": "5002538f00000001"},
    {"name": "nvme0n1", "eui64": "0025385f00000001", "nguid": "36" * 16, "uuid": "ab" * 16},
]


def text_of(facts, minion_id="web01"):
    kinds = [one["kind"] for one in identify(facts)["candidates"]]
    return search_text(minion_id, list_columns(facts, kinds), facts)


def known(facts):
    return text_of(facts).partition(KNOWN)[2].split("\n")


def test_an_asset_is_known_by_its_names_its_numbers_and_the_addresses_of_all_its_interfaces():
    facts = server(1, bmc=BMC, disks=DISKS)
    facts["network"].append({"name": "bond0", "kind": "bond", "addresses": ["192.0.2.7/24"]})
    lines = known(facts)
    for line in (
        *("web01", "9xyz001", "10.0.0.1", "192.0.2.7", "52:54:00:00:00:01"),
        *("2c:ea:7f:00:00:01", "10.128.0.1", "idrac-9xyz001", "2001:db8::8", "web01-bmc"),
        *("5002538f00000001", "0025385f00000001", "36" * 16, "ab" * 16),
        "4c4c4544-0058-5910-805a-b9c04f000001",
    ):
        assert line in lines, line
    assert "10.128.0.254" not in lines
    assert len(lines) == len(set(lines))


def test_what_describes_it_is_no_name_of_it():
    described, _, _ = text_of(server(1)).partition(KNOWN)
    model = server(1)["system"]["product_name"].lower()
    assert model in described.split("\n")
    assert model not in known(server(1))


def test_a_placeholder_is_no_number():
    facts = server(1)
    facts["chassis"] = [{"asset_tag": "Default string"}, {"asset_tag": "RZ-4711"}]
    assert "rz-4711" in known(facts)
    assert "default string" not in known(facts)


def test_what_lists_say_stands_behind_and_is_said_once():
    first = with_listed(text_of(server(1)), {"list.owner": "Web Team"})
    assert first.endswith(f"{LISTED}web team")
    second = with_listed(first, {"list.owner": "Ann"})
    assert second.endswith(f"{LISTED}ann")
    assert second.count(LISTED) == 1
    assert with_listed(second, None) == text_of(server(1))


def test_thousands_of_addresses_do_not_push_the_names_out():
    facts = server(1, disks=DISKS)
    facts["network"] = [
        {"name": f"veth{one}", "addresses": [f"10.{one >> 8}.{one & 255}.1/24"]}
        for one in range(5000)
    ]
    text = text_of(facts)
    assert len(text) == LENGTH
    assert "5002538f00000001" in text


def test_no_shape_of_a_section_breaks_it():
    for bad in (None, 7, "text", [], [1, None, "x", [{}]], {"a": {"addresses": [1, None, {}]}}):
        assert [*numbers(dict.fromkeys(("network", "bmc", "disks", "chassis"), bad))] == []
