"""What a management controller plugs in is no hardware of its machine."""

import pytest

from salt_ext.facts.bmc_usb import is_plugged
from salt_ext.facts.disks import disks
from salt_ext.facts.network import network
from salt_ext.facts.sysfs import usb_device
from salt_ext.facts.usb import usb
from tests.unit.facts.trees import tree

PORT = "sys/devices/pci0000:00/0000:00:14.0/usb1/1-14/1-14.3"
AMI = {"idVendor": "046b", "idProduct": "ff31"}
STICK = {"idVendor": "0951", "idProduct": "1666", "product": "DataTraveler 3.0"}


def plugged(**strings):
    files = {"bDeviceClass": "00", **strings}
    return {f"{PORT}/{name}": f"{text}\n" for name, text in files.items()}


def disk(where, vendor, model, **strings):
    home = f"{PORT}/1-14.3:1.0/host6/target6:0:0/6:0:0:0"
    files = {
        f"{home}/block/sdb/size": "0\n",
        f"{home}/block/sdb/removable": "1\n",
        f"{home}/vendor": f"{vendor}\n",
        f"{home}/model": f"{model}\n",
    }
    links = {
        "sys/block/sdb": f"../{home.removeprefix('sys/')}/block/sdb",
        f"{home}/block/sdb/device": "../../../6:0:0:0",
    }
    return disks(tree(where, {**files, **plugged(**strings)}, links))


def card(where, **strings):
    home = f"{PORT}/1-14.3:1.0/net/usb0"
    links = {
        "sys/class/net/usb0": f"../../{home.removeprefix('sys/')}",
        f"{home}/device": "../../../1-14.3:1.0",
    }
    return network(tree(where, {f"{home}/mtu": "1500\n", **plugged(**strings)}, links))


def device(where, **strings):
    links = {"sys/bus/usb/devices/1-14.3": f"../../../{PORT.removeprefix('sys/')}"}
    return usb(tree(where, plugged(**strings), links))


PLUGGED = [
    ("046b", "ff10", "Virtual Keyboard and Mouse"),
    ("046b", "ffb0", None),
    ("0624", "0249", None),
    ("0624", "0252", "Mass Storage Function"),
    ("03f0", "7029", None),
    ("0557", "2419", None),
    ("04b3", "4010", "RNDIS/Ethernet Gadget"),
    ("17ef", "b005", "/mnt/VM0/smolens"),
    ("413c", "a102", None),
    ("0b1f", "03ee", None),
    ("1d6b", "0104", "virtual_input"),
    ("1d6b", "0104", "OpenBMC HID"),
    ("abcd", "0001", "Virtual Floppy"),
]
HARDWARE = [
    ("046b", "0001", "Keyboard"),
    ("0624", "0294", "Dell 03R874 KVM dongle"),
    ("0557", "8021", None),
    ("03f0", "0024", "KU-0316 Keyboard"),
    ("413c", "a101", "Internal Dual SD"),
    ("413c", "2113", "KB216 Wired Keyboard"),
    ("0424", "4030", "iLO LUN 00 Media 0"),
    ("12d1", "1506", "Modem/Networkcard"),
    ("1d6b", "0104", "BeagleBoneBlack"),
    ("0525", "a4a2", "RNDIS/Ethernet Gadget"),
    ("0e0f", "0003", "VMware Virtual USB Mouse"),
    ("0627", "0001", "QEMU USB Tablet"),
    ("80ee", "0021", "VirtualBox USB Tablet"),
    ("1b1c", "0a40", "CORSAIR VIRTUOSO"),
]


@pytest.mark.parametrize(("vendor", "product", "name"), PLUGGED)
def test_the_devices_of_a_controller_are_known(vendor, product, name):
    assert is_plugged(vendor, product, None, name)


@pytest.mark.parametrize(("vendor", "product", "name"), HARDWARE)
def test_what_people_plug_in_is_hardware(vendor, product, name):
    assert not is_plugged(vendor, product, None, name)


@pytest.mark.parametrize(
    ("vendor", "model", "strings"),
    [
        ("AMI", "Virtual Floppy0", AMI),
        ("Generic", "Storage", AMI),
        ("iDRAC", "LCDRIVE", {"idVendor": "abcd", "idProduct": "0001"}),
        ("CISCO", "vKVM-Mapped vFDD", {"idVendor": "abcd", "idProduct": "0001"}),
        ("Linux", "File-Stor Gadget", {**AMI, "manufacturer": "American Megatrends Inc."}),
    ],
)
def test_a_drive_of_a_controller_is_no_disk(tmp_path, vendor, model, strings):
    assert disk(tmp_path, vendor, model, **strings) == []


def test_a_stick_is_a_disk_and_a_device(tmp_path):
    assert [one["transport"] for one in disk(tmp_path / "a", "Kingston", "DT", **STICK)] == ["usb"]
    assert [one["model"] for one in device(tmp_path / "b", **STICK)] == ["DataTraveler 3.0"]


def test_a_disk_that_a_hypervisor_calls_virtual_is_a_disk(tmp_path):
    home = "sys/devices/pci0000:00/0000:00:10.0/host2/target2:0:0/2:0:0:0"
    files = {f"{home}/block/sda/size": "8\n", f"{home}/model": "Virtual Disk\n"}
    links = {
        "sys/block/sda": f"../{home.removeprefix('sys/')}/block/sda",
        f"{home}/block/sda/device": "../../../2:0:0:0",
    }
    assert len(disks(tree(tmp_path, files, links))) == 1


def test_a_network_card_for_redfish_is_no_card_of_the_machine(tmp_path):
    assert card(tmp_path / "idrac", idVendor="413c", idProduct="a102") == []
    (adapter,) = card(tmp_path / "real", idVendor="0b95", idProduct="1790", product="AX88179")
    assert (adapter["name"], adapter["kind"]) == ("usb0", "physical")


def test_the_keyboard_of_a_remote_console_is_not_plugged_in(tmp_path):
    assert device(tmp_path, idVendor="046b", idProduct="ff10") == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "../devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2.1/1-2.1:1.0/host6/6:0:0:0/block/sda",
            "/sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2.1",
        ),
        ("../../devices/pci0000:00/0000:3b:00.0/net/eno1", None),
        ("../devices/pci0000:00/0000:00:14.0/usb1/1-2", None),
        ("", None),
    ],
)
def test_the_usb_device_is_on_the_way_to_what_hangs_on_it(path, expected):
    assert usb_device(path) == expected
