"""
Masters without minions: caches of reports as salt-master writes them, and real engines on them.

The reports are made before anything is measured and kept as files. That a machine reports is then
a link to one of them, put into the cache as Salt does it: under another name, which is moved over
the one before.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import salt.config
import salt.loader
import salt.payload

from benchmarks import fleet, processes
from benchmarks.fleet import documents, models
from salt_ext.report.envelope import MINE_FUNCTION

STATES = {"new": timedelta(0), "unchanged": timedelta(hours=1), "changed": timedelta(hours=2)}
"""The reports of a machine, and when it made them; before the last one it got a new kernel."""

BOTH = 10
"""Every tenth machine reports to two masters."""

GRAINS_BYTES = 4000
"""What Salt's own grains take in the cache, without ours."""


def moment(state: str) -> datetime:
    """Return when all machines made their reports of a state."""
    return fleet.START + STATES[state]


def report(number: int, state: str) -> dict[str, Any]:
    """Return the report of a machine in a state."""
    one = models.new(number)
    one.kernel += state == "changed"
    return fleet.report(number, moment(state), documents.facts(one))


def share(machines: int, masters: int, master: int) -> list[int]:
    """Return the machines that report to a master; with several, some report to the next too."""
    own = range(master + 1, machines + 1, masters)
    if masters == 1:
        return [*own]
    before = range((master - 1) % masters + 1, machines + 1, masters * BOTH)
    return [*own, *before]


def prepare(directory: Path, machines: int) -> None:
    """Make the reports of all machines in all states, unless the directory has them."""
    finished = directory / "finished"
    if finished.exists():
        return
    for state in STATES:
        (directory / state).mkdir(parents=True, exist_ok=True)
    count = os.cpu_count() or 1
    context = multiprocessing.get_context("fork")
    writers = [
        context.Process(target=_write, args=(directory, range(first + 1, machines + 1, count)))
        for first in range(count)
    ]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    if any(one.exitcode for one in writers):
        raise RuntimeError("the reports could not be made")
    finished.touch()


def _write(directory: Path, numbers: range) -> None:
    for number in numbers:
        for state in STATES:
            path = directory / state / f"{models.name(number)}.p"
            path.write_bytes(salt.payload.dumps({MINE_FUNCTION: report(number, state)}))


class Master:
    """The directories of a master with the keys and the grains of its minions, and its engine."""

    def __init__(
        self, directory: Path, reports: Path, numbers: list[int], settings: dict[str, Any]
    ) -> None:
        """Take the directory of :func:`prepare`, whose file system is that of ``directory``."""
        self.reports = reports
        self.names = [models.name(number) for number in numbers]
        self.opts = options(directory, settings)
        self.mine = directory / "cachedir/mine"
        grains = directory / "cachedir/grains"
        keys = directory / "pki_dir/minions"
        for one in (self.mine, grains, keys):
            one.mkdir(parents=True)
        usual = salt.payload.dumps({"os": "Debian", "text": "x" * GRAINS_BYTES})
        for name in self.names:
            (keys / name).write_text("a key")
            (grains / f"{name}.p").write_bytes(usual)
        self.process = multiprocessing.get_context("spawn").Process(
            target=_run, args=(self.opts,), daemon=True
        )

    def send(self, state: str, names: list[str] | None = None) -> None:
        """Let minions, by default all, report what they have in this state."""
        for name in self.names if names is None else names:
            ready = self.mine / f"{name}.ready"
            os.link(self.reports / state / f"{name}.p", ready)
            os.utime(ready)
            ready.replace(self.mine / f"{name}.p")

    @contextlib.contextmanager
    def engine(self) -> Iterator[None]:
        """Run the engine, which is killed at the end."""
        self.process.start()
        try:
            yield
        finally:
            self.process.kill()
            self.process.join()

    @property
    def pid(self) -> int:
        """The id of the engine's process."""
        if self.process.pid is None:
            raise RuntimeError("the engine was not started")
        return self.process.pid

    def cpu_seconds(self) -> float:
        """Return the processor time of the engine so far."""
        return processes.cpu_seconds(self.pid)

    def hold(self) -> None:
        """Let the engine do nothing, until :meth:`go_on`."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let the engine go on."""
        os.kill(self.pid, signal.SIGCONT)


def options(directory: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a master whose files are all below a directory."""
    opts: dict[str, Any] = salt.config.master_config(None)
    for name in ("cachedir", "extension_modules", "pki_dir", "root_dir", "sock_dir"):
        opts[name] = str(directory / name)
    return {**opts, "id": f"{directory.name}_master", "cmdb": settings}


def _run(opts: dict[str, Any]) -> None:
    """Run the engine as Salt does, until this process is killed."""
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - there is no event bus, which Salt logs
    salt.loader.engines(opts, {}, {}, {})["cmdb.start"]()


def wait_until(is_true: Any, limit_seconds: float, pause_seconds: float = 0.2) -> float:
    """Wait for something; return how long that took. Raises TimeoutError."""
    began = time.monotonic()
    while not is_true():
        if time.monotonic() - began > limit_seconds:
            raise TimeoutError(f"not within {limit_seconds} s")
        time.sleep(pause_seconds)
    return time.monotonic() - began
