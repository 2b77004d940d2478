"""
The fact document and the report of this machine, made from its settings.

The grain and the execution module use this file. It does not import Salt: it is
given Salt's ``__opts__``.
"""

from __future__ import annotations

import logging
import os
import sys

from salt_ext import facts, settings
from salt_ext.facts.clean import clean
from salt_ext.facts.identity import identify
from salt_ext.words.visible import indented, visible

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from salt_ext.report import name_file

log = logging.getLogger(__name__)

WHERE = {
    "held": "see on the master: salt-run cmdb.quarantine show ",
    "refused": "see on the master: salt-run cmdb.errors ",
    "waiting": "it is stored later; see on the master: salt-run cmdb.errors ",
}
"""Where an operator sees why; the answer has no reasons, since all minions can read it."""


def document(opts: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the fact document of this machine with its identity and its location.

    Only the fast collectors run. Raises :class:`salt_ext.settings.SettingsError`.
    """
    options = settings.from_opts(opts)
    _reach_synced(opts)
    collectors = settings.fast_collectors(options)
    result = facts.collect(options["root"], collectors, options["deadline_seconds"])
    _log(result["errors"])
    if options["location"]:
        # People write the location into the settings. It is reported like a collected section.
        result["location"] = clean(options["location"])
    result["identity"] = identify(result)
    return result


def whole_document(opts: Mapping[str, Any]) -> dict[str, Any]:
    """Return :func:`document` with the slow collectors' sections, which are not in the grain."""
    result = document(opts)
    slow = slow_sections(opts)
    _log(slow["errors"])
    result["errors"].update(slow.pop("errors"))
    result["versions"].update(slow.pop("versions"))
    result["partial"] = sorted({*result["partial"], *slow.pop("partial")})
    result.update(slow)
    result["identity"] = identify(result)
    return result


def report(opts: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the report of this machine for ``--return``, which no master answers.

    It says what the machine was named before and proves nothing: the answer of a function
    is seen by more than the master.
    """
    from salt_ext.report import envelope

    before = previous_name(opts)
    return envelope.build(whole_document(opts), opts["id"], before, "return")


def report_to_send(opts: Mapping[str, Any], mode: str) -> tuple[dict[str, Any], str | None]:
    """
    Return the report of this machine for the master, and what is wrong with the name file.

    ``mode`` is agent or salt. The name file says from now on that it is being sent.
    """
    from salt_ext.report import envelope, name_file

    found = whole_document(opts)
    names, trouble = _update(
        opts, lambda names: name_file.asking(names, opts["id"], found["collected_at"])
    )
    previous = names.previous(opts["id"])
    made = envelope.build(
        found,
        opts["id"],
        previous.name if previous else None,
        mode,
        secret_hash=names.own(opts["id"]).secret_hash(),
        proof=previous.proof() if previous else None,
    )
    return made, trouble


def note_taken(opts: Mapping[str, Any], report: Mapping[str, Any]) -> str | None:
    """Note that the master has taken a report; return why that cannot be kept, or None."""
    from salt_ext.report import name_file

    moment = report["collected_at"]
    return _update(opts, lambda names: name_file.taken(names, opts["id"], moment))[1]


def note_answer(opts: Mapping[str, Any], answers: Mapping[str, Any]) -> tuple[str, bool]:
    """
    Note what the master answered about the last report.

    ``answers`` has an answer for each machine, see :func:`name_file.answered`. Returns a
    sentence, and whether it is a warning.
    """
    from salt_ext.report import name_file

    minion_id = opts["id"]
    answer = answers.get(minion_id) if isinstance(answers, dict) else None
    if not isinstance(answer, dict):
        return f"this is no answer for {minion_id}", False
    is_latest = True

    def change(names: name_file.Names) -> name_file.Names:
        nonlocal is_latest
        after = name_file.answered(names, minion_id, answer)
        is_latest = after is not None
        return names if after is None else after

    trouble = _update(opts, change)[1]
    if not is_latest:
        return "this answers another report than the last one, and changes nothing", False
    status, name = answer.get("status"), answer.get("name")
    if status != name_file.STORED:
        return f"the report is {status}: {WHERE.get(str(status), WHERE['held'])}{minion_id}", True
    if name != minion_id:
        return (
            f"the report is stored under the name {name}, for {minion_id} is the name of another"
            f" machine; see on the master: salt-run cmdb.errors {minion_id}",
            True,
        )
    return trouble or f"the master knows this machine as {minion_id}", trouble is not None


def name_trouble(opts: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the name file, or None."""
    path = _name_file(opts)
    directory = os.path.dirname(path) or "."
    if os.path.isdir(directory) and not os.access(directory, os.W_OK):
        return f"{path} cannot be written"
    return _names(opts)[1]


def slow_sections(opts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what :func:`salt_ext.facts.slow.collect` does, by the settings."""
    # Not imported at the top, because the grain does not need it.
    from salt_ext.facts import slow

    options = settings.from_opts(opts)
    return slow.collect(
        options["root"],
        settings.slow_collectors(options),
        os.path.join(opts["cachedir"], "cmdb", "slow"),
        options["slow_interval"],
        options["slow_deadline_seconds"],
    )


def _reach_synced(opts: Mapping[str, Any]) -> None:
    """
    Let collectors be found that the master has synced from ``_utils``.

    Salt itself looks there only from the next start of the minion on.
    """
    sys.path += [one for one in opts.get("utils_dirs") or () if one not in sys.path]


def _log(errors: Mapping[str, Mapping[str, Any]]) -> None:
    """Write into the minion's log which collectors failed, each with its traceback."""
    for section, error in errors.items():
        # Without a traceback some files could not be read, as when the minion is not root.
        level = logging.WARNING if error["traceback"] else logging.INFO
        sentence = visible(f"{section}: {error['type']}: {error['message']}")
        log.log(level, "The collector %s%s", sentence, indented(error["traceback"]))


def previous_name(opts: Mapping[str, Any]) -> str | None:
    """Return the name that the next report says this machine had before, or None."""
    previous = _names(opts)[0].previous(opts["id"])
    return previous.name if previous else None


def _names(opts: Mapping[str, Any]) -> tuple[name_file.Names, str | None]:
    """Return what the name file says, and why it cannot be used."""
    from salt_ext.report import name_file

    path = _name_file(opts)
    try:
        return name_file.read(path), None
    except name_file.Unusable as error:
        return name_file.Names(), f"{path} {error}; the next report writes it anew"


def _update(
    opts: Mapping[str, Any], change: Callable[[name_file.Names], name_file.Names]
) -> tuple[name_file.Names, str | None]:
    """
    Change the name file; return what it says then, and what is wrong with it.

    It never raises because of the file: a machine whose disk is full still reports. Then
    what the file says is as before.
    """
    from salt_ext.report import name_file

    path = _name_file(opts)
    with name_file.locked(path):
        before, trouble = _names(opts)
        after = change(before)
        try:
            if after != before:
                name_file.write(path, after)
        except (OSError, ValueError) as error:
            return before, f"{path} cannot be written: {error}; a rename will be held"
    return after, trouble


def _name_file(opts: Mapping[str, Any]) -> str:
    name = settings.from_opts(opts)["name_file"]
    return str(name or os.path.join(opts["cachedir"], "cmdb", "name"))
