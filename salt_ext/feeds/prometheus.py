"""
Targets for Prometheus: ``http_sd_configs`` asks for them, ``file_sd_configs`` reads a file.

https://prometheus.io/docs/prometheus/latest/http_sd/

One value that is no string, or one bad name of a label, and Prometheus drops the whole list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from salt_ext.feeds.feed import COLUMNS, FIELDS, NAME, OOB, PORT, Feed, json_list
from salt_ext.feeds.handed import Handed, LeftOut
from salt_ext.store import FilterError
from salt_ext.words.plain import simple

PREFIX = "__meta_cmdb_"
NOT_IN_LABELS = re.compile("[^A-Za-z0-9_]")


def write(
    machines: Iterable[Handed],
    left_out: list[LeftOut],
    *,
    port: int,
    fields: Sequence[str],
    name: str,
    oob: bool,
) -> Iterator[str]:
    """Yield one group for each machine, so that each has labels of its own."""
    labels = _labels(("asset_id", "name", *COLUMNS, *fields))
    of_columns = {"id": labels.pop("asset_id"), **labels}
    yield from json_list(
        {
            "targets": [f"{machine.host}:{port}"],
            "labels": {
                label: _text(value)
                for column, label in of_columns.items()
                if (value := machine.row.get(column)) is not None
            },
        }
        for machine in machines
    )


def _labels(fields: Iterable[str]) -> dict[str, str]:
    """Return the label of each field. Raises :class:`FilterError` where two have the same."""
    found: dict[str, str] = {}
    for field in fields:
        label = label_of(field)
        other = found.setdefault(label, field)
        if other != field:
            raise FilterError(
                f"{other} and {field} would both be the label {label}: ask for one of them"
            )
    return {field: label for label, field in found.items()}


def label_of(field: str) -> str:
    """
    Return the label of a field, in the characters that Prometheus has in labels.

    ``list.owner`` is ``__meta_cmdb_list_owner``. Of a letter beyond ASCII the code point is
    taken, so that every heading has a label: ``list.班`` is ``__meta_cmdb_list__73ed_``.
    """
    return PREFIX + NOT_IN_LABELS.sub(_spelled, field)


def _spelled(found: re.Match[str]) -> str:
    return "_" if found[0].isascii() else f"_{ord(found[0]):x}_"


def _text(value: Any) -> str:
    value = simple(value)
    if isinstance(value, str):
        # The usual rule of relabel_configs, (.*), fits no line break: the label would be lost.
        return value.replace("\n", " ")
    return str(value).lower() if isinstance(value, bool) else str(value)


FEED = Feed(
    "Prometheus, by http_sd_configs or file_sd_configs.",
    "application/json",
    write,
    ("address", *COLUMNS),
    {"port": PORT, "fields": FIELDS, "oob": OOB, "name": NAME},
)
