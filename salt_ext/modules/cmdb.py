"""
What a minion knows about its own hardware, and how it is sent to the master.
"""

import logging
import platform
from typing import TYPE_CHECKING, Any, TypeVar

import salt.channel.client
import salt.exceptions
import salt.utils.mine

from salt_ext import __version__, document, settings
from salt_ext.facts import HEADER
from salt_ext.report import agent, envelope, origin
from salt_ext.words.nearest import unknown
from salt_ext.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from salt_ext._dunders import __opts__

T = TypeVar("T")

log = logging.getLogger(__name__)

SEND_TIMEOUT_SECONDS = 30


def __virtual__() -> bool | tuple[bool, str]:
    """Refuse a proxy minion: it runs on another machine than the device it speaks for."""
    if "proxy" in __opts__:
        return False, "a proxy minion would report the machine that it runs on as its device"
    return True


def collect(send: bool = True, **kwargs: Any) -> dict[str, Any]:
    """
    Collect the facts of this machine and send them to the master.

    The report is sent to the master's mine. Salt authenticates the sender, and no
    other minion can read it. When this function returns, the report is in the
    master's cache, from which the engine takes it. The answer is a summary, with
    ``previous_minion_id`` as long as the master has not answered that it knows the machine
    by its present name. Raises CommandExecutionError when the master does not take the
    report.

    send
        False returns the whole report instead of sending it, for use with
        ``--return cmdb``. A minion without a master always returns it.

    CLI Example:

    .. code-block:: bash

        salt '*' cmdb.collect
        salt-call --local cmdb.collect --return cmdb
    """
    if not send or __opts__.get("file_client") == "local":
        return _ask(agent.report)
    # Only a job that a master published has a target.
    mode = "salt" if "__pub_tgt" in kwargs else "agent"
    report, trouble = _ask(agent.report_to_send, mode)
    load = {
        "cmd": "_mine",
        "id": __opts__["id"],
        "data": {
            envelope.MINE_FUNCTION: salt.utils.mine.wrap_acl_structure(
                report, allow_tgt=__opts__["id"], allow_tgt_type="list"
            )
        },
    }
    # Not mine.send, which only puts the data on the minion's own event bus. A report
    # counts as sent when the master has answered.
    try:
        with salt.channel.client.ReqChannel.factory(__opts__) as channel:
            taken = channel.send(load, timeout=SEND_TIMEOUT_SECONDS)
    except salt.exceptions.SaltException as error:
        raise salt.exceptions.CommandExecutionError(
            f"the master {__opts__.get('master')} did not take the report: {error or 'no answer'}"
        ) from error
    if taken is not True:
        raise salt.exceptions.CommandExecutionError(
            f"the master {__opts__.get('master')} did not take the report; see its log"
        )
    if trouble := agent.note_taken(__opts__, report) or trouble:
        log.warning("The name file %s", visible(trouble))
    unusual = {"previous_minion_id": report["previous_minion_id"], "name_file": trouble}
    return {
        "sent": True,
        **{name: value for name, value in unusual.items() if value},
        "digest": report["digest"],
        "sections": sorted(report["facts"]),
        "errors": {name: error["message"] for name, error in report["errors"].items()},
        "size_bytes": len(document.encode(report)),
        "duration_ms": report["duration_ms"],
    }


def answered(answers: dict[str, Any]) -> str:
    """
    Note what the master made of this machine's last report; only the master calls this.

    After a report under a new name the name file keeps the old one until the master
    answers that it knows the machine by the new one. What was held, refused or kept
    under the old name is a warning in the log of the minion. The text says what was noted.

    answers
        For each machine ``{"status", "name", "collected_at"}``; see docs/collecting.md.

    CLI Example:

    .. code-block:: bash

        salt web01 cmdb.answered '{web01: {status: held, collected_at: "2026-11-21T08:00:00.000Z"}}'
    """
    text, is_warning = _ask(agent.note_answer, answers)
    level = logging.WARNING if is_warning else logging.INFO
    log.log(level, "The master answers: %s", visible(text))
    return text


def facts(section: str = "") -> Any:
    """
    Return the facts of this machine, including those of the slow collectors.

    section
        Return this section only, such as ``memory``.

    CLI Example:

    .. code-block:: bash

        salt web01 cmdb.facts
        salt web01 cmdb.facts memory
    """
    found = _ask(agent.whole_document)
    if not section:
        return found
    if section not in found:
        error = found["errors"].get(section)
        reason = unknown("section", section, sorted(found.keys() - {*HEADER}))
        if error:
            reason = (
                f"there is no section {section!r}; its collector failed:"
                f" {error['type']}: {error['message']}"
            )
        raise salt.exceptions.CommandExecutionError(reason)
    return found[section]


def identity() -> dict[str, Any]:
    """
    Return what identifies this machine, and which identifiers were rejected and why.

    CLI Example:

    .. code-block:: bash

        salt web01 cmdb.identity
    """
    # With the slow collectors: some clouds tell the instance id by their metadata service only.
    found: dict[str, Any] = _ask(agent.whole_document)["identity"]
    return found


def check() -> dict[str, Any]:
    """
    Return whether everything on this minion works: each collector, the settings, the name.

    ``version`` and ``origin`` say which salt-cmdb answers. One that was synced too is
    ``not_used`` while pip's is there.

    CLI Example:

    .. code-block:: bash

        salt '*' cmdb.check
    """
    options = _ask(settings.from_opts)
    found = _ask(agent.whole_document)
    slow = settings.slow_collectors(options)
    grain = {name: item for name, item in found.items() if not slow.get(name)}
    sections = {}
    for section, path in {**slow, **settings.fast_collectors(options)}.items():
        error = found["errors"].get(section)
        if not path:
            sections[section] = "switched off"
        elif error is not None:
            state = "partial" if section in found else "failed"
            sections[section] = f"{state}: {error['type']}: {error['message']}"
        else:
            sections[section] = "ok" if section in found else "this machine gives no way to tell"
    trouble = agent.name_trouble(__opts__)
    return {
        "ok": not found["errors"] and trouble is None,
        "sections": sections,
        "primary": found["identity"]["primary"],
        "root": options["root"],
        "previous_minion_id": agent.previous_name(__opts__),
        "name_file": trouble or "ok",
        "grain_size_bytes": len(document.encode(grain)),
        "document_size_bytes": len(document.encode(found)),
        "duration_ms": found["duration_ms"],
        "version": __version__,
        "origin": origin.origin(),
        "not_used": origin.unused(__opts__),
        "python": platform.python_version(),
    }


def _ask(answer: "Callable[..., T]", *arguments: Any) -> "T":
    """Return ``answer(__opts__, ...)``; a wrong setting becomes a CommandExecutionError."""
    try:
        return answer(__opts__, *arguments)
    except settings.SettingsError as error:
        raise salt.exceptions.CommandExecutionError(str(error)) from error
