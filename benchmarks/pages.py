"""
Every page, file and API path at its usual size, with what it may cost: for ``benchmarks.web``.

A page that is new gets a line in :func:`pages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from benchmarks.reads import Sample


class Budget(NamedTuple):
    """What a request may cost at most; None for no limit."""

    cpu_ms: float | None = None
    """The processor time of the web process and of PostgreSQL together."""
    statements: int | None = None
    kilobytes: float | None = 100
    """Before compression."""


LIST = Budget(20)
ASSET = Budget(8, statements=8, kilobytes=60)
THROUGH_THE_FLEET = Budget(100)
"""Of what looks through all assets: kept up to date, or kept for some seconds with its age."""


class Page(NamedTuple):
    """Addresses of one kind, which are asked for in turn."""

    name: str
    addresses: Sequence[str]
    budget: Budget = Budget()


def pages(sample: Sample) -> list[Page]:
    """Return all of them, with values of the store to ask for."""
    ids = [str(row["id"]) for row in sample.assets]
    old = [str(row["id"]) for row in sample.assets if row["first_seen"] < sample.days_ago(40)]
    names = [row["minion_id"] for row in sample.assets if row["minion_id"]]
    sites = sample.values("site")
    filtered = [
        urlencode({"site": site, "memory_bytes__gte": "128GiB", "kind": "physical"})
        for site in sites
    ]
    return [
        Page("/healthz", ["/healthz"]),
        Page("overview", ["/"], Budget(15)),
        Page("list", ["/assets"], LIST),
        Page("list, sorted", ["/assets?_sort=-memory_bytes", "/assets?_sort=site"], LIST),
        Page("list, three filters", [f"/assets?{one}" for one in filtered], LIST),
        Page("list, a text", [f"/assets?{urlencode({'q': one[:-2]})}" for one in names], LIST),
        Page("list as of 300 days", ["/assets?_as_of=300d", "/assets?_as_of=299d"], Budget(150)),
        Page("asset", [f"/a/{one}" for one in ids], ASSET),
        Page("asset as of 30 days", [f"/a/{one}?_as_of=30d" for one in old]),
        Page("changes of 24 hours", ["/changes"], Budget(30)),
        Page("changes of 30 days", ["/changes?since=30d"], Budget(30)),
        Page("changes of 400 days", ["/changes?since=400d"], Budget(30)),
        Page("ill parts", ["/health"], THROUGH_THE_FLEET),
        Page("problems", ["/problems"]),
        Page("a name, found", [f"/find?{urlencode({'q': one})}" for one in names]),
    ]


HEAVY = ("/assets?_as_of=300d", "/assets?_as_of=200d&_sort=-memory_bytes", "/assets.csv")
"""Asked for by many at once while ``/healthz`` has to answer."""

FILE = "/assets"
"""The table of all assets, as a file of each format."""
