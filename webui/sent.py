"""
What is to be done when an answer was sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from flask import Response


def when_sent(response: Response, then: Callable[[], object]) -> None:
    """
    Call a function when the last piece of a streamed answer was taken, or its reader has left.

    Any other answer is ready already, so it is called at once.
    """
    if not response.is_streamed:
        then()
        return
    is_over = False

    def once() -> None:
        nonlocal is_over
        if not is_over:
            is_over = True
            then()

    if hasattr(response.response, "close"):
        response.call_on_close(response.response.close)
    # A file would be passed on to the server as it is, and nothing called at its close.
    response.direct_passthrough = False
    response.response = _followed(response.iter_encoded(), once)
    # What was never begun, as in answer to HEAD, is closed all the same.
    response.call_on_close(once)


def _followed(pieces: Iterable[bytes], then: Callable[[], object]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        then()
