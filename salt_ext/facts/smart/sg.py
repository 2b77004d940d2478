"""One SCSI command to a disk, through the kernel's SG_IO or a RAID controller."""

from __future__ import annotations

import ctypes
import fcntl
from collections.abc import Callable
from typing import NamedTuple

SG_IO = 0x2285
FROM_DEVICE = -3  # SG_DXFER_FROM_DEV
NO_DATA = -1  # SG_DXFER_NONE
TIMEOUT_MS = 10_000
SENSE_BYTES = 64

NO_SENSE, RECOVERED = 0x0, 0x1
GOOD, CHECK_CONDITION = 0x00, 0x02


class _Header(ctypes.Structure):
    """``struct sg_io_hdr`` of <scsi/sg.h>."""

    _fields_ = (
        ("interface_id", ctypes.c_int),
        ("dxfer_direction", ctypes.c_int),
        ("cmd_len", ctypes.c_ubyte),
        ("mx_sb_len", ctypes.c_ubyte),
        ("iovec_count", ctypes.c_ushort),
        ("dxfer_len", ctypes.c_uint),
        ("dxferp", ctypes.c_void_p),
        ("cmdp", ctypes.c_void_p),
        ("sbp", ctypes.c_void_p),
        ("timeout", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("pack_id", ctypes.c_int),
        ("usr_ptr", ctypes.c_void_p),
        ("status", ctypes.c_ubyte),
        ("masked_status", ctypes.c_ubyte),
        ("msg_status", ctypes.c_ubyte),
        ("sb_len_wr", ctypes.c_ubyte),
        ("host_status", ctypes.c_ushort),
        ("driver_status", ctypes.c_ushort),
        ("resid", ctypes.c_int),
        ("duration", ctypes.c_uint),
        ("info", ctypes.c_uint),
    )


class Reply(NamedTuple):
    """The status, the sense data and the data that a command has returned."""

    status: int
    sense: bytes
    data: bytes

    @property
    def is_good(self) -> bool:
        """Whether the command was carried out."""
        return self.status == GOOD or sense_key(self.sense)[0] == RECOVERED


Device = int | Callable[[bytes, int], Reply]
"""A file descriptor, or for a disk behind a controller a function that sends it a command."""


def command(device: Device, cdb: bytes, length: int = 0) -> Reply:
    """
    Send one command that reads ``length`` bytes, or none, and return the reply.

    Raises OSError when it did not reach the device.
    """
    if callable(device):
        return device(cdb, length)
    cdb_buffer = ctypes.create_string_buffer(cdb, len(cdb))
    data = ctypes.create_string_buffer(max(length, 1))
    sense = ctypes.create_string_buffer(SENSE_BYTES)
    header = _Header(
        interface_id=ord("S"),
        dxfer_direction=FROM_DEVICE if length else NO_DATA,
        cmd_len=len(cdb),
        mx_sb_len=SENSE_BYTES,
        dxfer_len=length,
        dxferp=ctypes.addressof(data) if length else None,
        cmdp=ctypes.addressof(cdb_buffer),
        sbp=ctypes.addressof(sense),
        timeout=TIMEOUT_MS,
    )
    fcntl.ioctl(device, SG_IO, header)
    if header.host_status or (header.status and not header.sb_len_wr):
        raise OSError(f"the host adapter says {header.host_status}, the disk {header.status}")
    got = length - min(max(header.resid, 0), length)
    return Reply(header.status, sense.raw[: header.sb_len_wr], data.raw[:got])


def sense_key(sense: bytes) -> tuple[int, int, int]:
    """Return sense key, additional sense code and qualifier, from sense data of either format."""
    kind = sense[0] & 0x7F if sense else 0
    if kind in (0x72, 0x73) and len(sense) >= 4:
        return sense[1] & 0x0F, sense[2], sense[3]
    if kind in (0x70, 0x71) and len(sense) >= 3:
        return sense[2] & 0x0F, *((sense[12], sense[13]) if len(sense) >= 14 else (0, 0))
    return NO_SENSE, 0, 0
