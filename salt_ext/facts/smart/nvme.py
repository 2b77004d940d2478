"""The health of an NVMe disk: log page 02h of the NVMe base specification."""

from __future__ import annotations

import ctypes
import fcntl
from typing import Any

ADMIN_COMMAND = 0xC0484E41  # NVME_IOCTL_ADMIN_CMD of <linux/nvme_ioctl.h>
GET_LOG_PAGE = 0x02
SMART_LOG = 0x02
EVERY_NAMESPACE = 0xFFFFFFFF
LOG_BYTES = 512
TIMEOUT_MS = 10_000
KELVIN = 273
DATA_UNIT_BYTES = 512_000

# The bits of "critical warning", the lowest bit first.
WARNINGS = (
    "available_spare",
    "temperature",
    "reliability",
    "read_only",
    "volatile_memory_backup",
    "persistent_memory_region",
)


class _Command(ctypes.Structure):
    """``struct nvme_passthru_cmd`` of <linux/nvme_ioctl.h>."""

    _fields_ = (
        ("opcode", ctypes.c_uint8),
        ("flags", ctypes.c_uint8),
        ("rsvd1", ctypes.c_uint16),
        ("nsid", ctypes.c_uint32),
        ("cdw2", ctypes.c_uint32),
        ("cdw3", ctypes.c_uint32),
        ("metadata", ctypes.c_uint64),
        ("addr", ctypes.c_uint64),
        ("metadata_len", ctypes.c_uint32),
        ("data_len", ctypes.c_uint32),
        ("cdw10", ctypes.c_uint32),
        ("cdw11", ctypes.c_uint32),
        ("cdw12", ctypes.c_uint32),
        ("cdw13", ctypes.c_uint32),
        ("cdw14", ctypes.c_uint32),
        ("cdw15", ctypes.c_uint32),
        ("timeout_ms", ctypes.c_uint32),
        ("result", ctypes.c_uint32),
    )


def health(fd: int) -> dict[str, Any]:
    """Return the health of a disk. Raises OSError when the command does not reach it."""
    data = ctypes.create_string_buffer(LOG_BYTES)
    command = _Command(
        opcode=GET_LOG_PAGE,
        nsid=EVERY_NAMESPACE,
        addr=ctypes.addressof(data),
        data_len=LOG_BYTES,
        cdw10=(LOG_BYTES // 4 - 1) << 16 | SMART_LOG,
        timeout_ms=TIMEOUT_MS,
    )
    status = fcntl.ioctl(fd, ADMIN_COMMAND, command)
    if status:
        return {"skipped_reason": "not supported"}
    return judge(data.raw)


def judge(log: bytes) -> dict[str, Any]:
    """Return the health in a SMART / health information log."""
    if len(log) < LOG_BYTES:
        return {"skipped_reason": "not supported"}
    warning = log[0]
    kelvin = _integer(log, 1, 2)
    return {
        "passed": warning == 0,
        "health": {"failing": [name for bit, name in enumerate(WARNINGS) if warning >> bit & 1]},
        "volatile": {
            "temperature_celsius": kelvin - KELVIN if kelvin else None,
            "available_spare_percentage": log[3],
            "percentage_used": log[5],
            "bytes_read": _integer(log, 32, 16) * DATA_UNIT_BYTES,
            "bytes_written": _integer(log, 48, 16) * DATA_UNIT_BYTES,
            "power_cycles": _integer(log, 112, 16),
            "power_on_hours": _integer(log, 128, 16),
            "unsafe_shutdowns": _integer(log, 144, 16),
            "media_errors": _integer(log, 160, 16),
        },
    }


def _integer(log: bytes, offset: int, width: int) -> int:
    # A counter has 128 bits, an integer in a report 64. No real counter is that large.
    return min(int.from_bytes(log[offset : offset + width], "little"), 2**63 - 1)
