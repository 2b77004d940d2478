"""
One POST to a receiver that may do anything: hang, redirect, answer slowly or without an end.

Of the answer only the status is read, and a first piece where the status does not tell. A
redirect is not followed, because it could lead to where the operator did not point.
"""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from collections.abc import Mapping
from threading import Event, Timer
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from salt_ext.servers import as_it_is

CONNECT_SECONDS = 5
ANSWER_SECONDS = 10
"""After these times an attempt has failed; both together are far less than the lease."""


PIECE_BYTES = 200
"""As much is read of an answer that has to say something."""


def post(
    url: str, content: bytes, headers: Mapping[str, str], *, ca_file: str = "", says: str = ""
) -> str:
    """
    Post a body; return why it was not taken, or nothing. No URL and no secret is in it.

    ``says`` is a pattern of what an answer says besides when it has taken it.
    """
    deadline = _Deadline()
    try:
        with deadline, requests.Session() as session:
            session.mount("http://", _Adapter(deadline))
            session.mount("https://", _Adapter(deadline))
            with session.post(
                url,
                data=content,
                headers=dict(headers),
                auth=as_it_is,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                verify=ca_file or True,
                allow_redirects=False,
                stream=True,  # the body of the answer, which may have no end, is left alone
            ) as answer:
                status = answer.status_code
                said = answer.raw.read(PIECE_BYTES) if says and 200 <= status < 300 else b""
    except Exception as error:
        # Whatever a receiver makes of the libraries: it is a failed attempt and nothing else.
        return _why(requests.ReadTimeout() if deadline.is_over else error)
    if deadline.is_over:
        return _why(requests.ReadTimeout())  # an answer that breaks off looks like a whole one
    if 200 <= status < 300:
        is_taken = re.search(says, said.decode(errors="replace"))
        return "" if is_taken else "it answers that it did not take it"
    if 300 <= status < 400:
        return f"it answers {status}, a redirect, and none is followed"
    return f"it answers {status}"


def _why(error: BaseException) -> str:
    """Return why an attempt failed; the messages of requests themselves have the URL in them."""
    if isinstance(error, requests.ConnectTimeout):
        return f"it cannot be reached within {CONNECT_SECONDS} seconds"
    if isinstance(error, requests.ReadTimeout):
        return f"it does not answer within {ANSWER_SECONDS} seconds"
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"it does not speak TLS: {cause.reason or 'no reason'}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return f"it does not answer as HTTP does ({type(error).__name__})"


def _causes(error: BaseException | None) -> list[BaseException]:
    """Return an exception and all that it was made of, the innermost first."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found[::-1]


class _Deadline:
    """
    Ends a connection when the answer is not there in time.

    The timeout of requests is for each read alone: a receiver that sends a byte of a
    header now and then would hold it for ever.
    """

    def __init__(self) -> None:
        self._is_over = Event()
        self._timer: Timer | None = None

    def watch(self, connected: socket.socket) -> None:
        """Begin: the request has been sent on this socket."""
        self._timer = Timer(ANSWER_SECONDS, self._end, [connected])
        self._timer.daemon = True
        self._timer.start()

    def _end(self, connected: socket.socket) -> None:
        self._is_over.set()
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)

    @property
    def is_over(self) -> bool:
        """Whether the connection was ended."""
        return self._is_over.is_set()

    def __enter__(self) -> _Deadline:
        return self

    def __exit__(self, *error: object) -> None:
        if self._timer is not None:
            self._timer.cancel()


class _Adapter(HTTPAdapter):
    """Lets each connection have a deadline."""

    def __init__(self, deadline: _Deadline) -> None:
        self.deadline = deadline
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self.deadline)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _pools(self.deadline)
        return manager


def _pools(deadline: _Deadline) -> dict[str, Any]:
    return {
        "http": _watched(HTTPConnectionPool, deadline),
        "https": _watched(HTTPSConnectionPool, deadline),
    }


def _watched(pool: Any, deadline: _Deadline) -> Any:
    """Return a pool whose connections have a deadline."""

    class Connection(pool.ConnectionCls):  # type: ignore[misc]
        def getresponse(self) -> Any:
            deadline.watch(self.sock)
            return super().getresponse()

    return type(pool.__name__, (pool,), {"ConnectionCls": Connection})
