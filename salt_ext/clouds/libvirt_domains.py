"""
The domains of a host of libvirt, a line of JSON each, and how many they were.

Run by whichever Python has libvirt, so it needs that and the standard library only.
"""

import json
import sys

STATES = {1: "running", 2: "running", 3: "paused", 4: "stopping", 5: "stopped", 6: "crashed"}
"""By the numbers of virDomainState; a domain that waits for a resource runs."""


def main(url: str) -> None:
    """Print them; what libvirt itself says of an error is on standard error."""
    try:
        import libvirt
    except ImportError:
        sys.exit(
            f"{sys.executable} has no libvirt: install python3-libvirt, or name another Python"
        )
    libvirt.registerErrorHandler(lambda *_: None, None)
    try:
        connection = libvirt.openReadOnly(url)
        host, count = connection.getHostname(), 0
        for domain in connection.listAllDomains():
            try:
                state, _ = domain.state()
                told = {"name": domain.name(), "uuid": domain.UUIDString(), "host": host}
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                    continue  # it was taken away meanwhile
                raise
            print(json.dumps({**told, "state": STATES.get(state, "suspended")}))
            count += 1
    except libvirt.libvirtError as error:
        sys.exit(f"{error}")
    print(json.dumps({"domains": count}))


if __name__ == "__main__":
    main(sys.argv[1])
