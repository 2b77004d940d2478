"""What waits on the master: results of salt-ssh that were kept, and cmdb.sync."""

import contextlib
import json
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import salt.loader
import sqlalchemy as sa

from salt_ext import store
from salt_ext.master import kept
from salt_ext.master.cache import Cache
from salt_ext.report.envelope import MINE_FUNCTION
from tests import master_cache
from tests.machines import arrival, later, report, reporting, server
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def keys(tmp_path):
    """The directory of accepted keys."""
    accepted = tmp_path / "pki_dir/minions"
    accepted.mkdir(parents=True, exist_ok=True)
    (accepted / "web01").write_text("a key")
    return accepted


@pytest.fixture
def sync(runners):
    def run():
        answer = runners["cmdb.sync"]()["data"]
        return answer["cmdb"], answer.get("retcode", 0)

    return run


@contextlib.contextmanager
def a_full_disk():
    """Let no file of this process grow, as on a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_kept_result_of_a_machine_over_its_rate_stays_kept(master_opts, keys, sync, database):
    kept.keep(master_opts, [arrival(server(1), "ssh01", mode="ssh")])
    with database.begin() as link:
        link.execute(sa.text("INSERT INTO spent VALUES ('ssh01', now(), 0, 1000000000)"))
    answer, retcode = sync()
    assert retcode == 0
    assert answer["waiting"] == ["ssh01"]
    assert kept.names(master_opts) == ["ssh01"]
    with database.begin() as link:
        link.execute(sa.text("DELETE FROM spent"))
    answer, _ = sync()
    assert answer["counts"]["new"] == 1
    assert kept.names(master_opts) == []


def test_what_was_kept_is_stored_and_then_let_go_of(master_opts, keys, sync, database):
    # Salt 3006 lists an entry of its cache without the last letters "p" of its key.
    ssh = [arrival(server(n), name, mode="ssh") for n, name in enumerate(("ldap", "ssh01"))]
    assert kept.keep(master_opts, ssh) == ["ldap", "ssh01"]
    assert kept.names(master_opts) == ["ldap", "ssh01"]
    answer, retcode = sync()
    assert retcode == 0
    assert answer["counts"]["new"] == 2
    assert kept.names(master_opts) == []
    assert store.overview(database, store.resolve(database, "ssh01"))["mode"] == "ssh"
    assert sync()[0]["counts"]["new"] == 0


def test_of_each_machine_the_latest_result_is_kept(master_opts, keys, sync, database):
    old = arrival(server(1, firmware={"version": "1"}), "ssh01")
    new = arrival(server(1, firmware={"version": "2"}), "ssh01", later(seconds=5))
    for one in (old, new, old):
        kept.keep(master_opts, [one])
    assert sync()[0]["counts"]["new"] == 1
    found = store.overview(database, store.resolve(database, "ssh01"))
    assert found["facts"]["firmware"]["version"] == "2"


def test_what_was_kept_stays_while_the_database_is_away(master_opts, keys, runners):
    master_opts["cmdb"] = {"database_url": "postgresql+psycopg2://cmdb@127.0.0.1:1/cmdb"}
    kept.keep(master_opts, [arrival(server(1), "ssh01")])
    answer = runners["cmdb.sync"]()["data"]
    assert answer["retcode"] == 2
    assert "cannot reach the database" in answer["cmdb"]["error"]
    assert kept.names(master_opts) == ["ssh01"]


def test_a_result_kept_during_a_sync_is_not_let_go_of(master_opts, keys, database):
    kept.keep(master_opts, [arrival(server(1), "ssh01")])
    waits = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with ThreadPoolExecutor() as pool:
        with database.begin() as link:
            link.execute(sa.text("LOCK TABLE asset_seen"))
            syncing = pool.submit(kept.store_kept, master_opts, database)
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not link.scalar(waits):
                assert time.monotonic() < deadline
            kept.keep(master_opts, [arrival(server(1), "ssh01", later(seconds=5))])
        assert [one.status for one in syncing.result(timeout=PATIENCE_SECONDS)] == ["new"]
    assert kept.names(master_opts) == ["ssh01"]


def test_a_damaged_entry_is_named_and_blocks_no_other(master_opts, keys, sync):
    kept.keep(master_opts, [arrival(server(n), f"ssh{n:02d}") for n in (1, 2)])
    [damaged] = Path(master_opts["cachedir"]).rglob("ssh01*.p")
    damaged.write_bytes(b"\xc1rubbish")
    answer, _ = sync()
    assert answer["refused"] == ["ssh01"]
    assert answer["counts"]["new"] == 1
    kept.keep(master_opts, [arrival(server(1), "ssh01")])  # asked again
    assert sync()[0]["counts"]["new"] == 1


def test_a_full_disk_names_the_machines_whose_results_are_lost(master_opts, keys):
    names = ["ssh01", "ssh02"]
    with a_full_disk(), pytest.raises(kept.Lost) as lost:
        kept.keep(master_opts, [arrival(server(1), name) for name in names])
    assert lost.value.names == names
    assert "the results of ssh01, ssh02 are lost" in str(lost.value)
    assert "File too large" in str(lost.value)
    assert "make room" in lost.value.hint
    assert kept.names(master_opts) == []


def test_a_result_that_finds_no_room_leaves_the_one_before_it(master_opts, keys, sync):
    kept.keep(master_opts, [arrival(server(1), "ssh01")])
    with a_full_disk(), pytest.raises(kept.Lost):
        kept.keep(master_opts, [arrival(server(1), "ssh01", later(seconds=5))])
    assert sync()[0]["counts"]["new"] == 1


@pytest.mark.parametrize("name", ["../web01", "a/b", ""])
def test_a_name_that_is_no_minion_id_is_not_kept(master_opts, keys, name):
    with pytest.raises(kept.Lost, match="not a minion id"):
        kept.keep(master_opts, [arrival(server(1), name)])
    assert kept.names(master_opts) == []


def test_a_sync_stores_what_the_masters_cache_holds_on_a_full_disk_too(
    master_opts, keys, sync, database
):
    for number, name in enumerate(("web01", "stranger")):
        sent = {MINE_FUNCTION: report(server(number), name)}
        master_cache.keep(Cache(master_opts), "mine", name, sent)
    with a_full_disk():
        answer, retcode = sync()
    assert retcode == 0
    assert answer["counts"]["new"] == 1
    assert sorted(reporting(database)) == ["web01"]


def test_a_sync_names_what_it_could_not_store(master_opts, keys, sync):
    outputter = salt.loader.outputters(master_opts)["cmdb"]
    master_cache.keep(Cache(master_opts), "mine", "web01", {MINE_FUNCTION: {"schema": 1}})
    answer, retcode = sync()
    assert retcode == 0
    assert answer["refused"] == ["web01"]
    assert "refused" in outputter({"cmdb": answer})
    assert "web01" in outputter({"cmdb": answer})


def test_a_cache_that_cannot_be_read_is_a_sentence(master_opts, keys, sync):
    (Path(master_opts["cachedir"]) / "mine").mkdir(parents=True)
    master_opts["cache"] = "nowhere"
    answer, retcode = sync()
    assert retcode == 2
    assert "nowhere" in answer["error"]


def test_the_inbox_is_emptied_and_nobody_in_it_speaks_for_a_minion(keys, sync, database):
    statement = sa.text("INSERT INTO inbox (minion_id, report) VALUES (:minion_id, :report)")
    with database.begin() as link:
        for number, name in enumerate(("laptop", "web01")):
            sent = json.dumps(report(server(number), name, mode="return"))
            link.execute(statement, {"minion_id": name, "report": sent})
    answer, _ = sync()
    assert answer["counts"]["new"] == 1
    assert answer["refused"] == ["web01"]
    assert sorted(reporting(database)) == ["laptop"]
    assert store.inbox_size(database) == 0
