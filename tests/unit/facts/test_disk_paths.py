"""Several paths to one disk are one disk, and a path that is lost is no lost disk."""

import pytest

from salt_ext.document import normal
from salt_ext.document.diff import diff
from salt_ext.document.volatile import split
from salt_ext.facts import smart
from salt_ext.facts.disks import disks
from salt_ext.facts.volumes import multipath
from salt_ext.store.columns import list_columns
from salt_ext.store.parts import parts
from tests.unit.facts.trees import san, tree

LUN = "600508b4000000000000000000aa0001"
OTHER = "600508b4000000000000000000aa0002"


def documents(root):
    """The stable facts of the sections that tell of paths, in normal form."""
    return split(normal({"disks": disks(root), "multipath": multipath(root)}))[0]


def test_a_unit_by_four_paths_is_one_disk_with_one_size(tmp_path):
    root = san(tmp_path, {LUN: "abcd", OTHER: "efgh"})
    found = disks(root)
    assert [(one["wwn"], len(one["paths"])) for one in found] == [(LUN, 4), (OTHER, 4)]
    assert [(path["name"], path["hctl"]) for path in found[0]["paths"]] == [
        ("sda", "1:0:0:1"),
        ("sdb", "2:0:0:1"),
        ("sdc", "1:0:1:1"),
        ("sdd", "2:0:1:1"),
    ]
    assert {path["pci_slot"] for path in found[0]["paths"]} == {"0000:3b:00.0", "0000:3b:00.1"}
    assert {(path["state"], path["health"]) for path in found[0]["paths"]} == {("running", "ok")}
    columns = list_columns({"disks": found}, [])
    assert (columns["disk_count"], columns["disk_bytes"]) == (2, 2 << 40)
    assert sum(parts({"disks": found}).values()) == 2


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("lost", ["a", "d", "bc"])
def test_paths_that_are_lost_are_one_change_of_the_paths(tmp_path, lost, held):
    whole, poor = (
        documents(san(tmp_path / name, {LUN: letters}, "mpatha" if held else None))
        for name, letters in (("whole", "abcd"), ("poor", "".join(set("abcd") - set(lost))))
    )
    for before, after in ((whole, poor), (poor, whole)):
        assert [(one.op, one.path, one.field) for one in diff(before, after)] == [
            ("changed", "disks", "paths")
        ]


def test_the_last_path_of_a_multipath_device_is_still_a_path(tmp_path):
    two = documents(san(tmp_path / "two", {LUN: "ab"}, "mpatha"))
    one = documents(san(tmp_path / "one", {LUN: "b"}, "mpatha"))
    assert [(it.path, it.field) for it in diff(two, one)] == [("disks", "paths")]


@pytest.mark.parametrize("state", ["offline", "transport-offline", "blocked"])
def test_a_path_that_fails_says_so(tmp_path, state):
    found = disks(san(tmp_path, {LUN: "abcd"}, states={"sdc": state}))
    assert len(found) == 1
    assert [path["health"] for path in found[0]["paths"]] == ["ok", "ok", "failed", "ok"]
    assert found[0]["paths"][2]["state"] == state


def test_a_disk_is_called_as_its_multipath_device_or_by_its_worldwide_name(tmp_path):
    assert disks(san(tmp_path / "held", {LUN: "ab"}, "mpatha"))[0]["name"] == "mpatha"
    assert disks(san(tmp_path / "not", {LUN: "ab"}))[0]["name"] == f"scsi-3{LUN}"


def test_a_unit_with_a_single_path_is_a_disk_as_any_other(tmp_path):
    (disk,) = disks(san(tmp_path, {LUN: "a"}))
    assert (disk["name"], disk["hctl"], disk["pci_slot"]) == ("sda", "1:0:0:1", "0000:3b:00.0")
    assert "paths" not in disk


def test_a_path_without_a_size_or_a_name_belongs_to_the_device_that_holds_it(tmp_path):
    root = san(tmp_path, {LUN: "ab"}, "mpatha", without={"sda": ("size", "wwid", "vpd_pg80")})
    (disk,) = disks(root)
    assert (disk["size_bytes"], disk["wwn"], len(disk["paths"])) == (1 << 40, LUN, 2)


def test_a_path_that_multipathd_does_not_hold_is_a_path_all_the_same(tmp_path):
    (disk,) = disks(san(tmp_path, {LUN: "abcd"}, "mpatha", not_held=("sdd",)))
    assert (disk["name"], len(disk["paths"])) == ("mpatha", 4)


def test_a_sas_disk_with_two_ports_is_one_and_is_asked_for_its_health_by_a_path_that_works(
    tmp_path,
):
    root = san(tmp_path, {LUN: "ab"}, states={"sda": "offline"}, fabric="end_device-{}:0")
    (disk,) = disks(root)
    assert (disk["transport"], smart._protocol(disk), smart._device(disk)) == ("sas", "scsi", "sdb")


def test_disks_with_one_name_and_different_numbers_are_as_many_disks(tmp_path):
    root = san(tmp_path, {LUN: "ab"}, numbers={"sda": "S1A20001", "sdb": "S1A20002"})
    assert [disk["name"] for disk in disks(root)] == ["sda", "sdb"]


def test_units_of_one_target_that_show_one_name_are_as_many_disks(tmp_path):
    root = san(tmp_path, {LUN: "ae"})
    assert [disk["hctl"] for disk in disks(root)] == ["1:0:0:1", "1:0:0:2"]


def test_namespaces_of_one_controller_that_show_one_name_are_as_many_disks(tmp_path):
    controller = "sys/devices/pci0000:00/0000:01:00.0/nvme/nvme0"
    files = {f"{controller}/serial": "S64GNE0R123456\n", f"{controller}/address": "0000:01:00.0\n"}
    links = {}
    for space in ("nvme0n1", "nvme0n2"):
        files[f"{controller}/{space}/wwid"] = "eui.0025385b71b012f4\n"
        links[f"sys/block/{space}"] = f"../{controller.removeprefix('sys/')}/{space}"
        links[f"{controller}/{space}/device"] = "../../nvme0"
    found = disks(tree(tmp_path, files, links))
    assert [disk["name"] for disk in found] == ["nvme0n1", "nvme0n2"]


def test_a_name_without_a_maker_joins_nothing(tmp_path):
    found = disks(san(tmp_path, {"5000000000000001": "ab"}, without={"sda": ("vpd_pg80",)}))
    assert [one["name"] for one in found] == ["sda", "sdb"]


@pytest.mark.parametrize("name", ["5000000000000000", "0000000000000000"])
def test_a_name_of_zeros_joins_nothing(tmp_path, name):
    assert len(disks(san(tmp_path, {name: "ab"}))) == 2


def test_a_text_of_the_maker_is_no_name_in_the_world(tmp_path):
    root = san(tmp_path, {LUN: "ab"}, wwid="t10.ATA     DISK\n")
    assert len(disks(root)) == 2


def test_two_namespaces_of_one_nvme_disk_are_two_and_their_paths_stand_under_them(tmp_path):
    where = "sys/devices/virtual/nvme-subsystem/nvme-subsys0"
    files = {f"{where}/serial": "S64GNE0R123456\n"}
    links = {}
    for space in (1, 2):
        head = f"{where}/nvme0n{space}"
        files[f"{head}/size"] = "8\n"
        files[f"{head}/wwid"] = f"eui.0025385b71b012f{space}\n"
        links[f"sys/block/nvme0n{space}"] = f"../{head.removeprefix('sys/')}"
        links[f"{head}/device"] = "../../nvme-subsys0"
    for number, state in ((0, "live"), (1, "connecting")):
        controller = f"sys/devices/pci0000:00/0000:0{number}:00.0/nvme/nvme{number}"
        files[f"{controller}/address"] = f"0000:0{number}:00.0\n"
        files[f"{controller}/state"] = f"{state}\n"
        files[f"{controller}/transport"] = "pcie\n"
        for space in (1, 2):
            path = f"nvme0c{number}n{space}"
            files[f"{controller}/{path}/hidden"] = "1\n"
            links[f"sys/block/{path}"] = f"../{controller.removeprefix('sys/')}/{path}"
    found = disks(tree(tmp_path, files, links))
    assert smart._device(found[0]) == "nvme0n1"
    assert [(disk["name"], disk["pci_slot"]) for disk in found] == [
        ("nvme0n1", None),
        ("nvme0n2", None),
    ]
    assert found[1]["paths"] == [
        {
            "name": f"nvme0c{number}n2",
            "pci_slot": f"0000:0{number}:00.0",
            "address": None,
            "transport": "pcie",
            "state": state,
            "health": health,
        }
        for number, state, health in ((0, "live", "ok"), (1, "connecting", "failed"))
    ]


@pytest.mark.parametrize(("second", "count"), [("S64GNE0R123456", 1), ("S64GNE0R999999", 2)])
def test_without_the_kernels_multipath_an_nvme_disk_with_two_ports_is_one(tmp_path, second, count):
    files, links = {}, {}
    for number, serial in ((0, "S64GNE0R123456"), (1, second)):
        controller = f"sys/devices/pci0000:00/0000:0{number + 1}:00.0/nvme/nvme{number}"
        space = f"{controller}/nvme{number}n1"
        files |= {
            f"{controller}/serial": f"{serial}\n",
            f"{controller}/address": f"0000:0{number + 1}:00.0\n",
            f"{controller}/state": "live\n",
            f"{space}/size": "8\n",
            f"{space}/wwid": "eui.36344730526034560025384700000001\n",
        }
        links[f"sys/block/nvme{number}n1"] = f"../{space.removeprefix('sys/')}"
        links[f"{space}/device"] = f"../../nvme{number}"
    found = disks(tree(tmp_path, files, links))
    assert len(found) == count
    if count == 1:
        assert found[0]["name"] == "nvme-eui.36344730526034560025384700000001"
        assert [(path["name"], path["pci_slot"]) for path in found[0]["paths"]] == [
            ("nvme0n1", "0000:01:00.0"),
            ("nvme1n1", "0000:02:00.0"),
        ]
        assert (smart._protocol(found[0]), smart._device(found[0])) == ("nvme", "nvme0n1")
