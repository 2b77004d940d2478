"""What is a report of Salt's own grains, and what they say of where a system runs."""

import pytest

from salt_ext.report import core_grains
from tests.machines import NOW, report, server


def made(**grains):
    return core_grains.report({"serialnumber": "S1", "mem_total": 64, **grains}, "web01", 0.0)


def test_a_report_of_core_grains_is_known_by_what_it_has_and_how_it_says_it():
    assert core_grains.is_one(made())
    assert made()["partial"] == sorted(made()["facts"])
    for other in (
        None,
        made() | {"mode": "agent"},
        made() | {"partial": made()["partial"][1:]},  # one section is whole
        made() | {"facts": {**made()["facts"], "usb": []}},
        made() | {"partial": None},
        made() | {"facts": []},
        report(server(), at=NOW, mode="grains"),
    ):
        assert not core_grains.is_one(other)


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
