"""Machines pushed into the real frontend of Zabbix 6.0."""

import json
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.feeds.push import configured, run, told
from salt_ext.feeds.push.target import PushFailed
from tests import postgres
from tests.consumers import zabbix
from tests.machines import NOW, arrival, later, server
from tests.patience import PATIENCE_SECONDS

SALT_RUN = Path(sysconfig.get_path("scripts")) / "salt-run"


@pytest.fixture(scope="session")
def filled(new_database):
    """The URL of a database as a new Zabbix has it."""
    url = new_database(empty=True)
    zabbix.fill(url)
    return url


@pytest.fixture
def monitoring(filled, postgresql, tmp_path):
    """A Zabbix of the test's own."""
    name = f"{sa.make_url(filled).database}_copy"
    template = sa.make_url(filled).database
    postgres.execute(postgresql, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    url = sa.make_url(filled).set(database=name).render_as_string(hide_password=False)
    try:
        with zabbix.running(url, tmp_path / "php.log") as frontend:
            frontend.log_in()
            yield frontend
    finally:
        postgres.execute(postgresql, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def pushed(database_url, monitoring):
    """Run a push with options and wishes; return what is told of it."""
    said = {"system": "zabbix", "url": monitoring.url, "token": monitoring.new_token()}

    def push(dry_run=False, adopt=False, recreate=False, force=False, silence="7d", **options):
        database = postgres.open_store(
            database_url,
            pushes={"monitoring": {**said, **options}},
            stale_after=silence,
            missing_after=silence,
        )
        what = configured.push_of(database.settings, "monitoring")
        wishes = run.Wishes(dry_run, adopt, recreate, force)
        try:
            return told.content(what, wishes, run.push(database, what, wishes), 1000)
        finally:
            database.close()

    return push


class SaltRun:
    """salt-run as an operator types it, on a master with a push."""

    def __init__(self, home, database_url, said):
        """Write the configuration."""
        self.home, self.root, self.said = home, home / "root", said
        for name in ("cache/salt/master/proc", "cache/salt/master/jobs", "run/salt/master"):
            (self.root / "var" / name).mkdir(parents=True)
        (self.root / "etc/salt/pki/master/minions").mkdir(parents=True)
        options = {
            "root_dir": str(self.root),
            "interface": "127.0.0.1",
            "log_level_logfile": "all",
            "cmdb": {"database_url": database_url, "pushes": {"monitoring": said}},
        }
        (home / "master").write_text(json.dumps(options))  # JSON is YAML

    def __call__(self, *words):
        """Start it; return the process."""
        command = [sys.executable, SALT_RUN, "--config-dir", self.home, *words]
        return subprocess.Popen(
            command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )


@pytest.fixture
def salt_run(database_url, monitoring, tmp_path):
    said = {"system": "zabbix", "url": monitoring.url, "token": monitoring.new_token()}
    return SaltRun(tmp_path, database_url, said)


def ran(process):
    """Return what a command has printed, and its exit status."""
    output, _ = process.communicate(timeout=PATIENCE_SECONDS)
    return output, process.returncode


def machine(number, address=None, **location):
    facts = server(number, location={"site": "dc1", "rack": "R07", **location})
    facts["network"][0]["addresses"] = [f"{address or f'10.0.0.{number}'}/24"]
    return facts


def report(database, *numbers, at=NOW, **location):
    names = {number: f"web{number:02d}" for number in numbers}
    reports = [arrival(machine(one, **location), name, at) for one, name in names.items()]
    store.ingest(database, reports)


def rows(answer):
    return [(row["what"], row["name"]) for row in answer["rows"]]


def tags(host):
    return {one["tag"]: one["value"] for one in host["tags"]}


def retire(database, name, state="retired"):
    act = store.Act("ops", "a test", False)
    store.set_lifecycle(database, store.resolve(database, name), state, act)


def test_a_machine_becomes_a_host_with_all_that_people_look_for(database, monitoring, pushed):
    report(database, 1)
    dry = pushed(dry_run=True, templates=["Linux by Zabbix agent"])
    assert rows(dry) == [("create", "web01")]
    assert "web01" not in monitoring.hosts()
    done = pushed(templates=["Linux by Zabbix agent"])
    assert rows(done) == [("create", "web01")]
    host = monitoring.hosts()["web01"]
    assert host["name"] == "web01"
    assert host["status"] == "0"
    [interface] = host["interfaces"]
    assert (interface["ip"], interface["port"], interface["main"]) == ("10.0.0.1", "10050", "1")
    assert [one["name"] for one in host["groups"]] == ["CMDB/dc1"]
    assert [one["name"] for one in host["parentTemplates"]] == ["Linux by Zabbix agent"]
    asset_id = store.resolve(database, "web01")
    assert tags(host) == {
        "cmdb_asset_id": str(asset_id),
        "cmdb_site": "dc1",
        "cmdb_rack": "R07",
        "cmdb_lifecycle": "active",
    }
    assert host["inventory"]["serialno_a"] == "9XYZ001"
    assert host["inventory"]["vendor"] == "Dell Inc."
    assert host["inventory"]["site_rack"] == "R07"


def test_a_second_push_changes_nothing_and_asks_for_what_it_compares(database, pushed):
    report(database, 1, 2, 3)
    pushed()
    again = pushed()
    assert rows(again) == []
    assert again["unchanged"] == 3
    # The version, which hosts are ours, and one page of them.
    assert again["calls"] == 3


def test_only_what_differs_is_written_and_what_people_did_stays(database, monitoring, pushed):
    report(database, 1)
    pushed()
    before = monitoring.hosts()["web01"]
    linux = monitoring.call("hostgroup.get", filter={"name": ["Linux servers"]})[0]["groupid"]
    own = [{"groupid": one["groupid"]} for one in before["groups"]]
    monitoring.call(
        "host.update",
        hostid=before["hostid"],
        groups=[*own, {"groupid": linux}],
        tags=[*before["tags"], {"tag": "owner", "value": "a person"}],
        inventory={"contact": "a person"},
        interfaces=[
            {"interfaceid": before["interfaces"][0]["interfaceid"], "port": "10060"},
            {"type": 4, "main": 1, "useip": 1, "ip": "10.9.9.9", "dns": "", "port": "12345"},
        ],
    )
    report(database, 1, at=later(seconds=1), site="dc2", address="10.0.0.9")
    done = pushed()
    [row] = done["rows"]
    changes = {one["field"]: (one["old"], one["new"]) for one in row["changes"]}
    assert changes == {
        "address": ("10.0.0.1", "10.0.0.9"),
        "groups": (["CMDB/dc1", "Linux servers"], ["CMDB/dc2", "Linux servers"]),
        "tag cmdb_site": ("dc1", "dc2"),
        "inventory location": ("dc1", "dc2"),
    }
    after = monitoring.hosts()["web01"]
    assert sorted(one["name"] for one in after["groups"]) == ["CMDB/dc2", "Linux servers"]
    assert tags(after)["owner"] == "a person"
    assert after["inventory"]["contact"] == "a person"
    kept = {
        one["type"]: (one["interfaceid"], one["ip"], one["port"]) for one in after["interfaces"]
    }
    assert kept["1"] == (before["interfaces"][0]["interfaceid"], "10.0.0.9", "10060")
    assert kept["4"][1:] == ("10.9.9.9", "12345")
    assert rows(pushed()) == []


def test_what_is_retired_is_switched_off_and_on_again_when_it_returns(database, monitoring, pushed):
    report(database, 1, 2, 3, 4, 5, 6)
    pushed()
    retire(database, "web01")
    assert rows(pushed()) == [("retire", "web01")]
    host = monitoring.hosts()["web01"]
    assert host["status"] == "1"
    assert tags(host)["cmdb_retired"] == "yes"
    assert rows(pushed()) == []
    retire(database, "web01", "active")
    assert rows(pushed()) == [("return", "web01")]
    host = monitoring.hosts()["web01"]
    assert host["status"] == "0"
    assert "cmdb_retired" not in tags(host)


def test_what_a_person_switched_off_stays_off(database, monitoring, pushed):
    report(database, 1)
    pushed()
    monitoring.call("host.update", hostid=monitoring.hosts()["web01"]["hostid"], status=1)
    assert rows(pushed()) == []
    assert monitoring.hosts()["web01"]["status"] == "1"


def test_who_is_missing_stays_as_he_is_and_is_not_made(database, monitoring, pushed):
    report(database, 1, 2)
    pushed()
    report(database, 3)
    report(database, 1, at=later(seconds=1), rack="R08")
    before = monitoring.hosts()
    answer = pushed(silence="0s")
    assert (rows(answer), answer["missing"], answer["unchanged"]) == ([], 3, 0)
    assert monitoring.hosts() == before
    assert rows(pushed()) == [("update", "web01"), ("create", "web03")]


def test_a_wrong_filter_does_not_switch_off_everything(database, monitoring, pushed):
    report(database, 1, 2, 3)
    pushed()
    wrong = {"site": "nowhere"}
    would = "3 of 3 machines would be retired"
    with pytest.raises(PushFailed, match=would):
        pushed(filters=wrong)
    dry = pushed(filters=wrong, dry_run=True)
    assert [row["what"] for row in dry["rows"]] == ["retire"] * 3
    assert would in dry["hint"]
    assert {monitoring.hosts()[f"web0{one}"]["status"] for one in (1, 2, 3)} == {"0"}
    assert rows(pushed(filters=wrong, force=True)) == [("retire", f"web0{n}") for n in (1, 2, 3)]


def test_the_host_of_a_person_is_told_and_adopted_on_purpose(database, monitoring, pushed):
    group = monitoring.call("hostgroup.get", filter={"name": ["Linux servers"]})[0]
    monitoring.call("host.create", host="web01", groups=[{"groupid": group["groupid"]}])
    before = monitoring.hosts()["web01"]
    report(database, 1)
    answer = pushed()
    assert rows(answer) == [("not ours", "web01")]
    assert monitoring.hosts()["web01"] == before
    assert rows(pushed(adopt=True)) == [("adopt", "web01")]
    after = monitoring.hosts()["web01"]
    assert after["hostid"] == before["hostid"]
    assert sorted(one["name"] for one in after["groups"]) == ["CMDB/dc1", "Linux servers"]
    assert after["interfaces"][0]["ip"] == "10.0.0.1"
    assert after["inventory"]["serialno_a"] == "9XYZ001"
    assert rows(pushed()) == []


def test_what_was_deleted_there_is_told_and_made_again_on_purpose(database, monitoring, pushed):
    report(database, 1)
    pushed()
    monitoring.ask("host.delete", [monitoring.hosts()["web01"]["hostid"]])
    assert rows(pushed()) == [("deleted there", "web01")]
    assert "web01" not in monitoring.hosts()
    assert rows(pushed(recreate=True)) == [("create", "web01")]
    assert rows(pushed()) == []


def test_a_machine_that_zabbix_refuses_is_told_and_all_others_are_pushed(
    database, monitoring, pushed
):
    report(database, *range(1, 9))
    long = machine(20)
    long["system"]["serial_number"] = "S" * 65
    store.ingest(database, [arrival(long, "long")])
    answer = pushed()
    refused = {row["name"]: row["why"] for row in answer["rows"] if row["what"] == "refused"}
    assert 'too long for field "serialno_a"' in refused["long"]
    assert answer["counts"] == {"create": 8, "refused": 1}
    assert {f"web0{one}" for one in range(1, 9)} <= monitoring.hosts().keys()
    assert [row["what"] for row in pushed()["rows"]] == ["refused"]


HOSTILE = ("a/b", "<b>", "{HOST.NAME}", "wéb", "a b", "-e", "web[1:3]")


def test_hostile_names_and_texts_break_nothing(database, monitoring, pushed):
    report(database, 1)
    texts = machine(30, site="dc1/../<b>{$M}", rack="R'07\"; DROP")
    texts["system"]["product_name"] = "{{ 7*7 }} <script>\u202e é" + "x" * 400
    store.ingest(database, [arrival(texts, "texts")])
    for number, name in enumerate(HOSTILE, 40):
        store.ingest(database, [arrival(machine(number), name)])
    answer = pushed()
    assert answer["counts"] == {"create": 2, "left out": len(HOSTILE)}
    assert {row["name"] for row in answer["rows"] if row["what"] == "left out"} == set(HOSTILE)
    host = monitoring.hosts()["texts"]
    assert [one["name"] for one in host["groups"]] == ["CMDB/dc1-..-<b>{$M}"]
    assert tags(host)["cmdb_rack"] == "R'07\"; DROP"
    again = pushed()
    assert again["counts"] == {"left out": len(HOSTILE)}
    assert again["unchanged"] == 2


def test_new_hardware_takes_the_name_of_what_was_retired(database, monitoring, pushed):
    report(database, 1)
    pushed()
    old = monitoring.hosts()["web01"]
    store.ingest(database, [arrival(machine(50), "web01", later(days=30))])
    answer = pushed()
    assert [row["what"] for row in answer["rows"]] == ["rename", "retire", "create"]
    hosts = monitoring.hosts()
    assert hosts["web01"]["inventory"]["serialno_a"] == "9XYZ050"
    [former] = [one for one in hosts.values() if one["hostid"] == old["hostid"]]
    assert former["host"].startswith("web01_")
    assert former["status"] == "1"
    assert rows(pushed()) == []


def test_two_pushes_at_once_are_one(database, pushed):
    report(database, 1)
    with (
        store.alone(database, "the push 'monitoring'"),
        pytest.raises(store.StoreError, match="running already"),
    ):
        pushed()
    assert rows(pushed()) == [("create", "web01")]


def test_a_wrong_token_a_wrong_address_and_a_wrong_template_are_said(database, pushed):
    report(database, 1)
    with pytest.raises(PushFailed, match="does not let us call host") as refusal:
        pushed(token="0" * 64)
    assert "0000" not in f"{refusal.value} {refusal.value.hint}"
    with pytest.raises(PushFailed, match="cannot reach"):
        pushed(url="http://127.0.0.1:1")
    with pytest.raises(PushFailed, match="no template") as slip:
        pushed(templates=["Linux by Zabbix agen"])
    assert slip.value.hint == "did you mean 'Linux by Zabbix agent'?"


def test_while_the_database_of_zabbix_is_away_nothing_is_taken_for_gone(
    database, postgresql, monitoring, pushed
):
    report(database, 1, 2)
    pushed()
    name = sa.make_url(monitoring.database).database
    postgres.execute(postgresql, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    postgres.execute(postgresql, end, name)
    with pytest.raises(PushFailed, match="Error connecting to database"):
        pushed()
    postgres.execute(postgresql, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert rows(pushed()) == []


def test_an_operator_sees_first_what_would_be_written(database, monitoring, salt_run):
    report(database, 1, 2)
    output, status = ran(salt_run("cmdb.push", "monitoring", "dry_run=True", "exit_code=True"))
    assert status == 1
    assert "would be created  web01" in output
    assert "monitoring, dry run: nothing was written: 2 would be created" in output
    assert "web01" not in monitoring.hosts()
    output, status = ran(salt_run("cmdb.push", "monitoring"))
    assert status == 0
    assert "monitoring: 2 created, 0 as they shall be" in output
    output, status = ran(salt_run("cmdb.push"))
    assert status == 0
    assert monitoring.url in output
    output, status = ran(salt_run("cmdb.push", "monitorin"))
    assert status == 2
    assert "did you mean 'monitoring'?" in output
    # Salt keeps what it was asked and what it answered, and logs all it can.
    kept = [path.read_bytes() for path in salt_run.root.rglob("*") if path.is_file()]
    assert any(b"cmdb.push" in one for one in kept)
    assert not any(salt_run.said["token"].encode() in one for one in kept)


def test_a_push_that_is_killed_half_way_leaves_no_host_twice(
    database, database_url, monitoring, pushed, salt_run
):
    report(database, 1, 2, 3)
    parts = sa.make_url(database_url)
    ledger = psycopg2.connect(dbname=parts.database, user=parts.username, host=parts.query["host"])
    with ledger.cursor() as cursor:
        # The hosts can be made, and the ledger cannot be written.
        cursor.execute("LOCK TABLE pushed IN SHARE MODE")
        process = salt_run("cmdb.push", "monitoring")
        end = time.monotonic() + PATIENCE_SECONDS
        while not {"web01", "web02", "web03"} <= monitoring.hosts().keys():
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < end
        process.kill()
        process.communicate()
    ledger.close()
    with database.begin() as link:
        # Its sessions end when the server has noticed it.
        while link.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")):
            assert time.monotonic() < end + PATIENCE_SECONDS
    assert store.pushed_of(database, "monitoring") == {}
    before = {name: one["hostid"] for name, one in monitoring.hosts().items()}
    answer = pushed()
    assert (rows(answer), answer["unchanged"]) == ([], 3)
    assert {name: one["hostid"] for name, one in monitoring.hosts().items()} == before
    assert len(store.pushed_of(database, "monitoring")) == 3


def test_columns_of_people_become_fields_of_the_inventory(database, monitoring, pushed):
    report(database, 1)
    pushed(inventory=["asset_tag=room", "alias=hostname"])
    assert monitoring.hosts()["web01"]["inventory"]["alias"] == "web01"
    # Taken out of the option, it is taken away there too.
    assert rows(pushed()) == [("update", "web01")]
    assert monitoring.hosts()["web01"]["inventory"]["alias"] == ""
    with pytest.raises(PushFailed, match="names no field of the inventory"):
        pushed(inventory=["asset_tag"])
    [row] = pushed(inventory=["no_such_field=sn"])["rows"]
    assert row["what"] == "refused"
    assert "no_such_field" in row["why"]
    with pytest.raises(store.FilterError, match="did you mean 'room'"):
        pushed(inventory=["asset_tag=rom"])


def test_what_is_refused_for_all_machines_alike_ends_the_push(database, pushed):
    store.ingest(
        database,
        [
            arrival(
                machine(number, address="10.1.0.1")
                | {"system": {**server(number)["system"], "serial_number": f"{number:065}"}},
                f"long{number}",
            )
            for number in range(1, 120)
        ],
    )
    with pytest.raises(PushFailed, match=r"101 of 101 machines were refused.* 0 of 119 machines"):
        pushed()


def limited(monitoring):
    """Return the token of a user as docs/pushes.md says: only to make groups he may not."""
    methods = ("host.get", "host.create", "host.update", "hostgroup.get", "template.get")
    rules = {"api.mode": 1, "api": list(methods), "api.access": 1}
    [role] = monitoring.call("role.create", name="cmdb", type=2, rules=rules)["roleids"]
    names = ("CMDB", "Templates", "Templates/Operating systems")
    found = monitoring.call("hostgroup.get", output=["name"], filter={"name": list(names)})
    groups = {one["name"]: one["groupid"] for one in found}
    for name in ("CMDB", "CMDB/dc1"):
        [groups[name]] = monitoring.call("hostgroup.create", name=name)["groupids"]
    rights = [
        {"id": group, "permission": 3 if name.startswith("CMDB") else 2}
        for name, group in groups.items()
    ]
    [users] = monitoring.call("usergroup.create", name="cmdb", rights=rights)["usrgrpids"]
    [user] = monitoring.call(
        "user.create",
        username="cmdb",
        passwd="Gv7!qpz0-Lk",
        roleid=role,
        usrgrps=[{"usrgrpid": users}],
    )["userids"]
    return monitoring.new_token(user)


def test_a_user_who_may_write_the_groups_is_enough(database, monitoring, pushed):
    report(database, 1)
    options = {"token": limited(monitoring), "templates": ["Linux by Zabbix agent"]}
    assert rows(pushed(**options)) == [("create", "web01")]


def test_a_machine_of_a_site_whose_group_cannot_be_made_is_told_and_all_others_are_pushed(
    database, monitoring, pushed
):
    token = limited(monitoring)
    report(database, 1)
    pushed(token=token)
    report(database, 2)
    report(database, 3, site="no-such-site")
    report(database, 1, at=later(seconds=1), site="nor-this-one")
    answer = pushed(token=token)
    assert answer["counts"] == {"create": 1, "refused": 2}
    why = {row["name"]: row["why"] for row in answer["rows"] if row["what"] == "refused"}
    assert "'CMDB/no-such-site' that we may see, and we cannot make it: Zabbix does" in why["web03"]
    assert "'CMDB/nor-this-one'" in why["web01"]
    assert "web02" in monitoring.hosts()
    # With a token that may, they are made.
    done = pushed()
    assert done["counts"] == {"update": 1, "create": 1}


def test_a_thousand_machines_are_a_few_requests(database, pushed):
    names = {number: f"many{number:04d}" for number in range(1000)}
    reports = [
        arrival(machine(number, address=f"10.2.{number >> 8}.{number & 255}"), name)
        for number, name in names.items()
    ]
    for start in range(0, 1000, 250):
        store.ingest(database, reports[start : start + 250])
    made = pushed()
    assert made["counts"] == {"create": 1000}
    # The version, which are ours, who has the names, the group and making it, two bulks.
    assert made["calls"] == 7
    again = pushed()
    assert (again["unchanged"], again["calls"]) == (1000, 3)
