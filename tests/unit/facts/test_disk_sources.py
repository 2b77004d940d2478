"""A second source for what a disk does not tell the kernel, and the bay that it is in."""

import pytest

from salt_ext.facts.disks import disks
from salt_ext.facts.vpd import unit_names
from tests.unit.facts.trees import tree

BRIDGE = "sys/devices/pci0000:00/0000:00:0d.0/usb2/2-2/2-2:1.0/host0/target0:0:0/0:0:0:0"
SATA = "sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0"
SAS = "sys/devices/pci0000:3a/0000:3b:00.0/host0/port-0:1/end_device-0:1/target0:0:1/0:0:1:0"


def scsi(where, device, files, **more):
    """Write one disk with the device number 8:0, and ``more`` files of it."""
    home = f"{device}/block/sda"
    told = {f"{device}/{name}": content for name, content in more.items()}
    links = {
        "sys/block/sda": f"../{home.removeprefix('sys/')}",
        f"{home}/device": f"../../../{device.rpartition('/')[2]}",
    }
    return tree(where, {f"{home}/size": "8\n", f"{home}/dev": "8:0\n", **told, **files}, links)


def udev(**properties):
    return {"run/udev/data/b8:0": "".join(f"E:{k}={v}\n" for k, v in properties.items())}


def test_a_disk_behind_a_usb_bridge_is_what_udev_was_told_by_the_disk_itself(tmp_path):
    said = udev(
        ID_BUS="ata",
        ID_MODEL="CT2000MX500SSD1",
        ID_MODEL_ENC=r"CT2000MX500SSD1\x20\x20\x20",
        ID_REVISION="M3CR046",
        ID_SERIAL_SHORT="2040E4B40001",
        ID_WWN="0x500a0751e4b40001",
        ID_WWN_WITH_EXTENSION="0x500a0751e4b40001",
    )
    told = {"vendor": "CT2000MX\n", "model": "500SSD1         \n", "rev": "0   \n"}
    (disk,) = disks(scsi(tmp_path, BRIDGE, said, **told))
    assert (disk["serial_number"], disk["wwn"]) == ("2040E4B40001", "500a0751e4b40001")
    assert (disk["vendor"], disk["model"], disk["firmware_version"]) == (
        None,
        "CT2000MX500SSD1",
        "M3CR046",
    )
    assert (disk["transport"], disk["hctl"]) == ("usb", "0:0:0:0")


def test_a_usb_stick_keeps_its_maker_and_has_the_number_of_the_stick(tmp_path):
    said = udev(ID_BUS="usb", ID_SERIAL_SHORT="4C530001120309115145")
    (disk,) = disks(scsi(tmp_path, BRIDGE, said, vendor="SanDisk\n", model="Cruzer Blade\n"))
    assert (disk["vendor"], disk["model"]) == ("SanDisk", "Cruzer Blade")
    assert disk["serial_number"] == "4C530001120309115145"


def test_without_udevs_record_a_usb_disk_has_the_number_of_its_usb_device(tmp_path):
    serial = {"sys/devices/pci0000:00/0000:00:0d.0/usb2/2-2/serial": "MSFT30NA7X2LKE\n"}
    (disk,) = disks(scsi(tmp_path, BRIDGE, serial, vendor="Seagate\n"))
    assert disk["serial_number"] == "MSFT30NA7X2LKE"


def test_what_the_kernel_knows_goes_over_what_udev_wrote(tmp_path):
    said = udev(ID_BUS="usb", ID_SERIAL_SHORT="DB98765432100", ID_WWN="0x5000c500a1b2c3d4")
    (disk,) = disks(scsi(tmp_path, BRIDGE, said, vpd_pg80=b"\0\x80\0\x08ZC10ABCD"))
    assert (disk["serial_number"], disk["wwn"]) == ("ZC10ABCD", "5000c500a1b2c3d4")


def test_a_kernel_without_vpd_pages_leaves_the_numbers_to_udev(tmp_path):
    said = udev(ID_BUS="ata", ID_SERIAL_SHORT="ZC10ABCD", ID_WWN="0x5000c500a1b2c3d4")
    told = {"vendor": "ATA\n", "model": "ST4000NM0035-1V4\n", "rev": "TN03\n"}
    (disk,) = disks(scsi(tmp_path, SATA, said, **told))
    assert (disk["serial_number"], disk["wwn"]) == ("ZC10ABCD", "5000c500a1b2c3d4")
    assert (disk["model"], disk["firmware_version"]) == ("ST4000NM0035-1V4", "TN03")


def test_the_short_serial_of_a_scsi_disk_is_its_worldwide_name_and_no_serial_number(tmp_path):
    said = udev(ID_BUS="scsi", ID_SERIAL_SHORT="35000c500deadbee1", ID_SCSI_SERIAL="W0M0ABCD")
    assert disks(scsi(tmp_path / "a", SAS, said))[0]["serial_number"] == "W0M0ABCD"
    said = udev(ID_BUS="scsi", ID_SERIAL_SHORT="35000c500deadbee1", SCSI_IDENT_SERIAL="W0M0ABCE")
    assert disks(scsi(tmp_path / "sg", SAS, said))[0]["serial_number"] == "W0M0ABCE"
    said = udev(ID_BUS="scsi", ID_SERIAL_SHORT="35000c500deadbee1")
    assert disks(scsi(tmp_path / "b", SAS, said))[0]["serial_number"] is None


def designator(kind, name, association=0):
    return bytes((1, association << 4 | kind, 0, len(name))) + name


PORT, UNIT = bytes.fromhex("5000c500deadbee2"), bytes.fromhex("5000c500deadbee1")
LONG = bytes.fromhex("600508b4000000000000000000aa0001")


def page_of(*designators):
    body = b"".join(designators)
    return b"\0\x83" + len(body).to_bytes(2, "big") + body


@pytest.mark.parametrize(
    ("page", "names"),
    [
        (page_of(designator(1, b"ATA  TEXT"), designator(3, UNIT)), {"wwn": UNIT.hex()}),
        (page_of(designator(3, PORT, 1), designator(3, UNIT)), {"wwn": UNIT.hex()}),
        (page_of(designator(3, UNIT), designator(3, LONG)), {"wwn": LONG.hex()}),
        (
            page_of(designator(3, LONG), designator(2, UNIT)),
            {"wwn": LONG.hex(), "eui64": UNIT.hex()},
        ),
        (page_of(designator(1, b"TEXT ONLY")), {}),
        (page_of(designator(3, UNIT))[:-1], {}),
        (page_of(designator(3, b"")), {}),
        (b"\0\x80\0\x08ZC10ABCD", {}),
        (b"", {}),
    ],
)
def test_the_page_of_names_tells_the_units_own(page, names):
    assert unit_names(page) == names


def test_a_kernel_without_a_name_for_the_disk_has_the_page(tmp_path):
    page = page_of(designator(3, PORT, 1), designator(3, UNIT))
    assert disks(scsi(tmp_path, SAS, {}, vpd_pg83=page))[0]["wwn"] == UNIT.hex()


def test_a_dasd_is_known_by_its_uid(tmp_path):
    device = "sys/devices/css0/0.0.0001/0.0.190c"
    root = tree(
        tmp_path,
        {
            f"{device}/block/dasda/size": "14424480\n",
            f"{device}/uid": "IBM.750000000AB171.1000.0d\n",
            f"{device}/vendor": "IBM\n",
            f"{device}/devtype": "3390/0c\n",
        },
        {
            "sys/block/dasda": f"../{device.removeprefix('sys/')}/block/dasda",
            f"{device}/block/dasda/device": "../../../0.0.190c",
        },
    )
    (disk,) = disks(root)
    assert (disk["vendor"], disk["model"], disk["transport"]) == ("IBM", "3390/0c", "ccw")
    assert disk["serial_number"] == "IBM.750000000AB171.1000.0d"


def test_a_disk_behind_a_plain_hba_has_its_bay(tmp_path):
    bay = "sys/class/enclosure/0:0:24:0/Slot 07"
    root = scsi(tmp_path, SAS, {"sys/class/enclosure/0:0:24:0/id": "0x500304801F3B00BD\n"})
    tree(tmp_path, {f"{bay}/slot": "7\n"}, {f"{bay}/device": "../../../../target0:0:1/0:0:1:0"})
    (disk,) = disks(root)
    assert (disk["enclosure"], disk["slot"]) == ("500304801f3b00bd", 7)


@pytest.mark.parametrize("slot", ["-1\n", ""])
def test_a_bay_without_a_number_has_its_name(tmp_path, slot):
    bay = "sys/class/enclosure/0:0:24:0/Disk A3"
    root = scsi(tmp_path, SAS, {"sys/class/enclosure/0:0:24:0/id": "0\n", f"{bay}/slot": slot})
    tree(tmp_path, {}, {f"{bay}/device": "../../../../target0:0:1/0:0:1:0"})
    assert (disks(root)[0]["enclosure"], disks(root)[0]["slot"]) == ("0:0:24:0", "Disk A3")
