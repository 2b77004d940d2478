"""Neighbours as lldpctl tells them, in both of the forms it has."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salt_ext.facts.clean import clean
from salt_ext.facts.lldp import _is_understood, from_json, from_keyvalue, lldp
from tests.corpus import corpus_files, corpus_name, needs_corpus
from tests.unit.facts.trees import tree

SWITCH = {
    "id": {"type": "mac", "value": "00:07:CB:0B:6C:D7"},
    "descr": "Switch OS 1.2",
    "mgmt-ip": ["10.48.16.15", "2001:db8::1"],
    "capability": [{"type": "Bridge", "enabled": True}],
}
PORT = {"id": {"type": "ifname", "value": "Gi1/0/9"}, "descr": "to web01", "ttl": "120"}
VLANS = [
    {"vlan-id": "301", "pvid": False, "value": "VLAN301"},
    {"vlan-id": "300", "pvid": True, "value": "VLAN300"},
]
NEIGHBOUR = {
    "name": "eth0",
    "protocol": "lldp",
    "system_name": "sw1",
    "system_description": "Switch OS 1.2",
    "chassis_id_type": "mac",
    "chassis_id": "00:07:cb:0b:6c:d7",
    "management_addresses": ["10.48.16.15", "2001:db8::1"],
    "port_id_type": "ifname",
    "port_id": "Gi1/0/9",
    "port_description": "to web01",
    "vlan_id": 300,
    "vlans": [{"id": 300, "name": "VLAN300"}, {"id": 301, "name": "VLAN301"}],
    "volatile": {"age": "1 day, 00:00:39"},
}
KEYVALUE = """
lldp.eth0.via=LLDP
lldp.eth0.rid=1
lldp.eth0.age=1 day, 00:00:39
lldp.eth0.chassis.mac=00:07:CB:0B:6C:D7
lldp.eth0.chassis.name=sw1
lldp.eth0.chassis.descr=Switch OS 1.2
lldp.eth0.chassis.mgmt-ip=10.48.16.15
lldp.eth0.chassis.mgmt-ip=2001:db8::1
lldp.eth0.port.ifname=Gi1/0/9
lldp.eth0.port.descr=to web01
lldp.eth0.vlan.vlan-id=301
lldp.eth0.vlan.pvid=no
lldp.eth0.vlan=VLAN301
lldp.eth0.vlan.vlan-id=300
lldp.eth0.vlan.pvid=yes
lldp.eth0.vlan=VLAN300
"""


def document(interfaces):
    return json.dumps({"lldp": {"interface": interfaces}})


def neighbour(name="sw1", vlans=VLANS, chassis=SWITCH):
    return {
        "via": "LLDP",
        "rid": "1",
        "age": "1 day, 00:00:39",
        "chassis": {name: chassis} if name else chassis,
        "port": PORT,
        "vlan": vlans,
    }


def test_both_forms_say_the_same():
    assert from_json(document([{"eth0": neighbour()}])) == [NEIGHBOUR]
    assert from_keyvalue(KEYVALUE) == [NEIGHBOUR]


def test_one_interface_one_vlan_and_one_address_stand_without_a_list():
    one = {**SWITCH, "mgmt-ip": "10.48.16.15"}
    found = from_json(document({"eth0": neighbour(vlans=VLANS[1], chassis=one)}))
    assert found[0]["management_addresses"] == ["10.48.16.15"]
    assert found[0]["vlans"] == [{"id": 300, "name": "VLAN300"}]
    assert found[0]["vlan_id"] == 300


def test_a_neighbour_without_a_name_has_its_id():
    found = from_json(document([{"eth0": neighbour(name=None)}]))
    assert found[0]["system_name"] is None
    assert found[0]["chassis_id"] == "00:07:cb:0b:6c:d7"


def test_two_neighbours_on_one_port_are_both_listed():
    found = from_json(document([{"eth0": neighbour()}, {"eth0": neighbour(name="sw2")}]))
    assert [item["system_name"] for item in found] == ["sw1", "sw2"]


def test_neighbours_of_one_port_may_have_one_key():
    one, two = (json.dumps(neighbour(name=name)) for name in ("sw1", "sw2"))
    several = f'{{"lldp": {{"interface": {{"eth0": {one}, "eth0": {two}, "eth0": {one}}}}}}}'
    assert [item["system_name"] for item in from_json(several)] == ["sw1", "sw2", "sw1"]
    assert from_json(several)[0] == NEIGHBOUR


def test_a_list_of_neighbours_may_stand_under_the_port():
    found = from_json(document({"eth0": [neighbour(), neighbour(name="sw2")]}))
    assert [item["system_name"] for item in found] == ["sw1", "sw2"]


def test_old_versions_write_every_value_as_a_list():
    def values(*texts):
        return [{"value": text} for text in texts]

    def old(name):
        return {
            "name": "eth0",
            "via": "LLDP",
            "rid": "1",
            "age": "1 day, 00:00:39",
            "chassis": [
                {
                    "id": [SWITCH["id"]],
                    "name": values(name),
                    "descr": values("Switch OS 1.2"),
                    "mgmt-ip": values("10.48.16.15", "2001:db8::1"),
                }
            ],
            "port": [{"id": [PORT["id"]], "descr": values("to web01"), "ttl": values("120")}],
            "vlan": [{**vlan, "pvid": "yes" if vlan["pvid"] else "no"} for vlan in VLANS],
        }

    several = json.dumps({"lldp": [{"interface": [old("sw1"), old("sw2")]}]})
    first, second = from_json(several)
    assert first == NEIGHBOUR
    assert second == {**NEIGHBOUR, "system_name": "sw2"}


SECOND = KEYVALUE.replace("sw1", "sw2").replace("6C:D7", "6C:D8").replace("rid=1", "rid=2")


@pytest.mark.parametrize(
    "left_out", [(), ("via",), ("via", "rid"), ("rid", "age"), ("via", "rid", "age")]
)
def test_key_value_lines_tell_two_neighbours_of_one_port_apart(left_out):
    lines = [
        line
        for line in (KEYVALUE + SECOND).splitlines()
        if not line.startswith(tuple(f"lldp.eth0.{key}=" for key in left_out))
    ]
    first, second = from_keyvalue("\n".join(lines))
    assert (first["system_name"], first["chassis_id"]) == ("sw1", "00:07:cb:0b:6c:d7")
    assert (second["system_name"], second["chassis_id"]) == ("sw2", "00:07:cb:0b:6c:d8")
    assert second["vlans"] == first["vlans"] == NEIGHBOUR["vlans"]


@pytest.mark.parametrize("kind", ["mac", "ifname", "ifalias", "local", "ip", "unhandled"])
def test_the_id_of_a_chassis_and_that_of_a_port_may_be_of_each_type(kind):
    lines = (f"lldp.eth0.chassis.{kind}=10.1.2.3", f"lldp.eth0.port.{kind}=uplink 7")
    first, second = from_keyvalue("\n".join((*lines, *lines)))
    assert first == second
    assert (first["chassis_id_type"], first["chassis_id"]) == (kind, "10.1.2.3")
    assert (first["port_id_type"], first["port_id"]) == (kind, "uplink 7")


def test_a_description_may_have_several_lines():
    text = KEYVALUE.replace("Switch OS 1.2", "Switch OS\nhttp://support.example/?a=b\n\nbuilt Tue")
    (found,) = from_keyvalue(text)
    assert found == {
        **NEIGHBOUR,
        "system_description": "Switch OS\nhttp://support.example/?a=b\nbuilt Tue",
    }


def test_a_neighbour_may_be_called_as_a_field_is():
    chassis = {"id": {"id": SWITCH["id"], "descr": "a switch"}}
    text = json.dumps({"lldp": {"interface": {"eth0": {"via": "LLDP", "chassis": chassis}}}})
    (found,) = from_json(text)
    assert (found["system_name"], found["chassis_id"]) == ("id", NEIGHBOUR["chassis_id"])


def test_lines_of_two_ports_may_be_mixed():
    mixed = [
        line
        for pair in zip(
            KEYVALUE.splitlines(), SECOND.replace("eth0", "eth1").splitlines(), strict=True
        )
        for line in pair
    ]
    found = from_keyvalue("\n".join(mixed))
    assert found == [NEIGHBOUR, *from_keyvalue(SECOND.replace("eth0", "eth1"))]


def test_no_neighbour_is_none_found():
    assert from_json('{"lldp": {}}') == []
    assert from_json('{"lldp": {"interface": []}}') == []
    assert from_keyvalue("") == []


def test_the_name_of_an_interface_may_have_dots():
    found = from_keyvalue("lldp.bond0.100.chassis.name=sw1\nlldp.bond0.100.port.mac=00:AA\n")
    assert found[0]["name"] == "bond0.100"
    assert found[0]["system_name"] == "sw1"
    assert found[0]["port_id"] == "00:aa"


def test_a_captured_tree_has_no_neighbours(tmp_path):
    assert lldp(tree(tmp_path, {"etc/hostname": "web01"})) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["lldp", "interface", "eth0", "chassis", "id", "port", "vlan", "mgmt-ip",
                         "vlan-id", "type", "value"]), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def assert_is_a_section(found):
    """Whatever a parser makes of nonsense, the next step can carry it."""
    assert found is None or all(isinstance(item, dict) for item in clean(found))


@given(JSON)
def test_no_json_makes_the_parser_fail(value):
    assert_is_a_section(from_json(json.dumps(value)))
    assert_is_a_section(from_json(json.dumps({"lldp": {"interface": value}})))
    assert_is_a_section(from_json(document([{"eth0": value}])))


@given(st.text() | st.lists(st.text(alphabet="lp.vanids=-0\n"), max_size=9).map("lldp.".join))
def test_no_text_makes_the_parsers_fail(text):
    assert_is_a_section(from_json(text))
    assert_is_a_section(from_keyvalue(text))


CAPTURED = [pytest.param(path, id=corpus_name(path)) for path in corpus_files("*/lldp/*.txt")]


@needs_corpus
@pytest.mark.parametrize("path", CAPTURED)
def test_every_captured_interface_is_found_with_what_it_says(path):
    text = path.read_text()
    found = {item["name"]: item for item in from_keyvalue(text)}
    pairs = [line.partition("=") for line in text.splitlines() if line.startswith("lldp.")]
    assert found.keys() == {key.split(".")[1] for key, _, _ in pairs}
    ours = {
        "chassis.name": "system_name",
        "chassis.mac": "chassis_id",
        "port.ifname": "port_id",
        "port.descr": "port_description",
    }
    compared = 0
    for key, _, value in pairs:
        name, _, rest = key.removeprefix("lldp.").partition(".")
        if rest in ours:
            assert found[name][ours[rest]] == value
            compared += 1
        elif rest == "vlan.vlan-id":
            assert int(value) in [vlan["id"] for vlan in found[name]["vlans"]]
            compared += 1
        elif rest == "chassis.mgmt-ip":
            assert value in found[name]["management_addresses"]
            compared += 1
    assert compared


@needs_corpus
@settings(max_examples=50)
@given(st.data())
def test_no_mutated_capture_makes_the_parsers_fail(data):
    text = data.draw(st.sampled_from([path.read_text() for path in corpus_files("*/lldp/*.txt")]))
    at = data.draw(st.integers(0, len(text)))
    assert_is_a_section(from_keyvalue(text[:at] + data.draw(st.text(max_size=5)) + text[at + 3 :]))


@pytest.mark.parametrize(
    ("text", "is_json", "is_understood"),
    [
        ('{"lldp": {}}', True, True),
        ('{"lldp": {', True, False),
        ("", False, True),
        ("lldp.eth0.via=LLDP\n", False, True),
        ("connection refused", False, False),
    ],
)
def test_garbled_output_is_not_taken_for_no_neighbours(text, is_json, is_understood):
    assert _is_understood(text, is_json=is_json) is is_understood
