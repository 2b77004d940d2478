"""
Commands to the disks behind a MegaRAID controller, through its driver megaraid_sas.

The driver takes frames of the controller's firmware (MFI) from its one device node for
all controllers, in a ``struct megasas_iocpacket`` of <drivers/scsi/megaraid/megaraid_sas.h>.
The firmware lists its disks, and sends a SCSI command to one of them.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import stat
import struct
import threading
from typing import NamedTuple

from salt_ext.facts.smart import sg

NODE = "/dev/megaraid_sas_ioctl_node"
DEVICES, DEVICE = "/proc/devices", "megaraid_sas_ioctl"
PD_SCSI_IO, DCMD = 0x04, 0x05
PD_GET_LIST = 0x0201_0000
NO_DATA, FROM_DEVICE = 0x0000, 0x0010
NOT_YET, OK, SCSI_ERROR = 0xFF, 0x00, 0x2D  # states of a frame; SCSI_ERROR: see the sense data
TIMEOUT_SECONDS = sg.TIMEOUT_MS // 1000
MAX_DISKS = 256
DISK = 0  # as SCSI peripheral device type
NO_ENCLOSURE = 0xFFFF
LAST_TARGET = 0xFF  # a frame has one byte for it

FRAME_BYTES = 128
PTHRU_SENSE, PTHRU_SGL, DCMD_SGL = 0x18, 0x30, 0x28  # offsets in the frames
_PTHRU = struct.Struct("<8BIIHHIII16s")
_DCMD = struct.Struct("<BBB4xBIIHHII12x")
_ADDRESS = struct.Struct("<HHBBBB16x")
_LIST = struct.Struct("<II")


class _IoVec(ctypes.Structure):
    """``struct iovec``."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class Packet(ctypes.Structure):
    """``struct megasas_iocpacket``; a process of 32 bits has the driver's compat form of it."""

    _pack_ = 1
    _fields_ = (
        ("host_no", ctypes.c_uint16),
        ("pad", ctypes.c_uint16),
        ("sgl_off", ctypes.c_uint32),
        ("sge_count", ctypes.c_uint32),
        ("sense_off", ctypes.c_uint32),
        ("sense_len", ctypes.c_uint32),
        ("frame", ctypes.c_ubyte * FRAME_BYTES),
        ("sgl", _IoVec * 16),
    )


def request_code(size: int) -> int:
    """Return ``_IOWR('M', 1, ...)`` for a packet of a size: MEGASAS_IOC_FIRMWARE."""
    return 3 << 30 | size << 16 | ord("M") << 8 | 1


class Disk(NamedTuple):
    """Where the firmware says that a disk is; ``enclosure`` is None for one without."""

    device_id: int
    enclosure: int | None
    slot: int


def scsi_frame(target: int, cdb: bytes, length: int, sense_pointer: int = 0) -> bytes:
    """Return a ``struct megasas_pthru_frame`` that sends a SCSI command to a disk."""
    return _PTHRU.pack(
        PD_SCSI_IO,
        sg.SENSE_BYTES,
        NOT_YET,
        0,
        target & 0xFF,
        0,
        len(cdb),
        1 if length else 0,
        *(0, 0),
        FROM_DEVICE if length else NO_DATA,
        TIMEOUT_SECONDS,
        length,
        *(sense_pointer & 0xFFFF_FFFF, sense_pointer >> 32),
        cdb,
    )


def list_frame(length: int) -> bytes:
    """Return a ``struct megasas_dcmd_frame`` that asks for the list of the disks."""
    return _DCMD.pack(
        *(DCMD, 0, NOT_YET, 1), *(0, 0), FROM_DEVICE, TIMEOUT_SECONDS, length, PD_GET_LIST
    )


def disks(data: bytes) -> list[Disk]:
    """Return the disks in a ``struct megasas_pd_list``; enclosures are in it too."""
    if len(data) < _LIST.size:
        return []
    count = min(_LIST.unpack_from(data)[1], MAX_DISKS, (len(data) - _LIST.size) // _ADDRESS.size)
    found = []
    for number in range(count):
        at = _LIST.size + number * _ADDRESS.size
        device, enclosure, _, slot, kind, _ = _ADDRESS.unpack_from(data, at)
        if kind == DISK and device <= LAST_TARGET:
            found.append(Disk(device, None if enclosure == NO_ENCLOSURE else enclosure, slot))
    return found


def open_node(major: int | None) -> int:
    """
    Open the driver's device node; ``major`` is its number in /proc/devices.

    No rule of udev makes the node, the makers' tools do. Where none has run, one is
    made for a moment.
    """
    flags = os.O_RDWR | os.O_CLOEXEC
    try:
        return os.open(NODE, flags)
    except FileNotFoundError:
        if major is None:
            raise
    own = f"{NODE}.{os.getpid()}.{threading.get_ident()}"
    os.mknod(own, 0o600 | stat.S_IFCHR, os.makedev(major, 0))
    try:
        return os.open(own, flags)
    finally:
        os.unlink(own)


def major_number(text: str) -> int | None:
    """Return the driver's major number in the text of /proc/devices, or None."""
    for line in text.splitlines():
        number, _, name = line.strip().partition(" ")
        if name == DEVICE and number.isdecimal():
            return int(number)
    return None


def list_disks(fd: int, host: int) -> list[Disk]:
    """Return the disks of the controller with a SCSI host number. Raises OSError."""
    length = _LIST.size + MAX_DISKS * _ADDRESS.size
    state, data, _ = _send(fd, host, list_frame(length), DCMD_SGL, length)
    if state != OK:
        raise OSError(f"the controller answers {state:#04x} when asked for its disks")
    return disks(data)


def command(fd: int, host: int, target: int, cdb: bytes, length: int = 0) -> sg.Reply:
    """
    Send one SCSI command that reads ``length`` bytes, or none, to a disk.

    Raises OSError when it did not reach the disk.
    """
    frame = scsi_frame(target, cdb, length)
    state, data, sense = _send(fd, host, frame, PTHRU_SGL, length, PTHRU_SENSE)
    return reply(state, data, sense)


def reply(state: int, data: bytes, sense: bytes) -> sg.Reply:
    """Return the reply of a disk, by the state of the frame. Raises OSError when there is none."""
    if state not in (OK, SCSI_ERROR):
        raise OSError(f"the controller answers {state:#04x}")
    # The driver returns the state of the frame only, and not the status of the disk.
    status = sg.CHECK_CONDITION if state == SCSI_ERROR else sg.GOOD
    has_sense = bool(sense) and 0x70 <= sense[0] & 0x7F <= 0x73
    return sg.Reply(status, sense if has_sense else b"", data)


def _send(
    fd: int, host: int, frame: bytes, sgl_offset: int, length: int, sense_offset: int = 0
) -> tuple[int, bytes, bytes]:
    """Send a frame and return its state, the data and the sense data."""
    data = ctypes.create_string_buffer(max(length, 1))
    sense = ctypes.create_string_buffer(sg.SENSE_BYTES)
    packet = Packet(host_no=host)
    ctypes.memmove(packet.frame, frame, len(frame))
    if sense_offset:
        packet.sense_off, packet.sense_len = sense_offset, sg.SENSE_BYTES
        # Until the driver replaces it, the frame has the address of our buffer there.
        struct.pack_into("P", packet.frame, sense_offset, ctypes.addressof(sense))
    if length:
        packet.sgl_off, packet.sge_count = sgl_offset, 1
        packet.sgl[0] = _IoVec(ctypes.addressof(data), length)
    fcntl.ioctl(fd, request_code(ctypes.sizeof(Packet)), packet)
    return packet.frame[2], data.raw[:length], sense.raw
