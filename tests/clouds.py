"""A cloud that tests make up, and the machines that are its instances."""

import json
import uuid

from salt_ext.clouds.instance import Instance
from tests.machines import server

PATH = "tests.clouds.instances"
PROJECT = "5c2f0d3e9b8a4f6f8f0a1b2c3d4e5f60"


def instances(options):
    """The driver: what a file has, one instance a line; a line with ``fail`` breaks off."""
    with open(options["file"], encoding="utf-8") as file:
        for line in file:
            told = json.loads(line)
            if "fail" in told:
                raise OSError(told["fail"])
            yield Instance(**told)


def instance(number, **values):
    one = uuid_of(number)
    told = {"id": one, "name": f"vm{number:02d}", "state": "running", "uuid": one}
    told |= {"provider": "openstack", "project": PROJECT, "host": "compute1", "flavor": "m1"}
    return {**told, **values}


def uuid_of(number):
    return str(uuid.UUID(int=0x8D1C5A7F3B9E4C20A6D70F1E2B3C0000 + number))


def guest(number, shown=None, account=PROJECT, **sections):
    """The facts of an instance of OpenStack, which shows this UUID; of another one with none."""
    shown = uuid_of(number) if shown is None else shown
    facts = server(number, **sections)
    maker = {"manufacturer": "OpenStack Foundation", "product_name": "OpenStack Nova"}
    facts["system"] |= {**maker, "serial_number": shown, "uuid": shown}
    facts["baseboards"] = facts["chassis"] = []
    place = {"provider": "openstack", "instance_id": shown, "instance_type": None}
    facts["virtual"] = {"role": "guest", "hypervisor": "kvm", "evidence": ["x"], "cloud": place}
    if account:
        facts["cloud"] = {"provider": "openstack", "instance_id": shown, "account_id": account}
    return facts


class Cloud:
    """The file that the driver reads, and the setting that names it."""

    def __init__(self, path):
        self.path = path
        self.setting = {"prod": {"driver": PATH, "file": str(path)}}

    def has(self, *told):
        self.path.write_text("".join(json.dumps(one) + "\n" for one in told))
