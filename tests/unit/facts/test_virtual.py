import pytest

from salt_ext.facts.cpuinfo import read
from salt_ext.facts.root import Root
from salt_ext.facts.virtual import cloud, virtual
from tests.unit.facts.smbios_tables import END, entry_point_64, machine, structure
from tests.unit.facts.trees import tree

HYPERVISOR_FLAG = "flags\t\t: fpu vme hypervisor\n"
UUID = "83340ca8-cb49-4474-8c29-d2088ca84dd9"


def dmi(**fields):
    return {f"sys/class/dmi/id/{name}": f"{text}\n" for name, text in fields.items()}


def facp(oem):
    return {"sys/firmware/acpi/tables/FACP": b"FACP\x14\1\0\0\6f" + oem.encode().ljust(26)}


SIGNS = [
    (dmi(sys_vendor="QEMU", product_name="Standard PC (Q35)"), "guest", "qemu"),
    (dmi(sys_vendor="VMware, Inc.", product_name="VMware Virtual Platform"), "guest", "vmware"),
    (dmi(sys_vendor="innotek GmbH", product_name="VirtualBox"), "guest", "virtualbox"),
    (dmi(sys_vendor="Microsoft Corporation", product_name="Virtual Machine"), "guest", "hyperv"),
    (dmi(sys_vendor="Microsoft Corporation", product_name="Surface Pro"), "none", None),
    (dmi(sys_vendor="Xen", product_name="HVM domU"), "guest", "xen"),
    (dmi(sys_vendor="Red Hat", product_name="RHEV Hypervisor"), "guest", "kvm"),
    (dmi(sys_vendor="Amazon EC2", product_name="m5.large"), "guest", "amazon"),
    (dmi(sys_vendor="Amazon EC2", product_name="c5.metal"), "none", None),
    (dmi(sys_vendor="Google", product_name="Google Compute Engine"), "guest", "google"),
    (dmi(sys_vendor="Dell Inc.", product_name="PowerEdge R640"), "none", None),
    (dmi(sys_vendor="Nutanix", product_name="AHV"), "guest", "ahv"),
    (dmi(sys_vendor="Nutanix", product_name="NX-3060-G7"), "none", None),
    (facp("FIRECK"), "guest", "firecracker"),
    (facp("DELL"), "none", None),
    ({"proc/cpuinfo": HYPERVISOR_FLAG}, "guest", "unknown"),
    ({"proc/cpuinfo": "flags\t\t: fpu vme\n"}, "none", None),
    ({"sys/hypervisor/type": "xen\n"}, "guest", "xen"),
    ({"sys/hypervisor/type": "xen\n", "proc/xen/capabilities": "control_d\n"}, "host", "xen"),
    ({"proc/device-tree/hypervisor/compatible": "linux,kvm\0"}, "guest", "kvm"),
    (
        {"sys/hypervisor/type": "xen\n", "sys/hypervisor/properties/features": "00002f05\n"},
        "host",
        "xen",
    ),
    (
        {"sys/hypervisor/type": "xen\n", "sys/hypervisor/properties/features": "000025f5\n"},
        "guest",
        "xen",
    ),
    (
        {"proc/device-tree/ibm,partition-name": "lpar1\0", "proc/device-tree/hmc-managed?": ""},
        "guest",
        "powervm",
    ),
    ({"proc/device-tree/model": "linux,dummy-virt\0"}, "guest", "qemu"),
    ({"proc/device-tree/model": "riscv-virtio,qemu\0"}, "guest", "qemu"),
    ({"proc/device-tree/compatible": "qemu,pseries\0"}, "guest", "qemu"),
    ({"proc/device-tree/fw-cfg@9020000/compatible": "qemu,fw-cfg-mmio\0"}, "guest", "qemu"),
    ({"proc/cpuinfo": "vendor_id\t: User Mode Linux\nmode\t: skas\n"}, "guest", "uml"),
    (dmi(sys_vendor="Xenon Systems", product_name="Radon R24"), "none", None),
    (dmi(sys_vendor="Apple Inc.", product_name="Apple Virtualization Generic"), "guest", "apple"),
    ({"proc/device-tree/model": "Raspberry Pi 4 Model B\0"}, "none", None),
    ({"proc/sysinfo": "VM00 Control Program: z/VM    6.1.0\n"}, "guest", "zvm"),
    ({"proc/sysinfo": "VM00 Control Program: KVM/Linux\n"}, "guest", "kvm"),
    ({"proc/sysinfo": "LPAR Name:            R17LP45\n"}, "none", None),
    ({}, "none", None),
]


@pytest.mark.parametrize(("files", "role", "hypervisor"), SIGNS)
def test_a_sign_tells_the_role_and_the_hypervisor(tmp_path, files, role, hypervisor):
    found = virtual(tree(tmp_path, files))
    assert (found["role"], found["hypervisor"]) == (role, hypervisor)
    assert bool(found["evidence"]) == (role != "none" or "metal" in str(files))


AZURE = "7783-7084-3265-9085-8269-3286-77"
METAL_FLAGS = "flags\t\t: fpu vme sse2\n"
RENTED = {
    "ec2": {"sys_vendor": "Amazon EC2", "product_name": "m7i.metal-24xl"},
    "alibaba": {"sys_vendor": "Alibaba Cloud", "product_name": "Alibaba Cloud ECS"},
    "azure": {
        "sys_vendor": "Microsoft Corporation",
        "product_name": "Virtual Machine",
        "chassis_asset_tag": AZURE,
    },
    "gce": {"sys_vendor": "Google", "product_name": "Google Compute Engine"},
    "oracle": {
        "sys_vendor": "Oracle Corporation",
        "product_name": "ORACLE SERVER E5-2c",
        "chassis_asset_tag": "OracleCloud.com",
    },
}


@pytest.mark.parametrize("provider", RENTED)
def test_a_whole_machine_of_a_cloud_is_told_from_a_guest_by_its_processor(tmp_path, provider):
    fields = dmi(**RENTED[provider])
    metal = virtual(tree(tmp_path / "metal", {**fields, "proc/cpuinfo": METAL_FLAGS}))
    assert (metal["role"], metal["hypervisor"]) == ("none", None)
    assert metal["cloud"]["provider"] == provider
    guest = virtual(tree(tmp_path / "guest", {**fields, "proc/cpuinfo": HYPERVISOR_FLAG}))
    assert guest["role"] == ("none" if "metal" in str(fields) else "guest")
    assert guest["cloud"]["provider"] == provider


@pytest.mark.parametrize(
    ("says_so", "cpuinfo", "role"),
    [
        (True, "Features\t: fp asimd\n", "guest"),
        (False, "Features\t: fp asimd\n", "none"),
        # Where the processor can tell, it is believed: some boards say so by mistake.
        (True, "flags\t\t: fpu vme\n", "none"),
    ],
)
def test_firmware_tells_a_guest_where_no_flag_of_the_processor_can(
    tmp_path, says_so, cpuinfo, role
):
    bios = structure(0, 0x18, {4: "Yandex", 0x13: 0x1C if says_so else 0x0C})
    machine(tmp_path, bios + END)
    found = virtual(tree(tmp_path, dmi(sys_vendor="Yandex") | {"proc/cpuinfo": cpuinfo}))
    assert found["role"] == role


FIRST_DOMAIN = {
    "sys/hypervisor/type": "xen\n",
    "sys/hypervisor/properties/features": "00002f05\n",
    "proc/cpuinfo": HYPERVISOR_FLAG,
}
ROOT_PARTITION = {"sys/class/misc/mshv/dev": "10:118\n", "proc/cpuinfo": HYPERVISOR_FLAG}
OF_VMWARE = dmi(sys_vendor="VMware, Inc.", product_name="VMware7,1")
OF_A_MAKER = dmi(sys_vendor="Dell Inc.", product_name="PowerEdge R760")


@pytest.mark.parametrize(
    ("files", "hypervisor"), [(FIRST_DOMAIN, "xen"), (ROOT_PARTITION, "hyperv")]
)
def test_a_host_is_one_unless_its_hypervisor_is_itself_a_guest(tmp_path, files, hypervisor):
    own = virtual(tree(tmp_path / "own", files | OF_A_MAKER))
    assert (own["role"], own["hypervisor"]) == ("host", hypervisor)
    nested = virtual(tree(tmp_path / "nested", files | OF_VMWARE))
    assert (nested["role"], nested["hypervisor"]) == ("guest", "vmware")


def test_without_the_kernels_files_the_tables_tell_the_same(tmp_path):
    table = structure(1, 27, {4: "Amazon EC2", 5: "c5.metal"})
    table += structure(2, 15, {4: "Amazon EC2", 8: "i-0a1b2c3d4e5f"})
    files = {
        "sys/firmware/dmi/tables/DMI": table + END,
        "sys/firmware/dmi/tables/smbios_entry_point": entry_point_64(table + END),
    }
    found = virtual(tree(tmp_path, files))
    assert found["role"] == "none"
    assert found["cloud"] == {
        "provider": "ec2",
        "instance_id": "i-0a1b2c3d4e5f",
        "instance_type": "c5.metal",
    }


@pytest.mark.parametrize("flags", [{}, {"proc/cpuinfo": "Features\t: fp asimd\n"}])
def test_a_processor_that_has_no_flag_to_tell_decides_nothing(tmp_path, flags):
    assert virtual(tree(tmp_path, dmi(**RENTED["gce"]) | flags))["role"] == "guest"


def test_a_guest_whose_hypervisor_hides_is_a_guest_where_no_whole_machines_are_rented(tmp_path):
    fields = dmi(sys_vendor="OpenStack Foundation", product_name="OpenStack Nova")
    assert virtual(tree(tmp_path, {**fields, "proc/cpuinfo": METAL_FLAGS}))["role"] == "guest"


def test_the_name_of_a_cloud_is_a_sign_of_a_guest(tmp_path):
    found = virtual(tree(tmp_path, dmi(sys_vendor="CloudCIX", product_name="CloudCIX")))
    assert (found["role"], found["hypervisor"]) == ("guest", "unknown")
    assert found["evidence"] == ["DMI names the cloud cloudcix"]
    assert found["cloud"]["provider"] == "cloudcix"


def test_a_particular_name_wins_over_a_general_one(tmp_path):
    clocks = "sys/devices/system/clocksource/clocksource0/available_clocksource"
    root = tree(tmp_path, {clocks: "tsc kvm-clock\n", **facp("FIRECK")})
    found = virtual(root)
    assert found["hypervisor"] == "firecracker"
    assert found["evidence"] == ["ACPI OEM id is FIRECK", "a clock source is kvm-clock"]


def test_a_guest_in_the_clothes_of_its_host_is_a_guest(tmp_path):
    files = dmi(sys_vendor="Dell Inc.", product_name="PowerEdge R640")
    root = tree(tmp_path, files | {"proc/cpuinfo": HYPERVISOR_FLAG} | facp("BOCHS"))
    assert (virtual(root)["role"], virtual(root)["hypervisor"]) == ("guest", "qemu")


@pytest.mark.parametrize(
    ("file", "text", "kind"),
    [
        ("run/systemd/container", "lxc\n", "lxc"),
        ("run/.containerenv", "", "podman"),
        (".dockerenv", "", "docker"),
        ("proc/vz/version", "", "openvz"),
    ],
)
def test_a_container_is_known_by_its_mark(tmp_path, file, text, kind):
    assert virtual(tree(tmp_path, {file: text}))["container"] == kind


def test_a_machine_made_out_of_a_container_image_is_no_container(tmp_path):
    root = tree(tmp_path, {".dockerenv": ""}, {"proc/self/ns/pid": "pid:[4026531836]"})
    assert virtual(root)["container"] is None


CLOUDS = [
    (
        {"sys_vendor": "Amazon EC2", "product_name": "m5.large", "board_asset_tag": "i-00d2efb1"},
        {"provider": "ec2", "instance_id": "i-00d2efb1", "instance_type": "m5.large"},
    ),
    (
        {"sys_vendor": "Hetzner", "product_name": "vServer", "product_serial": "1234567"},
        {"provider": "hetzner", "instance_id": "1234567", "instance_type": None},
    ),
    (
        {"product_name": "OpenStack Nova", "product_uuid": UUID, "product_serial": "host-id"},
        {"provider": "openstack", "instance_id": UUID, "instance_type": None},
    ),
    (
        {"chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77", "product_uuid": UUID.upper()},
        {
            "provider": "azure",
            "instance_id": "a80c3483-49cb-7444-8c29-d2088ca84dd9",
            "instance_type": None,
        },
    ),
    (
        {"product_name": "Google Compute Engine", "product_serial": "GoogleCloud-8f2e"},
        {"provider": "gce", "instance_id": None, "instance_type": None},
    ),
    ({"sys_vendor": "Supermicro", "product_uuid": "ec245678-1234-1234-1234-123456681234"}, None),
    ({"sys_vendor": "Dell Inc.", "product_name": "PowerEdge R640"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("fields", "expected"), CLOUDS)
def test_a_cloud_is_known_by_its_dmi_strings(fields, expected):
    assert cloud(fields, is_efi=False, xen_uuid=None) == expected


def test_the_second_generation_of_azure_does_not_swap_the_uuid():
    fields = {"chassis_asset_tag": "7783-7084-3265-9085-8269-3286-77", "product_uuid": UUID}
    found = cloud(fields, is_efi=True, xen_uuid=None)
    assert found is not None
    assert found["instance_id"] == UUID


def test_this_machine_is_described_without_an_error():
    root = Root()
    found = virtual(root)
    assert found["role"] in ("guest", "host", "none")
    assert ("the processor has the flag hypervisor" in found["evidence"]) == (
        "hypervisor" in root.once(read).split()
    )
