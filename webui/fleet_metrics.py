"""
Numbers of the fleet for Prometheus, at ``/metrics/fleet``: how many, how fresh, what is wrong.

They are the same whichever instance of the web is asked, so they stand apart from the numbers
of a process, and one scrape is enough. No machine has a series of its own, and no machine alone
can make one: every label is a word of ours, the id of a master, or a site where several stand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from salt_ext import store
from salt_ext.document.classes import CLASSES
from webui.access.who import who
from webui.cached import kept_heavy
from webui.reading import database

SITES = 50
"""So many sites have series of their own, the largest."""

SITE_MACHINES = 5
"""A site of fewer machines is counted with the others: one machine can call its site anything."""

OTHERS = "(others)"
"""The label of all sites that have no series of their own."""

LATELY = timedelta(days=1)

blueprint = Blueprint("fleet_metrics", __name__)


@blueprint.get("/metrics/fleet")
def page() -> Response:
    """
    Tell the numbers of the fleet, or only that the database is away.

    That is no error: Prometheus would then not learn which of the two is down.
    """
    if who() is None:  # the token could not be checked
        return _told([UP.of(0)])
    try:
        store.ping(database())
        found, age_seconds = kept_heavy("fleet metrics", lambda: list(_families(database())))
    except store.StoreUnreachable:
        return _told([UP.of(0)])
    return _told([UP.of(1), AGE.of(round(age_seconds, 1)), *found])


class _Told(Collector):
    """Some families of metrics, as the registry asks for them."""

    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = families

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._families


def _told(families: Iterable[GaugeMetricFamily]) -> Response:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(families))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Gauge(NamedTuple):
    """A number, or one for each value of its labels."""

    name: str
    documentation: str
    labels: tuple[str, ...] = ()

    def of(self, value: float) -> GaugeMetricFamily:
        """Return it with its one value."""
        return GaugeMetricFamily(self.name, self.documentation, value)

    def by(self, values: Mapping[tuple[str, ...], float]) -> GaugeMetricFamily:
        """Return it with a value for each of some labels."""
        family = GaugeMetricFamily(self.name, self.documentation, labels=self.labels)
        for labels, value in values.items():
            family.add_metric(labels, value)
        return family


UP = Gauge("cmdb_database_up", "Whether the database answers.")
AGE = Gauge("cmdb_fleet_age_seconds", "How long ago the numbers of the fleet were counted.")
ASSETS = Gauge(
    "cmdb_assets",
    "Assets, by how fresh their reports are.",
    ("kind", "lifecycle", "freshness"),
)
SITE_ASSETS = Gauge(
    "cmdb_site_assets",
    "Assets of each of the largest sites that are not retired.",
    ("site", "freshness"),
)
PROBLEMS = Gauge(
    "cmdb_machines_with_problems",
    "Machines with an open problem of a kind; held: a report waits for a person.",
    ("kind",),
)
DUPLICATES = Gauge(
    "cmdb_duplicate_assets",
    "Assets that share a value which only one should have.",
    ("by",),
)
ILL = Gauge("cmdb_ill_parts", "Parts that fail, wear out or are missing.", ("section", "severity"))
CHANGES = Gauge("cmdb_changes_last_day", "Changes of the last 24 hours.", ("class",))
LOSSES = Gauge(
    "cmdb_losses_last_day",
    "Hardware that went, or became less, in the last 24 hours.",
    ("section",),
)
BEAT = Gauge(
    "cmdb_master_last_beat_timestamp_seconds",
    "When the engine of a master last said that it works.",
    ("master",),
)
WAITING = Gauge(
    "cmdb_master_waiting_reports", "Reports that an engine has yet to store.", ("master",)
)
PLAIN = {
    "heard_last_hour": Gauge("cmdb_heard_last_hour", "Machines that reported in the last hour."),
    "held_reports": Gauge("cmdb_held_reports", "Reports that wait for a person."),
    "inbox_reports": Gauge("cmdb_inbox_reports", "Reports in the inbox that no engine has taken."),
    "database_bytes": Gauge("cmdb_database_bytes", "Size of the database."),
}
FAILING = Gauge("cmdb_failing_collectors", "Collectors that fail on some machine.")


def _families(database: store.Database) -> Iterator[GaugeMetricFamily]:
    groupings = [("kind", "lifecycle")]
    if "site" not in database.hidden.columns:
        groupings.append(("site", "lifecycle"))
    _, [kinds, *sites] = store.totals(database, groupings=groupings)
    yield ASSETS.by(
        {
            (row["kind"], row["lifecycle"], state): row[state]
            for row in kinds
            for state in store.FRESHNESS
        }
    )
    for rows in sites:
        yield SITE_ASSETS.by(_of_sites(rows))
    # What is not wrong is 0: an alert on a series that is not there never ends.
    wrong = dict.fromkeys(("held", *store.PROBLEM_KINDS), 0)
    wrong |= {row["kind"]: row["machines"] for row in store.attention(database)}
    yield PROBLEMS.by({(kind,): number for kind, number in wrong.items()})
    yield DUPLICATES.by(
        {
            (by,): store.duplicates(database, by, limit=1)[1]
            for by in store.SHARED
            if by not in database.hidden.columns and by not in database.hidden.kinds
        }
    )
    yield ILL.by(Counter((row["section"], row["severity"]) for row in store.health(database)))
    since = datetime.now(timezone.utc) - LATELY
    changes = store.count_classes(database, store.Wanted(since=since))
    yield CHANGES.by({(name,): changes[name].number if name in changes else 0 for name in CLASSES})
    losses = dict.fromkeys(store.LOSABLE, 0)
    losses |= store.count_losses(database, since)
    yield LOSSES.by({(section,): number for section, number in losses.items()})
    masters = store.masters(database)
    yield BEAT.by({(row["name"],): row["beat_at"].timestamp() for row in masters})
    yield WAITING.by({(row["name"],): row["waiting"] for row in masters})
    statistics = store.statistics(database)
    for name, gauge in PLAIN.items():
        yield gauge.of(statistics[name])
    yield FAILING.of(len(statistics["collectors"]))


def _of_sites(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, ...], float]:
    """Return how fresh the assets of each site are; small sites, and those after many, are one."""
    sites: dict[str, Counter[str]] = {}
    for row in rows:
        if row["lifecycle"] != "retired":
            counted = {state: row[state] for state in store.FRESHNESS}
            sites.setdefault(row["site"] or "", Counter()).update(counted)
    largest = sorted(sites, key=lambda site: (-sites[site].total(), site))
    own = {one for one in largest[:SITES] if sites[one].total() >= SITE_MACHINES}
    found: Counter[tuple[str, ...]] = Counter()
    for site, counted in sites.items():
        label = site if site in own else OTHERS
        found.update({(label, state): number for state, number in counted.items()})
    return dict(found)
