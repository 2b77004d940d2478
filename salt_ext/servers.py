"""
What settings say of another program's server: its address, its secrets, and who vouches for it.

Pushes and webhooks ask such servers. Neither an address nor a secret is in an error.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import urlsplit

from salt_ext.settings import SettingsError
from salt_ext.words.nearest import unknown

LONGEST_KEY = 15
"""Characters of a key that is shown: a colon that was forgotten makes a key of a secret."""


def check_keys(where: str, said: Iterable[Any], known: Collection[str]) -> None:
    """Refuse a key that does not exist."""
    for key in said:
        if key not in known:
            raise SettingsError(f"{where}: {unknown('key', shown(key), known)}")


def shown(key: Any) -> str:
    """Return a key that is wrong, for an error, unless it may be a secret."""
    is_word = isinstance(key, str) and len(key) <= LONGEST_KEY and ":" not in key
    return key if is_word else "(not shown)"


def text(where: str, key: str, said: Any) -> str:
    """Return a text that Salt may have read from its sdb; without a profile it leaves the URI."""
    if not isinstance(said, str):
        raise SettingsError(f"{where}: {key} is {type(said).__name__}, but it must be a text")
    if said.startswith("sdb://"):
        raise SettingsError(
            f"{where}: Salt did not find what {key} names in its sdb: no such profile or key"
        )
    return said


def address(where: str, said: Any) -> str:
    """Return the URL of a server."""
    url = text(where, "url", said)
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        fits = False
    if not fits or re.search(r"[\s\x00-\x1f\x7f]", url):
        raise SettingsError(
            f"{where}: url is no address such as https://host:8443/path (not shown here: it may"
            " hold a password)"
        )
    return url


def ca_file(where: str, said: Any) -> str:
    """Return the file of the authority that signed a server's certificate; empty for the usual."""
    path = text(where, "ca_file", said)
    if path and not os.path.isfile(path):
        raise SettingsError(f"{where}: ca_file: there is no file {path}")
    return path


def as_it_is(request: Any) -> Any:
    """
    Return a request as it is.

    As the ``auth`` of a request it keeps our headers: requests would otherwise put what a line
    of ``~/.netrc`` has for that server in their place.
    """
    return request
