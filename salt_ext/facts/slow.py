"""
The run of the slow collectors, which touch hardware, start tools or ask a network.

Each collector runs in a process of its own, all at the same time. Its result is kept
with the time and the boot id. It is used again in the same boot until it is older
than the interval. A result that is older is never used in place of a failed run:
then the section is absent, and its error says why.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from typing import Any

from salt_ext.facts import timestamp
from salt_ext.facts.clean import section_of
from salt_ext.facts.slow_process import GRACE_SECONDS, Child, Outcome, outcomes

BOOT_ID = "/proc/sys/kernel/random/boot_id"


def collect(
    root: str,
    collectors: Mapping[str, str | None],
    directory: str,
    interval_seconds: float,
    deadline_seconds: float,
) -> dict[str, Any]:
    """
    Return the slow sections, ``errors``, ``partial`` and ``versions``, as ``facts.collect`` does.

    A section, or each item of a list, has the time of its reading in
    ``volatile.checked_at``. ``directory`` is where results are kept between runs.
    """
    found: dict[str, Outcome] = {}
    children = []
    root = os.path.abspath(root)  # the processes start elsewhere
    # When the directory cannot be made, opening the lock files in it fails below.
    with contextlib.suppress(OSError):
        os.makedirs(directory, mode=0o700, exist_ok=True)
    for section, path in collectors.items():
        if not path:
            continue
        kept = _kept(directory, section, root, path)
        if kept and _is_fresh(kept, interval_seconds):
            found[section] = kept["value"], kept["error"], kept["version"]
            continue
        try:
            children.append(Child(section, path, root, directory, deadline_seconds))
        except (OSError, ValueError) as refusal:  # ValueError: a NUL in the path
            found[section] = None, _refused(section, refusal), 1
    for child, (value, error, version) in outcomes(children, deadline_seconds + GRACE_SECONDS):
        if value is not None or error is None:  # it has run, though it may lack a part
            last = _kept(directory, child.section, root, child.path)
            value = resting(stamped(value, timestamp(time.time())), last and last["value"])
            _keep(directory, child.section, root, child.path, (value, error, version))
        found[child.section] = value, error, version
    return {
        **{section: value for section, (value, _, _) in found.items() if value is not None},
        "errors": {section: error for section, (_, error, _) in found.items() if error is not None},
        "partial": sorted(
            section
            for section, (value, error, _) in found.items()
            if value is None or error is not None
        ),
        "versions": {
            section: version
            for section, (value, _, version) in found.items()
            if value is not None and version != 1
        },
    }


def resting(value: Any, last: Any) -> Any:
    """
    Return a section in which skipped parts have the values of the last result.

    A part that was skipped, such as a sleeping disk, has the reason in
    ``volatile.skipped_reason``. ``checked_at`` stays that of the last reading, so
    that old values do not look like new ones.
    """
    if not isinstance(value, list) or not isinstance(last, list):
        return value
    known = {_key(item): item for item in last if _key(item)}
    items = []
    for item in value:
        reason = item["volatile"].get("skipped_reason")
        before = known.get(_key(item))
        if reason and before:
            item = {**before, **item, "volatile": {**before["volatile"], "skipped_reason": reason}}
        items.append(item)
    return items


def _key(item: Mapping[str, Any]) -> str:
    return str(item.get("serial_number") or item.get("name") or "")


def stamped(value: Any, when: str) -> Any:
    """Return a section with ``volatile.checked_at``, where it has none of its own."""
    if isinstance(value, list):
        return [stamped(item, when) for item in value]
    if isinstance(value, dict):
        return {**value, "volatile": {"checked_at": when, **(value.get("volatile") or {})}}
    return value


def _kept(directory: str, section: str, root: str, path: str) -> dict[str, Any] | None:
    """Return the last record of the same collector for the same root, or None."""
    try:
        with open(os.path.join(directory, f"{section}.json"), encoding="utf-8") as file:
            record = json.load(file)
        is_its = (record["root"], record["collector"]) == (root, path)
        section_of(record["value"])  # another version may have kept what this one cannot report
        return record if is_its and {"at", "boot_id", "error"} <= set(record) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_fresh(record: Mapping[str, Any], interval_seconds: float) -> bool:
    age = time.time() - record["at"]
    is_of_this_boot: bool = record["boot_id"] == _boot_id()
    # The first edition kept no version.
    return is_of_this_boot and 0 <= age < interval_seconds and "version" in record


def _keep(directory: str, section: str, root: str, path: str, outcome: Outcome) -> None:
    value, error, version = outcome
    record = {
        "root": root,
        "collector": path,
        "boot_id": _boot_id(),
        "at": time.time(),
        "value": value,
        "error": error,
        "version": version,
    }
    name = os.path.join(directory, f"{section}.json")
    # When the result cannot be kept (the disk is full), the next run collects it again.
    with contextlib.suppress(OSError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        fd = os.open(f"{name}.new", flags, 0o600)
        with open(fd, "w", encoding="utf-8") as file:
            json.dump(record, file)
        os.replace(f"{name}.new", name)


def _boot_id() -> str | None:
    try:
        with open(BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def _refused(section: str, error: Exception) -> dict[str, Any]:
    return {
        "type": type(error).__name__,
        "message": f"{section}: {error}",
        "traceback": "",
        "duration_ms": 0,
    }
