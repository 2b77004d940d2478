"""
The process of one slow collector: what starts it, and what it does.

A process that hangs in the kernel cannot be killed, only left behind. So nothing
here waits without a limit. The process holds a lock as long as it lives, which
keeps the next run from starting a second one beside it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import salt_ext
from salt_ext import facts

Outcome = tuple[Any, "dict[str, Any] | None", int]
"""The section that a collector found, its error record, its version; the first two may be None."""

LIMIT_BYTES = 1024 * 1024  # of one section
GRACE_SECONDS = 2.0  # for a process to start and to end, in addition to its collector's time
PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    "from salt_ext.facts import slow_process; slow_process.child(*sys.argv[2:])"
)


class Child:
    """The process of one collector."""

    def __init__(
        self, section: str, path: str, root: str, directory: str, deadline_seconds: float
    ) -> None:
        """Start the process. Raises OSError when it cannot start or an earlier one still runs."""
        self.section = section
        self.path = path
        self._started = time.monotonic()
        self._answer = bytearray()
        self._has_answered = False
        # The lock belongs to the open file, which the process inherits. So the lock is
        # held until the last thread of the process ends, even one stuck in the kernel.
        where = os.path.join(directory, f"{section}.lock")
        lock = os.open(where, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            self._process = self._start(lock, section, path, root, str(deadline_seconds))
        finally:
            os.close(lock)

    @staticmethod
    def _start(lock: int, *arguments: str) -> subprocess.Popen[bytes]:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
            raise BlockingIOError(f"process {pid} of an earlier run has not ended") from None
        # A new Python, not a fork of this process, because a fork with threads is not
        # safe. -I, because the module path is the one in the arguments and no other.
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-c", PROGRAM, json.dumps(_module_path()), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            pass_fds=(lock,),
        )
        os.pwrite(lock, f"{process.pid:<20}".encode(), 0)
        return process

    @property
    def pipe(self) -> int:
        """The file descriptor from which to read the answer."""
        return self._process.stdout.fileno() if self._process.stdout else -1

    def read(self) -> bool:
        """Read some of what the process writes; return whether the answer is complete."""
        chunk = os.read(self.pipe, 65536)
        self._answer += chunk
        # An answer begins with "[". Anything else is the stack of a process that crashed.
        is_whole = b"\n" in chunk and self._answer.startswith(b"[")
        self._has_answered = not chunk or is_whole or len(self._answer) > LIMIT_BYTES
        return self._has_answered

    def end(self) -> Outcome:
        """Return what the process has answered, or why not; kill it when it still runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            # After its answer the process is about to end, so it gets a moment.
            # Without an answer its time is over.
            self._process.wait(GRACE_SECONDS / 2 if self._has_answered else 0)
        if self._process.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_SECONDS / 2)
        if self._process.stdout:
            self._process.stdout.close()
        line, newline, _ = bytes(self._answer).partition(b"\n")
        if newline:
            with contextlib.suppress(ValueError):
                value, error, version = json.loads(line)
                return value, error, version
        return None, self._death(), 1

    def _death(self) -> dict[str, Any]:
        """Return the error record of a process that has not answered."""
        said = bytes(self._answer).decode("utf-8", "replace")
        code = self._process.poll()
        if len(self._answer) > LIMIT_BYTES:
            kind, message, said = "ValueError", f"returned more than {LIMIT_BYTES} bytes", ""
        elif code is None:
            kind = "TimeoutError"
            message = f"hangs in the kernel: its process {self._process.pid} was left behind"
        elif code == -signal.SIGKILL:
            kind, message = "TimeoutError", "had no answer in its time, or was killed"
        elif code < 0:
            kind, message = "ChildProcessError", f"died of signal {-code}"
        else:
            kind, message = "ChildProcessError", f"ended its process with code {code}"
        return {
            "type": kind,
            "message": f"{self.section} {message}",
            "traceback": said[-8000:],
            "duration_ms": round((time.monotonic() - self._started) * 1000),
        }


def outcomes(children: list[Child], patience_seconds: float) -> Iterator[tuple[Child, Outcome]]:
    """Yield each child with its outcome when it ends; after ``patience_seconds`` all others."""
    deadline = time.monotonic() + patience_seconds
    with selectors.DefaultSelector() as selector:
        for child in children:
            selector.register(child.pipe, selectors.EVENT_READ, child)
        while waiting := [key.data for key in selector.get_map().values()]:
            left = deadline - time.monotonic()
            ready = [key.data for key, _ in selector.select(max(0.0, left))]
            done = [child for child in ready if child.read()]
            for child in done if left > 0 else waiting:
                selector.unregister(child.pipe)
                yield child, child.end()


def child(section: str, path: str, root: str, deadline_seconds: str) -> None:
    """
    Run one collector in this process: write ``[value, error, version]`` as one line and exit.

    Nothing else is written, but for the stack when the process crashes.
    """
    import faulthandler

    from salt_ext.facts import tools

    result = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    faulthandler.enable(file=result)
    # Writes the stack when a collector holds the GIL, so that collect() cannot time out.
    faulthandler.dump_traceback_later(float(deadline_seconds) + GRACE_SECONDS / 2, file=result)
    document = facts.collect(root, {section: path}, float(deadline_seconds))
    faulthandler.cancel_dump_traceback_later()
    outcome = (
        document.get(section),
        document["errors"].get(section),
        document["versions"].get(section, 1),
    )
    # The parent may have stopped waiting and closed the pipe.
    with contextlib.suppress(BrokenPipeError), open(result, "wb") as stream:
        stream.write(json.dumps(outcome).encode() + b"\n")
    tools.end_all()
    # Not sys.exit, which would wait for threads that a collector left running.
    os._exit(0)


def _module_path() -> list[str]:
    """Return the module path of this process as absolute paths, this package's own first."""
    own = os.path.dirname(os.path.dirname(os.path.abspath(salt_ext.__file__)))
    return [own, *(os.path.abspath(path) for path in sys.path)]
