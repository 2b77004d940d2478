"""
OpenStack: the servers that Nova lists, asked by openstacksdk with a login of its ``clouds.yaml``.

The id of a server is the UUID that its guest finds in its SMBIOS.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from keystoneauth1 import exceptions as asking
from openstack import exceptions
from openstack.config import OpenStackConfig, loader
from openstack.connection import Connection

from salt_ext.clouds.instance import DELETED, LONGEST_REASON, CloudFailed, Instance
from salt_ext.facts import failure
from salt_ext.words.nearest import unknown

PAGE = 1000
"""Servers that are asked for at a time; Nova may give fewer."""

DELETED_DAYS = 30
"""So far back are deleted servers listed. Nova keeps them until its operator archives them."""

ANSWERS_SECONDS = 60
"""So long one answer may take, unless clouds.yaml says ``api_timeout``."""

STATES = {"active": "running", "shutoff": "stopped", "soft_deleted": DELETED}
"""What we call the states that are not called as Nova calls them."""

CELL_AWAY = "UNKNOWN"
"""The state of servers, and of services, in a cell whose database does not answer Nova."""


ERRORS = (
    exceptions.SDKException,
    asking.ClientException,
    *(LookupError, TypeError, ValueError, AttributeError),  # an answer that is not what Nova says
)


def instances(options: Mapping[str, Any]) -> Iterator[Instance]:
    """Yield all servers of a cloud, and those that were deleted lately."""
    every = options.get("all_projects", True)
    if not isinstance(every, bool):
        raise CloudFailed(f"all_projects is {every!r}", "say true or false")
    with _login(options) as connection:
        names = _project_names(connection)
        _check_cells(connection, every)
        yield from _servers(connection, names, every)
        # Who is no administrator is told of living servers too that have changed since.
        since = datetime.now(timezone.utc) - timedelta(days=DELETED_DAYS)
        lately = {"deleted_only": True, "changes_since": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
        for one in _servers(connection, names, every, **lately):
            if one.is_deleted:
                yield one
        _check_cells(connection, every)


def _login(options: Mapping[str, Any]) -> Connection:
    """Return a connection for a login of clouds.yaml that Keystone has taken."""
    name, file = str(options["cloud"]), options.get("file")
    if file and not os.path.isfile(file):
        raise CloudFailed(f"there is no file {file}", "look at its option file")
    try:
        config = OpenStackConfig(config_files=[file] if file else None)
        known = config.get_cloud_names()
        if config.config_filename is None:
            known = [one for one in known if one != NO_CLOUD]
        if not known:
            where = ", ".join(dict.fromkeys(os.path.dirname(one) for one in loader.CONFIG_FILES))
            raise CloudFailed(f"there is no clouds.yaml; it was looked for in {where}", NO_FILE)
        if name not in known:
            raise CloudFailed(f"in {_files(config)} {unknown('cloud', name, known)}", CLOUDS_YAML)
        region = config.get_one(name, region_name=options.get("region") or None)
        if not region.config.get("api_timeout"):
            region.config["api_timeout"] = ANSWERS_SECONDS
        connection = Connection(config=region)
        connection.session.get_token()
        said = connection.compute.get_endpoint_data()
    except ERRORS as error:
        raise CloudFailed(f"nobody could log in as {name!r}: {_why(error)}", CLOUDS_YAML) from None
    if not (said and said.max_microversion):
        where = f" in the region {region.region_name}" if region.region_name else ""
        raise CloudFailed(f"no Nova that tells its version answers{where}", CLOUDS_YAML)
    return connection


NO_CLOUD = "defaults"
"""What openstacksdk calls the one cloud that it has without any file."""

NO_FILE = "write one, or say by the option file where it is"

CLOUDS_YAML = "look at its clouds.yaml, and try it: openstack --os-cloud <its name> server list"


def _files(config: OpenStackConfig) -> str:
    return str(config.config_filename or "clouds.yaml")


def _project_names(connection: Connection) -> dict[str, str]:
    """Return the names of all projects, or of the login's own if it may not see others."""
    try:
        return {one.id: one.name for one in connection.identity.projects()}
    except exceptions.ForbiddenException:
        own = connection.current_project
        return {own.id: own.name}
    except ERRORS as error:
        raise CloudFailed(f"Keystone did not list its projects: {_why(error)}") from None


def _check_cells(connection: Connection, every: bool) -> None:
    """
    Raise CloudFailed while a cell does not answer Nova.

    Nova leaves out its servers then, and says nothing: only a list of services, or one of
    servers that is neither sorted nor has a limit, shows that there is more.
    """
    away = False
    # Who lists one project may not see services, but its servers are seldom more than a page.
    allowed = () if every else (exceptions.ForbiddenException,)
    try:
        with contextlib.suppress(*allowed):
            away = any(one.status == CELL_AWAY for one in connection.compute.services())
        briefly = connection.compute.servers(details=False, all_projects=every, paginated=False)
        away = away or any(one.status == CELL_AWAY for one in briefly)
    except ERRORS as error:
        raise _not_listed(error, "Nova did not list its servers") from None
    if away:
        raise CloudFailed(
            "a cell of its Nova does not answer, and the servers in it are not listed",
            "its operator sees which by: openstack compute service list",
        )


def _servers(
    connection: Connection, names: Mapping[str, str], every: bool, **which: Any
) -> Iterator[Instance]:
    """Yield servers, the oldest first, so that those that are made meanwhile come at the end."""
    count = 0
    ordered = {"limit": PAGE, "sort_key": "created_at", "sort_dir": "asc"}
    try:
        for server in _pages(connection, {"all_projects": every, **ordered, **which}):
            yield _instance(server, names, connection.config.region_name)
            count += 1
    except ERRORS as error:
        what = "deleted servers" if which else "servers"
        raise _not_listed(error, f"Nova listed {count:,} {what}, and then") from None


def _pages(connection: Connection, query: Mapping[str, Any]) -> Iterator[Any]:
    """
    Yield the servers of each page; the one after the last has none.

    Each page begins after the last server that came. The links between the pages would lead
    past what is missing at the end of one, and a page without a link would be the last one.
    """
    last: dict[str, str] = {}
    while page := [*connection.compute.servers(**query, **last, paginated=False)]:
        if page[-1].id == last.get("marker"):
            raise CloudFailed("Nova gives the same page again and again")
        yield from page
        last = {"marker": page[-1].id}


def _instance(server: Any, names: Mapping[str, str], region: str | None) -> Instance:
    flavor, image = server.flavor, server.image
    state = str(server.status).lower()
    return Instance(
        id=server.id,
        name=server.name,
        state=STATES.get(state, state),
        uuid=server.id,
        provider="openstack",
        project=server.project_id,
        project_name=names.get(server.project_id),
        flavor=(flavor.original_name or flavor.id) if flavor else None,
        zone=server.availability_zone,
        host=server.hypervisor_hostname or server.compute_host,
        image=image.id if image else None,
        region=region or None,
        created_at=server.created_at,
        addresses=[one["addr"] for lan in (server.addresses or {}).values() for one in lan],
    )


def _not_listed(error: Exception, what: str) -> CloudFailed:
    hint = ""
    if _status(error) == 403:
        hint = (
            "let its login list the servers of all projects (docs/clouds.md says which role), or"
            " say all_projects: false for those of its own"
        )
    return CloudFailed(f"{what}: {_why(error)}", hint)


def _status(error: Exception) -> int | None:
    """Return the status of HTTP that an error is about."""
    found = getattr(error, "status_code", None) or getattr(error, "http_status", None)
    return found if isinstance(found, int) else None


def _why(error: Exception) -> str:
    """Return why, without what a server said: it is another system's, and may be long."""
    status = _status(error)
    if status == 401:
        return "it refuses the name or the secret of the login (401)"
    if status == 403:
        return "the login may not do that (403)"
    if status:
        return f"it answered {status}"
    if isinstance(error, asking.ConnectTimeout):
        return "no answer came in time"
    if isinstance(error, asking.ConnectionError):
        return f"the connection failed: {_short(_root(error))}"
    if isinstance(error, (exceptions.SDKException, asking.ClientException)):
        return _short(error)
    return f"its answer is not what Nova answers ({type(error).__name__})"


def _root(error: BaseException) -> BaseException:
    """Return what a library has wrapped, and wrapped again."""
    while error.__context__:
        error = error.__context__
    return error


def _short(error: BaseException) -> str:
    return failure.message(error).partition("\n")[0][:LONGEST_REASON]
