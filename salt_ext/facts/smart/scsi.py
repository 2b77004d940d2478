"""The health of a SAS disk, from its log pages (SPC-5, SBC-4)."""

from __future__ import annotations

from typing import Any

from salt_ext.facts.smart import sg

LOG_SENSE, REQUEST_SENSE = 0x4D, 0x03
CUMULATIVE = 0x40  # asks for the current values of a page
TEMPERATURE, SOLID_STATE, BACKGROUND_SCAN, INFORMATIONAL_EXCEPTIONS = 0x0D, 0x11, 0x15, 0x2F
ERRORS = {"uncorrected_writes": 0x02, "uncorrected_reads": 0x03, "uncorrected_verifies": 0x05}
UNCORRECTED = 0x0006  # the parameter with the uncorrected errors in an error counter page
LIMIT_BYTES = 1024
REQUEST_BYTES = 64

NOT_READY, STOPPED = 0x02, (0x04, 0x02)  # stopped: the disk needs a command to start
LOW_POWER = 0x5E
STANDBY_QUALIFIERS = (0x02, 0x04, 0x09, 0x0A)  # standby_z and standby_y, by timer or command
WARNING, FAILURE_PREDICTED = 0x0B, 0x5D
WARNINGS = {0x01: "temperature", 0x02: "enclosure", 0x03: "self_test", 0x08: "power_loss"}
NO_TEMPERATURE = 0xFF
UNKNOWN_WARNING = "warning"


def health(device: sg.Device) -> dict[str, Any]:
    """
    Return the health of a disk, or why it was not asked.

    Raises OSError when commands do not reach it.
    """
    if sleeps(device):
        return {"volatile": {"skipped_reason": "standby"}}
    numbers = (
        INFORMATIONAL_EXCEPTIONS,
        TEMPERATURE,
        SOLID_STATE,
        BACKGROUND_SCAN,
        *ERRORS.values(),
    )
    return judge({number: parameters(_page(device, number), number) for number in numbers})


def sleeps(device: sg.Device) -> bool:
    """Whether a disk says that it is in standby or stopped; the question does not wake it."""
    request = bytes((REQUEST_SENSE, 1, 0, 0, REQUEST_BYTES, 0))
    return is_asleep(sg.command(device, request, REQUEST_BYTES).data)


def is_asleep(sense: bytes) -> bool:
    """Whether sense data say that the disk is in standby or stopped."""
    key, *code = sg.sense_key(sense)
    if code[0] == LOW_POWER:
        return code[1] in STANDBY_QUALIFIERS
    return key == NOT_READY and tuple(code) == STOPPED


def judge(pages: dict[int, dict[int, bytes]]) -> dict[str, Any]:
    """Return the health, from the parameters of each log page: ``{page: {code: value}}``."""
    exceptions = pages.get(INFORMATIONAL_EXCEPTIONS, {}).get(0, b"")
    if len(exceptions) < 2:
        return {"skipped_reason": "not supported"}
    code, qualifier = exceptions[0], exceptions[1]
    failing = []
    if code == FAILURE_PREDICTED:
        failing = ["failure_predicted"]
    elif code == WARNING:
        failing = [WARNINGS.get(qualifier, UNKNOWN_WARNING)]
    temperature = pages.get(TEMPERATURE, {}).get(0, b"")[1:2] or exceptions[2:3]
    minutes = pages.get(BACKGROUND_SCAN, {}).get(0, b"")[:4]
    used = pages.get(SOLID_STATE, {}).get(1, b"")
    volatile: dict[str, int | None] = {
        "temperature_celsius": temperature[0]
        if temperature and 0 < temperature[0] < NO_TEMPERATURE
        else None,
        "power_on_hours": int.from_bytes(minutes, "big") // 60 if len(minutes) == 4 else None,
        "percentage_used": used[3] if len(used) >= 4 else None,
    }
    for name, page in ERRORS.items():
        counter = pages.get(page, {}).get(UNCORRECTED)
        if counter:
            volatile[name] = min(int.from_bytes(counter, "big"), 2**63 - 1)
    return {"passed": not failing, "health": {"failing": failing}, "volatile": volatile}


def parameters(page: bytes, number: int) -> dict[int, bytes]:
    """Return ``{code: value}`` of the parameters in a log page."""
    if len(page) < 4 or page[0] & 0x3F != number:
        return {}
    end = min(len(page), 4 + int.from_bytes(page[2:4], "big"))
    found: dict[int, bytes] = {}
    at = 4
    while at + 4 <= end:
        length = page[at + 3]
        if at + 4 + length > end:
            break  # the value is cut, and half a value is a wrong one
        found[int.from_bytes(page[at : at + 2], "big")] = page[at + 4 : at + 4 + length]
        at += 4 + length
    return found


def _page(device: sg.Device, number: int) -> bytes:
    """Return a log page; b"" when the disk does not have it."""
    size = LIMIT_BYTES.to_bytes(2, "big")
    reply = sg.command(
        device, bytes((LOG_SENSE, 0, CUMULATIVE | number, 0, 0, 0, 0, *size, 0)), LIMIT_BYTES
    )
    return reply.data if reply.is_good else b""
