"""
Prometheus and Alertmanager, unmodified, watch the machines of a store by the manual's files.

Machines are asked at addresses of loopback. The exporter is Prometheus itself on 127.0.0.1, and
nobody on all other addresses, so that exactly one of them is up.
"""

import os
import re
from datetime import timedelta

import pytest
import salt.config
import yaml

from salt_ext import store
from tests.consumers.deployed import deployed
from tests.consumers.monitored import Monitoring, jobs_beside, manual, until
from tests.functional.conftest import commands, in_rack
from tests.machines import arrival, dimm, later, report

HOSTILE = 'dc"} 1\n\u202emoc.live\\{{ $x }}'
ACT = store.Act("me", "sold", test=False)
FAILURES = "prometheus_sd_http_failures_total"


def machine(number, **sections):
    """A server in a rack, at 10.0.0.<number>."""
    facts = in_rack(number, **sections)
    facts["network"][0]["addresses"] = [f"10.0.0.{number}/8"]
    facts["network"][0]["default_address"] = f"10.0.0.{number}"
    return facts


@pytest.fixture(scope="module")
def database(postgres):
    """A store with four machines: one of them hostile, one to be retired."""
    database = postgres.new_store()
    hostile = machine(3, location={"site": HOSTILE, "rack": 7, "unit": True, "room": {"a": [1]}})
    machines = {"web01": machine(1), "web02": machine(2), "web03": hostile, "web04": machine(4)}
    # An IPv6 BMC among them.
    machines["web04"]["bmc"]["addresses"] = ["fd00::4/64"]
    store.ingest(database, [arrival(facts, name) for name, facts in machines.items()])
    fields = {"sn": "9XYZ001", "list.班": "夜"}
    listed = {"sn": "9XYZ001", "minion_id": None, "fields": fields, "row": 1, "awaited": True}
    store.import_expected(database, [listed], source="a", by="ann", types={"list.班": "text"})
    store.beat(database, "master1", "0.1.0")
    yield database
    database.close()


@pytest.fixture(scope="module")
def served(database, tmp_path_factory):
    """The web, as it is deployed."""
    home = tmp_path_factory.mktemp("web")
    with deployed(database, home, 2, access_log=str(home / "access.log")) as running:
        yield running


@pytest.fixture(scope="module")
def monitoring(database, served, tmp_path_factory):
    """Prometheus and Alertmanager, which run."""
    year = timedelta(days=365)
    token, _ = store.create_token(database, "prometheus", "viewer", year, by="test")
    with Monitoring(tmp_path_factory.mktemp("etc"), served.port, token).running() as running:
        yield running


def names(monitoring, job="node"):
    return sorted(monitoring.targets(job))


def watched(monitoring, *wanted, job="node"):
    """Wait until exactly these machines are watched."""
    until(lambda: names(monitoring, job) == list(wanted), f"{wanted} of {job}")


def test_every_block_of_the_manual_is_used_here():
    beside = {name for name in manual() if name.startswith("More of scrape_configs: ")}
    assert set(manual()) - beside == {
        "/etc/prometheus/prometheus.yml",
        "/etc/prometheus/cmdb-rules.yml",
        "/etc/alertmanager/alertmanager.yml",
        "/etc/alertmanager/cmdb.tmpl",
        "/etc/salt/master.d/cmdb-prometheus.conf",
    }
    assert [job["job_name"] for job in jobs_beside()] == ["node-file", "ipmi", "redfish", "ssh"]


def test_their_own_tools_find_nothing_wrong_in_the_manuals_files(monitoring):
    for program, *arguments in (
        ("promtool", "check", "config", "prometheus.yml"),
        ("promtool", "check", "rules", "cmdb-rules.yml"),
        ("amtool", "check-config", "alertmanager.yml"),
    ):
        returncode, said = monitoring.check(program, *arguments)
        assert (returncode, "SUCCESS" in said) == (0, True), said


RULES = {
    "MachineDown": ('up{job="node",sn="9XYZ001"}', "0x30", "1x30", 'sn="9XYZ001"'),
    "HardwareLost": ('cmdb_losses_last_day{section="memory"}', "0x5 2x30", "0x30", "memory"),
    "PartsFail": ('cmdb_ill_parts{severity="critical",section="raid"}', "1x30", "0x30", "raid"),
    "SiteSilent": ('cmdb_site_assets{site="fra1",freshness="stale"}', "9x30", "0x30", "fra1"),
    "ReportsHeld": ("cmdb_held_reports", "3x90", "0x90", "3 reports wait"),
    "EngineSilent": (
        'cmdb_master_last_beat_timestamp_seconds{master="m1"}',
        *("0x90", "0+60x90", 'master="m1"'),
    ),
    "InventoryDatabaseAway": ("cmdb_database_up", "1x5 0x30", "1x30", "is away"),
    "InventoryAway": ('up{job="salt-cmdb"}', "0x30", "1x30", "is away"),
    "TargetsAreOld": ("prometheus_sd_http_failures_total", "0+1x90", "2x90", "knew last"),
}
"""For each alert a series, its values from minute to minute that make it, and that do not."""


@pytest.mark.parametrize("name", RULES)
def test_a_rule_of_the_manual_fires_when_it_should_and_not_else(name, monitoring, tmp_path):
    series, wrong, well, says = RULES[name]
    (tmp_path / "rules.yml").write_text(manual()["/etc/prometheus/cmdb-rules.yml"])

    def judged(values):
        at = "80m" if "x90" in values else "20m"
        one = {
            "interval": "1m",
            "input_series": [{"series": series, "values": values}],
            "alert_rule_test": [{"eval_time": at, "alertname": name, "exp_alerts": []}],
        }
        asked = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [one]}
        file = tmp_path / "test.yml"
        file.write_text(yaml.safe_dump(asked))
        return monitoring.check("promtool", "test", "rules", str(file))

    assert judged(well)[0] == 0
    returncode, said = judged(wrong)
    assert returncode == 1
    assert f'alertname="{name}"' in said
    assert says in said


def test_no_rule_of_the_manual_is_left_untried():
    groups = yaml.safe_load(manual()["/etc/prometheus/cmdb-rules.yml"])["groups"]
    assert {rule["alert"] for group in groups for rule in group["rules"]} == set(RULES)


def test_each_machine_is_a_target_with_its_serial_number_and_place(monitoring):
    until(lambda: {"web01", "web02"} <= set(names(monitoring)), "the targets")
    found = monitoring.targets("node")["web02"]
    assert found["scrapeUrl"] == f"http://127.0.0.2:{monitoring.port}/metrics"
    labels = found["labels"]
    assert labels["sn"] == "9XYZ002"
    assert (labels["site"], labels["rack"], labels["unit"]) == ("dc1", "R07", "U12")
    assert found["discoveredLabels"]["__meta_cmdb_product_name"] == "PowerEdge R750"
    until(lambda: monitoring.number('up{job="node",sn="9XYZ001"}') == 1, "web01 is up")


def test_numbers_truths_and_headings_in_chinese_are_labels(monitoring):
    found = until(lambda: monitoring.targets("node").get("web01"), "web01")["discoveredLabels"]
    assert found["__meta_cmdb_memory_bytes"] == str(128 << 30)
    assert found["__meta_cmdb_temporary"] == "false"
    assert found["__meta_cmdb_list__73ed_"] == "夜"


def test_an_alert_carries_the_serial_number_through_alertmanager(monitoring, database):
    def of_web02():
        return [one for one in monitoring.alerts("MachineDown") if one["instance"] == "web02"]

    [labels] = until(of_web02, "the alert")
    assert labels["sn"] == "9XYZ002"
    assert (labels["site"], labels["rack"], labels["unit"]) == ("dc1", "R07", "U12")
    assert labels["asset_id"] == str(store.resolve(database, "web02"))
    # And so do people get it.
    said = until(lambda: "9XYZ002" in monitoring.chat.text() and monitoring.chat.text(), "chat")
    assert "web02 does not answer, SN 9XYZ002, U12" in said
    assert f"https://cmdb.example.com/a/{labels['asset_id']}" in said
    assert not [one for one in monitoring.alerts("MachineDown") if one["instance"] == "web01"]


def test_hostile_values_are_labels_and_cost_nobody_else_anything(monitoring):
    found = until(lambda: monitoring.targets("node").get("web03"), "the hostile machine")
    for name in ("site", "rack", "unit"):
        assert isinstance(found["labels"].get(name, ""), str)
    assert "moc.live" in found["labels"]["site"]
    assert {"web01", "web02"} <= set(names(monitoring))
    assert monitoring.samples(FAILURES)
    assert monitoring.number(FAILURES) == 0
    assert monitoring.number("prometheus_target_sync_failed_total") == 0


def test_exporters_for_bmcs_are_told_their_addresses(monitoring):
    until(lambda: {"web01", "web04"} <= set(names(monitoring, "ipmi")), "the BMCs")
    url = "http://127.0.0.1:9290/ipmi?module=default&target="
    found = monitoring.targets("ipmi")
    assert found["web01"]["scrapeUrl"] == f"{url}10.128.0.1"
    assert found["web04"]["scrapeUrl"] == f"{url}fd00%3A%3A4"
    assert found["web01"]["labels"]["sn"] == "9XYZ001"
    until(lambda: {"web01", "web04"} <= set(names(monitoring, "redfish")), "the BMCs")
    redfish = monitoring.targets("redfish")["web04"]
    assert redfish["scrapeUrl"].endswith("/redfish?target=%5Bfd00%3A%3A4%5D%3A443")
    until(lambda: "web02" in names(monitoring, "ssh"), "ssh")
    assert "target=10.0.0.2%3A22" in monitoring.targets("ssh")["web02"]["scrapeUrl"]


def test_lost_memory_is_an_alert_of_the_numbers_of_the_fleet(monitoring, database):
    until(lambda: monitoring.samples("cmdb_losses_last_day"), "the numbers of the fleet")
    before = report(machine(8), "web08", at=later(hours=-1))
    store.ingest(database, [store.Arrival("web08", before, later(hours=-1))])
    facts = machine(8, memory={"installed_bytes": 64 << 30, "devices": [dimm("A1", "4F0008A1")]})
    store.ingest(database, [arrival(facts, "web08")])
    [labels] = until(lambda: monitoring.alerts("HardwareLost"), "the alert")
    assert labels["section"] == "memory"
    until(lambda: monitoring.number("cmdb_database_up") == 1, "the database is up")
    fresh = 'cmdb_assets{kind="physical",lifecycle="active",freshness="fresh"}'
    until(lambda: monitoring.number(fresh) >= 4, "the assets")
    store.set_lifecycle(database, store.resolve(database, "web08"), "retired", ACT)


def test_a_retired_machine_is_no_target_at_the_next_refresh(monitoring, database):
    until(lambda: "web04" in names(monitoring), "web04")
    store.set_lifecycle(database, store.resolve(database, "web04"), "retired", ACT)
    for job in ("node", "ipmi"):
        until(lambda job=job: "web04" not in names(monitoring, job), f"web04 is gone of {job}")
    assert {"web01", "web02"} <= set(names(monitoring))
    store.set_lifecycle(database, store.resolve(database, "web04"), "active", ACT)
    until(lambda: "web04" in names(monitoring), "web04 is back")


def test_a_file_that_the_master_writes_is_read(monitoring, database, tmp_path):
    job = yaml.safe_load(manual()["/etc/salt/master.d/cmdb-prometheus.conf"])["schedule"]
    [job] = job.values()
    opts = salt.config.master_config(None)
    opts.update({name: str(tmp_path) for name in ("cachedir", "extension_modules", "root_dir")})
    opts["cmdb"] = {"database_url": database.url}
    file = monitoring.home / job["kwargs"]["out_file"].removeprefix("/etc/prometheus/")
    kwargs = {**job["kwargs"], "port": monitoring.port, "out_file": str(file)}
    command = job["function"].removeprefix("cmdb.")
    _, returncode, said = commands(opts)(command, **kwargs)
    assert returncode == 0, said
    until(lambda: {"web01", "web02"} <= set(names(monitoring, "node-file")), "the file")
    assert monitoring.targets("node-file")["web01"]["labels"]["sn"] == "9XYZ001"
    os.utime(file, (1, 1))
    commands(opts)(command, **kwargs)
    assert file.stat().st_mtime == 1
    assert monitoring.number("prometheus_sd_file_read_errors_total") == 0


def test_no_target_is_lost_while_the_database_is_away(monitoring, database, postgres):
    until(lambda: {"web01", "web02", "web03"} <= set(names(monitoring)), "the targets")
    before, failures = names(monitoring), monitoring.number(FAILURES)
    database.close()
    postgres.stop()
    until(lambda: monitoring.number(FAILURES) >= failures + 3, "refreshes that fail")
    assert names(monitoring) == before
    [sample] = until(lambda: monitoring.samples("cmdb_database_up == 0"), "the number")
    assert sample[0]["job"] == "salt-cmdb"
    until(lambda: monitoring.alerts("InventoryDatabaseAway"), "the alert")
    # The web itself is up, and so says its own numbers.
    until(lambda: monitoring.number('up{job="salt-cmdb-web"}') == 1, "the web's own numbers")
    down = until(lambda: monitoring.alerts("MachineDown"), "the alerts of machines")
    assert "9XYZ002" in [one["sn"] for one in down]
    postgres.start()
    until(lambda: monitoring.number("cmdb_database_up") == 1, "the database is back")
    assert names(monitoring) == before


def test_nobody_reads_without_the_token(served, monitoring):
    file = monitoring.home / "salt-cmdb.token"
    token = file.read_text()
    before, failures = names(monitoring), monitoring.number(FAILURES)
    file.write_text(f"{token}x")
    until(lambda: monitoring.number(FAILURES) > failures, "refreshes that are refused")
    assert names(monitoring) == before
    file.write_text(token)
    assert re.fullmatch(r"cmdb_[\w-]+", token)
