"""
The fact document and the report of this machine, made from its settings.

The grain and the execution module use this file. It does not import Salt: it is
given Salt's ``__opts__``.
"""

from __future__ import annotations

import os

from salt_ext import facts, settings
from salt_ext.facts.clean import clean
from salt_ext.facts.identity import identify

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def document(opts: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the fact document of this machine with its identity and its location.

    Only the fast collectors run. Raises :class:`salt_ext.settings.SettingsError`.
    """
    options = settings.from_opts(opts)
    result = facts.collect(options["root"], options["collectors"], options["deadline_seconds"])
    if options["location"]:
        # People write the location into the settings. It is reported like a collected section.
        result["location"] = clean(options["location"])
    result["identity"] = identify(result)
    return result


def whole_document(opts: Mapping[str, Any]) -> dict[str, Any]:
    """Return :func:`document` with the slow collectors' sections, which are not in the grain."""
    result = document(opts)
    slow = slow_sections(opts)
    result["errors"].update(slow.pop("errors"))
    result["partial"] = sorted({*result["partial"], *slow.pop("partial")})
    result.update(slow)
    result["identity"] = identify(result)
    return result


def report(opts: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Return the report of this machine; ``mode`` is one of ``envelope.MODES``."""
    from salt_ext.report import envelope

    return envelope.build(whole_document(opts), opts["id"], previous_name(opts), mode)


def slow_sections(opts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections of the slow collectors with their ``errors`` and ``partial``."""
    # Not imported at the top, because the grain does not need it.
    from salt_ext.facts import slow

    options = settings.from_opts(opts)
    return slow.collect(
        options["root"],
        options["slow_collectors"],
        os.path.join(opts["cachedir"], "cmdb", "slow"),
        options["slow_interval"],
        options["slow_deadline_seconds"],
    )


def previous_name(opts: Mapping[str, Any]) -> str | None:
    """Return the minion id that this machine reported under before its present one, or None."""
    last, before = _names(opts)
    return before if last in (None, opts["id"]) else last


def remember_name(opts: Mapping[str, Any]) -> None:
    """Write the present minion id and the one before it to the name file. Raises OSError."""
    last, _ = _names(opts)
    if last == opts["id"]:
        return
    path = _name_file(opts)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Written to a new file and renamed, so that a crash leaves the old or the new one complete.
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(f"{opts['id']}\n{last or ''}\n")
    os.replace(f"{path}.new", path)


def _names(opts: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the minion id of the last report and the different one before it, or None."""
    try:
        with open(_name_file(opts), encoding="utf-8", errors="replace") as file:
            lines = [file.readline(300).strip(), file.readline(300).strip()]
    except OSError:
        return None, None
    return lines[0] or None, lines[1] or None


def _name_file(opts: Mapping[str, Any]) -> str:
    name = settings.from_opts(opts)["name_file"]
    return str(name or os.path.join(opts["cachedir"], "cmdb", "name"))
