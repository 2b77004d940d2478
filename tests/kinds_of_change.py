"""Two documents of a machine that differ by one change, and the class of it."""

from tests.machines import dimm

EMPTY = {"locator": "A2", "present": False}
DISK = {"name": "sda", "model": "PM9A3", "serial_number": "S64F000001", "size_bytes": 960 << 30}
SMART = {"name": "sda", "serial_number": "S64F000001", "passed": True}
NIC = {"name": "eth0", "kind": "physical", "permanent_mac": "52:54:00:00:00:07", "mtu": 1500}
MEMBER = {"controller": "megaraid:0", "enclosure": "252", "slot": "3", "serial_number": "WD1"}
SUPPLY = {"location": "PSU1", "serial_number": "CN123", "max_power_watts": 800}


def memory(*devices, installed=None):
    sums = {"installed_bytes": installed << 30} if installed else {}
    return {"memory": {"devices": list(devices), **sums}}


KINDS = {
    "a disk that is gone": ({"disks": [DISK]}, {"disks": []}, "loss"),
    "a power supply that is gone": (
        {"power_supplies": [SUPPLY]},
        {"power_supplies": []},
        "loss",
    ),
    "a card that is gone": ({"network": [NIC]}, {"network": []}, "loss"),
    "a disk behind a controller": (
        {"raid": {"members": [MEMBER]}},
        {"raid": {"members": []}},
        "loss",
    ),
    "a disk that shrank": ({"disks": [DISK]}, {"disks": [{**DISK, "size_bytes": 5}]}, "loss"),
    "a processor with fewer cores": (
        {"processors": {"cores": 64}},
        {"processors": {"cores": 32}},
        "loss",
    ),
    "a processor with more cores": (
        {"processors": {"cores": 32}},
        {"processors": {"cores": 64}},
        "added",
    ),
    "memory that is less, of which the modules are not known": (
        memory(installed=64),
        memory(installed=32),
        "loss",
    ),
    "a disk that came": ({"disks": []}, {"disks": [DISK]}, "added"),
    "a supply in the place of another": (
        {"power_supplies": [SUPPLY]},
        {"power_supplies": [{**SUPPLY, "serial_number": "CN999"}]},
        "replaced",
    ),
    "a module in the place of a larger one": (
        memory(dimm("A1", "4F01", 64)),
        memory(dimm("A1", "4F02", 32)),
        "loss",
    ),
    "firmware of a disk": (
        {"disks": [{**DISK, "firmware_version": "1"}]},
        {"disks": [{**DISK, "firmware_version": "2"}]},
        "firmware",
    ),
    "the BIOS": ({"firmware": {"version": "1"}}, {"firmware": {"version": "2"}}, "firmware"),
    "microcode": (
        {"processors": {"microcode": "0x1"}},
        {"processors": {"microcode": "0x2"}},
        "firmware",
    ),
    "a module in another slot": (
        memory(dimm("A1", "4F01")),
        memory(dimm("A2", "4F01")),
        "moved",
    ),
    "another host name": (
        {"operating_system": {"hostname": "a"}},
        {"operating_system": {"hostname": "b"}},
        "renamed",
    ),
    "another kernel": (
        {"operating_system": {"kernel_release": "5"}},
        {"operating_system": {"kernel_release": "6"}},
        "software",
    ),
    "an address": (
        {"network": [NIC]},
        {"network": [{**NIC, "addresses": ["10.0.0.1/24"]}]},
        "software",
    ),
    "a bond that is gone": (
        {"network": [{"name": "bond0", "kind": "bond"}]},
        {"network": []},
        "software",
    ),
    "a mitigation of the kernel": (
        {"processors": {"vulnerabilities": {"mds": "Vulnerable"}}},
        {"processors": {"vulnerabilities": {"mds": "Mitigation"}}},
        "software",
    ),
    "a member of a software array": (
        {"raid": {"members": [{"name": "sda1", "raid_device": "0"}]}},
        {"raid": {"members": []}},
        "other",
    ),
    "a stick in a port": (
        {"usb": []},
        {"usb": [{"location": "port 1", "serial_number": "STICK1"}]},
        "other",
    ),
    "a speed": (
        {"processors": {"max_mhz": 3900}},
        {"processors": {"max_mhz": 3200}},
        "other",
    ),
    "an empty slot more": (memory(dimm("A1", "4F01")), memory(dimm("A1", "4F01"), EMPTY), "other"),
    "a disk that is sdb now": (
        {"disks": [DISK]},
        {"disks": [{**DISK, "name": "sdb"}]},
        "device_name",
    ),
    "a section that was not told before": ({}, {"tpm": {"version_major": "2"}}, "other"),
    "an empty section": ({}, {"tpm": {}}, None),
}
