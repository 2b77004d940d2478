"""The management controller as the kernel, SMBIOS, itself and ipmitool tell of it."""

import ipaddress
import os
import struct
import tarfile
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salt_ext.facts import ipmi, smbios
from salt_ext.facts.bmc import answers, bmc, lan_print, redfish
from salt_ext.facts.clean import clean
from salt_ext.facts.root import Root
from tests.corpus import corpus_files, corpus_name, needs_corpus
from tests.unit.facts.smbios_tables import END, entry_point_64, structure
from tests.unit.facts.trees import tree

SYSFS = "sys/devices/platform/ipmi_bmc.0"
FILES = {
    f"{SYSFS}/ipmi_version": "2.0\n",
    f"{SYSFS}/manufacturer_id": "0x0002a2\n",
    f"{SYSFS}/product_id": "0x0100\n",
    f"{SYSFS}/device_id": "32\n",
    f"{SYSFS}/firmware_revision": "2.5\n",
    f"{SYSFS}/guid": "4C4C4544-0058-5910-805A-B9C04F4B3132\n",
}
KCS = structure(38, 18, {4: 1, 5: 0x20, 6: 0x20})
PRINTED = """Set in Progress         : Set Complete
Auth Type Enable        : Callback : MD2 MD5 OEM
                        : User     : MD2 MD5 OEM
IP Address Source       : DHCP Address
IP Address              : 10.151.68.13
Subnet Mask             : 255.255.240.0
MAC Address             : 00:30:48:F4:4D:83
Default Gateway IP      : 10.151.68.3
802.1q VLAN ID          : 42
"""


def with_smbios(*structures):
    table = b"".join(structures) + END
    directory = "sys/firmware/dmi/tables"
    return {f"{directory}/DMI": table, f"{directory}/smbios_entry_point": entry_point_64(table)}


def host_interface(address=bytes((10, 0, 0, 5)), family=1, port=443, vlan=0, name=b"bmc"):
    record = uuid.UUID(int=1).bytes + b"\x01\x01" + bytes(32) + bytes((1, family))
    record += address.ljust(16, b"\0") + bytes(16) + struct.pack("<HI", port, vlan)
    record += bytes((len(name),)) + name
    # A record of another protocol comes first, and data of the interface before both.
    body = bytes((0x40, 2)) + b"\x02\x00" + bytes((2, 0xF0, 1, 7)) + bytes((4, len(record)))
    return structure(42, 4 + len(body) + len(record), {4: body + record})


def test_the_kernel_knows_what_the_controller_is(tmp_path):
    assert bmc(tree(tmp_path, FILES)) == {
        "present": True,
        "ipmi_version": "2.0",
        "manufacturer_id": 674,
        "product_id": 256,
        "device_id": 32,
        "firmware_version": "2.05",  # the minor number is in BCD; the kernel drops its zero
        "guid": "4c4c4544-0058-5910-805a-b9c04f4b3132",
    }


def test_without_a_driver_smbios_knows_that_there_is_one(tmp_path):
    found = bmc(tree(tmp_path, with_smbios(KCS)))
    assert found == {
        "present": True,
        "interface_type": "KCS (Keyboard Control Style)",
        "ipmi_version": "2.0",
    }


def test_none_found_and_no_way_to_tell_are_two_facts(tmp_path):
    assert bmc(tree(tmp_path / "server", with_smbios(structure(1, 27)))) == {}
    assert bmc(tree(tmp_path / "board", {"proc/cpuinfo": ""})) is None


@pytest.mark.parametrize("guid", ["(null)", "00000000-0000-0000-0000-000000000000", ""])
def test_a_guid_that_is_none_is_left_out(tmp_path, guid):
    assert "guid" not in bmc(tree(tmp_path, {**FILES, f"{SYSFS}/guid": guid}))


def test_the_redfish_service_is_where_the_host_interface_says(tmp_path):
    found = bmc(tree(tmp_path, with_smbios(KCS, host_interface(vlan=7))))
    assert found["redfish"] == {
        "addresses": ["10.0.0.5"],
        "port": 443,
        "vlan_id": 7,
        "hostname": "bmc",
    }


def test_a_redfish_service_may_have_an_address_of_version_6(tmp_path):
    item = host_interface(bytes.fromhex("fe80") + bytes(13) + b"\x01", family=2, name=b"")
    found = bmc(tree(tmp_path, with_smbios(item)))
    assert found["redfish"] == {"addresses": ["fe80::1"], "port": 443}


@given(st.binary(max_size=250))
def test_no_host_interface_makes_the_decoder_fail(body):
    found = redfish(smbios.Structure(bytes((42, 4 + len(body), 0, 0)) + body, b""))
    assert found is None or isinstance(clean(found), dict)


# The controller's own answers


def test_a_device_id_is_read_by_the_bytes_of_the_standard():
    answer = bytes.fromhex("00 20 81 02 52 02 df a2 02 00 00 01 00 00 00 00")
    assert ipmi.device_id(answer) == {
        "device_id": 32,
        "firmware_version": "2.52",
        "ipmi_version": "2.0",
        "manufacturer_id": 674,
        "product_id": 256,
    }


@pytest.mark.parametrize("answer", [b"", b"\0", bytes.fromhex("c1") + bytes(15)])
def test_a_refusal_says_nothing(answer):
    assert ipmi.device_id(answer) == {}
    assert not ipmi.is_lan(answer)
    assert ipmi.lan_parameters(dict.fromkeys((3, 4, 5, 6, 12, 20), answer)) == {}


def test_the_lan_parameters_have_the_revision_before_them():
    answers = {
        ipmi.ADDRESS: bytes((0, 0x11, 10, 0, 0, 5)),
        ipmi.ADDRESS_SOURCE: bytes((0, 0x11, 0x02)),
        ipmi.MAC: bytes((0, 0x11)) + bytes.fromhex("d09466aabbcc"),
        ipmi.NETMASK: bytes((0, 0x11, 255, 255, 255, 0)),
        ipmi.GATEWAY: bytes((0, 0x11, 10, 0, 0, 1)),
        ipmi.VLAN: bytes((0, 0x11, 42, 0x80)),
    }
    assert ipmi.lan_parameters(answers) == {
        "mac": "d0:94:66:aa:bb:cc",
        "addresses": ["10.0.0.5/24"],
        "address_source": "dhcp",
        "gateway": "10.0.0.1",
        "vlan_id": 42,
    }
    # A VLAN counts when its highest bit says that it is on, an address when it is not 0.
    answers[ipmi.VLAN] = bytes((0, 0x11, 42, 0x00))
    answers[ipmi.ADDRESS] = bytes((0, 0x11, 0, 0, 0, 0))
    assert not {"vlan_id", "addresses"} & ipmi.lan_parameters(answers).keys()


def test_a_channel_is_a_lan_by_its_medium():
    assert ipmi.is_lan(bytes((0, 1, 0x04, 1)))
    assert not ipmi.is_lan(bytes((0, 1, 0x05, 1)))


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("255.255.255.0", "10.0.0.5/24"),
        ("255.255.255.255", "10.0.0.5/32"),
        ("255.0.255.0", "10.0.0.5"),
        ("0.0.0.0", "10.0.0.5"),
        ("", "10.0.0.5"),
        ("a.b.c.d", "10.0.0.5"),
        ("999.0.0.0", "10.0.0.5"),
        ("²55.255.255.0", "10.0.0.5"),
    ],
)
def test_a_mask_is_a_length_when_it_is_one(mask, expected):
    assert ipmi.with_prefix("10.0.0.5", mask) == expected


@given(st.binary(max_size=20))
def test_no_answer_makes_a_decoder_fail(answer):
    assert isinstance(clean(ipmi.device_id(answer)), dict)
    assert isinstance(ipmi.is_lan(answer), bool)
    assert isinstance(clean(ipmi.lan_parameters(dict.fromkeys((3, 4, 5, 6, 12, 20), answer))), dict)


SIZES = (40, 48)  # of the structures, on a 64-bit machine


@pytest.mark.parametrize(
    ("machine", "send", "receive"),
    [
        # As strace shows them for ipmitool.
        ("x86_64", 0x8028690D, 0xC030690B),
        ("aarch64", 0x8028690D, 0xC030690B),
        ("ppc64le", 0x4028690D, 0xC030690B),
        ("ppc64", 0x4028690D, 0xC030690B),
        ("mips64", 0x4028690D, 0xC030690B),
        ("sparc64", 0x4028690D, 0xC030690B),
    ],
)
def test_the_numbers_of_the_kernel_interface_are_those_of_its_header(machine, send, receive):
    assert ipmi.request_number(ipmi.READ, 13, SIZES[0], machine) == send
    assert ipmi.request_number(ipmi.READ_AND_WRITE, 11, SIZES[1], machine) == receive


def test_the_structures_have_the_sizes_of_the_kernel():
    if struct.calcsize("P") == 8:
        number = ipmi.request_number(ipmi.READ, 13, SIZES[0], os.uname().machine)
        assert number == ipmi.SEND_COMMAND


# A controller that answers some questions and others not

IDENTITY = bytes.fromhex("00 20 81 02 52 02 df a2 02 00 00 01 00 00 00 00")
KNOWN = {
    "device_id": 32,
    "firmware_version": "2.52",
    "ipmi_version": "2.0",
    "manufacturer_id": 674,
    "product_id": 256,
}
SETTINGS = {
    ipmi.ADDRESS: bytes((10, 0, 0, 5)),
    ipmi.ADDRESS_SOURCE: b"\x01",
    ipmi.MAC: bytes.fromhex("d09466aabbcc"),
    ipmi.NETMASK: bytes((255, 255, 255, 0)),
    ipmi.GATEWAY: bytes((10, 0, 0, 1)),
    ipmi.VLAN: bytes(2),
}
NO_CHANNEL, NO_COMMAND = b"\xcc", b"\xc1"


def controller(channels=None, settings=SETTINGS, silent=(), ipv6=None, name=b""):
    """
    Return a controller with ``channels`` by number and medium; None refuses to list them.

    ``settings`` are those of every channel, or of each by its number.
    """

    def ask(netfn, command, data):
        if (netfn, command) in silent:
            raise TimeoutError(f"no answer to {command}")
        if (netfn, command) == (ipmi.APPLICATION, ipmi.GET_DEVICE_ID):
            return IDENTITY
        if (netfn, command) == (ipmi.APPLICATION, ipmi.GET_CHANNEL_INFO):
            if channels is None:
                return NO_COMMAND
            medium = channels.get(data[0])
            return NO_CHANNEL if medium is None else bytes((0, data[0], medium, 1))
        if (netfn, command) == (ipmi.DCMI, ipmi.GET_IDENTIFIER):
            if not name or data[1] + data[2] > len(name):
                return NO_COMMAND
            return bytes((0, ipmi.DCMI_GROUP, len(name))) + name[data[1] : data[1] + data[2]]
        if not settings:
            return NO_COMMAND
        if data[1] in (51, 55, 56, 59):
            answer = (ipv6 or {}).get((data[1], data[2]))
            return b"\x80" if answer is None else b"\0\x11" + answer
        return b"\0\x11" + settings.get(data[0], settings)[data[1]]

    return ask


LAN_SETTINGS = {
    "mac": "d0:94:66:aa:bb:cc",
    "addresses": ["10.0.0.5/24"],
    "address_source": "static",
    "gateway": "10.0.0.1",
}


def test_what_a_controller_is_and_how_its_lan_is_set_come_from_itself():
    root = Root()
    found = answers(root, controller({1: 5, 2: ipmi.LAN_MEDIUM}), {})
    assert found == {**KNOWN, "channel": 2, **LAN_SETTINGS}
    assert root.failures == []


def test_every_lan_channel_is_told_the_first_with_an_address_before_the_others():
    unset = {**SETTINGS, ipmi.ADDRESS: bytes(4), ipmi.MAC: bytes.fromhex("d09466aabbcd")}
    second = {**SETTINGS, ipmi.ADDRESS: bytes((10, 9, 0, 5)), ipmi.VLAN: b"\x2a\x80"}
    ask = controller({1: 4, 2: 4, 8: 4, 15: 12}, settings={1: unset, 2: SETTINGS, 8: second})
    assert ipmi.lan(ask) == {
        "channel": 2,
        **LAN_SETTINGS,
        "other_channels": [
            {
                "channel": 1,
                "mac": "d0:94:66:aa:bb:cd",
                "address_source": "static",
                "gateway": "10.0.0.1",
            },
            {"channel": 8, **LAN_SETTINGS, "addresses": ["10.9.0.5/24"], "vlan_id": 42},
        ],
    }


def of_version_6(address, at=0, source=0x80, prefix=64, status=0):
    return bytes((at, source)) + ipaddress.IPv6Address(address).packed + bytes((prefix, status))


def test_addresses_of_version_6_stand_beside_the_other():
    ipv6 = {
        (51, 0): b"\x02",
        (55, 0): b"\x03\x02\x03",
        (56, 0): of_version_6("2001:db8::5"),
        (56, 1): of_version_6("2001:db8::6", source=0x00),  # switched off
        (56, 2): of_version_6("::", status=1),
        (59, 0): of_version_6("fe80::1", source=1),
        (59, 1): of_version_6("2001:db8::d294:66ff:feaa:bbcc", source=1),
    }
    wanted = ["10.0.0.5/24", "2001:db8::5/64", "2001:db8::d294:66ff:feaa:bbcc/64"]
    assert answers(Root(), controller({1: 4}, ipv6=ipv6), {})["addresses"] == wanted
    # A controller that is on networks of version 6 only has no other address.
    alone = {**SETTINGS, ipmi.ADDRESS: bytes(4)}
    assert answers(Root(), controller({1: 4}, alone, ipv6=ipv6), {})["addresses"] == wanted[1:]
    off = {**ipv6, (51, 0): b"\x00"}
    assert answers(Root(), controller({1: 4}, ipv6=off), {})["addresses"] == wanted[:1]


def test_a_controller_is_asked_for_so_many_addresses_and_no_more():
    asked = []
    ipv6 = {(51, 0): b"\x02", (55, 0): b"\xff\xff\x03"}
    answer = controller({1: 4}, ipv6=ipv6)

    def ask(netfn, command, data):
        asked.append(data)
        return answer(netfn, command, data)

    assert ipmi.ipv6_addresses(ask, 1) == []
    assert len(asked) == 2 + 2 * ipmi.MAX_IPV6


@pytest.mark.parametrize("name", [b"bmc-web01", b"bmc-of-a-machine-with-a-long-name.example"])
def test_the_name_of_the_controller_is_told_in_parts(name):
    assert answers(Root(), controller({1: 4}, name=name), {})["hostname"] == name.decode()


def test_a_controller_that_does_not_know_the_question_for_its_name_is_whole():
    root = Root()
    silent = controller({1: 4}, silent=[(ipmi.DCMI, ipmi.GET_IDENTIFIER)])
    assert "hostname" not in answers(root, silent, {})
    assert root.failures == []


@given(st.binary(max_size=40))
def test_no_answer_about_a_name_or_an_address_makes_a_decoder_fail(answer):
    name = ipmi.hostname(lambda *_: answer)
    assert name is None or (name.isprintable() and len(name) <= ipmi.MAX_IDENTIFIER)
    for parameter in (ipmi.IPV6_STATIC, ipmi.IPV6_DYNAMIC):
        assert isinstance(clean(ipmi.ipv6_address(answer, parameter)), (str, type(None)))
    assert isinstance(ipmi.ipv6_addresses(lambda *_: answer, 1), list)


def test_a_controller_without_a_lan_channel_has_no_settings_and_that_is_whole():
    root = Root()
    assert answers(root, controller({15: 12, 6: 2}), {}) == KNOWN
    assert root.failures == []


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (controller(None), "refuses Get Channel Info (completion code c1)"),
        (controller({1: 4}, settings=None), "refuses Get LAN Configuration Parameters"),
        (controller({}, silent=[(ipmi.APPLICATION, ipmi.GET_CHANNEL_INFO)]), "no answer to 66"),
        (controller({1: 4}, silent=[(ipmi.TRANSPORT, 2)]), "no answer to 2"),
    ],
    ids=["refuses channels", "refuses settings", "silent about channels", "silent about settings"],
)
def test_without_its_lan_settings_a_controller_is_what_it_is_and_the_reason_is_told(ask, reason):
    root = Root()
    assert answers(root, ask, {}) == KNOWN
    assert [reason in str(failure) for failure in root.failures] == [True]


def test_a_controller_that_says_nothing_is_not_asked_about_its_lan():
    root = Root()
    silent = controller({1: 4}, silent=[(ipmi.APPLICATION, ipmi.GET_DEVICE_ID)])
    assert answers(root, silent, {}) == {}
    assert [type(failure) for failure in root.failures] == [TimeoutError]


def test_what_the_kernel_knows_already_is_not_asked_again():
    silent = controller({1: 4}, silent=[(ipmi.APPLICATION, ipmi.GET_DEVICE_ID)])
    assert answers(Root(), silent, {"firmware_version": "2.52"})["addresses"] == ["10.0.0.5/24"]


# ipmitool


def test_the_settings_are_read_out_of_ipmitool():
    assert lan_print(PRINTED) == {
        "mac": "00:30:48:f4:4d:83",
        "addresses": ["10.151.68.13/20"],
        "address_source": "dhcp",
        "gateway": "10.151.68.3",
        "vlan_id": 42,
    }


def test_of_several_printed_channels_the_one_with_an_address_comes_first():
    unset = PRINTED.replace("10.151.68.13", "0.0.0.0").replace("F4:4D:83", "F4:4D:84")
    found = lan_print(f"{unset}\n{PRINTED}")
    assert found["addresses"] == ["10.151.68.13/20"]
    assert [one["mac"] for one in (found, *found["other_channels"])] == [
        "00:30:48:f4:4d:83",
        "00:30:48:f4:4d:84",
    ]


@pytest.mark.parametrize(
    ("printed", "field"),
    [
        ("802.1q VLAN ID : 0", "vlan_id"),
        ("802.1q VLAN ID : 4095", "vlan_id"),
        ("802.1q VLAN ID : Disabled", "vlan_id"),
        ("MAC Address : ff:ff:ff:ff:ff:ff", "mac"),
        ("IP Address : 255.255.255.255", "addresses"),
        ("Default Gateway IP : 0.0.0.0", "gateway"),
    ],
)
def test_what_is_no_setting_is_left_out(printed, field):
    assert field not in lan_print(printed)


def test_a_port_that_was_never_set_has_its_mac_alone():
    text = """IP Address Source       : Static Address
IP Address              : 0.0.0.0
Subnet Mask             : 0.0.0.0
MAC Address             : 00:30:48:f4:4d:83
802.1q VLAN ID          : Disabled
"""
    assert lan_print(text) == {"mac": "00:30:48:f4:4d:83", "address_source": "static"}


@given(st.text() | st.lists(st.sampled_from(PRINTED.splitlines()), max_size=9).map("\n".join))
def test_no_text_makes_the_parser_fail(text):
    assert isinstance(clean(lan_print(text)), dict)


LAN = [pytest.param(p, id=corpus_name(p)) for p in corpus_files("*/ipmi/*lan*")]


@needs_corpus
@pytest.mark.parametrize("path", LAN)
def test_a_captured_lan_print_is_read(path):
    text = path.read_text()
    found = lan_print(text)
    lines = {name.strip(): value.strip() for name, _, value in
             (line.partition(":") for line in text.splitlines())}  # fmt: skip
    assert found["mac"] == lines["MAC Address"].lower()
    assert found["addresses"][0].partition("/")[0] == lines["IP Address"]
    assert found["gateway"] == lines["Default Gateway IP"]
    assert found["address_source"] in lines["IP Address Source"].lower()


@needs_corpus
@settings(max_examples=50)
@given(st.data())
def test_no_mutated_capture_makes_the_parser_fail(data):
    texts = [path.read_text(errors="replace") for path in corpus_files("*/ipmi/**/*")]
    text = data.draw(st.sampled_from(texts))
    at = data.draw(st.integers(0, len(text)))
    assert isinstance(
        clean(lan_print(text[:at] + data.draw(st.text(max_size=5)) + text[at + 3 :])), dict
    )


TREES = [pytest.param(p, id=corpus_name(p)) for p in corpus_files("qemu-lab/sysfs_tree/*.tar.xz")]


@needs_corpus
@pytest.mark.parametrize("path", TREES)
def test_a_captured_machine_has_its_controller(path, tmp_path):
    wanted = ("sys/devices/platform/ipmi_bmc.", "sys/firmware/dmi/tables/")
    with tarfile.open(path) as tar:
        for member in tar:
            if member.isfile() and member.name.removeprefix("./").startswith(wanted):
                target = tmp_path / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(tar.extractfile(member).read())
    found = bmc(Root(str(tmp_path)))
    assert found["present"] is True
    assert found["interface_type"].startswith("KCS")
    assert found["ipmi_version"] == "2.0"
    assert found["device_id"] == 32
    assert bmc(Root(str(tmp_path))) == found


def test_a_controller_that_is_busy_is_asked_again_and_then_its_answer_is_not_known(monkeypatch):
    monkeypatch.setattr(ipmi, "PAUSES_SECONDS", (0, 0))
    busy = {"left": 0, "code": b"\xc0"}
    whole = controller({1: 4})

    def answer(fd, number, netfn, command, data):
        if (netfn, command, data[1:2]) == (ipmi.TRANSPORT, ipmi.GET_LAN_PARAMETERS, b"\x03"):
            busy["left"] -= 1
            if busy["left"] >= 0:
                return busy["code"]
        return whole(netfn, command, data)

    monkeypatch.setattr(ipmi, "ask", answer)
    undisturbed = ipmi.lan(ipmi.conversation(0))
    assert undisturbed["addresses"]
    busy["left"] = 2
    assert ipmi.lan(ipmi.conversation(0)) == undisturbed
    busy["left"] = 99
    with pytest.raises(TimeoutError, match="is busy for command"):
        ipmi.lan(ipmi.conversation(0))
    busy.update(left=99, code=b"\xcc")
    assert "addresses" not in ipmi.lan(ipmi.conversation(0)), "a refusal is one"
