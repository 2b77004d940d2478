import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salt_ext.facts import ethtool, rtnetlink
from salt_ext.facts.network import ipv6, is_representor, may_sleep, network
from salt_ext.facts.root import Root
from tests.unit.facts.interfaces import NET, Machine
from tests.unit.facts.trees import tree


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_a_card_with_link_is_described(machine):
    machine.card(
        "eno1",
        "0000:3b:00.0",
        address="AC:1F:6B:05:E5:96\n",
        addr_assign_type="0\n",
        carrier="1\n",
        speed="10000\n",
        duplex="full\n",
        type="1\n",
    )
    machine.files["sys/devices/pci0000:00/0000:3b:00.0/sriov_totalvfs"] = "64\n"
    machine.files["sys/devices/pci0000:00/0000:3b:00.0/sriov_numvfs"] = "4\n"
    assert machine.read() == [
        {
            "name": "eno1",
            "kind": "physical",
            "mac": "ac:1f:6b:05:e5:96",
            "permanent_mac": "ac:1f:6b:05:e5:96",
            "mtu": 1500,
            "master": "",
            "driver": "ixgbe",
            "pci_slot": "0000:3b:00.0",
            "bus": "pci",
            "sriov": {"total": 64, "num": 4},
            "vlan_id": None,
            "addresses": [],
            "default_address": None,
            "volatile": {"carrier": True, "speed_mbps": 10000, "duplex": "full"},
        }
    ]


def test_a_card_without_link_has_no_speed(machine):
    machine.card("eno1", "0000:3b:00.0", carrier="0\n", speed="-1\n", duplex="unknown\n")
    volatile = {"carrier": False, "speed_mbps": None, "duplex": None}
    assert machine.read()[0]["volatile"] == volatile


@pytest.mark.parametrize("speed", ["-1", "4294967295x", ""])
def test_an_unknown_speed_is_absent(machine, speed):
    machine.card("eno1", "0000:3b:00.0", carrier="1\n", speed=speed)
    assert machine.read()[0]["volatile"]["speed_mbps"] is None


def test_an_address_that_software_gave_is_not_permanent(machine):
    machine.card("eno1", "0000:3b:00.0", address="02:00:00:00:00:01\n", addr_assign_type="3\n")
    assert machine.read()[0]["permanent_mac"] is None


def test_a_bond_keeps_the_permanent_addresses_of_its_cards(machine):
    for name, slot, permanent in (
        ("eno1", "0000:3b:00.0", "AC:1F:6B:05:E5:96"),
        ("eno2", "0000:3b:00.1", "AC:1F:6B:05:E5:97"),
    ):
        home = machine.card(name, slot, address="ac:1f:6b:05:e5:96\n", addr_assign_type="3\n")
        machine.files[f"{home}/bonding_slave/perm_hwaddr"] = permanent + "\n"
        machine.links[f"{home}/master"] = "../../../../virtual/net/bond0"
    machine.virtual("bond0", "bond", ["eno1", "eno2"], address="ac:1f:6b:05:e5:96\n")
    machine.virtual("bond0.100", "vlan", ["bond0"])
    machine.virtual("br0", "bridge", ["bond0.100", "tap0"])
    machine.virtual("tap0")
    machine.files["proc/net/vlan/config"] = (
        "VLAN Dev name    | VLAN ID\nName-Type: VLAN_NAME_TYPE_RAW_PLUS_VID_NO_PAD\n"
        "bond0.100      | 100  | bond0\n"
    )
    found = {item["name"]: item for item in machine.read()}
    assert list(found) == ["eno1", "eno2", "bond0", "bond0.100", "br0"]
    assert found["eno2"]["permanent_mac"] == "ac:1f:6b:05:e5:97"
    assert found["eno1"]["master"] == "bond0"
    assert found["bond0"]["slaves"] == ["eno1", "eno2"]
    assert [found[name]["kind"] for name in ("bond0", "bond0.100", "br0")] == [
        "bond",
        "vlan",
        "bridge",
    ]
    assert found["bond0.100"]["vlan_id"] == 100
    assert found["br0"]["slaves"] == ["bond0.100"], "a guest's tap is no part of the inventory"


def test_what_containers_and_guests_bring_along_is_left_out(machine):
    machine.card("eno1", "0000:3b:00.0")
    machine.virtual("lo")
    machine.virtual("docker0", "bridge", ["veth12ab"])
    machine.virtual("veth12ab")
    machine.virtual("dummy0")
    machine.virtual("ifb0")
    machine.virtual("wg0", "wireguard")
    machine.virtual("macvtap3", "macvtap", ["eno1"])
    machine.files[f"{NET}/bonding_masters"] = "bond0\n"
    assert [item["name"] for item in machine.read()] == ["eno1"]


def test_a_virtual_function_is_counted_at_its_card_only(machine):
    machine.card("eno1", "0000:3b:00.0")
    machine.card("eno1v0", "0000:3b:10.0")
    machine.links["sys/devices/pci0000:00/0000:3b:10.0/physfn"] = "../0000:3b:00.0"
    assert [item["name"] for item in machine.read()] == ["eno1"]


PORTS = {
    "p0": False,  # the plug, also of a card whose switch is on
    "p1s2": False,
    "": False,
    "n0": False,
    "pfadd": False,
    "pf0vf0": True,
    "pf1sf88": True,
    "pf0": True,  # on a card with processors of its own, the machine that it is in
    "pf0hpf": True,
    "c1pf0vf3": True,
    "p0pf0vf1": True,
    "pf1vfr0": True,
}


@pytest.mark.parametrize("port", PORTS)
def test_a_representor_is_told_from_a_plug_by_the_name_of_its_port(port):
    assert is_representor(port) is PORTS[port]


def test_a_card_stays_one_card_when_guests_are_started(machine):
    machine.card("enp65s0f0np0", "0000:41:00.0", phys_port_name="p0\n", addr_assign_type="0\n")
    before = machine.read()
    for name, port in (("eth0", "pf0vf0"), ("eth1", "pf0vf1"), ("en3f0pf0sf4", "pf0sf4")):
        machine.card(name, "0000:41:00.0", phys_port_name=f"{port}\n", addr_assign_type="1\n")
    machine.card("eth5", "0000:41:00.0", phys_port_name="3\n", addr_assign_type="1\n")  # Linux 4.12
    machine.card("enp65s0f0v1", "0000:41:00.2")
    machine.links["sys/devices/pci0000:00/0000:41:00.2/physfn"] = "../0000:41:00.0"
    machine.add("enp65s0f0s88", "pci0000:00/0000:41:00.0/mlx5_core.sf.4")
    machine.links["sys/devices/pci0000:00/0000:41:00.0/mlx5_core.sf.4/net/enp65s0f0s88/device"] = (
        "../../../mlx5_core.sf.4"
    )
    machine.virtual("tap0", tun_flags="0x1002\n")
    machine.virtual("vnet0", lower=[])
    assert machine.read() == before


def test_a_function_that_the_host_takes_away_belongs_to_the_card_that_uses_it(machine):
    machine.card("eth0", "0000:00:02.0", address="60:45:bd:00:00:01\n")
    before = machine.read()
    home = machine.card("enP1s1", "0001:00:02.0", address="60:45:bd:00:00:01\n")
    machine.links[f"{home}/master"] = "../../../0000:00:02.0/net/eth0"
    assert machine.read() == before


@pytest.mark.parametrize("bus", ["xen-backend", "netdevsim", "gadget"])
def test_the_end_of_what_the_kernel_offers_to_others_is_no_card(machine, bus):
    machine.card("eth0", "0000:00:02.0", address="60:45:bd:00:00:01\n")
    before = machine.read()
    home = machine.add("vif1.0", "vif-1-0", address="fe:ff:ff:ff:ff:ff\n")
    machine.links[f"{home}/device"] = "../../../vif-1-0"
    machine.links["sys/devices/vif-1-0/subsystem"] = f"../../bus/{bus}"
    assert machine.read() == before


def test_the_card_of_a_guest_of_xen_is_a_card(machine):
    home = machine.add("eth0", "vif-0", address="00:16:3e:11:22:33\n", addr_assign_type="0\n")
    machine.links[f"{home}/device"] = "../../../vif-0"
    machine.links["sys/devices/vif-0/subsystem"] = "../../bus/xen"
    assert [(one["kind"], one["bus"]) for one in machine.read()] == [("physical", "xen")]


def test_a_port_of_a_bond_or_of_open_vswitch_is_a_card(machine):
    home = machine.card("eno1", "0000:3b:00.0")
    machine.links[f"{home}/master"] = "../../../../virtual/net/ovs-system"
    assert [item["master"] for item in machine.read()] == ["ovs-system"]


def test_a_plug_whose_name_is_a_number_is_a_card(machine):
    machine.card("swp1", "0000:03:00.0", phys_port_name="1\n", addr_assign_type="0\n")
    assert [item["kind"] for item in machine.read()] == ["physical"]


def test_a_partition_of_infiniband_stands_on_its_port(machine):
    machine.card("ib0", "0000:81:00.0", type="32\n")
    machine.card("ib0.8001", "0000:81:00.0", type="32\n", parent="ib0\n")
    assert [(one["name"], one["kind"], one.get("slaves")) for one in machine.read()] == [
        ("ib0", "physical", None),
        ("ib0.8001", "virtual", ["ib0"]),
    ]


def test_a_usb_adapter_says_so(machine):
    machine.card("enx0", "0000:00:14.0", bus="usb")
    assert machine.read()[0]["bus"] == "usb"


def test_cards_are_in_the_order_of_their_slots(machine):
    machine.card("a", "0000:5e:00.0")
    machine.card("b", "0000:3b:00.0")
    machine.add("c", "platform/soc")
    machine.links["sys/devices/platform/soc/net/c/device"] = "../../../soc"
    assert [item["name"] for item in machine.read()] == ["b", "a", "c"]


def test_an_infiniband_card_is_known_by_its_port(machine):
    port = "80:00:02:08:fe:80:00:00:00:00:00:00:e4:1d:2d:03:00:aa:bb:cc\n"
    machine.card("ib0", "0000:81:00.0", address=port, addr_assign_type="0\n", type="32\n")
    assert machine.read()[0]["permanent_mac"] == "e4:1d:2d:03:00:aa:bb:cc"


def test_link_local_and_temporary_addresses_are_left_out(machine):
    machine.card("eno1", "0000:3b:00.0")
    machine.files["proc/net/if_inet6"] = (
        "fe80000000000000ae1f6bfffe05e596 02 40 20 80     eno1\n"
        "20010db8000000000000000000000001 02 40 00 80     eno1\n"
        "20010db8000000005c2f1a9b00112233 02 40 00 01     eno1\n"
        "20010db8000000005c2f1a9b00112244 02 40 00 900    eno1\n"
        "00000000000000000000000000000001 01 80 10 80       lo\n"
        "nonsense\n"
    )
    assert machine.read()[0]["addresses"] == [
        "2001:db8::1/64",
        "2001:db8::5c2f:1a9b:11:2244/64",
    ]


@pytest.mark.parametrize(
    "address",
    ["2001:db8::1", "::", "::1", "1::", "2001:db8:0:1:1:1:1:1", "2001:0:0:1::1", "1:2:3:4:5:6:7:8"],
)
def test_addresses_are_written_as_the_c_library_writes_them(address):
    assert ipv6(socket.inet_pton(socket.AF_INET6, address).hex()) == address


def message(kind, body):
    size = 16 + len(body)
    header = size.to_bytes(4, sys.byteorder) + kind.to_bytes(2, sys.byteorder)
    return header + bytes(10) + body + bytes(-size % 4)


def attribute(kind, value):
    size = (4 + len(value)).to_bytes(2, sys.byteorder)
    return size + kind.to_bytes(2, sys.byteorder) + value


def address_message(scope, *attributes):
    body = bytes([2, 24, 0x80, scope]) + (7).to_bytes(4, sys.byteorder)
    return message(rtnetlink.RTM_NEWADDR, body + b"".join(attributes))


def test_the_kernels_answer_is_read():
    local, peer = attribute(2, bytes([192, 0, 2, 1])), attribute(1, bytes([192, 0, 2, 9]))
    answer = address_message(0, peer, local) + message(rtnetlink.NLMSG_DONE, bytes(4))
    assert rtnetlink.parse(answer) == [(7, "192.0.2.1/24")]


@pytest.mark.parametrize(
    ("scope", "address"), [(254, [127, 0, 0, 1]), (253, [192, 0, 2, 1]), (0, [169, 254, 1, 2])]
)
def test_addresses_that_end_at_the_link_are_left_out(scope, address):
    assert rtnetlink.parse(address_message(scope, attribute(2, bytes(address)))) == []


def test_a_cut_answer_is_no_error():
    answer = address_message(0, attribute(2, bytes([192, 0, 2, 1])))
    assert all(rtnetlink.parse(answer[:length]) == [] for length in range(len(answer)))


def test_this_machines_addresses_are_those_that_ip_shows():
    try:
        shown = subprocess.run(
            ["ip", "-4", "-o", "addr", "show", "scope", "global"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    except FileNotFoundError:
        pytest.skip("there is no ip command on this machine")
    expected = {line.split()[3] for line in shown.splitlines()}
    found = {a for addresses in rtnetlink.ipv4_addresses().values() for a in addresses}
    assert found == {address for address in expected if not address.startswith("169.254.")}


def driver_info(firmware):
    fields = (b"igb", b"6.1.0-amd64", firmware, b"0000:3b:00.0", b"")
    return bytes((3, 0, 0, 0)) + b"".join(field.ljust(32, b"\0") for field in fields) + bytes(32)


@pytest.mark.parametrize(
    ("firmware", "expected"),
    [
        (b"1.63, 0x800009fa", "1.63, 0x800009fa"),
        (b"8.30 0x8000a49d 1.2926.0 padded!", "8.30 0x8000a49d 1.2926.0 padded!"),
        (b"N/A", None),
        (b" ", None),
        (b"", None),
    ],
)
def test_the_firmware_of_a_card_is_where_the_kernel_puts_it(firmware, expected):
    answer = driver_info(firmware)
    assert len(answer) == ethtool.DRIVER_INFO_BYTES
    assert ethtool.firmware_version(answer) == expected


@given(st.binary(max_size=250))
def test_no_answer_of_a_driver_is_an_error(answer):
    version = ethtool.firmware_version(answer)
    assert version is None or 0 < len(version) <= 32


def test_what_is_no_card_has_no_firmware_on_this_machine():
    assert ethtool.firmware_versions(["lo", "no-such-card", "x" * 40]) == {}


@pytest.mark.parametrize(
    ("control", "status", "expected"),
    [
        ("on", "active", False),
        ("auto", "unsupported", False),
        ("auto", "suspended", True),
        ("auto", "active", True),
        (None, None, False),
    ],
)
def test_a_card_that_may_sleep_is_one_whether_it_sleeps_or_not(machine, control, status, expected):
    machine.card("eno1", "0000:3b:00.0")
    if control:
        power = "sys/devices/pci0000:00/0000:3b:00.0/power"
        machine.files |= {f"{power}/control": control, f"{power}/runtime_status": status}
    assert may_sleep(tree(machine.where, machine.files, machine.links), "eno1") is expected


def test_two_runs_on_this_machine_agree():
    def stable():
        return [{k: v for k, v in item.items() if k != "volatile"} for item in network(Root())]

    assert stable() == stable()
