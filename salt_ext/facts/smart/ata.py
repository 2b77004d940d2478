"""
The health of an ATA disk (ACS-4; commands by ATA PASS-THROUGH of SAT-4).

ACS defines where the attributes stand in SMART data and when one has failed, but not
what they mean. The attribute numbers below mean the same for practically all makers,
and of a raw value only those bytes are read on which the makers agree.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from salt_ext.facts.smart import sg

PASS_THROUGH_16 = 0x85
NON_DATA, PIO_IN = 3, 4
CHECK_CONDITION, FROM_DEVICE, IN_BLOCKS, LENGTH_IN_COUNT = 0x20, 0x08, 0x04, 0x02
CHECK_POWER_MODE, IDENTIFY_DEVICE, READ_LOG_EXT, SMART = 0xE5, 0xEC, 0x2F, 0xB0
READ_DATA, READ_THRESHOLDS, RETURN_STATUS = 0xD0, 0xD1, 0xDA
SMART_SIGNATURE, FAILING_SIGNATURE = (0x4F, 0xC2), (0xF4, 0x2C)
STATISTICS_LOG, SOLID_STATE_PAGE = 0x04, 7
STANDBY_MODES = (0x00, 0x01, 0x40)  # standby, standby_y, spun down with its NV cache in use
ROTATION_RATE, NOT_ROTATING = 217, 1  # a word of IDENTIFY DEVICE
BLOCK = 512
UNWELL = (0x2, 0x3, 0x4, 0x6)
"""Sense keys of a disk that fails: not ready, medium error, hardware error, unit attention."""


ATTRIBUTES = 30
PREFAILURE = 0x01
NAMES = {
    1: "raw_read_error_rate",
    3: "spin_up_time",
    5: "reallocated",
    7: "seek_error_rate",
    9: "power_on_hours",
    10: "spin_retries",
    12: "power_cycles",
    184: "end_to_end_errors",
    187: "reported_uncorrectable",
    188: "command_timeouts",
    190: "airflow_temperature",
    194: "temperature",
    196: "reallocation_events",
    197: "pending",
    198: "uncorrectable",
    199: "interface_crc_errors",
}
# How many of the six raw bytes are the counter; makers use the other bytes for other values.
COUNTERS = {5: 2, 9: 3, 12: 4, 187: 6, 196: 2, 197: 6, 198: 6, 199: 6}
TEMPERATURES = (194, 190)


class Registers(NamedTuple):
    """The disk's registers after an ATA command."""

    sectors: int
    lba_low: int
    lba_mid: int
    lba_high: int


class Attribute(NamedTuple):
    """One attribute of SMART data; ``raw`` is its six bytes as an integer."""

    id: int
    flags: int
    value: int
    worst: int
    raw: int


def health(device: sg.Device, is_solid_state: bool | None = None) -> dict[str, Any]:
    """
    Return the health of a disk, or why it was not asked.

    Whether it is a solid state disk is asked too when it is not known.

    Raises OSError when commands do not reach it.
    """
    mode = power_mode(device)
    if mode in STANDBY_MODES:
        return {"volatile": {"skipped_reason": "standby"}}
    identify = _read(device, IDENTIFY_DEVICE)
    reason = smart_is_off(identify)
    if reason:
        return {"skipped_reason": reason}
    reply = sg.command(device, pass_through(SMART, RETURN_STATUS, SMART_SIGNATURE))
    found = judge(
        status(registers(reply.sense)),
        attributes(_read(device, SMART, READ_DATA, SMART_SIGNATURE)),
        thresholds(_read(device, SMART, READ_THRESHOLDS, SMART_SIGNATURE)),
    )
    if is_solid_state is None:
        is_solid_state = _word(identify, ROTATION_RATE) == NOT_ROTATING
    if is_solid_state and _has_log(_read(device, READ_LOG_EXT, lba=(0, 0)), STATISTICS_LOG):
        page = _read(device, READ_LOG_EXT, lba=(SOLID_STATE_PAGE, 0), lba_low=STATISTICS_LOG)
        found["volatile"]["percentage_used"] = percentage_used(page)
    return found


def power_mode(device: sg.Device) -> int | None:
    """Return the power mode of a disk, or None; the question does not wake it."""
    found = registers(sg.command(device, pass_through(CHECK_POWER_MODE)).sense)
    return found.sectors if found else None


def pass_through(
    command: int,
    feature: int = 0,
    lba: tuple[int, int] = (0, 0),
    lba_low: int = 0,
    reads: bool = False,
) -> bytes:
    """Return a SCSI command with an ATA command in it; ``lba`` is LBA Mid and LBA High."""
    extended = command == READ_LOG_EXT
    protocol = PIO_IN if reads else NON_DATA
    # A command without data is sent only for the registers, so it asks for them.
    flags = FROM_DEVICE | IN_BLOCKS | LENGTH_IN_COUNT if reads else CHECK_CONDITION
    return bytes(
        (
            PASS_THROUGH_16,
            protocol << 1 | extended,
            flags,
            *(0, feature),
            *(0, 1 if reads else 0),
            *(0, lba_low, 0, lba[0], 0, lba[1]),
            0,
            command,
            0,
        )
    )


def registers(sense: bytes) -> Registers | None:
    """Return the registers in sense data of either format, or None when there are none."""
    if not sense:
        return None
    if sense[0] & 0x7F == 0x72:
        at = 8
        while at + 2 <= len(sense):
            kind, length = sense[at], sense[at + 1]
            if kind == 0x09 and at + 14 <= len(sense):
                return Registers(sense[at + 5], sense[at + 7], sense[at + 9], sense[at + 11])
            at += 2 + length
    elif sense[0] & 0x7F == 0x70 and len(sense) >= 14 and sense[12:14] == b"\x00\x1d":
        return Registers(sense[6], sense[9], sense[10], sense[11])
    return None


def status(found: Registers | None) -> bool | None:
    """Return True when SMART RETURN STATUS says "good", False for "failing", else None."""
    signature = None if found is None else (found.lba_mid, found.lba_high)
    return {SMART_SIGNATURE: True, FAILING_SIGNATURE: False}.get(signature or (0, 0))


def smart_is_off(identify: bytes) -> str | None:
    """Return why a disk cannot be asked for SMART, by its IDENTIFY DEVICE data, or None."""
    if len(identify) < BLOCK:
        return "not supported"
    supported, checked, enabled = (_word(identify, number) for number in (82, 83, 85))
    if checked >> 14 == 1 and not supported & 1:
        return "not supported"
    return None if enabled & 1 else "switched off"


def attributes(data: bytes) -> list[Attribute]:
    """Return the attributes in SMART data."""
    found = []
    for line in _lines(data):
        raw = int.from_bytes(line[5:11], "little")
        flags = int.from_bytes(line[1:3], "little")
        found.append(Attribute(line[0], flags, line[3], line[4], raw))
    return found


def thresholds(data: bytes) -> dict[int, int]:
    """Return ``{attribute number: threshold}``."""
    return {line[0]: line[1] for line in _lines(data)}


def judge(passed: bool | None, table: list[Attribute], limits: dict[int, int]) -> dict[str, Any]:
    """
    Return the health: what the disk says (``passed``), and attributes beyond their limits.

    When the disk does not say it, as behind some adapters, ``passed`` is whether no
    pre-failure attribute, which predicts the failure of the disk, is beyond its limit.
    """
    raws = {item.id: item.raw for item in table}
    failing = [_name(item.id) for item in table if _is_beyond(item.value, limits.get(item.id))]
    failed = [_name(item.id) for item in table if _is_beyond(item.worst, limits.get(item.id))]
    announced = [item for item in table if item.flags & PREFAILURE]
    if passed is None and table and limits:
        passed = not any(_is_beyond(item.value, limits.get(item.id)) for item in announced)
    return {
        "passed": passed,
        "health": {
            "failing": sorted(failing),
            "failed_before": sorted(set(failed) - set(failing)),
        },
        "volatile": {
            **{
                NAMES[number]: raws[number] & (1 << 8 * width) - 1
                for number, width in COUNTERS.items()
                if number in raws
            },
            "temperature_celsius": _temperature(raws),
        },
    }


def percentage_used(page: bytes) -> int | None:
    """Return the wear of a solid state disk in percent, from page 7 of device statistics."""
    if len(page) < 16 or page[2] != SOLID_STATE_PAGE:
        return None
    # The highest of the eight bytes says whether the value is supported and valid.
    return page[8] if page[15] & 0xC0 == 0xC0 else None


def _is_beyond(value: int, threshold: int | None) -> bool:
    # A threshold of 0 is never reached. 0, 254 and 255 are not normalised values.
    return bool(threshold) and 1 <= value <= 253 and value <= (threshold or 0)


def _temperature(raws: dict[int, int]) -> int | None:
    for number in TEMPERATURES:
        # The lowest byte. The others have the lowest and the highest temperature ever.
        # It is signed: a value from 128 on is below zero and is not reported.
        value = raws.get(number, 0) & 0xFF
        if 0 < value < 128:
            return value
    return None


def _name(number: int) -> str:
    return NAMES.get(number) or f"attribute_{number}"


def _lines(data: bytes) -> list[bytes]:
    """Return the entries of SMART data or thresholds that are in use, 12 bytes each."""
    found: dict[int, bytes] = {}
    for number in range(ATTRIBUTES):
        line = data[2 + 12 * number : 14 + 12 * number]
        if len(line) == 12 and line[0]:
            found.setdefault(line[0], line)
    return list(found.values())


def _read(
    device: sg.Device,
    command: int,
    feature: int = 0,
    lba: tuple[int, int] = (0, 0),
    lba_low: int = 0,
) -> bytes:
    """
    Return one block that a command reads; b"" when the disk refuses the command.

    Raises OSError when the disk fails in it: then what was known of its health stays.
    """
    reply = sg.command(device, pass_through(command, feature, lba, lba_low, reads=True), BLOCK)
    if reply.is_good:
        return reply.data
    key, code, qualifier = sg.sense_key(reply.sense)
    if key in UNWELL:
        raise OSError(f"command {command:02x}h failed: sense {key:x}h {code:02x}h {qualifier:02x}h")
    return b""


def _has_log(directory: bytes, number: int) -> bool:
    """Whether a log directory lists a log with at least one page."""
    return _word(directory, 0) == 1 and _word(directory, number) > 0


def _word(data: bytes, number: int) -> int:
    return int.from_bytes(data[2 * number : 2 * number + 2], "little")
