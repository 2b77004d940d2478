"""The example of a mode of a site's own, from its setting to the answers of the store."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import salt.loader

from benchmarks.fleet import documents
from salt_ext import store
from tests.machines import NOW, arrival, dimm, later, server
from tests.postgres import open_store

EXAMPLES = Path(__file__).parents[2] / "docs/examples"


@pytest.fixture
def carried(tmp_path):
    place = tmp_path / "carried"
    place.mkdir()
    return place


@pytest.fixture
def run(master_opts, carried, monkeypatch):
    """A function that runs a command on a master which knows the mode."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    master_opts["cmdb"]["modes"] = {"carried": "carried.plan"}
    master_opts["carried"] = str(carried)

    def call(command, *args, **kwargs):
        return salt.loader.runner(master_opts)[f"cmdb.{command}"](*args, **kwargs)["data"]["cmdb"]

    return call


def bring(carried, name, facts, at=NOW):
    (carried / f"{name}.json").write_text(json.dumps(documents.collected(facts, at)))


def test_what_a_machine_wrote_is_stored_under_the_mode_of_the_site(run, carried):
    written = subprocess.run(
        [sys.executable, "-m", "salt_ext.facts"], capture_output=True, check=True, text=True
    )
    (carried / "here.json").write_text(written.stdout)
    (carried / "broken.json").write_text("{")
    answer = run("collect", "*", mode="carried")
    assert {one["minion_id"]: one["status"] for one in answer["machines"]} == {
        "here": "new",
        "broken": "failed",
    }
    [row] = run("list", mode="carried", columns="minion_id,mode")["rows"]
    assert row == ["here", "carried"]
    shown = run("show", "here")["asset"]
    assert set(shown["sources"].values()) == {"carried"}
    assert run("list", mode="carreid")["error"]


def test_it_is_as_good_as_any_other_in_which_our_collectors_ran(run, carried, database):
    store.ingest(database, [arrival(server(1), at=later(minutes=-30))])
    bring(carried, "web01", server(1))
    assert run("collect", "web*", mode="carried")["counts"]["ok"] == 1
    facts = server(1)
    facts["memory"]["devices"][0] = dimm("A1", "4F9999")
    bring(carried, "web01", facts, later(seconds=5))
    assert run("collect", "web*", mode="carried")["counts"]["changed"] == 1
    [change] = run("history", "web01")["changes"]
    assert (change["op"], change["path"]) == ("replaced", "memory.devices")
    assert run("history", "web01")["handovers"] == []


def test_who_is_due_is_asked_in_the_way_in_which_it_was_heard(run, carried, database, master_opts):
    known = open_store(master_opts["cmdb"]["database_url"], modes={"carried": "carried.plan"})
    old = arrival(server(1), at=later(days=-2), mode="carried")
    assert [one.status for one in store.ingest(known, [old])] == ["new"]
    known.close()
    bring(carried, "web01", server(1))
    answer = run("collect", mode="auto", test=True)
    assert [(one["minion_id"], one["mode"]) for one in answer["machines"]] == [("web01", "carried")]
    # Nobody expects that it has a key on this master.
    assert "asset without a key" not in {row["what"] for row in run("missing")["rows"]}


def test_a_master_that_does_not_know_the_mode_refuses_it_and_says_what_to_do(database):
    [outcome] = store.ingest(database, [arrival(server(1), mode="carried")])
    assert outcome.status == "refused"
    assert "mode: is 'carried', not one of agent, " in outcome.detail
    assert "the setting modes of the master that takes its reports" in outcome.detail
