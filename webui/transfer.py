"""
How an answer travels: compressed where the reader takes gzip, and not again when he has it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator

from flask import Flask, Response, request

LEVEL = 4
"""Of nine: beyond it a page costs twice the time for the last twentieth of its bytes."""

LEAST_BYTES = 500
"""What is smaller travels in one packet anyway."""

GZIP = 16 + zlib.MAX_WBITS
"""For zlib: with the header and the checksum of gzip."""

TEXTS = ("application/json", "application/x-ndjson", "application/atom+xml", "image/svg+xml")
"""Beside all of ``text/``; a workbook is compressed already."""


def register(app: Flask) -> None:
    """Send every answer so; whatever else changes an answer must be registered after this."""
    app.after_request(_sent)


def _sent(response: Response) -> Response:
    if request.method == "GET" and response.status_code == 200 and not response.is_streamed:
        # Weak, since the same answer travels compressed and not.
        response.add_etag(weak=True)
        response.make_conditional(request)
    if _is_compressible(response):
        response.vary.add("Accept-Encoding")
        if request.accept_encodings["gzip"] > 0:
            _compress(response)
    return response


def _is_compressible(response: Response) -> bool:
    """Whether gzip pays. It gives nothing away: a page has no secret that stays the same."""
    is_text = (response.mimetype or "").startswith("text/") or response.mimetype in TEXTS
    is_small = not response.is_streamed and (response.content_length or 0) < LEAST_BYTES
    is_whole = response.status_code not in (204, 206, 304) and not response.content_encoding
    return is_text and is_whole and not is_small


def _compress(response: Response) -> None:
    response.content_encoding = "gzip"
    if response.is_streamed:
        response.response = _compressed(response.iter_encoded())
        response.headers.pop("Content-Length", None)
    else:
        response.set_data(gzip.compress(response.get_data(), LEVEL, mtime=0))


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
