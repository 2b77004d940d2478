"""
Whom a proxy names in a header: believed from named proxies, refused from anybody else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from webui.access.local import address_of
from webui.access.refused import Refused
from webui.access.ways import UNIX, Header


class Named(NamedTuple):
    """Somebody whom a proxy knows."""

    name: str
    groups: list[str]


def named(header: Header, environ: Mapping[str, str]) -> Named | None:
    """Return whom the proxy names, None if nobody. Raises :class:`Refused` for a forged header."""
    names = [_of_wsgi(name) for name in (header.name, header.groups) if name]
    if not any(name in environ for name in names):
        return None
    peer = environ.get("REMOTE_ADDR", "")
    if not _is_trusted(header, peer):
        raise Refused(
            403,
            f"the header {header.name} is believed from the proxies alone that the settings name",
            "come through the proxy; a proxy itself is named in login: header: proxies",
        )
    name, *groups = [_text(environ.get(one, "")) for one in names]
    if not name:
        return None
    return Named(name, [one.strip() for text in groups for one in text.split(",") if one.strip()])


def _is_trusted(header: Header, peer: str) -> bool:
    address = address_of(peer)
    if address is None:
        return not peer and UNIX in header.proxies
    return any(address in network for network in header.networks)


def _of_wsgi(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"


def _text(given: str) -> str:
    """Return the text of a header: WSGI has its bytes as Latin-1, and proxies send UTF-8."""
    return given.encode("latin-1", "replace").decode("utf-8", "replace").strip()
