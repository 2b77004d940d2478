"""
Which keys a held report shows, as step 0002 judges them.

Frozen: a later report of the machine is judged by the code of its day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from salt_ext.store.migrations.as_of_0002.placeholders import (
    is_no_mac,
    is_no_name,
    is_no_serial,
    is_no_uuid,
    uuid_spellings,
)

Key = tuple[str, str]

LONGEST = 255

MAKERS = {
    "american megatrends": "ami",
    "asustek": "asus",
    "dell": "dell",
    "fujitsu": "fujitsu",
    "giga-byte": "gigabyte",
    "hewlett packard": "hp",
    "hewlett-packard": "hp",
    "hpe": "hp",
    "international business machines": "ibm",
    "micro-star": "msi",
    "oracle": "oracle",
    "qct": "quanta",
    "quanta": "quanta",
    "sun microsystems": "oracle",
    "super micro": "supermicro",
}

LEGAL_FORMS = (
    " ag co company computer computers corp corporation electronic electronics gmbh group inc "
    "incorporated industry information international kg limited llc ltd plc sa se solutions "
    "systems technologies technology "
)

HYPERVISORS = (
    *("amazon ec2", "google compute engine", "alibaba cloud ecs", "vmw", "virtualbox"),
    *("innotek gmbh", "parallels", "xen", "hvm domu", "bhyve", "smartdc hvm", "hyper-v"),
    *("apple virtual", "acrn", "cloud hypervisor", "nutanix", "ovirt", "rhev", "openstack"),
    *("kubevirt", "kvm", "qemu", "bochs"),
)
"""How the maker or the product of a guest begins."""

MULTI_NODE = ("blade", "multi-system")
SUPERMICRO_NODES = ("sbi-", "sba-", "sys-5038m", "sys-5039m")
SUPERMICRO_TWINS = ("microcloud", "superblade", "twin", "tr-", "tp-", "bt-")


def evidence(minion_id: str, report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a report says about whose it is: the column ``held.evidence``."""
    facts = report["facts"]
    previous = report.get("previous_minion_id")
    machine_id = _text(_mapping(facts.get("operating_system")).get("machine_id")) or ""
    machine_id = machine_id.replace("-", "")
    return {
        "keys": [
            [kind, min(uuid_spellings(value)) if kind == "uuid" else value]
            for kind, value in dict.fromkeys(_keys(facts))
            if len(value) <= LONGEST
        ],
        "machine_id": None if is_no_uuid(machine_id) else machine_id,
        "previous_minion_id": previous if previous != minion_id else None,
    }


def _keys(facts: Mapping[str, Any]) -> Iterator[Key]:
    """Yield the keys of a machine, the best first; a container sees those of its host."""
    system, virtual = _mapping(facts.get("system")), _mapping(facts.get("virtual"))
    boards, chassis = _mappings(facts.get("baseboards")), _mappings(facts.get("chassis"))
    if _text(virtual.get("container")):
        return
    yield from _instance(virtual, _mapping(facts.get("cloud")))
    maker = _maker([system, *boards[:1], *chassis[:1]])
    if _is_guest(system, virtual):
        # Its host chose the numbers of its system and of its board.
        yield from _uuid(system)
    elif maker == "supermicro" and _has_serial_of_enclosure(system, chassis):
        yield from _board(boards, maker)
        yield from _uuid(system)
        yield from _serial(system, maker)
    else:
        yield from _serial(system, maker)
        yield from _board(boards, maker)
        yield from _uuid(system)
    yield from _macs(_mappings(facts.get("network")))


def _instance(virtual: Mapping[str, Any], by_service: Mapping[str, Any]) -> Iterator[Key]:
    by_dmi = _mapping(virtual.get("cloud"))
    cloud = by_dmi if by_dmi.get("instance_id") else by_service or by_dmi
    instance = _text(cloud.get("instance_id"))
    if instance and not is_no_serial(instance):
        yield "cloud_instance_id", f"{_text(cloud.get('provider')) or 'unknown'}/{instance}"


def _serial(system: Mapping[str, Any], maker: str) -> Iterator[Key]:
    serial = _text(system.get("serial_number"))
    if serial and not is_no_serial(serial):
        yield "serial_number", f"{maker}/{serial}"


def _board(boards: list[Mapping[str, Any]], maker: str) -> Iterator[Key]:
    board = _main_board(boards)
    serial = _text(board.get("serial_number"))
    if not serial:
        return
    maker = _maker([board], maker)
    mark = serial[0]
    if maker == "dell" and mark in "./" and serial.count(mark) >= 2:
        # .9XYZ1K2.CN7475162M0382. has the serial number of the system in it.
        _, tag, serial, *_ = serial.split(mark)
        if tag.isalnum() and 5 <= len(tag) <= 7 and not is_no_serial(tag):
            yield "serial_number", f"{maker}/{tag}"
    if serial and not is_no_serial(serial):
        yield "board_serial_number", f"{maker}/{serial}"


def _main_board(boards: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    types = [_text(board.get("type")) or "" for board in boards]
    main = [number for number, kind in enumerate(types) if "mother" in kind]
    unnamed = [number for number, kind in enumerate(types) if kind in ("", "unknown", "other")]
    return next((boards[number] for number in (*main, *unnamed, *range(len(boards)))), {})


def _uuid(system: Mapping[str, Any]) -> Iterator[Key]:
    uuid = _text(system.get("uuid"))
    if uuid and not is_no_uuid(uuid):
        yield "uuid", uuid_spellings(uuid)[0]


def _macs(network: list[Mapping[str, Any]]) -> Iterator[Key]:
    for card in sorted(network, key=_card_order):
        mac = _text(card.get("permanent_mac"))
        is_own = card.get("kind") == "physical" and card.get("bus") != "usb"
        if mac and is_own and not is_no_mac(mac):
            yield "mac", mac


def _card_order(card: Mapping[str, Any]) -> tuple[bool, str, str]:
    slot = _text(card.get("pci_slot")) or ""
    return not slot, slot, _text(card.get("name")) or ""


def _maker(items: list[Mapping[str, Any]], otherwise: str = "unknown") -> str:
    for item in items:
        name = _text(item.get("manufacturer"))
        if name and not is_no_name(name):
            return _scope(name)
    return otherwise


def _scope(name: str) -> str:
    """Return the scope of a maker's serial numbers: "Dell Inc." and "DELL" are "dell"."""
    words = name.replace(",", " ").replace("/", " ").split()
    while len(words) > 1 and f" {words[-1].strip('.')} " in LEGAL_FORMS:
        words.pop()
    full = " ".join(words)
    for beginning, maker in MAKERS.items():
        if full == beginning or full.startswith(beginning + " "):
            return maker
    return full


def _is_guest(system: Mapping[str, Any], virtual: Mapping[str, Any]) -> bool:
    if "role" in virtual:
        return bool(virtual["role"] == "guest")
    maker = _text(system.get("manufacturer")) or ""
    product = _text(system.get("product_name")) or ""
    is_named = (maker.startswith("microsoft") and product == "virtual machine") or any(
        name.startswith(HYPERVISORS) for name in (maker, product)
    )
    return is_named and ".metal" not in product


def _has_serial_of_enclosure(system: Mapping[str, Any], chassis: list[Mapping[str, Any]]) -> bool:
    product = _text(system.get("product_name")) or ""
    names = f"{product} {_text(system.get('family')) or ''}"
    return (
        any((_text(one.get("type")) or "").startswith(MULTI_NODE) for one in chassis)
        or product.startswith(SUPERMICRO_NODES)
        or any(word in names for word in SUPERMICRO_TWINS)
    )


def _text(value: object) -> str | None:
    """Return a value in lower case with single blanks, None when it is no text or blank."""
    return " ".join(value.lower().split()) or None if isinstance(value, str) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
