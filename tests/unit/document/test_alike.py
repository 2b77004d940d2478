"""Which reports changed the same."""

from salt_ext.document.alike import alike
from salt_ext.document.diff import Change

KERNEL = Change("changed", "operating_system.kernel_release", None, None, "6.1.0-25", "6.1.0-26")
DISK = Change("changed", "disks", "sda", "name", "sda", "sdb")


def test_equal_changes_are_alike_in_eight_bytes():
    assert alike([KERNEL, DISK]) == alike([KERNEL, DISK])
    assert -(2**63) <= alike([KERNEL, DISK]) < 2**63


def test_it_does_not_matter_which_part_changed_nor_what_it_became():
    assert alike([DISK]) == alike([DISK._replace(component="sdx", old="sdx", new="sdy")])
    assert alike([DISK]) != alike([DISK, DISK])


def test_another_value_path_field_or_op_is_another_change():
    others = [
        KERNEL._replace(new="6.1.0-27"),
        KERNEL._replace(old=None, op="added"),
        KERNEL._replace(path="operating_system.version"),
        DISK._replace(field="slot"),
        DISK._replace(op="moved"),
        DISK._replace(component=None),
    ]
    found = [alike([one]) for one in (KERNEL, DISK, *others)]
    assert len({*found, alike([])}) == len(found) + 1
