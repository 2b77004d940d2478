"""
Bounded runs of other people's programs, for the slow collectors.

A tool is looked for in fixed places only and is started without a shell and in
the C locale. Its output and its time have limits. When it ends or exceeds one,
its whole process group is killed.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

PLACES = (
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
    # Where the makers of RAID controllers put their tools.
    "/opt/MegaRAID/storcli",
    "/opt/MegaRAID/storcli2",
    "/opt/MegaRAID/perccli",
    "/opt/MegaRAID/perccli2",
    "/opt/MegaRAID/MegaCli",
    "/opt/dell/srvadmin/bin",
    "/opt/dell/srvadmin/sbin",
    "/opt/smartstorageadmin/ssacli/bin",
    "/opt/hp/hpssacli/bld",
    "/opt/hp/hpacucli/bld",
    "/opt/lsi/storcli",
    "/opt/lsi/MegaCLI",
    "/opt/lsi/sas2ircu",
    "/opt/lsi/sas3ircu",
    "/opt/MegaRAID/CmdTool2",
    "/opt/marvell/storage/cli",
    "/opt/marvell/mnvcli",
    "/opt/marvell/mnvcli/dell",
    "/opt/marvell/mnvcli/lenovo",
    "/opt/3ware/CLI",
    "/opt/areca",
    "/usr/StorMan",
    "/usr/Arcconf",
)
LIMIT_BYTES = 4 * 1024 * 1024
LIMIT_ERROR_BYTES = 16 * 1024
DEADLINE_SECONDS = 20.0
GRACE_SECONDS = 1.0  # for a killed program to end; one stuck in the kernel is left behind

_running: set[int] = set()


class Output(NamedTuple):
    """What a tool wrote that ran to its end."""

    text: str
    error_text: str
    code: int
    """The exit code; with some tools it is not 0 although there is no error."""


def find(*names: str, places: Iterable[str] = PLACES) -> str | None:
    """Return the path of the first of these tools that is installed, or None."""
    for name in names:
        for place in places:
            path = os.path.join(place, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


def run(
    argv: Sequence[str], deadline_seconds: float = DEADLINE_SECONDS, limit_bytes: int = LIMIT_BYTES
) -> Output | str:
    """
    Run a tool to its end and return its output, or as text the reason why there is none.

    ``argv[0]`` is an absolute path, or a name to look for in :data:`PLACES`. The
    exit code does not matter: there is an output when the tool ended by itself.
    """
    path = argv[0] if os.path.isabs(argv[0]) else find(argv[0])
    if path is None:
        return f"{argv[0]} is not installed"
    deadline = time.monotonic() + deadline_seconds
    try:
        # In its own session it has no terminal to ask, and its group can be killed.
        process = subprocess.Popen(  # noqa: S603
            [path, *argv[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"LC_ALL": "C", "PATH": ":".join(PLACES), "HOME": "/"},
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        return f"{path} cannot be started: {error.strerror}"
    _running.add(process.pid)
    try:
        return _read(process, deadline, limit_bytes) or f"{path} ran past {deadline_seconds:g} s"
    except _TooMuchError:
        return f"{path} wrote more than {limit_bytes} bytes"
    finally:
        _end(process)
        _running.discard(process.pid)


def end_all() -> None:
    """Kill every tool that still runs; called when the process of a collector ends."""
    for pid in list(_running):
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


class _TooMuchError(Exception):
    pass


def _read(process: subprocess.Popen[bytes], deadline: float, limit_bytes: int) -> Output | None:
    """Return what a process wrote; None when it has not ended before the deadline."""
    out, err = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for stream, buffer in ((process.stdout, out), (process.stderr, err)):
            if stream is not None:
                selector.register(stream, selectors.EVENT_READ, buffer)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            for key, _ in selector.select(left):
                chunk = os.read(key.fd, 65536)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.data is out:
                    out += chunk
                    if len(out) > limit_bytes:
                        raise _TooMuchError
                else:
                    err += chunk[: LIMIT_ERROR_BYTES - len(err)]
    try:
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None
    return Output(out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), code)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a process and its group, and wait GRACE_SECONDS for it at most."""
    # The group may be gone, or its processes may belong to another user now.
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
