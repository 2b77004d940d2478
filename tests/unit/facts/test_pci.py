import re
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salt_ext import settings
from salt_ext.document import normal
from salt_ext.document.volatile import split
from salt_ext.facts import collect, pci_ids
from salt_ext.facts.pci import gpus, nvidia, pci
from salt_ext.facts.root import Root
from tests.corpus import corpus_files, needs_corpus
from tests.unit.facts.captures import captures, expectation, unpacked
from tests.unit.facts.trees import tree

CARD = "pci:v00008086d00001572sv00008086sd00000007bc02sc00i00"
BRIDGE = "pci:v00008086d00002030sv00000000sd00000000bc06sc04i00"
GEFORCE = "pci:v000010DEd00001E81sv00001043sd00008728bc03sc00i00"
INSTINCT = "pci:v00001002d000074A1sv00001002sd000074A1bc12sc00i00"
IDS = """\
# comment
8086  Intel Corporation
\t1571  Something else
\t1572  Ethernet Controller X710 for 10GbE SFP+
# a comment between
\t\t8086 0007  Ethernet Converged Network Adapter X710
\t2030  Sky Lake-E PCI Express Root Port A
9004  Adaptec
\t1572  Not this one

C 02  Network controller
\t00  Ethernet controller
C 03  Display controller
\t00  VGA compatible controller
"""


def function(slot, modalias, driver=None, **files):
    home = f"sys/devices/pci{slot[:7]}/{slot}"
    links = {f"sys/bus/pci/devices/{slot}": f"../../../{home.removeprefix('sys/')}"}
    if driver:
        links[f"{home}/driver"] = f"../../../bus/pci/drivers/{driver}"
    files = {"modalias": modalias, **files}
    return {f"{home}/{name}": f"{text}\n" for name, text in files.items()}, links


def machine(where, *functions, files=()):
    found, links = dict(files), {}
    for some_files, some_links in functions:
        found |= some_files
        links |= some_links
    return tree(where, found, links)


class Watched(Root):
    """A root that keeps the names of the files that were read."""

    def __init__(self, path):
        super().__init__(path)
        self.read = []

    def data(self, path, limit=65536):
        self.read.append(path.rpartition("/")[2])
        return super().data(path, limit)


def test_a_function_is_described(tmp_path):
    root = machine(
        tmp_path,
        function("0000:3b:00.0", CARD, "i40e", revision="0x02", numa_node="1"),
        files={"usr/share/misc/pci.ids": IDS},
    )
    assert pci(root) == [
        {
            "slot": "0000:3b:00.0",
            "vendor_id": "8086",
            "device_id": "1572",
            "subsystem_vendor_id": "8086",
            "subsystem_device_id": "0007",
            "class_id": "020000",
            "revision": "02",
            "driver": "i40e",
            "numa_node": 1,
            "volatile": {
                "vendor_name": "Intel Corporation",
                "device_name": "Ethernet Controller X710 for 10GbE SFP+",
                "class_name": "Ethernet controller",
            },
        }
    ]


def test_the_numbers_are_found_one_by_one_where_there_is_no_modalias(tmp_path):
    numbers = {
        "vendor": "0x8086",
        "device": "0x1572",
        "subsystem_vendor": "0x8086",
        "subsystem_device": "0x0007",
        "class": "0x020000",
    }
    whole = pci(machine(tmp_path / "a", function("0000:3b:00.0", CARD)))
    assert pci(machine(tmp_path / "b", function("0000:3b:00.0", "", **numbers))) == whole


def test_a_bridge_has_no_subsystem_no_node_and_no_name(tmp_path):
    root = machine(
        tmp_path,
        function("0000:3a:00.0", BRIDGE, "pcieport", numa_node="-1"),
        files={"usr/share/misc/pci.ids": IDS},
    )
    assert normal({"pci": pci(root)})["pci"] == [
        {
            "slot": "0000:3a:00.0",
            "vendor_id": "8086",
            "device_id": "2030",
            "class_id": "060400",
            "driver": "pcieport",
        }
    ]


def test_a_virtual_function_is_left_to_its_card(tmp_path):
    files, links = function("0000:3b:02.0", CARD, "iavf")
    links["sys/devices/pci0000:3b/0000:3b:02.0/physfn"] = "../0000:3b:00.0"
    root = machine(tmp_path, function("0000:3b:00.0", CARD), (files, links))
    assert [item["slot"] for item in pci(root)] == ["0000:3b:00.0"]


def test_no_pci_and_no_look_are_different(tmp_path):
    assert pci(tree(tmp_path / "a", {"sys/bus/usb/uevent": ""})) == []
    assert gpus(tree(tmp_path / "a", {"sys/bus/usb/uevent": ""})) == []
    assert pci(tree(tmp_path / "b", {"proc/version": ""})) is None
    assert gpus(tree(tmp_path / "b", {"proc/version": ""})) is None


def test_other_names_are_no_change(tmp_path):
    parts = function("0000:3b:00.0", CARD, "i40e")
    before = machine(tmp_path / "a", parts)
    after = machine(tmp_path / "b", parts, files={"usr/share/hwdata/pci.ids": IDS})
    assert pci(before) != pci(after)
    stable = [split(normal({"pci": pci(root)}))[0] for root in (before, after)]
    assert stable[0] == stable[1]


def test_nothing_that_wakes_a_device_is_read(tmp_path):
    parts = function("0000:3b:00.0", CARD, "i40e", revision="0x02", numa_node="1")
    dangerous = ("config", "vpd", "current_link_speed", "max_link_width", "secondary_bus_number")
    parts[0].update({f"sys/devices/pci0000:3b/0000:3b:00.0/{name}": "1" for name in dangerous})
    machine(tmp_path, parts)
    root = Watched(str(tmp_path))
    assert pci(root)
    assert "modalias" in root.read
    assert not set(root.read) & set(dangerous)


def test_a_function_costs_three_files(tmp_path):
    many = [function(f"0000:{bus:02x}:00.0", CARD, "i40e", numa_node="0") for bus in range(100)]
    machine(tmp_path, *many)
    root = Watched(str(tmp_path))
    assert len(pci(root)) == 100
    gpus(root)
    assert len(root.read) <= 300


def test_a_card_of_nvidia_is_what_its_driver_says(tmp_path):
    said = (
        "Model: \t\t NVIDIA GeForce RTX 2080 SUPER\nIRQ:   \t\t 98\n"
        "GPU UUID: \t GPU-6f1c9a2e-0d8b-47a3-9c55-0f2a1b3c4d5e\nVideo BIOS: \t 90.04.7a.40.73\n"
        "Bus Location: \t 0000:65:00.0\n"
    )
    root = machine(
        tmp_path,
        function("0000:65:00.0", GEFORCE, "nvidia"),
        function("0000:3b:00.0", CARD, "i40e"),
        files={"proc/driver/nvidia/gpus/0000:65:00.0/information": said},
    )
    (card,) = gpus(root)
    assert (card["model"], card["uuid"], card["vbios"]) == (
        "NVIDIA GeForce RTX 2080 SUPER",
        "GPU-6f1c9a2e-0d8b-47a3-9c55-0f2a1b3c4d5e",
        "90.04.7a.40.73",
    )
    assert (card["slot"], card["driver"]) == ("0000:65:00.0", "nvidia")


def test_question_marks_of_a_sleeping_card_are_no_identity():
    found = nvidia("Model: Tesla\nGPU UUID: GPU-????????-????-????\nVideo BIOS: ??.??.??.??.??\n")
    assert found == {"model": "Tesla", "uuid": None, "vbios": None}


def test_a_card_of_amd_has_its_serial_number_and_memory(tmp_path):
    root = machine(
        tmp_path,
        function(
            "0000:c1:00.0",
            INSTINCT,
            "amdgpu",
            unique_id="7ae5c4e9d3a1b20f",
            serial_number="692251001124",
            vbios_version="113-MI3SRIOV-001",
            mem_info_vram_total="206141652992",
            product_name="AMD Instinct MI300X OAM",
        ),
    )
    (card,) = gpus(root)
    assert (card["serial_number"], card["uuid"]) == ("692251001124", "7ae5c4e9d3a1b20f")
    assert (card["memory_bytes"], card["vbios"]) == (206141652992, "113-MI3SRIOV-001")
    assert card["model"] == "AMD Instinct MI300X OAM"


def test_a_name_is_searched_below_its_own_vendor():
    found = pci_ids.search(IDS.encode(), {"8086": ["1572", "ffff"], "C 02": ["80"], "ffff": []})
    assert found == {
        "8086": "Intel Corporation",
        "8086 1572": "Ethernet Controller X710 for 10GbE SFP+",
        "C 02": "Network controller",
    }
    assert pci_ids.search(IDS.encode(), {"9004": ["2030"]}) == {"9004": "Adaptec"}


def test_the_file_of_names_is_not_read_beyond_its_limit(tmp_path):
    text = b"# filler\n" * (pci_ids.LIMIT_BYTES // 9 + 1)
    root = tree(tmp_path, {"usr/share/misc/pci.ids": text + IDS.encode()})
    assert pci_ids.names(root, {"8086": ["1572"]}) == {}


def test_the_file_of_names_is_not_followed_out_of_the_root(tmp_path):
    (tmp_path / "outside.ids").write_text(IDS)
    inside = tmp_path / "root"
    root = tree(inside, {"sys/x": ""}, {"usr/share/misc/pci.ids": str(tmp_path / "outside.ids")})
    assert pci_ids.names(root, {"8086": []}) == {}
    (inside / "var").mkdir()
    (inside / "var/pci.ids").write_text(IDS)
    (inside / "usr/share/hwdata").mkdir()
    (inside / "usr/share/hwdata/pci.ids").symlink_to("/var/pci.ids")
    assert pci_ids.names(root, {"8086": []}) == {"8086": "Intel Corporation"}


WANTED = st.dictionaries(
    st.sampled_from(["8086", "9004", "ffff", "C 02"]),
    st.lists(st.sampled_from(["1572", "2030", "00"]), max_size=3),
)


@given(st.binary(max_size=400) | st.text("8086C 02\t\n#1572x").map(str.encode), WANTED)
def test_any_bytes_can_be_searched_for_names(data, wanted):
    for key in pci_ids.search(data, wanted):
        assert key.rpartition(" ")[0] in wanted or key in wanted


@given(st.text(max_size=200))
def test_any_text_of_nvidia_can_be_read(text):
    assert set(nvidia(text)) == {"model", "uuid", "vbios"}


SYSFS = ("bus/pci", "devices/pci")
FILES = {
    "vendor_id": "vendor",
    "device_id": "device",
    "subsystem_vendor_id": "subsystem_vendor",
    "subsystem_device_id": "subsystem_device",
    "class_id": "class",
}
NUMBER_FILES = ("/modalias", *(f"/{name}" for name in FILES.values()))


@needs_corpus
@pytest.mark.parametrize("path", captures("hwloc/cpu_tree/*", having="pci_devices"))
def test_hwloc_knows_no_function_that_is_missing(path, tmp_path):
    expected = expectation(path)
    found = pci(unpacked(path, tmp_path, SYSFS))
    others = [item for item in found if (item["class_id"] or "")[:4] != "0604"]
    if "--whole-io" in " ".join(expected.get("peer_test_options", ())):
        assert len(others) == expected["pci_devices"]
    else:  # then hwloc shows only what it finds important
        assert len(others) >= expected["pci_devices"]


@needs_corpus
def test_one_line_has_the_numbers_of_five_files(tmp_path):
    count = 0
    for number, path in enumerate(corpus_files("*/sysfs_tree/*")):
        root = unpacked(path, tmp_path / str(number), NUMBER_FILES)
        for item in pci(root) or ():
            for field, name in FILES.items():
                text = root.text(f"/sys/bus/pci/devices/{item['slot']}/{name}")
                if text is not None and int(text, 16):
                    assert item[field] == text.removeprefix("0x")
                    count += 1
    print(f"{count} numbers of PCI functions")
    assert count > 100


FUNCTIONS = 137  # of the largest server whose tree has been seen
HANG_MS = 5_000  # a hundred times what it takes; the figure is in the benchmark of the facts


def grown(root):
    """Copy functions of a captured tree to other slots until there are FUNCTIONS of them."""
    devices = Path(root.path, "sys/bus/pci/devices")
    slots = sorted(devices.iterdir())
    for number in range(FUNCTIONS - len(slots)):
        slot = f"00ff:{number // 8:02x}:{number % 8:02x}.0"
        shutil.copytree(
            slots[number % len(slots)].resolve(),
            Path(root.path, "sys/devices/pci00ff:00", slot),
            symlinks=True,
            ignore=lambda where, names: [
                name for name in names if Path(where, name).is_dir() and name != "driver"
            ],
        )
        (devices / slot).symlink_to(f"../../../devices/pci00ff:00/{slot}")
    (Path(root.path, "usr/share/misc")).mkdir(parents=True)
    Path(root.path, "usr/share/misc/pci.ids").write_text(LARGE_IDS)
    return root


LARGE_IDS = "".join(
    f"{vendor:04x}  Vendor {vendor}\n"
    + "".join(f"\t{device:04x}  Device {device} of a vendor\n" for device in range(0, 65536, 4096))
    for vendor in range(0, 65536, 32)
)


@needs_corpus
def test_a_machine_with_very_many_functions_is_collected_whole(tmp_path):
    trees = corpus_files("ghw/sysfs_tree/*amd64*")
    largest = max(trees, key=lambda path: path.stat().st_size)
    root = grown(unpacked(largest, tmp_path, ("",)))
    collectors = settings.OPTIONS["collectors"].default
    began = time.process_time()
    document = collect(root.path, collectors)
    cost_ms = (time.process_time() - began) * 1000
    assert len(document["pci"]) == FUNCTIONS
    assert document["errors"] == {}
    assert cost_ms < HANG_MS


def listed(text):
    """Yield (slot, modalias, revision, driver) of each function in what ``lspci -nnk`` printed."""
    for block in text.split("\n\n"):
        head = HEAD.match(block)
        if head:
            slot, kind, vendor, device = head.groups()
            sub = SUBSYSTEM.search(block)
            sub_vendor, sub_device = sub.groups() if sub else ("0000", "0000")
            revision = REVISION.search(block.partition("\n")[0])
            driver = DRIVER.search(block)
            interface = INTERFACE.search(block.partition("\n")[0])
            yield (
                f"0000:{slot}",
                f"pci:v0000{vendor}d0000{device}sv0000{sub_vendor}sd0000{sub_device}"
                + f"bc{kind[:2]}sc{kind[2:]}i{interface.group(1) if interface else '00'}",
                revision.group(1) if revision else "00",
                driver and driver.group(1),
            )


HEAD = re.compile(r"^([0-9a-f]{2}:[0-9a-f]{2}\.[0-9]) .*?\[([0-9a-f]{4})\]: .*\[(\w{4}):(\w{4})\]")
SUBSYSTEM = re.compile(r"\n\tSubsystem: .*\[(\w{4}):(\w{4})\]")
REVISION = re.compile(r"\(rev (\w\w)\)")
INTERFACE = re.compile(r"\(prog-if (\w\w)")
DRIVER = re.compile(r"\n\tKernel driver in use: (\S+)")


@needs_corpus
@pytest.mark.parametrize("path", captures("*/lspci/**/*", having="devices"))
def test_the_functions_are_those_that_glpi_reads_from_lspci(path, tmp_path):
    text = path.read_text(errors="replace").strip()
    functions = [
        function(slot, modalias, driver, revision=f"0x{revision}")
        for slot, modalias, revision, driver in listed(text)
    ]
    found = {item["slot"][5:]: item for item in pci(machine(tmp_path, *functions))}
    expected = expectation(path)["devices"]
    count = 0
    for device in expected:
        item = found[device["PCISLOT"]]
        facts = {
            "PCIID": f"{item['vendor_id']}:{item['device_id']}",
            "PCICLASS": item["class_id"][:4],
            "PCISUBSYSTEMID": f"{item['subsystem_vendor_id']}:{item['subsystem_device_id']}",
            "REV": item["revision"],
        }
        for name, fact in facts.items():
            if device.get(name):
                assert fact == device[name]
                count += 1
    print(f"{count} facts")
    assert count >= 2 * len(expected) > 0
