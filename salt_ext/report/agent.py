"""
What a machine says of itself: settings and facts to a document, and to a report.

Used by the grain and by the execution module; knows Salt only by the mapping of
options that it is given.
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
    Return the fact document of this machine with its identity and location.

    Raises :class:`salt_ext.settings.SettingsError`.
    """
    options = settings.from_opts(opts)
    result = facts.collect(options["root"], options["collectors"], options["deadline_seconds"])
    if options["location"]:
        # What people say of a machine's place travels with what it says itself.
        result["location"] = clean(options["location"])
    result["identity"] = identify(result)
    return result


def whole_document(opts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same with the sections of the slow collectors, which the grain has no time for."""
    result = document(opts)
    slow = slow_sections(opts)
    result["errors"].update(slow.pop("errors"))
    result["partial"] = sorted({*result["partial"], *slow.pop("partial")})
    result.update(slow)
    result["identity"] = identify(result)
    return result


def report(opts: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Return the report of this machine; ``mode`` is one of ``report.MODES``."""
    from salt_ext.report import envelope

    return envelope.build(whole_document(opts), opts["id"], previous_name(opts), mode)


def slow_sections(opts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections of the slow collectors with their ``errors`` and ``partial``."""
    # Not at the top: the grain has no need of it.
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
    """Return the minion id that this machine reported under before it had its present one."""
    last, before = _names(opts)
    return before if last in (None, opts["id"]) else last


def remember_name(opts: Mapping[str, Any]) -> None:
    """Keep the present minion id, and the one before it, for later reports."""
    last, _ = _names(opts)
    if last == opts["id"]:
        return
    path = _name_file(opts)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Written beside and renamed, so that a crash leaves one of the two whole.
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        file.write(f"{opts['id']}\n{last or ''}\n")
    os.replace(f"{path}.new", path)


def _names(opts: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the name of the last report and the other name before that."""
    try:
        with open(_name_file(opts), encoding="utf-8", errors="replace") as file:
            lines = [file.readline(300).strip(), file.readline(300).strip()]
    except OSError:
        return None, None
    return lines[0] or None, lines[1] or None


def _name_file(opts: Mapping[str, Any]) -> str:
    name = settings.from_opts(opts)["name_file"]
    return str(name or os.path.join(opts["cachedir"], "cmdb", "name"))
