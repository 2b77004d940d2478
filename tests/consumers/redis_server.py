"""A Redis of the tests' own, from Debian's packages, which are unpacked and not installed."""

import contextlib
import os
import socket
import subprocess
import time

from tests import postgres
from tests.consumers import obtained
from tests.patience import PATIENCE_SECONDS

PACKAGES = ("redis-server", "redis-tools", "libjemalloc2", "liblzf1")


@contextlib.contextmanager
def running(home):
    """Run a server whose files are in this directory, until the block ends; yield its port."""
    programs = obtained.unpacked(*PACKAGES)
    port = postgres.free_port()
    command = [programs / "usr/bin/redis-server", "--port", str(port), "--bind", "127.0.0.1"]
    command += ["--save", "", "--appendonly", "no", "--dir", str(home)]
    environment = {**os.environ, "LD_LIBRARY_PATH": obtained.libraries(programs)}
    log = home / "redis.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _answers(port):
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False
