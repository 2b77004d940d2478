"""
Errors of memory, as the kernel's EDAC counts them: by module where it knows which one erred.

A controller (``mc0``) has a directory for each module, or for each rank of one where the
hardware tells no more (``dimm3``, ``rank3``). Older kernels have no counts there: they
count what was corrected by row and channel (``csrow0/ch1_ce_count``).
"""

from __future__ import annotations

from collections import Counter

from salt_ext.facts.sysfs import whole

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from salt_ext.facts.root import Root

    Facts = dict[str, Any]

CONTROLLERS = "/sys/devices/system/edac/mc"
MOST_MODULES = 256
"""So many modules of a controller are told; what the others count stays with the controller."""
LONGEST_LABEL = 128


def controllers(root: Root) -> list[Facts]:
    """Return the controllers that count errors, and whether any could not be corrected."""
    return [_controller(root, name) for name in _controllers(root)]


def counters(root: Root, devices: list[Facts]) -> dict[str, Facts]:
    """
    Return ``{name: counters}`` of each module, and of each controller what is of no module.

    The name of a module is that of its directory, which no other has, with its label, else
    its location. ``devices`` are the slots of SMBIOS; where the label is the name of exactly
    one of them, that one is told too.
    """
    slots = _slots(devices)
    found: dict[str, Facts] = {}
    for name in _controllers(root):
        base = f"{CONTROLLERS}/{name}"
        # The sums are read first: an error in between makes them smaller than their parts,
        # and is counted once.
        total = {kind: _count(root, f"{base}/{kind}_count") for kind in ("ce", "ue")}
        modules = [*_modules(root, base)][:MOST_MODULES]
        found[name] = {
            f"{kind}_count": _of_no_module(
                total[kind],
                _count(root, f"{base}/{kind}_noinfo_count"),
                [counts.get(f"{kind}_count") for _, _, counts in modules],
            )
            for kind in ("ce", "ue")
        }
        for module, label, counts in modules:
            found[f"{name} {module} {label}".rstrip()] = {**counts, **slots.get(label, {})}
    return found


def _controllers(root: Root) -> list[str]:
    return [name for name in root.names(CONTROLLERS) if _is(name, "mc")]


def _controller(root: Root, name: str) -> Facts:
    uncorrected = _count(root, f"{CONTROLLERS}/{name}/ue_count")
    return {
        "name": name,
        "controller": root.text(f"{CONTROLLERS}/{name}/mc_name", 256),
        "health": {"uncorrected_errors": None if uncorrected is None else uncorrected > 0},
    }


def _of_no_module(total: int | None, noinfo: int | None, told: list[int | None]) -> int | None:
    """
    Return how many errors of a controller are of none of its modules.

    Older kernels count an error of which they know the row and not the channel neither
    for a module nor in ``noinfo``: what is left of the sum has these too.
    """
    if total is None:
        return noinfo
    return max(noinfo or 0, total - sum(count or 0 for count in told))


def _modules(root: Root, base: str) -> Iterator[tuple[str, str, Facts]]:
    """Yield the name, the label and the counters of each module that has any."""
    names = root.names(base)
    modules = [name for name in names if _is(name, "dimm") or _is(name, "rank")]
    found = [(name, _of_module(root, f"{base}/{name}")) for name in modules]
    if any(counts for _, counts in found):
        for name, counts in found:
            if counts:
                label = _label(root, f"{base}/{name}/dimm_label")
                yield name, label or _label(root, f"{base}/{name}/dimm_location"), counts
        return
    for row in names:
        if _is(row, "csrow"):
            for file in root.names(f"{base}/{row}"):
                channel = file.removesuffix("_ce_count")
                if channel != file and _is(channel, "ch"):
                    corrected = _count(root, f"{base}/{row}/{file}")
                    label = _label(root, f"{base}/{row}/{channel}_dimm_label")
                    if corrected is not None:
                        yield f"{row}/{channel}", label, {"ce_count": corrected}


def _is(name: str, kind: str) -> bool:
    return name.startswith(kind) and whole(name[len(kind) :]) is not None


def _of_module(root: Root, base: str) -> Facts:
    counts = {f"{kind}_count": _count(root, f"{base}/dimm_{kind}_count") for kind in ("ce", "ue")}
    return {name: count for name, count in counts.items() if count is not None}


def _count(root: Root, path: str) -> int | None:
    return whole(root.text(path, 64))


def _label(root: Root, path: str) -> str:
    """Return a label in one line; a kernel's is short, a person may have set any other."""
    text = " ".join((root.text(path, 1024) or "").split())
    return "".join(one for one in text if one.isprintable())[:LONGEST_LABEL].strip()


def _slots(devices: list[Facts]) -> dict[str, Facts]:
    """
    Return the slots by the names that only one has.

    People label a module with its locator (``DIMM_A2``), firmware (``ghes_edac``) with
    its bank and its locator (``P0 CHANNEL A DIMM 0``).
    """
    named: list[tuple[str, Facts]] = []
    for device in devices:
        bank, locator = device.get("bank_locator"), device.get("locator")
        slot = {"bank_locator": bank, "locator": locator}
        if locator:
            named.append((locator, {"locator": locator}))
            named += [(f"{bank} {locator}", slot)] if bank else []
    how_many = Counter(name for name, _ in named)
    return {name: slot for name, slot in named if how_many[name] == 1}
