"""
Whether the machine is a guest, of which hypervisor, and in which cloud.

Every sign that was seen is listed as evidence, because signs can contradict
each other: a guest may have the DMI strings of its host's maker, and a cloud
also rents out whole machines. The metadata service is not asked here.
"""

from __future__ import annotations

from salt_ext.document.placeholders import uuid_spellings
from salt_ext.facts import cpuinfo

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from salt_ext.facts.root import Root

DMI = "/sys/class/dmi/id"
DMI_FIELDS = (
    "sys_vendor",
    "product_name",
    "product_version",
    "product_serial",
    "product_uuid",
    "board_vendor",
    "board_asset_tag",
    "bios_vendor",
    "chassis_vendor",
    "chassis_asset_tag",
)
TREE = "/proc/device-tree"
CLOCKS = "/sys/devices/system/clocksource/clocksource0/available_clocksource"

VIRTUAL_MACHINE = 0x10  # in the second extension of the characteristics of firmware
XEN_FIRST_DOMAIN = 11  # XENFEAT_dom0, the number of a bit
CLASS_OF_HYPERV = "/sys/class/misc"  # where its root partition, which starts the guests, has mshv
FIRST_PID_NAMESPACE = "pid:[4026531836]"  # PROC_PID_INIT_INO of the kernel

NAMED_IN_DMI = (
    # (the words with which a DMI string begins, the hypervisor), specific before general ones
    ("amazon ec2", "amazon"),
    ("google compute engine", "google"),
    ("alibaba cloud ecs", "kvm"),
    ("vmware", "vmware"),
    ("vmw", "vmware"),
    ("virtualbox", "virtualbox"),
    ("innotek gmbh", "virtualbox"),
    ("parallels", "parallels"),
    ("xen", "xen"),
    ("hvm domu", "xen"),
    ("bhyve", "bhyve"),
    ("smartdc hvm", "bhyve"),
    ("hyper-v", "hyperv"),
    ("apple virtual machine", "apple"),
    ("apple virtualization", "apple"),
    ("acrn", "acrn"),
    ("cloud hypervisor", "cloud-hypervisor"),
    ("ahv", "ahv"),  # Nutanix also makes whole machines, so its name alone says nothing
    ("ovirt", "kvm"),
    ("rhev", "kvm"),
    ("openstack", "kvm"),
    ("kubevirt", "kvm"),
    ("kvm", "kvm"),
    ("qemu", "qemu"),
    ("bochs", "qemu"),
)
NAMING_FIELDS = ("sys_vendor", "product_name", "product_version", "board_vendor", "bios_vendor")

ACPI_OEMS = {
    "FIRECK": "firecracker",
    "CLOUDH": "cloud-hypervisor",
    "BOCHS": "qemu",
    "VBOX": "virtualbox",
    "VRTUAL": "hyperv",
    "AMAZON": "amazon",
    "BHYVE": "bhyve",
    "PRLS": "parallels",
    "Xen": "xen",
}
CLOCK_SOURCES = {"kvm-clock": "kvm", "xen": "xen", "hyperv_clocksource_tsc_page": "hyperv"}
EMULATED = ("linux,dummy-virt", "IBM pSeries (emulated", "riscv-virtio", "qemu,")
GENERAL = ("kvm", "qemu")
"""Hypervisors on which most other products are built: any other name says more."""

RENT_MACHINES = ("alibaba", "azure", "ec2", "gce", "oracle", "tencent")
"""Clouds of which a whole machine may have the same DMI strings as a guest."""

VENDORS = {
    "akamai": "akamai",
    "amazon ec2": "ec2",
    "cloudsigma": "cloudsigma",
    "digitalocean": "digitalocean",
    "e24cloud": "e24cloud",
    "exoscale": "exoscale",
    "hetzner": "hetzner",
    "linode": "akamai",
    "nwcs": "nwcs",
    "scaleway": "scaleway",
    "tencent cloud": "tencent",
    "tilaa": "tilaa",
    "upcloud": "upcloud",
    "vultr": "vultr",
}
PRODUCTS = {
    "alibaba cloud ecs": "alibaba",
    "cloudcix": "cloudcix",
    "cloudsigma": "cloudsigma",
    "exoscale compute platform": "exoscale",
    "google compute engine": "gce",
    "openstack compute": "openstack",
    "openstack nova": "openstack",
}
PRODUCT_BEGINNINGS = {
    "cloudstack": "cloudstack",
    "exoscale": "exoscale",
    "smartdc": "smartos",
    "joyent": "smartos",
}
CHASSIS_TAGS = {
    "7783-7084-3265-9085-8269-3286-77": "azure",
    "huaweicloud": "openstack",
    "openstack compute": "openstack",
    "openstack nova": "openstack",
    "opentelekomcloud": "openstack",
    "oraclecloud.com": "oracle",
    "samsung cloud platform": "openstack",
    "sap ccloud vm": "openstack",
}
SERIAL_IS_INSTANCE = ("akamai", "alibaba", "brightbox", "digitalocean", "hetzner", "vultr")
UUID_IS_INSTANCE = ("nwcs", "openstack", "tencent", "upcloud", "zstack")


def virtual(root: Root) -> dict[str, Any]:
    """Return the role (guest, host or none), hypervisor, evidence, container and cloud."""
    dmi = _dmi(root)
    processor = cpuinfo.describe(root.once(cpuinfo.read))
    flags = processor["flags"]
    # All x86 processors have "fpu"; without it there is no flag that would tell.
    is_bare = "fpu" in flags and "hypervisor" not in flags
    place = cloud(dmi, is_efi=root.exists("/sys/firmware/efi"), xen_uuid=_xen_uuid(root))
    rents_machines = place is not None and place["provider"] in RENT_MACHINES
    signs = _signs(root, dmi, processor)
    if place and not (rents_machines or is_bare):
        signs.append((None, f"DMI names the cloud {place['provider']}"))
    names = [name for name, _ in signs if name]
    name = next((name for name in names if name not in GENERAL), next(iter(names), None))
    if own := _is_host_of(root):
        # It shows all signs of a guest. But its DMI is that of the hardware, or, where the
        # whole hypervisor is a guest, that of the hypervisor below.
        outer = hypervisor_in_dmi(dmi)
        role, name = ("guest", outer[0]) if outer else ("host", own)
    elif is_metal(dmi) or (rents_machines and is_bare):
        role = "none"
    else:
        role = "guest" if signs else "none"
    return {
        "role": role,
        "hypervisor": None if role == "none" else name or "unknown",
        "evidence": [sign for _, sign in signs],
        "container": _container(root),
        "cloud": place,
    }


def _dmi(root: Root) -> dict[str, str]:
    """Return DMI strings by the names of the kernel's files, without files from the tables."""
    found = {name: text for name in DMI_FIELDS if (text := root.text(f"{DMI}/{name}", 256))}
    if found:
        return found
    # Imported here, because machines that have DMI have its files, but for some captured trees.
    from salt_ext.facts import smbios
    from salt_ext.facts import system as records

    if not root.once(smbios.tables).structures:
        return {}
    for record, names in (
        ([records.system(root)], records.SYSTEM_FILES),
        (records.baseboards(root), records.BASEBOARD_FILES),
        (records.chassis(root), records.CHASSIS_FILES),
        ([records.firmware(root)], records.FIRMWARE_FILES),
    ):
        first = next(iter(record or ()), None) or {}
        found |= {file: first[name] for name, file in names.items() if first.get(name)}
    return {name: text for name, text in found.items() if name in DMI_FIELDS}


def hypervisor_in_dmi(dmi: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the hypervisor that DMI strings name and the field that names it, or None."""
    vendor, product = dmi.get("sys_vendor", "").lower(), dmi.get("product_name", "").lower()
    if vendor.startswith("microsoft") and product == "virtual machine":
        return "hyperv", "product_name"
    for beginning, name in NAMED_IN_DMI:
        for field in NAMING_FIELDS:
            text = dmi.get(field, "").lower()
            # "Xen" and "Xen 4.17", but not "Xenon Systems".
            if text.startswith(beginning) and not text[len(beginning) :][:1].isalpha():
                return name, field
    return None


def is_metal(dmi: Mapping[str, str]) -> bool:
    """Whether a cloud says that it rents out this machine as a whole."""
    return ".metal" in dmi.get("product_name", "")


def cloud(dmi: Mapping[str, str], is_efi: bool, xen_uuid: str | None) -> dict[str, Any] | None:
    """Return the provider that DMI strings name, and the instance's id and type; None without."""
    uuid = dmi.get("product_uuid", "").lower()
    provider = _provider(dmi, uuid, xen_uuid)
    if provider is None:
        return None
    serial = dmi.get("product_serial")
    instance = None
    if provider == "ec2":
        tag = dmi.get("board_asset_tag", "")
        instance = tag if tag.startswith("i-") else None
    elif provider == "azure" and uuid:
        # Azure's first generation of machines, which has no EFI, swaps the bytes.
        instance = uuid if is_efi else uuid_spellings(uuid)[1]
    elif provider == "gce":
        instance = None  # only the metadata service knows the number
    elif provider in SERIAL_IS_INSTANCE:
        instance = serial
    elif provider in UUID_IS_INSTANCE:
        instance = uuid or None
    kind = dmi.get("product_name") if dmi.get("sys_vendor") == "Amazon EC2" else None
    return {"provider": provider, "instance_id": instance, "instance_type": kind}


def _provider(dmi: Mapping[str, str], uuid: str, xen_uuid: str | None) -> str | None:
    vendor = dmi.get("sys_vendor", "").lower()
    product = dmi.get("product_name", "").lower()
    tag = dmi.get("chassis_asset_tag", "").lower()
    serial = dmi.get("product_serial", "").lower()
    if found := VENDORS.get(vendor) or PRODUCTS.get(product) or CHASSIS_TAGS.get(tag):
        return found
    if vendor == "3ds outscale" and product.startswith("3ds outscale vm"):
        return "outscale"
    for beginning, provider in PRODUCT_BEGINNINGS.items():
        if product.startswith(beginning):
            return provider
    if tag.endswith(".zstack.io"):
        return "zstack"
    if serial.endswith(".brightbox.com"):
        return "brightbox"
    if serial.startswith("googlecloud-"):
        return "gce"
    # Amazon's Xen guests have no other sign than a UUID that begins with "ec2". The UUID
    # of another maker's machine may begin so too, so the vendor must not be another one.
    is_amazon = not vendor or "xen" in vendor or "amazon" in vendor
    spellings = (uuid, uuid_spellings(uuid)[1], (xen_uuid or "").lower())
    if is_amazon and any(spelling.startswith("ec2") for spelling in spellings):
        return "ec2"
    return None


def _signs(
    root: Root, dmi: Mapping[str, str], processor: Mapping[str, Any]
) -> list[tuple[str | None, str]]:
    """Return (hypervisor or None, what was seen) for each sign that the machine is a guest."""
    found: list[tuple[str | None, str]] = []
    if named := hypervisor_in_dmi(dmi):
        name, field = named
        found.append((name, f"DMI {field} is {dmi[field]}"))
    oem = (root.data("/sys/firmware/acpi/tables/FACP", 16) or b"")[10:16]
    oem_id = oem.decode("ascii", "replace").strip("\0 ")
    if oem_id in ACPI_OEMS:
        found.append((ACPI_OEMS[oem_id], f"ACPI OEM id is {oem_id}"))
    if kind := root.text("/sys/hypervisor/type", 64):
        found.append((kind, f"/sys/hypervisor/type is {kind}"))
    found += _device_tree_signs(root)
    found += _sysinfo_signs(root)
    for clock in (root.text(CLOCKS, 256) or "").split():
        if clock in CLOCK_SOURCES:
            found.append((CLOCK_SOURCES[clock], f"a clock source is {clock}"))
    if processor["vendor"] == "User Mode Linux":
        found.append(("uml", "the processor is User Mode Linux"))
    if "hypervisor" in processor["flags"]:
        found.append((None, "the processor has the flag hypervisor"))
    if "fpu" not in processor["flags"] and _says_virtual(root):
        found.append((None, "SMBIOS describes a virtual machine"))
    return found


def _says_virtual(root: Root) -> bool:
    """
    Whether firmware says that its machine is a virtual one (DSP0134, type 0, extension 2).

    Asked only where no flag of the processor tells it: some boards say so by mistake.
    """
    from salt_ext.facts import smbios
    from salt_ext.facts.smbios import fields

    firmware = root.once(smbios.tables).of(fields.BIOS)
    return any((item.byte(0x13) or 0) & VIRTUAL_MACHINE for item in firmware[:1])


def _device_tree_signs(root: Root) -> list[tuple[str | None, str]]:
    compatible = root.text(f"{TREE}/hypervisor/compatible", 256)
    if compatible:
        first = compatible.partition("\0")[0]
        name = {"linux,kvm": "kvm", "vmware": "vmware"}.get(first, first.partition(",")[0])
        return [(name, f"the device tree's hypervisor is {first}")]
    if root.exists(f"{TREE}/ibm,partition-name") and root.exists(f"{TREE}/hmc-managed?"):
        return [("powervm", "the device tree has a partition managed by an HMC")]
    for file in ("model", "compatible"):
        if (root.text(f"{TREE}/{file}", 256) or "").startswith(EMULATED):
            return [("qemu", f"the device tree's {file} is one of QEMU")]
    if any(name.startswith("fw-cfg") for name in root.names(TREE)):
        return [("qemu", "the device tree has QEMU's fw-cfg")]
    return []


def _sysinfo_signs(root: Root) -> list[tuple[str | None, str]]:
    """Return the signs of an s390 guest; a logical partition counts as a machine, not a guest."""
    for line in (root.text("/proc/sysinfo") or "").splitlines():
        if line.startswith("VM00 Control Program:"):
            program = line.partition(":")[2].strip()
            name = "kvm" if program.startswith("KVM") else "zvm"
            return [(name, f"the control program is {program}")]
    return []


def _container(root: Root) -> str | None:
    """
    Return the kind of container that this process runs in, by systemd's names, or None.

    A machine whose disk was made from a container image has the image's marker
    files too. But its processes are in the first PID namespace of the kernel.
    """
    namespace = root.link("/proc/self/ns/pid") or root.link("/proc/1/ns/pid")
    if namespace == FIRST_PID_NAMESPACE:
        return None
    # Imported here, because most machines do not need it.
    from salt_ext.facts.container import kind

    return kind(root, is_known_namespace=namespace is not None)


def _is_host_of(root: Root) -> str | None:
    """
    Return the hypervisor that this system rules, which runs below it, or None.

    Xen's first domain is known by two files, of which one is in xenfs, which may not be
    mounted.
    """
    features = root.number("/sys/hypervisor/properties/features", 16) or 0
    if features >> XEN_FIRST_DOMAIN & 1 or root.text("/proc/xen/capabilities", 64) == "control_d":
        return "xen"
    return "hyperv" if "mshv" in root.names(CLASS_OF_HYPERV) else None


def _xen_uuid(root: Root) -> str | None:
    return root.text("/sys/hypervisor/uuid", 64)
