from hypothesis import given
from hypothesis import strategies as st

from salt_ext.document import normal
from salt_ext.document.keys import keyed
from salt_ext.document.volatile import split
from salt_ext.facts.udev import decoded
from salt_ext.facts.usb import usb
from tests.unit.facts.trees import tree

CONTROLLER = "sys/devices/pci0000:00/0000:00:14.0"
STICK = {
    "idVendor": "0951",
    "idProduct": "1666",
    "bDeviceClass": "00",
    "bcdDevice": "0110",
    "speed": "5000",
    "dev": "189:3",
}
UDEV = (
    "N:bus/usb/001/004\nE:ID_VENDOR=Kingston\nE:ID_VENDOR_ENC=Kingston\n"
    "E:ID_MODEL=DataTraveler_3.0\nE:ID_MODEL_ENC=DataTraveler\\x203.0\n"
    "E:ID_SERIAL_SHORT=E0D55EA573F0F35198C90AB1\nG:systemd\n"
)


def device(name="1-2", bus="usb1", controller=CONTROLLER, **changed):
    home = f"{controller}/{bus}/{name}"
    files = {**STICK, **changed}
    return (
        {f"{home}/{k}": f"{v}\n" for k, v in files.items() if v is not None},
        {f"sys/bus/usb/devices/{name}": f"../../../{home.removeprefix('sys/')}"},
    )


def test_a_device_has_the_strings_that_udev_keeps(tmp_path):
    files, links = device()
    assert usb(tree(tmp_path, {**files, "run/udev/data/c189:3": UDEV}, links)) == [
        {
            "location": "0000:00:14.0 port 2",
            "vendor_id": "0951",
            "product_id": "1666",
            "class_id": "00",
            "revision": "0110",
            "manufacturer": "Kingston",
            "model": "DataTraveler 3.0",
            "serial_number": "E0D55EA573F0F35198C90AB1",
            "volatile": {"name": "1-2", "speed_mbps": 5000},
        }
    ]


def test_a_number_that_stands_for_a_missing_string_is_none(tmp_path):
    files, links = device()
    said = "E:ID_VENDOR_ENC=0951\nE:ID_MODEL_ENC=1666\n"
    (found,) = usb(tree(tmp_path, {**files, "run/udev/data/c189:3": said}, links))
    assert (found["manufacturer"], found["model"]) == (None, None)


def test_a_captured_tree_has_its_strings_in_sysfs(tmp_path):
    files, links = device(product="QEMU USB Tablet", manufacturer="QEMU", serial="42")
    (found,) = usb(tree(tmp_path, files, links))
    assert (found["manufacturer"], found["model"], found["serial_number"]) == (
        "QEMU",
        "QEMU USB Tablet",
        "42",
    )


def test_hubs_and_interfaces_are_no_devices(tmp_path):
    hub = device(name="1-1", bDeviceClass="09")
    interface = device(name="1-2:1.0", idVendor=None)
    root_hub = device(name="usb1")
    files, links = {}, {}
    for some_files, some_links in (hub, interface, root_hub):
        files |= some_files
        links |= some_links
    assert usb(tree(tmp_path, files, links)) == []


def test_another_number_of_the_bus_is_no_change(tmp_path):
    before = usb(tree(tmp_path / "a", *device(name="1-2.4", bus="usb1")))
    after = usb(tree(tmp_path / "b", *device(name="3-2.4", bus="usb3")))
    assert before != after
    stable = [split(normal({"usb": found}))[0] for found in (before, after)]
    assert stable[0] == stable[1]


def test_two_alike_are_told_apart_by_their_ports(tmp_path):
    files, links = device(name="1-1")
    more_files, more_links = device(name="1-2")
    found = usb(tree(tmp_path, files | more_files, links | more_links))
    assert set(keyed(found)) == {"0000:00:14.0 port 1", "0000:00:14.0 port 2"}


def test_a_controller_need_not_be_on_pci(tmp_path):
    files, links = device(controller="sys/devices/platform/soc/3f980000.usb")
    assert usb(tree(tmp_path, files, links))[0]["location"] == "3f980000.usb port 2"


def test_a_slow_device_has_a_whole_number(tmp_path):
    assert usb(tree(tmp_path, *device(speed="1.5")))[0]["volatile"]["speed_mbps"] == 1


def test_no_usb_and_no_look_are_different(tmp_path):
    assert usb(tree(tmp_path / "a", {"sys/bus/pci/uevent": ""})) == []
    assert usb(tree(tmp_path / "b", {"proc/version": ""})) is None


@given(st.text(max_size=40) | st.text("\\x20aF", max_size=20))
def test_any_text_of_udev_can_be_decoded(text):
    assert len(decoded(text)) <= len(text)
