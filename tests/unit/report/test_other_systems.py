"""What Salt's grains tell of network devices and of Windows, macOS, FreeBSD and Solaris."""

import json
import tarfile

import pytest

from salt_ext.facts.identity import identify
from salt_ext.report import core_grains, device_grains
from salt_ext.store.columns import list_columns
from tests.corpus import CORPUS, needs_corpus

ARCHIVE = CORPUS and CORPUS / "redfish-and-others.tar.xz"

HOST = {
    "kernel": "proxy",
    "kernelrelease": "proxy",
    "os": "proxy",
    "osrelease": "proxy",
    "osfinger": "proxy-proxy",
    "osfullname": "proxy",
    "mem_total": 0,
    "machine_id": "c4ca4238a0b923820dcc509a6f75849b",
    "virtual": "physical",
    "hwaddr_interfaces": {"eno1": "52:54:00:00:00:01"},
    "ip_interfaces": {"eno1": ["10.0.0.1"]},
}
"""What Salt says of a device in the process that speaks for it: most is of its host."""


def facts_of(grains, minion_id="sw1"):
    return core_grains.report(core_grains.used(grains), minion_id, 0.0)["facts"]


def device(**grains):
    facts = facts_of({**HOST, **grains})
    text = json.dumps(facts)
    assert "proxy" not in text
    assert "52:54" not in text
    assert "c4ca4238" not in text
    assert facts["system"]["kind"] == "network"
    return facts


def told(facts):
    """The answer in the words of the corpus; a list column is what people see."""
    kinds = [one["kind"] for one in identify(facts)["candidates"]]
    columns = list_columns(facts, kinds)
    os = facts.get("operating_system", {})
    return {
        "kind": columns["kind"],
        "manufacturer": columns["manufacturer"],
        "product_name": columns["product_name"],
        "serial_number": columns["sn"],
        "hostname": columns["hostname"],
        "os_name": os.get("name"),
        "os_version": os.get("version_id"),
        "threads": columns["processor_threads"],
        "address": columns["address"],
    }


@pytest.fixture(scope="module")
def captured():
    """The JSON files of the corpus about other systems, by their paths."""
    with tarfile.open(ARCHIVE) as tar:
        return {
            one.name.removeprefix("./"): json.load(tar.extractfile(one))
            for one in tar
            if one.name.endswith(".json") and ("proxy-grains" in one.name or "other-os" in one.name)
        }


@needs_corpus
def test_every_captured_device_is_what_its_proxy_says_of_it_and_not_its_host(captured):
    devices = [one for name, one in captured.items() if "proxy-grains" in name]
    assert len(devices) >= 8
    for one in devices:
        found = told(facts_of(one["grains"]))
        wanted = {name: value for name, value in one["expected"].items() if name in found}
        wanted["kind"] = wanted["kind"].partition(" ")[0]
        assert found == {**found, **wanted}


@needs_corpus
def test_every_captured_system_has_the_disks_cards_and_numbers_that_it_has(captured):
    systems = {
        name.rpartition("/")[0]: one["grains"]
        for name, one in captured.items()
        if name.endswith("/grains.json")
    }
    assert len(systems) >= 6
    for where, grains in systems.items():
        wanted, facts = captured[f"{where}/expected.json"], facts_of(grains)
        for section in ("system", "processors", "memory", "operating_system"):
            # A UUID, a firmware or a core is what Salt tells of on some systems only.
            for field, value in wanted.get(section, {}).items():
                assert facts[section].get(field, value) == value, (where, field)
        disks = {one["name"]: one for one in facts.get("disks", [])}
        for disk in wanted.get("disks", []):
            assert disks[disk["name"]] == {**disks[disk["name"]], **disk}, where
        assert len(disks) == wanted.get("disk_count", len(wanted.get("disks", [])))
        if "network" in wanted:
            assert [one["mac"] for one in facts["network"]] == wanted["network"]["macs"]
        if "kind" in wanted:
            assert told(facts)["kind"] == wanted["kind"]


def test_a_device_of_an_unknown_kind_is_known_to_be_one_and_nothing_else():
    assert device() == {"system": {"kind": "network"}, "virtual": {"role": "none"}}


def test_napalm_tells_the_device_by_flat_grains_and_the_address_in_its_pillar():
    facts = device(os="ios", vendor="Cisco", model="C9300", serial="FOC1", host="192.0.2.7")
    assert told(facts)["serial_number"] == "FOC1"
    assert told(facts)["address"] == "192.0.2.7"
    named = device(os="ios", serial="FOC1", host="sw1.example.org")
    assert told(named)["address"] is None


def test_a_firewall_and_an_enclosure_tell_of_themselves():
    firewall = {
        "serial": "0123A",
        "model": "PA-3220",
        "sw-version": "10.1.6",
        "hostname": "fw1",
        "ip-address": "192.0.2.1",
        "mac-address": "08:30:6b:00:00:01",
    }
    found = told(device(panos=firewall))
    assert (found["serial_number"], found["os_version"]) == ("0123A", "10.1.6")
    assert found["address"] == "192.0.2.1"
    enclosure = {"Service Tag": "4FX2S01", "System Model": "PowerEdge FX2s"}
    found = told(device(**{"Chassis Information": enclosure}))
    assert (found["manufacturer"], found["serial_number"]) == ("Dell Inc.", "4FX2S01")


@pytest.mark.parametrize(
    "odd",
    [
        {"junos_facts": {"model": ["a"], "serialnumber": {"a": 1}}},
        {"nxos": {"nxos": {"software": [], "hardware": "x"}}},
        {"nxos": {}},
        {"panos": {"ip-address": 7, "mac-address": None}},
        {"host": ["192.0.2.1"], "os": {"a": 1}},
    ],
)
def test_odd_words_of_a_device_break_nothing(odd):
    assert facts_of({**HOST, **odd})["system"]["kind"] == "network"
    assert device_grains.is_proxy({**HOST, **odd})


def test_a_server_of_esxi_is_no_network_device_and_has_nothing_of_the_proxys_host():
    server = {
        "os": "VMware ESXi",
        "osfullname": "VMware ESXi 7.0.3",
        "osrelease": "7.0.3",
        "serialnumber": "7ABCDE2",
        "mem_total": 392879.5,
        "num_cpus": 80,
        "hwaddr_interfaces": {"vmnic0": "d0:94:66:aa:00:01"},
        "ip_interfaces": {},
    }
    facts = facts_of({**HOST, **server})
    assert told(facts)["kind"] == "physical"
    assert facts["memory"] == {"total_bytes": 411964014592}
    assert "processors" not in facts
    assert "machine_id" not in facts["operating_system"]


def test_windows_lists_its_solid_disks_twice_and_has_them_once():
    names = [r"\\.\PHYSICALDRIVE0", r"\\.\PHYSICALDRIVE1"]
    facts = facts_of({"kernel": "Windows", "disks": names, "ssds": names[:1]})
    assert facts["disks"] == [
        {"name": names[0], "rotational": False},
        {"name": names[1]},  # whether it rotates is not known
    ]


@pytest.mark.parametrize(
    ("name", "release", "pretty"),
    [
        ("Microsoft Windows Server 2022 Standard", "2022Server", None),
        ("Microsoft Windows Server 2012 R2 Standard", "2012ServerR2", None),
        ("Microsoft Windows 11 Pro", "11", None),
        ("Microsoft Hyper-V Server", "2019Server", "Microsoft Hyper-V Server 2019"),
    ],
)
def test_the_release_of_windows_is_told_once(name, release, pretty):
    facts = facts_of({"kernel": "Windows", "osfullname": name, "osrelease": release})
    assert facts["operating_system"]["pretty_name"] == (pretty or name)


@pytest.mark.parametrize(
    ("written", "mac"),
    [
        ("0:14:4f:a:bb:c", "00:14:4f:0a:bb:0c"),
        ("74-46-A0-C1-13-2D", "74:46:a0:c1:13:2d"),
        ("74:46:A0:C1:13:2D", "74:46:a0:c1:13:2d"),
    ],
)
def test_a_mac_has_one_spelling(written, mac):
    [card] = facts_of({"hwaddr_interfaces": {"net0": written}})["network"]
    assert card["mac"] == mac


def test_what_is_no_mac_is_no_card():
    odd = {"lo": ":::::", "lo0": "00:00:00:00:00:00", "tun0": None, "x": "::", "y": "a:b:c:d:e:xx"}
    assert "network" not in facts_of({"serialnumber": "S1", "hwaddr_interfaces": odd})


@pytest.mark.parametrize(
    ("product", "hypervisor"),
    [("VirtualMac2,1", "apple"), ("VMware20,1", "vmware"), ("Parallels ARM", "parallels")],
)
def test_a_mac_that_is_a_guest_is_one_though_salt_calls_each_mac_physical(product, hypervisor):
    grains = {"manufacturer": "Apple Inc.", "productname": product, "virtual": "physical"}
    assert facts_of(grains)["virtual"] == {"role": "guest", "hypervisor": hypervisor}
    mac = {**grains, "productname": "Mac14,7", "system_serialnumber": "D5XQV1FMFJ"}
    assert facts_of(mac)["virtual"] == {"role": "none"}
    assert facts_of(mac)["system"]["serial_number"] == "D5XQV1FMFJ"


def test_sizes_that_are_none_are_not_known():
    for odd in (0, -1, True, "64", None, float("nan"), float("inf"), 1e300):
        assert "memory" not in facts_of({"serialnumber": "S1", "mem_total": odd})
    geom = {"ada0": {"Mediasize": "9" * 5000, "lunid": "0" * 16}, "ada1": "x", "ada2": None}
    disks = facts_of({"disks": geom})["disks"]
    assert [sorted(one) for one in disks] == [["name", "rotational"]] * 3
