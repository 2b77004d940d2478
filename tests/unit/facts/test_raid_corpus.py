"""
The readers of RAID tools against what other projects read in the same output.

Which tool wrote a file is told by its content. What a peer says about a file is
compared where it is about a part. Of a superblock that mdadm examines, the facts about the
format itself (magic, offsets, checksum, feature map) are compared as text only.
"""

import json
import re
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salt_ext.document import encode
from salt_ext.facts.clean import clean
from salt_ext.facts.raid import (
    adaptec,
    areca,
    ircu,
    megasasctl,
    mptstatus,
    mvcli,
    storcli,
    threeware,
)
from salt_ext.facts.raid import mdadm as raid_mdadm
from salt_ext.facts.raid import megacli as raid_megacli
from salt_ext.facts.raid import ssacli as raid_ssacli
from salt_ext.facts.raid.view import MAX_UNREAD, UNREAD, level, size_bytes, unknown_states
from tests.corpus import corpus_files, corpus_name, needs_corpus

READERS = {
    "storcli": storcli.parse,
    "ssacli": raid_ssacli.parse,
    "megacli": raid_megacli.parse,
    "megasasctl": megasasctl.parse,
    "mpt-status": mptstatus.parse,
    "areca": areca.parse,
    "arcconf": adaptec.parse,
    "/proc/scsi/scsi": adaptec.parse_proc,
    "mdadm": raid_mdadm.parse,
    "3ware": threeware.parse,
    "sas3ircu": ircu.parse,
    "mvcli": mvcli.parse,
}
SIGNS = {
    "storcli": r'\s*\{\s*"Controllers"',
    "ssacli": r"(?s).*\S in Slot \d",
    "mdadm": r"/dev/\S+:$",
    "megacli": r"(?s).*\n(Adapter (#|\d)|PCI information for|BBU status for)",
    "megasasctl": r"(?s).*\ba\d+ .* bios:\S* +fw:",
    "mpt-status": r"ioc:\d+ (vol|phys)_id:",
    "areca": r"(?s).*GuiErrMsg",
    "arcconf": r"Controllers found: \d",
    "/proc/scsi/scsi": r"Attached devices:",
    "3ware": r"(?s).*(\n|^)(/c\d+ \S.* = |V?Port +Status )",
    "sas3ircu": r"(?s).*SAS\d IR Configuration Utility",
    "mvcli": r"(?s).*SG driver version",
}


def tool(text: str) -> str | None:
    return next((name for name, sign in SIGNS.items() if re.match(sign, text, re.M)), None)


def expectation(path: Path) -> Any:
    for directory in path.parents:
        if (directory / "expected.json").exists():
            expected = json.loads((directory / "expected.json").read_text())
            return expected.get(path.relative_to(directory).as_posix())
    return None


def written(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def files() -> list[Path]:
    return corpus_files("*/raid/**/*")


def compared(found: dict[str, Any], expected: dict[str, Any]) -> int:
    """Compare every fact that both sides have and return how many there were."""
    names = [name for name in found if expected.get(name) is not None]
    assert {name: found[name] for name in names} == {name: expected[name] for name in names}
    return len(names)


# mdadm, read by jc: every line, and what it makes of it.


def jc_name(label: str) -> str:
    return re.sub(r"\[(\d+)\]", r"_\1", label).strip().lower().replace(" ", "_")


def mdadm(text: str, expected: dict[str, Any]) -> int:
    theirs = expected["parsed"]
    lines = {jc_name(label): value for label, value in raid_mdadm.fields(text).items()}
    numbers = {name: value.split(" ")[0] for name, value in lines.items()}
    count = compared(lines, {k: v for k, v in theirs.items() if isinstance(v, str)})
    count += compared(
        numbers,
        {name: str(v) for name, v in theirs.items() if isinstance(v, int) and name in lines},
    )
    facts = raid_mdadm.parse(text)
    (volume,) = facts["volumes"]
    volatile = volume.get("volatile", {})
    kib = {
        name: theirs.get(f"{name}_num") for name in ("array_size", "used_dev_size", "chunk_size")
    }
    kib = {name: value and value * 1024 for name, value in kib.items()}
    guid = theirs.get("uuid_val") or theirs.get("array_uuid") or theirs.get("container_guid")
    created = theirs.get("creation_time")
    count += compared(
        {name: value for name, value in {**volume, **volatile}.items() if name != "members"}
        | {"uuid": volume["uuid"].replace("-", ""), "state": volatile.get("state")},
        {
            "name": theirs.get("name_val"),
            "uuid": guid and guid.replace(":", "").lower(),
            "level": theirs.get("raid_level") and level(theirs["raid_level"]),
            "metadata_version": theirs.get("version"),
            "size_bytes": kib["array_size"],
            "member_size_bytes": kib["used_dev_size"],
            "chunk_size_bytes": kib["chunk_size"],
            "layout": theirs.get("layout"),
            "consistency_policy": theirs.get("consistency_policy"),
            "container": (theirs.get("container_dev") or "").removeprefix("/dev/") or None,
            "raid_devices": theirs.get("raid_devices"),
            "spare_devices": theirs.get("spare_devices"),
            "failed_devices": theirs.get("failed_devices"),
            "events": theirs.get("events_num"),
            "rebuild_percent": theirs.get("rebuild_status_percent"),
            "resync_percent": theirs.get("resync_status_percent"),
            "check_percent": theirs.get("check_status_percent"),
            "state": theirs.get("state"),
            "created_at": created
            and datetime.strptime(created, "%a %b %d %H:%M:%S %Y").isoformat(),
        },
    )
    # The table of a container's superblock has other columns, and "removed" is no device.
    rows = {
        row["device"].removeprefix("/dev/"): row
        for row in theirs.get("device_table", [])
        if row.get("device")
    }
    assert set(rows) <= {member["name"] for member in facts["members"]}
    for member in facts["members"]:
        if row := rows.get(member["name"]):
            ours = {**member, "state": (member.get("state") or "").split()}
            count += compared(ours, {k: row.get(k) for k in ("raid_device", "state")}) + 1
    return count


# MegaCli, read by glpi-agent: every line of each block, and the drives.


def megacli(text: str, expected: dict[str, Any]) -> int:
    count = 0
    found = list(raid_megacli.blocks(text))
    for kind in ("member", "volume"):
        ours = [block.fields for block in found if block.kind == kind]
        theirs = [
            {label.strip(): value.strip() for label, value in fields.items() if label[:2] != "__"}
            for fields in in_order(expected.get("fields"))
            if {"member": "Slot Number", "volume": "Virtual Drive"}[kind] in fields
        ]
        assert not theirs or len(ours) == len(theirs)
        for mine, fields in zip(ours, theirs, strict=False):
            count += compared({name: value.strip() for name, value in mine.items()}, fields)
    drives = in_order(expected.get("drives"))
    members = raid_megacli.parse(text)["members"]
    assert not drives or len(members) == len(drives)
    return count + sum(drive(*pair, 1024) for pair in zip(members, drives, strict=False))


def in_order(items: Any) -> list[dict[str, Any]]:
    """Return the items of a list, or of a mapping by their numbers."""
    if isinstance(items, dict):
        numbers = sorted(items, key=lambda number: (len(number), number))
        items = items["disks"] if "disks" in items else [items[number] for number in numbers]
    return items or []


def drive(ours: dict[str, Any], theirs: dict[str, Any], base: int) -> int:
    """
    Compare one drive with that of glpi-agent.

    It splits the maker from the model by a list of its own, and computes the size
    from what is written, rounded: in units of ``base``, to three digits.
    """
    count = compared(
        {
            "SERIALNUMBER": ours.get("serial_number"),
            "FIRMWARE": ours.get("firmware_version"),
            "DESCRIPTION": (ours.get("transport") or "").upper() or None,
        },
        {name: value for name, value in theirs.items() if ours.get(FIELDS.get(name, ""))},
    )
    if theirs.get("MODEL"):
        assert ours["model"].endswith(theirs["MODEL"])
        count += 1
    if theirs.get("DISKSIZE") and ours.get("size_bytes"):
        size = int(theirs["DISKSIZE"])
        candidates = [size * 1000 * 1000, size * 1024 * 1024]
        # A terabyte of theirs is 1000 000 whatever the tool meant.
        candidates += [size * 1024**3 // 1000, size * 1024**4 // 1000_000]
        assert min(abs(each - ours["size_bytes"]) for each in candidates) < ours["size_bytes"] / 200
        count += 1
    return count


FIELDS = {
    "SERIALNUMBER": "serial_number",
    "FIRMWARE": "firmware_version",
    "DESCRIPTION": "transport",
}


def ssacli(text: str, expected: dict[str, Any]) -> int:
    facts = raid_ssacli.parse(text)
    theirs = expected.get("parsed")
    if isinstance(theirs, dict):
        (member,) = facts["members"]
        # The name has the maker before the model, unless that is "ATA".
        assert theirs["NAME"].split()[-len(member["model"].split()) :] == member["model"].split()
        return 1 + drive(member, {k: v for k, v in theirs.items() if k != "MODEL"}, 1000)
    if theirs and isinstance(theirs[0], int):
        assert {item["id"] for item in facts["controllers"]} == {
            f"smartarray:{slot}" for slot in theirs
        }
    else:
        addresses = {f"{member['enclosure']}:{member['slot']}" for member in facts["members"]}
        assert addresses == set(theirs)
    return len(theirs)


def one_per_line(text: str, expected: dict[str, Any]) -> int:
    """Compare megasasctl and mpt-status, where a drive is a line."""
    name = tool(text)
    assert name is not None
    members = READERS[name](text)["members"]
    drives = in_order(expected.get("drives"))
    if name == "mpt-status":  # they are numbered as we sort them
        drives = sorted(drives, key=lambda item: item["device"])
    assert len(members) == len(drives)
    return sum(drive(*pair, 1024) for pair in zip(members, drives, strict=True))


def proc_scsi(text: str, expected: dict[str, Any]) -> int:
    facts = adaptec.parse_proc(text)
    others = re.findall(r"Model: (.{16}).*\n +Type: +(?!Direct)\S+", text)
    # glpi-agent lists volumes and an enclosure as disks.
    not_disks = {item["name"] for item in facts["volumes"]} | {name.strip() for name in others}
    drives = [d for d in in_order(expected["drives"]) if d["MODEL"] not in not_disks]
    assert len(facts["members"]) == len(drives)
    return 1 + sum(drive(*pair, 1024) for pair in zip(facts["members"], drives, strict=True))


COMPARISONS = {
    "mdadm": mdadm,
    "megacli": megacli,
    "ssacli": ssacli,
    "megasasctl": one_per_line,
    "mpt-status": one_per_line,
    "/proc/scsi/scsi": proc_scsi,
}


def cases() -> list[Any]:
    found = []
    for path in files():
        name = tool(written(path))
        if name in COMPARISONS and expectation(path):
            found.append(pytest.param(path, name, id=corpus_name(path)))
    return found


@needs_corpus
@pytest.mark.parametrize(("path", "name"), cases())
def test_a_tool_is_read_as_its_peers_read_it(path, name):
    assert COMPARISONS[name](written(path), expectation(path)) > 0


@needs_corpus
def test_hundreds_of_facts_are_compared():
    count: Counter[str] = Counter()
    for case in cases():
        path, name = case.values
        count[name] += COMPARISONS[name](written(path), expectation(path))
    print(dict(count))
    assert sum(count.values()) > 1000
    assert set(count) == set(COMPARISONS)


def known_files(*names: str) -> list[Any]:
    tools = ((path, tool(written(path))) for path in files())
    return [pytest.param(path, name, id=corpus_name(path)) for path, name in tools if name in names]


@needs_corpus
@pytest.mark.parametrize(("path", "name"), known_files("storcli", "megacli", "areca"))
def test_every_drive_and_volume_that_a_text_names_is_found(path, name):
    """Find by simple patterns what no peer describes."""
    text = written(path)
    facts = READERS[name](text)
    if name == "storcli":
        drives = set(re.findall(r'"EID:Slt" ?: ?"\s*([^"]*\d)\s*"', text))
        assert {
            f"{item.get('enclosure', '')}:{item['slot']}" for item in facts["members"]
        } == drives
        volumes = set(re.findall(r'"DG/VD" ?: ?"[^"/]*/(\d+)"', text))
        assert {item["id"] for item in facts["volumes"]} == volumes
    if name == "areca":
        rows = re.findall(r"^ *\d+ +\d+ .*[GT]B +(?!N\.A\.)\S", text, re.M)
        assert len(facts["members"]) == text.count("Device Location ") + len(rows)
    if name == "megacli":
        slots = set(re.findall(r"Slot Number: *(\d+)", text))
        assert {item["slot"] for item in facts["members"]} == slots
    for item in facts["members"] + facts["volumes"]:
        assert item.get("size_bytes") is None or item["size_bytes"] > 10**9
        assert item.get("health") in ("ok", "degraded", "failed", None)


@needs_corpus
@pytest.mark.parametrize(("path", "name"), known_files(*READERS))
def test_what_real_tools_write_is_understood_to_the_last_line(path, name):
    found = READERS[name](written(path))
    assert found.get(UNREAD, []) == []
    assert unknown_states(found) == []


def test_a_size_is_exact_where_the_tool_tells_the_sectors():
    assert size_bytes("223.570 GB [0x1bf244b0 Sectors]") == 0x1BF244B0 * 512
    assert size_bytes("3.638 TB [0x3a3812ab Sectors]") == 0x3A3812AB * 4096


CORPUS_TEXTS = [written(path) for path in files()]
SEEDS = [text[:2000] for text in CORPUS_TEXTS] or ["/dev/md0:\n  Raid Level : raid1\n"]
MUTATIONS = st.tuples(
    st.sampled_from(SEEDS),
    st.lists(
        st.tuples(
            st.integers(0, 2000),
            st.integers(0, 40),
            st.text(max_size=12) | st.sampled_from(["\n", ":", " : ", "{", "[", "/c0", "9" * 30]),
        ),
        max_size=6,
    ),
)


def mutated(seed: str, edits: list[tuple[int, int, str]]) -> str:
    for at, length, text in edits:
        seed = seed[:at] + text + seed[at + length :]
    return seed


def assert_is_view(view: dict[str, Any]) -> None:
    assert set(view) - {UNREAD} == {"controllers", "volumes", "members"}
    assert len(view.get(UNREAD, ())) <= MAX_UNREAD
    assert all(isinstance(item, dict) for items in view.values() for item in items)
    encode(clean(view))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MUTATIONS, st.sampled_from(sorted(READERS)))
def test_no_damaged_output_raises(mutation, name):
    assert_is_view(READERS[name](mutated(*mutation)))


@settings(max_examples=100, deadline=None)
@given(st.text(), st.sampled_from(sorted(READERS)))
def test_no_text_raises(text, name):
    assert_is_view(READERS[name](text))


NAMES = """
    Controllers|Command Status|Response Data|Controller|PD LIST|VD LIST|EID:Slt|DG/VD|State|Size|DG
    |/c0/v0|Drive /c0/e1/s1|Drive /c0/e1/s1 - Detailed Information|PDs for VD 0|VD0 Properties
    |BBU_Info|Status|PCI Address|Basics"""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([name.strip() for name in NAMES.split("|")]), inner, max_size=5
        )
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(JSON, JSON)
def test_no_json_raises(response, other):
    document = {
        "Controllers": [
            {"Command Status": {"Controller": 0}, "Response Data": response},
            other,
        ]
    }
    assert_is_view(storcli.parse(json.dumps(document)))
    assert_is_view(storcli.parse(json.dumps(other)))


@pytest.mark.parametrize("name", sorted(READERS))
@pytest.mark.parametrize(
    "text",
    [
        " " * 200_000,
        "a0 x " + " " * 200_000,
        "\n".join(" " * depth + "x" for depth in range(2000)),
        "Virtual Drive: 1\nEnclosure Device ID: 1\n" * 5_000,
        "[" * 100_000,
        "9" * 100_000,
    ],
    ids=["blanks", "one long line", "ever deeper", "many blocks", "brackets", "digits"],
)
def test_a_hostile_output_costs_little(name, text):
    began = time.thread_time()
    assert_is_view(READERS[name](text))
    assert time.thread_time() - began < 20
