"""
The IPv4 addresses of the running machine, asked of its kernel; see rtnetlink(7).

procfs has them only as a routing trie without interfaces; :mod:`salt_ext.facts.fib`
reads it where the kernel cannot be asked.
"""

from __future__ import annotations

import sys

NLMSG_ERROR, NLMSG_DONE = 2, 3
RTM_NEWADDR, RTM_GETADDR = 20, 22
NLM_F_REQUEST_DUMP = 0x301
IFA_ADDRESS, IFA_LOCAL = 1, 2
LINK_SCOPE = 253  # RT_SCOPE_LINK; addresses of this host only have a greater number
HEADER_BYTES, ADDRESS_BYTES, ATTRIBUTE_BYTES = 16, 8, 4
MAX_READS = 256
LINK_LOCAL = b"\xa9\xfe"  # 169.254.0.0/16, RFC 3927


def ipv4_addresses() -> dict[str, list[str]]:
    """Return ``{interface: [address/prefix]}``, without link-local and host addresses."""
    # Imported here, because a captured tree has no kernel to ask.
    import socket

    found: dict[str, list[str]] = {}
    names = dict(socket.if_nameindex())
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.settimeout(1)
        kernel.send(_request(socket.AF_INET))
        for _ in range(MAX_READS):
            data = kernel.recv(1 << 16)
            for index, address in parse(data):
                if index in names:
                    found.setdefault(names[index], []).append(address)
            if _is_last(data):
                break
    return found


def parse(data: bytes) -> list[tuple[int, str]]:
    """Return (interface index, ``address/prefix``) of each address in a netlink answer."""
    found = []
    for kind, body in _messages(data):
        if kind != RTM_NEWADDR or len(body) < ADDRESS_BYTES:
            continue
        prefix, scope, index = body[1], body[3], _number(body[4:8])
        attributes = _attributes(body[ADDRESS_BYTES:])
        # On a point-to-point link IFA_ADDRESS is the other end.
        address = attributes.get(IFA_LOCAL) or attributes.get(IFA_ADDRESS)
        if address and len(address) == 4 and scope < LINK_SCOPE and address[:2] != LINK_LOCAL:
            found.append((index, ".".join(str(octet) for octet in address) + f"/{prefix}"))
    return found


def _request(family: int) -> bytes:
    body = bytes([family, 0, 0, 0, 0, 0, 0, 0])
    size = HEADER_BYTES + len(body)
    header = _bytes(size, 4) + _bytes(RTM_GETADDR, 2) + _bytes(NLM_F_REQUEST_DUMP, 2)
    return header + bytes(8) + body


def _is_last(data: bytes) -> bool:
    return any(kind in (NLMSG_DONE, NLMSG_ERROR) for kind, _ in _messages(data))


def _messages(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while len(data) >= HEADER_BYTES:
        size = _number(data[:4])
        if not HEADER_BYTES <= size <= len(data):
            break
        found.append((_number(data[4:6]), data[HEADER_BYTES:size]))
        data = data[_aligned(size) :]
    return found


def _attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= ATTRIBUTE_BYTES:
        size = _number(data[:2])
        if not ATTRIBUTE_BYTES <= size <= len(data):
            break
        found[_number(data[2:4])] = data[ATTRIBUTE_BYTES:size]
        data = data[_aligned(size) :]
    return found


def _aligned(size: int) -> int:
    return (size + 3) & ~3


def _number(data: bytes) -> int:
    return int.from_bytes(data, sys.byteorder)


def _bytes(number: int, size: int) -> bytes:
    return number.to_bytes(size, sys.byteorder)
