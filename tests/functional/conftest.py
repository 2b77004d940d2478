"""Modules as Salt loads them, without daemons."""

import copy
import json
import sys
from pathlib import Path

import pytest
import salt.config
import salt.loader
import sqlalchemy as sa
from salt.utils.state import check_result

import demo_machine
from salt_ext import settings, store
from tests import postgres
from tests.machines import NOW, arrival, later, server

STATES = Path(__file__).parents[2] / "states"

BEFORE = NOW.strftime("%Y-%m-%d %H:%M:%S")
"""When the rack had all of its memory."""


def in_rack(number, **sections):
    """A server with a place in a rack, a BMC and a disk that knows its health."""
    facts = server(number)
    disk = facts["disks"][0]
    return {
        **facts,
        "location": {"site": "dc1", "rack": "R07", "unit": f"U{10 + number}"},
        "bmc": {
            "present": True,
            "addresses": [f"10.128.0.{number}/16"],
            "firmware_version": "6.10",
        },
        "smart": [
            {
                "name": "sda",
                "serial_number": disk["serial_number"],
                "protocol": "nvme",
                "passed": True,
                "health": {"failing": []},
                "volatile": {"percentage_used": 3, "temperature_celsius": 31},
            }
        ],
        **sections,
    }


def report_rack(database):
    """Three servers of a rack; a second later the first one has lost a DIMM."""
    store.ingest(database, [arrival(in_rack(one), f"web{one:02d}") for one in (1, 2, 3)])
    facts = in_rack(1, firmware={"vendor": "Dell Inc.", "version": "1.11.0"})
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    facts["memory"]["installed_bytes"] = 64 << 30
    store.ingest(database, [arrival(facts, "web01", later(seconds=1))])


@pytest.fixture
def fleet(database):
    """The rack in a store of the test's own."""
    report_rack(database)


class Runners:
    """The runners with the options as they are at each call: a loader of Salt 3006 copies them."""

    def __init__(self, opts):
        """Load nothing yet."""
        self.opts = opts
        self.loaded_with = None

    def __getitem__(self, name):
        """Return a function, as a new command finds it."""
        if self.loaded_with != self.opts:
            self.loaded_with = copy.deepcopy(self.opts)
            self.loader = salt.loader.runner(self.opts)
        return self.loader[name]


def commands(opts):
    """A function that runs a command; it returns its answer, exit status and text."""
    runners = Runners(opts)
    outputter = salt.loader.outputters(opts)["cmdb"]

    def run(name, *args, **kwargs):
        answer = runners[f"cmdb.{name}"](*args, **kwargs)
        assert answer["outputter"] == "cmdb"
        data = answer["data"]
        # Orchestration decides by this whether a step has failed.
        assert check_result(data) is not bool(data.get("retcode"))
        json.dumps(data)  # what --out=json prints
        return data["cmdb"], data.get("retcode", 0), outputter(data)

    return run


@pytest.fixture(scope="session")
def rack_url(new_database, postgresql):
    """The URL of a store with the rack in it, which refuses whoever writes."""
    url = new_database()
    database = postgres.open_store(url)
    report_rack(database)
    database.close()
    name = sa.make_url(url).database
    postgres.execute(postgresql, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    return url


@pytest.fixture
def storeless_opts(tmp_path):
    """The options of a master that has no store yet."""
    dirs = ("cachedir", "extension_modules", "pki_dir", "root_dir", "sock_dir")
    opts = salt.config.master_config(None)
    opts.update({name: str(tmp_path / name) for name in dirs})
    # Every master has it; Salt 3006 lists no keys without it.
    Path(opts["pki_dir"], "minions").mkdir(parents=True, exist_ok=True)
    return opts


@pytest.fixture
def master_opts(storeless_opts, database_url):
    opts = storeless_opts
    opts["cmdb"] = {"database_url": database_url}
    yield opts
    # A pool for each test's database would soon be all connections of the server.
    for read_only in (False, True):
        options = settings.resolve(("test", {"database_url": database_url}))
        store.Database(options, read_only=read_only).close()


@pytest.fixture
def runners(master_opts):
    return Runners(master_opts)


@pytest.fixture
def outputter(master_opts):
    return salt.loader.outputters(master_opts)["cmdb"]


@pytest.fixture
def ask(storeless_opts, rack_url):
    """Run a command that only reads, on the rack that all tests share."""
    storeless_opts["cmdb"] = {"database_url": rack_url}
    return commands(storeless_opts)


@pytest.fixture
def cmdb(master_opts):
    """Run a command on a store of the test's own; return its answer, exit status and text."""
    return commands(master_opts)


@pytest.fixture
def hardware(tmp_path):
    """The tree of a server with eight memory modules."""
    demo_machine.write(tmp_path / "hardware", "1.10.2")
    return tmp_path / "hardware"


@pytest.fixture
def minion_opts(tmp_path, hardware):
    """The options of a minion without a master that looks at this hardware."""
    opts = salt.config.minion_config(None, minion_id="web01")
    opts.update(
        id="web01",
        file_client="local",
        conf_file=str(tmp_path / "minion"),
        cachedir=str(tmp_path / "cache"),
        extension_modules=str(tmp_path / "modules"),
        cmdb={"root": str(hardware)},
        grains={},
        pillar={},
    )
    return opts


@pytest.fixture
def modules(minion_opts):
    return salt.loader.minion_mods(minion_opts)


@pytest.fixture
def grain(minion_opts):
    """A function that returns the value of the grain, as Salt calls it."""
    return lambda: salt.loader.grain_funcs(minion_opts)["cmdb.cmdb"]()["cmdb"]


@pytest.fixture
def call_states(minion_opts, tmp_path):
    """A function that calls one of Salt's with the formula at hand and a pillar for it."""
    minion_opts.update(
        file_roots={"base": [str(STATES)]},
        pillar_roots={"base": [str(tmp_path)]},
        grains={
            **{"os": "Debian", "os_family": "Debian", "kernel": "Linux", "shell": "/bin/sh"},
            "pythonexecutable": sys.executable,
        },
    )

    def call(function, state, formula=None, **kwargs):
        utils = salt.loader.utils(minion_opts)
        modules = salt.loader.minion_mods(minion_opts, utils=utils)
        answer = modules[function](state, pillar={"cmdb_formula": formula or {}}, **kwargs)
        assert isinstance(answer, dict), answer
        return answer

    return call


@pytest.fixture
def apply_state(call_states):
    """A function that applies a state and returns what each step did, by its id."""

    def state_apply(state, formula=None, **kwargs):
        steps = call_states("state.apply", state, formula, **kwargs)
        return {one["__id__"]: one for one in steps.values()}

    return state_apply
