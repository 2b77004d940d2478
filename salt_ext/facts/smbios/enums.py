"""
The words behind SMBIOS codes.

DSP0134 has a number and a description for every code. The short words here are
those that dmidecode prints, because people know them. A code that is not listed is
unknown, and its field is left out.
"""

from __future__ import annotations


def _words(*runs: str) -> dict[int, str]:
    """Return ``{code: word}`` of runs such as ``"A0 first|second"``: A0 is first, A1 second."""
    table: dict[int, str] = {}
    for run in runs:
        code, _, words = run.partition(" ")
        table.update(enumerate(words.split("|"), int(code, 16)))
    return table


WAKE_UP_TYPES = _words(
    "00 Reserved|Other|Unknown|APM Timer|Modem Ring|LAN Remote|Power Switch|PCI PME#|"
    "AC Power Restored",
)
BASEBOARD_TYPES = _words(
    "01 Unknown|Other|Server Blade|Connectivity Switch|System Management Module|"
    "Processor Module|I/O Module|Memory Module|Daughter Board|Motherboard|"
    "Processor+Memory Module|Processor+I/O Module|Interconnect Board",
)
CHASSIS_TYPES = _words(
    "01 Other|Unknown|Desktop|Low Profile Desktop|Pizza Box|Mini Tower|Tower|Portable|Laptop|"
    "Notebook|Hand Held|Docking Station|All In One|Sub Notebook|Space-saving|Lunch Box|"
    "Main Server Chassis|Expansion Chassis|Sub Chassis|Bus Expansion Chassis|Peripheral Chassis|"
    "RAID Chassis|Rack Mount Chassis|Sealed-case PC|Multi-system|CompactPCI|AdvancedTCA|Blade|"
    "Blade Enclosing|Tablet|Convertible|Detachable|IoT Gateway|Embedded PC|Mini PC|Stick PC",
)
PROCESSOR_TYPES = _words(
    "01 Other|Unknown|Central Processor|Math Processor|DSP Processor|Video Processor",
)
PROCESSOR_FAMILIES = _words(
    "01 Other|Unknown|8086|80286|80386|80486|8087|80287|80387|80487|Pentium|Pentium Pro|"
    "Pentium II|Pentium MMX|Celeron|Pentium II Xeon|Pentium III|M1|M2|Celeron M|Pentium 4 HT",
    "18 Duron|K5|K6|K6-2|K6-3|Athlon|AMD29000|K6-2+|Power PC|Power PC 601|Power PC 603|"
    "Power PC 603+|Power PC 604|Power PC 620|Power PC x704|Power PC 750|Core Duo|"
    "Core Duo Mobile|Core Solo Mobile|Atom|Core M|Core m3|Core m5|Core m7|Alpha|Alpha 21064|"
    "Alpha 21066|Alpha 21164|Alpha 21164PC|Alpha 21164a|Alpha 21264|Alpha 21364|"
    "Turion II Ultra Dual-Core Mobile M|Turion II Dual-Core Mobile M|Athlon II Dual-Core M|"
    "Opteron 6100|Opteron 4100|Opteron 6200|Opteron 4200|FX|MIPS|MIPS R4000|MIPS R4200|"
    "MIPS R4400|MIPS R4600|MIPS R10000|C-Series|E-Series|A-Series|G-Series|Z-Series|R-Series|"
    "Opteron 4300|Opteron 6300|Opteron 3300|FirePro|SPARC|SuperSPARC|MicroSPARC II|"
    "MicroSPARC IIep|UltraSPARC|UltraSPARC II|UltraSPARC IIi|UltraSPARC III|UltraSPARC IIIi",
    "60 68040|68xxx|68000|68010|68020|68030|Athlon X4|Opteron X1000|Opteron X2000|"
    "Opteron A-Series|Opteron X3000|Zen",
    "70 Hobbit",
    "78 Crusoe TM5000|Crusoe TM3000|Efficeon TM8000",
    "80 Weitek",
    "82 Itanium|Athlon 64|Opteron|Sempron|Turion 64|Dual-Core Opteron|Athlon 64 X2|Turion 64 X2|"
    "Quad-Core Opteron|Third-Generation Opteron|Phenom FX|Phenom X4|Phenom X2|Athlon X2|PA-RISC|"
    "PA-RISC 8500|PA-RISC 8000|PA-RISC 7300LC|PA-RISC 7200|PA-RISC 7100LC|PA-RISC 7100",
    "A0 V30|Quad-Core Xeon 3200|Dual-Core Xeon 3000|Quad-Core Xeon 5300|Dual-Core Xeon 5100|"
    "Dual-Core Xeon 5000|Dual-Core Xeon LV|Dual-Core Xeon ULV|Dual-Core Xeon 7100|"
    "Quad-Core Xeon 5400|Quad-Core Xeon|Dual-Core Xeon 5200|Dual-Core Xeon 7200|"
    "Quad-Core Xeon 7300|Quad-Core Xeon 7400|Multi-Core Xeon 7400|Pentium III Xeon|"
    "Pentium III Speedstep|Pentium 4|Xeon|AS400|Xeon MP|Athlon XP|Athlon MP|Itanium 2|Pentium M|"
    "Celeron D|Pentium D|Pentium EE|Core Solo|Core 2 or K7|Core 2 Duo|Core 2 Solo|"
    "Core 2 Extreme|Core 2 Quad|Core 2 Extreme Mobile|Core 2 Duo Mobile|Core 2 Solo Mobile|"
    "Core i7|Dual-Core Celeron|IBM390|G4|G5|ESA/390 G6|z/Architecture|Core i5|Core i3|Core i9",
    "D2 C7-M|C7-D|C7|Eden|Multi-Core Xeon|Dual-Core Xeon 3xxx|Quad-Core Xeon 3xxx|Nano|"
    "Dual-Core Xeon 5xxx|Quad-Core Xeon 5xxx",
    "DD Dual-Core Xeon 7xxx|Quad-Core Xeon 7xxx|Multi-Core Xeon 7xxx|Multi-Core Xeon 3400",
    "E4 Opteron 3000|Sempron II|Embedded Opteron Quad-Core|Phenom Triple-Core|"
    "Turion Ultra Dual-Core Mobile|Turion Dual-Core Mobile|Athlon Dual-Core|Sempron SI|"
    "Phenom II|Athlon II|Six-Core Opteron|Sempron M",
    "FA i860|i960",
    "100 ARMv7|ARMv8|ARMv9|ARM|SH-3|SH-4",
    "118 ARM|StrongARM",
    "12C 6x86|MediaGX|MII",
    "140 WinChip",
    "15E DSP",
    "1F4 Video Processor",
    "200 RV32|RV64|RV128",
    "258 LoongArch|Loongson 1|Loongson 2|Loongson 3|Loongson 2K|Loongson 3A|Loongson 3B|"
    "Loongson 3C|Loongson 3D|Loongson 3E|Dual-Core Loongson 2K 2xxx",
    "26C Quad-Core Loongson 3A 5xxx|Multi-Core Loongson 3A 5xxx|Quad-Core Loongson 3B 5xxx|"
    "Multi-Core Loongson 3B 5xxx|Multi-Core Loongson 3C 5xxx|Multi-Core Loongson 3D 5xxx",
)
# Code 24h is LGA1155 in the specification, but dmidecode has always printed BGA1155.
PROCESSOR_UPGRADES = _words(
    "01 Other|Unknown|Daughter Board|ZIF Socket|Replaceable Piggy Back|None|LIF Socket|Slot 1|"
    "Slot 2|370-pin Socket|Slot A|Slot M|Socket 423|Socket A (Socket 462)|Socket 478|Socket 754|"
    "Socket 940|Socket 939|Socket mPGA604|Socket LGA771|Socket LGA775|Socket S1|Socket AM2|"
    "Socket F (1207)|Socket LGA1366|Socket G34|Socket AM3|Socket C32|Socket LGA1156|"
    "Socket LGA1567|Socket PGA988A|Socket BGA1288|Socket rPGA988B|Socket BGA1023|Socket BGA1224|"
    "Socket BGA1155|Socket LGA1356|Socket LGA2011|Socket FS1|Socket FS2|Socket FM1|Socket FM2|"
    "Socket LGA2011-3|Socket LGA1356-3|Socket LGA1150|Socket BGA1168|Socket BGA1234|"
    "Socket BGA1364|Socket AM4|Socket LGA1151|Socket BGA1356|Socket BGA1440|Socket BGA1515|"
    "Socket LGA3647-1|Socket SP3|Socket SP3r2|Socket LGA2066|Socket BGA1392|Socket BGA1510|"
    "Socket BGA1528|Socket LGA4189|Socket LGA1200|Socket LGA4677|Socket LGA1700|Socket BGA1744|"
    "Socket BGA1781|Socket BGA1211|Socket BGA2422|Socket LGA1211|Socket LGA2422|Socket LGA5773|"
    "Socket BGA5773|Socket AM5|Socket SP5|Socket SP6|Socket BGA883|Socket BGA1190|"
    "Socket BGA4129|Socket LGA4710|Socket LGA7529",
)
SLOT_TYPES = _words(
    "01 Other|Unknown|ISA|MCA|EISA|PCI|PC Card (PCMCIA)|VLB|Proprietary|Processor Card|"
    "Proprietary Memory Card|I/O Riser Card|NuBus|PCI-66|AGP|AGP 2x|AGP 4x|PCI-X|AGP 8x|"
    "M.2 Socket 1-DP|M.2 Socket 1-SD|M.2 Socket 2|M.2 Socket 3|MXM Type I|MXM Type II|"
    "MXM Type III|MXM Type III-HE|MXM Type IV|MXM 3.0 Type A|MXM 3.0 Type B|"
    "PCI Express 2 SFF-8639 (U.2)|PCI Express 3 SFF-8639 (U.2)|"
    "PCI Express Mini 52-pin with bottom-side keep-outs|"
    "PCI Express Mini 52-pin without bottom-side keep-outs|PCI Express Mini 76-pin|"
    "PCI Express 4 SFF-8639 (U.2)|PCI Express 5 SFF-8639 (U.2)|"
    "OCP NIC 3.0 Small Form Factor (SFF)|OCP NIC 3.0 Large Form Factor (LFF)|OCP NIC Prior to 3.0",
    "30 CXL FLexbus 1.0",
    "A0 PC-98/C20|PC-98/C24|PC-98/E|PC-98/Local Bus|PC-98/Card|PCI Express|PCI Express x1|"
    "PCI Express x2|PCI Express x4|PCI Express x8|PCI Express x16|PCI Express 2|"
    "PCI Express 2 x1|PCI Express 2 x2|PCI Express 2 x4|PCI Express 2 x8|PCI Express 2 x16|"
    "PCI Express 3|PCI Express 3 x1|PCI Express 3 x2|PCI Express 3 x4|PCI Express 3 x8|"
    "PCI Express 3 x16",
    "B8 PCI Express 4|PCI Express 4 x1|PCI Express 4 x2|PCI Express 4 x4|PCI Express 4 x8|"
    "PCI Express 4 x16|PCI Express 5|PCI Express 5 x1|PCI Express 5 x2|PCI Express 5 x4|"
    "PCI Express 5 x8|PCI Express 5 x16|PCI Express 6+|EDSFF E1|EDSFF E3",
)
SLOT_USAGES = _words(
    "01 Other|Unknown|Available|In Use|Unavailable",
)
SLOT_LENGTHS = _words(
    '01 Other|Unknown|Short|Long|2.5" drive form factor|3.5" drive form factor',
)
MEMORY_ARRAY_LOCATIONS = _words(
    "01 Other|Unknown|System Board Or Motherboard|ISA Add-on Card|EISA Add-on Card|"
    "PCI Add-on Card|MCA Add-on Card|PCMCIA Add-on Card|Proprietary Add-on Card|NuBus",
    "A0 PC-98/C20 Add-on Card|PC-98/C24 Add-on Card|PC-98/E Add-on Card|"
    "PC-98/Local Bus Add-on Card|CXL Flexbus 1.0",
)
MEMORY_ARRAY_USES = _words(
    "01 Other|Unknown|System Memory|Video Memory|Flash Memory|Non-volatile RAM|Cache Memory",
)
MEMORY_ERROR_CORRECTIONS = _words(
    "01 Other|Unknown|None|Parity|Single-bit ECC|Multi-bit ECC|CRC",
)
MEMORY_FORM_FACTORS = _words(
    "01 Other|Unknown|SIMM|SIP|Chip|DIP|ZIP|Proprietary Card|DIMM|TSOP|Row Of Chips|RIMM|SODIMM|"
    "SRIMM|FB-DIMM|Die",
)
MEMORY_TYPES = _words(
    "01 Other|Unknown|DRAM|EDRAM|VRAM|SRAM|RAM|ROM|Flash|EEPROM|FEPROM|EPROM|CDRAM|3DRAM|SDRAM|"
    "SGRAM|RDRAM|DDR|DDR2|DDR2 FB-DIMM|Reserved|Reserved|Reserved|DDR3|FBD2|DDR4|LPDDR|LPDDR2|"
    "LPDDR3|LPDDR4|Logical non-volatile device|HBM|HBM2|DDR5|LPDDR5|HBM3",
)
MEMORY_TECHNOLOGIES = _words(
    "01 Other|Unknown|DRAM|NVDIMM-N|NVDIMM-F|NVDIMM-P|Intel Optane persistent memory|MRDIMM",
)
IPMI_INTERFACES = _words(
    "00 Unknown|KCS (Keyboard Control Style)|SMIC (Server Management Interface Chip)|"
    "BT (Block Transfer)|SSIF (SMBus System Interface)",
)
ONBOARD_DEVICE_TYPES = _words(
    "01 Other|Unknown|Video|SCSI Controller|Ethernet|Token Ring|Sound|PATA Controller|"
    "SATA Controller|SAS Controller|Wireless LAN|Bluetooth|WWAN|eMMC|NVMe Controller|"
    "UFS Controller",
)
# The four-letter names in the TCG's vendor id registry; only the order of these can be mistaken.
TPM_VENDORS = frozenset(
    _words("0 ATML|BRCM|CSCO|FLYS|GOOG|INTC|MSFT|NVDA|QCOM|ROCC|SECE|SIMN|SMSC|SMSN").values()
)
POWER_SUPPLY_STATUSES = _words("01 Other|Unknown|OK|Non-critical|Critical")
PROCESSOR_STATUSES = _words("00 Unknown|Enabled|Disabled By User|Disabled By BIOS|Idle", "07 Other")
SLOT_WIDTHS = _words("03 8-bit|16-bit|32-bit|64-bit|128-bit|x1|x2|x4|x8|x12|x16|x32")
MEMORY_TYPE_DETAILS = (  # bits 1 to 15
    "Other",
    "Unknown",
    "Fast-paged",
    "Static Column",
    "Pseudo-static",
    "RAMBus",
    "Synchronous",
    "CMOS",
    "EDO",
    "Window DRAM",
    "Cache DRAM",
    "Non-Volatile",
    "Registered (Buffered)",
    "Unbuffered (Unregistered)",
    "LRDIMM",
)
