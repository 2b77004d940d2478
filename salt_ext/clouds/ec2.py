"""
EC2: the instances of one region of an account, asked by boto3.

A guest finds the id of its instance in its SMBIOS, and not its UUID in any form that the API tells.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ProfileNotFound
from botocore.parsers import ResponseParserError

from salt_ext import servers
from salt_ext.clouds.instance import DELETED, LONGEST_REASON, CloudFailed, Instance
from salt_ext.facts import failure

PAGE = 1000
"""Instances that are asked for at a time; the API gives no more."""

ASKING = Config(
    connect_timeout=10, read_timeout=60, retries={"mode": "standard", "total_max_attempts": 3}
)

STATES = {"terminated": DELETED}
"""What we call the states that are not called as EC2 calls them."""

CREDENTIALS = "look at access_key and secret_key, or at the profile; it needs ec2:DescribeInstances"
REFUSED = (
    *("AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnauthorizedOperation"),
    *("AccessDenied", "ExpiredToken", "RequestExpired"),
)

ERRORS = (
    *(BotoCoreError, ClientError, ResponseParserError),
    *(LookupError, TypeError, ValueError, AttributeError),  # an answer that is not what EC2 says
)


def instances(options: Mapping[str, Any]) -> Iterator[Instance]:
    """Yield all instances of a region, those too that were terminated within the last hour."""
    region, count = str(options["region"]), 0
    try:
        client = _client(options, region)
        pages = client.get_paginator("describe_instances")
        for page in pages.paginate(PaginationConfig={"PageSize": PAGE}):
            # An answer without the list is no page: that of nothing has an empty one.
            for reservation in page["Reservations"]:
                for one in reservation["Instances"]:
                    yield _instance(one, reservation.get("OwnerId"), region)
                    count += 1
    except ERRORS as error:
        reached = f"EC2 listed {count:,} instances, and then: " if count else ""
        raise CloudFailed(f"{reached}{_short(error)}", _hint(error)) from None


def _client(options: Mapping[str, Any], region: str) -> Any:
    """Return a client; without a login of the setting boto3 looks where it always does."""
    session = boto3.Session(
        aws_access_key_id=options.get("access_key") or None,
        aws_secret_access_key=options.get("secret_key") or None,
        profile_name=options.get("profile") or None,
        region_name=region,
    )
    url, ca_file = options.get("url") or None, options.get("ca_file") or None
    if ca_file and not os.path.isfile(ca_file):
        raise CloudFailed(f"there is no file {ca_file}", "look at its option ca_file")
    endpoint = servers.address("clouds", url) if url else None
    return session.client("ec2", endpoint_url=endpoint, verify=ca_file, config=ASKING)


def _instance(told: Mapping[str, Any], owner: str | None, region: str) -> Instance:
    place, state = told.get("Placement") or {}, told["State"]["Name"]
    tags = {one.get("Key"): one.get("Value") for one in told.get("Tags") or ()}
    made = told.get("LaunchTime")
    return Instance(
        id=told["InstanceId"],
        name=tags.get("Name"),
        state=STATES.get(state, state),
        provider="ec2",
        project=owner,
        flavor=told.get("InstanceType"),
        zone=place.get("AvailabilityZone"),
        host=place.get("HostId"),
        image=told.get("ImageId"),
        region=region,
        created_at=f"{made:%Y-%m-%dT%H:%M:%SZ}" if made else None,
        addresses=[*_addresses(told)],
    )


def _addresses(told: Mapping[str, Any]) -> Iterator[str]:
    yield from (one for name in ("PrivateIpAddress", "PublicIpAddress") if (one := told.get(name)))
    for card in told.get("NetworkInterfaces") or ():
        yield from (one["PrivateIpAddress"] for one in card.get("PrivateIpAddresses") or ())
        yield from (one["Ipv6Address"] for one in card.get("Ipv6Addresses") or ())


def _hint(error: Exception) -> str:
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code")
        return CREDENTIALS if code in REFUSED else ""
    return CREDENTIALS if isinstance(error, (NoCredentialsError, ProfileNotFound)) else ""


def _short(error: Exception) -> str:
    said = failure.message(error).partition("\n")[0][:LONGEST_REASON]
    is_plain = isinstance(error, (BotoCoreError, ClientError))
    return said if is_plain else f"its answer is not what EC2 answers ({type(error).__name__})"
