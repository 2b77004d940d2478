"""
When all entries of a bank were written, where the master's ``cache`` is redis.

Salt's driver tells the time of one entry with each question: 17 seconds of processor time for
100,000 minions. It keeps the times of a bank in one hash, as its documentation says, so that
they can be had with one question.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from typing import Any

import salt.payload

from salt_ext.words.visible import visible

log = logging.getLogger(__name__)


class RedisTimes:
    """The times of the entries in a redis cache."""

    def __init__(self, opts: Mapping[str, Any]) -> None:
        """Take the options of a master, of which those of Salt's driver are used."""
        self.opts = opts
        self._server: Any = None

    def of(self, bank: str) -> dict[str, float]:
        """
        Return by key when entries of a bank were written, in seconds since the epoch.

        What is left out has to be asked for one by one: all entries, where the server is
        none that is asked here, such as a cluster.
        """
        if self._option("cluster_mode", False):
            return {}
        separator = self._option("separator", "_")
        name = f"{self._option('timestamp_prefix', '$TSTAMP')}{separator}{bank}/"
        try:
            self._server = self._server or self._connect()
            found = self._server.hgetall(name)
            return {key.decode(): float(salt.payload.loads(at)) for key, at in found.items()}
        except Exception as error:  # the driver's library has errors of its own
            log.debug("%s", visible(f"redis does not tell all times of {bank} at once: {error}"))
            self._server = None
            return {}

    def _connect(self) -> Any:
        # No dependency of ours: Salt's driver needs it, on a master with such a cache alone.
        redis = importlib.import_module("redis")
        return redis.Redis(
            self._option("host", "localhost"),
            self._option("port", 6379),
            unix_socket_path=self._option("unix_socket_path", None),
            db=self._option("db", "0"),
            password=self._option("password", ""),
        )

    def _option(self, name: str, default: Any) -> Any:
        return self.opts.get(f"cache.redis.{name}", default)
