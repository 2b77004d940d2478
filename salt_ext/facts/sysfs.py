"""Paths and lines of sysfs as values, for several collectors."""

from __future__ import annotations

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Iterable


MAX_NUMBERS = 1 << 16  # in one list; no kernel has so many CPUs


def pci_slot(path: str) -> str | None:
    """Return the last PCI function in a device path, such as ``0000:3b:00.1``, or None."""
    for part in reversed(path.split("/")):
        domain, _, rest = part.partition(":")
        bus, _, function = rest.partition(":")
        if (
            len(domain) >= 4
            and len(bus) == 2
            and len(function) == 4
            and function[2] == "."
            and set(domain + bus + function[:2]) <= set("0123456789abcdef")
        ):
            return part
    return None


def usb_device(path: str) -> str | None:
    """Return the USB device on the way to another, such as ``/sys/devices/.../1-1.2``, or None."""
    parts = path.split("/")
    for at in range(len(parts) - 1, 0, -1):
        # "1-1.2:1.0" is an interface of the device "1-1.2".
        if "-" in parts[at - 1] and parts[at].partition(":")[0] == parts[at - 1]:
            return "/sys/" + "/".join(part for part in parts[:at] if part != "..")
    return None


def assignments(text: str | None) -> dict[str, str]:
    """Return the ``NAME=value`` lines of a uevent file."""
    pairs = (line.partition("=") for line in (text or "").splitlines())
    return {name: value for name, equals, value in pairs if equals}


def whole(text: str | None) -> int | None:
    """Return a text of 1 to 18 digits as a number, which fits into 64 bits; else None."""
    # Not isdigit alone: "²" is a digit too, but int() refuses it.
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else None


def numbers(text: str | None) -> list[int]:
    """Return the numbers of a kernel list such as ``0-3,8,10-11``."""
    found: list[int] = []
    for part in (text or "").split(","):
        first, dash, last = part.strip().partition("-")
        low, high = whole(first), whole(last if dash else first)
        if low is not None and high is not None and high - low < MAX_NUMBERS - len(found):
            found.extend(range(low, high + 1))
    return found


def bits(mask: str | None) -> set[int]:
    """Return the numbers of the bits that are set in a kernel mask, ``00000000,0000000f``."""
    try:
        value = int((mask or "0").replace(",", ""), 16)
    except ValueError:
        return set()
    digits = bin(value)[:1:-1] if value > 0 else ""
    return {number for number, digit in enumerate(digits) if digit == "1"}


def ranges(values: Iterable[int]) -> str:
    """Return numbers as a kernel list: the inverse of :func:`numbers`."""
    spans: list[list[int]] = []
    for value in sorted(values):
        if spans and value == spans[-1][1] + 1:
            spans[-1][1] = value
        else:
            spans.append([value, value])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)
