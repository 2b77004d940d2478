"""What sort of news a change is."""

import pytest

from salt_ext.document import normal
from salt_ext.document.classes import CLASSES, classes, losses
from salt_ext.document.diff import Change, diff
from tests.kinds_of_change import DISK, EMPTY, KINDS, SMART, memory
from tests.machines import dimm


def of(before, after):
    """The class of each change between two documents, by its path and field."""
    changes = diff(normal(before), normal(after))
    named = zip(changes, classes(changes), strict=True)
    return {".".join(filter(None, (one.path, one.field))): name for one, name in named}


@pytest.mark.parametrize(("before", "after", "name"), KINDS.values(), ids=KINDS)
def test_a_change_is_of_one_class(before, after, name):
    assert set(of(before, after).values()) == {name}


def test_every_class_is_of_some_change():
    assert {name for *_, name in KINDS.values()} == {*CLASSES, None}


def test_a_machine_with_another_name_is_renamed():
    assert classes([Change("renamed", "minion_id", None, None, "a", "b")]) == ["renamed"]


def test_a_lost_module_is_one_loss_and_its_bytes_are_none_of_their_own():
    before = memory(dimm("A1", "4F01"), dimm("A2", "4F02"), installed=128)
    after = memory(dimm("A1", "4F01"), EMPTY, installed=64)
    assert of(before, after) == {"memory.devices": "loss", "memory.installed_bytes": "other"}


def test_what_smart_tells_of_a_disk_is_told_once():
    before = {"disks": [DISK], "smart": [SMART]}
    renamed = {"disks": [{**DISK, "name": "sdb"}], "smart": [{**SMART, "name": "sdb"}]}
    assert of(before, renamed) == {"disks.name": "device_name", "smart.name": None}
    assert of(before, {"disks": [], "smart": []}) == {"disks": "loss", "smart": None}
    assert of(before, {"disks": [DISK], "smart": []}) == {"smart": "other"}


def test_the_empty_slots_of_a_move_tell_nothing():
    before = memory(dimm("A1", "4F01"), EMPTY)
    after = memory({**EMPTY, "locator": "A1"}, dimm("A2", "4F01"))
    changes = diff(normal(before), normal(after))
    assert sorted(map(str, classes(changes))) == ["None", "None", "moved"]


@pytest.mark.parametrize("value", [True, "64", [], {}, None, 1e308, -1])
def test_a_quantity_that_is_no_number_is_neither_more_nor_less(value):
    found = of({"processors": {"cores": value, "isa": 1}}, {"processors": {"cores": "x", "isa": 1}})
    assert set(found.values()) <= {"other"}


SLOT = "0000:66:00.0"
FUNCTION = {"slot": SLOT, "class_id": "010802", "vendor_id": "144d", "device_id": "a80a"}
NVME = {"name": "nvme0n1", "serial_number": "S64F000009", "pci_slot": SLOT}
OTHER = {"name": "nvme1n1", "serial_number": "S64F000008", "pci_slot": "0000:67:00.0"}
PORT = {"name": "eno1", "kind": "physical", "permanent_mac": "52:54:00:00:00:09", "pci_slot": SLOT}
GPU = {**FUNCTION, "class_id": "030200", "uuid": "GPU-1"}


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        pytest.param({"disks": [NVME]}, {"disks": []}, {"disks"}, id="a disk"),
        pytest.param({"network": [PORT]}, {"network": []}, {"network"}, id="a port of a card"),
        pytest.param({"gpus": [GPU]}, {"gpus": []}, {"gpus"}, id="a card for computing"),
        pytest.param(
            {"disks": [NVME]}, {"disks": [{**NVME, "pci_slot": "0000:68:00.0"}]}, set(), id="moved"
        ),
        pytest.param({"disks": [OTHER]}, {"disks": []}, {"disks", "pci"}, id="another disk"),
        pytest.param({"disks": []}, {"disks": []}, {"pci"}, id="what no other section tells"),
    ],
)
def test_a_pci_function_is_no_loss_beside_the_part_that_it_is_of(before, after, paths):
    changes = diff(normal({**before, "pci": [FUNCTION]}), normal({**after, "pci": []}))
    lost = zip(changes, losses(changes, classes(changes)), strict=True)
    assert {one.path for one, is_lost in lost if is_lost} == paths
