"""
Commands to the disks behind an HPE Smart Array, through the drivers cciss, hpsa and smartpqi.

They take a ``IOCTL_Command_struct`` of <linux/cciss_ioctl.h> from the node of the
controller. The controller lists the addresses of its disks, and sends a SCSI command to one.
"""

from __future__ import annotations

import ctypes
import fcntl

from salt_ext.facts.smart import sg

REPORT_PHYSICAL = 0xC3
MAX_DISKS = 256
CONTROLLER = bytes(8)  # the address of the controller itself
SIMPLE, NO_DATA, READ = 0x04 << 3, 0x00 << 6, 0x02 << 6  # in the byte Type of a request
SUCCESS, TARGET_STATUS, UNDERRUN = 0x0000, 0x0001, 0x0002
SENSE_BYTES = 32


class Command(ctypes.Structure):
    """``IOCTL_Command_struct``; its first three members are packed."""

    _fields_ = (
        ("address", ctypes.c_ubyte * 8),
        ("cdb_length", ctypes.c_ubyte),
        ("type", ctypes.c_ubyte),
        ("timeout", ctypes.c_ubyte * 2),
        ("cdb", ctypes.c_ubyte * 16),
        ("scsi_status", ctypes.c_ubyte),
        ("sense_length", ctypes.c_ubyte),
        ("command_status", ctypes.c_ubyte * 2),
        ("residual", ctypes.c_ubyte * 4),
        ("more", ctypes.c_ubyte * 8),
        ("sense", ctypes.c_ubyte * SENSE_BYTES),
        ("size", ctypes.c_uint16),
        ("buffer", ctypes.c_void_p),
    )


def request_code(size: int) -> int:
    """Return ``_IOWR('B', 11, ...)`` for a structure of a size: CCISS_PASSTHRU."""
    return 3 << 30 | size << 16 | ord("B") << 8 | 11


def build(address: bytes, cdb: bytes, length: int) -> Command:
    """Return the structure for a command that reads ``length`` bytes, or none."""
    found = Command(cdb_length=len(cdb), size=length)
    found.type = SIMPLE | (READ if length else NO_DATA)
    ctypes.memmove(found.address, address, 8)
    ctypes.memmove(found.cdb, cdb, len(cdb))
    found.timeout[0] = sg.TIMEOUT_MS // 1000
    return found


def addresses(data: bytes) -> list[bytes]:
    """Return the addresses of the physical devices in the answer to REPORT PHYSICAL LUNS."""
    end = min(len(data), 8 + int.from_bytes(data[:4], "big"), 8 + 8 * MAX_DISKS)
    rows = [data[at : at + 8] for at in range(8, end - 7, 8)]
    # The upper bits of the fourth byte say that the disk belongs to a volume.
    return [row[:3] + bytes((row[3] & 0x3F,)) + row[4:] for row in rows]


def reply(answer: Command, data: bytes) -> sg.Reply:
    """Return the reply in a structure that came back. Raises OSError when there is none."""
    state = int.from_bytes(bytes(answer.command_status), "little")
    if state not in (SUCCESS, TARGET_STATUS, UNDERRUN):
        raise OSError(f"the controller answers {state:#06x}")
    residual = int.from_bytes(bytes(answer.residual), "little") if state == UNDERRUN else 0
    sense = bytes(answer.sense)[: answer.sense_length]
    status = answer.scsi_status or (sg.CHECK_CONDITION if state == TARGET_STATUS else sg.GOOD)
    return sg.Reply(status, sense, data[: max(0, len(data) - residual)])


def command(fd: int, address: bytes, cdb: bytes, length: int = 0) -> sg.Reply:
    """
    Send one SCSI command that reads ``length`` bytes, or none, to an address.

    Raises OSError when it did not reach the disk.
    """
    data = ctypes.create_string_buffer(max(length, 1))
    asked = build(address, cdb, length)
    asked.buffer = ctypes.addressof(data) if length else None
    fcntl.ioctl(fd, request_code(ctypes.sizeof(Command)), asked)
    return reply(asked, data.raw[:length])


def list_disks(fd: int) -> list[bytes]:
    """Return the addresses of the controller's physical devices. Raises OSError."""
    length = 8 + 8 * MAX_DISKS
    cdb = bytes((REPORT_PHYSICAL, 0, 0, 0, 0, 0)) + length.to_bytes(4, "big") + bytes(2)
    answer = command(fd, CONTROLLER, cdb, length)
    if not answer.is_good:
        raise OSError("the controller does not tell its disks")
    return addresses(answer.data)
