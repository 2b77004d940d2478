"""
What the master checks before it accepts a report.

The header of every report is checked, the body only when it differs from what is
stored. An error names the field that is wrong.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from salt_ext import document
from salt_ext.document import keys
from salt_ext.document.names import NUMBERS
from salt_ext.facts import INSTANCE, MAX_VERSION
from salt_ext.report import digests
from salt_ext.report.envelope import CLOCK_TOLERANCE, MODES, SCHEMA
from salt_ext.report.limits import USUAL, Limits
from salt_ext.report.order import Age, Order
from salt_ext.report.sources import OF_GRAINS
from salt_ext.report.storable import MAX_NAME, TIME, fault, is_plain, short, why_no_key

SMALLEST = 8
"""The bytes of a component with one field of one letter, which is not empty."""
MAX_COLLECTORS = 200
MAX_VERSIONS = 10_000
"""Characters."""
MAX_SINCE_BOOT_MS = 100 * 366 * 24 * 60 * 60 * 1000
"""A hundred years."""

DIGEST = re.compile(r"[0-9a-f]{64}").fullmatch
VERSION = re.compile(r"([^=]{1,255})=(\d{1,5})", re.ASCII).fullmatch
BOOT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch

NUL = b"\\u0000"
"""How JSON spells it."""

NOTHING: Mapping[str, str] = {}


class ReportError(ValueError):
    """A report that cannot be stored; ``field`` is the path of the wrong value."""

    def __init__(self, field: str, reason: str) -> None:
        """Take the path of a field and the reason why its value is wrong."""
        super().__init__(f"{field}: {reason}")
        self.field = field


def check_header(report: Any, now: datetime, modes: Collection[str] = MODES) -> Order:
    """
    Check the fields that are used even of an unchanged report; return when it was made.

    ``now`` is when the master received the report, ``modes`` are those that it knows.
    Raises :class:`ReportError`.
    """
    if not isinstance(report, dict):
        raise ReportError("report", f"is {type(report).__name__}, not a mapping")
    if isinstance(refused := report.get("refused"), str):
        wrong = fault(refused, 0)
        # The master made no report of them; a minion may say so of itself, in any text.
        raise ReportError("grains", wrong[1] if wrong else refused[:500])
    schema = report.get("schema")
    if type(schema) is not int or schema != SCHEMA:
        raise ReportError(
            "schema",
            f"is {short(schema)}, this master reads {SCHEMA};"
            " install the same version of salt-cmdb on the minion and on the master",
        )
    mode = report.get("mode")
    if not isinstance(mode, str) or mode not in modes:
        raise ReportError(
            "mode",
            f"is {short(mode)}, not one of {', '.join(sorted(modes))}; a mode of your own has to"
            " be in the setting modes of the master that takes its reports",
        )
    value = report.get("digest")
    if not isinstance(value, str) or not DIGEST(value):
        raise ReportError("digest", f"is {short(value)}, not a SHA-256 in hexadecimal")
    value = report.get("secret_hash")
    if value is not None and not (isinstance(value, str) and DIGEST(value)):
        raise ReportError("secret_hash", f"is {short(value)}, not a SHA-256 in hexadecimal")
    collected_at = _time(report.get("collected_at"))
    if collected_at > now + CLOCK_TOLERANCE:
        raise ReportError(
            "collected_at",
            f"is {report['collected_at']}, in the future: set the clock of the machine",
        )
    _check_versions(report.get("versions"))
    errors, partial = report.get("errors"), report.get("partial")
    if not isinstance(errors, dict):
        raise ReportError("errors", f"is {short(errors)}, not a mapping")
    if not isinstance(partial, list):
        raise ReportError("partial", f"is {short(partial)}, not a list")
    # The errors are stored even when the facts have not changed.
    if len(errors) > MAX_COLLECTORS:
        raise ReportError("errors", f"are of more than {MAX_COLLECTORS} collectors")
    if errors:
        _walk(errors, "errors", 0)
    for collector, error in errors.items():
        if not isinstance(error, dict):
            raise ReportError(f"errors.{collector}", f"is {short(error)}, not an error record")
    return _order(report, collected_at)


def _check_versions(versions: Any) -> None:
    """Raise ReportError for what cannot be the versions of collectors."""
    if versions is not None and not (isinstance(versions, str) and len(versions) <= MAX_VERSIONS):
        raise ReportError("versions", f"is {short(versions)}, not the versions of collectors")


def _versions(text: str) -> Iterator[tuple[str, int]]:
    """Yield section and version, as in ``disks=2 network=2``. Raises ReportError."""
    for pair in text.split(" ") if text else ():
        found = VERSION(pair)
        if found is None or int(found[2]) > MAX_VERSION:
            raise ReportError("versions", f"has {short(pair)}, not a section and a number")
        yield found[1], int(found[2])


def _order(report: Mapping[str, Any], collected_at: datetime) -> Order:
    """Return when a report was made. Raises ReportError for a boot that is none."""
    boot_id, since_boot_ms = report.get("boot_id"), report.get("since_boot_ms")
    if boot_id is None and since_boot_ms is None:
        return _order_of_volatile(report, collected_at)
    if boot_id is not None and not (isinstance(boot_id, str) and BOOT_ID(boot_id)):
        raise ReportError("boot_id", f"is {short(boot_id)}, not a UUID in small letters")
    if since_boot_ms is not None and not _is_since_boot(since_boot_ms):
        raise ReportError(
            "since_boot_ms", f"is {short(since_boot_ms)}, not a number of milliseconds"
        )
    if boot_id is None or since_boot_ms is None:
        return Order(collected_at)
    return Order(collected_at, boot_id, since_boot_ms)


def _order_of_volatile(report: Mapping[str, Any], collected_at: datetime) -> Order:
    """
    Return the order of a report whose envelope does not tell the boot.

    The first edition's told it among the volatile values only. Those are not checked
    as yet: what is wrong there counts as not known.
    """
    found: Any = report.get("volatile")
    found = found.get("operating_system") if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return Order(collected_at)
    boot_id: Any = found.get("boot_id")
    seconds: Any = found.get("uptime_seconds")
    if not (isinstance(boot_id, str) and BOOT_ID(boot_id) and _is_since_boot(seconds)):
        return Order(collected_at)
    return Order(collected_at, boot_id, min(seconds * 1000, MAX_SINCE_BOOT_MS))


def _is_since_boot(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_SINCE_BOOT_MS


class Checked(NamedTuple):
    """
    The facts of a good report, with the canonical text of each section.

    ``digests`` holds the digest of each section's text, ``digest`` the digest of
    all facts, ``versions`` the version of each collector whose version is not 1.
    """

    facts: dict[str, Any]
    partial: list[str]
    texts: dict[str, bytes]
    digests: dict[str, str]
    digest: str
    versions: Mapping[str, int] = {}


class TooMuch(ReportError):
    """A report of more than one machine may say: it is good, and too large."""


def check_body(
    report: Mapping[str, Any], known: Mapping[str, str] = NOTHING, limits: Limits = USUAL
) -> Checked:
    """
    Check everything that will be stored, and return the facts.

    ``known`` has the digests of the sections that are stored, which were checked
    before: a section with the same digest is not checked again. Raises
    :class:`ReportError`, as :class:`TooMuch` when the report is beyond the limits.
    """
    for field in ("facts", "volatile"):
        if not isinstance(report.get(field), dict):
            raise ReportError(field, f"is {short(report.get(field))}, not a mapping")
    around = {field: value for field, value in report.items() if field != "facts"}
    if wrong := fault(around, -1):
        path, reason = wrong
        raise ReportError(path.removeprefix(".") or "report", reason)
    size = len(document.encode(around))
    if size > limits.max_report_bytes:
        largest = max(around, key=lambda field: len(document.encode(around[field])))
        raise _too_large(largest, size, limits)
    previous = report.get("previous_minion_id")
    if previous is not None and not (isinstance(previous, str) and 0 < len(previous) <= MAX_NAME):
        raise ReportError("previous_minion_id", f"is {short(previous)}, not a minion id")
    _check_proof(report.get("proof"))
    for number, name in enumerate(report["partial"]):
        if not isinstance(name, str):
            raise ReportError(f"partial[{number}]", f"is {short(name)}, not the name of a section")
    if INSTANCE in report["facts"]:
        raise ReportError(f"facts.{INSTANCE}", "is what its cloud tells, and no machine of itself")
    texts: dict[str, bytes] = {}
    found: dict[str, str] = {}
    for section, value in report["facts"].items():
        if why := why_no_key(section):
            raise ReportError("facts", why)
        text = _text(value)
        size += len(text)
        if size > limits.max_report_bytes:
            raise _too_large(f"facts.{_largest({**texts, section: text})}", size, limits)
        found[section] = digests.of_section(text)
        if found[section] != known.get(section):
            _check_section(value, text, f"facts.{section}")
        texts[section] = text
    _check_components(report["facts"], size, limits)
    digest = digests.of_sections(texts)
    if digest != report["digest"]:
        raise ReportError("digest", "does not belong to the facts beside it")
    told = _versions(report.get("versions") or "")
    versions = {name: version for name, version in told if version != 1 and name in found}
    return Checked(report["facts"], report["partial"], texts, found, digest, versions)


def _check_proof(proof: Any) -> None:
    """Raise ReportError for what cannot be a proof, without showing a secret."""
    if proof is None:
        return
    if not isinstance(proof, dict) or proof.keys() != {"secret", "collected_at"}:
        raise ReportError("proof", "is not a mapping of secret and collected_at")
    for field, value in proof.items():
        if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
            raise ReportError(f"proof.{field}", "is not a short text")


def check_document(facts: Mapping[str, Any], texts: Mapping[str, bytes], limits: Limits) -> None:
    """
    Raise :class:`TooMuch` when all that is known of a machine is more than one report may say.

    A report in part removes nothing of what is known: many of them could add up to
    any size.
    """
    size = sum(map(len, texts.values()))
    if size > limits.max_report_bytes:
        raise _too_large(f"facts.{_largest(texts)}", size, limits, "all that is known")
    _check_components(facts, size, limits)


def _check_components(facts: Mapping[str, Any], size: int, limits: Limits) -> None:
    """Raise :class:`TooMuch` when there are too many components in so many bytes."""
    # Nearly all reports are too small for that: then nothing need be counted.
    if size <= SMALLEST * limits.max_components:
        return
    counts = {section: _components(value) for section, value in facts.items()}
    if (count := sum(counts.values())) > limits.max_components:
        raise TooMuch(
            f"facts.{max(counts, key=counts.__getitem__)}",
            f"is most of {count} components; at most {limits.max_components} are stored"
            " (max_components)",
        )


def _components(value: Any) -> int:
    """Return how many mappings there are in lists, at any depth."""
    if isinstance(value, list):
        return sum(isinstance(item, dict) + _components(item) for item in value)
    return sum(map(_components, value.values())) if isinstance(value, dict) else 0


def _largest(texts: Mapping[str, bytes]) -> str:
    return max(texts, key=lambda section: len(texts[section]))


def _too_large(path: str, size: int, limits: Limits, what: str = "the report") -> TooMuch:
    return TooMuch(
        path,
        f"makes {what} {size} bytes or more; at most {limits.max_report_bytes} are stored"
        " (max_report_bytes)",
    )


def _text(value: Any) -> bytes:
    """Return the canonical text of a section, or b"" when it has none; no digest matches that."""
    try:
        return document.encode(value)
    except (TypeError, ValueError, RecursionError):
        return b""


def _check_section(value: Any, text: bytes, path: str) -> None:
    """Raise ReportError for a section that is not in normal form; ``text`` is its canonical one."""
    is_section = isinstance(value, dict) or document.is_components(value)
    # Half a surrogate pair has no text, and NUL shows in it.
    if is_section and text and NUL not in text and is_plain(value, 1):
        return
    _walk(value, path, 1)
    if not is_section:
        raise ReportError(path, f"is {short(value)}, neither a mapping nor a list of mappings")
    if document.normal({path: value})[path] != value:
        raise ReportError(path, "is not in normal form")


def is_set_back(
    report: Mapping[str, Any], collected_at: datetime, now: datetime, last_seen: datetime
) -> bool:
    """
    Whether a report with an earlier ``collected_at`` than the stored one is newer all the same.

    That is so when the machine's clock was set back: the report came (``now``)
    after the machine was last seen, and its ``collected_at`` is more than
    CLOCK_TOLERANCE before ``now``.
    """
    return now > last_seen and is_behind(report, collected_at, now)


def not_newer(report: Order, stored: Order, age: Age) -> ReportError:
    """Return why a report is not stored that is older than what is, or may be."""
    made, other = report.collected_at.isoformat(), stored.collected_at.isoformat()
    reason = f"is {made}, not newer than what is stored ({other})"
    if age is Age.DOUBTFUL:
        reason += (
            ", and of another boot: an old report, or the clock was set back; the next report"
            " of the machine shows which"
        )
    else:
        reason += "; was the clock set back? Set the clock of the machine"
    return ReportError("collected_at", reason)


def doubts(
    report: Mapping[str, Any], sections: Iterable[str], collected_at: datetime, now: datetime
) -> list[ReportError]:
    """Return an error for each value that :func:`check_body` accepts and that is hardly true."""
    found = []
    if is_behind(report, collected_at, now):
        found.append(
            ReportError(
                "collected_at",
                f"is {report['collected_at']}, {now - collected_at} before the report came:"
                " set the clock of the machine",
            )
        )
    for section in sections:
        found += _twins(report["facts"][section], f"facts.{section}")
    return found


def is_behind(report: Mapping[str, Any], collected_at: datetime, now: datetime) -> bool:
    """Whether ``collected_at`` is more than CLOCK_TOLERANCE before ``now``, the master's time."""
    # Grains are evaluated when the minion starts and are sent again later: they may be old.
    return report["mode"] not in OF_GRAINS and now - collected_at > CLOCK_TOLERANCE


def _twins(value: Any, path: str) -> Iterator[ReportError]:
    """Yield an error for each serial number, WWN or MAC that is on several parts of one list."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                yield from _twins(item, f"{path}.{key}")
    elif isinstance(value, list) and len(value) > 1 and document.is_components(value):
        fields = set().union(*value)
        if not any(_is_twice(field, value) for field in NUMBERS if field in fields):
            return
        # What no part can have of its own, such as zeros, is no mistake of a machine.
        owns = zip(value, keys.numbers(value), strict=True)
        known = (keys.number(item) for item, own in owns if own is None)
        for name in dict.fromkeys(filter(None, known)):
            yield ReportError(
                path, f"{short(name)} stands on several; their places tell them apart"
            )


def _is_twice(field: str, items: list[dict[str, Any]]) -> bool:
    """Whether several parts have the same text in a field."""
    found = [text for item in items if isinstance(text := item.get(field), str)]
    return len(set(found)) < len(found)


def _walk(value: Any, path: str, depth: int) -> None:
    """Raise ReportError for a value that JSON or PostgreSQL's jsonb cannot hold."""
    if found := fault(value, depth):
        below, reason = found
        raise ReportError(path + below, reason)


def _time(value: Any) -> datetime:
    if isinstance(value, str) and TIME(value):
        with contextlib.suppress(ValueError):
            # fromisoformat of Python 3.10 does not accept a "Z".
            return datetime.fromisoformat(value[:-1] + "+00:00")
    raise ReportError(
        "collected_at", f"is {short(value)}, not a time such as 2026-11-21T08:00:00.000Z"
    )
