"""Modules as Salt loads them, without daemons."""

import copy
import json

import pytest
import salt.config
import salt.loader
from salt.utils.state import check_result

import demo_machine
from salt_ext import settings, store


@pytest.fixture
def master_opts(tmp_path, database_url):
    dirs = ("cachedir", "extension_modules", "pki_dir", "root_dir", "sock_dir")
    opts = salt.config.master_config(None)
    opts.update({name: str(tmp_path / name) for name in dirs})
    opts["cmdb"] = {"database_url": database_url}
    # Every master has it; Salt 3006 lists no keys without it.
    (tmp_path / "pki_dir/minions").mkdir(parents=True, exist_ok=True)
    yield opts
    # A pool for each test's database would soon be all connections of the server.
    for read_only in (False, True):
        options = settings.resolve(("test", {"database_url": database_url}))
        store.Database(options, read_only=read_only).close()


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


@pytest.fixture
def runners(master_opts):
    return Runners(master_opts)


@pytest.fixture
def outputter(master_opts):
    return salt.loader.outputters(master_opts)["cmdb"]


@pytest.fixture
def cmdb(runners, outputter):
    """Run a command; return its answer, exit status and text."""

    def run(name, *args, **kwargs):
        answer = runners[f"cmdb.{name}"](*args, **kwargs)
        assert answer["outputter"] == "cmdb"
        data = answer["data"]
        # Orchestration decides by this whether a step has failed.
        assert check_result(data) is not bool(data.get("retcode"))
        json.dumps(data)  # what --out=json prints
        return data["cmdb"], data.get("retcode", 0), outputter(data)

    return run


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
