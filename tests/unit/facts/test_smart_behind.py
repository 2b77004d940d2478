"""
Disks behind RAID controllers: what is sent to their drivers, byte for byte, and what comes back.

The offsets are those of the structures in <linux/cciss_ioctl.h> and in the kernel's
megaraid_sas.h. No controller is there to ask, so what one answers is made here.
"""

import ctypes
import struct
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salt_ext.facts.root import Root
from salt_ext.facts.smart import ask_all, behind, megaraid, sg, smartarray
from salt_ext.facts.smart.waiting import answers
from tests.unit.facts.test_smart import identify, log_page, smart_data, threshold_data
from tests.unit.facts.trees import tree

IS_64_BIT = ctypes.sizeof(ctypes.c_void_p) == 8


def offsets(structure):
    return {field[0]: getattr(structure, field[0]).offset for field in structure._fields_}


# MegaRAID


def test_a_packet_for_megaraid_is_laid_out_as_its_driver_reads_it():
    assert offsets(megaraid.Packet) == {
        "host_no": 0,
        "pad": 2,
        "sgl_off": 4,
        "sge_count": 8,
        "sense_off": 12,
        "sense_len": 16,
        "frame": 20,
        "sgl": 148,
    }
    assert ctypes.sizeof(megaraid.Packet) == (404 if IS_64_BIT else 276)
    assert megaraid.request_code(404) == 0xC194_4D01  # MEGASAS_IOC_FIRMWARE
    assert megaraid.request_code(276) == 0xC114_4D01  # MEGASAS_IOC_FIRMWARE32


def test_a_frame_that_sends_a_command_to_a_disk_has_every_byte_in_its_place():
    cdb = bytes((0x4D, 0, 0x6F, 0, 0, 0, 0, 4, 0, 0))
    frame = megaraid.scsi_frame(8, cdb, 1024)
    assert len(frame) == megaraid.PTHRU_SGL == 0x30
    assert frame[0] == 0x04  # MFI_CMD_PD_SCSI_IO
    assert frame[1] == sg.SENSE_BYTES
    assert frame[2] == 0xFF  # its state, until the firmware has one
    assert (frame[4], frame[5], frame[6], frame[7]) == (8, 0, len(cdb), 1)
    assert struct.unpack_from("<HHI", frame, 0x10) == (0x0010, 10, 1024)
    assert frame[0x20:0x30] == cdb.ljust(16, b"\0")
    silent = megaraid.scsi_frame(8, cdb, 0)
    assert (silent[7], struct.unpack_from("<HHI", silent, 0x10)) == (0, (0, 10, 0))


def test_a_frame_that_asks_for_the_disks_has_every_byte_in_its_place():
    frame = megaraid.list_frame(6152)
    assert len(frame) == megaraid.DCMD_SGL == 0x28
    assert (frame[0], frame[2], frame[7]) == (0x05, 0xFF, 1)  # MFI_CMD_DCMD
    assert struct.unpack_from("<HHII", frame, 0x10) == (0x0010, 10, 6152, 0x0201_0000)


def listing(*rows):
    body = b"".join(struct.pack("<HHBBBB16x", *row) for row in rows)
    return struct.pack("<II", 8 + len(body), len(rows)) + body


def test_the_list_of_a_megaraid_has_disks_and_enclosures():
    data = listing((8, 32, 1, 0, 0, 1), (32, 32, 1, 0, 13, 1), (9, 0xFFFF, 0, 3, 0, 1))
    assert megaraid.disks(data) == [megaraid.Disk(8, 32, 0), megaraid.Disk(9, None, 3)]
    assert megaraid.disks(data[:-1]) == [megaraid.Disk(8, 32, 0)]
    # A frame has one byte for the number; another disk would be asked.
    assert megaraid.disks(listing((256, 32, 1, 0, 0, 1))) == []


def test_the_state_of_a_frame_tells_whether_the_disk_was_reached():
    assert megaraid.reply(0, b"data", bytes(64)) == sg.Reply(sg.GOOD, b"", b"data")
    sense = bytes((0x70, 0, 5, *bytes(61)))
    assert megaraid.reply(0x2D, b"", sense) == sg.Reply(sg.CHECK_CONDITION, sense, b"")
    for state in (0x0C, 0xFF):  # no such device; never looked at
        with pytest.raises(OSError, match=f"the controller answers 0x{state:02x}"):
            megaraid.reply(state, b"", bytes(64))


def test_the_major_number_of_the_driver_is_in_proc_devices():
    text = "Character devices:\n  1 mem\n236 megaraid_sas_ioctl\n\nBlock devices:\n  8 sd\n"
    assert megaraid.major_number(text) == 236
    assert megaraid.major_number("Character devices:\n  1 mem\n") is None


# Smart Array


def test_a_command_for_a_smart_array_is_laid_out_as_its_drivers_read_it():
    assert offsets(smartarray.Command) == {
        "address": 0,
        "cdb_length": 8,
        "type": 9,
        "timeout": 10,
        "cdb": 12,
        "scsi_status": 28,
        "sense_length": 29,
        "command_status": 30,
        "residual": 32,
        "more": 36,
        "sense": 44,
        "size": 76,
        "buffer": 80,
    }
    assert ctypes.sizeof(smartarray.Command) == (88 if IS_64_BIT else 84)
    assert smartarray.request_code(88) == 0xC058_420B  # CCISS_PASSTHRU
    address = bytes((1, 2, 3, 4, 5, 6, 7, 8))
    reads = bytes(smartarray.build(address, b"\x12\0\0\0\x60\0", 96))
    assert reads[:8] == address
    assert (reads[8], reads[9]) == (6, 0xA0)  # a command, simple, that reads
    assert reads[12:28] == b"\x12\0\0\0\x60".ljust(16, b"\0")
    assert int.from_bytes(reads[76:78], "little") == 96
    assert bytes(smartarray.build(address, b"\0", 0))[9] == 0x20  # without data


def test_the_addresses_of_a_smart_array_are_without_the_bits_that_hide_the_disk():
    rows = bytes((0, 0, 0, 0xC1, 1, 0, 0, 2)), bytes((0, 0, 0, 1, 2, 0, 0, 2))
    data = (16).to_bytes(4, "big") + bytes(4) + b"".join(rows) + bytes(800)
    assert smartarray.addresses(data) == [bytes((0, 0, 0, 1, 1, 0, 0, 2)), rows[1]]
    assert smartarray.addresses(data[:20]) == smartarray.addresses(data)[:1]
    assert smartarray.addresses(b"") == []


def answer(state, scsi_status=0, sense=b"", residual=0):
    found = smartarray.Command(scsi_status=scsi_status, sense_length=len(sense))
    ctypes.memmove(found.command_status, state.to_bytes(2, "little"), 2)
    ctypes.memmove(found.residual, residual.to_bytes(4, "little"), 4)
    ctypes.memmove(found.sense, sense, len(sense))
    return found


def test_a_smart_array_s_answer_is_the_disk_s_or_an_error():
    assert smartarray.reply(answer(0), b"data") == sg.Reply(0, b"", b"data")
    assert smartarray.reply(answer(2, residual=3), b"data") == sg.Reply(0, b"", b"d")
    sense = bytes((0x70, 0, 5, 0))
    assert smartarray.reply(answer(1, 2, sense), b"data").sense == sense
    assert not smartarray.reply(answer(1, 2, sense), b"data").is_good
    with pytest.raises(OSError, match="the controller answers 0x000b"):  # CMD_TIMEOUT
        smartarray.reply(answer(0x0B), b"")


# Which controllers there are


def host(name, slot, driver):
    base = f"sys/devices/pci0000:00/0000:00:01.0/{slot}/{name}"
    files = {f"{base}/scsi_host/{name}/proc_name": f"{driver}\n"}
    return files, {f"sys/class/scsi_host/{name}": f"../../../{base}/scsi_host/{name}"}


def generic(name, number, slot, kind):
    base = f"sys/devices/pci0000:00/0000:00:01.0/{slot}/{name}/target/0:0:{number}:0"
    files = {f"{base}/scsi_generic/sg{number}/dev": "", f"{base}/type": f"{kind}\n"}
    links = {
        f"sys/class/scsi_generic/sg{number}": f"../../../{base}/scsi_generic/sg{number}",
        f"{base}/scsi_generic/sg{number}/device": "../..",
    }
    return files, links


def test_controllers_are_found_by_their_driver_and_reached_by_their_node(tmp_path):
    parts = [
        host("host0", "0000:3b:00.0", "megaraid_sas"),
        host("host1", "0000:5c:00.0", "smartpqi"),
        host("host2", "0000:00:1f.2", "ahci"),
        generic("host1", 0, "0000:5c:00.0", 0),
        generic("host1x", 1, "0000:5d:00.0", 12),
    ]
    parts.append(
        (
            {"sys/devices/pci0000:00/0000:07:00.0/cciss0/c0d0/block/cciss!c0d0/size": "1"},
            {
                "sys/block/cciss!c0d0": "../devices/pci0000:00/0000:07:00.0/cciss0/c0d0"
                "/block/cciss!c0d0"
            },
        )
    )
    files, links = {}, {}
    for one in parts:
        files |= one[0]
        links |= one[1]
    where = tmp_path / "a"
    assert behind.controllers(tree(where, files, links)) == [
        behind.Controller("0000:3b:00.0", megaraid.NODE, 0),
        behind.Controller("0000:07:00.0", "/dev/cciss/c0d0"),
    ]
    more = generic("host1", 2, "0000:5c:00.0", 12)
    found = behind.controllers(tree(tmp_path / "b", files | more[0], links | more[1]))
    assert found[1] == behind.Controller("0000:5c:00.0", "/dev/sg2")


# A disk that answers


class Disk:
    """A disk that answers as the standards have it, and remembers what it was asked."""

    def __init__(self, is_ata=True, sense=b"", kind=0):
        self.is_ata, self.sense, self.kind = is_ata, sense, kind
        self.asked = []

    def __call__(self, cdb, length):
        self.asked.append(cdb[0] if cdb[0] != 0x85 else cdb[14])
        data = self.data(cdb)
        good = sg.Reply(sg.GOOD, b"", (data or b"").ljust(length, b"\0"))
        return good if data is not None else sg.Reply(sg.CHECK_CONDITION, b"", b"")

    def data(self, cdb):
        if cdb[0] == 0x12 and cdb[1]:
            return b"\0\x80\0\x08  SN0001"
        if cdb[0] == 0x12:
            vendor = b"ATA     " if self.is_ata else b"SEAGATE "
            return bytes((self.kind,)).ljust(8, b"\0") + vendor + b"TESTDISK".ljust(20)
        if cdb[0] == 0x03:
            return self.sense
        if cdb[0] == 0x4D:
            return log_page(0x2F, {0: bytes((0x5D, 0, 33))}) if cdb[2] & 0x3F == 0x2F else None
        return {
            (0xEC, 0): identify(),
            (0xB0, 0xD0): smart_data([struct.pack("<BHBB7x", 5, 0x33, 1, 1)]),
            (0xB0, 0xD1): threshold_data({5: 10}),
        }.get((cdb[14], cdb[4]))


def test_a_sata_disk_behind_a_controller_that_hides_its_registers_is_judged_by_its_attributes():
    disk = Disk()
    found = behind.health(disk, known=())
    assert (found["serial_number"], found["protocol"]) == ("SN0001", "ata")
    assert (found["passed"], found["health"]["failing"]) == (False, ["reallocated"])
    # Who it is; whether it sleeps, by both ways; only then the rest.
    assert disk.asked[:5] == [0x12, 0x12, 0x03, 0xE5, 0xEC]


def test_a_sas_disk_behind_a_controller_tells_what_it_tells_elsewhere():
    found = behind.health(Disk(is_ata=False), known=())
    assert (found["protocol"], found["passed"]) == ("scsi", False)
    assert found["health"] == {"failing": ["failure_predicted"]}
    assert found["volatile"]["temperature_celsius"] == 33


@pytest.mark.parametrize("is_ata", [True, False])
def test_a_sleeping_disk_behind_a_controller_is_left_asleep(is_ata):
    disk = Disk(is_ata, sense=bytes((0x72, 0, 0x5E, 0x02, *bytes(4))))
    found = behind.health(disk, known=())
    assert found["volatile"] == {"skipped_reason": "standby"}
    assert found["serial_number"] == "SN0001"
    assert set(disk.asked) == {0x12, 0x03}


def test_a_disk_that_the_kernel_shows_too_and_what_is_no_disk_are_left_out():
    assert behind.health(Disk(), known={"SN0001"}) is None
    assert behind.health(Disk(kind=13), known=()) is None
    assert behind.health(lambda cdb, length: sg.Reply(2, b"", b""), known=()) is None


def hidden(name="0000:3b:00.0/32:5", node="/dev/null", send=None):
    return {
        "name": name,
        "serial_number": None,
        "transport": None,
        "controller": behind.Controller("0000:3b:00.0", node),
        "turns": threading.Semaphore(1),
        "send": send or (lambda fd, cdb, length: Disk()(cdb, length)),
        "raid": {"pci_slot": "0000:3b:00.0", "enclosure": "32", "slot": "5", "device_id": "8"},
    }


def test_a_disk_behind_a_controller_is_in_the_list_with_its_place():
    def ask(root, disk):
        return behind.ask(root, disk, ())

    (found,) = ask_all(Root(), [hidden()], ask, 5.0)
    assert found["raid"] == {
        "pci_slot": "0000:3b:00.0",
        "enclosure": "32",
        "slot": "5",
        "device_id": "8",
    }
    assert (found["name"], found["serial_number"]) == ("0000:3b:00.0/32:5", "SN0001")
    assert found["passed"] is False
    known = ask_all(Root(), [hidden()], lambda root, disk: behind.ask(root, disk, ("SN0001",)), 5.0)
    assert known == []


def test_a_disk_that_cannot_be_reached_costs_its_own_line_only():
    def fails(fd, cdb, length):
        raise OSError("the controller answers 0x0c")

    root = Root()
    disks = [hidden("bad", send=fails), hidden("good")]
    bad, good = ask_all(root, disks, lambda root, disk: behind.ask(root, disk, ()), 5.0)
    assert bad["volatile"] == {"skipped_reason": "no answer: the controller answers 0x0c"}
    assert good["passed"] is False
    assert [str(one) for one in root.failures] == ["bad: the controller answers 0x0c"]


def test_a_controller_that_cannot_be_opened_or_does_not_answer_has_no_disks_and_is_told():
    root = Root()
    assert behind._listed(root, behind.Controller("0000:3b:00.0", "/dev/not-there")) == []
    assert root.denied == ["/dev/not-there"]
    assert behind._listed(root, behind.Controller("0000:3b:00.0", "/dev/null")) == []
    (failure,) = root.failures
    assert str(failure).startswith("0000:3b:00.0: ")


def test_a_machine_without_such_controllers_is_asked_nothing(tmp_path):
    assert (
        behind.hidden_disks(tree(tmp_path, {"sys/class/scsi_host/host0/proc_name": "ahci"})) == []
    )


@given(st.binary(max_size=200))
def test_no_bytes_make_a_reader_fail(data):
    assert len(megaraid.disks(data)) <= megaraid.MAX_DISKS
    assert len(smartarray.addresses(data)) <= smartarray.MAX_DISKS
    behind.health(lambda cdb, length: sg.Reply(sg.GOOD, b"", data), known=())


def test_a_question_that_fails_is_told_with_its_own_exception_and_costs_no_time(tmp_path):
    root = Root(str(tmp_path))
    found = answers(root, {"good": lambda: 1, "bad": lambda: [][0]}, 600)
    assert found == {"good": 1}
    [error] = root.failures
    assert isinstance(error, IndexError)
    assert error.__traceback__ is not None
