"""
What the setting ``pushes`` says: the pushes of this site by name, checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from salt_ext import servers
from salt_ext.feeds.feed import NAME, Option, options_of
from salt_ext.feeds.push import netbox, zabbix
from salt_ext.feeds.push.target import Push, System
from salt_ext.settings import Settings, SettingsError
from salt_ext.store import FilterError
from salt_ext.words.nearest import unknown

SYSTEMS: dict[str, System] = {"netbox": netbox.SYSTEM, "zabbix": zabbix.SYSTEM}

REQUIRED = ("system", "url", "token")
OPTIONS = {
    "name": NAME,
    "ca_file": Option(str, "", "The authority of its certificate, where the system has it not."),
    "retire_percent": Option(
        int, 20, "A push that would retire more of its machines needs force=True.", most=100
    ),
}
"""The options of each push, whatever the system."""


def push_of(settings: Settings, name: str) -> Push:
    """Return a push by its name. Raises :class:`SettingsError`, which never shows the token."""
    pushes = settings["pushes"]
    if name not in pushes:
        raise SettingsError(unknown("push", name, pushes) + " (setting pushes)")
    where = f"{settings.sources['pushes']}: pushes: {name}"
    said = pushes[name]
    if not isinstance(said, Mapping):
        raise SettingsError(f"{where} is {type(said).__name__}, not a mapping")
    for one in REQUIRED:
        if not said.get(one):
            raise SettingsError(f"{where}: it needs a {one}")
    system, token = (servers.text(where, one, said[one]) for one in ("system", "token"))
    if system not in SYSTEMS:
        raise SettingsError(f"{where}: {unknown('system', system, SYSTEMS)}")
    url = servers.address(where, said["url"])
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(f"{where}: its url has more than a host and a path; leave that out")
    filters = said.get("filters") or {}
    _check_filters(where, filters)
    known = {**OPTIONS, **SYSTEMS[system].options}
    servers.check_keys(where, said, (*REQUIRED, "filters", *known))
    try:
        options = options_of("it", known, {one: said[one] for one in known if one in said})
    except FilterError as error:
        raise SettingsError(f"{where}: {error}") from None
    servers.ca_file(where, options["ca_file"])
    return Push(name, system, url.rstrip("/"), token, filters, options)


def _check_filters(where: str, filters: Any) -> None:
    if not isinstance(filters, Mapping):
        raise SettingsError(f"{where}: its filters are no mapping such as {{site: dc1}}")
    for one in filters:
        if str(one).partition("__")[0] == "freshness":
            # With freshness=fresh a machine that is down for a day would be switched off there.
            raise SettingsError(f"{where}: a push keeps what is silent: no filter on freshness")
