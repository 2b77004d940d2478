"""
What a cloud's metadata service says of this instance.

It is asked only where DMI names the cloud, because elsewhere there is no service
and the questions would go into the network. Only the fields below are kept: the
services also have user data, keys and credentials.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from typing import Any

from salt_ext.facts.root import Root
from salt_ext.facts.virtual import virtual

DEADLINE_SECONDS = 0.2  # of one question; the host of the instance answers, not a far server
LIMIT_BYTES = 64 * 1024
SERVICE = ("169.254.169.254", 80)
SERVICES = {"alibaba": ("100.100.100.200", 80)}
TOKEN_SECONDS = "60"  # noqa: S105

EC2_DOCUMENT = "/latest/dynamic/instance-identity/document"
FIELDS = {
    "ec2": {
        "instance_id": "instanceId",
        "instance_type": "instanceType",
        "region": "region",
        "zone": "availabilityZone",
        "image_id": "imageId",
        "account_id": "accountId",
    },
    "alibaba": {
        "instance_id": "instance-id",
        "instance_type": "instance-type",
        "region": "region-id",
        "zone": "zone-id",
        "image_id": "image-id",
        "account_id": "owner-account-id",
    },
    "azure": {
        "instance_id": "vmId",
        "instance_type": "vmSize",
        "region": "location",
        "zone": "zone",
        "name": "name",
        "resource_group": "resourceGroupName",
        "account_id": "subscriptionId",
    },
    "openstack": {
        "instance_id": "uuid",
        "zone": "availability_zone",
        "name": "name",
        "account_id": "project_id",
    },
}
GCE_PATHS = {
    "instance_id": "instance/id",
    "instance_type": "instance/machine-type",
    "zone": "instance/zone",
    "name": "instance/name",
    "account_id": "project/project-id",
}


class MetadataError(RuntimeError):
    """The service of the cloud that DMI names gives no answer, or not the expected one."""


def cloud(root: Root) -> dict[str, Any] | None:
    """
    Return the provider and the fields of its metadata; {} on a machine in no cloud.

    None for a captured tree, and for a provider whose service is not known here.
    Raises :class:`MetadataError`.
    """
    if not root.is_live:
        return None
    place = virtual(root)["cloud"]
    if place is None:
        return {}
    provider = place["provider"]
    if provider not in FIELDS and provider != "gce":
        return None
    return metadata(provider, SERVICES.get(provider, SERVICE))


def metadata(provider: str, service: tuple[str, int]) -> dict[str, Any]:
    """Return what a provider's service says. Raises :class:`MetadataError`."""
    if provider == "gce":
        return {"provider": provider, **_gce(service)}
    if provider == "ec2":
        token = _token(service, "X-aws-ec2-metadata-token")
        text = ask(service, EC2_DOCUMENT, headers=token)
    elif provider == "alibaba":
        token = _token(service, "X-aliyun-ecs-metadata-token")
        text = ask(service, EC2_DOCUMENT, headers=token)
    elif provider == "azure":
        path = "/metadata/instance/compute?api-version=2021-02-01"
        text = ask(service, path, headers={"Metadata": "true"})
    else:
        text = ask(service, "/openstack/latest/meta_data.json")
    return {"provider": provider, **fields(provider, text)}


def fields(provider: str, text: str) -> dict[str, str | None]:
    """Return the fields of a provider's JSON by our names. Raises :class:`MetadataError`."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise MetadataError(f"the metadata of {provider} are no JSON object")
    return {name: _text(document.get(key)) for name, key in FIELDS[provider].items()}


def ask(
    service: tuple[str, int], path: str, method: str = "GET", headers: dict[str, str] | None = None
) -> str:
    """
    Return the answer to one question. Raises :class:`MetadataError`.

    ``http.client`` follows no redirect and knows no proxy.
    """
    connection = http.client.HTTPConnection(*service, timeout=DEADLINE_SECONDS)
    deadline = time.monotonic() + DEADLINE_SECONDS
    clock = None
    try:
        connection.connect()
        # The socket's timeout is for each read. The timer also stops a service that
        # sends a few bytes at a time.
        clock = threading.Timer(DEADLINE_SECONDS, _shut, [connection.sock])
        clock.daemon = True
        clock.start()
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        body = response.read(LIMIT_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise MetadataError(f"{service[0]} does not answer: {error}") from error
    finally:
        if clock:
            clock.cancel()
        connection.close()
    if time.monotonic() > deadline:
        raise MetadataError(f"{service[0]} took too long for {path}")
    if response.status != 200:
        raise MetadataError(f"{service[0]} answers {path} with {response.status}")
    if len(body) > LIMIT_BYTES:
        raise MetadataError(f"{service[0]} answers {path} with more than {LIMIT_BYTES} bytes")
    return body.decode("utf-8", "replace")


def _token(service: tuple[str, int], header: str) -> dict[str, str]:
    ttl = {f"{header}-ttl-seconds": TOKEN_SECONDS}
    token = ask(service, "/latest/api/token", "PUT", ttl).strip()
    if not (token.isascii() and token.isprintable()):
        raise MetadataError(f"the token of {service[0]} is no text")
    return {header: token}


def _gce(service: tuple[str, int]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, path in GCE_PATHS.items():
        text = ask(service, f"/computeMetadata/v1/{path}", headers={"Metadata-Flavor": "Google"})
        # Types and zones come as a path such as "projects/123/zones/us-east1-b".
        found[name] = text.strip().rpartition("/")[2] or None
    zone = found["zone"] or ""
    return {**found, "region": zone.rpartition("-")[0] or None}


def _shut(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the connection may be closed already
        connected.shutdown(socket.SHUT_RDWR)


def _text(value: Any) -> str | None:
    return str(value) or None if isinstance(value, (str, int)) else None
