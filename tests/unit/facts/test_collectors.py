"""
Whatever collector is put in, the others are complete; docs/collectors.md says how it is put in.
"""

import inspect
import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

import demo_machine
from salt_ext import document, facts, settings
from salt_ext.document import names as names_of_parts
from salt_ext.facts import slow
from salt_ext.facts.dotted_path import load
from salt_ext.facts.identity import identify
from salt_ext.report import agent, envelope
from tests.corpus import corpus_files, corpus_name, needs_corpus
from tests.unit.facts.captures import unpacked
from tests.unit.facts.smbios_tables import machine, split_dump
from tests.unit.facts.trees import tree

HERE = __name__
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "collectors.md"
FAST = settings.OPTIONS["collectors"].default
SLOW = settings.OPTIONS["slow_collectors"].default

REPORT_BYTES = 64 * 1024
GRAIN_BYTES = 16 * 1024


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENTATION.read_text(), re.DOTALL)


# The collector of the documentation


@pytest.fixture
def documented(tmp_path, monkeypatch):
    """Put the documentation's collector on the module path and return its configuration."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "acme_facts.py").write_text(blocks("python")[0])
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield yaml.safe_load(blocks("yaml")[0])
    sys.modules.pop("acme_facts", None)


@pytest.fixture
def storage_server(tmp_path):
    where = tmp_path / "machine"
    demo_machine.write(where, "1.0")
    port = "sys/class/fc_host/host7"
    return tree(
        where, {f"{port}/port_name": "0x21000024FF7F3D04\n", f"{port}/port_state": "Online"}
    )


PORT = {"name": "host7", "wwn": "21000024FF7F3D04", "volatile": {"state": "Online"}}


def test_the_documented_collector_is_ten_lines_from_outside_the_package():
    source = blocks("python")[0]
    assert len(source.splitlines()) <= 10
    assert "salt_ext" not in source


def test_it_adds_a_section(documented, storage_server):
    paths = {**FAST, "fibre_channel": "acme_facts.fibre_channel"}
    found = facts.collect(storage_server.path, paths)
    assert found["fibre_channel"] == [PORT]
    assert found["errors"] == {}
    assert set(FAST) <= set(found) | set(found["partial"])


def test_the_documented_configuration_adds_it_and_switches_another_off(documented, storage_server):
    documented["cmdb"]["root"] = storage_server.path
    found = agent.document(documented)
    assert found["fibre_channel"] == [PORT]
    assert "usb" not in found
    assert "usb" not in found["partial"]
    assert found["disks"][0]["serial_number"] == "PHAB9450DEMO3P2"
    built = envelope.build(found, "web01", None, "agent")
    assert built["facts"]["fibre_channel"] == [{"name": "host7", "wwn": "21000024FF7F3D04"}]
    assert built["volatile"]["fibre_channel"] == {"21000024FF7F3D04": {"state": "Online"}}


def test_one_of_yours_takes_the_place_of_one_of_ours(documented, storage_server):
    cmdb = {"root": storage_server.path, "collectors": {"disks": "acme_facts.fibre_channel"}}
    assert agent.document({"cmdb": cmdb})["disks"] == [PORT]


def test_the_documented_tests_are_true(documented, tmp_path):
    # What is run is the block of our own documentation.
    namespace = {}
    exec(blocks("python")[1], namespace)
    tests = [value for name, value in namespace.items() if name.startswith("test_")]
    for number, test in enumerate(tests):
        (tmp_path / str(number)).mkdir()
        test(tmp_path / str(number))
    assert len(tests) == 2


def test_the_documentation_names_every_key_of_a_component():
    text = DOCUMENTATION.read_text()
    names = {
        *names_of_parts.NUMBERS,
        *(name for group in names_of_parts.PLACES for name in group),
    }
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


# Any collector that fails


held = threading.Event()


def raises(root):
    raise LookupError("the machine is on fire")


def hangs(root):
    held.wait()


def garbage(root):
    return [{"a": object()}]


def prints(root):
    print("noise")
    print("more noise", file=sys.__stdout__)
    return {"answer": 42}


FAILURES = {
    "raises": ("LookupError", "the machine is on fire"),
    "hangs": ("TimeoutError", "held.wait()"),
    "garbage": ("TypeError", "is not data"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    where = tmp_path_factory.mktemp("server")
    demo_machine.write(where, "1.0")
    return str(where)


@pytest.fixture(scope="module")
def complete(server):
    """What the collectors find when all of them are ours."""
    found = facts.collect(server, FAST)
    assert found["errors"] == {}
    return found


def sections(found, without):
    return {name: value for name, value in found.items() if name in FAST and name != without}


@pytest.mark.parametrize("section", FAST)
@pytest.mark.parametrize("kind", ["raises", "hangs", "garbage", "prints"])
def test_a_collector_that_fails_costs_its_own_section_only(server, complete, section, kind):
    held.clear()
    began = time.monotonic()
    deadline = 0.3 if kind == "hangs" else 10
    try:
        found = facts.collect(server, {**FAST, section: f"{HERE}.{kind}"}, deadline)
    finally:
        held.set()
    assert time.monotonic() - began < deadline + 30
    assert sections(found, section) == sections(complete, section)
    if kind == "prints":
        assert found[section] == {"answer": 42}
        assert found["errors"] == {}
        return
    error, says = FAILURES[kind]
    assert section not in found
    assert found["partial"] == sorted({*complete["partial"], section})
    assert list(found["errors"]) == [section]
    assert found["errors"][section]["type"] == error
    assert says in found["errors"][section]["traceback"]
    assert identify(found)  # which the one who lacks a section still gets


SLOW_FAILURES = """
import time

def raises(root):
    raise LookupError("the machine is on fire")

def hangs(root):
    time.sleep(600)

def garbage(root):
    return [{"a": object()}]

def prints(root):
    print("noise")
    return {"answer": 42}
"""


@pytest.mark.parametrize("good", SLOW)
def test_a_slow_collector_is_complete_when_all_others_fail(server, good, tmp_path, monkeypatch):
    (tmp_path / "slow_failures.py").write_text(SLOW_FAILURES)
    monkeypatch.syspath_prepend(tmp_path)
    kinds = ("raises", "hangs", "garbage", "prints")
    others = dict(zip((name for name in SLOW if name != good), kinds, strict=True))
    alone = slow.collect(server, {good: SLOW[good]}, str(tmp_path / "a"), 0, 10)
    paths = {good: SLOW[good], **{name: f"slow_failures.{kind}" for name, kind in others.items()}}
    began = time.monotonic()
    found = slow.collect(server, paths, str(tmp_path / "b"), 0, 3)
    assert time.monotonic() - began < 3 + 60
    assert (good in found, good in found["errors"]) == (good in alone, False)
    for name, kind in others.items():
        if kind == "prints":
            assert found[name]["answer"] == 42
        else:
            says = FAILURES[kind][1] if kind != "hangs" else "time.sleep(600)"
            assert found["errors"][name]["type"] == FAILURES[kind][0]
            assert says in found["errors"][name]["traceback"]


def test_what_a_collector_prints_is_not_in_the_document(server):
    lines = (
        "import sys",
        "from salt_ext import settings",
        "from salt_ext.facts import __main__ as command",
        "settings.OPTIONS['collectors'].default['usb'] = '__main__.prints'",
        "prints = lambda root: print('noise') or {'answer': 42}",
        f"sys.exit(command.main(['--root', {server!r}]))",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["usb"] == {"answer": 42}
    assert done.stderr == "noise\n"


def test_every_default_collector_takes_a_root_and_says_what_it_returns():
    for path in (*FAST.values(), *SLOW.values()):
        function = load(path)
        assert list(inspect.signature(function).parameters) == ["root"], path
        assert inspect.getdoc(function), path


# How large it gets


def largest(count, *patterns):
    files = sorted(corpus_files(*patterns), key=lambda path: path.stat().st_size)[-count:]
    return [pytest.param(path, id=corpus_name(path)) for path in files]


TREES = [f"*/{kind}_tree/**/*.{suffix}" for kind in ("cpu", "sysfs") for suffix in ("tar*", "ttar")]


def measured(root):
    """Return the size of the report and that of the grain of the machine below ``root``."""
    found = agent.document({"cmdb": {"root": root}})
    assert found["errors"] == {}
    size = len(document.encode(envelope.build(found, "web01", None, "agent")))
    print(f"\nreport {size} bytes, grain {len(document.encode(found))} bytes")
    return size, len(document.encode(found))


@needs_corpus
@pytest.mark.parametrize("path", largest(8, *TREES))
def test_the_report_of_a_large_machine_is_small(path, tmp_path):
    assert measured(unpacked(path, tmp_path, ("sys/", "proc/")).path)[0] < REPORT_BYTES


@needs_corpus
@pytest.mark.parametrize("path", largest(4, "*/smbios_bin/**/*", "*/smbios_synth/**/*"))
def test_the_report_of_a_machine_with_a_large_table_is_small(path, tmp_path):
    entry, table = split_dump(path.read_bytes())
    machine(tmp_path, table, entry)
    assert measured(str(tmp_path))[0] < REPORT_BYTES


@needs_corpus
@pytest.mark.parametrize("path", largest(1, "qemu-lab/sysfs_tree/*"))
def test_the_grain_of_an_ordinary_server_is_small(path, tmp_path):
    assert measured(unpacked(path, tmp_path, ("sys/", "proc/", "etc/")).path)[1] < GRAIN_BYTES


def test_the_grain_of_the_demonstration_is_small(server):
    assert measured(server)[1] < GRAIN_BYTES
