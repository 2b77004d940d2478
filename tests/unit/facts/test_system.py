import json
import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from salt_ext import facts
from salt_ext.facts import smbios
from salt_ext.facts.identity import identify
from salt_ext.facts.root import Root
from salt_ext.facts.smbios import hpe
from salt_ext.facts.system import baseboards, chassis, firmware, iso_date, system
from tests.corpus import corpus_files, corpus_name, needs_corpus
from tests.unit.facts.smbios_tables import END, machine, split_dump, structure
from tests.unit.facts.trees import tree

DMI = "sys/class/dmi/id"
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
TABLE = (
    structure(0, 0x18, {4: "HP", 5: "P89", 8: "11/15/2022", 9: 0xFF, 0x14: bytes([2, 80, 2, 76])})
    + structure(1, 0x1B, {4: "HP", 5: "DL380", 7: "To Be Filled By O.E.M.", 0x18: 6})
    + structure(2, 0x0E, {5: "Main board", 0x0D: 10})
    + structure(2, 0x0E, {5: "Riser", 0x0D: 9})
    + structure(3, 0x15, {5: 0x17, 7: "CZ1", 0x11: 2}, handle=3)
    + structure(3, 0x15, {5: 0x1D, 7: "ENC"}, handle=4)
    + END
)
# As a table would never say it, so that one can tell where a fact came from.
KERNEL = {
    f"{DMI}/sys_vendor": "Kernel Inc.\n",
    f"{DMI}/product_name": "K1\n",
    f"{DMI}/product_serial": "KS\n",
    f"{DMI}/product_uuid": "4c4c4544-0037-3910-8048-b7c04f384432\n",
    f"{DMI}/product_sku": " \n",
    f"{DMI}/board_name": "KB\n",
    f"{DMI}/chassis_type": "23\n",
    f"{DMI}/chassis_serial": "KC\n",
    f"{DMI}/bios_vendor": "KBIOS\n",
    f"{DMI}/bios_date": "04/01/2014\n",
    f"{DMI}/bios_release": "5.27\n",
}


def test_the_tables_are_believed_before_the_kernel(tmp_path):
    root = tree(tmp_path, KERNEL)
    machine(tmp_path, TABLE)
    facts = system(root)
    assert (facts["manufacturer"], facts["product_name"]) == ("HP", "DL380")
    assert facts["wake_up_type"] == "Power Switch"


def test_a_placeholder_is_left_for_the_judge(tmp_path):
    machine(tmp_path, TABLE)
    assert system(Root(str(tmp_path)))["serial_number"] == "To Be Filled By O.E.M."


# As a BL460c Gen10 has it: the rack locator says where the blade is.
LOCATOR = structure(
    204,
    0x14,
    {4: bytes((1, 2, 3, 4, 16, 1, 5, 6))},
    ("Z04b", "blade-z04b", "BladeSystem c7000 Enclosure G3  ", "7", "CZ290401XS", "10.0.0.9"),
)
NO_LOCATOR = structure(204, 0x14, {4: bytes((0, 0, 0, 0, 0xFF, 0xFF, 0))})


def with_maker(where, maker, *structures):
    machine(where, structure(1, 0x1B, {4: maker, 7: "CZJ8250ABC"}) + b"".join(structures) + END)
    return system(Root(str(where)))


@pytest.mark.parametrize("maker", ["HPE", "HP", "Hewlett-Packard", "Hewlett Packard Enterprise"])
def test_a_blade_of_hpe_knows_the_enclosure_that_it_is_in(maker, tmp_path):
    facts = with_maker(tmp_path, maker, NO_LOCATOR, LOCATOR)
    assert facts["enclosure"] == {
        "rack_name": "Z04b",
        "name": "blade-z04b",
        "model": "BladeSystem c7000 Enclosure G3",
        "serial_number": "CZ290401XS",
        "bays": 16,
        "server_bay": "7",
        "bays_filled": 1,
    }
    assert identify({"system": facts})["parent_chassis"] == {
        "kind": "chassis_serial_number",
        "value": "hp/cz290401xs",
        "location": "7",
    }
    assert identify({"system": facts})["primary"]["value"] == "hp/czj8250abc"


@pytest.mark.parametrize(
    "locator",
    [NO_LOCATOR, structure(204, 0x0A, {4: bytes((1, 2, 3, 4, 16, 1))}, ["a", "b", "c", "d"]), b""],
    ids=["empty", "too short", "absent"],
)
def test_a_machine_of_hpe_that_is_in_no_enclosure_has_none(locator, tmp_path):
    facts = with_maker(tmp_path, "HPE", locator)
    assert facts["enclosure"] is None
    assert identify({"system": facts})["parent_chassis"] is None


def test_another_makers_structure_of_the_same_number_is_no_enclosure(tmp_path):
    assert "enclosure" not in with_maker(tmp_path, "Cisco Systems Inc", LOCATOR)
    assert not hpe.is_by("HPC Systems")


def hpe_locators():
    """Return the tables of the corpus in which HPE names an enclosure, with its strings."""
    found = []
    for path in corpus_files("*/smbios_bin/**/*", "*/smbios_synth/**/*"):
        tables = smbios.structures(split_dump(path.read_bytes())[1], smbios.ASSUMED_VERSION)
        makers = [item.text(4) for item in tables.of(1)[:1]]
        locators = tables.of(hpe.RACK_LOCATOR)
        if locators and locators[0].string(1) and any(hpe.is_by(maker) for maker in makers):
            found.append(pytest.param(tables, locators[0], id=corpus_name(path)))
    return found


@needs_corpus
@pytest.mark.parametrize(("tables", "locator"), hpe_locators())
def test_a_captured_blade_names_its_enclosure_in_its_own_words(tables, locator):
    facts = hpe.enclosure(tables)
    words = {locator.string(number) for number in range(1, 16)}
    texts = {value for value in facts.values() if isinstance(value, str)}
    assert texts
    assert texts <= words


def test_every_board_and_every_chassis_is_listed(tmp_path):
    machine(tmp_path, TABLE)
    root = Root(str(tmp_path))
    boards = [(board["product_name"], board["type"]) for board in baseboards(root)]
    assert boards == [("Main board", "Motherboard"), ("Riser", "Daughter Board")]
    enclosures = [(item["handle"], item["type"], item["serial_number"]) for item in chassis(root)]
    assert enclosures == [(3, "Rack Mount Chassis", "CZ1"), (4, "Blade Enclosing", "ENC")]


def test_an_instruction_to_cloud_init_is_no_key_and_its_address_is_not_kept(tmp_path):
    serial = "ds=nocloud;s=http://user:pass@10.0.0.1/\n"
    tree(tmp_path, {**KERNEL, f"{DMI}/product_serial": serial, f"{DMI}/chassis_serial": serial})
    found = facts.collect(str(tmp_path), facts.COLLECTORS)
    assert "user" not in json.dumps(found, default=str)
    assert found["system"]["serial_number"] == "ds=nocloud;(not shown)"
    known = identify(found)
    assert known["primary"]["kind"] == "uuid"
    [wrong] = [one for one in known["rejected"] if one["kind"] == "serial_number"]
    assert "an instruction to cloud-init" in wrong["reason"]


def test_without_tables_the_kernel_is_asked(tmp_path):
    root = tree(tmp_path, KERNEL)
    assert system(root) == {
        "manufacturer": "Kernel Inc.",
        "product_name": "K1",
        "serial_number": "KS",
        "uuid": "4c4c4544-0037-3910-8048-b7c04f384432",
    }
    assert baseboards(root) == [{"product_name": "KB"}]
    assert chassis(root) == [{"type": "Rack Mount Chassis", "serial_number": "KC"}]
    assert firmware(root) == {
        "vendor": "KBIOS",
        "release_date": "2014-04-01",
        "revision": "5.27",
    }
    assert root.denied == []


def test_a_chassis_type_of_the_kernel_that_is_no_number_is_none(tmp_path):
    assert chassis(tree(tmp_path, {f"{DMI}/chassis_type": "tower"})) == [{"type": None}]


@contextmanager
def nobody():
    """Be a user who may read nothing of mode 0, which root may."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_may_not_be_read_is_remembered_and_the_rest_told():
    with TemporaryDirectory() as directory:
        where = Path(directory)
        where.chmod(0o755)
        root = tree(where, KERNEL)
        machine(where, TABLE)
        secrets = [*where.glob("sys/firmware/dmi/tables/*"), *where.glob(f"{DMI}/product_[su]*")]
        for path in secrets:
            path.chmod(0)
        with nobody():
            facts = system(root)
    assert facts == {"manufacturer": "Kernel Inc.", "product_name": "K1"}
    assert set(root.denied) == {f"/{path.relative_to(where)}" for path in secrets}


def test_a_board_of_a_device_tree(tmp_path):
    root = tree(
        tmp_path,
        {
            "sys/firmware/devicetree/base/model": b"Raspberry Pi 4 Model B Rev 1.1\0",
            "sys/firmware/devicetree/base/serial-number": b"10000000abcdef01\0",
            "sys/firmware/devicetree/base/compatible": b"raspberrypi,4-model-b\0brcm,bcm2711\0",
        },
        {"proc/device-tree": "/sys/firmware/devicetree/base"},
    )
    assert system(root) == {
        "manufacturer": "raspberrypi",
        "product_name": "Raspberry Pi 4 Model B Rev 1.1",
        "serial_number": "10000000abcdef01",
        "compatible": ["raspberrypi,4-model-b", "brcm,bcm2711"],
    }
    assert (baseboards(root), chassis(root), firmware(root)) == (None, None, None)


def test_a_power_machine_calls_its_serial_number_system_id(tmp_path):
    root = tree(
        tmp_path,
        {
            "sys/firmware/devicetree/base/model": b"IBM,9009-22A\0",
            "sys/firmware/devicetree/base/system-id": b"IBM,0278ABCDE\0",
            "sys/firmware/devicetree/base/vm,uuid": b"8c3a6b0e-1d2f-4a5b-9c7d-0123456789ab\0",
            "sys/firmware/devicetree/base/compatible": b"IBM,9009-22A\0",
        },
    )
    facts = system(root)
    assert (facts["manufacturer"], facts["product_name"]) == ("IBM", "IBM,9009-22A")
    assert facts["serial_number"] == "IBM,0278ABCDE"
    assert facts["uuid"] == "8c3a6b0e-1d2f-4a5b-9c7d-0123456789ab"


def test_a_mainframe_is_known_by_its_sysinfo(tmp_path):
    sysinfo = (
        "Manufacturer:         IBM\nType:                 2964\n"
        "Model:                704              NC9\nSequence Code:        0000000000012345\n"
        "LPAR UUID:            \n\nVM00 Name:            LINUX01\n"
        "VM00 UUID:            8c3a6b0e-1d2f-4a5b-9c7d-0123456789ab\n"
    )
    assert system(tree(tmp_path, {"proc/sysinfo": sysinfo})) == {
        "manufacturer": "IBM",
        "product_name": "2964",
        "version": "704 NC9",
        "serial_number": "0000000000012345",
        "uuid": "8c3a6b0e-1d2f-4a5b-9c7d-0123456789ab",
    }


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (
            "3aa0b1c2-19d7-4222-8333-94a445555666\n",
            {"uuid": "3aa0b1c2-19d7-4222-8333-94a445555666"},
        ),
        ("00000000-0000-0000-0000-000000000000\n", None),
    ],
)
def test_a_guest_of_xen_without_firmware_has_the_uuid_of_its_domain(tmp_path, text, facts):
    assert system(tree(tmp_path, {"sys/hypervisor/uuid": text})) == facts


def test_a_machine_that_says_nothing_has_no_sections(tmp_path):
    root = Root(str(tmp_path))
    assert (system(root), baseboards(root), chassis(root), firmware(root)) == (None,) * 4


def test_firmware(tmp_path):
    machine(tmp_path, TABLE)
    root = tree(tmp_path, {SECURE_BOOT: b"\x06\0\0\0\x01"})
    assert firmware(root) == {
        "vendor": "HP",
        "version": "P89",
        "release_date": "2022-11-15",
        "revision": "2.80",
        "embedded_controller_revision": "2.76",
        "rom_size_bytes": 16 << 20,
        "mode": "uefi",
        "secure_boot": True,
        "smbios_version": "3.3",
        "smbios_problems": [],
    }


def test_secure_boot_is_off_or_not_known(tmp_path):
    assert firmware(tree(tmp_path, {SECURE_BOOT: b"\x06\0\0\0\x00"}))["secure_boot"] is False
    (tmp_path / SECURE_BOOT).write_bytes(b"")
    assert firmware(Root(str(tmp_path)))["secure_boot"] is None


def test_a_bios_is_only_claimed_with_evidence(tmp_path):
    x86 = {"sys/kernel/boot_params/version": "0x020f"}
    acpi = {"sys/firmware/acpi/tables/FACP": b"FACP"}
    cpu = {"proc/cpuinfo": "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\n"}
    arm = {"proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\n"}
    for number, (files, mode) in enumerate(
        (
            (x86 | acpi, None),
            (x86 | {f"{DMI}/bios_vendor": "SeaBIOS"}, "bios"),
            (cpu | acpi, None),
            (x86, None),
            (acpi, None),
            (arm | acpi, None),
            (x86 | acpi | {"sys/firmware/efi/runtime": "0x0"}, "uefi"),
        )
    ):
        found = firmware(tree(tmp_path / str(number), files))
        assert (found or {}).get("mode") == mode, files


def test_a_date_that_is_none_is_kept_as_it_was_written(tmp_path):
    machine(tmp_path, structure(0, 0x12, {8: "Version 7"}) + END)
    facts = firmware(Root(str(tmp_path)))
    assert facts["release_date"] is None
    assert facts["raw"] == {"release_date": "Version 7"}


def test_broken_tables_are_told(tmp_path):
    machine(tmp_path, structure(0, 0x12, {4: "HP"}) + b"\x01\x02")
    assert firmware(Root(str(tmp_path)))["smbios_problems"] == [
        "the table ends without an end-of-table structure"
    ]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("11/15/2022", "2022-11-15"),
        ("4/1/2014", "2014-04-01"),
        ("07/31/97", "1997-07-31"),
        ("07/31/08", "2008-07-31"),
        ("Jan 20 2022", "2022-01-20"),
        ("Mar  3 2021", "2021-03-03"),
        ("13/01/2020", None),
        ("Foo 20 2022", None),
        ("2019-08-29", None),
        ("01/02/" + "9" * 5000, None),
        ("01//2020", None),
        ("00/00/0000", None),
    ],
)
def test_dates_are_iso(text, date):
    assert iso_date(text) == date


@needs_corpus
@pytest.mark.parametrize(
    "path", corpus_files("*/smbios_bin/**/*", "*/smbios_synth/**/*"), ids=corpus_name
)
def test_two_runs_on_a_captured_machine_agree(path, tmp_path):
    entry, table = split_dump(path.read_bytes())
    machine(tmp_path, table, entry)
    runs = [
        [collect(root) for collect in (system, baseboards, chassis, firmware)]
        for root in (Root(str(tmp_path)), Root(str(tmp_path)))
    ]
    assert runs[0] == runs[1]
    bios = runs[0][3] or {}
    assert (bios.get("release_date") or "2000-01-01")[4::3] == "--"
    assert bios.get("mode") is None  # nothing here says how it was started
