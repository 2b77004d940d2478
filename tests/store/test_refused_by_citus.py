"""What is sent while machines report and people ask and act: nothing that Citus has refused."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.lists.installed import compare_installed
from salt_ext.master import events
from tests import postgres, writers
from tests.machines import NOW, arrival, dimm, later, server
from tests.store.refused_by_citus import RULES, refused

# The way to look a shard up is a function of Citus.
SHARD = """
CREATE FUNCTION get_shard_id_for_distribution_column(regclass, uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE AS 'SELECT 1::bigint'
"""


@pytest.fixture
def sent(database_url):
    """The statements of a story, from sessions that take their database for one of Citus."""
    statements = {}

    def note(link, cursor, statement, *_):
        statements.setdefault(statement)

    def pretend(driver, session, _):
        session.info["is_citus"] = True

    database = postgres.open_store(database_url)
    with database.begin() as link:
        link.exec_driver_sql(SHARD)
    database.close()
    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    sa.event.listen(sa.pool.Pool, "checkout", pretend)
    try:
        play(database)
        install(database)
        decide(database)
        deliver(database)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
        sa.event.remove(sa.pool.Pool, "checkout", pretend)
        database.close()
    return list(statements)


def play(database):
    """Let machines report, be renamed, lose parts and come back; ask and act as people do."""
    for batch in writers.story(machines=6, steps=4):
        store.ingest(database, batch)
    lost = server(4)
    lost["memory"]["devices"] = lost["memory"]["devices"][:-1]
    for step in range(3):
        store.ingest(database, [arrival(lost, "web04", later(minutes=30 + step))])
        store.settle_losses(database)
    found = server(4, cpu_name="other")
    found["memory"]["devices"].append(dimm("C1", "NEW"))
    store.ingest(database, [arrival(found, "web04", later(minutes=40))])
    store.settle_losses(database)
    store.ingest(database, [arrival({"system": "no"}, "web05", later(minutes=41))])
    store.ingest(database, [arrival(server(5), "web05", later(minutes=42))])
    store.tell(database, lambda news: None, lambda: {"web04"})
    store.maintain(database)
    page = store.assets(database, filters={"site__contains": "fra", "disks.model__contains": "x"})
    page = store.assets(database)
    for row in page.rows[:2]:
        store.asset_page(database, row["id"], limit=20)
        store.document(database, row["id"], NOW + timedelta(minutes=1))
        store.changes(database, store.Wanted(asset_id=row["id"]))
    store.resolve(database, "web04")


def install(database):
    """Import a list, plan a machine of it, install it, and compare it with its plan."""
    act = store.Act("alice", "new racks, CHG-1", test=False)
    said = {"hostname": "web09", "mac": "52:54:00:00:00:09", "list.profile": "debian12"}
    listed = [
        {"sn": sn, "minion_id": None, "fields": {"sn": sn, **said}, "row": 2}
        for sn in ("9XYZ009", "9XYZ010")
    ]
    for rows in (listed, listed[:1], []):
        store.import_expected(database, rows, source="racks.csv", by="alice")
    store.set_expected(database, "9XYZ009", said, by="alice")
    store.set_expected(database, "9XYZ010", {"site": "fra1"}, by="alice")
    store.remove_expected(database, "9XYZ010")
    asset_id = store.resolve(database, "9XYZ009")
    store.set_lifecycle(database, asset_id, "planned", act)
    store.open_installations(database, [asset_id], act)
    store.revoke_installations(database, [asset_id], act)
    [row] = store.open_installations(database, [asset_id], act).opened
    shown = store.Shown("4c4c4544-0058-5910-805a-b9c04f000009", said["mac"], "")
    store.begin_installation(database, shown)
    store.serve_installation(database, row["id"], shown)
    store.finish_installation(database, row["id"], shown)
    store.installations(database, filters={"site": "fra1"}, state="done", limit=1)
    store.expected_machines(database)
    compare_installed(database)
    for day in range(2):
        store.ingest(database, [arrival(server(9), "web09", later(days=day))])


def decide(database):
    """Rule on reports that are held, each way."""
    for number, choice in enumerate(("accept", "split", "reject"), 20):
        name = f"web{number}"
        store.ingest(database, [arrival(server(number), name)])
        store.ingest(database, [arrival(server(number + 10), name, later(minutes=5))])
        store.choices(database, name)
        store.rule(database, name, choice, by="ops", why="seen in the rack")
    store.held_reports(database)
    store.decisions(database, limit=9)
    store.accept_baseline(
        database, store.resolve(database, "web20"), store.Act("ops", "", test=False)
    )


def deliver(database):
    """Tell webhooks what is new, by conditions; one takes it, one fails until it is given up."""
    ours = [
        store.Subscriber(name, lambda news: events.events(news, 1 << 20), filters=filters)
        for name, filters in (("tickets", {"minion_id": "web50"}), ("broken", {}))
    ]
    store.ingest(database, [arrival(server(50), "web50")])
    store.ingest(database, [arrival(server(50, cpu_name="other"), "web50", later(minutes=5))])
    events.send(database, lambda data, tag: None, lambda: {"web50"}, 1 << 20, ours, "master01")
    taken = store.take_delivery(database, "tickets")
    store.take_delivery(database, "tickets", taken.id)
    store.undelivered(database, store.take_delivery(database, "broken").id, "no route")
    store.give_up_deliveries(database, "broken", 0, "master01")
    store.deliveries_of(database, "broken", 9)
    list(store.webhook_queues(database, ["tickets", "broken"]))
    store.resend_deliveries(database, "broken")
    store.settle_webhook(database, "broken")


def test_nothing_is_sent_that_citus_has_refused(sent):
    assert len(sent) > 60
    broken = [(one, rule) for one in sent for rule in refused(one)]
    assert not broken, "\n\n".join(
        f"Citus says: {rule.said}\ninstead: {rule.instead}\n{one}" for one, rule in broken
    )


HAS_REFUSED = (
    "SELECT seen.asset_id FROM asset_seen AS seen WHERE seen.asset_id IN (1) FOR UPDATE OF seen",
    "DELETE FROM asset USING asset_seen AS seen WHERE seen.asset_id = asset.id",
    "UPDATE asset_seen AS seen SET mode = i.mode FROM unnest($1) AS i(mode)"
    " WHERE seen.volatile_at > i.collected_at - interval '24 hours'",
    "UPDATE loss SET ended_at = CASE WHEN i.ending IS NOT NULL THEN now() END FROM i",
    "INSERT INTO asset_facts AS a SELECT 1 ON CONFLICT (b) DO UPDATE SET at = now() RETURNING b",
    "SELECT ARRAY(SELECT value FROM identifier WHERE asset_id = asset.id) FROM asset",
    "SELECT 1 FROM unnest($1) AS i(value) CROSS JOIN LATERAL ("
    " SELECT asset_id FROM identifier WHERE value = i.value OFFSET 0) AS claimed",
    "SELECT 1 FROM unnest($1) AS i(name) LEFT JOIN LATERAL (SELECT 1 FROM asset_seen) AS k ON true",
    "SELECT 1 FROM loss CROSS JOIN LATERAL (SELECT loss.revision > 1 AS again) AS shown",
    "WITH RECURSIVE each(value) AS (SELECT min(site) FROM asset UNION ALL SELECT (SELECT min(site)"
    " FROM asset WHERE site > each.value) FROM each WHERE each.value IS NOT NULL) SELECT 1 FROM"
    " asset WHERE site = ANY(array(SELECT value FROM each)) AND id IN (SELECT asset_id FROM part)",
    "UPDATE problem SET closed_at = now() WHERE NOT EXISTS (SELECT FROM delivery)",
)


@pytest.mark.parametrize(("rule", "statement"), [*zip(RULES, HAS_REFUSED, strict=True)])
def test_each_rule_knows_what_citus_refused_by_it(rule, statement):
    assert rule in refused(statement)
