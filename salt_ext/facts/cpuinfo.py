"""
The text of /proc/cpuinfo, in which every architecture has its own field names.

Only what describes the processor is taken from here. The number of processors
is in sysfs; :func:`counts` is for kernels and captured trees without sysfs.
"""

from __future__ import annotations

from salt_ext.facts.arm_cores import IMPLEMENTERS, PARTS
from salt_ext.facts.sysfs import whole

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root

MODEL = ("model name", "cpu model", "cpu", "uarch", "processor", "family")
VENDOR = ("vendor_id", "vendor", "cpu implementer", "mvendorid")
FAMILY = ("cpu family", "cpu architecture", "marchid", "system type")
NUMBER = ("model", "cpu part", "mimpid", "cpu variant")
STEPPING = ("stepping", "cpu revision", "revision")
FLAGS = ("flags", "features", "isa")
MHZ = ("clock", "cpu mhz static")  # x86's "cpu MHz" is that of this moment


def read(root: Root) -> str:
    """Return the text of /proc/cpuinfo; collectors share it by ``root.once(read)``."""
    return root.text("/proc/cpuinfo") or ""


def describe(text: str) -> dict[str, Any]:
    """Return the fields that describe the first processor in a cpuinfo text; MHz as integers."""
    fields = _first_values(text)
    if "timebase" in fields or "cpu part" in fields:
        fields.pop("model", None)  # on POWER, and on some Arm boards, the machine's
    found: dict[str, Any] = {
        "model": _first(fields, MODEL),
        "vendor": _first(fields, VENDOR),
        "family": _first(fields, FAMILY),
        "model_number": _first(fields, NUMBER),
        "stepping": _first(fields, STEPPING),
        "microcode": fields.get("microcode"),
        "flags": sorted((_first(fields, FLAGS) or "").split()),
        "base_mhz": _mhz(_first(fields, MHZ)),
    }
    found.update(_arm(fields))
    if machine := _s390_machine(text):
        found["model_number"] = machine
        found["model"] = f"IBM/S390 {machine}"
    if found["base_mhz"] is None:
        found["base_mhz"] = _announced_mhz(found["model"] or "")
    return found


def counts(text: str) -> dict[str, int]:
    """Return the numbers of sockets, cores and threads, each only when the text tells it."""
    threads = 0
    packages: set[str] = set()
    cores: set[tuple[str, str]] = set()
    package = ""
    numbered = 0
    for name, value in _pairs(text):
        if (name == "processor" and value.isdigit()) or name == "cpu number":
            numbered += 1
        elif name == "processor":
            threads = 1  # an old ARM kernel for one CPU writes its name here, not its number
        elif name in ("cpus detected", "ncpus active", "# processors"):
            # Alpha, SPARC and s390 have the total in one line.
            threads = whole(value) or threads
        elif name in ("physical id", "package"):
            package = value
            packages.add(value)
        elif name in ("core id", "core"):
            cores.add((package, value))
    found = {"threads": numbered or threads, "sockets": len(packages), "cores": len(cores)}
    return {key: value for key, value in found.items() if value}


def _pairs(text: str) -> list[tuple[str, str]]:
    lines = (line.partition(":") for line in text.splitlines())
    return [(name.strip().lower(), value.strip()) for name, colon, value in lines if colon]


def _first_values(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in _pairs(text):
        # Old ARM kernels have the model in "Processor"; "processor" is the number of a CPU.
        if value and not (name == "processor" and value.isdigit()):
            fields.setdefault(name, value)
    return fields


def _first(fields: dict[str, str], names: tuple[str, ...]) -> str | None:
    return next((fields[name] for name in names if name in fields), None)


def _arm(fields: dict[str, str]) -> dict[str, str]:
    """Return vendor, model and stepping of an ARM core, of which the kernel tells numbers only."""
    implementer, part, variant = (
        _hexadecimal(fields.get(name)) for name in ("cpu implementer", "cpu part", "cpu variant")
    )
    if implementer is None or part is None:
        return {}
    found = {}
    if vendor := IMPLEMENTERS.get(implementer):
        found["vendor"] = vendor
    if model := PARTS.get((implementer, part)):
        found["model"] = model
    revision = fields.get("cpu revision", "")
    if variant in range(16) and revision.isdigit():
        found["stepping"] = f"r{variant}p{revision}"
    return found


def _hexadecimal(text: str | None) -> int | None:
    try:
        return int(text or "", 16)
    except ValueError:
        return None


def _s390_machine(text: str) -> str | None:
    """Return the machine type out of ``processor 0: version = FF, ... machine = 8561``."""
    _, mark, rest = text.partition("machine = ")
    return rest.split(None, 1)[0] if mark and rest.split() and rest[:4].isdigit() else None


def _mhz(text: str | None) -> int | None:
    """Return the whole number in a text such as ``3690.000000MHz``."""
    return whole((text or "").partition(".")[0].removesuffix("MHz"))


def _announced_mhz(model: str) -> int | None:
    """Return the speed at the end of an Intel model name, ``... CPU @ 2.20GHz``, in MHz."""
    number = model.rpartition("@")[2].strip()
    for unit, factor in (("GHz", 1000), ("MHz", 1)):
        digits = number.removesuffix(unit)
        if digits != number and whole(digits.replace(".", "", 1)) is not None:
            return round(float(digits) * factor)
    return None
