"""Webhooks of real engines, which are killed; and what salt-api makes of one."""

import json
import multiprocessing
import random
import socket
import subprocess
import time
import uuid
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import pytest
import salt.cache
import salt.utils.event
import sqlalchemy as sa
import yaml

from salt_ext import settings, store
from salt_ext.master.webhooks.sending import attempt
from salt_ext.master.webhooks.setting import webhooks
from salt_ext.report.envelope import MINE_FUNCTION
from tests.integration import engine_process
from tests.integration.conftest import BIN
from tests.machines import arrival, report, reporting, server
from tests.patience import PATIENCE_SECONDS
from tests.receivers import SECRET, Receiver, Rude, hang

MACHINES = 60
KILLS = 6


@pytest.fixture
def engine(database_url, tmp_path):
    """A function that starts an engine with a webhook, as a process of its own."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([engine_process.__name__])
    accepted = tmp_path / "pki_dir/minions"
    accepted.mkdir(parents=True)
    for number in range(MACHINES):
        (accepted / f"web{number:03d}").write_text("a key")
    running = []

    def start(url):
        is_ready = context.Event()
        # There is no event bus here, so nothing is told on it.
        cmdb = {"events": [], "webhooks": {"tickets": {"url": url, "secret": SECRET}}}
        arguments = (str(tmp_path), database_url, is_ready, cmdb)
        found = context.Process(target=engine_process.run, args=arguments, daemon=True)
        found.start()
        running.append(found)
        assert is_ready.wait(PATIENCE_SECONDS)
        return found

    yield start
    for one in running:
        one.kill()
        one.join()


def waiting(database):
    [row] = store.webhook_queues(database, ["tickets"])
    return row["waiting"]


def end_leases(database):
    """Let the minute be over in which a delivery is its sender's."""
    with database.begin() as link:
        link.execute(sa.text("UPDATE delivery SET due_at = now()"))


def test_what_was_queued_before_a_kill_is_sent_after_it_and_once(
    database, database_url, engine, eventually, tmp_path
):
    store.ingest(database, [arrival(server(n), f"web{n:03d}") for n in range(20)])
    silent, good = Rude(hang), Receiver()
    first = engine(silent.url)
    eventually(lambda: silent.connections == 1)
    assert waiting(database) == 20
    # Meanwhile reports are stored as ever.
    cache = salt.cache.factory(engine_process.options(tmp_path, database_url))
    sent = report(server(21), "web021", datetime.now(timezone.utc))
    cache.store("mine", "web021", {MINE_FUNCTION: sent})
    eventually(lambda: "web021" in reporting(database))
    assert silent.connections == 1, "it was stored after that one had come to its end"
    first.kill()
    first.join()
    silent.close()
    engine(good.url)
    eventually(lambda: waiting(database) == 1)
    # The receiver may have this one, which never answered: it is sent again under its id.
    end_leases(database)
    eventually(lambda: waiting(database) == 0)
    names = Counter(one["data"]["minion_id"] for one in good.events)
    assert names == {f"web{n:03d}": 1 for n in (*range(20), 21)}
    assert {one["attempt"] for one in good.events} == {1, 2}
    good.close()


def test_whenever_an_engine_is_killed_each_event_has_one_id_and_comes(database, engine, eventually):
    good, moments = Receiver(), random.Random(7)
    process = engine(good.url)
    for number in range(MACHINES):
        store.ingest(database, [arrival(server(number), f"web{number:03d}")])
        if number % (MACHINES // KILLS) == 0:
            time.sleep(moments.uniform(0, 0.3))  # anywhere in its work
            process.kill()
            process.join()
            process = engine(good.url)
    eventually(lambda: len({one["id"] for one in good.events}) >= MACHINES - KILLS)

    def is_empty():
        end_leases(database)
        return waiting(database) == 0 and len({e["id"] for e in good.events}) >= MACHINES

    eventually(is_empty)
    ids = {}
    for event in good.events:
        ids.setdefault(event["data"]["minion_id"], set()).add(event["id"])
    assert len(ids) == MACHINES
    assert all(len(each) == 1 for each in ids.values())
    good.close()


def test_salt_api_takes_an_event_whose_kind_is_in_its_tag(fleet, eventually, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    config = yaml.safe_load(Path(fleet.master.config_file).read_text())
    config["rest_cherrypy"] = {
        "host": "127.0.0.1",
        "port": port,
        "disable_ssl": True,
        "webhook_disable_auth": True,
    }
    config |= {"api_logfile": str(tmp_path / "api"), "api_pidfile": str(tmp_path / "api.pid")}
    (tmp_path / "master").write_text(json.dumps(config))
    url = f"http://127.0.0.1:{port}/hook"
    [hook] = webhooks(
        settings.resolve(
            ("test", {"webhooks": {"gui": {"url": url, "secret": SECRET, "format": "saltgui"}}})
        )
    )
    data = {"kind": "changed", "asset_id": "x", "minion_id": "web01"}
    event = store.Delivery(uuid.uuid4(), "salt/cmdb/changed/x", data, 1)
    api = subprocess.Popen([BIN / "salt-api", f"--config-dir={tmp_path}"])
    try:
        with salt.utils.event.get_master_event(
            fleet.master.config, fleet.master.config["sock_dir"], listen=True
        ) as bus:
            eventually(lambda: not attempt(hook, event))
            heard = bus.get_event(wait=PATIENCE_SECONDS, tag="salt/netapi/hook/cmdb/", full=True)
    finally:
        api.terminate()
        api.wait(PATIENCE_SECONDS)
    assert heard["tag"] == "salt/netapi/hook/cmdb/changed"
    assert heard["data"]["post"]["data"] == data
    assert heard["data"]["post"]["tag"] == "salt/cmdb/changed/x"
    assert heard["data"]["headers"]["X-Cmdb-Delivery"] == str(event.id)
