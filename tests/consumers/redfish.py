"""
BMCs that are not there: the ``sushy-emulator`` of OpenStack over TLS, on a port of 127.0.0.1.

Its machines have power and a device to boot from. It shows each override of the boot as
``Continuous``, whatever it was told; what it was told is in the log of its requests.
"""

import contextlib
import re
import subprocess
import time

import requests

from tests.consumers.obtained import environment, run
from tests.patience import PATIENCE_SECONDS
from tests.postgres import free_port

USER, PASSWORD = "cmdb", "a-password-of-bmcs"


class Bmc:
    """An emulator that runs, and who looks at its machines as an administrator."""

    def __init__(self, port, certificate, log):
        """Take the port; nothing is asked yet."""
        self.port = port
        self.log = log
        self._certificate = certificate

    @property
    def settings(self):
        """What a master's configuration says of it."""
        files = {"ca_file": str(self._certificate)}
        return {"user": USER, "password": PASSWORD, "port": self.port, **files}

    def get(self, path):
        """Return what it has at a path."""
        url = f"https://127.0.0.1:{self.port}{path}"
        answer = requests.get(url, auth=(USER, PASSWORD), verify=str(self._certificate), timeout=60)
        answer.raise_for_status()
        return answer.json()

    def boot_from_disk(self, uuid):
        """Let a machine boot from its disk again."""
        url = f"https://127.0.0.1:{self.port}/redfish/v1/Systems/{uuid}"
        body = {"Boot": {"BootSourceOverrideEnabled": "Once", "BootSourceOverrideTarget": "Hdd"}}
        auth, verify = (USER, PASSWORD), str(self._certificate)
        requests.patch(url, json=body, auth=auth, verify=verify, timeout=60).raise_for_status()

    def boots_from(self, uuid):
        """Return the device from which a machine boots next."""
        return self.get(f"/redfish/v1/Systems/{uuid}")["Boot"]["BootSourceOverrideTarget"]

    def orders(self):
        """Return what it was told to do, in order."""
        return re.findall(r"(?:PATCH|POST|PUT|DELETE) /\S+", self.log.read_text())


@contextlib.contextmanager
def emulated(folder, certificate, *uuids):
    """Yield a BMC with machines of these UUIDs, which are on, while it runs."""
    programs = environment("sushy", "sushy-tools==2.2.*")
    secret = f"import bcrypt; print(bcrypt.hashpw(b'{PASSWORD}', bcrypt.gensalt(4)).decode())"
    hashed = run(programs / "python", "-c", secret).stdout.strip()
    (folder / "users").write_text(f"{USER}:{hashed}\n")
    (folder / "state").mkdir()
    systems = [{"uuid": uuid, "name": uuid[:8], "power_state": "On", "nics": []} for uuid in uuids]
    options = {
        "SUSHY_EMULATOR_STATE_DIR": str(folder / "state"),
        "SUSHY_EMULATOR_AUTH_FILE": str(folder / "users"),
        "SUSHY_EMULATOR_FAKE_SYSTEMS": systems,
    }
    file = folder / "sushy.conf"
    file.write_text("".join(f"{name} = {value!r}\n" for name, value in options.items()))
    port = free_port()
    command = [programs / "sushy-emulator", "--fake", "-i", "127.0.0.1", "-p", str(port)]
    command += ["--config", file, "--ssl-certificate", certificate, "--ssl-key", certificate]
    bmc = Bmc(port, certificate, folder / "requests")
    with bmc.log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            end = time.monotonic() + PATIENCE_SECONDS
            while not _answers(bmc):
                assert process.poll() is None, bmc.log.read_text()
                assert time.monotonic() < end, bmc.log.read_text()
                time.sleep(0.1)
            yield bmc
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def _answers(bmc):
    with contextlib.suppress(requests.ConnectionError):
        return bmc.get("/redfish/v1/Systems")
    return None
