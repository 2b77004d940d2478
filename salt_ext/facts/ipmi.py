"""Questions to the BMC through ``/dev/ipmi0`` (IPMI 2.0, DCMI 1.5; <linux/ipmi.h>)."""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import time
from collections.abc import Callable, Collection
from ipaddress import IPv4Network, IPv6Address
from itertools import count
from typing import Any

Ask = Callable[[int, int, bytes], bytes]
"""Asks by network function, command and data; the answer begins with its completion code."""

TIMEOUT_SECONDS = 3.0  # of one answer
PAUSES_SECONDS = (0.1, 0.3)  # before a question is asked again
BUSY = b"\xc0"
AGAIN = (BUSY, b"\xc3", b"\xcf")
"""Completion codes of what goes by: node busy, out of time, asked twice (IPMI 2.0, table 5-2)."""
SYSTEM_INTERFACE, BMC_CHANNEL = 0x0C, 0x0F

APPLICATION, TRANSPORT = 0x06, 0x0C
GET_DEVICE_ID, GET_CHANNEL_INFO, GET_LAN_PARAMETERS = 0x01, 0x42, 0x02
CHANNELS = range(1, 12)
LAN_MEDIUM = 4  # 802.3
ADDRESS, ADDRESS_SOURCE, MAC, NETMASK, GATEWAY, VLAN = 3, 4, 5, 6, 12, 20
IPV6_ENABLES, IPV6_STATUS, IPV6_STATIC, IPV6_DYNAMIC = 51, 55, 56, 59
MAX_IPV6 = 16  # addresses asked for, of those that were set and of those that were learnt
ACTIVE = 0
DCMI, DCMI_GROUP, GET_IDENTIFIER = 0x2C, 0xDC, 0x09
IDENTIFIER_BYTES, MAX_IDENTIFIER = 16, 64  # in one answer, and in all
ADDRESS_SOURCES = {1: "static", 2: "dhcp", 3: "bios", 4: "other"}


class RefusedError(Exception):
    """The controller answers, but it refuses the questions."""


class _Address(ctypes.Structure):
    _fields_ = (
        ("addr_type", ctypes.c_int),
        ("channel", ctypes.c_short),
        ("lun", ctypes.c_ubyte),
    )


class _Message(ctypes.Structure):
    _fields_ = (
        ("netfn", ctypes.c_ubyte),
        ("cmd", ctypes.c_ubyte),
        ("data_len", ctypes.c_ushort),
        ("data", ctypes.c_void_p),
    )


class _Request(ctypes.Structure):
    _fields_ = (
        ("addr", ctypes.c_void_p),
        ("addr_len", ctypes.c_uint),
        ("msgid", ctypes.c_long),
        ("msg", _Message),
    )


class _Received(ctypes.Structure):
    _fields_ = (
        ("recv_type", ctypes.c_int),
        ("addr", ctypes.c_void_p),
        ("addr_len", ctypes.c_uint),
        ("msgid", ctypes.c_long),
        ("msg", _Message),
    )


# On these machines three bits tell the direction of a request, and reading is 2 and writing
# 4 of them (<asm/ioctl.h>). On the others it is two bits: 2 is reading and 1 writing.
THREE_BITS = ("ppc", "powerpc", "mips", "sparc", "alpha")
READ, READ_AND_WRITE = 2, 3


def request_number(direction: int, number: int, size: int, machine: str) -> int:
    """Return the number of a request of the driver, on a machine by its name in ``uname``."""
    if machine.startswith(THREE_BITS):
        shifted = (6 if direction == READ_AND_WRITE else direction) << 29
    else:
        shifted = direction << 30
    return shifted | size << 16 | ord("i") << 8 | number


# The numbers of the requests contain the sizes of the structures, which depend on the architecture.
_MACHINE = os.uname().machine
SEND_COMMAND = request_number(READ, 13, ctypes.sizeof(_Request), _MACHINE)
RECEIVE_MESSAGE_TRUNCATED = request_number(READ_AND_WRITE, 11, ctypes.sizeof(_Received), _MACHINE)


def ask(fd: int, number: int, netfn: int, command: int, data: bytes = b"") -> bytes:
    """
    Return the answer to one question; its first byte is the completion code.

    ``number`` is the message id, by which late answers to earlier questions are
    recognised and dropped. Raises OSError, and TimeoutError when no answer comes
    in TIMEOUT_SECONDS.
    """
    address = _Address(SYSTEM_INTERFACE, BMC_CHANNEL, 0)
    sent = ctypes.create_string_buffer(data, max(len(data), 1))
    message = _Message(netfn, command, len(data), ctypes.addressof(sent))
    request = _Request(ctypes.addressof(address), ctypes.sizeof(address), number, message)
    fcntl.ioctl(fd, SEND_COMMAND, request)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    buffer = ctypes.create_string_buffer(272)  # IPMI_MAX_MSG_LENGTH
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while (left := deadline - time.monotonic()) > 0 and poll.poll(left * 1000):
        message = _Message(0, 0, len(buffer), ctypes.addressof(buffer))
        received = _Received(0, ctypes.addressof(address), ctypes.sizeof(address), 0, message)
        fcntl.ioctl(fd, RECEIVE_MESSAGE_TRUNCATED, received)
        if received.msgid == number:
            return buffer.raw[: received.msg.data_len]
    raise TimeoutError(
        f"the management controller does not answer to command {netfn:02x}h {command:02x}h"
    )


def conversation(fd: int) -> Ask:
    """
    Return a function that asks questions through an open device, each with its own number.

    A controller that is busy is asked again. One that stays so does not answer: what it would
    have said is not known, and not absent.
    """
    numbers = count(1)

    def patient(netfn: int, command: int, data: bytes) -> bytes:
        for pause_seconds in PAUSES_SECONDS:
            answer = ask(fd, next(numbers), netfn, command, data)
            if answer[:1] not in AGAIN:
                return answer
            time.sleep(pause_seconds)
        answer = ask(fd, next(numbers), netfn, command, data)
        if answer[:1] == BUSY:
            raise TimeoutError(
                f"the management controller is busy for command {netfn:02x}h {command:02x}h"
            )
        return answer

    return patient


def identity(ask: Ask) -> dict[str, Any]:
    """Return what the BMC is, by Get Device ID. Raises OSError."""
    return device_id(ask(APPLICATION, GET_DEVICE_ID, b""))


def channels(ask: Ask) -> list[int]:
    """
    Return the numbers of the LAN channels.

    Raises OSError, and RefusedError when the controller refuses every question about
    its channels. Questions about channels that do not exist are refused too.
    """
    answers = {
        channel: ask(APPLICATION, GET_CHANNEL_INFO, bytes((channel,))) for channel in CHANNELS
    }
    _require(answers.values(), "Get Channel Info")
    return [channel for channel, answer in answers.items() if is_lan(answer)]


def lan(ask: Ask) -> dict[str, Any]:
    """
    Return the settings of the first LAN channel that has an address, else of the first one.

    Those of the others are in ``other_channels``. {} without a LAN channel. Raises
    OSError, and RefusedError when the controller refuses every question about its
    channels, or every one about their settings: then it may have an address all the
    same.
    """
    answers: list[bytes] = []
    found: list[dict[str, Any]] = []
    for channel in channels(ask):
        told = {
            parameter: _parameter(ask, channel, parameter)
            for parameter in (ADDRESS, ADDRESS_SOURCE, MAC, NETMASK, GATEWAY, VLAN)
        }
        answers += told.values()
        found.append({"channel": channel, **lan_parameters(told)})
    _require(answers, "Get LAN Configuration Parameters")
    return main_channel(found)


def main_channel(channels: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the settings of the first channel that has an address, with those of the others."""
    if not channels:
        return {}
    main = next((one for one in channels if one.get("addresses")), channels[0])
    others = [one for one in channels if one is not main]
    return {**main, "other_channels": others} if others else main


def ipv6_addresses(ask: Ask, channel: int) -> list[str]:
    """
    Return the IPv6 addresses in use, with prefix lengths and without link-local ones.

    Those that were set come first. [] where IPv6 is off, or where the controller is
    older than IPv6 in IPMI and refuses the question. Raises OSError.
    """
    enables = _parameter(ask, channel, IPV6_ENABLES)
    status = _parameter(ask, channel, IPV6_STATUS) if enables[2:3] not in (b"", b"\0") else b""
    if enables[:1] != b"\0" or status[:1] != b"\0" or len(status) < 4:
        return []
    found = []
    for parameter, number in ((IPV6_STATIC, status[2]), (IPV6_DYNAMIC, status[3])):
        for at in range(min(number, MAX_IPV6)):
            found.append(ipv6_address(_parameter(ask, channel, parameter, at), parameter))
    return list(dict.fromkeys(address for address in found if address))


def ipv6_address(answer: bytes, parameter: int) -> str | None:
    """Return the address in an answer about one of the IPv6 addresses, or None."""
    if len(answer) < 22 or answer[0] or answer[21] != ACTIVE:
        return None
    if parameter == IPV6_STATIC and not answer[3] & 0x80:
        return None  # an address that is set but switched off
    address, prefix = IPv6Address(answer[4:20]), answer[20]
    if address.is_unspecified or address.is_link_local or not 0 < prefix <= 128:
        return None
    return f"{address}/{prefix}"


def hostname(ask: Ask) -> str | None:
    """
    Return the name by which the controller asks DHCP for an address; None if it tells none.

    It is the identifier string of DCMI, which not every controller knows: one that
    refuses the question, or does not answer to it, tells none.
    """
    text = b""
    length = 1  # the first answer says how long the string is
    while len(text) < min(length, MAX_IDENTIFIER):
        # Some refuse to be asked for more than there is.
        count = min(length - len(text), IDENTIFIER_BYTES)
        try:
            answer = ask(DCMI, GET_IDENTIFIER, bytes((DCMI_GROUP, len(text), count)))
        except TimeoutError:
            return None
        if len(answer) < 4 or answer[0] or answer[1] != DCMI_GROUP:
            return None
        length = answer[2]
        text += answer[3 : 3 + count]
    name = text[:MAX_IDENTIFIER].partition(b"\0")[0].decode("utf-8", "replace").strip()
    return name if name.isprintable() and name else None


def _parameter(ask: Ask, channel: int, parameter: int, at: int = 0) -> bytes:
    """Return the answer about one setting of a channel; a setting may have several values."""
    return ask(TRANSPORT, GET_LAN_PARAMETERS, bytes((channel, parameter, at, 0)))


def _require(answers: Collection[bytes], command: str) -> None:
    """Raise RefusedError when questions were asked and the controller refused all of them."""
    if answers and not any(answer[:1] == b"\0" for answer in answers):
        codes = ", ".join(sorted({answer[:1].hex() for answer in answers}))
        raise RefusedError(f"the management controller refuses {command} (completion code {codes})")


def device_id(answer: bytes) -> dict[str, Any]:
    """Return the fields of an answer to Get Device ID; {} for an error or a short answer."""
    if len(answer) < 12 or answer[0]:
        return {}
    return {
        "device_id": answer[1],
        # The minor number is in BCD.
        "firmware_version": f"{answer[3] & 0x7F}.{answer[4]:02x}",
        "ipmi_version": f"{answer[5] & 0x0F}.{answer[5] >> 4}",
        "manufacturer_id": int.from_bytes(answer[7:10], "little") & 0xFFFFF,
        "product_id": int.from_bytes(answer[10:12], "little"),
    }


def is_lan(answer: bytes) -> bool:
    """Whether an answer to Get Channel Info describes a LAN channel."""
    return len(answer) >= 3 and answer[0] == 0 and answer[2] & 0x7F == LAN_MEDIUM


def lan_parameters(answers: dict[int, bytes]) -> dict[str, Any]:
    """Return the fields in answers to Get LAN Configuration Parameters, given by parameter."""
    values = {number: answer[2:] for number, answer in answers.items() if answer[:1] == b"\0"}
    address, netmask = values.get(ADDRESS, b"")[:4], values.get(NETMASK, b"")[:4]
    gateway, mac = values.get(GATEWAY, b"")[:4], values.get(MAC, b"")[:6]
    vlan = int.from_bytes(values.get(VLAN, b"")[:2], "little")
    source = values.get(ADDRESS_SOURCE, b"")[:1]
    found = {
        "mac": mac.hex(":") if len(mac) == 6 and any(mac) else None,
        "addresses": [with_prefix(_dotted(address), _dotted(netmask))] if any(address) else [],
        "address_source": ADDRESS_SOURCES.get(source[0] & 0x0F) if source else None,
        "gateway": _dotted(gateway) if any(gateway) else None,
        "vlan_id": vlan & 0xFFF if vlan & 0x8000 else None,
    }
    return {name: value for name, value in found.items() if value}


def with_prefix(address: str, netmask: str) -> str:
    """Return ``address/prefix length``, or the address alone when the mask is not valid or 0."""
    try:
        length = IPv4Network(f"0.0.0.0/{netmask}").prefixlen
    except ValueError:
        return address
    return f"{address}/{length}" if length else address


def _dotted(data: bytes) -> str:
    return ".".join(str(byte) for byte in data)
