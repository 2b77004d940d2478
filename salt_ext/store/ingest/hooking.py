"""
A site's own functions, called with each report before it is stored: see report/hooks.py.

A hook is isolated as a collector is. It has its time and a copy of the report; when it
fails, the report is stored as it came, and the failure is a problem of the machine. A
hook that hung is left out for a while, so that it cannot hold up the fleet.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Mapping, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

from salt_ext import document
from salt_ext.facts import dotted_path, failure
from salt_ext.facts.clean import clean
from salt_ext.report import digests
from salt_ext.report.checking import Checked, ReportError, check_body
from salt_ext.report.hooks import Amended, Refused
from salt_ext.report.limits import Limits
from salt_ext.words.visible import indented, visible

log = logging.getLogger(__name__)

HOOK_SECONDS = 2.0
"""The time that a hook has for one report."""

REST_SECONDS = 600.0
"""How long a hook that exceeded its time is not called."""

_resting: dict[str, float] = {}
"""By path, until when a hook is not called, by the monotonic clock of this process."""


class Trouble(NamedTuple):
    """Why a hook did not do its part."""

    path: str
    message: str
    traceback: str = ""


class Hooked(NamedTuple):
    """
    A report after the hooks.

    ``report`` has the digest that the machine sent, whatever the hooks made of the facts:
    by it the next one is known to be the same.
    """

    report: dict[str, Any]
    checked: Checked
    troubles: list[Trouble]


def hooked(
    paths: Sequence[str],
    minion_id: str,
    report: dict[str, Any],
    checked: Checked,
    known: Mapping[str, str],
    limits: Limits,
) -> Hooked:
    """
    Return a report as the hooks leave it, one after the other.

    Raises :class:`ReportError` for a report that a hook refuses.
    """
    troubles: list[Trouble] = []
    for path in paths:
        try:
            answer = _ask(path, minion_id, report)
            if isinstance(answer, Amended):
                report, checked = _amended(report, answer, known, limits)
                sentence = f"{path} amended the report of {minion_id}: {answer.reason}"
                log.info("%s", visible(sentence))
            elif answer is not None:
                raise TypeError(f"returned {type(answer).__name__}, not None or Amended")
        except Refused as refusal:
            raise ReportError(path, f"refuses it: {failure.message(refusal)[:1000]}") from None
        except Exception as error:
            text = failure.trace(error)
            message = f"{path}: {failure.sentence(error)}"[:2000]
            sentence = f"The report of {minion_id} is stored as it came: {message}"
            log.error("%s%s", visible(sentence), indented(text))
            troubles.append(Trouble(path, message, text))
    return Hooked(report, checked, troubles)


def _ask(path: str, minion_id: str, report: Mapping[str, Any]) -> Any:
    """Return what a hook answers. Raises what it raises, and TimeoutError."""
    if (rest := _resting.get(path, 0.0) - time.monotonic()) > 0:
        raise TimeoutError(f"it hung before and is not called for {rest:.0f} s")
    hook = dotted_path.load(path)
    answers: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def call() -> None:
        try:
            answers.put((hook(minion_id, copy.deepcopy(report)), None))
        except BaseException as error:  # it may call sys.exit()
            answers.put((None, error))

    Thread(target=call, daemon=True).start()
    try:
        answer, error = answers.get(timeout=HOOK_SECONDS)
    except Empty:
        _resting[path] = time.monotonic() + REST_SECONDS
        raise TimeoutError(
            f"had no answer within {HOOK_SECONDS:g} s, and is not called for {REST_SECONDS:.0f} s"
        ) from None
    if isinstance(error, Exception):
        raise error
    if error is not None:
        raise RuntimeError(f"ended by {type(error).__name__}") from error
    return answer


def _amended(
    report: Mapping[str, Any], answer: Amended, known: Mapping[str, str], limits: Limits
) -> tuple[dict[str, Any], Checked]:
    """Return a report with other facts, which are checked as those of a machine are."""
    facts = document.normal(clean(answer.facts))
    amended = {**report, "facts": facts}
    checked = check_body({**amended, "digest": digests.of_facts(facts)}, known, limits)
    return amended, checked
