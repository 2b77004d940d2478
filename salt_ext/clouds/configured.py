"""
What the setting ``clouds`` says: the clouds of this site by name, checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext import servers
from salt_ext.settings import Settings, SettingsError
from salt_ext.words.nearest import unknown

LONGEST_NAME = 64


class Driver(NamedTuple):
    """A driver of ours: the dotted path of its function, and the options that it has."""

    path: str
    needs: Sequence[str] = ()
    takes: Sequence[str] = ()


DRIVERS = {
    "ec2": Driver(
        "salt_ext.clouds.ec2.instances",
        needs=("region",),
        takes=("access_key", "secret_key", "profile", "url", "ca_file"),
    ),
    "libvirt": Driver("salt_ext.clouds.libvirt.instances", needs=("url",), takes=("python",)),
    "openstack": Driver(
        "salt_ext.clouds.openstack.instances",
        needs=("cloud",),
        takes=("file", "region", "all_projects"),
    ),
}

OURS = ("driver", "provider")
"""The options of each cloud, whatever its driver."""


class Cloud(NamedTuple):
    """A cloud of the setting; ``options`` are its driver's, and may hold secrets."""

    name: str
    driver: str
    path: str
    provider: str
    """All machines whose facts name this kind of cloud are of this one; blank: not all."""
    options: Mapping[str, Any]


def cloud_of(settings: Settings, name: str) -> Cloud:
    """Return a cloud by its name. Raises :class:`SettingsError`, which never shows a secret."""
    clouds = settings["clouds"]
    if name not in clouds:
        raise SettingsError(unknown("cloud", name, clouds) + " (setting clouds)")
    where = f"{settings.sources['clouds']}: clouds: {name}"
    if len(name) > LONGEST_NAME:
        raise SettingsError(f"{where}: its name is longer than {LONGEST_NAME} characters")
    said = clouds[name]
    if not isinstance(said, Mapping):
        raise SettingsError(f"{where} is {type(said).__name__}, not a mapping")
    if not said.get("driver"):
        raise SettingsError(f"{where}: it needs a driver")
    for one, value in said.items():
        if isinstance(value, str):
            servers.text(where, str(one), value)
    driver = servers.text(where, "driver", said["driver"])
    provider = servers.text(where, "provider", said.get("provider") or "")
    options = {one: value for one, value in said.items() if one not in OURS}
    if "." in driver:  # a function of the site, which knows its own options
        return Cloud(name, driver, driver, provider, options)
    if driver not in DRIVERS:
        raise SettingsError(f"{where}: {unknown('driver', driver, DRIVERS)}")
    ours = DRIVERS[driver]
    servers.check_keys(where, said, (*OURS, *ours.needs, *ours.takes))
    for one in ours.needs:
        if not said.get(one):
            raise SettingsError(f"{where}: the driver {driver} needs {one}")
    return Cloud(name, driver, ours.path, provider, options)
