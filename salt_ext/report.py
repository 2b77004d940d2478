"""
The envelope in which a machine's facts travel, and what the master asks of it.

A report is ``{"schema", "minion_id", "previous_minion_id", "collected_at",
"mode", "digest", "facts", "volatile", "errors", "partial", "duration_ms"}``.
The digest is over the canonical JSON of the stable facts and is made on the
machine: while it does not change, the master touches one row and never looks
at the body. Which minion a report speaks for is decided by what Salt
authenticated, never by ``minion_id``.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta, timezone

from salt_ext import document

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SCHEMA = 1
MODES = ("agent", "salt", "ssh", "return", "grains")
"""The ways in: by schedule, asked by the master, salt-ssh, ``--return``, the grains alone."""

MINE_FUNCTION = "cmdb.report"
"""The name under which a report lies in the master's mine."""

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 16
MAX_NAME = 255
CLOCK_TOLERANCE = timedelta(minutes=10)


class ReportError(ValueError):
    """A report that cannot be stored: ``field`` says where it is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        """Name the field and what is wrong with it."""
        super().__init__(f"{field}: {reason}")
        self.field = field


def build(
    facts_document: Mapping[str, Any], minion_id: str, previous_minion_id: str | None, mode: str
) -> dict[str, Any]:
    """Return the report of a fact document, as ``facts.collect`` makes it."""
    from salt_ext.facts import HEADER

    sections = {key: value for key, value in facts_document.items() if key not in HEADER}
    stable, volatile = document.split(sections)
    stable = document.normal(stable)
    return {
        "schema": SCHEMA,
        "minion_id": minion_id,
        "previous_minion_id": previous_minion_id,
        "collected_at": facts_document["collected_at"],
        "mode": mode,
        "digest": digest(stable),
        "facts": stable,
        "volatile": volatile,
        "errors": dict(facts_document["errors"]),
        "partial": list(facts_document["partial"]),
        "duration_ms": facts_document["duration_ms"],
    }


def digest(facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of facts in normal form, in hexadecimal."""
    return hashlib.sha256(document.encode(facts)).hexdigest()


def check_header(report: Any, now: datetime) -> datetime:
    """
    Check what the touch of an unchanged report relies on; return ``collected_at``.

    Raises :class:`ReportError`.
    """
    if not isinstance(report, dict):
        raise ReportError("report", f"is {type(report).__name__}, not a mapping")
    if report.get("schema") != SCHEMA or isinstance(report.get("schema"), bool):
        raise ReportError(
            "schema",
            f"is {_short(report.get('schema'))}, this master reads {SCHEMA};"
            " install the same version of salt-cmdb on the minion and on the master",
        )
    if report.get("mode") not in MODES:
        raise ReportError("mode", f"is {_short(report.get('mode'))}, not one of {', '.join(MODES)}")
    value = report.get("digest")
    if not isinstance(value, str) or len(value) != 64 or not set(value) <= set("0123456789abcdef"):
        raise ReportError("digest", f"is {_short(value)}, not a SHA-256 in hexadecimal")
    collected_at = _time(report.get("collected_at"))
    if collected_at > now + CLOCK_TOLERANCE:
        raise ReportError(
            "collected_at",
            f"is {report['collected_at']}, in the future: set the clock of the machine",
        )
    for field, kind in (("errors", dict), ("partial", list)):
        if not isinstance(report.get(field), kind):
            raise ReportError(field, f"is {_short(report.get(field))}, not a {kind.__name__}")
    return collected_at


def check_body(report: Mapping[str, Any]) -> None:
    """Check everything that will be written. Raises :class:`ReportError`."""
    previous = report.get("previous_minion_id")
    if previous is not None and not (isinstance(previous, str) and 0 < len(previous) <= MAX_NAME):
        raise ReportError("previous_minion_id", f"is {_short(previous)}, not a minion id")
    if not all(isinstance(name, str) for name in report["partial"]):
        raise ReportError("partial", "is not a list of section names")
    for collector, error in report["errors"].items():
        if not isinstance(collector, str) or not isinstance(error, dict):
            raise ReportError("errors", "is not a mapping of collectors to error records")
    size = 0
    for field in ("facts", "volatile", "errors", "partial"):
        _walk(report.get(field), field, 0)
        size += len(document.encode(report[field]))
        if size > MAX_BYTES:
            raise ReportError("facts", f"the report is larger than {MAX_BYTES} bytes")
    facts = report["facts"]
    for section, value in facts.items():
        if not isinstance(value, dict) and not document.is_components(value):
            raise ReportError(f"facts.{section}", "is neither a mapping nor a list of mappings")
    if facts != document.normal(facts):
        raise ReportError("facts", "are not in normal form")
    if digest(facts) != report["digest"]:
        raise ReportError("digest", "does not belong to the facts beside it")


def _walk(value: Any, path: str, depth: int) -> None:
    """Refuse what JSON, PostgreSQL's jsonb or a reader's screen cannot take."""
    if depth > MAX_DEPTH:
        raise ReportError(path, f"is nested deeper than {MAX_DEPTH}")
    if isinstance(value, str):
        if "\0" in value:
            raise ReportError(path, "holds a NUL character")
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise ReportError(path, "holds half a surrogate pair") from None
    elif isinstance(value, bool) or value is None:
        pass
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ReportError(path, "is an integer of more than 64 bits")
    elif isinstance(value, float):
        if value - value != 0:
            raise ReportError(path, f"is {value}, which is no number")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or len(key) > MAX_NAME or "\0" in key:
                raise ReportError(path, f"has the key {_short(key)}")
            _walk(item, f"{path}.{key}", depth + 1)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            _walk(item, f"{path}[{number}]", depth + 1)
    else:
        raise ReportError(path, f"is {type(value).__name__}, which is not data")
    if depth == 0 and path in ("facts", "volatile") and not isinstance(value, dict):
        raise ReportError(path, f"is {type(value).__name__}, not a mapping")


def _time(value: Any) -> datetime:
    try:
        # fromisoformat of Python 3.10 does not know the Z.
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except (TypeError, ValueError):
        raise ReportError(
            "collected_at", f"is {_short(value)}, not a time such as 2026-11-21T08:00:00.000Z"
        ) from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
