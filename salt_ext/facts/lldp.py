"""
The neighbours at the other end of each cable, as lldpd has heard them by LLDP.

``lldpctl -f json`` tells of all neighbours of a port. In that JSON several items
are a list, but a single item stands there without a list. Old versions of lldpctl
write key-value lines instead, which give one neighbour for each port.
"""

from __future__ import annotations

import json
from typing import Any

from salt_ext.facts import tools
from salt_ext.facts.root import Root

PARTS = ("via", "rid", "age", "chassis", "port", "vlan", "ppvid", "pi", "lldp-med", "unknown-tlvs")
LIMIT_VLANS = 4096


class LldpError(RuntimeError):
    """lldpctl is installed but gives no answer."""


def lldp(root: Root) -> list[dict[str, Any]] | None:
    """Return the neighbours; None for a captured tree or without lldpctl. Raises LldpError."""
    if not root.is_live or not tools.find("lldpctl"):
        return None
    output = tools.run(("lldpctl", "-f", "json"))
    if not isinstance(output, str) and output.code:
        # This lldpctl was built without JSON.
        output = tools.run(("lldpctl", "-f", "keyvalue"))
    if isinstance(output, str) or output.code:
        reason = output if isinstance(output, str) else output.error_text[:500]
        raise LldpError(reason or "lldpctl failed without a word")
    text = output.text
    return from_json(text) if text.lstrip().startswith("{") else from_keyvalue(text)


def from_json(text: str) -> list[dict[str, Any]]:
    """Return the neighbours in the output of ``lldpctl -f json``; [] for text that is not JSON."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return []
    found = []
    for interfaces in _items(_mapping(_mapping(document).get("lldp")).get("interface")):
        for name, neighbour in interfaces.items():
            if isinstance(neighbour, dict):
                found.append(_of_json(name, neighbour))
    return found


def _of_json(name: str, neighbour: dict[str, Any]) -> dict[str, Any]:
    chassis = _mapping(next(iter(_items(neighbour.get("chassis"))), None))
    system = None
    if "id" not in chassis and len(chassis) == 1:
        # The neighbour has told its system name: then that name is the key.
        system, inner = next(iter(chassis.items()))
        chassis = _mapping(inner)
    port = _mapping(next(iter(_items(neighbour.get("port"))), None))
    chassis_id, port_id = _mapping(chassis.get("id")), _mapping(port.get("id"))
    vlans = [
        (_text(vlan.get("vlan-id")), _text(vlan.get("value")), vlan.get("pvid") in (True, "yes"))
        for vlan in _items(neighbour.get("vlan"))
    ]
    addresses = chassis.get("mgmt-ip")
    return _neighbour(
        name,
        via=_text(neighbour.get("via")),
        age=_text(neighbour.get("age")),
        system=(system, _text(chassis.get("descr"))),
        chassis=(_text(chassis_id.get("type")), _text(chassis_id.get("value"))),
        addresses=[
            _text(item) for item in (addresses if isinstance(addresses, list) else [addresses])
        ],
        port=(_text(port_id.get("type")), _text(port_id.get("value")), _text(port.get("descr"))),
        vlans=vlans,
    )


def from_keyvalue(text: str) -> list[dict[str, Any]]:
    """Return the neighbours in the output of ``lldpctl -f keyvalue``, one for each interface."""
    interfaces: dict[str, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        words = key.split(".")
        if not equals or words[0] != "lldp":
            continue
        # The name of an interface may have dots. It ends before the first word of PARTS.
        at = next((at for at in range(2, len(words)) if words[at] in PARTS), None)
        if at is not None:
            pairs = interfaces.setdefault(".".join(words[1:at]), [])
            pairs.append((".".join(words[at:]), value))
    return [_of_pairs(name, pairs) for name, pairs in interfaces.items()]


def _of_pairs(name: str, pairs: list[tuple[str, str]]) -> dict[str, Any]:
    values = dict(reversed(pairs))  # when a key occurs twice, its first value counts
    return _neighbour(
        name,
        via=values.get("via"),
        age=values.get("age"),
        system=(values.get("chassis.name"), values.get("chassis.descr")),
        chassis=_first(values, "chassis", ("mac", "ifname", "local", "ip")),
        addresses=[value for key, value in pairs if key == "chassis.mgmt-ip"],
        port=(*_first(values, "port", ("ifname", "mac", "local", "ip")), values.get("port.descr")),
        vlans=_vlans(pairs),
    )


def _vlans(pairs: list[tuple[str, str]]) -> list[tuple[str | None, str | None, bool]]:
    """Return (id, name, whether untagged) of each VLAN; its lines begin with the id."""
    found: list[tuple[str | None, str | None, bool]] = []
    for key, value in pairs:
        if key == "vlan.vlan-id":
            found.append((value, None, False))
        elif found and key == "vlan.pvid":
            found[-1] = (*found[-1][:2], value == "yes")
        elif found and key == "vlan":
            found[-1] = (found[-1][0], value, found[-1][2])
    return found


def _neighbour(
    name: str,
    via: str | None,
    age: str | None,
    system: tuple[str | None, str | None],
    chassis: tuple[str | None, str | None],
    addresses: list[str | None],
    port: tuple[str | None, str | None, str | None],
    vlans: list[tuple[str | None, str | None, bool]],
) -> dict[str, Any]:
    """Return one neighbour with the field names of ``docs/facts.md``."""
    numbers = [(_number(number), title, untagged) for number, title, untagged in vlans]
    return {
        "name": name,
        "protocol": via.lower() if via else None,
        "system_name": system[0],
        "system_description": system[1],
        "chassis_id_type": chassis[0],
        "chassis_id": _identifier(*chassis),
        "management_addresses": sorted({address for address in addresses if address}),
        "port_id_type": port[0],
        "port_id": _identifier(*port[:2]),
        "port_description": port[2],
        "vlan_id": next((number for number, _, untagged in numbers if untagged), None),
        "vlans": sorted(
            (
                {"id": number, "name": title}
                for number, title, _ in numbers[:LIMIT_VLANS]
                if number is not None
            ),
            key=lambda vlan: (vlan["id"], vlan["name"] or ""),
        ),
        "volatile": {"age": age},
    }


def _identifier(kind: str | None, value: str | None) -> str | None:
    return value.lower() if value and kind == "mac" else value


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 5 else None


def _first(
    values: dict[str, str], part: str, kinds: tuple[str, ...]
) -> tuple[str | None, str | None]:
    for kind in kinds:
        if f"{part}.{kind}" in values:
            return kind, values[f"{part}.{kind}"]
    return None, None


def _items(value: Any) -> list[dict[str, Any]]:
    """Return the mappings in a list; a mapping without a list is returned as a list of one."""
    return [
        item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)
    ]


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, (str, int)) else None
