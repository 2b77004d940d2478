"""The external pillar, as a master compiles it for a minion."""

import logging
import os
import socket
import stat
import threading
import time
from pathlib import Path

import psycopg2
import pytest
import salt.pillar
import sqlalchemy as sa

from salt_ext import store
from salt_ext.master import last_answers, pillar
from salt_ext.master.last_answers import LastAnswers
from tests.integration.conftest import Gate
from tests.machines import arrival, server
from tests.patience import PATIENCE_SECONDS

AWAY = "postgresql+psycopg2://nobody@127.0.0.1:1/cmdb"


@pytest.fixture
def compiled(master_opts):
    """A function that returns the pillar of a minion; its keywords are the options."""

    def compile_pillar(minion_id="web01", grains=None, override=None, **options):
        opts = {**master_opts, "ext_pillar": [{"cmdb": options}], "pillar_roots": {"base": []}}
        one = salt.pillar.get_pillar(opts, grains or {}, minion_id, pillar_override=override)
        return one.compile_pillar()

    return compile_pillar


@pytest.fixture
def away(master_opts):
    """A function by which the database goes away, or comes back."""
    url = master_opts["cmdb"]["database_url"]

    def go(is_away=True):
        master_opts["cmdb"] = {"database_url": AWAY if is_away else url}

    return go


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A slow machine has its time: only what is about a database that hangs is timed."""
    monkeypatch.setattr(pillar, "WITHIN_SECONDS", 60)
    monkeypatch.setattr(store, "PAGES", store.PAGES._replace(statement_seconds=60))


@pytest.fixture
def at_once(monkeypatch):
    """Ask the store again without a pause."""
    monkeypatch.setattr(last_answers, "PAUSE_SECONDS", 0)


def report(database, *numbers, **sections):
    arrivals = [arrival(server(one, **sections), f"web{one:02d}") for one in numbers]
    store.ingest(database, arrivals)


def says(database, *machines, source="list.csv"):
    """Import a list; of each machine its SN, its minion id and its fields."""
    said = [
        {"sn": sn, "minion_id": name, "fields": fields, "row": number, "awaited": True}
        for number, (sn, name, fields) in enumerate(machines, 2)
    ]
    store.import_expected(database, said, source=source, by="ops")


def lifecycle(database, minion_id, state):
    act = store.Act("ops", "broken", test=False)
    store.set_lifecycle(database, store.resolve(database, minion_id), state, act)


def test_a_minion_gets_its_own_asset_and_what_lists_say_of_it(compiled, database):
    report(database, 1, 2, location={"site": "fra1", "rack": "R07"})
    says(
        database,
        ("9XYZ001", "WEB01", {"list.role": "db", "unit": "U11", "memory_bytes": "256 GiB"}),
        ("9XYZ002", None, {"list.role": "vault"}),
    )
    asset = compiled()["cmdb_asset"]
    assert asset["id"] == str(store.resolve(database, "web01"))
    assert (asset["sn"], asset["lifecycle"], asset["kind"]) == ("9XYZ001", "active", "physical")
    assert (asset["site"], asset["rack"], asset["unit"]) == ("fra1", "R07", "U11")
    assert asset["from_list"] == "unit"
    assert asset["list"] == {"role": "db", "unit": "U11", "memory_bytes": "256 GiB"}
    assert asset["named"] == asset["list"]
    # The second row has a serial number alone, and that is what the machine itself reports.
    other = compiled("web02")["cmdb_asset"]
    assert other["list"] == {"role": "vault"}
    assert "named" not in other


def test_the_options_choose_the_key_and_the_fields(compiled, database):
    report(database, 1)
    says(database, ("9XYZ001", "web01", {"list.role": "db", "list.owner": "ops", "rack": "R07"}))
    fields = ["sn", "memory_bytes", "list.role", "list.nothing"]
    found = compiled(key="asset", fields=fields)
    assert found == {
        "asset": {
            "id": str(store.resolve(database, "web01")),
            "sn": "9XYZ001",
            "memory_bytes": 128 << 30,
            "list": {"role": "db"},
            "named": {"role": "db"},
        }
    }
    assert compiled(fields="sn, rack")["cmdb_asset"].keys() == {"id", "sn", "rack"}


def test_who_never_reported_gets_what_lists_say_of_its_name(compiled, database):
    says(database, ("9XYZ001", "web01", {"list.role": "db"}), ("9XYZ002", "", {"list.role": "db"}))
    assert compiled()["cmdb_asset"] == {"list": {"role": "db"}, "named": {"role": "db"}}
    assert compiled("web01.dc1")["cmdb_asset"]["named"] == {"role": "db"}
    assert compiled("web02") == {}


def test_retired_and_missing_machines_get_nothing_unless_asked_for(compiled, database):
    report(database, 1, 2)
    says(database, ("9XYZ001", "web01", {"list.role": "db"}))
    lifecycle(database, "web01", "retired")
    with database.begin() as link:
        link.exec_driver_sql("UPDATE asset_seen SET last_seen = now() - interval '9 days'")
    assert compiled() == compiled("web02") == {}
    everybody = {
        "lifecycle__in": ["active", "retired"],
        "freshness__in": ["fresh", "stale", "missing"],
    }
    assert compiled(filters=everybody)["cmdb_asset"]["lifecycle"] == "retired"
    assert compiled("web02", filters=everybody)["cmdb_asset"]["lifecycle"] == "active"


def test_who_is_retired_is_not_taken_for_one_that_never_reported(compiled, database):
    store.ingest(database, [arrival(server(one + 5), f"web01.dc{one}") for one in (1, 2)])
    # It could be either, and so means neither.
    says(database, (None, "web01", {"list.role": "db"}))
    assert "named" not in compiled("web01.dc1")["cmdb_asset"]
    lifecycle(database, "web01.dc1", "retired")
    assert compiled("web01.dc1") == {}


def test_a_minion_cannot_ask_for_another_asset_or_another_database(compiled, database):
    report(database, 1, 2)
    grains = {"id": "web01", "cmdb": {"system": {"serial_number": "9XYZ001"}}}
    override = {"cmdb": {"database_url": AWAY}}
    found = compiled("web02", grains, override)["cmdb_asset"]
    assert found["sn"] == "9XYZ002"
    assert compiled("stranger", grains) == {}


def test_while_the_database_is_away_the_last_answer_is_told(compiled, away, database, caplog):
    report(database, 1, 2)
    before = compiled()["cmdb_asset"]
    away()
    found = compiled()["cmdb_asset"]
    assert found.pop("as_of").startswith("20")
    assert found == before
    assert compiled("web02") == {}  # it never asked
    assert compiled(fields=["sn"]) == {}  # nor was this
    lines = [one.getMessage() for one in caplog.records if "ext_pillar cmdb" in one.getMessage()]
    assert "cannot reach the database" in lines[0]
    assert "Traceback" not in "".join(lines)  # others may log meanwhile


def test_when_the_database_is_back_it_is_asked_again(compiled, away, database, at_once):
    report(database, 1)
    compiled()
    away()
    assert "as_of" in compiled()["cmdb_asset"]
    away(False)
    assert "as_of" not in compiled()["cmdb_asset"]


def test_who_was_retired_before_the_outage_has_no_last_answer(compiled, away, database):
    report(database, 1)
    assert compiled()
    lifecycle(database, "web01", "retired")
    assert compiled() == {}
    away()
    assert compiled() == {}


@pytest.fixture
def mute(master_opts):
    """A server that takes connections and says nothing: the URL of a database on it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        yield f"postgresql+psycopg2://nobody@127.0.0.1:{port}/cmdb"


def test_a_database_that_hangs_holds_up_one_minion_and_not_a_highstate(
    compiled, master_opts, database, mute, monkeypatch
):
    report(database, 1)
    before = compiled()["cmdb_asset"]
    monkeypatch.setattr(pillar, "WITHIN_SECONDS", 1)
    master_opts["cmdb"] = {"database_url": mute}
    began = time.monotonic()
    first = compiled()["cmdb_asset"]
    assert 1 <= time.monotonic() - began < PATIENCE_SECONDS
    assert {**before, "as_of": first["as_of"]} == first
    # Nobody else waits, in this process or another one, which sees the same directory.
    asked = []
    monkeypatch.setattr(pillar, "_ask", lambda *args: asked.append(args))
    for _ in range(20):
        assert compiled()["cmdb_asset"] == first
    assert asked == []


class Valve(Gate):
    """A port in front of the database whose connections stay open while nothing passes."""

    def __init__(self, target):
        """Let everything pass."""
        self.is_open = threading.Event()
        self.is_open.set()
        super().__init__(target)

    def _copy(self, source, sink):
        while data := source.recv(1 << 16):
            self.is_open.wait()
            sink.sendall(data)


def test_a_server_that_stops_in_the_middle_of_a_session_is_left_behind(
    compiled, master_opts, database, database_url, postgresql, at_once, monkeypatch
):
    report(database, 1)
    directory = psycopg2.extensions.parse_dsn(postgresql)["host"]
    valve = Valve(f"{directory}/.s.PGSQL.5432")
    url = f"postgresql+psycopg2://postgres@127.0.0.1:{valve.port}/{sa.make_url(database_url).database}"
    master_opts["cmdb"] = {"database_url": url}
    assert "as_of" not in compiled()["cmdb_asset"]
    monkeypatch.setattr(pillar, "WITHIN_SECONDS", 1)
    valve.is_open.clear()
    for _ in range(3):
        assert "as_of" in compiled()["cmdb_asset"]
    monkeypatch.setattr(pillar, "WITHIN_SECONDS", 20)
    valve.is_open.set()
    assert "as_of" not in compiled()["cmdb_asset"]
    valve.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"feilds": []}, "there is no option 'feilds'; did you mean 'fields'?"),
        ({"fields": ["rackk"]}, "there is no field 'rackk'; did you mean 'rack'?"),
        ({"fields": 7}, "fields is a list of names"),
        ({"filters": {"lifecycle": "retird"}}, "did you mean 'retired'?"),
        ({"filters": ["active"]}, "filters a mapping"),
        ({"key": "cmdb"}, "a name other than cmdb"),
    ],
)
def test_a_wrong_option_is_told_and_breaks_no_pillar(compiled, database, caplog, options, said):
    report(database, 1)
    assert compiled(**options) == {}
    assert said in caplog.text
    assert "Traceback" not in caplog.text
    assert compiled()  # a mistake is no outage


def test_a_bug_is_told_with_its_traceback_and_breaks_no_pillar(
    compiled, database, caplog, monkeypatch
):
    report(database, 1)
    before = compiled()["cmdb_asset"]
    monkeypatch.setattr(store, "told_of", lambda *args, **options: {}["no such key"])
    assert compiled()["cmdb_asset"].keys() == {*before, "as_of"}
    assert "KeyError: 'no such key'" in caplog.text


def test_what_is_configured_without_options_works_too(master_opts, database):
    report(database, 1)
    for options in (None, [], {}):
        opts = {**master_opts, "ext_pillar": [{"cmdb": options}], "pillar_roots": {"base": []}}
        found = salt.pillar.get_pillar(opts, {}, "web01").compile_pillar()
        assert found["cmdb_asset"]["sn"] == "9XYZ001"


def test_long_texts_and_many_columns_are_cut(compiled, database):
    report(database, 1)
    many = {f"list.column{number:04}": "x" for number in range(300)}
    says(database, ("9XYZ001", "web01", {**many, "list.a": "long " * 1000}))
    listed = compiled()["cmdb_asset"]["list"]
    assert len(listed) == pillar.MOST_FIELDS
    assert len(listed["a"]) == pillar.LONGEST_BYTES


def kept(master_opts):
    return sorted(Path(master_opts["cachedir"], "cmdb/pillar").glob("*.json"))


def test_an_answer_is_written_when_it_is_another_one(compiled, database, master_opts):
    report(database, 1)
    compiled()
    [file] = kept(master_opts)
    written = file.stat().st_ino
    os.utime(file, (0, 0))
    compiled()
    assert (file.stat().st_ino, file.stat().st_mtime > 0) == (written, True)
    lifecycle(database, "web01", "maintenance")
    compiled()
    assert kept(master_opts) == [file]
    assert "maintenance" in file.read_text()


def test_answers_are_the_masters_own_and_a_damaged_one_is_none(
    compiled, database, master_opts, away
):
    report(database, 1)
    Path(master_opts["cachedir"]).mkdir()
    if os.geteuid() == 0:  # a command that root runs while the master is another user
        os.chown(master_opts["cachedir"], 12345, 12345)
    compiled()
    [file] = kept(master_opts)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    owner = Path(master_opts["cachedir"]).stat().st_uid
    assert {one.stat().st_uid for one in (file, file.parent, file.parent.parent)} == {owner}
    file.write_text('{"answer": ')
    away()
    assert compiled() == {}


def test_a_disk_that_is_full_takes_no_answer_away(compiled, database, master_opts, caplog):
    report(database, 1)
    Path(master_opts["cachedir"]).mkdir(exist_ok=True)
    Path(master_opts["cachedir"], "cmdb").write_text("no directory")
    with caplog.at_level(logging.WARNING):
        assert compiled()["cmdb_asset"]["sn"] == "9XYZ001"
    assert "cannot keep its answers" in caplog.text


def test_answers_that_nobody_asks_for_any_more_are_forgotten(compiled, database, master_opts):
    report(database, 1, 2)
    compiled()
    [file] = kept(master_opts)
    os.utime(file, (0, time.time() - last_answers.KEPT_SECONDS - 60))
    compiled("web02")
    answers = LastAnswers(master_opts, "pillar")
    assert answers.forget() == 1
    assert len(kept(master_opts)) == 1
    assert file not in kept(master_opts)
    assert LastAnswers(master_opts, "nothing").forget() == 0
