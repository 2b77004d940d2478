"""What is a report of Salt's own grains, and what they say of where a system runs."""

import pytest

from salt_ext.report import core_grains


def made(**grains):
    return core_grains.report({"serialnumber": "S1", "mem_total": 64, **grains}, "web01", 0.0)


@pytest.mark.parametrize(
    ("virtual", "section"),
    [
        ("physical", {"role": "none"}),
        ("kvm", {"role": "guest", "hypervisor": "kvm"}),
        ("VMware", {"role": "guest", "hypervisor": "vmware"}),
        ("LXC", {"role": "guest", "container": "lxc"}),
        ("container", {"role": "guest", "container": "container"}),
    ],
)
def test_what_salt_calls_virtual_is_a_role(virtual, section):
    assert made(virtual=virtual)["facts"]["virtual"] == section


def test_memory_is_counted_in_mebibytes_by_salt():
    assert made()["facts"]["memory"] == {"total_bytes": 64 << 20}
