"""
Does a request come from this very machine? The application cannot know where its server listens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address

LOOPBACK_HOST = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.I)

OF_PROXIES = re.compile(
    "HTTP_(FORWARDED.*|VIA|X_FORWARDED.*|X_REAL_IP|X_ORIGINAL_.*|X_REMOTE_.*|.*CLIENT_?IP"
    "|.*CONNECTING_IP|X_PROXYUSER.*|X_ENVOY_.*|X_VARNISH|CDN_LOOP|CF_.*|REMOTE_USER"
    "|AUTHORIZATION)"
)
"""Headers that a proxy adds, as WSGI calls them."""


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address of a peer; None for one without, such as that of a Unix socket."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    # What listens on both families has the peers of the older one so.
    return getattr(found, "ipv4_mapped", None) or found


def why_from_elsewhere(environ: Mapping[str, str]) -> str:
    """Return what of a request is not of this machine; blank if all is."""
    peer = address_of(environ.get("REMOTE_ADDR", ""))
    if peer is None or not peer.is_loopback:
        # Behind a Unix socket is a proxy: no browser speaks to one.
        return f"this request comes from {peer or 'a Unix socket'}, which is not this machine"
    # A page of elsewhere can let its own name mean 127.0.0.1, but not send another Host.
    if not LOOPBACK_HOST.fullmatch(environ.get("HTTP_HOST", "")):
        return "this request is for a Host that is not loopback"
    if any(OF_PROXIES.fullmatch(name) for name in environ):
        return "this request came through a proxy: it has a header that proxies add"
    if environ.get("HTTP_SEC_FETCH_SITE") == "cross-site":
        return "this request was made by a page of another site"
    if environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
        # What nginx speaks to those behind it unless told otherwise, and no browser.
        return "this request came through a proxy: it is HTTP/1.0"
    return ""
