"""
The kinds of machines and parts that a made-up fleet consists of, and its machines.

A machine is a number and what has happened to it since it was installed. Its model,
its place and the serial numbers of its parts follow from the number. Nothing here
is random: the same number is the same machine everywhere.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import NamedTuple

CHARACTERS = "0123456789ABCDEFGHJKLMNPQRSTVWXYZ"
SPREADER = 2654435761  # prime: numbers in a row become serials that look unrelated
NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")

ROLES = ("web", "db", "app", "cache", "queue", "search", "build", "store")

COMMON_FLAGS = (
    "3dnowprefetch abm adx aes aperfmperf apic arat avx avx2 bmi1 bmi2 cat_l3 cdp_l3 clflush"
    " clflushopt clwb cmov constant_tsc cpuid cqm cqm_llc cqm_mbm_local cqm_mbm_total cx16 cx8 de"
    " erms f16c fma fpu fsgsbase fsrm fxsr gfni ht ibpb ibrs invpcid lahf_lm lm mba mca mce mmx"
    " monitor movbe msr mtrr nonstop_tsc nopl nx pae pat pcid pclmulqdq pdpe1gb pge pni popcnt pse"
    " pse36 rdpid rdrand rdseed rdt_a rdtscp rep_good sep sha_ni smap smep sse sse2 sse4_1 sse4_2"
    " ssse3 stibp syscall tsc umip vaes vme vpclmulqdq x2apic xgetbv1 xsave xsavec xsaveopt xsaves"
)
INTEL_FLAGS = (
    " acpi arch_capabilities arch_perfmon art avx512_bitalg avx512_vbmi2 avx512_vnni"
    " avx512_vpopcntdq avx512bw avx512cd avx512dq avx512f avx512ifma avx512vbmi avx512vl bts dca"
    " ds_cpl dtes64 dtherm epb ept est ida la57 md_clear pbe pconfig pdcm pebs pln pts rtm ssbd tm"
    " tm2 vmx vpid xtpr"
)
AMD_FLAGS = (
    " amd_ppin clzero cpb cr8_legacy extapic hw_pstate ibs irperf misalignsse mmxext mwaitx npt"
    " nrip_save osvw overflow_recov pausefilter perfctr_core perfctr_llc perfctr_nb rdpru sev"
    " sev_es skinit sme sse4a succor svm tce topoext v_vmsave_vmload vmmcall wbnoinvd wdt"
)


class Processor(NamedTuple):
    """A kind of processor."""

    model: str
    vendor: str
    family: str
    model_number: str
    stepping: str
    cores: int
    base_mhz: int
    max_mhz: int
    l3_mib: int
    flags: tuple[str, ...]


class Dimm(NamedTuple):
    """A kind of memory module."""

    manufacturer: str
    part_number: str
    size_gib: int
    type: str
    speed_mts: int


class Disk(NamedTuple):
    """A kind of disk, with the firmwares that its maker publishes in turn."""

    model: str
    size_bytes: int
    transport: str
    serial_prefix: str
    firmwares: tuple[str, ...]
    oui: str


class Card(NamedTuple):
    """A kind of network card."""

    vendor_id: str
    device_id: str
    driver: str
    oui: str


class Model(NamedTuple):
    """A kind of machine, with the BIOSes that its maker publishes in turn."""

    manufacturer: str
    product_name: str
    board: str
    processor: Processor
    sockets: int
    dimm: Dimm
    slots: int
    modules: int
    disk: Disk
    disks: int
    card: Card
    ports: int
    gpus: int
    power_watts: int
    height_u: int
    bios_versions: tuple[str, ...]


def _flags(own: str) -> tuple[str, ...]:
    return tuple(sorted((COMMON_FLAGS + own).split()))


INTEL, AMD = ("GenuineIntel", "6"), ("AuthenticAMD", "25")
ICE_LAKE = Processor(
    "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz", *INTEL, "106", "6", 28, 2000, 3100, 42,
    _flags(INTEL_FLAGS),
)  # fmt: skip
SAPPHIRE = Processor(
    "Intel(R) Xeon(R) Platinum 8480+", *INTEL, "143", "8", 56, 2000, 3800, 105,
    _flags(INTEL_FLAGS + " amx_bf16 amx_int8 amx_tile avx512_fp16"),
)  # fmt: skip
MILAN = Processor(
    "AMD EPYC 7543 32-Core Processor", *AMD, "1", "1", 32, 2800, 3737, 256, _flags(AMD_FLAGS)
)
RDIMM_32 = Dimm("Samsung", "M393A4K40EB3-CWE", 32, "DDR4", 3200)
RDIMM_64 = Dimm("SK Hynix", "HMAA8GR7AJR4N-XN", 64, "DDR4", 3200)
RDIMM5_64 = Dimm("Micron", "MTC40F2046S1RC48BA1", 64, "DDR5", 4800)
PM9A3 = Disk(
    "SAMSUNG MZQL23T8HCLS-00A07", 3_840_755_982_336, "nvme", "S64HNE0",
    ("GDC5602Q", "GDC5902Q", "GDC5A02Q"), "002538",
)  # fmt: skip
P5510 = Disk(
    "INTEL SSDPF2KX038TZ", 3_840_755_982_336, "nvme", "PHAX", ("JCV10100", "JCV10300", "JCV10400"),
    "5cd2e4",
)  # fmt: skip
EXOS = Disk("ST16000NM004J", 16_000_900_661_248, "sas", "ZR5", ("E001", "E002", "E004"), "5000c5")
S4510 = Disk(
    "INTEL SSDSC2KB960G8", 960_197_124_096, "sata", "PHYF", ("XCV10110", "XCV10132", "XCV10142"),
    "55cd2e",
)  # fmt: skip
E810 = Card("8086", "159b", "ice", "b4:96:91")
CONNECTX6 = Card("15b3", "101f", "mlx5_core", "b8:ce:f6")
BCM57414 = Card("14e4", "16d7", "bnxt_en", "bc:97:e1")

MODELS = (
    Model("Dell Inc.", "PowerEdge R750", "0X45NX", ICE_LAKE, 2, RDIMM_32, 16, 8, PM9A3, 6,
          BCM57414, 4, 0, 1400, 2, ("1.9.2", "1.11.2", "1.13.2", "1.14.1")),
    Model("Dell Inc.", "PowerEdge R650", "0XGRT4", ICE_LAKE, 2, RDIMM_32, 16, 8, PM9A3, 4,
          E810, 4, 0, 1100, 1, ("1.9.2", "1.11.2", "1.13.2", "1.14.1")),
    Model("Dell Inc.", "PowerEdge R6525", "0DMKMC", MILAN, 2, RDIMM_64, 16, 16, P5510, 4,
          BCM57414, 4, 0, 1100, 1, ("2.8.4", "2.10.2", "2.12.4", "2.14.1")),
    Model("HPE", "ProLiant DL360 Gen10 Plus", "ProLiant DL360 Gen10 Plus", ICE_LAKE, 2, RDIMM_32,
          16, 16, S4510, 4, E810, 4, 0, 800, 1, ("U46 v1.60", "U46 v1.72", "U46 v1.84")),
    Model("HPE", "ProLiant DL385 Gen10 Plus v2", "ProLiant DL385 Gen10 Plus v2", MILAN, 2, RDIMM_64,
          16, 8, P5510, 6, CONNECTX6, 4, 0, 1000, 2, ("A42 v2.58", "A42 v2.68", "A42 v2.84")),
    Model("Lenovo", "ThinkSystem SR650 V2", "7Z72CTO1WW", ICE_LAKE, 2, RDIMM_64, 16, 8, EXOS, 12,
          CONNECTX6, 2, 0, 1100, 2, ("AFE118M-1.31", "AFE120G-1.40", "AFE126F-1.50")),
    Model("Supermicro", "SYS-421GE-TNRT", "X13DEG-OA", SAPPHIRE, 2, RDIMM5_64, 32, 32, PM9A3, 8,
          CONNECTX6, 2, 8, 2700, 4, ("1.1", "1.3", "1.4a", "2.1")),
)  # fmt: skip
"""MIX says how often each of them is in the fleet."""

VIRTUAL = ("QEMU", "OpenStack Foundation", "VMware, Inc.")
MIX = (0, 1, 0, 4, 1, 0, -1, 3, 0, 2, 1, 5, 0, -2, 3, 0, 1, 4, 2, -3, 0, 1, 3, 0, 6)
"""The models of every 25 machines in a row, by index; one below zero is a guest of VIRTUAL."""


class Module(NamedTuple):
    """One memory module."""

    kind: Dimm
    serial_number: str


class Drive(NamedTuple):
    """One disk."""

    kind: Disk
    serial_number: str
    firmware: int = 0
    is_failing: bool = False


@dataclass(slots=True)
class Machine:
    """One machine and what has happened to it: counts of updates, its parts in their places."""

    number: int
    name: str
    board: int
    """From it follow the serial number of the board, the UUID and the MACs."""
    installation: int
    """From it follows the machine-id."""
    kernel: int = 0
    bios: int = 0
    address: int = 0
    has_stick: bool = False
    modules: list[Module | None] = field(default_factory=list)
    drives: list[Drive] = field(default_factory=list)


def name(number: int) -> str:
    """Return the minion id and hostname that a machine gets when it is installed."""
    return f"{ROLES[number // 25 % len(ROLES)]}{number:06d}"


def later_names(number: int) -> list[str]:
    """Return the names that a machine may be given later, in place of its first."""
    return [f"{role}-{number:06d}" for role in ROLES]


def model_of(number: int) -> Model | None:
    """Return the model of a machine, None of a guest."""
    kind = MIX[(number - 1) % len(MIX)]
    return None if kind < 0 else MODELS[kind]


def new(number: int) -> Machine:
    """Return a machine as it is installed; numbers begin with 1."""
    machine = Machine(
        *(number, name(number), number, number), kernel=number // 3 % 3, bios=number // 5 % 2
    )
    model = model_of(number)
    if model is not None:
        machine.modules = [
            module(model.dimm, number * 64 + slot) if slot < model.modules else None
            for slot in range(model.slots)
        ]
        machine.drives = [drive(model.disk, number * 64 + bay) for bay in range(model.disks)]
    return machine


def module(kind: Dimm, number: int) -> Module:
    """Return the memory module of this kind and number."""
    return Module(kind, serial(number, 8, "0123456789ABCDEF"))


def drive(kind: Disk, number: int) -> Drive:
    """Return the disk of this kind and number."""
    return Drive(kind, kind.serial_prefix + serial(number, 7))


def serial(number: int, length: int, characters: str = CHARACTERS) -> str:
    """Return a serial number; no two numbers below len(characters) ** length share one."""
    rest = number * SPREADER % len(characters) ** length
    digits = ""
    for _ in range(length):
        rest, digit = divmod(rest, len(characters))
        digits += characters[digit]
    return digits
