"""Changes as text for people."""

import pytest

from salt_ext.document import normal
from salt_ext.document.diff import diff
from salt_ext.words.changes import kind, line, of_many, worth_telling

PATHS = [
    {"name": "sda", "hctl": "1:0:0:1", "state": "running", "health": "ok"},
    {"name": "sdb", "hctl": "2:0:0:1", "state": "running", "health": "ok"},
]
DOWN = {**PATHS[1], "state": "offline", "health": "failed"}
MANY = [{"name": f"sd{n}", "hctl": f"{n}:0:0:1"} for n in range(9)]
KERNEL = "Operating system \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK} Kernel"


def told(field, before, after):
    """The old and the new value of a field of a disk, as people read them."""
    one, other = ({"name": "mpatha", "serial_number": "6006A1", field: v} for v in (before, after))
    [change] = diff(normal({"disks": [one]}), normal({"disks": [other]}))
    return line(change._asdict())[2:]


@pytest.mark.parametrize(
    ("field", "before", "after", "expected"),
    [
        ("paths", PATHS, PATHS[:1], ("Disk 6006A1: Paths", "sdb 2:0:0:1", "1 left")),
        ("paths", PATHS[:1], PATHS, ("Disk 6006A1: Paths", None, "also sdb 2:0:0:1")),
        (
            *("paths", PATHS, [PATHS[0], DOWN]),
            ("Disk 6006A1: Paths", "sdb 2:0:0:1", "sdb 2:0:0:1 · offline"),
        ),
        (
            *("paths", [], MANY),
            (
                "Disk 6006A1: Paths",
                None,
                "sd0 0:0:0:1; sd1 1:0:0:1; sd2 2:0:0:1; sd3 3:0:0:1; 5 more parts",
            ),
        ),
        ("flags", ["a", "b", "c"], ["a", "b"], ("Disk 6006A1: Flags", "c", "2 left")),
        ("flags", ["a"], ["a", "b"], ("Disk 6006A1: Flags", None, "also b")),
        ("flags", ["a"], ["b"], ("Disk 6006A1: Flags", "a", "b")),
        ("flags", ["a"], [], ("Disk 6006A1: Flags", "a", None)),
        ("flags", ["a", "b"], ["b", "a"], ("Disk 6006A1: Flags", "a, b", "b, a")),
    ],
)
def test_of_a_list_the_items_that_differ_are_named(field, before, after, expected):
    assert told(field, before, after) == expected


def rows_of(*pairs):
    """The changes between pairs of documents, as rows."""
    found = [one for before, after in pairs for one in diff(normal(before), normal(after))]
    return [one._asdict() for one in found]


def kernel(release):
    return {"operating_system": {"kernel_release": release}}


def disk(serial, **fields):
    return {"disks": [{"name": "sda", "serial_number": serial, **fields}]}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (kernel("5"), kernel("6"), KERNEL),
        (disk("S64F1", vendor="A"), disk("S64F1", vendor="B"), "Disk: Vendor"),
        ({"disks": []}, disk("S64F1"), "Disk"),
        ({"usb": []}, {"usb": [{"location": "port 1"}]}, "USB device"),
    ],
)
def test_a_kind_of_change_names_no_part_of_one_machine(before, after, expected):
    [row] = rows_of((before, after))
    assert kind(row) == expected


def test_the_same_change_of_many_machines_has_the_values_that_all_of_them_have():
    alike = [line(one) for one in rows_of((kernel("5"), kernel("7")), (kernel("6"), kernel("7")))]
    assert of_many("Kernel", alike)[2:] == ("Kernel", None, "7")
    assert of_many("Kernel", alike[:1])[2:] == ("Kernel", "5", "7")


def test_what_disks_say_smart_need_not_say_again():
    before = {**disk("S64F1"), "smart": [{"name": "sda", "serial_number": "S64F1"}]}
    [row] = worth_telling(rows_of((before, {"disks": [], "smart": []})))
    assert row["path"] == "disks"
