"""
A runner of a site's own: a machine boots from the network once, by Redfish of its BMC.

It stands in a directory of the master's ``runner_dirs``::

    # /etc/salt/master.d/redfish.conf
    runner_dirs: [/srv/salt/runners]
    redfish:
      user: cmdb
      password: sdb://vault/bmc         # in no argument: so it is in no job and in no event
      ca_file: /etc/ssl/certs/bmc.pem   # who signed the certificates of the BMCs
      address: bmc.addresses            # where the inventory has a BMC's address, or list.<field>
      port: 443

Salt's own ``http.query`` is not used for this: it would have the password among its arguments,
and these are in the event of every job.
"""

import json
from urllib.parse import urljoin
from uuid import UUID

import requests

SYSTEMS = "/redfish/v1/Systems"
RESET = "#ComputerSystem.Reset"
SECONDS = 20
MOST_SYSTEMS = 64
LONGEST = 1 << 20
STOOD_DOWN = ("planned", "staged", "maintenance")


class Refused(Exception):
    """It cannot or must not be done; the text says why."""


def pxe_once(machine):
    """
    Let a machine boot from the network with its next boot only, and start it now.

    It must be planned, staged or in maintenance, and its BMC must be that of the
    machine: of the systems that the BMC has one must have the machine's UUID.

    CLI Example:

    .. code-block:: bash

        salt-run redfish.pxe_once web01
    """
    try:
        done = {"result": True, **_pxe_once(__opts__.get("redfish") or {}, machine)}  # noqa: F821
    except Refused as why:
        done = {"result": False, "machine": machine, "error": str(why)}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # A BMC's answer is not what Redfish says. Its text is not repeated: it may be anything.
        why = f"no answer as Redfish has it: {type(error).__name__}"
        done = {"result": False, "machine": machine, "error": why}
    # The exit status of salt-run; and an orchestration ends at what has result: False.
    failed = {} if done["result"] else {"retcode": 1}
    return {"outputter": "nested", "data": {"redfish": done, **failed}}


def _pxe_once(said, machine):
    """Do it, with what the master's configuration says of BMCs; return what was done."""
    missing = [key for key in ("user", "password", "ca_file") if not said.get(key)]
    if missing:
        raise Refused(f"the master's configuration has no redfish: {', '.join(missing)}")
    lifecycle = _known(machine, "lifecycle")
    if lifecycle not in STOOD_DOWN:
        raise Refused(
            f"it is {lifecycle}: salt-run cmdb.lifecycle {machine} maintenance comes first"
        )
    uuid = UUID(_known(machine, "system.uuid"))
    host = _address(_known(machine, said.get("address", "bmc.addresses")))
    with requests.Session() as session:
        session.trust_env = False  # no proxy, no ~/.netrc, no other authorities
        session.auth = (said["user"], said["password"])
        session.verify = said["ca_file"]
        bmc = Bmc(session, f"https://{host}:{said.get('port', 443)}")
        path, system = _system(bmc, uuid)
        before = _override(system)
        boot = {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Pxe"}
        bmc.ask("PATCH", path, {"Boot": boot})
        after = _override(bmc.ask("GET", path))
        if after["target"] != "Pxe":
            raise Refused(
                f"its BMC took the order and has {after} all the same; it was not started"
            )
        start = "On" if system.get("PowerState") == "Off" else "ForceRestart"
        bmc.ask("POST", system["Actions"][RESET]["target"], {"ResetType": start})
    return {"machine": machine, "uuid": str(uuid), "before": before, "after": after, "reset": start}


def _known(machine, path):
    """Return what the store knows of a machine."""
    answer = __salt__["cmdb.get"](machine, path)["data"]["cmdb"]  # noqa: F821
    if not answer.get("value"):
        raise Refused(answer.get("error") or f"the inventory has no {path} of {machine}")
    return answer["value"]


def _address(found):
    """Return an address as it stands in a URL, of those that the store has."""
    first = str(found[0] if isinstance(found, list) else found).partition("/")[0]
    return f"[{first}]" if ":" in first else first


def _system(bmc, uuid):
    """Return the path and the content of the one system that has this UUID."""
    # Some BMCs have its bytes in the other order of the two.
    same = (uuid, UUID(bytes_le=uuid.bytes))
    systems = []
    for member in bmc.ask("GET", SYSTEMS)["Members"][:MOST_SYSTEMS]:
        system = bmc.ask("GET", member["@odata.id"])
        systems.append((UUID(system["UUID"]), member["@odata.id"], system))
    found = [(path, system) for other, path, system in systems if other in same]
    if len(found) != 1:
        has = ", ".join(str(other) for other, _, _ in systems) or "no system"
        raise Refused(f"that BMC is of another machine: wanted is {uuid}, and it has {has}")
    return found[0]


def _override(system):
    boot = system.get("Boot") or {}
    return {
        "enabled": str(boot.get("BootSourceOverrideEnabled")),
        "target": str(boot.get("BootSourceOverrideTarget")),
    }


class Bmc:
    """A BMC that is asked over TLS, which its certificate must vouch for."""

    def __init__(self, session, url):
        """Take a session that knows whom to trust and how to log in."""
        self.session = session
        self.url = url

    def ask(self, method, path, body=None):
        """Return the answer to a request; refuse what leads to another server."""
        url = urljoin(self.url, path)
        if not url.startswith(f"{self.url}/redfish/v1/"):
            raise Refused("its BMC names another place than its own Redfish")
        options = {"json": body, "timeout": SECONDS, "allow_redirects": False, "stream": True}
        try:
            with self.session.request(method, url, **options) as answer:
                content = next(answer.iter_content(LONGEST), b"")
        except requests.exceptions.SSLError:
            raise Refused("its BMC has no certificate that ca_file vouches for") from None
        except requests.exceptions.RequestException as error:
            raise Refused(f"its BMC does not answer: {type(error).__name__}") from None
        if answer.status_code not in (200, 202, 204):
            what = path if method == "POST" else f"{method} {path}"
            raise Refused(f"its BMC answers {answer.status_code} to {what:.200}")
        return json.loads(content) if content else {}
