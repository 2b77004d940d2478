"""Which controllers there are, which tools are run for them, and what is said when none can be."""

import os
import stat
import subprocess
import sys
import time

import pytest

from salt_ext.facts import collect
from salt_ext.facts.raid import asked, asking, paired, pci_functions, raid, told
from salt_ext.facts.root import Root
from tests.corpus import corpus_files, needs_corpus
from tests.patience import PATIENCE_SECONDS
from tests.unit.facts.trees import tree


def function(slot, driver, class_code="0x010400"):
    base = f"sys/bus/pci/devices/{slot}"
    files = {
        f"{base}/class": f"{class_code}\n",
        f"{base}/vendor": "0x1000\n",
        f"{base}/device": "0x005D\n",
        f"{base}/subsystem_vendor": "0x8086\n",
        f"{base}/subsystem_device": "0x9360\n",
    }
    links = {f"{base}/driver": f"../../../bus/pci/drivers/{driver}"} if driver else {}
    return files, links


def machine(where, *functions, **more):
    files, links = dict(more), {}
    for each in functions:
        files |= each[0]
        links |= each[1]
    return tree(where, files, links)


def test_a_controller_is_a_fact_even_when_nobody_can_ask_it(tmp_path):
    root = machine(tmp_path, function("0000:3b:00.0", "megaraid_sas"))
    assert raid(root) == {
        "controllers": [
            {
                "id": "megaraid:0000:3b:00.0",
                "pci_slot": "0000:3b:00.0",
                "driver": "megaraid_sas",
                "vendor_id": "1000",
                "device_id": "005d",
                "subsystem_vendor_id": "8086",
                "subsystem_device_id": "9360",
                "skipped_reason": "this is a captured tree",
            }
        ]
    }


def test_a_machine_without_a_controller_has_nothing_and_one_without_sysfs_cannot_tell(tmp_path):
    plain = machine(tmp_path / "a", function("0000:00:1f.2", "ahci", "0x010601"))
    assert raid(plain) == {"controllers": [], "volumes": [], "members": []}
    assert raid(machine(tmp_path / "b", **{"proc/cpuinfo": ""})) is None


def test_a_controller_is_known_by_its_class_or_its_driver(tmp_path):
    root = machine(
        tmp_path,
        function("0000:01:00.0", None, "0x010700"),
        function("0000:02:00.0", "mptspi", "0x010000"),
        function("0000:03:00.0", "e1000e", "0x020000"),
        function("0000:04:00.0", "nvme", "0x010802"),
    )
    assert [item["pci_slot"] for item in pci_functions(root)] == ["0000:01:00.0", "0000:02:00.0"]


def test_a_driver_that_no_tool_is_known_for_is_the_reason():
    function = {"pci_slot": "0000:01:00.0", "driver": "vmw_pvscsi"}
    reason, seen = asked("", [function], time.monotonic() + 5)
    assert reason == "no tool is known for the driver vmw_pvscsi"
    assert seen["controllers"] == []


def test_tools_that_are_not_installed_are_named(tmp_path):
    reason, _ = asked("mpi3mr", [], time.monotonic() + 5, places=[str(tmp_path)])
    assert reason == "not installed: storcli2, perccli2"


def test_what_a_tool_shows_is_paired_with_its_pci_function():
    functions = [
        {"pci_slot": "0000:01:00.0", "driver": "megaraid_sas"},
        {"pci_slot": "0000:02:00.0", "driver": "megaraid_sas"},
    ]
    seen = {
        "controllers": [{"id": "megaraid:0", "pci_slot": "0000:02:00.0", "model": "X"}],
        "volumes": [],
        "members": [],
    }
    assert paired("megaraid", functions, seen, "because")["controllers"] == [
        {"id": "megaraid:0", "pci_slot": "0000:02:00.0", "driver": "megaraid_sas", "model": "X"},
        {
            "id": "megaraid:0000:01:00.0",
            "pci_slot": "0000:01:00.0",
            "driver": "megaraid_sas",
            "skipped_reason": "because",
        },
    ]


def test_the_only_controller_of_a_tool_is_the_only_function_of_its_driver():
    seen = {"controllers": [{"id": "adaptec:1"}], "volumes": [], "members": []}
    function = {"pci_slot": "0000:01:00.0", "driver": "aacraid"}
    assert paired("adaptec", [function], seen, "")["controllers"] == [
        {"id": "adaptec:1"} | function
    ]


def test_a_controller_whose_place_a_tool_tells_wrong_is_the_only_function_that_is_left():
    seen = {
        "controllers": [{"id": "x:0", "pci_slot": "0000:65:00.0"}],
        "volumes": [],
        "members": [],
    }
    function = {"pci_slot": "0000:41:00.0", "driver": "smartpqi"}
    assert paired("smartarray", [function], seen, "")["controllers"] == [{"id": "x:0"} | function]


def test_what_a_tool_writes_and_nobody_understands_makes_the_section_partial():
    document = collect("/", {"raid": f"{__name__}.strange"})
    assert document["raid"] == {
        "controllers": [{"id": "x:0", "state": "Entangled"}],
        "volumes": [],
        "members": [],
    }
    assert document["partial"] == ["raid"]
    assert document["errors"]["raid"]["type"] == "ValueError"
    assert document["errors"]["raid"]["message"] == (
        "a RAID tool wrote what is not understood: 'Teleport information'; "
        "'controller state: Entangled'"
    )


def strange(root):
    found = {"controllers": [{"id": "x:0", "state": "Entangled"}], "volumes": [], "members": []}
    return told(root, found | {"unread": [{"line": "Teleport information"}]})


def installed(where, name, script):
    path = where / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@needs_corpus
def test_a_tool_is_run_and_believed_though_it_ends_with_an_error(tmp_path):
    path = next(p for p in corpus_files("*/raid/**/*.json") if "PD LIST" in p.read_text())
    installed(tmp_path, "storcli64", f"cat '{path}'; exit 46")
    reason, seen = asked("megaraid", [], time.monotonic() + 10, places=[str(tmp_path)])
    assert reason == "storcli64 does not show it"
    assert seen["controllers"]
    assert seen["members"]
    assert asked("megaraid", [], time.monotonic() + 10, places=[str(tmp_path)]) == (reason, seen)


def test_the_next_tool_is_asked_when_the_first_shows_no_controller(tmp_path):
    installed(tmp_path, "storcli64", "echo '{}'")
    installed(tmp_path, "MegaCli", "printf 'Adapter #0\\nProduct Name : PERC H710\\n'")
    _, seen = asked("megaraid", [], time.monotonic() + 10, places=[str(tmp_path)])
    assert seen["controllers"] == [{"id": "megaraid:0", "model": "PERC H710"}]


def test_what_the_tool_before_wrote_is_told_though_the_next_one_shows_the_controller(tmp_path):
    installed(
        tmp_path,
        "sas3ircu",
        "echo ' 0 SAS3008 1000h 97h 00h:01h:00h:00h 1000h 30e0h';"
        "echo 'SAS3IRCU: Error executing command DISPLAY.'",
    )
    installed(tmp_path, "MegaCli", "printf 'Adapter #0\\nProduct Name : SAS3008\\n'")
    _, seen = asked("mpt3sas", [], time.monotonic() + 10, places=[str(tmp_path)])
    assert [item["id"] for item in seen["controllers"]] == ["megaraid:0"]
    assert seen["unread"] == [{"line": "SAS3IRCU: Error executing command DISPLAY."}]


def test_the_tool_of_the_other_maker_is_asked_too(tmp_path):
    installed(tmp_path, "storcli64", "echo '{}'")
    answer = '{"Controllers": [{"Command Status": {"Controller": 0}, "Response Data": %s}]}'
    answer %= '{"Product Name": "PERC H740P"}'
    installed(tmp_path, "perccli64", f"echo '{answer}'")
    _, seen = asked("megaraid", [], time.monotonic() + 10, places=[str(tmp_path)])
    assert seen["controllers"] == [{"id": "megaraid:0", "model": "PERC H740P"}]


def test_a_tool_that_hangs_is_an_error_and_not_an_empty_shelf(tmp_path):
    installed(tmp_path, "storcli64", "exec sleep 60")
    with pytest.raises(RuntimeError, match="ran past"):
        asked("megaraid", [], time.monotonic() + 0.3, places=[str(tmp_path)])


def test_a_tool_runs_only_once_at_a_time(tmp_path):
    log = tmp_path / "log"
    log.touch()
    # A run that begins while another is in its middle would write between its two lines.
    path = installed(
        tmp_path, "storcli64", f"echo begin >> '{log}'; sleep 0.2; echo end >> '{log}'"
    )
    code = (
        "import sys, time; from salt_ext.facts.raid import asking;"
        "asking(sys.argv[1], time.monotonic() + 20)()"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, path]) for _ in range(2)]
    asking(path, time.monotonic() + 20)()
    assert [other.wait(PATIENCE_SECONDS) for other in others] == [0, 0]
    assert log.read_text().split() == ["begin", "end"] * 3


def test_adaptec_disks_are_seen_without_any_tool(tmp_path):
    listing = (
        "Attached devices:\n"
        "Host: scsi0 Channel: 00 Id: 00 Lun: 00\n"
        "  Vendor: Adaptec  Model: raid10           Rev: V1.0\n"
        "  Type:   Direct-Access                    ANSI  SCSI revision: 02\n"
        "Host: scsi0 Channel: 01 Id: 03 Lun: 00\n"
        "  Vendor: HITACHI  Model: HUS151436VL3800  Rev: S3C0\n"
        "  Type:   Direct-Access                    ANSI  SCSI revision: 03\n"
    )
    root = machine(tmp_path, function("0000:05:00.0", "aacraid"), **{"proc/scsi/scsi": listing})
    found = raid(root)
    assert [item["pci_slot"] for item in found["controllers"]] == ["0000:05:00.0"]
    assert "skipped_reason" not in found["controllers"][0]
    assert [(item["enclosure"], item["slot"]) for item in found["members"]] == [("1", "3")]


def test_two_runs_on_this_machine_agree():
    assert raid(Root()) == raid(Root())


@pytest.mark.skipif(os.geteuid() != 0, reason="another user than root is told another reason")
def test_this_machine_gives_a_reason_for_every_controller_that_is_not_described():
    for item in raid(Root())["controllers"]:
        assert item.get("model") or item["skipped_reason"]
