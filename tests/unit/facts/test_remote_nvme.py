"""NVMe namespaces of an array, which are disks of this machine and no hardware of it."""

import pytest

from salt_ext.facts import smart
from salt_ext.facts.disks import disks
from tests.unit.facts.trees import tree

SUBSYSTEM = "sys/devices/virtual/nvme-subsystem/nvme-subsys0"
CONTROLLER = "sys/devices/virtual/nvme-fabrics/ctl/nvme1"
LOCAL = "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme1"


def described(files, home):
    return {
        f"{home}/model": "dellemc-powerstore\n",
        f"{home}/serial": "6ML4L99\n",
        f"{home}/firmware_rev": "3.5.0.0\n",
        **files,
    }


def joined(where, transport, link=None):
    """Return a namespace that the kernel has joined to a subsystem with one controller."""
    controller = LOCAL if transport == "pcie" else CONTROLLER
    address = "0000:01:00.0\n" if transport == "pcie" else "traddr=192.0.2.11,trsvcid=4420\n"
    files = {f"{SUBSYSTEM}/nvme0n1/size": "2097152\n", f"{controller}/address": address}
    if transport:
        files[f"{controller}/transport"] = f"{transport}\n"
    links = {
        "sys/block/nvme0n1": f"../{SUBSYSTEM.removeprefix('sys/')}/nvme0n1",
        f"{SUBSYSTEM}/nvme0n1/device": "../../nvme-subsys0",
        f"{SUBSYSTEM}/nvme1": link or f"../../../../{controller.removeprefix('sys/')}",
    }
    return disks(tree(where, described(files, SUBSYSTEM), links))[0]


def single(where, transport):
    """Return a namespace below its only controller, on a kernel that joins none."""
    controller = LOCAL if transport == "pcie" else CONTROLLER
    address = "0000:01:00.0\n" if transport == "pcie" else "nn-0x20:pn-0x21\n"
    files = {
        f"{controller}/nvme1n1/size": "2097152\n",
        f"{controller}/address": address,
        f"{controller}/transport": f"{transport}\n",
    }
    links = {
        "sys/block/nvme1n1": f"../{controller.removeprefix('sys/')}/nvme1n1",
        f"{controller}/nvme1n1/device": "../../nvme1",
    }
    return disks(tree(where, described(files, controller), links))[0]


@pytest.mark.parametrize("made", [joined, single])
@pytest.mark.parametrize("transport", ["tcp", "rdma", "fc", "loop"])
def test_a_namespace_over_a_network_says_so_and_is_not_asked_for_its_health(
    tmp_path, made, transport
):
    disk = made(tmp_path, transport)
    assert disk["transport"] == f"nvme-{transport}"
    assert smart._protocol(disk) is None
    assert disk["pci_slot"] is None


@pytest.mark.parametrize("made", [joined, single])
def test_the_serial_number_of_an_array_is_not_that_of_its_namespace(tmp_path, made):
    disk = made(tmp_path, "tcp")
    assert (disk.get("serial_number"), disk["subsystem_serial_number"]) == (None, "6ML4L99")


@pytest.mark.parametrize("made", [joined, single])
@pytest.mark.parametrize("transport", ["pcie", "apple-nvme"])
def test_a_local_disk_is_local_whatever_the_kernel_joins(tmp_path, made, transport):
    disk = made(tmp_path, transport)
    assert (disk["transport"], disk["serial_number"]) == ("nvme", "6ML4L99")
    assert smart._protocol(disk) == "nvme"


def test_a_controller_that_does_not_tell_is_remote_by_its_place(tmp_path):
    disk = joined(tmp_path / "silent", None, "../../nvme-fabrics/ctl/nvme1")
    assert disk["transport"] == "nvme-fabrics"
    disk = joined(tmp_path / "elsewhere", "tcp", "../../../nvme-fabrics/ctl/nvme1")
    assert disk["transport"] == "nvme-tcp"
