"""
Names for the numbers of Arm cores: the fields of the main ID register (MIDR_EL1).

Sources: the Arm architecture reference manual for implementers; the technical reference
manuals of cores and the kernel's ``cputype.h`` for parts. Names are spelled as by lscpu.
"""

from __future__ import annotations

IMPLEMENTERS = {
    0x41: "ARM",
    0x42: "Broadcom",
    0x43: "Cavium",
    0x44: "DEC",
    0x46: "Fujitsu",
    0x48: "HiSilicon",
    0x49: "Infineon",
    0x4D: "Motorola",
    0x4E: "NVIDIA",
    0x50: "Applied Micro",
    0x51: "Qualcomm",
    0x53: "Samsung",
    0x56: "Marvell",
    0x61: "Apple",
    0x66: "Faraday",
    0x69: "Intel",
    0x6D: "Microsoft",
    0x70: "Phytium",
    0xC0: "Ampere",
}


def _parts(implementer: int, *runs: str) -> dict[tuple[int, int], str]:
    """Return ``{(implementer, part): name}`` of runs such as ``"D03 Cortex-A53|Cortex-A35"``."""
    found = {}
    for run in runs:
        first, _, names = run.partition(" ")
        for number, name in enumerate(names.split("|"), int(first, 16)):
            found[implementer, number] = name
    return found


PARTS = {
    **_parts(
        0x41,
        "B02 ARM11 MPCore",
        "B36 ARM1136",
        "B56 ARM1156",
        "B76 ARM1176",
        "C05 Cortex-A5",
        "C07 Cortex-A7|Cortex-A8|Cortex-A9",
        "C0D Cortex-A17|Cortex-A17|Cortex-A15",
        "D01 Cortex-A32|Cortex-A34|Cortex-A53|Cortex-A35|Cortex-A55|Cortex-A65|Cortex-A57|"
        "Cortex-A72|Cortex-A73|Cortex-A75|Cortex-A76|Neoverse-N1|Cortex-A77|Cortex-A76AE",
        "D40 Neoverse-V1|Cortex-A78|Cortex-A78AE|Cortex-A65AE|Cortex-X1",
        "D46 Cortex-A510|Cortex-A710|Cortex-X2|Neoverse-N2|Neoverse-E1|Cortex-A78C|Cortex-X1C|"
        "Cortex-A715|Cortex-X3|Neoverse-V2",
        "D80 Cortex-A520|Cortex-A720|Cortex-X4|Neoverse-V3AE|Neoverse-V3|Cortex-X925",
        "D87 Cortex-A725|Cortex-A520AE|Cortex-A720AE|C1-Nano|C1-Pro|C1-Ultra",
        "D8E Neoverse-N3|Cortex-A320|C1-Premium",
    ),
    **_parts(0x42, "00F Brahma-B15", "100 Brahma-B53", "516 ThunderX2"),
    **_parts(
        0x43,
        "0A0 ThunderX|ThunderX|ThunderX-81XX|ThunderX-83XX",
        "0AF ThunderX2|OcteonTX2|OcteonTX2-98XX|OcteonTX2-96XX|OcteonTX2-95XX|OcteonTX2-95XXN|"
        "OcteonTX2-95XXMM|OcteonTX2-95XXO",
        "0B8 ThunderX3-T110",
    ),
    **_parts(0x44, "A10 SA110|SA1100"),
    **_parts(0x46, "001 A64FX", "003 MONAKA"),
    **_parts(0x48, "D01 TaiShan-v110|TaiShan-v120", "D40 Cortex-A76|Cortex-A77"),
    **_parts(0x4E, "000 Denver", "003 Denver 2|Carmel", "010 Olympus"),
    **_parts(0x50, "000 X-Gene"),
    **_parts(
        0x51,
        "001 Oryon",
        "00F Scorpion",
        "02D Scorpion",
        "04D Krait",
        "06F Krait",
        "201 Kryo",
        "205 Kryo",
        "211 Kryo",
        "800 Falkor-V1/Kryo|Kryo-V2|Kryo-3XX-Gold|Kryo-3XX-Silver|Kryo-4XX-Gold|Kryo-4XX-Silver",
        "C00 Falkor|Saphira",
    ),
    **_parts(0x53, "001 exynos-m1|exynos-m3|exynos-m4|exynos-m5"),
    **_parts(0x56, "131 Feroceon-88FR131", "581 PJ4/PJ4b", "584 PJ4B-MP"),
    **_parts(
        0x61,
        "020 Icestorm-A14|Firestorm-A14|Icestorm-M1|Firestorm-M1|Icestorm-M1-Pro|Firestorm-M1-Pro",
        "028 Icestorm-M1-Max|Firestorm-M1-Max",
        "030 Blizzard-A15|Avalanche-A15|Blizzard-M2|Avalanche-M2|Blizzard-M2-Pro|Avalanche-M2-Pro",
        "036 Sawtooth-A16|Everest-A16|Blizzard-M2-Max|Avalanche-M2-Max",
    ),
    **_parts(0x66, "526 FA526", "626 FA626"),
    **_parts(0x6D, "D49 Azure-Cobalt-100"),
    **_parts(0x70, "303 FTC310", "660 FTC660|FTC661|FTC662|FTC663|FTC664", "862 FTC862"),
    **_parts(0xC0, "AC3 Ampere-1|Ampere-1a|Ampere-1b"),
}
