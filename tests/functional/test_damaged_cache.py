"""A damaged entry in the cache is said, and removed by the engine or by the line that is said."""

import os
import shlex
from pathlib import Path

import pytest
import salt.loader
from salt.exceptions import SaltCacheError

from salt_ext import store
from salt_ext.master import intake
from salt_ext.master.cache import Cache
from salt_ext.master.feed import Unreadable
from salt_ext.report.envelope import MINE_FUNCTION
from tests.machines import now, report, server
from tests.master_cache import keep


@pytest.fixture(params=[False, True], ids=["bank for each kind", "bank for each minion"])
def cache(master_opts, request):
    """The engine's view of a real cache with two minions, in the layouts of Salt 3008 and 3006."""
    accepted = Path(master_opts["pki_dir"]) / "minions"
    for name in ("web01", "web02"):
        (accepted / name).write_text("a key")
    cache = Cache(master_opts, mends=True, one_bank_each=request.param)
    for number, name in enumerate(("web01", "web02"), 1):
        keep(cache, "mine", name, {MINE_FUNCTION: report(server(number), name, now())})
        keep(cache, "grains", name, {"os": "Debian"})
    return cache


def file_of(cache, kind="mine", minion_id="web01"):
    bank, key = cache._place(kind, minion_id)
    return Path(cache.opts["cachedir"]) / bank / f"{key}.p"


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def rubbish(path):
    path.write_bytes(b"\xc1rubbish")


def empty(path):
    path.write_bytes(b"")


def number(path):
    path.write_bytes(b"\x05")


def read(cache, minion_id="web01"):
    """Return what is said of an entry when it is read as the engine does."""
    version = cache.versions([minion_id])[minion_id]
    with pytest.raises(Unreadable) as error:
        cache.report(minion_id, version)
    return str(error.value)


@pytest.mark.parametrize("damage", [cut, rubbish, empty, number])
def test_a_mine_that_is_damaged_twice_is_removed_and_nothing_else(cache, damage):
    damage(file_of(cache))
    assert "is damaged and keeps all later reports out; remove it" in read(cache)
    assert file_of(cache).exists()
    said = read(cache)
    assert "is removed, and the next report will be stored" in said
    assert "salt web01 cmdb.collect" in said
    assert not file_of(cache).exists()
    assert file_of(cache, "grains").exists()
    assert file_of(cache, minion_id="web02").exists()


def test_an_entry_that_was_written_meanwhile_stays(cache):
    cut(file_of(cache))
    read(cache)
    os.utime(file_of(cache), (1, 1))
    assert "remove it" in read(cache)
    assert file_of(cache).exists()


def test_an_entry_that_is_written_just_before_it_is_removed_stays(cache):
    cut(file_of(cache))
    version = cache.versions(["web01"])["web01"]
    read(cache)
    os.utime(file_of(cache), (1, 1))
    with pytest.raises(Unreadable, match="remove it"):
        cache.report("web01", version)
    assert file_of(cache).exists()


def test_an_entry_that_only_cannot_be_read_stays(cache, monkeypatch):
    def fetch(*_):
        raise SaltCacheError("Input/output error")

    monkeypatch.setattr(cache.cache, "fetch", fetch)
    for _ in range(3):
        assert "cannot be read: Input/output error" in read(cache)
    assert file_of(cache).exists()


def test_damaged_grains_stay_because_salt_writes_them_anew(cache):
    file_of(cache).unlink()
    cut(file_of(cache, "grains"))
    for _ in range(3):
        assert "salt web01 saltutil.refresh_pillar" in read(cache)
    assert file_of(cache, "grains").exists()


def test_who_does_not_mend_says_the_line_that_does(cache, master_opts):
    cache.mends = False
    cut(file_of(cache))
    for _ in range(3):
        said = read(cache)
    assert file_of(cache).exists()
    line = shlex.split(said.partition("report again: ")[2].partition(";")[0])
    assert line[0] == "salt-run"
    assert salt.loader.runner(master_opts)[line[1]](*line[2:]) is True
    assert not file_of(cache).exists()


def test_the_problem_is_over_when_the_next_report_is_stored(cache, database):
    def take():
        outcomes = []
        feed.sink, sink = lambda reports: outcomes.extend(intake.take(database, reports)), feed.sink
        feed.look()
        feed.drain()
        feed.sink = sink
        return {one.minion_id: one.status for one in outcomes}

    feed = intake.feed(cache, database)
    assert take() == {"web01": "new", "web02": "new"}
    cut(file_of(cache))
    os.utime(file_of(cache), (1 << 31, 1 << 31))
    assert take()["web01"] == "refused"
    assert take()["web01"] == "refused"
    [problem], _ = store.problems(database)
    assert (problem["minion_id"], problem["kind"], problem["subject"]) == (
        *("web01", "report"),
        "cache",
    )
    assert "is removed" in problem["message"]
    take()
    assert store.problems(database)[1] == 1
    keep(cache, "mine", "web01", {MINE_FUNCTION: report(server(1), "web01", now())})
    assert take()["web01"] == "unchanged"
    assert store.problems(database)[1] == 0
