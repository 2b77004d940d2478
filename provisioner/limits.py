"""
How often one address may ask: an installation needs some ten answers, and nothing more often.
"""

from __future__ import annotations

from flask import Flask, request
from flask_limiter import ApplicationLimit, Limiter

PER_MINUTE = 120


def register(app: Flask) -> None:
    """Count what an address asks, and refuse with 429; each worker counts for itself."""
    limit = ApplicationLimit(f"{PER_MINUTE} per minute")
    Limiter(_asker, app=app, storage_uri="memory://", application_limits=[limit])


def _asker() -> str:
    return request.remote_addr or "unix"
