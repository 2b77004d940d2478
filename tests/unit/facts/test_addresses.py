"""Which interfaces are listed for their addresses, and which address is the machine's."""

import json
import platform
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salt_ext.document import normal
from salt_ext.facts import fib, rtnetlink
from salt_ext.facts.network import network
from salt_ext.facts.root import Root
from salt_ext.facts.routes import default_address, default_interfaces
from salt_ext.store.columns import list_columns
from tests.unit.facts.interfaces import Machine
from tests.unit.facts.trees import tree

ROUTES = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
NONE_6 = "0" * 32


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    machine.card("eno1", "0000:3b:00.0")
    return machine


def addressed(machine, **addresses):
    """Give each interface an IPv6 address, 2001:db8::N with a prefix length."""
    machine.files["proc/net/if_inet6"] = "".join(
        f"20010db8{number:024x} 05 {int(length):02x} 00 80 {name}\n"
        for name, (number, length) in addresses.items()
    )


def route_4(name, metric=0, destination="00000000", flags="0003"):
    return f"{name}\t{destination}\t010200C0\t{flags}\t0\t0\t{metric}\t{destination}\t0\t0\t0\n"


def route_6(name, metric=1024, length="00", flags="00000003"):
    return f"{NONE_6} {length} {NONE_6} 00 {NONE_6} {metric:08x} 00000001 00000000 {flags} {name}\n"


def address(machine):
    return list_columns(normal({"network": machine.read()}), ())["address"]


OWN = {
    "a bridge of Open vSwitch": ("br-ex", {"type": "1\n", "ifindex": "5\n", "iflink": "5\n"}),
    "loopback": ("lo", {"type": "772\n", "address": "00:00:00:00:00:00\n"}),
    "dummy": ("dummy0", {"type": "1\n", "address": "fe:11:22:33:44:55\n"}),
    "WireGuard": ("wg0", {"type": "65534\n", "kind": "wireguard"}),
    "GRE over a card": (
        "gre1",
        {"type": "778\n", "ifindex": "9\n", "iflink": "2\n", "address": "c0:00:02:01\n"},
    ),
    "Ethernet in GRE": ("gretap1", {"type": "1\n", "ifindex": "9\n", "iflink": "0\n"}),
    "a tunnel of a program": ("tun0", {"type": "65534\n", "tun_flags": "0x1001\n"}),
    "VRF": ("mgmt", {"type": "1\n", "kind": "vrf"}),
    "PPP": ("ppp0", {"type": "512\n", "kind": "ppp"}),
}


@pytest.mark.parametrize("name", OWN)
def test_an_interface_with_an_address_is_listed_with_it(machine, name):
    interface, files = OWN[name]
    machine.virtual(interface, **files)
    assert [item["name"] for item in machine.read()] == ["eno1"], "without an address it is not"
    addressed(machine, **{interface: (0x15, 64)})
    found = machine.read()
    assert [(item["name"], item["kind"]) for item in found[1:]] == [(interface, "virtual")]
    assert found[1]["addresses"] == ["2001:db8::15/64"]
    assert found[1]["mac"] in (None, "fe:11:22:33:44:55")
    assert address(machine) == "2001:db8::15"


OF_GUESTS = {
    "docker0": {"kind": "bridge"},
    "vnet0": {"tun_flags": "0x1002\n"},
    "veth12ab": {"type": "1\n", "ifindex": "8\n", "iflink": "2\n"},
    "kube-ipvs0": {"type": "1\n"},
    "macvtap0": {"kind": "macvtap"},
}


@pytest.mark.parametrize("name", OF_GUESTS)
def test_an_address_for_guests_and_containers_is_not_the_machines(machine, name):
    before = machine.read()
    machine.virtual(name, **OF_GUESTS[name])
    addressed(machine, **{name: (1, 64)})
    assert machine.read() == before


@pytest.mark.parametrize("name", ["docker0", "vnet0", "veth12ab"])
def test_an_interface_with_the_default_route_is_listed_whatever_it_is(machine, name):
    machine.virtual(name, **OF_GUESTS[name])
    addressed(machine, **{name: (1, 64)})
    machine.files["proc/net/ipv6_route"] = route_6(name)
    assert address(machine) == "2001:db8::1"


def test_the_end_of_a_veth_pair_is_the_card_of_a_container(tmp_path):
    machine = Machine(tmp_path)
    machine.virtual("eth0", type="1\n", ifindex="2\n", iflink="41\n")
    addressed(machine, eth0=(7, 64))
    assert address(machine) == "2001:db8::7"


def three_cards(tmp_path):
    machine = Machine(tmp_path)
    for number, name in enumerate(("ens1", "ens2", "ens3")):
        machine.card(name, f"0000:3b:00.{number}")
    addressed(machine, ens1=(1, 64), ens2=(2, 64), ens3=(3, 64))
    return machine


def test_the_address_is_that_of_the_default_route(tmp_path):
    machine = three_cards(tmp_path)
    assert address(machine) == "2001:db8::1", "without a default route the first"
    machine.files["proc/net/ipv6_route"] = (
        route_6("lo", 0xFFFFFFFF, flags="00200200")
        + route_6("ens2", 1024)
        + route_6("ens1", 600, length="40")
        + route_6("ens3", 100)
    )
    assert address(machine) == "2001:db8::3"
    assert [item["default_address"] for item in machine.read()] == [None, None, "2001:db8::3"]
    # That of IPv4 comes first, a route that refuses counts for nothing.
    machine.files["proc/net/route"] = (
        ROUTES
        + route_4("ens1", 50, flags="0201")
        + route_4("ens1", 0, destination="000200C0")
        + route_4("ens2", 100)
        + route_4("ens3", 200)
    )
    assert address(machine) == "2001:db8::2"


def test_a_route_that_refuses_is_no_way_out(tmp_path):
    files = {
        "proc/net/route": ROUTES + route_4("ens1", flags="0201"),
        "proc/net/ipv6_route": route_6("lo", 0xFFFFFFFF, flags="00200200"),
    }
    assert default_interfaces(tree(tmp_path, files)) == []


def test_a_default_route_without_an_address_gives_way_to_the_other_one(tmp_path):
    machine = three_cards(tmp_path)
    machine.card("wwan0", "0000:4b:00.0")
    machine.files["proc/net/route"] = ROUTES + route_4("wwan0")
    machine.files["proc/net/ipv6_route"] = route_6("ens3")
    assert address(machine) == "2001:db8::3"


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["2001:db8::1/64", "10.0.0.15/24", "10.0.0.100/24"], "10.0.0.15"),
        (["10.0.0.9/32", "10.0.0.15/24"], "10.0.0.15"),
        (["2001:db8::2/64", "2001:db8::1/64"], "2001:db8::1"),
        (["2001:db8::1/128", "2001:db8::f/64"], "2001:db8::f"),
        (["10.0.0.9/32"], "10.0.0.9"),
    ],
)
def test_of_several_addresses_it_is_the_interfaces_own(addresses, expected):
    # The kernel lists an address that was added to a network after the first one.
    assert default_address(["eth0"], {"eth0": addresses}) == {"eth0": expected}
    assert default_address(["eth1", "eth0"], {"eth0": addresses}) == {"eth0": expected}
    assert default_address([], {"eth0": addresses}) == {}


def test_loopback_and_tunnels_come_last_where_a_report_tells_no_route():
    facts = {
        "network": [
            {"name": "dummy0", "kind": "virtual", "addresses": ["10.9.9.9/32"]},
            {"name": "eno2", "kind": "physical", "addresses": ["2001:db8::2/64", "93.0.2.7/24"]},
            {"name": "eno3", "addresses": ["192.0.2.1/24"]},
        ]
    }
    assert list_columns(facts, ())["address"] == "93.0.2.7"


TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.20.0.0/16 2 0 2
        |-- 10.20.0.15
           /32 host LOCAL
        |-- 10.20.255.255
           /32 link BROADCAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.1
              /32 host LOCAL
     |-- 169.254.1.2
        /32 host LOCAL
     |-- 192.0.2.9
        /32 host LOCAL
     |-- 203.0.113.7
        /32 host LOCAL
Local:
        |-- 10.20.0.15
           /32 host LOCAL
"""
NETWORKS = (
    "eno1\t0000140A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    "br-ex\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    "br-ex\t007100CB\t010200C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
)


def test_a_captured_tree_has_its_addresses_by_the_networks_that_they_are_in(machine):
    machine.virtual("br-ex", type="1\n")
    machine.files["proc/net/fib_trie"] = TRIE
    machine.files["proc/net/route"] = ROUTES + route_4("br-ex") + NETWORKS
    found = {item["name"]: item["addresses"] for item in machine.read()}
    # 203.0.113.7 is in a network behind a gateway, and so in none of this machine's.
    assert found == {"eno1": ["10.20.0.15/16"], "br-ex": ["192.0.2.9/24"]}
    assert address(machine) == "192.0.2.9"


def test_this_machines_files_and_its_kernel_tell_the_same_networks():
    by_kernel = {
        one
        for addresses in rtnetlink.ipv4_addresses().values()
        for one in addresses
        if not one.endswith("/32")
    }
    by_files = {one for addresses in fib.ipv4_addresses(Root()).values() for one in addresses}
    assert by_files <= by_kernel
    assert by_files or not by_kernel or sys.byteorder == "big"


IN_A_SANDBOX = """
import ctypes, json, struct, sys
# Load the system call; if it is socket(), load its family; refuse AF_NETLINK with EPERM.
steps = [(0x20, 0, 0, 0), (0x15, 0, 3, 41), (0x20, 0, 0, 16), (0x15, 0, 1, 16)]
steps += [(0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
libc = ctypes.CDLL(None)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program):
    sys.exit("no seccomp")
from salt_ext import facts
document = facts.collect("/", {"network": "salt_ext.facts.network.network"})
print(json.dumps([document["network"], document["errors"]["network"]["message"]]))
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the filter is one for x86_64")
def test_a_sandbox_that_refuses_netlink_keeps_the_addresses_and_says_so():
    run = subprocess.run([sys.executable, "-c", IN_A_SANDBOX], capture_output=True, text=True)
    if "no seccomp" in run.stderr:
        pytest.skip("this kernel has no filter of system calls")
    found, message = json.loads(run.stdout)
    assert message == "[Errno 1] Operation not permitted"
    assert [one["addresses"] for one in found] == [
        [address for address in one["addresses"] if not address.endswith("/32")]
        for one in network(Root())
        if one["name"] in {item["name"] for item in found}
    ]


WORDS = ["|--", "/32", "host", "LOCAL", "10.20.0.15", "256.1.1.1", "9" * 5000 + ".1.1.1", "²"]


@given(st.lists(st.sampled_from(WORDS)).map(" ".join) | st.text(), st.text(max_size=80))
def test_no_trie_makes_a_collector_fail(tmp_path_factory, trie, route):
    files = {"proc/net/fib_trie": TRIE + trie, "proc/net/route": ROUTES + NETWORKS + route}
    root = tree(tmp_path_factory.mktemp("trie"), {k: v.encode() for k, v in files.items()})
    assert fib.ipv4_addresses(root)["eno1"] == ["10.20.0.15/16"]


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_table_of_routes_makes_a_collector_fail(tmp_path_factory, version_4, version_6):
    files = {"proc/net/route": ROUTES + version_4, "proc/net/ipv6_route": version_6}
    root = tree(tmp_path_factory.mktemp("routes"), {k: v.encode() for k, v in files.items()})
    assert len(default_interfaces(root)) <= 2


def test_this_machines_address_is_the_one_that_its_kernel_would_use():
    try:
        shown = subprocess.run(
            ["ip", "-4", "route", "get", "192.0.2.254"], capture_output=True, text=True, check=True
        ).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("there is no ip command or no route on this machine")
    told = [item["default_address"] for item in network(Root()) if item["default_address"]]
    assert told == [shown.split(" src ")[1].split()[0]]
