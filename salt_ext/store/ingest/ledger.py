"""
Which identifiers an asset shows from now on, and which no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any


def ledger_rows(
    candidates: Iterable[Mapping[str, Any]],
    name: str,
    ledger: Mapping[tuple[str, str], bool],
    at: datetime,
    last_seen: datetime,
) -> Iterator[dict[str, Any]]:
    """
    Yield the rows of ``identifier`` that a report changes, without the id of the asset.

    ``candidates`` are the identifiers that it shows, ``name`` is the minion id of the asset.
    ``ledger`` says of each known identifier whether the asset showed it until ``last_seen``.
    """
    shown = {(one["kind"], one["value"]): (one["source"], one["quality"]) for one in candidates}
    shown["minion_id", name] = ("salt", "low")
    for key, said in shown.items():
        if not ledger.get(key):
            yield _row(key, said, at, None)
    for key, is_current in ledger.items():
        if is_current and key not in shown:
            yield _row(key, ("", ""), at, last_seen)


def _row(
    key: tuple[str, str], said: tuple[str, str], at: datetime, last_seen: datetime | None
) -> dict[str, Any]:
    (kind, value), (source, quality) = key, said
    return {
        "kind": kind,
        "value": value,
        "source": source,
        "quality": quality,
        "disowned": False,
        "first_seen": at,
        "last_seen": last_seen,
    }
