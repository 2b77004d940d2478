"""
What disks say of their health, decoded from bytes laid out as the standards have them.

The corpus holds values that smartctl has decoded. The raw ones go back into
the disk's own layout; what our decoders make of them is compared with what
smartctl says beside them.
"""

import ctypes
import errno
import json
import os
import struct
import threading
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salt_ext.facts.root import Root
from salt_ext.facts.smart import _ask as smart_ask
from salt_ext.facts.smart import ask_all, ata, nvme, sg, smart
from salt_ext.facts.smart import scsi as smart_scsi
from tests.corpus import corpus_files, corpus_name, needs_corpus
from tests.unit.facts.trees import tree


def attribute(number, flags, value, worst, raw):
    return struct.pack("<BHBB", number, flags, value, worst) + raw.to_bytes(6, "little") + b"\0"


def smart_data(lines):
    return (b"\x10\0" + b"".join(lines)).ljust(512, b"\0")


def threshold_data(limits):
    lines = [bytes((number, limit)) + bytes(10) for number, limit in limits.items()]
    return (b"\x10\0" + b"".join(lines)).ljust(512, b"\0")


def judge(lines, limits, passed=True):
    return ata.judge(
        passed,
        ata.attributes(smart_data(lines)),
        ata.thresholds(threshold_data(limits)),
    )


def identify(supported=True, enabled=True, size=512):
    words = [0] * 256
    words[82], words[83], words[85] = int(supported), 1 << 14, int(enabled)
    return struct.pack("<256H", *words)[:size]


def descriptor_sense(count, low, mid, high):
    """Descriptor format with an ATA Status Return descriptor (SAT-4)."""
    values = bytes((0x09, 12, 0, 0, 0, count, 0, low, 0, mid, 0, high, 0, 0x50))
    return bytes((0x72, 1, 0, 0x1D, 0, 0, 0, 14)) + values


def fixed_sense(count, low, mid, high):
    return bytes((0x70, 0, 1, 0, 0x50, 0, count, 10, 0, low, mid, high, 0, 0x1D, 0, 0, 0, 0))


def nvme_log(warning=0, kelvin=300, spare=100, used=0, **counters):
    log = bytearray(512)
    log[0], log[3], log[4], log[5] = warning, spare, 10, used
    log[1:3] = struct.pack("<H", kelvin)
    for name, value in counters.items():
        at = {
            "read": 32,
            "written": 48,
            "power_cycles": 112,
            "power_on_hours": 128,
            "unsafe_shutdowns": 144,
            "media_errors": 160,
        }[name]
        log[at : at + 16] = value.to_bytes(16, "little")
    return bytes(log)


def log_page(number, parameters):
    body = b"".join(
        struct.pack(">HBB", code, 3, len(data)) + data for code, data in parameters.items()
    )
    return struct.pack(">BBH", number, 0, len(body)) + body


def scsi(pages):
    return smart_scsi.judge(
        {
            number: smart_scsi.parameters(log_page(number, values), number)
            for number, values in pages.items()
        }
    )


# ATA


def test_the_counters_of_an_ata_disk_are_the_bytes_that_makers_agree_on():
    found = judge(
        [
            attribute(5, 0x33, 100, 100, 0x0007_0000_0010),  # the upper bytes are another counter
            attribute(9, 0x32, 50, 50, 0x0801_0000_ABCD),
            attribute(194, 0x22, 60, 40, 0x0037_0012_0023),
            attribute(197, 0x12, 100, 100, 3),
        ],
        {5: 10},
    )
    assert found["passed"] is True
    assert found["health"] == {"failing": [], "failed_before": []}
    assert found["volatile"] == {
        "reallocated": 16,
        "power_on_hours": 0xABCD,
        "pending": 3,
        "temperature_celsius": 35,
    }


@pytest.mark.parametrize(
    ("value", "worst", "threshold", "failing", "before"),
    [
        (10, 10, 10, True, False),
        (9, 9, 10, True, False),
        (11, 10, 10, False, True),
        (11, 11, 10, False, False),
        (1, 1, 0, False, False),  # a threshold of 0 is never reached
        (0, 0, 10, False, False),  # 0 is no normalised value
        (254, 254, 255, False, False),
    ],
)
def test_an_attribute_fails_at_its_threshold(value, worst, threshold, failing, before):
    found = judge([attribute(5, 0x33, value, worst, 0)], {5: threshold})
    assert found["health"]["failing"] == (["reallocated"] if failing else [])
    assert found["health"]["failed_before"] == (["reallocated"] if before else [])


def test_a_disk_that_does_not_say_whether_it_is_well_is_judged_by_its_attributes():
    old_age, prefailure = 0x32, 0x33
    failed = [attribute(5, prefailure, 1, 1, 0)]
    worn = [attribute(9, old_age, 1, 1, 0)]
    assert judge(failed, {5: 10}, passed=None)["passed"] is False
    assert judge(worn, {9: 10}, passed=None)["passed"] is True
    assert judge([], {}, passed=None)["passed"] is None
    # What the disk says itself counts for more.
    assert judge(failed, {5: 10}, passed=True)["passed"] is True


def test_an_attribute_that_stands_twice_or_is_unused_is_counted_once():
    lines = [
        bytes(12),
        attribute(5, 0, 1, 1, 1),
        attribute(5, 0, 1, 1, 2),
        attribute(252, 0, 1, 1, 0),
    ]
    assert [item.raw for item in ata.attributes(smart_data(lines))] == [1, 0]
    assert judge(lines, {252: 5})["health"]["failing"] == ["attribute_252"]


@pytest.mark.parametrize("sense", [descriptor_sense, fixed_sense])
def test_the_registers_come_out_of_sense_data_of_both_formats(sense):
    assert ata.registers(sense(0x80, 1, 0x4F, 0xC2)) == (0x80, 1, 0x4F, 0xC2)
    assert ata.status(ata.registers(sense(0, 0, 0x4F, 0xC2))) is True
    assert ata.status(ata.registers(sense(0, 0, 0xF4, 0x2C))) is False
    assert ata.status(ata.registers(sense(0, 0, 0, 0))) is None


def test_an_answer_without_registers_is_no_answer():
    assert ata.registers(b"") is None
    assert ata.registers(bytes((0x70, 0, 5, *bytes(9), 0x24, 0, 0, 0))) is None
    assert ata.registers(bytes((0x72, 5, 0x20, 0, 0, 0, 0, 0))) is None
    assert ata.status(None) is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (identify(), None),
        (identify(supported=False), "not supported"),
        (identify(enabled=False), "switched off"),
        (identify(size=511), "not supported"),
        (b"", "not supported"),
    ],
)
def test_a_disk_without_smart_is_skipped_with_a_reason(data, reason):
    assert ata.smart_is_off(data) == reason


def test_the_pass_through_command_has_every_byte_in_its_place():
    assert ata.pass_through(0xE5).hex() == "850620" + "00" * 11 + "e500"
    read = ata.pass_through(0xB0, 0xD0, (0x4F, 0xC2), reads=True)
    assert read.hex() == "85080e" + "00d0" + "0001" + "0000004f00c2" + "00b000"
    log = ata.pass_through(0x2F, lba=(7, 0), lba_low=4, reads=True)
    assert log.hex() == "85090e" + "0000" + "0001" + "000400070000" + "002f00"


@pytest.mark.parametrize(("flags", "used"), [(0xC0, 37), (0x80, None), (0x00, None)])
def test_wear_counts_when_the_statistics_say_that_it_is_valid(flags, used):
    page = bytearray(512)
    page[0:3] = b"\x01\0\x07"
    page[8], page[15] = 37, flags
    assert ata.percentage_used(bytes(page)) == used
    assert ata.percentage_used(bytes(512)) is None


def test_a_page_that_ends_before_its_flags_tells_no_wear():
    assert ata.percentage_used(b"\x01\0\x07" + bytes(12)) is None
    assert ata.percentage_used(b"\x01\0\x07" + bytes(12) + b"\xc0") == 0


@pytest.mark.parametrize(
    ("number", "name", "width"),
    [
        (5, "reallocated", 2),
        (9, "power_on_hours", 3),
        (12, "power_cycles", 4),
        (187, "reported_uncorrectable", 6),
        (196, "reallocation_events", 2),
        (197, "pending", 6),
        (198, "uncorrectable", 6),
        (199, "interface_crc_errors", 6),
    ],
)
def test_of_six_raw_bytes_a_counter_has_those_that_makers_agree_on(number, name, width):
    found = judge([attribute(number, 0, 100, 100, 2**48 - 1)], {})
    assert found["volatile"][name] == 2 ** (8 * width) - 1


def test_a_descriptor_that_is_cut_has_no_registers():
    whole = descriptor_sense(0, 1, 0x4F, 0xC2)
    assert ata.registers(whole) == (0, 1, 0x4F, 0xC2)
    assert ata.registers(whole[:-1]) is None
    assert ata.registers(fixed_sense(0, 1, 0x4F, 0xC2)[:14]) == (0, 1, 0x4F, 0xC2)
    assert ata.registers(fixed_sense(0, 1, 0x4F, 0xC2)[:13]) is None


# NVMe


def test_the_nvme_log_is_read_by_its_offsets():
    found = nvme.judge(
        nvme_log(
            kelvin=309, spare=98, used=103, read=2, written=3, power_cycles=5,
            power_on_hours=2**70, unsafe_shutdowns=7, media_errors=9,
        )
    )  # fmt: skip
    assert found == {
        "passed": True,
        "health": {"failing": []},
        "volatile": {
            "temperature_celsius": 36,
            "available_spare_percentage": 98,
            "percentage_used": 103,
            "bytes_read": 1_024_000,
            "bytes_written": 1_536_000,
            "power_cycles": 5,
            "power_on_hours": 2**63 - 1,
            "unsafe_shutdowns": 7,
            "media_errors": 9,
        },
    }


@pytest.mark.parametrize(
    ("warning", "failing"),
    [
        (0x01, ["available_spare"]),
        (0x02, ["temperature"]),
        (0x0C, ["reliability", "read_only"]),
        (0x30, ["volatile_memory_backup", "persistent_memory_region"]),
        (0x40, []),
    ],
)
def test_each_bit_of_the_critical_warning_is_a_threshold_crossed(warning, failing):
    found = nvme.judge(nvme_log(warning))
    assert found["passed"] is False
    assert found["health"]["failing"] == failing


def test_a_counter_of_an_nvme_disk_has_sixteen_bytes():
    found = nvme.judge(b"\0" * 32 + b"\xff" * 480)
    counters = ("power_cycles", "power_on_hours", "unsafe_shutdowns", "media_errors")
    assert {found["volatile"][name] for name in counters} == {2**63 - 1}
    one = 1 << 120  # in the last of them
    full = nvme_log(power_cycles=one, power_on_hours=one, unsafe_shutdowns=one, media_errors=one)
    assert {nvme.judge(full)["volatile"][name] for name in counters} == {2**63 - 1}


def test_a_short_nvme_log_is_none():
    assert nvme.judge(bytes(511)) == {"skipped_reason": "not supported"}


# SCSI


def test_a_sas_disk_is_read_by_its_log_pages():
    found = scsi(
        {
            0x2F: {0: bytes((0, 0, 33))},
            0x0D: {0: bytes((0, 34)), 1: bytes((0, 68))},
            0x15: {0: struct.pack(">I", 90 * 60 + 59) + bytes(8)},
            0x11: {1: bytes((0, 0, 0, 12))},
            0x03: {6: (5).to_bytes(8, "big")},
        }
    )
    assert found == {
        "passed": True,
        "health": {"failing": []},
        "volatile": {
            "temperature_celsius": 34,
            "power_on_hours": 90,
            "percentage_used": 12,
            "uncorrected_reads": 5,
        },
    }


@pytest.mark.parametrize(
    ("code", "failing"),
    [
        ((0x5D, 0x10), "failure_predicted"),
        ((0x0B, 1), "temperature"),
        ((0x0B, 2), "enclosure"),
        ((0x0B, 3), "self_test"),
        ((0x0B, 8), "power_loss"),
        ((0x0B, 0x77), "warning"),
    ],
)
def test_an_informational_exception_is_a_threshold_crossed(code, failing):
    found = scsi({0x2F: {0: bytes((*code, 40))}})
    assert found["passed"] is False
    assert found["health"] == {"failing": [failing]}
    assert found["volatile"]["temperature_celsius"] == 40


def test_a_volume_that_knows_nothing_of_its_disks_is_skipped():
    assert scsi({0x0D: {0: bytes((0, 34))}}) == {"skipped_reason": "not supported"}
    assert scsi({0x2F: {0: b"\0"}}) == {"skipped_reason": "not supported"}
    assert scsi({0x2F: {0: b"\0\0"}})["passed"] is True


def test_a_counter_of_a_sas_disk_has_63_bits_at_most():
    found = scsi({0x2F: {0: b"\0\0"}, 0x02: {6: b"\xff" * 8}, 0x05: {6: b"\xff" * 4}})
    assert found["volatile"]["uncorrected_writes"] == 2**63 - 1
    assert found["volatile"]["uncorrected_verifies"] == 2**32 - 1


def test_a_cut_log_page_keeps_its_whole_parameters():
    page = log_page(0x0D, {0: b"\0\x22", 1: b"\0\x44"})
    assert smart_scsi.parameters(page[:-1], 0x0D) == {0: b"\0\x22"}
    assert smart_scsi.parameters(page, 0x2F) == {}


@pytest.mark.parametrize(
    ("sense", "key"),
    [
        (b"\x72\xff\x04\x02", (0xF, 4, 2)),
        (b"\x73\x01\x04\x02", (1, 4, 2)),
        (b"\x72\xff\x04", (0, 0, 0)),
        (b"\xf0\0\xff", (0xF, 0, 0)),  # its highest bit says that there is information
        (b"\x71\0\x01", (1, 0, 0)),
        (b"\x70\0", (0, 0, 0)),
        (b"\x70\0\x02" + bytes(9) + b"\x04\x02", (2, 4, 2)),
        (b"\x70\0\x02" + bytes(9) + b"\x04", (2, 0, 0)),
        (b"\x74\x01\x04\x02", (0, 0, 0)),
    ],
)
def test_sense_data_of_both_formats_have_a_key_with_its_code(sense, key):
    assert sg.sense_key(sense) == key


@pytest.mark.parametrize(
    ("sense", "asleep"),
    [
        (bytes((0x72, 0, 0x5E, 0x02)), True),
        (bytes((0x72, 0, 0x5E, 0x0A)), True),
        (bytes((0x72, 0, 0x5E, 0x01)), False),  # idle: it spins
        (bytes((0x70, 0, 2, *bytes(9), 4, 2)), True),
        (bytes((0x70, 0, 2, *bytes(9), 4, 1)), False),
        (bytes((0x70, 0, 0, *bytes(9), 0, 0)), False),
        (b"", False),
    ],
)
def test_a_sas_disk_that_does_not_spin_says_so(sense, asleep):
    assert smart_scsi.is_asleep(sense) is asleep


# Everything


@pytest.mark.skipif(struct.calcsize("P") != 8, reason="the sizes are those of 64-bit machines")
def test_the_kernel_structures_have_the_size_that_the_kernel_expects():
    assert ctypes.sizeof(sg._Header) == 88
    assert ctypes.sizeof(nvme._Command) == nvme.ADMIN_COMMAND >> 16 & 0x3FFF == 72


@given(st.binary(max_size=600))
def test_no_bytes_make_a_decoder_fail(data):
    assert len(ata.attributes(data)) <= 30
    ata.judge(None, ata.attributes(data), ata.thresholds(data))
    ata.status(ata.registers(data))
    ata.smart_is_off(data)
    ata.percentage_used(data)
    nvme.judge(data)
    smart_scsi.is_asleep(data)
    sg.sense_key(data)
    number = data[0] & 0x3F if data else 0
    smart_scsi.judge({page: smart_scsi.parameters(data, number) for page in (0x2F, 0x0D, 0x11, 3)})


@given(st.binary(min_size=16, max_size=64))
def test_no_descriptor_holds_the_search_for_the_registers(data):
    found = ata.registers(b"\x72" + data)
    assert found is None or isinstance(found, ata.Registers)


@pytest.mark.parametrize("ask", [nvme.health, smart_scsi.health, ata.power_mode])
def test_what_is_no_disk_is_an_error_of_the_system(ask):
    with open("/dev/null", "rb") as file, pytest.raises(OSError, match="ioctl"):
        ask(file.fileno())


def test_a_captured_tree_has_no_disk_to_ask(tmp_path):
    root = tree(tmp_path, {"sys/block/sda/size": "8", "sys/block/sda/device/vendor": "ATA"})
    assert smart(root) is None


# The corpus


def sata(*names):
    return [{"name": name, "serial_number": f"SN-{name}", "transport": "sata"} for name in names]


def test_a_disk_that_hangs_costs_its_own_line_and_is_told_with_the_place_where_it_hangs():
    root, hung = Root(), threading.Event()

    def ask(root, disk):
        if disk["name"] == "sdb":
            hung.wait()
        return {"passed": True}

    found = ask_all(root, sata("sda", "sdb", "sdc"), ask, 0.2)
    hung.set()
    assert found == [
        {"name": "sda", "serial_number": "SN-sda", "protocol": "ata", "passed": True},
        {
            "name": "sdb",
            "serial_number": "SN-sdb",
            "protocol": "ata",
            "volatile": {"skipped_reason": "no answer"},
        },
        {"name": "sdc", "serial_number": "SN-sdc", "protocol": "ata", "passed": True},
    ]
    [reason] = root.failures
    assert str(reason) == "sdb has not answered in 0.2 s"
    where = "".join(traceback.format_exception(reason))
    assert "hung.wait()" in where


def test_disks_that_all_answer_leave_nothing_to_tell():
    root = Root()
    found = ask_all(root, sata("sda", "sdb"), lambda root, disk: {"passed": True}, 5.0)
    assert [disk["passed"] for disk in found] == [True, True]
    assert root.failures == []


def well(fails="", key=0x5):
    """An ATA disk that is well, but for the command that fails with this sense key."""

    def send(cdb, length):
        code, feature = cdb[14], cdb[4]
        if code == ata.CHECK_POWER_MODE:
            return sg.Reply(2, descriptor_sense(0xFF, 0, 0, 0), b"")
        if fails == {ata.IDENTIFY_DEVICE: "identify"}.get(code, f"smart {feature:02x}"):
            return sg.Reply(2, bytes((0x72, key, 0x11, 0, 0, 0, 0, 0)), b"")
        if code == ata.IDENTIFY_DEVICE:
            return sg.Reply(0, b"", identify())
        if feature == ata.RETURN_STATUS:
            return sg.Reply(2, descriptor_sense(0, 0, 0x4F, 0xC2), b"")
        return sg.Reply(0, b"", smart_data([attribute(5, 0x33, 100, 100, 8)]))

    return send


@pytest.mark.parametrize("fails", ["identify", f"smart {ata.READ_DATA:02x}"])
def test_a_disk_that_fails_while_it_is_asked_is_not_one_without_smart(fails):
    assert ata.health(well(), False)["volatile"]["reallocated"] == 8
    for key in (0x2, 0x3, 0x4, 0x6):
        with pytest.raises(OSError, match=f"failed: sense {key}h 11h 00h"):
            ata.health(well(fails, key), False)
    found = ata.health(well(fails), False)
    assert found.get("skipped_reason") == ("not supported" if fails == "identify" else None)


@pytest.mark.parametrize(("error", "is_there"), [(errno.ENXIO, True), (errno.ENOENT, False)])
def test_a_disk_that_cannot_be_opened_any_more_keeps_what_was_known_of_it(
    monkeypatch, error, is_there
):
    root = Root()

    def refuse(path, flags):
        raise OSError(error, os.strerror(error), path)

    monkeypatch.setattr(os, "open", refuse)
    [found] = ask_all(root, sata("sda"), smart_ask, 5.0)
    reason = {"skipped_reason": f"cannot be opened: {os.strerror(error)}"}
    assert (found.get("volatile") if is_there else found).items() >= reason.items()
    assert len(root.failures) == is_there


def reports():
    return [
        pytest.param(path, id=corpus_name(path))
        for path in corpus_files("*/smartctl/**/*.json")
        if decoded(path)
    ]


def decoded(path: Path):
    """Return our health of what a report holds in raw form; None when it holds none."""
    report = json.loads(path.read_text())
    if table := report.get("ata_smart_attributes", {}).get("table"):
        lines = [
            attribute(
                item["id"], item["flags"]["value"], item["value"], item["worst"],
                item["raw"]["value"] & 2**48 - 1,
            )
            for item in table
        ]  # fmt: skip
        limits = {item["id"]: item["thresh"] for item in table}
        return judge(lines, limits, passed=None)
    if log := report.get("nvme_smart_health_information_log"):
        return nvme.judge(
            nvme_log(
                log["critical_warning"], log["temperature"] + 273, log["available_spare"],
                log["percentage_used"], power_cycles=log["power_cycles"],
                power_on_hours=log["power_on_hours"], media_errors=log["media_errors"],
            )
        )  # fmt: skip
    return None


def is_edited(report):
    """Whether somebody wrote other numbers into a report: its raw values contradict themselves."""
    table = report.get("ata_smart_attributes", {}).get("table", [])
    raws = [item["raw"] for item in table if item["id"] in (9, 12)]
    return any(raw["string"].isdigit() and int(raw["string"]) != raw["value"] for raw in raws)


@needs_corpus
@pytest.mark.parametrize("path", reports())
def test_our_health_is_that_of_smartctl(path, record_property):
    report = json.loads(path.read_text())
    found = decoded(path)
    volatile = found["volatile"]
    spoken = {
        "power_on_hours": report.get("power_on_time", {}).get("hours"),
        "power_cycles": report.get("power_cycle_count"),
        "temperature_celsius": report.get("temperature", {}).get("current"),
    }
    compared = 0
    for name, value in spoken.items():
        if value is not None and not is_edited(report):
            assert volatile[name] == value, name
            compared += 1
    table = report.get("ata_smart_attributes", {}).get("table", [])
    failing = {item["id"] for item in table if item["when_failed"].lower().startswith("now")}
    before = {item["id"] for item in table if item["when_failed"].lower() == "past"}
    names = ata.NAMES
    if table:
        of = lambda ids: sorted(names.get(i, f"attribute_{i}") for i in ids)  # noqa: E731
        assert found["health"] == {"failing": of(failing), "failed_before": of(before)}
        compared += len(table)
    passed = report.get("smart_status", {}).get("passed")
    if passed is not None:
        assert found["passed"] is passed
        compared += 1
    record_property("facts", compared)
    assert compared
