"""Small root trees for the tests of collectors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from salt_ext.facts.root import Root


def tree(
    where: Path, files: Mapping[str, str | bytes], links: Mapping[str, str] | None = None
) -> Root:
    """Write ``files`` and symbolic ``links`` below ``where`` and return it as a Root."""
    for name, content in files.items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    for name, target in (links or {}).items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    return Root(str(where))


def san(
    where: Path,
    units: Mapping[str, str],
    holder: str | None = None,
    *,
    states: Mapping[str, str] | None = None,
    numbers: Mapping[str, str] | None = None,
    without: Mapping[str, tuple[str, ...]] | None = None,
    not_held: tuple[str, ...] = (),
    fabric: str = "rport-{}:0-{}",
    wwid: str = "naa.{}\n",
) -> Root:
    """
    Write a machine with logical units of 1 TiB of a disk array.

    ``units`` has the letters of the block devices of each unit by its name. Every other
    one goes through the other of two HBAs. ``holder`` is the multipath device of them all.
    """
    files: dict[str, str | bytes] = {}
    links: dict[str, str] = {}
    for unit, letters in units.items():
        number = (numbers or {}).get("", unit.upper())
        for letter in letters:
            name, place = f"sd{letter}", ord(letter) - ord("a")
            host, port = place % 2 + 1, place // 2 % 2
            address = f"{host}:0:{port}:{place // 4 + 1}"
            device = (
                f"sys/devices/pci0000:3a/0000:3b:00.{host - 1}/host{host}/"
                f"{fabric.format(host, port)}/target{host}:0:{port}/{address}"
            )
            serial = (numbers or {}).get(name, number).encode()
            told = {
                "vendor": "HP\n",
                "model": "HSV450\n",
                "rev": "1100\n",
                "wwid": wwid.format(unit),
                "state": f"{(states or {}).get(name, 'running')}\n",
                "vpd_pg80": b"\0\x80" + len(serial).to_bytes(2, "big") + serial,
                f"block/{name}/size": f"{1 << 31}\n",
                f"block/{name}/queue/rotational": "0\n",
            }
            skipped = (without or {}).get(name, ())
            files |= {
                f"{device}/{file}": content
                for file, content in told.items()
                if file.rpartition("/")[2] not in skipped
            }
            files[f"{device}/block/{name}/dev"] = f"8:{place * 16}\n"
            links[f"sys/block/{name}"] = f"../{device.removeprefix('sys/')}/block/{name}"
            links[f"{device}/block/{name}/device"] = f"../../../{address}"
            if holder and name not in not_held:
                home = "sys/devices/virtual/block/dm-0"
                files[f"{home}/dm/uuid"] = f"mpath-3{unit}\n"
                files[f"{home}/dm/name"] = f"{holder}\n"
                files[f"{home}/size"] = f"{1 << 31}\n"
                links["sys/block/dm-0"] = "../devices/virtual/block/dm-0"
                links[f"{home}/slaves/{name}"] = f"../../../../../block/{name}"
    return tree(where, files, links)
