import os

import pytest

from salt_ext.facts.operating_system import operating_system, os_release
from salt_ext.facts.root import Root
from tests.unit.facts.trees import tree

RELEASE = """
# a comment
NAME="Rocky Linux"
VERSION_ID='9.4'
ID=rocky
PRETTY_NAME="Rocky \\"Green\\" \\$9 \\\\ \\`x\\`"
BROKEN
"""


def test_the_document_of_a_small_machine(tmp_path):
    root = tree(
        tmp_path,
        {
            "etc/os-release": RELEASE,
            "etc/machine-id": "3D1219C7C4C5404AAA1F6D2A48ADFDA4\n",
            "proc/uptime": "1325.07 2600.11\n",
            "proc/sys/kernel/osrelease": "5.14.0-427.el9.x86_64\n",
            "proc/sys/kernel/arch": "x86_64\n",
            "proc/sys/kernel/hostname": "web1\n",
            "proc/sys/kernel/random/boot_id": "6e66eff9-76de-4ca7-8893-a648c8bb5242\n",
        },
    )
    assert operating_system(root) == {
        "id": "rocky",
        "name": "Rocky Linux",
        "version_id": "9.4",
        "pretty_name": 'Rocky "Green" $9 \\ `x`',
        "kernel_release": "5.14.0-427.el9.x86_64",
        "architecture": "x86_64",
        "hostname": "web1",
        "machine_id": "3d1219c7c4c5404aaa1f6d2a48adfda4",
        "volatile": {
            "boot_id": "6e66eff9-76de-4ca7-8893-a648c8bb5242",
            "uptime_seconds": 1325,
        },
    }


def test_an_empty_tree_has_no_values(tmp_path):
    facts = operating_system(Root(str(tmp_path)))
    assert set(facts.pop("volatile").values()) | set(facts.values()) == {None}


def test_the_file_of_the_vendor_is_used_when_etc_has_none(tmp_path):
    root = tree(tmp_path, {"usr/lib/os-release": "ID=alpine\n"})
    assert operating_system(root)["id"] == "alpine"


@pytest.mark.parametrize("text", ["uninitialized\n", "", "1234\n"])
def test_an_image_that_has_not_booted_has_no_machine_id(tmp_path, text):
    assert operating_system(tree(tmp_path, {"etc/machine-id": text}))["machine_id"] is None


def test_a_release_file_that_is_no_text_has_no_assignments():
    assert os_release("\0\0\ufffd") == {}


def test_this_machine_is_the_one_the_kernel_names():
    facts = operating_system(Root())
    assert facts["architecture"] == os.uname().machine
    assert facts["kernel_release"] == os.uname().release
    assert facts["hostname"] == os.uname().nodename
