"""A real master keeps the file for Prometheus by the schedule of the manual."""

import getpass
import json
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

from salt_ext import store
from tests.consumers.monitored import manual, until
from tests.machines import arrival, server
from tests.patience import PATIENCE_SECONDS
from tests.postgres import free_port

MASTER = Path(sys.executable).with_name("salt-master")


@pytest.fixture
def home(database_url):
    """The folder that stands for /etc/prometheus/cmdb, while a master runs."""
    # Short, because a socket's path has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="cmdb-") as name:
        home = Path(name)
        schedule = manual()["/etc/salt/master.d/cmdb-prometheus.conf"]
        schedule = schedule.replace("/etc/prometheus/cmdb/", f"{home}/")
        (home / "master.d").mkdir()
        (home / "master.d/cmdb.conf").write_text(schedule.replace("seconds: 60", "seconds: 2"))
        options = {
            "root_dir": name,
            "user": getpass.getuser(),
            "interface": "127.0.0.1",
            "publish_port": free_port(),
            "ret_port": free_port(),
            "cmdb": {"database_url": database_url},
        }
        (home / "master").write_text(yaml.safe_dump(options))
        with (home / "log").open("w") as log:
            process = subprocess.Popen([MASTER, f"--config-dir={home}"], stdout=log, stderr=log)
        try:
            yield home
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def test_the_schedule_of_the_manual_writes_the_file_and_follows_the_fleet(home, database):
    file = home / "node.json"
    store.ingest(database, [arrival(server(1), "web01")])

    def told():
        groups = json.loads(file.read_text()) if file.exists() else []
        return [one["labels"]["__meta_cmdb_name"] for one in groups]

    until(lambda: told() == ["web01"], f"the file; see {home}/log")
    assert stat.S_IMODE(file.stat().st_mode) & stat.S_IROTH
    store.ingest(database, [arrival(server(2), "web02")])
    until(lambda: told() == ["web01", "web02"], f"the second machine; see {home}/log")
