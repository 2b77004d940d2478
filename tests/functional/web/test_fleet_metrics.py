"""What Prometheus reads of the fleet at /metrics/fleet."""

import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from salt_ext import store
from tests import postgres
from tests.functional.web.access import ELSEWHERE, application
from tests.machines import NOW, arrival, dimm, later, report, server
from tests.unit.docs import markdown
from webui import fleet_metrics

ADDRESS = "/metrics/fleet"
ACT = store.Act("test", "sold", test=False)


def families(response):
    text = response.get_data(as_text=True)
    assert response.status_code == 200, text
    return list(text_string_to_metric_families(text))


def numbers(client):
    """Return each sample by its name and the values of its labels, which have an order."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families(client.get(ADDRESS))
        for sample in family.samples
    }


def at_site(number, site):
    return arrival(server(number, location={"site": site}), f"web{number:03d}")


def test_assets_are_counted_by_kind_lifecycle_and_freshness(database, client):
    store.ingest(database, [arrival(server(n), f"web{n}") for n in (1, 2, 3)])
    store.set_lifecycle(database, store.resolve(database, "web3"), "retired", ACT)
    found = numbers(client)
    assert found["cmdb_database_up",] == 1
    assert found["cmdb_fleet_age_seconds",] == 0
    assert found["cmdb_assets", "fresh", "physical", "active"] == 2
    assert found["cmdb_assets", "missing", "physical", "active"] == 0
    assert found["cmdb_assets", "fresh", "physical", "retired"] == 1


def test_what_is_not_wrong_is_zero_so_that_an_alert_ends(client):
    found = numbers(client)
    assert found["cmdb_machines_with_problems", "held"] == 0
    assert found["cmdb_machines_with_problems", "collector"] == 0
    assert found["cmdb_changes_last_day", "loss"] == 0
    assert found["cmdb_losses_last_day", "memory"] == 0
    assert found["cmdb_duplicate_assets", "sn"] == 0


def test_lost_memory_is_counted_by_its_section(database, client):
    whole = report(server(), at=later(hours=-2))
    store.ingest(database, [store.Arrival("web01", whole, later(hours=-2))])
    less = server(memory={"installed_bytes": 64 << 30, "devices": [dimm("A1", "4F0001A1")]})
    store.ingest(database, [arrival(less, previous=None)])
    found = numbers(client)
    assert found["cmdb_losses_last_day", "memory"] == 1
    assert found["cmdb_losses_last_day", "disks"] == 0
    assert found["cmdb_changes_last_day", "loss"] == 1


def test_ill_parts_and_doubled_numbers_and_problems_are_counted(database, client):
    failing = [{"serial_number": "S64F000001", "name": "sda", "passed": False}]
    store.ingest(database, [arrival(server(1, smart=failing), "web1")])
    store.ingest(database, [arrival(server(2), "web2"), arrival(server(3), "web3")])
    with database.begin() as link:
        link.execute(sa.text("UPDATE asset SET sn = 'SAME' WHERE minion_id <> 'web1'"))
    store.record_problem(database, "collector", "web2", "disks", "it failed", "")
    found = numbers(client)
    assert found["cmdb_ill_parts", "smart", "critical"] == 1
    assert found["cmdb_duplicate_assets", "sn"] == 2
    assert found["cmdb_machines_with_problems", "collector"] == 1
    assert found["cmdb_failing_collectors",] == 1


def test_an_engine_says_when_it_last_beat(database, client):
    store.beat(database, "master1", "0.1.0", waiting=7)
    found = numbers(client)
    assert found["cmdb_master_waiting_reports", "master1"] == 7
    beat = found["cmdb_master_last_beat_timestamp_seconds", "master1"]
    assert abs(beat - NOW.timestamp()) < 3600


def test_one_machine_makes_no_series_whatever_it_calls_its_site(database, client):
    crowd = [at_site(n, "fra2") for n in range(1, 6)]
    alone = [at_site(6, 'x"} 1\ncmdb_database_up 0'), at_site(7, "\u202efra2")]
    store.ingest(database, [*crowd, *alone])
    found = numbers(client)
    sites = {key[2] for key in found if key[0] == "cmdb_site_assets"}
    assert sites == {"fra2", fleet_metrics.OTHERS}
    assert found["cmdb_site_assets", "fresh", "fra2"] == 5
    assert found["cmdb_site_assets", "fresh", fleet_metrics.OTHERS] == 2
    assert found["cmdb_database_up",] == 1


def test_a_hostile_site_of_many_machines_is_one_label_that_is_quoted(database, client):
    name = 'x"} 1\ncmdb_database_up 0\\'
    store.ingest(database, [at_site(n, name) for n in range(1, 6)])
    found = numbers(client)
    [site] = {key[2] for key in found if key[0] == "cmdb_site_assets"} - {fleet_metrics.OTHERS}
    assert "cmdb_database_up" in site
    assert found["cmdb_database_up",] == 1


def test_only_the_largest_sites_have_series_of_their_own():
    states = dict.fromkeys(store.FRESHNESS, 0)
    rows = [
        {**states, "site": f"site{n:03d}", "lifecycle": "active", "fresh": 5 + n}
        for n in range(fleet_metrics.SITES + 10)
    ]
    found = fleet_metrics._of_sites(rows)
    assert len({site for site, _ in found}) == fleet_metrics.SITES + 1
    assert found[fleet_metrics.OTHERS, "fresh"] == sum(5 + n for n in range(10))
    assert sum(found.values()) == sum(row["fresh"] for row in rows)


def test_numbers_are_kept_and_say_how_old_they_are(database_url, database, tmp_path):
    with application(database_url, tmp_path, cache_seconds=3600) as app:
        client = app.test_client()
        assert ("cmdb_assets", "fresh", "physical", "active") not in numbers(client)
        store.ingest(database, [arrival(server())])
        found = numbers(client)
    assert ("cmdb_assets", "fresh", "physical", "active") not in found
    assert found["cmdb_fleet_age_seconds",] >= 0


@pytest.fixture
def away(tmp_path):
    """A client of an application whose database is away."""
    with application("postgresql+psycopg2://cmdb@127.0.0.1:1/cmdb", tmp_path) as app:
        yield app.test_client()


def test_a_database_that_is_away_is_a_number_and_no_error(away):
    assert numbers(away) == {("cmdb_database_up",): 0}
    assert "cmdb_web_requests" in away.get("/metrics").text


def test_a_token_that_nobody_can_check_opens_the_numbers_of_the_process_alone(away):
    headers = {"Authorization": f"Bearer cmdb_{uuid.uuid4().hex}"}
    asked = {"headers": headers, "environ_overrides": ELSEWHERE}
    told = families(away.get(ADDRESS, **asked))
    assert [family.name for family in told] == ["cmdb_database_up"]
    assert "cmdb_web_requests" in away.get("/metrics", **asked).text
    assert away.get("/assets.json", **asked).status_code == 503


def test_nor_when_the_database_is_back_in_the_meantime(database, app):
    store.ingest(database, [arrival(server())])
    # As the request is when its token could not be checked.
    with app.test_request_context(ADDRESS):
        told = families(fleet_metrics.page())
    assert [family.name for family in told] == ["cmdb_database_up"]


@pytest.fixture
def own(server_home):
    """A server that this test takes away."""
    server = postgres.Server(server_home() / "postgres").initialise().start()
    server.new_store("cmdb").close()
    yield server
    server.stop()


def test_a_database_is_away_at_once_however_long_answers_are_kept(own, tmp_path):
    with application(own.url("cmdb"), tmp_path, cache_seconds=3600) as app:
        client = app.test_client()
        assert numbers(client)["cmdb_database_up",] == 1
        own.stop()
        assert numbers(client) == {("cmdb_database_up",): 0}


def test_without_a_token_strangers_are_refused_then_too(away):
    for address in (ADDRESS, "/metrics"):
        assert away.get(address, environ_overrides=ELSEWHERE).status_code == 403


def test_a_hidden_site_makes_no_series(database, database_url, tmp_path):
    store.ingest(database, [at_site(n, "fra2") for n in range(1, 6)])
    with application(database_url, tmp_path, hidden_fields=["site", "sn"]) as app:
        names = {name for name, *_ in numbers(app.test_client())}
        told = app.test_client().get(ADDRESS).text
    assert "cmdb_assets" in names
    assert "cmdb_site_assets" not in names
    assert "fra2" not in told
    assert 'by="sn"' not in told


def test_every_metric_has_a_help_and_stands_in_the_manual(database, client):
    store.ingest(database, [arrival(server())])
    told = families(client.get(ADDRESS))
    assert all(family.documentation.endswith(".") for family in told)
    rows = markdown.rows("monitoring.md", "metric of the fleet")
    names = [cell.strip("`").partition("{")[0] for cell, _ in rows]
    assert sorted(names) == sorted(family.name for family in told)


def test_ages_of_changes_are_by_a_day(database, client):
    then = NOW - timedelta(days=3)
    store.ingest(database, [store.Arrival("web01", report(server(), at=then), then)])
    less = server(memory={"installed_bytes": 64 << 30, "devices": [dimm("A1", "4F0001A1")]})
    at = NOW - timedelta(days=2)
    store.ingest(database, [store.Arrival("web01", report(less, at=at), at)])
    assert numbers(client)["cmdb_losses_last_day", "memory"] == 0
