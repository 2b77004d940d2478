"""
Which machine a fact document is about.

:func:`identify` is a pure function of a document. The machine runs it on what it
has just collected, and the master runs it again on what arrived, so nothing here
trusts the document's shape. Nothing is left out silently: every identifier is
either a candidate with a quality, or is rejected with a reason.

Values are compared as text and therefore have one normal form: lower case, runs
of blanks made one, and the maker before a serial number, as in ``dell/9xyz1k2``.
UUIDs keep the byte order in which they were read; :func:`uuid_spellings` returns
both orders.
"""

from __future__ import annotations

from functools import lru_cache

from salt_ext.document.placeholders import (
    uuid_spellings,
    why_not_mac,
    why_not_serial,
    why_not_text,
    why_not_uuid,
)
from salt_ext.facts.virtual import hypervisor_in_dmi, is_metal

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

__all__ = ["KEYS", "identify", "manufacturer", "uuid_spellings"]

KEYS = ("cloud_instance_id", "serial_number", "board_serial_number", "uuid", "mac")
"""The kinds that may identify a machine. The others are aliases, however unique they look."""

LONGEST = 255
"""The most characters of an identifier. No real one is longer, and an index row has a limit."""

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
"""How the names of a maker begin, and the one name that is put before its serial numbers."""

LEGAL_FORMS = (
    " ag co company computer computers corp corporation electronic electronics gmbh group inc "
    "incorporated industry information international kg limited llc ltd plc sa se solutions "
    "systems technologies technology "
)

MULTI_NODE = ("blade", "multi-system")
SUPERMICRO_NODES = ("sbi-", "sba-", "sys-5038m", "sys-5039m")
SUPERMICRO_TWINS = ("microcloud", "superblade", "twin", "tr-", "tp-", "bt-")

SHARED_UUID_TAG = "7783-7084-3265-9085-8269-3286-77"  # Azure writes it on every machine


def identify(facts: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return what identifies the machine that a fact document describes.

    ``primary`` is the best candidate of a kind in :data:`KEYS`, or None when there
    is none. ``candidates`` lists every accepted identifier, the best first;
    ``rejected`` lists the others with the reason. ``is_virtual`` says whether the
    machine is a guest, ``parent_chassis`` is the enclosure that it is a part of.
    """
    document = _Document(facts)
    accepted: dict[tuple[str, str], dict[str, Any]] = {}
    rejected: list[dict[str, Any]] = []
    for kind, value, source, quality, reason in document.identifiers():
        if reason is None and len(value) > LONGEST:
            reason = f"longer than {LONGEST} characters"
        if reason is not None:
            rejected.append({"kind": kind, "value": value, "reason": reason})
        else:
            candidate = {"kind": kind, "value": value, "source": source, "quality": quality}
            accepted.setdefault((kind, value), candidate)
    candidates = [*accepted.values()]
    best = next((candidate for candidate in candidates if candidate["kind"] in KEYS), None)
    return {
        "primary": best and {key: best[key] for key in ("kind", "value", "quality")},
        "candidates": candidates,
        "rejected": rejected,
        "is_virtual": document.is_virtual,
        "parent_chassis": document.parent_chassis(),
    }


@lru_cache(maxsize=256)
def manufacturer(name: str) -> str:
    """Return the one name for a maker: "dell" for "Dell Inc." and for "DELL"."""
    words = name.lower().replace(",", " ").replace("/", " ").split()
    while len(words) > 1 and f" {words[-1].strip('.')} " in LEGAL_FORMS:
        words.pop()
    full = " ".join(words)
    for beginning, maker in MAKERS.items():
        if full == beginning or full.startswith(beginning + " "):
            return maker
    return full


class _Document:
    """The fields of a fact document that identify a machine; a document of any shape will do."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.system = _mapping(facts.get("system"))
        self.boards = _mappings(facts.get("baseboards"))
        self.chassis = _mappings(facts.get("chassis"))
        self.network = _mappings(facts.get("network"))
        self.virtual = _mapping(facts.get("virtual"))
        # Without an instance id in DMI, that of the cloud's metadata service is taken.
        by_dmi = _mapping(self.virtual.get("cloud"))
        self.cloud = by_dmi if by_dmi.get("instance_id") else _mapping(facts.get("cloud")) or by_dmi
        self.machine_id = _text(_mapping(facts.get("operating_system")).get("machine_id"))
        self.minion_id = _text(facts.get("minion_id"))
        self.is_virtual = self._is_virtual()
        self.in_container = bool(_text(self.virtual.get("container")))
        self.maker = self._maker()

    def _is_virtual(self) -> bool:
        if "role" in self.virtual:
            return bool(self.virtual["role"] == "guest")
        # The section is missing because its collector failed. So the names in DMI decide.
        dmi = {
            "sys_vendor": _text(self.system.get("manufacturer")) or "",
            "product_name": _text(self.system.get("product_name")) or "",
        }
        return hypervisor_in_dmi(dmi) is not None and not is_metal(dmi)

    def _maker(self) -> str:
        for item in (self.system, *self.boards[:1], *self.chassis[:1]):
            name = _text(item.get("manufacturer"))
            if name and not why_not_text(name):
                return manufacturer(name)
        return "unknown"

    def identifiers(self) -> Iterator[tuple[str, str, str, str, str | None]]:
        """Yield (kind, value, source, quality, reason to reject it or None), the best first."""
        veto = None
        if self.in_container:
            veto = "a container sees the hardware of its host"
        for kind, value, source, quality, reason in self._hardware():
            yield kind, value, source, quality, reason or veto
        if self.machine_id:
            digits = self.machine_id.replace("-", "")
            reason = why_not_uuid(digits)
            yield "machine_id", digits, "operating_system.machine_id", "low", reason
        if self.minion_id:
            yield "minion_id", self.minion_id, "minion_id", "low", None

    def _hardware(self) -> Iterator[tuple[str, str, str, str, str | None]]:
        if instance := _text(self.cloud.get("instance_id")):
            provider = _text(self.cloud.get("provider")) or "unknown"
            source = "virtual.cloud.instance_id"
            reason = why_not_serial(instance)
            yield "cloud_instance_id", f"{provider}/{instance}", source, "high", reason
        if self.is_virtual:
            yield from self._uuid("high")
            yield from self._serials()
            yield from self._boards()
        elif self._shares_serial():
            yield from self._boards()
            yield from self._uuid("medium")
            yield from self._serials()
        else:
            yield from self._serials()
            yield from self._boards()
            yield from self._uuid("medium")
        yield from self._macs()
        yield from self._aliases()

    def _serials(self) -> Iterator[tuple[str, str, str, str, str | None]]:
        serial = _text(self.system.get("serial_number"))
        if not serial:
            return
        reason = why_not_serial(serial) or (
            self._why_not_guest(serial) if self.is_virtual else None
        )
        quality = (
            "low" if self._shares_serial() else "high" if self.maker != "unknown" else "medium"
        )
        value = f"{self.maker}/{serial}"
        yield "serial_number", value, "system.serial_number", quality, reason

    def _why_not_guest(self, serial: str) -> str:
        names = f"{self.system.get('manufacturer')} {self.system.get('product_name')}".lower()
        provider = _text(self.cloud.get("provider"))
        uuid = _text(self.system.get("uuid")) or ""
        bare = serial.removeprefix("vmware-").removeprefix("parallels-")
        bare = bare.replace("-", "").replace(" ", "")
        if uuid and bare in [spelling.replace("-", "") for spelling in uuid_spellings(uuid)]:
            return "it is the UUID in other words"
        if "ovirt" in names or "rhev" in names or "red hat" in names:
            return "on oVirt and RHEV the serial number of a guest is the identity of its host"
        if "openstack" in names or provider == "openstack":
            return "on OpenStack the serial number of a guest can be the identity of its host"
        return "the serial number of a guest is chosen by its host and can be shared"

    def _boards(self) -> Iterator[tuple[str, str, str, str, str | None]]:
        number = self._main_board()
        if number is None:
            return
        board = self.boards[number]
        serial = _text(board.get("serial_number"))
        if not serial:
            return
        source = f"baseboards[{number}].serial_number"
        own = _text(board.get("manufacturer"))
        maker = manufacturer(own) if own and not why_not_text(own) else self.maker
        guest = "the board of a guest is made by its host" if self.is_virtual else None
        tag, serial = _dell_board(serial) if maker == "dell" else ("", serial)
        if tag:
            # Dell also writes the service tag, which is the serial number of the
            # system, into the board's serial number.
            reason = why_not_serial(tag) or guest
            yield "serial_number", f"{maker}/{tag}", source, "high", reason
        if serial:
            reason = why_not_serial(serial) or guest
            yield "board_serial_number", f"{maker}/{serial}", source, "medium", reason

    def _main_board(self) -> int | None:
        """Return the index of the main board in the list of boards, or None without boards."""
        types = [_text(board.get("type")) or "" for board in self.boards]
        main = [number for number, kind in enumerate(types) if "mother" in kind]
        unnamed = [number for number, kind in enumerate(types) if kind in ("", "unknown", "other")]
        return next(iter([*main, *unnamed, *range(len(types))]), None)

    def _uuid(self, quality: str) -> Iterator[tuple[str, str, str, str, str | None]]:
        if uuid := _text(self.system.get("uuid")):
            reason = why_not_uuid(uuid)
            value = uuid if reason else uuid_spellings(uuid)[0]
            yield "uuid", value, "system.uuid", quality, reason

    def _macs(self) -> Iterator[tuple[str, str, str, str, str | None]]:
        for card in sorted(self.network, key=_card_order):
            mac = _text(card.get("permanent_mac"))
            if not mac:
                continue
            reason = why_not_mac(mac)
            if not reason and card.get("kind") != "physical":
                reason = "it does not belong to a network card"
            if not reason and card.get("bus") == "usb":
                reason = "a USB network adapter moves between machines"
            # This bit marks an address that software made up, not one that a maker assigned.
            local = not reason and int(mac[:2], 16) & 2
            source = f"network.{_text(card.get('name'))}.permanent_mac"
            yield "mac", mac, source, "low" if local else "medium", reason

    def _aliases(self) -> Iterator[tuple[str, str, str, str, str | None]]:
        for number, chassis in enumerate(self.chassis):
            own = _text(chassis.get("manufacturer"))
            maker = manufacturer(own) if own and not why_not_text(own) else self.maker
            for field, kind in (
                ("serial_number", "chassis_serial_number"),
                ("asset_tag", "asset_tag"),
            ):
                value = _text(chassis.get(field))
                if not value:
                    continue
                reason = why_not_serial(value)
                if not reason and value == SHARED_UUID_TAG:
                    reason = "Azure writes it on every machine"
                if not reason and self.is_virtual and kind == "chassis_serial_number":
                    reason = "the chassis of a guest is made by its host"
                # An asset tag is written by the owner, so the maker does not matter.
                scoped = value if kind == "asset_tag" else f"{maker}/{value}"
                yield kind, scoped, f"chassis[{number}].{field}", "low", reason

    def _shares_serial(self) -> bool:
        """Whether this is a product of which all nodes have the enclosure's serial number."""
        if self.maker != "supermicro":
            return False
        product = _text(self.system.get("product_name")) or ""
        names = f"{product} {_text(self.system.get('family')) or ''}"
        return (
            self._in_enclosure()
            or product.startswith(SUPERMICRO_NODES)
            or any(word in names for word in SUPERMICRO_TWINS)
        )

    def _in_enclosure(self) -> bool:
        return any(
            (_text(chassis.get("type")) or "").startswith(MULTI_NODE) for chassis in self.chassis
        )

    def parent_chassis(self) -> dict[str, Any] | None:
        """Return the enclosure that this machine is a part of (kind, value, location), or None."""
        if self.is_virtual or self.in_container:
            return None
        value, location = self._enclosure()
        if not value or why_not_serial(value):
            return None
        value = f"{self.maker}/{value}"
        return {"kind": "chassis_serial_number", "value": value, "location": location}

    def _enclosure(self) -> tuple[str | None, str | None]:
        """Return the serial number of the enclosure and the machine's place in it, or None."""
        named = _mapping(self.system.get("enclosure"))
        if value := _text(named.get("serial_number")):
            return value, _text(named.get("server_bay"))
        location = None
        if (number := self._main_board()) is not None:
            location = _text(self.boards[number].get("location_in_chassis"))
            if location and why_not_text(location):
                location = None
        serial = _text(self.system.get("serial_number"))
        if self._in_enclosure():
            # A chassis record with the blade's own serial number is not the enclosure's.
            others = [_text(chassis.get("serial_number")) for chassis in self.chassis]
            if value := next((it for it in others if it and it != serial), None):
                return value, location
        return (serial if self._shares_serial() else None), location


def _dell_board(serial: str) -> tuple[str, str]:
    """
    Return the service tag and the board's own number in the serial number of a Dell board.

    Servers write ``.9XYZ1K2.CN7475162M0382.``, desktops ``/9XYZ1K2/CN12963P00000/``.
    """
    mark = serial[0]
    if mark not in "./" or serial.count(mark) < 2:
        return "", serial
    _, tag, *rest = serial.split(mark)
    return (tag if tag.isalnum() and 5 <= len(tag) <= 7 else ""), (rest[0] if rest else "")


def _card_order(card: Mapping[str, Any]) -> tuple[bool, str, str]:
    slot = _text(card.get("pci_slot")) or ""
    return not slot, slot, _text(card.get("name")) or ""


def _text(value: object) -> str | None:
    """Return a text in normal form; None when it is blank or not a text."""
    return " ".join(value.lower().split()) or None if isinstance(value, str) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
