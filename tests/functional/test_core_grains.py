"""An inventory from the grains that Salt itself has: before any minion has our code."""

import os
import time
from datetime import datetime, timedelta, timezone

import pytest
import salt.config
import salt.loader

from salt_ext import store
from salt_ext.commands.printing import history as printed
from salt_ext.master.cache import Cache
from salt_ext.report import core_grains
from salt_ext.report.envelope import MINE_FUNCTION
from salt_ext.store import ingest
from tests import master_cache
from tests.machines import arrival, later, report, server

GRAINS = {
    "id": "web01",
    "host": "web01",
    "manufacturer": "Dell Inc.",
    "productname": "PowerEdge R750",
    "serialnumber": "9XYZ001",
    "uuid": "4c4c4544-0058-5910-805a-b9c04f000001",
    "biosversion": "1.9.2",
    "mem_total": 128_000,
    "num_cpus": 112,
    "cpu_model": "Intel(R) Xeon(R) Gold 6330",
    "osfullname": "Debian GNU/Linux",
    "osrelease": "12",
    "kernelrelease": "6.1.0-28-amd64",
    "cpuarch": "x86_64",
    "virtual": "physical",
    "machine_id": "c4ca4238a0b923820dcc509a6f75849b",
    "hwaddr_interfaces": {"lo": "00:00:00:00:00:00", "eno1": "52:54:00:00:00:01"},
    "ip_interfaces": {"lo": ["127.0.0.1"], "eno1": ["10.0.0.1", "fe80::1"]},
    "disks": ["sdb"],
    "ssds": ["sda"],
}


@pytest.fixture
def sync(runners, master_opts, tmp_path):
    """A function that puts entries into the master's cache and runs cmdb.sync."""
    keys = tmp_path / "pki_dir/minions"
    keys.mkdir(parents=True, exist_ok=True)
    cache = Cache(master_opts)

    def run(kind="grains", age=0, **entries):
        for name, entry in entries.items():
            (keys / name).write_text("a key")
            bank, key = master_cache.keep(cache, kind, name, entry)
            at = time.time() - age
            os.utime(tmp_path / "cachedir" / bank / f"{key}.p", (at, at))
        return runners["cmdb.sync"]()["data"]["cmdb"]

    return run


def stored(database, name="web01"):
    return store.overview(database, store.resolve(database, name))


def test_a_fleet_is_known_before_it_has_any_of_our_code(sync, database):
    assert sync(age=60, web01=GRAINS)["counts"]["new"] == 1
    asset = stored(database)
    assert (asset["sn"], asset["mode"], asset["kind"]) == ("9XYZ001", "grains", "physical")
    assert asset["os"] == "Debian GNU/Linux 12"
    assert asset["memory_bytes"] == 128_000 << 20
    assert asset["processor_threads"] == 112
    assert asset["disk_count"] == 2
    assert asset["address"] == "10.0.0.1"
    assert asset["facts"]["network"] == [
        {"name": "eno1", "mac": "52:54:00:00:00:01", "addresses": ["10.0.0.1"]}
    ]
    assert sync(age=30, web01=GRAINS)["counts"]["unchanged"] == 1
    assert sync(web01={**GRAINS, "kernelrelease": "6.1.0-29-amd64"})["counts"]["changed"] == 1


def test_they_take_nothing_from_what_a_better_report_told(sync, database):
    ingest(database, [arrival(server(1), "web01", later(minutes=-30), mode="ssh")])
    before = stored(database)
    answer = sync(web01={**GRAINS, "osrelease": "13", "disks": []})
    assert answer["counts"]["unchanged"] == 1
    after = stored(database)
    assert after["facts"] == before["facts"]
    assert after["mode"] == "ssh"
    # The machine was heard, if not by what knows it best.
    assert after["last_seen"] > before["last_seen"] == after["mode_seen"]


def test_a_better_report_takes_their_place_though_the_minions_clock_is_behind(sync, database):
    sync(web01=GRAINS)
    asset_id = stored(database)["id"]
    said = report(server(1), "web01", datetime.now(timezone.utc) - timedelta(minutes=5))
    assert sync("mine", web01={MINE_FUNCTION: said})["counts"]["unchanged"] == 1
    assert store.changes(database) == []
    asset = stored(database)
    assert asset["id"] == asset_id
    assert asset["mode"] == "agent"
    assert asset["facts"]["memory"]["installed_bytes"] == 128 << 30
    assert asset["facts"]["disks"][0]["serial_number"] == "S64F000001"
    assert len(asset["facts"]["disks"]) == 1


def test_this_machine_as_salt_sees_it_is_a_good_report(sync, database):
    grains = salt.loader.grains(salt.config.minion_config(None))
    grains.pop("cmdb", None)
    assert sync(here=grains)["counts"]["new"] == 1
    assert stored(database, "here")["processor_threads"] == grains["num_cpus"]


def test_grains_that_tell_nothing_make_no_machine(sync, database):
    assert set(sync(odd={"id": "odd", "proxy": True})["counts"].values()) == {0}
    assert store.assets(database).total == 0


@pytest.mark.parametrize(
    "grains",
    [
        {"mem_total": "lots", "num_cpus": None, "disks": "sda", "virtual": 7},
        {"hwaddr_interfaces": [], "ip_interfaces": {"eth0": None}, "host": "odd\0"},
        {"hwaddr_interfaces": {"eth0": None, 7: "x"}, "ip_interfaces": {"eth0": [7]}},
        {name: {"a": [1]} for name in GRAINS},
    ],
)
def test_odd_grains_are_stored_or_refused_and_end_nothing(sync, database, grains):
    counts = sync(odd=grains, web01=GRAINS)["counts"]
    assert counts["new"] + counts["refused"] == 2
    assert stored(database)["sn"] == "9XYZ001"


def test_history_says_when_another_source_took_over(sync, database, runners):
    sync(age=60, web01=GRAINS)
    said = report(server(1), "web01", datetime.now(timezone.utc))
    sync("mine", web01={MINE_FUNCTION: said})
    answer = runners["cmdb.history"]("web01")["data"]["cmdb"]
    assert answer["changes"] == []
    by_source = {one["source"]: one for one in answer["handovers"]}
    assert {"disks", "memory"} <= set(by_source["grains"]["sections"])
    assert "baseboards" in by_source[None]["sections"]
    assert "changes" not in by_source["grains"]
    answer = runners["cmdb.history"]("web01", handovers=True, section="disks")["data"]["cmdb"]
    [one] = answer["handovers"]
    assert {"removed", "added"} & {change["op"] for change in one["changes"]}
    lines = printed.history(answer)
    assert "  now told by agent instead of Salt's grains: " in lines[0]
    assert lines[-1].startswith("no changes, times in UTC; first report ")


def test_other_words_for_the_same_grains_are_no_change_of_the_machine(sync, database, monkeypatch):
    told = {**GRAINS, "biosreleasedate": "11/26/2019"}
    monkeypatch.setattr(core_grains, "VERSION", 1)
    monkeypatch.setattr(core_grains, "iso_date", lambda text: None)
    sync(age=60, web01=told)
    monkeypatch.undo()
    assert sync(web01=told)["counts"]["refused"] == 0
    assert stored(database)["facts"]["firmware"]["release_date"] == "2019-11-26"
    assert store.changes(database) == []


def test_a_diff_over_a_handover_says_that_there_was_one(sync, database, runners):
    sync(age=60, web01=GRAINS)
    sync("mine", web01={MINE_FUNCTION: report(server(1), "web01", datetime.now(timezone.utc))})
    answer = runners["cmdb.diff"]("web01")["data"]["cmdb"]
    assert answer["changes"] == []
    lines = printed.diff(answer)
    assert lines[1] == "no difference"
    assert "now told by agent instead of Salt's grains: " in lines[2]
    assert lines[-1].endswith("see: salt-run cmdb.history web01 handovers=True")
