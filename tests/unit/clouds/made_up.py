"""Instances and machines of a cloud, made up."""

import uuid

from salt_ext import settings
from salt_ext.clouds.configured import cloud_of
from salt_ext.clouds.instance import Instance
from salt_ext.store import Guest

PROJECT = "5c2f0d3e9b8a4f6f8f0a1b2c3d4e5f60"


def cloud(**said):
    said = {"driver": "openstack", "cloud": "prod", **said}
    return cloud_of(settings.resolve(("master", {"clouds": {"prod": said}})), "prod")


def server(number, **values):
    """A server of Nova: its id is the UUID of its SMBIOS."""
    one = str(uuid.UUID(int=0x8D1C5A7F3B9E4C20A6D70F1E2B3C0000 + number))
    told = {"name": f"vm{number}", "state": "running", "uuid": one, "provider": "openstack"}
    return Instance(one, **{**told, "project": PROJECT, **values})


def machine(number, *keys, **values):
    told = {"name": f"web{number}", "lifecycle": "active", "keys": keys}
    return Guest(number, **{**told, **values})


def driver(options):
    """A driver of a site: so many instances, and then the error that the options name."""
    yield from (server(number) for number in range(options["count"]))
    if "secret_error" in options:
        raise OSError(f"401 for {options['secret_error']} at {options.get('url')}")
