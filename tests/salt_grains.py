"""Salt's own grains of a machine, spelled as Salt spells what it sees, not as our collectors do."""

from salt_ext.report import core_grains

GHOSTS = {"docker0": "02:42:ac:11:00:02"}
"""An interface that our collectors do not list on a machine without containers."""


def core(facts, **more):
    """The core grains of the machine of these facts."""
    system, machine = facts["operating_system"], facts["system"]
    cards = {one["name"]: one for one in facts["network"]}
    disks = [one["name"] for one in facts["disks"]]
    name, version = (system.get("pretty_name") or "Linux 1").rsplit(" ", 1)
    return {
        "host": system["hostname"],
        "manufacturer": machine["manufacturer"].upper(),
        "productname": f"{machine['product_name']} ",
        "serialnumber": machine.get("serial_number", ""),
        "uuid": machine.get("uuid", "").lower(),
        "biosversion": facts["firmware"].get("version", ""),
        "biosreleasedate": "04/01/2024",
        "mem_total": facts["memory"].get("installed_bytes", 1 << 34) // (1 << 20) * 63 // 64,
        "num_cpus": facts["processors"].get("threads", 1),
        "cpu_model": f"{facts['processors'].get('model')}   @ 2.00GHz",
        "osfullname": name,
        "osrelease": version,
        "kernelrelease": system.get("kernel_release"),
        "cpuarch": "x86_64",
        "virtual": "physical" if facts["virtual"].get("role") != "guest" else "kvm",
        "machine_id": system["machine_id"],
        "hwaddr_interfaces": {
            "lo": "00:00:00:00:00:00",
            **{name: one["mac"] for name, one in cards.items() if one.get("mac")},
            **GHOSTS,
        },
        "ip_interfaces": {
            "lo": ["127.0.0.1"],
            **{
                name: [one.partition("/")[0] for one in card.get("addresses", ())]
                for name, card in cards.items()
            },
        },
        "ssds": [f"{one}n1" for one in disks],
        "disks": ["dm-0"],
        **more,
    }


def report(facts, minion_id, at, **more):
    """The report that the master makes of the core grains that it got at a moment."""
    return core_grains.report(core_grains.used(core(facts, **more)), minion_id, at.timestamp())
