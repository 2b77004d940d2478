import pytest

from salt_ext.facts.disks import disks
from salt_ext.facts.root import Root
from salt_ext.facts.vpd import identify_device, rotation_rate, unit_serial
from tests.unit.facts.trees import tree

ATA = "sys/devices/pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0"
SAS = "sys/devices/pci0000:3a/0000:3b:00.0/host0/port-0:1/end_device-0:1/target0:0:1/0:0:1:0"


def queue(home, rotational):
    return {
        f"{home}/size": "1172123568\n",
        f"{home}/removable": "0\n",
        f"{home}/queue/rotational": f"{rotational}\n",
        f"{home}/queue/logical_block_size": "512\n",
        f"{home}/queue/physical_block_size": "4096\n",
    }


def scsi(device, name, rotational=1, **files):
    home = f"{device}/block/{name}"
    links = {
        f"sys/block/{name}": f"../{home.removeprefix('sys/')}",
        f"{home}/device": f"../../../{device.rpartition('/')[2]}",
    }
    return queue(home, rotational) | {f"{device}/{k}": v for k, v in files.items()}, links


def identify_page(serial, firmware, model, rate):
    """Make a VPD page 89h: a header of 60 bytes and the 512 of IDENTIFY DEVICE."""
    words = bytearray(512)
    for first, text, length in ((10, serial, 20), (23, firmware, 8), (27, model, 40)):
        raw = text.ljust(length).encode()
        words[2 * first : 2 * first + length] = b"".join(
            raw[at + 1 : at + 2] + raw[at : at + 1] for at in range(0, length, 2)
        )
    words[434:436] = rate.to_bytes(2, "little")
    return b"\0\x89\x02\x38" + bytes(56) + bytes(words)


def test_a_sata_disk_says_its_whole_name(tmp_path):
    files, links = scsi(
        ATA,
        "sda",
        vendor="ATA     \n",
        model="ST4000NM0035-1V4\n",
        rev="TN03\n",
        wwid="naa.5000C500A1B2C3D4\n",
        vpd_pg80=b"\0\x80\0\x14            ZC10ABCD",
        vpd_pg89=identify_page("ZC10ABCD", "TN03XYZ1", "ST4000NM0035-1V4107", 7200),
    )
    assert disks(tree(tmp_path, files, links)) == [
        {
            "name": "sda",
            "vendor": None,
            "model": "ST4000NM0035-1V4107",
            "serial_number": "ZC10ABCD",
            "firmware_version": "TN03XYZ1",
            "wwn": "5000c500a1b2c3d4",
            "eui64": None,
            "size_bytes": 600127266816,
            "logical_block_size": 512,
            "physical_block_size": 4096,
            "rotational": True,
            "rotation_rate_rpm": 7200,
            "removable": False,
            "transport": "sata",
            "pci_slot": "0000:00:17.0",
            "hctl": "2:0:0:0",
        }
    ]


def test_a_sas_disk_has_its_maker_and_its_speed(tmp_path):
    files, links = scsi(
        SAS,
        "sdb",
        vendor="SEAGATE \n",
        model="ST600MM0208     \n",
        rev="NS02\n",
        wwid="naa.5000c500deadbeef\n",
        vpd_pg80=b"\0\x80\0\x08W0M0ABCD",
        vpd_pgb1=b"\0\xb1\0\x3c" + (10500).to_bytes(2, "big") + bytes(58),
    )
    disk = disks(tree(tmp_path, files, links))[0]
    assert (disk["transport"], disk["vendor"], disk["model"]) == ("sas", "SEAGATE", "ST600MM0208")
    assert (disk["serial_number"], disk["rotation_rate_rpm"]) == ("W0M0ABCD", 10500)
    assert (disk["pci_slot"], disk["hctl"]) == ("0000:3b:00.0", "0:0:1:0")


def test_a_sata_disk_behind_a_sas_controller_is_a_sata_disk(tmp_path):
    files, links = scsi(SAS, "sdb", rotational=0, vendor="ATA     \n")
    assert disks(tree(tmp_path, files, links))[0]["transport"] == "sata"


@pytest.mark.parametrize(
    ("path", "transport"),
    [
        ("pci0000:00/0000:00:14.0/usb2/2-1/2-1:1.0/host7/target7:0:0/7:0:0:0", "usb"),
        ("pci0000:00/0000:81:00.0/host1/rport-1:0-0/target1:0:0/1:0:0:1", "fc"),
        ("platform/host3/session1/target3:0:0/3:0:0:1", "iscsi"),
        ("pci0000:00/0000:00:05.0/virtio2/host2/target2:0:0/2:0:0:0", "virtio"),
        ("pci0000:00/0000:00:03.0/host6/target6:2:0/6:2:0:0", "scsi"),
    ],
)
def test_the_path_tells_the_transport(tmp_path, path, transport):
    files, links = scsi(f"sys/devices/{path}", "sdc", vendor="ACME\n")
    assert disks(tree(tmp_path, files, links))[0]["transport"] == transport


def nvme(tmp_path, where, device_files, **block_files):
    home = f"{where}/nvme0n1"
    files = queue(home, 0) | {f"{home}/{k}": v for k, v in block_files.items()} | device_files
    links = {
        "sys/block/nvme0n1": f"../{home.removeprefix('sys/')}",
        f"{home}/device": f"../../{where.rpartition('/')[2]}",
    }
    return files, links


def test_an_nvme_disk_is_described(tmp_path):
    where = "sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/nvme/nvme0"
    files, links = nvme(
        tmp_path,
        where,
        {
            f"{where}/model": "SAMSUNG MZQL21T9HCJR-00A07              \n",
            f"{where}/serial": "S64GNE0R123456      \n",
            f"{where}/firmware_rev": "GDC5602Q\n",
            f"{where}/address": "0000:01:00.0\n",
        },
        wwid="eui.36344730526034560025384700000001\n",
    )
    disk = disks(tree(tmp_path, files, links))[0]
    assert (disk["model"], disk["serial_number"], disk["firmware_version"]) == (
        "SAMSUNG MZQL21T9HCJR-00A07",
        "S64GNE0R123456",
        "GDC5602Q",
    )
    assert disk["nguid"] == "36344730526034560025384700000001"
    assert (disk["transport"], disk["pci_slot"]) == ("nvme", "0000:01:00.0")


def test_an_nvme_disk_with_a_uuid_keeps_its_other_names(tmp_path):
    where = "sys/devices/pci0000:00/0000:00:04.0/nvme/nvme0"
    names = {
        f"{where}/nvme0n1/eui": "00 25 38 5B 71 b0 aa bb\n",
        f"{where}/nvme0n1/nguid": "36344730-5260-3456-0025-384700000001\n",
    }
    wwid = "uuid.11111111-2222-3333-4444-555555555555\n"
    disk = disks(tree(tmp_path, *nvme(tmp_path, where, names, wwid=wwid)))[0]
    assert disk["eui64"] == "0025385b71b0aabb"
    assert disk["nguid"] == "36344730526034560025384700000001"
    assert disk["uuid"] == "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize("file", ["hidden", "size"])
def test_an_nvme_disk_with_several_paths_is_one_disk(tmp_path, file):
    where = "sys/devices/virtual/nvme-subsystem/nvme-subsys0"
    controller = "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0"
    files, links = nvme(
        tmp_path,
        where,
        {
            f"{where}/serial": "S64GNE0R123456\n",
            f"{controller}/address": "0000:01:00.0\n",
            f"{controller}/nvme0c0n1/{file}": "1\n",
        },
        wwid="eui.0025385b71b012f4\n",
    )
    links[f"{where}/nvme0"] = "../../../pci0000:00/0000:01:00.0/nvme/nvme0"
    links["sys/block/nvme0c0n1"] = f"../{controller.removeprefix('sys/')}/nvme0c0n1"
    found = disks(tree(tmp_path, files, links))
    assert [disk["name"] for disk in found] == ["nvme0n1"]
    assert (found[0]["pci_slot"], found[0]["eui64"]) == ("0000:01:00.0", "0025385b71b012f4")


@pytest.mark.parametrize(
    ("text", "serial"),
    [("VIRTBLK0001\n", "VIRTBLK0001"), ("overlayblk\n", None), ("\n", None)],
)
def test_a_mere_name_is_no_serial_number_of_a_virtual_disk(tmp_path, text, serial):
    home = "sys/devices/pci0000:00/0000:00:02.0/virtio0/block/vda"
    root = tree(
        tmp_path,
        {f"{home}/serial": text, f"{home}/size": "8\n"},
        {"sys/block/vda": f"../{home.removeprefix('sys/')}"},
    )
    assert [(disk["serial_number"], disk["size_bytes"]) for disk in disks(root)] == [(serial, 4096)]


def test_a_memory_card_is_one_disk(tmp_path):
    home = "sys/devices/platform/soc/mmc_host/mmc0/mmc0:0001"
    names = ("mmcblk0", "mmcblk0boot0", "mmcblk0gp1", "mmcblk0rpmb")
    root = tree(
        tmp_path,
        {f"{home}/name": "SC64G\n", f"{home}/serial": "0x1a2b3c4d\n"}
        | {f"{home}/block/{name}/size": "8\n" for name in names},
        {f"sys/block/{name}": f"../{home.removeprefix('sys/')}/block/{name}" for name in names}
        | {f"{home}/block/mmcblk0/device": "../../../mmc0:0001"},
    )
    found = [(disk["name"], disk["model"], disk["serial_number"]) for disk in disks(root)]
    assert found == [("mmcblk0", "SC64G", "0x1a2b3c4d")]


@pytest.mark.parametrize("name", ["loop0", "ram0", "zram0", "dm-0", "md127", "nbd0", "sr0", "fd0"])
def test_what_the_kernel_makes_itself_is_no_disk(tmp_path, name):
    assert disks(tree(tmp_path, {f"sys/block/{name}/size": "8\n"})) == []


def test_a_virtual_device_of_any_name_is_no_disk(tmp_path):
    root = tree(
        tmp_path,
        {"sys/devices/virtual/block/newblk0/size": "8\n"},
        {"sys/block/newblk0": "../devices/virtual/block/newblk0"},
    )
    assert disks(root) == []


def test_a_drive_without_a_medium_has_no_size(tmp_path):
    files, links = scsi(ATA, "sda")
    files[f"{ATA}/block/sda/size"] = "0\n"
    assert disks(tree(tmp_path, files, links))[0]["size_bytes"] is None


@pytest.mark.parametrize("page", [b"", b"\0", b"\0\x83\0\x04ABCD", b"\0\x80\0\0"])
def test_a_page_without_a_serial_number_has_none(page):
    assert unit_serial(page) is None


def test_a_cut_identify_page_says_nothing():
    page = identify_page("A", "B", "C", 7200)
    assert all(identify_device(page[:length]) == {} for length in range(0, len(page), 7))


@pytest.mark.parametrize("rate", [0, 1, 0x400, 0xFFFF])
def test_a_reserved_speed_is_absent(rate):
    assert rotation_rate(b"\0\xb1\0\x3c" + rate.to_bytes(2, "big")) == {}


def test_two_runs_on_this_machine_agree():
    assert disks(Root()) == disks(Root()) != []
