"""
Every read that the runner and the web make of the store, with what to ask it for.

Each goes through the function of the store that they use. The questions have values of the store
itself. Its assets are the first ones from some id on, so that they are spread over the store and
a second run asks the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext import store
from salt_ext.store.reads import cursors
from salt_ext.store.reads.listing import PARTS, joined, listing
from salt_ext.store.reads.paging import zones_of

SAMPLE = 200
PAGE = 100
DEPTHS = (0.1, 0.5, 0.9)
TEXTS = ("contains", "startswith", "endswith", "glob")
MAGNITUDES = ("gt", "gte", "lt", "lte")
DAY = timedelta(days=1)

MANY = 500_000
"""With more assets than this, the budgets are those of a million."""

FROM = """
coalesce((SELECT id FROM asset WHERE id > '40000000-0000-0000-0000-000000000000' LIMIT 1),
         '00000000-0000-0000-0000-000000000000')
"""
"""The id from which the samples are taken: among those of copies, which are spread evenly."""

Ask = Callable[[], int]
"""Ask for one thing; return how many rows came."""


class Read(NamedTuple):
    """A read, or several of one kind by their names, and the budget of the 95th percentile."""

    name: str
    budget_ms: float | None
    kinds: Mapping[str, Sequence[Ask]]


class Sample:
    """Values of a store, to ask the store for."""

    def __init__(self, database: store.Database) -> None:
        """Read the samples from the store."""
        self.database = database
        self.now = datetime.now(timezone.utc)
        of_each = f"asset_id > {FROM} ORDER BY asset_id LIMIT {SAMPLE}"
        identifiers = "SELECT DISTINCT ON (asset_id) value FROM identifier WHERE last_seen"
        self.assets = self.rows(
            "SELECT asset.*, last_seen, changed_at, mode FROM asset"
            f" JOIN asset_seen ON asset_id = asset.id WHERE minion_id IS NOT NULL AND {of_each}"
        )
        self.total = int(self.column("SELECT count(*) FROM asset")[0])
        self.macs = self.column(f"{identifiers} IS NULL AND kind = 'mac' AND {of_each}")
        self.former = self.column(f"{identifiers} IS NOT NULL AND kind = 'minion_id' AND {of_each}")
        self.serials = self.column(
            "SELECT DISTINCT ON (asset_id) serial FROM placement"
            f" WHERE until IS NOT NULL AND {of_each}"
        )
        self.has_trigrams = store.server(database)["has_trigrams"]

    def budget_ms(self, usual: float, of_a_million: float) -> float:
        """Return what a read may take in this store."""
        return of_a_million if self.total > MANY else usual

    def weeks(self) -> list[datetime]:
        """Return when each week of the past began, the one with the fewest reports first."""
        return self.column(
            "SELECT date_trunc('week', recorded_at) FROM revision"
            " WHERE recorded_at < date_trunc('week', now() - interval '40 days')"
            " AND recorded_at >= date_trunc('week', now() - interval '340 days')"
            " GROUP BY 1 ORDER BY count(*)"
        )

    def rows(self, statement: str) -> list[dict[str, Any]]:
        """Run a statement that only reads; return its rows."""
        with self.database.begin() as link:
            link.exec_driver_sql("SET LOCAL statement_timeout = 0")
            return [dict(row._mapping) for row in link.execute(sa.text(statement))]

    def column(self, statement: str) -> list[Any]:
        """Run a statement that only reads and has one column; return the values."""
        return [value for row in self.rows(statement) for value in row.values()]

    def days_ago(self, days: int) -> datetime:
        """Return a moment of the past."""
        return self.now - days * DAY

    def values(self, field: str) -> tuple[Any, Any]:
        """Return the most frequent value of a field and one of the least frequent."""
        if field == "freshness":
            return "fresh", "missing"
        section, _, name = field.partition(".")
        table = "asset JOIN asset_seen ON asset_id = asset.id"
        if name:
            table = f"part WHERE section = '{section}'"
        found = self.column(
            f"WITH counted AS (SELECT value, count(*) FROM (SELECT {name or field} AS value"
            f"  FROM {table}) AS one WHERE value IS NOT NULL GROUP BY value)"
            " (SELECT value FROM counted ORDER BY count DESC, value LIMIT 1) UNION ALL"
            " (SELECT value FROM counted ORDER BY count, value DESC LIMIT 1)"
        )
        return (found[0], found[-1]) if found else (None, None)


def reads(database: store.Database) -> Iterator[Read]:
    """Yield all reads in the order of the table."""
    sample = Sample(database)
    yield from _of_one(sample)
    yield from _lists(sample)
    yield from _filters(sample)
    yield from _texts(sample)
    yield from _totals(sample)
    yield from _history(sample)
    yield from _parts(sample)
    yield from _fleet(sample)
    yield from _others(sample)


def _one(name: str, budget_ms: float | None, asks: Sequence[Ask]) -> Read:
    return Read(name, budget_ms, {"": asks})


def _of_one(sample: Sample) -> Iterator[Read]:
    def find(reference: str) -> int:
        try:
            return bool(store.resolve(sample.database, reference))
        except store.NotFound:
            return 0

    def page(row: Mapping[str, Any]) -> int:
        """Read what the page of an asset reads."""
        found = store.asset_page(sample.database, row["id"], limit=20)
        return len(found["changes"])

    quick = sample.budget_ms(2, 3)
    for name, budget, references in (
        ("asset by serial number", quick, [row["sn"] for row in sample.assets if row["sn"]]),
        ("asset by minion id", quick, [row["minion_id"] for row in sample.assets]),
        ("asset by MAC", None, sample.macs),
        ("asset by former name", None, sample.former or ["nobody"]),
        ("asset that is not there", None, [f"nobody-{number}" for number in range(SAMPLE)]),
    ):
        yield _one(name, budget, [partial(find, one) for one in references])
    yield _one("asset page", sample.budget_ms(8, 10), [partial(page, row) for row in sample.assets])


def _listed(sample: Sample, **question: Any) -> Ask:
    def ask() -> int:
        return len(store.assets(sample.database, limit=PAGE, **question).rows)

    return ask


def _paging(sample: Sample, sort: str, cursor: str | None) -> Sequence[Ask]:
    """Ask for one page after another, beginning again when there are no more."""
    here = cursor

    def ask() -> int:
        nonlocal here
        page = store.assets(sample.database, sort=sort, limit=PAGE, cursor=here)
        here = page.next or cursor
        return len(page.rows)

    return [ask]


def _lists(sample: Sample) -> Iterator[Read]:
    budget = sample.budget_ms(25, 40)
    sorts = [way + name for name in store.listable(sample.database) for way in ("", "-")]
    yield Read(
        "list, first page, any sort",
        budget,
        {sort: [_listed(sample, sort=sort)] for sort in sorts},
    )
    # To find the row in the middle of a million takes as long as some hundred pages.
    for depth in DEPTHS[1:2] if sample.total > MANY else DEPTHS:
        yield Read(
            f"list, page at {depth:.0%}, any sort",
            budget,
            {sort: _paging(sample, sort, _cursor(sample, sort, depth)) for sort in sorts},
        )


def _cursor(sample: Sample, sort: str, depth: float) -> str | None:
    """Return the cursor of the row so deep in a list, without reading the pages before it."""
    source = listing(sample.database, None)
    number = skipped = int(sample.total * depth)
    with sample.database.begin() as link:
        link.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for zone in zones_of(source, sort):
            order, key = zone.order.label("value"), source.key.label("id")
            rows = joined(sa.select(order, key), source, [zone.condition])
            ways = (order.desc(), key.desc()) if sort.startswith("-") else (order, key)
            found = link.execute(rows.order_by(*ways).offset(skipped).limit(1)).first()
            if found is not None:
                return cursors.write((sort, *found, number, False))
            skipped -= link.scalar(sa.select(sa.func.count()).select_from(rows.subquery())) or 0
    return None


def _filters(sample: Sample) -> Iterator[Read]:
    budget = sample.budget_ms(60, 250)
    of_assets, of_parts = store.listable(sample.database), list(PARTS)
    for name, fields in (("the asset", of_assets), ("its parts", of_parts)):
        kinds = {
            " ".join(f"{key}={value}" for key, value in question.items()): [
                _listed(sample, filters=question)
            ]
            for field in fields
            for question in _questions(field, *sample.values(field))
        }
        yield Read(f"list and count, one filter on {name}", budget, kinds)
    two = {"disks.model": "disks.firmware_version", "memory.manufacturer": "memory.type"}
    yield Read(
        "list and count, two filters on one part",
        budget,
        {
            f"{one} {other}": [
                _listed(sample, filters={one: value, other: sample.values(other)[0]})
                for value in sample.values(one)
            ]
            for one, other in two.items()
        },
    )


def _questions(field: str, common: Any, rare: Any) -> Iterator[dict[str, Any]]:
    """Yield every comparison with a frequent value and a rare one."""
    yield {f"{field}__isnull": "true"}
    yield {f"{field}__isnull": "false"}
    for value in (common, rare):
        if value is None:
            continue
        if isinstance(value, datetime):
            for operator in MAGNITUDES:
                yield {f"{field}__{operator}": f"{value:%Y-%m-%d %H:%M:%S}"}
            continue
        yield {field: str(value) if isinstance(value, bool) else value}
        yield {f"{field}__not": str(value) if isinstance(value, bool) else value}
        if isinstance(value, bool):
            continue
        yield {f"{field}__in": [value, rare]}
        yield {f"{field}__notin": [value, rare]}
        if isinstance(value, int):
            for operator in MAGNITUDES:
                yield {f"{field}__{operator}": value}
            continue
        middle = value[1:-1] or value
        for operator, text in zip(
            TEXTS, (middle, value[:4], value[-4:], f"*{middle}*"), strict=True
        ):
            yield {f"{field}__{operator}": text}


def _texts(sample: Sample) -> Iterator[Read]:
    budget = sample.budget_ms(25, 60) if sample.has_trigrams else 150
    names = [row["minion_id"] for row in sample.assets]
    models = [(row["product_name"] or "none").split()[-1] for row in sample.assets]
    both = [f"{one} {row['site']}" for one, row in zip(models, sample.assets, strict=True)]
    roles = ["".join(itertools.takewhile(str.isalpha, one)) for one in names]
    for name, texts in (
        ("a name", names),
        ("what many names begin with", roles),
        ("a part of many names", [one[:-4] for one in names]),
        ("a model", models),
        ("a model and a site", both),
        ("a MAC", sample.macs),
        ("half a MAC", [one[:8] for one in sample.macs]),
        ("two characters", [one[-2:] for one in names]),
        ("nothing found", [f"{one} nobody{number}" for number, one in enumerate(models)]),
    ):
        yield _one(f"free text, {name}", budget, [_listed(sample, text=text) for text in texts])


def _totals(sample: Sample) -> Iterator[Read]:
    def report(group_by: str, at: datetime | None = None) -> int:
        return len(store.totals(sample.database, groupings=[group_by], at=at)[1][0])

    for group_by, budget in (
        ("site", None),
        ("manufacturer,product_name", sample.budget_ms(100, 600)),
        ("os", None),
        ("site,manufacturer,product_name,os", None),
    ):
        yield _one(f"report by {group_by}", budget, [partial(report, group_by)])
    for days in (30, 300):
        moments = [sample.now - days * DAY - timedelta(minutes=one) for one in range(SAMPLE)]
        yield _one(
            f"report by model as of {days} days ago",
            400,
            [partial(report, "manufacturer,product_name", one) for one in moments],
        )
        yield _one(
            f"list as of {days} days ago",
            150,
            [_listed(sample, at=one) for one in moments],
        )


def _history(sample: Sample) -> Iterator[Read]:
    year = [sample.now - (10 + 3 * number % 340) * DAY for number in range(SAMPLE)]

    def document(row: Mapping[str, Any], at: datetime) -> int:
        return len(store.document(sample.database, row["id"], at)[1])

    def compare(row: Mapping[str, Any], start: datetime | None) -> int:
        return len(store.compare(sample.database, row["id"], start, None)[2])

    def feed(since: datetime, limit: int) -> int:
        return len(store.changes(sample.database, store.Wanted(since=since), limit=limit))

    def count(since: datetime) -> int:
        return store.count_changes(sample.database, store.Wanted(since=since))

    def difference(start: datetime, days: int) -> int:
        found = store.fleet_diff(sample.database, start, start + days * DAY)
        return int(found["assets"])

    old = [
        (row, at) for row, at in zip(sample.assets, year, strict=False) if row["first_seen"] <= at
    ]
    yield _one("document as of any day", 5, [partial(document, *one) for one in old])
    yield _one("compare with any day", None, [partial(compare, *one) for one in old])
    last = [partial(compare, row, None) for row in sample.assets]
    yield _one("compare the last two revisions", None, last)
    days = [sample.now - DAY - timedelta(minutes=one) for one in range(SAMPLE)]
    newest = [partial(feed, one, 100) for one in days]
    yield _one("changes of 24 hours, the newest 100", sample.budget_ms(10, 15), newest)
    yield _one("count of the changes of 24 hours", None, [partial(count, one) for one in days])
    month = sample.now - 60 * DAY
    quiet_week, *_, busy_week = sample.weeks()
    for name, budget, start, length in (
        ("a quiet week", 500, quiet_week, 7),
        ("a week with new kernels", 500, busy_week, 7),
        ("a month", None, month, 30),
    ):
        starts = [start + timedelta(minutes=one) for one in range(SAMPLE)]
        yield _one(
            f"fleet diff of {name}", budget, [partial(difference, at, length) for at in starts]
        )


def _parts(sample: Sample) -> Iterator[Read]:
    def genealogy(serial: str) -> int:
        return len(store.genealogy(sample.database, serial))

    def components(**filters: Any) -> int:
        return store.components(sample.database, "disks", filters=filters)[1]

    yield _one(
        "part by serial number, with its history",
        10,
        [partial(genealogy, one) for one in sample.serials],
    )
    yield _one("components of disks", None, [components])
    yield _one(
        "components of disks of a site",
        None,
        [partial(components, site=row["site"]) for row in sample.assets],
    )
    model = sample.values("disks.model")[0]
    yield _one(
        "components of disks of a model", None, [partial(components, **{"disks.model": model})]
    )


def _fleet(sample: Sample) -> Iterator[Read]:
    """Yield what looks for a few things in the whole fleet."""
    database = sample.database
    sites = [{"site": row["site"]} for row in sample.assets]

    def health(filters: Mapping[str, Any]) -> int:
        return len(store.health(database, filters=filters))

    def odd(filters: Mapping[str, Any]) -> int:
        return len(store.odd(database, filters=filters))

    def batches(days: int) -> int:
        return len(store.failing_batches(database, sample.now - days * DAY))

    def shared(by: str) -> int:
        return store.duplicates(database, by)[1]

    yield _one("health", 100, [partial(health, {})])
    yield _one("health of a site", 100, [partial(health, one) for one in sites])
    yield _one("odd", 300, [partial(odd, {})])
    yield _one("odd of a site", 100, [partial(odd, one) for one in sites])
    yield _one("kinds of parts that failed in 90 days", 3000, [partial(batches, 90)])
    kinds = {by: [partial(shared, by)] for by in store.SHARED}
    yield Read("duplicates by any value", 500, kinds)


def _others(sample: Sample) -> Iterator[Read]:
    def overview() -> int:
        """Read what the first page reads."""
        fields = ("site", "manufacturer,product_name", "os")
        found = sum(map(len, store.totals(sample.database, groupings=fields)[1]))
        store.count_changes(sample.database, store.Wanted(since=sample.now - DAY))
        store.changes(sample.database, limit=10)
        store.problems(sample.database, limit=1)
        return found

    yield _one(
        "problems, the last 200", None, [lambda: len(store.problems(sample.database, limit=200)[0])]
    )
    yield _one(
        "positions of all minions", None, [lambda: len(store.positions(sample.database, None))]
    )
    yield _one("overview page", None, [overview])
