"""
Numbers about this process for Prometheus, at ``/metrics``.

With several workers each writes into files in ``PROMETHEUS_MULTIPROC_DIR``, and whichever is
asked tells the sum.
"""

from __future__ import annotations

import os
import time

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from salt_ext import store
from webui.sent import when_sent

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
STATEMENTS = (0, 1, 2, 4, 8, 16, 32, 64)
METHODS = ("GET", "HEAD", "POST")
"""Others are one: a stranger may call his methods as he likes."""

REQUESTS = Counter("cmdb_web_requests", "Answered requests.", ("endpoint", "method", "status"))
REQUEST_SECONDS = Histogram(
    "cmdb_web_request_seconds",
    "From a request to the last piece of its answer.",
    ("endpoint",),
    buckets=SECONDS,
)
REQUEST_STATEMENTS = Histogram(
    "cmdb_web_request_statements",
    "Statements of PostgreSQL for a request.",
    ("endpoint",),
    buckets=STATEMENTS,
)
HEAVY_RUNNING = Gauge(
    "cmdb_web_heavy_reads_running",
    "Heavy reads that are being answered.",
    multiprocess_mode="livesum",
)
HEAVY_WAITING = Gauge(
    "cmdb_web_heavy_reads_waiting",
    "Heavy reads that wait for others to end.",
    multiprocess_mode="livesum",
)
HEAVY_REFUSED = Counter("cmdb_web_heavy_reads_refused", "Heavy reads that were told to come again.")
KEPT_AGE_SECONDS = Gauge(
    "cmdb_web_kept_age_seconds",
    "How old the kept answer was that was shown last.",
    ("answer",),
    multiprocess_mode="mostrecent",
)

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
def page() -> Response:
    """Tell the numbers of all workers."""
    registry: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def register(app: Flask) -> None:
    """Count the requests of the application, and tell the numbers."""
    app.before_request(_begin)
    app.after_request(_end)
    app.register_blueprint(blueprint)


def _begin() -> None:
    g.began_at = time.perf_counter()
    g.statements = store.count_statements()


def _end(response: Response) -> Response:
    endpoint = request.endpoint or "none"
    method = request.method if request.method in METHODS else "other"
    began_at, statements, status = g.began_at, g.statements, str(response.status_code)

    def observe() -> None:
        REQUESTS.labels(endpoint, method, status).inc()
        REQUEST_SECONDS.labels(endpoint).observe(time.perf_counter() - began_at)
        REQUEST_STATEMENTS.labels(endpoint).observe(statements.count)

    when_sent(response, observe)
    return response
