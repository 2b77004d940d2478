"""
Every page of the fleet that the browser looks at, with what there is to see on it.

A page that is new gets a line here: a test compares this with the routes of the application.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from flask import Flask

from salt_ext import store
from tests.browser.fleet import ILL, LONG, LOSES, RACK, SCRIPT, SITE, TAKES

NO_PAGES = {
    "asset.at",  # leads to the page as of then
    "asset.data",
    "assets.narrow",  # leads to the list
    "find.to_asset",  # as find.by_query does
    "find.by_query",
    "fleet_metrics.page",
    "metrics.page",
    "probes.alive",
    "probes.ready",
    "static",
}
"""What answers with no page of its own."""

TABLES_LATER = ("/a/", "/status", "/help")
"""Pages that begin with something else than rows, and have contents or headings to go by."""

DISK = "S64F000901"
"""It was in one machine and is in another."""


def places(database: store.Database) -> list[str]:
    """Return the addresses of all pages, and of those that look different with other options."""

    def ids(**filters: str) -> list[str]:
        return [str(row["id"]) for row in store.assets(database, filters=filters).rows]

    def asset(name: str) -> str:
        return f"/a/{store.resolve(database, name)}"

    ill, lost = asset(ILL), asset(LOSES)
    [hostile] = ids(product_name=SCRIPT)
    [long] = ids(product_name=LONG)
    [detached] = ids(freshness="detached", site=SITE)
    listed = ids(freshness="unreported")[0]
    pair = urlencode({"a": LOSES, "b": TAKES})
    return [
        *("/", "/?_as_of=90d"),
        *("/assets", f"/assets?site={SITE}&_facet=os&_limit=10", "/assets?site=nowhere"),
        *("/assets?_as_of=90d&_limit=10", "/assets?q=web&_sort=-memory_bytes&_limit=10"),
        *(ill, lost, f"{ill}?_as_of=30d", f"/a/{hostile}", f"/a/{long}"),
        *(f"/a/{detached}", f"/a/{listed}"),
        *(f"{lost}/changes", f"/a/{hostile}/changes?class=all"),
        *(f"{ill}/identity", f"/a/{hostile}/identity"),
        *(f"{ill}/card", f"/a/{long}/card", f"{ill}/raw", f"/a/{hostile}/raw"),
        *("/find?q=nobody+knows", "/find?q=app000", "/find?q=site:"),
        *("/changes", "/changes?since=14d&site=ber1", "/changes?since=120d&class=all&_limit=20"),
        "/changes/fleet?since=30d",
        *("/parts", "/parts?section=memory", f"/parts/disks/{DISK}"),
        f"/parts/disks/{quote(SCRIPT, safe='')}-950",
        *("/compare", f"/compare?{pair}", f"/compare?a={hostile}&b={long}&c={ILL}&d={ILL}@30d"),
        *(
            "/racks",
            f"/racks/{SITE}/{RACK}",
            f"/racks/{quote(SCRIPT, safe='')}/" + quote(SCRIPT, safe=""),
        ),
        *("/health", "/health/batches", "/health/warnings", "/odd", "/quality", "/quality/held"),
        *(
            "/quality/duplicates",
            "/quality/missing",
            "/quality/awaited",
            "/quality/unexpected?_limit=10",
        ),
        *(
            "/quality/collectors",
            "/problems",
            "/reports",
            "/reports/groups?group_by=site,os&_limit=10",
        ),
        *("/installations", "/losses", "/reactions", "/clouds", "/clouds/never-asked"),
        *("/snapshots", "/status", "/help", "/suggest?field=product_name&q=Power", "/api"),
        *("/nowhere", "/assets?hostnam=web01"),
    ]


def uncovered(app: Flask, addresses: list[str]) -> list[str]:
    """Return the endpoints of pages that none of these addresses shows."""
    bound = app.url_map.bind("localhost")
    covered = {
        bound.match(one.partition("?")[0])[0] for one in addresses if not one.startswith("/nowhere")
    }
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and not rule.rule.endswith((".csv", ".json", ".ndjson", ".xlsx"))
        and not rule.rule.startswith("/api/v1/")
    }
    return sorted(pages - covered - NO_PAGES)
