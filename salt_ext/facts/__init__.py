"""
The facts of a machine, and the run of the fast collectors.

:func:`collect` isolates the collectors from each other: when one raises, hangs or
returns something that is not a section, only its own section is missing. The
document that it returns is described in ``docs/facts.md``.
"""

from __future__ import annotations

import sys
import time
from queue import Empty, SimpleQueue
from threading import Thread

from salt_ext.facts import failure
from salt_ext.facts.clean import MAX_STRING, clean, section_of
from salt_ext.facts.dotted_path import load
from salt_ext.facts.root import Root
from salt_ext.facts.sysfs import whole

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    Result = tuple[str, Any, dict[str, Any] | None, int]
    """A section, its value or None, its error record or None, the version of its collector."""

SCHEMA = 1
HEADER = (
    *("schema", "collected_at", "boot_id", "since_boot_ms"),
    *("duration_ms", "errors", "partial", "identity", "versions"),
)
"""The keys of a document that are not sections."""

INSTANCE = "instance"
"""The section that a cloud alone tells of a machine: no collector and no report may have it."""

LONGEST_SECTION = 40
"""The most characters of the name of a section."""

COLLECTORS = {
    "operating_system": f"{__name__}.operating_system.operating_system",
    "virtual": f"{__name__}.virtual.virtual",
    "system": f"{__name__}.system.system",
    "baseboards": f"{__name__}.system.baseboards",
    "chassis": f"{__name__}.system.chassis",
    "firmware": f"{__name__}.system.firmware",
    "processors": f"{__name__}.processors.processors",
    "memory": f"{__name__}.memory.memory",
    "disks": f"{__name__}.disks.disks",
    "network": f"{__name__}.network.network",
    "pci": f"{__name__}.pci.pci",
    "gpus": f"{__name__}.pci.gpus",
    "power_supplies": f"{__name__}.power.power_supplies",
    "batteries": f"{__name__}.power.batteries",
    "slots": f"{__name__}.boards.slots",
    "onboard_devices": f"{__name__}.boards.onboard_devices",
    "tpm": f"{__name__}.boards.tpm",
    "usb": f"{__name__}.usb.usb",
    "md": f"{__name__}.volumes.md",
    "multipath": f"{__name__}.volumes.multipath",
    "lvm": f"{__name__}.volumes.lvm",
}
"""Section of the facts: dotted path of the collector that fills it."""

SLOW_COLLECTORS = {
    "smart": f"{__name__}.smart.smart",
    "raid": f"{__name__}.raid.raid",
    "bmc": f"{__name__}.bmc.bmc",
    "lldp": f"{__name__}.lldp.lldp",
    "cloud": f"{__name__}.cloud.cloud",
}
"""The same for the collectors that touch hardware, start tools or ask a network."""

VERSIONS = {
    "bmc": 2,
    "chassis": 2,
    "disks": 2,
    "memory": 2,
    "multipath": 2,
    "network": 2,
    "processors": 2,
    "raid": 2,
    "smart": 2,
    "system": 2,
    "tpm": 2,
    "usb": 2,
    "virtual": 2,
}
"""
The versions of our collectors, where that is not 1.

A version is raised by whoever lets a collector tell the same machine in another way: more
fields, other names, other numbers. The store takes what differs then for what it is.
"""

MAX_VERSION = (1 << 15) - 1

DEADLINE_SECONDS = 10
SLOW_DEADLINE_SECONDS = 30
"""The time for all fast collectors together, and for each slow one."""


def collect(
    root: str, collectors: Mapping[str, str | None], deadline_seconds: float = DEADLINE_SECONDS
) -> dict[str, Any]:
    """
    Return the fact document of the machine below ``root``.

    ``collectors`` maps each section to the dotted path of a callable
    ``collect(root: Root) -> dict | list | None``; a path of None switches the
    section off. An empty result means "there is none". A result of None means
    "this machine gives no way to tell": the section is absent and is named in
    ``partial``. When a collector fails, its section is absent, is named in
    ``partial`` and has a record in ``errors``. When a collector lacked the
    permission for some files, or could not read a part of its section, the
    section is present and is named in both. ``versions`` has the version of each
    collector whose section is there, where that is not 1.
    """
    started = time.monotonic()
    document = _header(root)
    errors: dict[str, dict[str, Any]] = {}
    partial: list[str] = []
    versions: dict[str, int] = {}
    wanted = {section: path for section, path in collectors.items() if path}
    for section, value, error, version in _run(Root(root), wanted, started + deadline_seconds):
        if value is not None:
            document[section] = value
            if version != 1:
                versions[section] = version
        if error is not None:
            errors[section] = error
        if error is not None or value is None:
            partial.append(section)
    document["errors"] = errors
    document["partial"] = sorted(partial)
    document["versions"] = versions
    document["duration_ms"] = _milliseconds(started)
    return document


def why_no_section(name: object) -> str | None:
    """Return why no section can have this name, or None when one can."""
    is_name = isinstance(name, str) and name.isidentifier() and name == name.lower()
    if not is_name or not str(name).isascii() or len(str(name)) > LONGEST_SECTION:
        rule = f"small letters, digits and _, at most {LONGEST_SECTION}"
        return f"{str(name)[:LONGEST_SECTION]!r} is no name of a section: {rule}"
    if name == INSTANCE:
        return f"the section {name} is what clouds say (cmdb.cloud)"
    return f"{name} is a field of every document, and no section" if name in HEADER else None


def failed(name: str, exception: BaseException) -> dict[str, Any]:
    """Return a document without sections; ``errors`` has the exception under ``name``."""
    return {
        **_header("/"),
        "duration_ms": 0,
        "errors": {name: _error_record(exception, time.monotonic())},
        "partial": [name],
    }


def _header(root: str) -> dict[str, Any]:
    """
    Return when a document is made: by the clock, and by the boot of the machine.

    A clock may be set back; the time since the boot only grows. Both are None where
    the machine does not tell them.
    """
    machine = Root(root)
    boot_id = machine.text("/proc/sys/kernel/random/boot_id", 64) or ""
    is_uuid = [len(one) for one in boot_id.split("-")] == [8, 4, 4, 4, 12]
    return {
        "schema": SCHEMA,
        "collected_at": timestamp(time.time()),
        "boot_id": boot_id if is_uuid and set(boot_id) <= set("0123456789abcdef-") else None,
        "since_boot_ms": _uptime_ms(machine.text("/proc/uptime", 64) or ""),
    }


def _uptime_ms(text: str) -> int | None:
    """Return the first number of ``/proc/uptime``, such as 12255.42, in milliseconds."""
    seconds, _, rest = text.partition(" ")[0].partition(".")
    thousandths = whole(f"{rest}000"[:3])
    return whole(f"{seconds}{thousandths:03d}") if seconds and thousandths is not None else None


def timestamp(seconds: float) -> str:
    """Return seconds since the epoch as RFC 3339 text in UTC, to the millisecond."""
    to_the_second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{to_the_second}.{int(seconds % 1 * 1000):03d}Z"


def _run(root: Root, collectors: Mapping[str, str], deadline: float) -> Iterator[Result]:
    """Yield what became of each collector."""
    waiting = list(collectors.items())
    while waiting:
        # One thread runs all collectors. When one of them hangs, for example in a
        # read that blocks in the kernel and cannot be interrupted, the thread is
        # left behind and another thread runs the remaining collectors.
        done: SimpleQueue[Result] = SimpleQueue()
        thread = Thread(target=_work, args=(root, list(waiting), done), daemon=True)
        thread.start()
        # Each collector but the last gets half of the remaining time at most, so that
        # one that hangs leaves time for the later ones.
        while waiting:
            section = waiting[0][0]
            began = time.monotonic()
            patience = max(0.0, deadline - began) / (2 if len(waiting) > 1 else 1)
            try:
                result = done.get(timeout=patience)
            except Empty:
                waiting.pop(0)
                yield section, None, _hang_record(thread, section, began), 1
                root = Root(root.path)  # the abandoned thread keeps the old one
                break
            waiting.pop(0)
            yield result


def _work(
    root: Root,
    collectors: list[tuple[str, str]],
    done: SimpleQueue[Result],
) -> None:
    for section, path in collectors:
        started = time.monotonic()
        root.denied.clear()
        root.failures.clear()
        value: Any = None
        error = None
        version = 1
        try:
            collector = _collector(path)
            version = _version(section, path, collector)
            value = section_of(collector(root))
            error = _gap(root, started)
        except BaseException as exception:
            # BaseException, because a collector may call sys.exit().
            value, error = None, _error_record(exception, started)
        done.put((section, value, error, version))


def _collector(path: str) -> Callable[[Root], Any]:
    """Return the collector of a dotted path, or of a command of the site written as JSON."""
    if not path.startswith("{"):
        return load(path)
    import json

    from salt_ext.facts import command

    return command.collector(json.loads(path))


def _version(section: str, path: str, collector: Callable[[Root], Any]) -> int:
    """Return the version of a collector: another than ours has it as an attribute, or 1."""
    if path in (COLLECTORS.get(section), SLOW_COLLECTORS.get(section)):
        return VERSIONS.get(section, 1)
    version = getattr(collector, "version", 1)
    if not is_version(version):
        raise TypeError(f"its version must be a whole number from 1 to {MAX_VERSION}")
    return int(version)


def is_version(version: object) -> bool:
    """Whether this can be the version of a collector."""
    return type(version) is int and 0 < version <= MAX_VERSION


def _gap(root: Root, started: float) -> dict[str, Any] | None:
    """Return an error record when the section just collected is incomplete, else None."""
    if root.failures:
        return _error_record(root.failures[0], started)
    if not root.denied:
        return None
    paths = sorted(set(root.denied))
    more = f" and {len(paths) - 8} more" if len(paths) > 8 else ""
    return {
        "type": "PermissionError",
        "message": f"not readable: {', '.join(paths[:8])}{more}",
        "traceback": "",
        "duration_ms": _milliseconds(started),
    }


def _error_record(exception: BaseException, started: float) -> dict[str, Any]:
    return {
        "type": type(exception).__name__,
        "message": (clean(failure.message(exception)) or "")[:1000],
        "traceback": str(clean(failure.trace(exception)[-MAX_STRING:])),
        "duration_ms": _milliseconds(started),
    }


def _hang_record(thread: Thread, section: str, began: float) -> dict[str, Any]:
    from traceback import format_stack

    frame = sys._current_frames().get(thread.ident or 0)
    return {
        "type": "TimeoutError",
        "message": f"{section} was still running when its time was over",
        "traceback": "".join(format_stack(frame))[-8000:] if frame else "",
        "duration_ms": _milliseconds(began),
    }


def _milliseconds(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
