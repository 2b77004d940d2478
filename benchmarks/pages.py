"""
Every page, file and API path at its usual size, with what it may cost: for ``benchmarks.web``.

A page that is new gets a line in :func:`pages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote, urlencode

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
CHANGES = Budget(30)
THROUGH_THE_FLEET = Budget(100)
"""Kept up to date, or kept for some seconds with its age."""
AS_OF_300_DAYS = Budget(150)
WHOLE = Budget(kilobytes=None)
"""A page of which nothing is left out."""


class Page(NamedTuple):
    """Addresses of one kind, which are asked for in turn."""

    name: str
    addresses: Sequence[str]
    budget: Budget = Budget()
    is_kept: bool = False
    """Whether its answer is kept for some seconds: then it is measured without that, too."""


def pages(sample: Sample) -> list[Page]:
    """Return all of them, with values of the store to ask for; the first costs least."""
    return [
        Page("/healthz", ["/healthz"]),
        *_of_the_fleet(sample),
        *_of_one(sample),
        *_of_parts(sample),
        *_of_quality(),
        *_of_the_api(sample),
    ]


def _of_the_fleet(sample: Sample) -> list[Page]:
    names = [row["minion_id"] for row in sample.assets if row["minion_id"]]
    texts = [f"/assets?{urlencode({'q': one[:-2]})}" for one in names]
    three = {"memory_bytes__gte": "128GiB", "kind": "physical"}
    filtered = [f"/assets?{urlencode({'site': site, **three})}" for site in sample.values("site")]
    sites = [urlencode({"site": site}) for site in sample.values("site")]
    return [
        Page("overview", ["/"], Budget(15), is_kept=True),
        Page("list", ["/assets"], LIST),
        Page("list, sorted", ["/assets?_sort=-memory_bytes", "/assets?_sort=site"], LIST),
        Page("list, three filters", filtered, LIST),
        Page("list, a text", texts, LIST),
        Page("list as of 300 days", ["/assets?_as_of=300d", "/assets?_as_of=299d"], AS_OF_300_DAYS),
        Page("values of a field", ["/suggest?field=product_name&q=R7"]),
        Page("changes of 24 hours", ["/changes"], CHANGES),
        Page("changes of 30 days", ["/changes?since=30d"], CHANGES),
        Page("changes of 400 days", ["/changes?since=400d"], CHANGES),
        Page("changes, 200 days back", ["/changes?since=400d&until=200d"], CHANGES),
        Page("losses of 400 days", ["/changes?since=400d&class=loss"], CHANGES),
        Page("changes of a site, 400 days", [f"/changes?since=400d&{one}" for one in sites]),
        Page("changes of memory, 400 days", ["/changes?since=400d&section=memory"], CHANGES),
        Page("fleet diff of 7 days", ["/changes/fleet?since=7d"], is_kept=True),
        Page("reports", ["/reports"]),
        Page("totals by fields", ["/reports/groups"], is_kept=True),
        Page("snapshots", ["/snapshots"]),
        Page("status", ["/status"], is_kept=True),
        Page("help", ["/help"], WHOLE),
    ]


def _of_one(sample: Sample) -> list[Page]:
    ids = [row["id"] for row in sample.assets]
    old = [row["id"] for row in sample.assets if row["first_seen"] < sample.days_ago(40)]
    names = [row["minion_id"] for row in sample.assets if row["minion_id"]]
    pairs = list(zip(ids[::2], ids[1::2], strict=False))
    return [
        Page("asset", [f"/a/{one}" for one in ids], ASSET),
        Page("asset as of 30 days", [f"/a/{one}?_as_of=30d" for one in old]),
        Page("asset's changes", [f"/a/{one}/changes" for one in ids]),
        Page("identity", [f"/a/{one}/identity" for one in ids]),
        Page("card", [f"/a/{one}/card" for one in ids]),
        Page("raw document", [f"/a/{one}/raw" for one in ids], WHOLE),
        Page("compare two", [f"/compare?a={one}&b={other}" for one, other in pairs]),
        Page("a name, found", [f"/find?{urlencode({'q': one})}" for one in names]),
    ]


def _of_parts(sample: Sample) -> list[Page]:
    parts = sample.rows(
        "SELECT split_part(path, '[', 1) AS section, serial FROM placement"
        " ORDER BY md5(asset_id::text || serial) LIMIT 200"
    )
    places = sorted(
        {(row["site"], row["rack"]) for row in sample.assets if row["site"] and row["rack"]}
    )
    of_parts = [f"/parts/{one['section']}/{quote(one['serial'], safe='')}" for one in parts]
    of_racks = [f"/racks/{quote(site)}/{quote(rack)}" for site, rack in places]
    return [
        Page("kinds of disks", ["/parts"], is_kept=True),
        Page("kinds of memory", ["/parts?section=memory"], is_kept=True),
        Page("part", of_parts),
        Page("racks", ["/racks"]),
        Page("rack", of_racks),
    ]


def _of_the_api(sample: Sample) -> list[Page]:
    ids = [row["id"] for row in sample.assets]
    api = "/api/v1"
    return [
        Page("API: list", [f"{api}/assets"], LIST),
        Page("API: list as of 300 days", [f"{api}/assets?_as_of=300d"], AS_OF_300_DAYS),
        Page("API: asset", [f"{api}/assets/{one}" for one in ids], ASSET),
        Page("API: document", [f"{api}/assets/{one}/document" for one in ids], WHOLE),
        Page("API: changes of 24 hours", [f"{api}/changes"], CHANGES),
        Page("API: counts", [f"{api}/counts"], is_kept=True),
        Page("API: facets", [f"{api}/facets?_facet=site,product_name"]),
        Page("API: ill parts", [f"{api}/health"], THROUGH_THE_FLEET, is_kept=True),
        Page("API: description", [f"{api}/openapi.json"], WHOLE),
        Page("API: description, for people", ["/api"], WHOLE),
    ]


def _of_quality() -> list[Page]:
    return [
        Page("ill parts", ["/health"], THROUGH_THE_FLEET, is_kept=True),
        Page("batches", ["/health/batches"], THROUGH_THE_FLEET, is_kept=True),
        Page("warnings", ["/health/warnings"], is_kept=True),
        Page("losses", ["/losses"]),
        Page("reactions", ["/reactions"]),
        Page("odd", ["/odd"], THROUGH_THE_FLEET, is_kept=True),
        Page("installations", ["/installations"]),
        Page("quality", ["/quality"], is_kept=True),
        Page("held reports", ["/quality/held"]),
        Page("duplicates", ["/quality/duplicates"], is_kept=True),
        Page("silent machines", ["/quality/missing"]),
        Page("expected, not found", ["/quality/awaited"]),
        Page("found, not expected", ["/quality/unexpected"]),
        Page("collectors that fail", ["/quality/collectors"]),
        Page("clouds", ["/clouds"]),
        Page("problems", ["/problems"]),
    ]


HEAVY = ("/assets?_as_of=300d", "/assets?_as_of=200d&_sort=-memory_bytes", "/assets.csv")
"""Asked for by many at once while ``/healthz`` has to answer."""

FILE = "/assets"
"""The table of all assets, as a file of each format."""
