"""
A machine that was installed, compared with what was planned of it: by its first report after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salt_ext import store
from salt_ext.document.placeholders import why_not_serial
from salt_ext.lists.closer import addresses
from salt_ext.lists.compare import contradicts
from salt_ext.lists.headings import COMPARED
from salt_ext.words import values as words
from salt_ext.words.cells import text
from salt_ext.words.keys import good_macs, uuid_of
from salt_ext.words.match import same_name, same_sn

LONGEST = 200
"""Characters of a value that is told."""

MOST_MACS = 8
"""So many MACs of a machine are told."""


def compare_installed(database: store.Database) -> int:
    """
    Compare what was installed and has reported since; return how many machines that were.

    One that cannot be compared is a problem of its own, and the others are compared.
    """
    found = store.installed(database)
    for one in found:
        try:
            store.keep_comparison(database, one["installation_id"], differences(one["plan"], one))
        except Exception as error:
            is_of_one = isinstance(error, store.StatementFailed)
            if isinstance(error, store.StoreError) and not is_of_one:
                raise
            store.fail_comparison(database, one, error)
    return len(found)


def differences(plan: Mapping[str, Any], machine: Mapping[str, Any]) -> list[dict[str, str]]:
    """
    Return in which fields a machine is not as planned: ``field``, ``planned`` and ``reported``.

    ``machine`` has the columns of its asset, what it shows as ``uuids`` and ``macs``, some
    sections of its ``facts``, and ``bound_uuid`` and ``bound_mac``: of the one that was installed.
    What was not planned, or is not reported, is no difference. Nor is a profile compared: what it
    installs only its template knows.
    """
    facts = machine["facts"] or {}
    known = {**machine, "also": {"address": [*addresses(facts)]}}
    found = [
        ("sn", plan.get("sn"), machine["sn"], _is_other_sn(plan, machine)),
        ("hostname", plan.get("hostname"), machine["hostname"], _is_other_name(plan, machine)),
        ("uuid", *_uuids(plan, machine)),
        ("mac", *_macs(plan, machine)),
        ("disk_layout", *_layouts(plan, facts)),
    ]
    found += [
        (field, plan[field], words.value(machine[field], field), True)
        for field in COMPARED
        if field in plan and _is_reported(field, machine) and contradicts(field, plan[field], known)
    ]
    return [
        {"field": field, "planned": _told(planned), "reported": _told(reported)}
        for field, planned, reported, is_other in found
        if is_other
    ]


def _told(value: Any) -> str:
    return text(value).replace(words.NO_BREAK, " ")[:LONGEST] or "none"


def _is_reported(field: str, machine: Mapping[str, Any]) -> bool:
    """Whether the machine itself says where it stands, and not only a list."""
    return field not in (machine["from_list"] or "").split(", ")


def _is_other_sn(plan: Mapping[str, Any], machine: Mapping[str, Any]) -> bool:
    sn = text(plan.get("sn"))
    return bool(sn) and not why_not_serial(sn) and not same_sn(sn, machine["sn"])


def _is_other_name(plan: Mapping[str, Any], machine: Mapping[str, Any]) -> bool:
    name = plan.get("hostname")
    names = [machine[one] for one in ("hostname", "minion_id") if machine[one]]
    return bool(name and names) and not any(same_name(name, one) for one in names)


def _uuids(plan: Mapping[str, Any], machine: Mapping[str, Any]) -> tuple[Any, Any, bool]:
    """Return the UUID that was planned, or else installed, what is reported, and if it differs."""
    planned = plan.get("uuid") or machine["bound_uuid"]
    reported = machine["uuids"]
    is_other = bool(planned and reported) and uuid_of(planned) not in map(uuid_of, reported)
    return planned, ", ".join(reported), is_other


def _macs(plan: Mapping[str, Any], machine: Mapping[str, Any]) -> tuple[Any, Any, bool]:
    """Return the MACs that are missing of those planned or installed, and those reported."""
    planned = dict.fromkeys([*good_macs(plan.get("mac")), machine["bound_mac"]])
    reported = machine["macs"]
    missing = [mac for mac in planned if mac and mac not in reported]
    shown = [*reported[:MOST_MACS], *(["..."] if reported[MOST_MACS:] else [])]
    return ", ".join(missing), ", ".join(shown), bool(missing and reported)


def _layouts(plan: Mapping[str, Any], facts: Mapping[str, Any]) -> tuple[Any, Any, bool]:
    """Return the planned disk layout and the reported one, as far as it is with LVM or without."""
    planned = text(plan.get("disk_layout"))
    volumes = facts.get("lvm")
    layout = planned.partition(":")[0]
    if not isinstance(volumes, list) or layout not in ("lvm", "plain"):
        return planned, "", False
    is_lvm = bool(volumes)
    return planned, "lvm" if is_lvm else "plain", is_lvm is not (layout == "lvm")
