"""Modules as Salt loads them, without daemons."""

import pytest
import salt.config
import salt.loader

import demo_machine


@pytest.fixture
def master_opts(tmp_path, database_url):
    dirs = ("cachedir", "extension_modules", "pki_dir", "root_dir", "sock_dir")
    opts = salt.config.master_config(None)
    opts.update({name: str(tmp_path / name) for name in dirs})
    opts["cmdb"] = {"database_url": database_url}
    return opts


@pytest.fixture
def runners(master_opts):
    return salt.loader.runner(master_opts)


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
