"""
The neighbours at the other end of each cable, as lldpd has heard them by LLDP.

``lldpctl -f json`` tells of all neighbours of a port. Its JSON has had several forms:
several items are a list, where a single item may stand without one; neighbours of one
port may have the same key, the port's name; and old versions, as ``json0`` of new
ones, write every value as ``[{"value": ...}]``. Versions without JSON write key-value
lines, in which the lines of each neighbour begin with ``via``.
"""

from __future__ import annotations

import json
from typing import Any

from salt_ext.facts import tools
from salt_ext.facts.root import Root

PARTS = ("via", "rid", "age", "chassis", "port", "vlan", "ppvid", "pi", "lldp-med", "unknown-tlvs")
LIMIT_VLANS = 4096
LIMIT_DESCRIPTION = 1024  # characters; LLDP has 255
ID_TYPES = ("mac", "ifname", "ifalias", "local", "ip", "unhandled")
"""The types of the ids of a chassis and of a port by lldpd's names."""

ONCE = ("via", "rid", "age", "chassis.name", *(f"chassis.{one}" for one in ID_TYPES))
"""Keys that a neighbour has once at most: when one comes again, it is the next neighbour's."""


_Pairs = list[tuple[str, str]]


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
    is_json = text.lstrip().startswith("{")
    if not _is_understood(text, is_json=is_json):
        # Not "none found": all neighbours that are known would be gone.
        raise LldpError(f"lldpctl writes what is not understood: {text.strip()[:200]!r}")
    return from_json(text) if is_json else from_keyvalue(text)


def _is_understood(text: str, *, is_json: bool) -> bool:
    """Whether an output has the form that it seems to have; a blank one tells of no neighbour."""
    if not is_json:
        return not text.strip() or "lldp." in text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def from_json(text: str) -> list[dict[str, Any]]:
    """Return the neighbours in the output of ``lldpctl -f json``; [] for text that is not JSON."""
    try:
        document = json.loads(text, object_pairs_hook=_with_all_values)
    except (ValueError, RecursionError):
        return []
    found = []
    for top in _items(_mapping(document).get("lldp")):
        for interface in _items(top.get("interface")):
            if isinstance(interface.get("name"), str):
                found.append(_of_json(interface["name"], interface))
                continue
            for name, neighbours in interface.items():
                found += [_of_json(name, neighbour) for neighbour in _items(neighbours)]
    return found


def _with_all_values(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; a key that occurs several times has a list of its values."""
    found: dict[str, Any] = {}
    several: set[str] = set()
    for key, value in pairs:
        if key not in found:
            found[key] = value
        elif key in several:
            found[key].append(value)
        else:
            several.add(key)
            found[key] = [found[key], value]
    return found


def _of_json(name: str, neighbour: dict[str, Any]) -> dict[str, Any]:
    chassis = _first_item(neighbour.get("chassis"))
    system = _text(chassis.get("name"))
    if len(chassis) == 1 and "type" not in _first_item(chassis.get("id")):
        # The neighbour has told its system name: then that name, even "id", is the key.
        system, inner = next(iter(chassis.items()))
        chassis = _first_item(inner)
    port = _first_item(neighbour.get("port"))
    chassis_id, port_id = _first_item(chassis.get("id")), _first_item(port.get("id"))
    vlans = [
        (
            _text(vlan.get("vlan-id")),
            _text(vlan.get("value")),
            vlan.get("pvid") in (True, "yes", "true"),
        )
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
    """Return the neighbours in the output of ``lldpctl -f keyvalue``, several of one interface."""
    interfaces: dict[str, list[_Pairs]] = {}
    seen: set[tuple[str, str]] = set()
    last: _Pairs = []
    for line in text.splitlines():
        key, equals, value = line.strip().partition("=")
        words = key.split(".")
        if not equals or words[0] != "lldp":
            if line.strip() and last and last[-1][0].endswith(".descr"):
                key, value = last.pop()  # a description may have several lines
                last.append((key, f"{value}\n{line.strip()}"[:LIMIT_DESCRIPTION]))
            continue
        # The name of an interface may have dots. It ends before the first word of PARTS.
        at = next((at for at in range(2, len(words)) if words[at] in PARTS), None)
        if at is None:
            continue
        name, key = ".".join(words[1:at]), ".".join(words[at:])
        neighbours = interfaces.setdefault(name, [[]])
        if key in ONCE:
            if (name, key) in seen:
                neighbours.append([])
                seen -= {(name, one) for one in ONCE}
            seen.add((name, key))
        last = neighbours[-1]
        last.append((key, value))
    return [
        _of_pairs(name, pairs) for name, neighbours in interfaces.items() for pairs in neighbours
    ]


def _of_pairs(name: str, pairs: _Pairs) -> dict[str, Any]:
    values = dict(reversed(pairs))  # when a key occurs twice, its first value counts
    return _neighbour(
        name,
        via=values.get("via"),
        age=values.get("age"),
        system=(values.get("chassis.name"), values.get("chassis.descr")),
        chassis=_first(values, "chassis"),
        addresses=[value for key, value in pairs if key == "chassis.mgmt-ip"],
        port=(*_first(values, "port"), values.get("port.descr")),
        vlans=_vlans(pairs),
    )


def _vlans(pairs: _Pairs) -> list[tuple[str | None, str | None, bool]]:
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


def _first(values: dict[str, str], part: str) -> tuple[str | None, str | None]:
    for kind in ID_TYPES:
        if f"{part}.{kind}" in values:
            return kind, values[f"{part}.{kind}"]
    return None, None


def _items(value: Any) -> list[dict[str, Any]]:
    """Return the mappings in a list; a mapping without a list is returned as a list of one."""
    return [
        item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)
    ]


def _first_item(value: Any) -> dict[str, Any]:
    return next(iter(_items(value)), {})


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    """Return a text or a number as text, also one that stands as ``[{"value": ...}]``."""
    if isinstance(value, (list, dict)):
        value = _first_item(value).get("value")
    return str(value) if isinstance(value, (str, int)) else None
