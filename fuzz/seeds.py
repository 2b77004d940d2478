"""What fuzzing begins with: files of the corpus where there is one, and a few lines otherwise."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import demo_machine
from fuzz.targets import TARGETS

LIMIT_BYTES = 8 * 1024  # a larger text is left out
LIMIT_TABLE_BYTES = 2 * 1024  # a larger table is cut
LIMIT_FILES = 200

# Characters that look like digits, unusual ends of lines, and words that our parsers know.
DICTIONARY = "\n".join(
    f'"{word}"'
    for word in (
        *(r"\xc2\xb2", r"\xd9\xa1", r"\xc2\x85", r"\x1c", r"\x00", r"\xff", r"\x0b"),
        *("0x", "-1", "1e999", "NaN", "..", "[0x", " : ", ": ", " = ", "=", "[", "]", "{", "}"),
        *("9" * 20, "0-999999999", "null", "true", "[[[[[[[[[[[[[[[[", "18446744073709551616"),
    )
)
NUMBER = b"9" * 5000  # int() refuses so many digits

WORDS: dict[str, tuple[bytes, ...]] = {
    "mdstat": (
        b"Personalities : [raid1]\nmd0 : active raid1 sdb1[1] sda1[0](F)\n"
        b"      1048512 blocks super 1.2 [2/1] [_U]\n      [=>....]  recovery = 12.6%"
        b" (132096/1048512) finish=0.1min\nmd1 : inactive sdc[0](S)\n\nunused devices: <none>\n",
    ),
    "name_file": (
        b'{"format": 2, "asked": "2026-11-21T08:00:00.000Z", "names": [{"name": "web01",'
        b' "secret": "' + b"a" * 64 + b'", "collected_at": "2026-11-21T08:00:00.000Z"}]}',
        b"db01\nweb01\n",
    ),
    "os_release": (b'NAME="Debian GNU/Linux"\nID=debian\nPRETTY_NAME="a \\"b\\" \\$c \\\\"\n',),
    "section": (
        b'[{"serial_number": "S1", "slot": 1, "volatile": {"celsius": 31, "skipped_reason": "x"}}]',
        b'{"volatile": "x"}',
        b'[{"name": {"a": ["' + b"b" * 300 + b'"]}, "volatile": {"c": 1}}, {"wwn": [1]}]',
    ),
    "values": (
        b"0-3,8,10-11",
        b"../../devices/pci0000:3a/0000:3b:00.1/net/eno1",
        b"DEVTYPE=disk\nMAJOR=8\n",
        b"SanDisk\\x20Ultra",
        b"vg0-lv--root\nLVM-" + b"a" * 64,
        b"7615b98d:f2ba4d99:bee86202:d8e130b9",
        b"fe80000000000000025056fffec00001",
        b"03/14/2025",
        b"To be filled by O.E.M.",
        b"03000200-0400-0500-0006-000700080009",
        b"00:50:56:c0:00:08",
        b"10.0.0.1\n255.255.255.0",
    ),
    "nvidia": (b"Model: \t\t NVIDIA H100\nGPU UUID: \t GPU-1234\nVideo BIOS: \t ??.??.??\n",),
    "pci_ids": (
        b"# list\n8086  Intel Corporation\n\t1572  Ethernet Controller X710\n\t\t1028 0000  NDC\n"
        b"10de  NVIDIA\n\nC 02  Network controller\n\t00  Ethernet controller\nC 03  Display\n",
    ),
    "lldp": (
        b'{"lldp":{"interface":[{"eth0":{"via":"LLDP","age":"0 day","chassis":{"sw1":{"id":'
        b'{"type":"mac","value":"AA:BB"},"descr":"x","mgmt-ip":["10.0.0.1"]}},"port":{"id":'
        b'{"type":"ifname","value":"Gi1"}},"vlan":[{"vlan-id":"10","pvid":true,"value":"a"}]}}]}}',
        b"lldp.eth0.10.via=LLDP\nlldp.eth0.10.chassis.mac=aa:bb\nlldp.eth0.10.vlan.vlan-id=5\n"
        b"lldp.eth0.10.vlan.pvid=yes\nlldp.eth0.10.vlan=office\n",
    ),
    "lan_print": (
        b"IP Address Source       : DHCP Address\nIP Address              : 10.0.0.9\n"
        b"Subnet Mask             : 255.255.255.0\nMAC Address             : 00:11:22:33:44:55\n"
        b"802.1q VLAN ID          : 12\n",
    ),
    "metadata": (
        b'{"instanceId": "i-1", "instanceType": "m5.large", "region": "eu-1", "vmId": "x"}',
        b"Amazon EC2\nc5.large\nec2f0000-0000-0000-0000-000000000000\n"
        b"ec2f0000-0000-0000-0000-000000000000\ni-0123456789",
        b"Microsoft Corporation\nVirtual Machine\n\n\n7783-7084-3265-9085-8269-3286-77",
        b"OpenStack Foundation\nOpenStack Nova\n\n\n",
    ),
    "cpuinfo": (
        b"processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon @ 2.20GHz\nflags\t: a b\n",
        b"CPU implementer\t: 0x41\nCPU part\t: 0xd0c\nCPU variant\t: 0x3\nCPU revision\t: 1\n",
        b"processor 0: version = FF,  identification = 2,  machine = 8561\n",
    ),
    "disk_pages": (
        b"\0\x80\0\x08W0M0ABCD",
        b"\0\xb1\0\x3c\x29\x04" + bytes(58),
        b"\0\x89\x02\x38" + bytes(range(256)) * 3,
        b"\x72\x01\0\x1d\0\0\0\x0e\x09\x0c\0\0\0\0\0\x4f\0\xc2\0\x50\0",
        b"\x10\0" + b"".join(bytes((n, 3, 0, 100, 100, n, 0, 0, 0, 0, 0, 0)) for n in range(1, 31)),
        bytes(range(256)) * 2,
        b"\x2f\0\0\x08\0\0\x03\x04\x5d\x10\x20\0",
    ),
    "answers": (
        b"\0\x20\1\2\x15\2\xbf\xa2\2\0\0\1\0\0\0\0",
        b"".join(b"\0\x11" + part for part in (b"\x0a\0\0\x09", b"\2\0\0\0")) * 3,
        # A LAN channel, its six settings, and a refusal.
        b"\0\1\4|\0\x11\x0a\0\0\x09|\0\x11\1|\0\x11\xd0\x94\x66\xaa\xbb\xcc|\xc1",
        struct.pack("=IHHII", 40, 20, 0, 0, 0)
        + bytes((2, 24, 0, 0))
        + struct.pack("=IHH4sHH4s", 2, 8, 1, b"\x0a\0\0\1", 8, 2, b"\x0a\0\0\1"),
    ),
    "raid_storcli": (
        b'{"Controllers":[{"Command Status":{"Controller":0,"Status":"Success"},"Response Data":'
        b'{"Basics":{"Model":"X","Serial Number":"1"},"VD LIST":[{"DG/VD":"0/0","TYPE":"RAID1",'
        b'"State":"Optl","Size":"1.0 TB"}],"PD LIST":[{"EID:Slt":"32:0","State":"Onln"}]}}]}',
    ),
}


def corpus() -> Path | None:
    """Return the directory of captured data, as the tests find it."""
    beside = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus"
    directory = Path(os.environ.get("CMDB_CORPUS") or beside)
    return directory if directory.is_dir() else None


def write(name: str, directory: Path) -> int:
    """Write the first inputs of a target as files and return how many there are."""
    inputs = [*WORDS.get(name, ())]
    inputs += [line + NUMBER for line in {b"", *(seed.rpartition(b"1")[0] for seed in inputs)}]
    table = demo_machine.smbios("1.0", ("A2",))
    if name == "smbios":
        inputs.append(b"\x0f" + table)
    elif name == "machine":
        inputs.append(demo_machine._entry_point(table).ljust(32, b"\0") + table)
    captured = corpus()
    if captured:
        for pattern in TARGETS[name].patterns:
            files = [path for path in sorted(captured.glob(pattern)) if path.is_file()]
            for path in files[:LIMIT_FILES]:
                data = path.read_bytes()
                if name == "smbios":  # a dump has its table behind an entry point of 32 bytes
                    inputs.append(b"\x0f" + data[32:LIMIT_TABLE_BYTES])
                elif name == "machine":
                    inputs.append(data[:LIMIT_TABLE_BYTES])
                elif len(data) <= LIMIT_BYTES:
                    inputs.append(data)
    for number, data in enumerate(inputs):
        (directory / f"seed{number:03}").write_bytes(data)
    return len(inputs)
