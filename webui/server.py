"""
How gunicorn runs the application: ``gunicorn --config python:webui.server``.

Every setting of gunicorn can be given on its command line as well, and goes over the one here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from prometheus_client.multiprocess import mark_process_dead

from webui import heavy
from webui.log import JsonLines

FREE_THREADS = 4
"""For all that is no heavy read."""

GIL_SECONDS = 0.001
"""
How long a thread may keep Python for itself when others want it.

While two threads of a worker write files, whoever asks for ``/healthz`` waits for several such
turns; Python's own 5 ms would make that tenths of a second.
"""

wsgi_app = "webui:create_app()"
bind = "127.0.0.1:8080"
workers = 2
threads = heavy.RUNNING + heavy.WAITING + FREE_THREADS
control_socket_disable = True
logconfig_dict = {
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "stream": "ext://sys.stderr",
        }
    },
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        # The application has a log of accesses of its own.
        "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
    },
}


def on_starting(server: Any) -> None:
    """Forget the numbers of an earlier run."""
    directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if directory:
        for path in Path(directory).glob("*.db"):
            path.unlink()
    elif server.cfg.workers > 1:
        server.log.warning(
            "each worker tells its own numbers at /metrics: set PROMETHEUS_MULTIPROC_DIR to a"
            " directory of this service"
        )


def post_worker_init(worker: Any) -> None:
    """Let the threads of a worker take turns quickly."""
    sys.setswitchinterval(GIL_SECONDS)


def child_exit(server: Any, worker: Any) -> None:
    """Take what a dead worker was doing out of the numbers; what it did stays."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
