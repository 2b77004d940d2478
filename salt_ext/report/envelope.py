"""
The envelope in which a machine's facts travel.

A report is ``{"schema", "minion_id", "previous_minion_id", "collected_at",
"mode", "boot_id", "since_boot_ms", "secret_hash", "proof", "digest", "facts",
"volatile", "errors", "partial", "versions", "duration_ms"}``. ``boot_id`` and ``since_boot_ms``
say which of two reports was made later, whatever the clock of the machine says; both
may be absent.
``versions`` has the version of each collector that is not the first one of its kind, as in
``disks=2 network=2``: by that the store tells what has changed from what is told in another
way. It is a text, because it is read with every report and hardly ever looked into.
The digest is over the canonical JSON of the stable facts and is made on the
machine. While it does not change, the master updates one row and does not read
the body. Which minion a report belongs to is decided by the id that Salt
authenticated, never by ``minion_id``. ``secret_hash`` and ``proof`` are those of
the name file, see :mod:`salt_ext.report.name_file`; a proof is never stored.
"""

from __future__ import annotations

from datetime import timedelta

from salt_ext import document
from salt_ext.document.volatile import split
from salt_ext.report import digests
from salt_ext.report.sources import OF_GRAINS

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SCHEMA = 1
MODES = ("agent", "salt", "ssh", "return", *OF_GRAINS)
"""
How a report came: by schedule, by a master's job, salt-ssh, ``--return``, or out of grains.

The setting ``modes`` adds others.
"""

MINE_FUNCTION = "cmdb.report"
"""The function name under which a report is in the master's mine."""

CLOCK_TOLERANCE = timedelta(minutes=10)


def build(
    facts_document: Mapping[str, Any],
    minion_id: str,
    previous_minion_id: str | None,
    mode: str,
    *,
    secret_hash: str | None = None,
    proof: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the report made from a fact document such as ``facts.collect`` returns."""
    from salt_ext.facts import HEADER

    sections = {key: value for key, value in facts_document.items() if key not in HEADER}
    stable, volatile = split(sections)
    stable = document.normal(stable)
    return {
        "schema": SCHEMA,
        "minion_id": minion_id,
        "previous_minion_id": previous_minion_id,
        "collected_at": facts_document["collected_at"],
        "boot_id": facts_document.get("boot_id"),
        "since_boot_ms": facts_document.get("since_boot_ms"),
        "mode": mode,
        "secret_hash": secret_hash,
        "proof": proof,
        "digest": digests.of_facts(stable),
        "facts": stable,
        "volatile": volatile,
        "errors": dict(facts_document["errors"]),
        "partial": list(facts_document["partial"]),
        "versions": versions(facts_document.get("versions")),
        "duration_ms": facts_document["duration_ms"],
    }


def versions(by_section: Mapping[str, int] | None) -> str:
    """Return the versions of collectors as they stand in a report."""
    return " ".join(f"{name}={version}" for name, version in sorted((by_section or {}).items()))
