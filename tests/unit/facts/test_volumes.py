import pytest
from hypothesis import given
from hypothesis import strategies as st

from salt_ext.document import normal
from salt_ext.document.volatile import split
from salt_ext.facts import mdstat
from salt_ext.facts.volumes import PARTS, array_uuid, lvm, md, multipath, volume_names
from tests.corpus import CORPUS, corpus_files, needs_corpus
from tests.unit.facts.captures import captures, expectation, unpacked
from tests.unit.facts.trees import tree

ARRAY = {
    "array_state": "clean",
    "degraded": "1",
    "level": "raid5",
    "metadata_version": "1.2",
    "raid_disks": "3",
    "sync_action": "recover",
    "sync_completed": "1569888 / 2093056",
    "mismatch_cnt": "0",
    "uuid": "7615b98d-f2ba-4d99-bee8-6202d8e130b9",
    "dev-sdn1/state": "in_sync",
    "dev-sdo1/state": "faulty",
    "dev-sdp1/state": "spare",
}
MDSTAT = """\
Personalities : [raid1] [raid6] [raid5] [raid4]
md42 : active raid5 sda1[3](S) sdd1[0] sde1[1](F)
      1953381440 blocks super 1.2 level 5, 64k chunk, algorithm 2 [3/2] [UU_]
      [===========>.........]  recovery = 56.1% (1096879076/1953381440) finish=18.4min
      bitmap: 4/15 pages [16KB], 65536KB chunk

md11 : active (auto-read-only) raid1 sdb2[0] sdc2[1]
      4190208 blocks super 1.2 [2/2] [UU]
      resync=PENDING

md219 : inactive sdb[2](S)
        7932 blocks super external:imsm

unused devices: <none>
"""
GROUP, VOLUME = "3zSHSR5Nbf4j7g6auAAefWY2CMaX01th", "eZYEvQyecVsm2WtX3iY5q51qq5dWWOq7"


def array(where, **changed):
    files = {**ARRAY, **changed}
    return tree(
        where,
        {f"sys/block/md5/md/{k}": f"{v}\n" for k, v in files.items() if v is not None}
        | {"sys/block/md5/size": "2093056\n"},
        {"sys/block/md5/md/rd0": "dev-sdn1", "sys/block/md5/md/rd1": "dev-sdo1"},
    )


def test_an_array_is_described(tmp_path):
    assert md(array(tmp_path)) == [
        {
            "name": "md5",
            "uuid": "7615b98d-f2ba-4d99-bee8-6202d8e130b9",
            "level": "raid5",
            "metadata_version": "1.2",
            "state": "active",
            "raid_disks": 3,
            "size_bytes": 1071644672,
            "members": [
                {"name": "sdn1", "slot": 0, "state": "in_sync"},
                {"name": "sdo1", "slot": 1, "state": "faulty"},
                {"name": "sdp1", "slot": None, "state": "spare"},
            ],
            "health": {"degraded": 1},
            "volatile": {
                "array_state": "clean",
                "action": "recover",
                "progress": "1569888 / 2093056",
                "mismatch_count": 0,
            },
        }
    ]


def test_writing_to_an_array_and_checking_it_is_no_change(tmp_path):
    found = [
        md(array(tmp_path / state, array_state=state, sync_action=action, sync_completed=progress))
        for state, action, progress in (
            ("clean", "idle", "none"),
            ("active", "check", "5 / 10"),
            ("write-pending", "idle", "none"),
            ("read-auto", "idle", "none"),
        )
    ]
    assert len({str(item) for item in found}) == 4
    assert len({str(split(normal({"md": item}))[0]) for item in found}) == 1


@pytest.mark.parametrize("state", ["inactive", "readonly", "suspended", "broken"])
def test_a_state_that_matters_is_a_change(tmp_path, state):
    assert md(array(tmp_path, array_state=state))[0]["state"] == state


def test_an_array_that_grows_has_two_numbers_of_disks(tmp_path):
    assert md(array(tmp_path, raid_disks="5 (4)"))[0]["raid_disks"] == 5


def test_an_array_that_needs_all_its_disks_has_no_health(tmp_path):
    assert md(array(tmp_path, level="raid0", degraded=None))[0]["health"] is None


def test_an_older_kernel_leaves_the_uuid_to_udev(tmp_path):
    array(tmp_path, uuid=None)
    said = "S:md/home\nE:MD_LEVEL=raid5\nE:MD_UUID=7615b98d:f2ba4d99:bee86202:d8e130b9\n"
    root = tree(tmp_path, {"sys/block/md5/dev": "9:5\n", "run/udev/data/b9:5": said})
    assert md(root)[0]["uuid"] == "7615b98d-f2ba-4d99-bee8-6202d8e130b9"


@pytest.mark.parametrize("text", [None, "", "none", "00000000-0000-0000-0000-000000000000"])
def test_no_uuid_is_none(text):
    assert array_uuid(text) is None


def test_a_kernel_without_sysfs_has_mdstat(tmp_path):
    found = md(tree(tmp_path, {"proc/mdstat": MDSTAT}))
    assert found[0] == {
        "name": "md42",
        "level": "raid5",
        "state": "active",
        "members": [
            {"name": "sda1", "state": "spare"},
            {"name": "sdd1", "state": "in_sync"},
            {"name": "sde1", "state": "faulty"},
        ],
        "size_bytes": 1953381440 * 1024,
        "metadata_version": "1.2",
        "raid_disks": 3,
        "health": {"degraded": 1},
        "volatile": {"action": "recover"},
    }
    assert [item["name"] for item in found] == ["md42", "md11", "md219"]
    assert (found[1]["level"], found[1]["volatile"]) == ("raid1", {"action": "resync"})
    assert (found[2]["level"], found[2]["state"]) == (None, "inactive")
    assert found[2]["metadata_version"] == "external:imsm"


def test_what_is_no_member_is_not_taken_for_one():
    (found,) = mdstat.arrays("md1 : active raid1 sda1[0] [1] sdb1[x] sdc1[2 sdd1\n")
    assert [member["name"] for member in found["members"]] == ["sda1"]


def test_sysfs_goes_over_mdstat(tmp_path):
    array(tmp_path)
    text = "md5 : active raid1 sda1[0]\nmd9 : active raid1 sdb1[0]\n"
    found = md(tree(tmp_path, {"proc/mdstat": text}))
    assert [(item["name"], item["level"]) for item in found] == [("md5", "raid5"), ("md9", "raid1")]


def test_no_array_and_no_look_are_different(tmp_path):
    assert md(tree(tmp_path / "a", {"sys/block/sda/size": "8"})) == []
    assert md(tree(tmp_path / "b", {"sys/class/net/lo/mtu": "1"})) is None
    assert multipath(tree(tmp_path / "b", {})) is None
    assert lvm(tree(tmp_path / "b", {})) is None


def mapped(number, name, uuid, slaves=()):
    home = f"sys/block/dm-{number}"
    return {
        f"{home}/dm/name": f"{name}\n",
        f"{home}/dm/uuid": f"{uuid}\n",
        f"{home}/size": "2048\n",
        **{f"{home}/slaves/{slave}/size": "1" for slave in slaves},
    }


def test_a_multipath_device_is_described(tmp_path):
    root = tree(
        tmp_path,
        {
            **mapped(1, "mpathA", "mpath-3600508B400105E210000900000490000", ["sdb", "sdc"]),
            **mapped(2, "vg-lv", f"LVM-{GROUP}{VOLUME}", ["dm-1"]),
        },
    )
    assert multipath(root) == [
        {
            "name": "mpathA",
            "wwid": "3600508B400105E210000900000490000",
            "wwn": "600508b400105e210000900000490000",
            "size_bytes": 1048576,
            "volatile": {"paths": ["sdb", "sdc"]},
        }
    ]


def test_a_volume_is_described_by_what_it_lies_on(tmp_path):
    root = tree(
        tmp_path,
        {
            **mapped(0, "vg--0-root", f"LVM-{GROUP}{VOLUME}", ["dm-1", "dm-2"]),
            **mapped(1, "vg--0-root_rimage_0", f"LVM-{GROUP}{VOLUME[::-1]}", ["sda2"]),
            **mapped(2, "vg--0-root_rimage_1", f"LVM-{GROUP}{VOLUME.swapcase()}", ["dm-3"]),
            **mapped(3, "mpathB", "mpath-3600508b400105e21", ["sdc", "sdd"]),
        },
    )
    assert lvm(root) == [
        {
            "volume_group": "vg-0",
            "name": "root",
            "uuid": "eZYEvQ-yecV-sm2W-tX3i-Y5q5-1qq5-dWWOq7",
            "volume_group_uuid": "3zSHSR-5Nbf-4j7g-6auA-AefW-Y2CM-aX01th",
            "size_bytes": 1048576,
            "devices": ["mpathB", "sda2"],
        }
    ]


def test_devices_in_a_circle_end(tmp_path):
    root = tree(
        tmp_path,
        {
            **mapped(0, "vg-a", f"LVM-{GROUP}{VOLUME}", ["dm-1"]),
            **mapped(1, "vg-b", f"LVM-{GROUP}{VOLUME[::-1]}", ["dm-0"]),
        },
    )
    assert [item["name"] for item in lvm(root)] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "uuid", "names"),
    [
        ("vg-lv", f"LVM-{GROUP}{VOLUME}", ("vg", "lv")),
        ("vg--a-lv--b", f"LVM-{GROUP}{VOLUME}", ("vg-a", "lv-b")),
        ("vg-thin", f"LVM-{GROUP}{VOLUME}-pool", ("vg", "thin")),
        ("vg-thin-tpool", f"LVM-{GROUP}{VOLUME}-tpool", None),
        ("vg-lv-real", f"LVM-{GROUP}{VOLUME}-real", None),
        ("vg-lv_rmeta_0", f"LVM-{GROUP}{VOLUME}", None),
        ("odd", f"LVM-{GROUP}{VOLUME}", (None, "odd")),
        ("mpathA", "mpath-3600", None),
        ("cryptroot", "CRYPT-LUKS2-0123", None),
        ("short", "LVM-abc", None),
    ],
)
def test_only_volumes_of_their_own_have_names(name, uuid, names):
    assert volume_names(name, uuid) == names


TEXTS = [MDSTAT]
if CORPUS:
    TEXTS += [
        block.partition("\n---")[0]
        for path in corpus_files("*/sysfs_tree/*.ttar")
        for block in path.read_text().split("/mdstat\n")[1:]
    ]


@given(st.data())
def test_any_mdstat_can_be_read(data):
    text = data.draw(st.sampled_from(TEXTS))
    at, size = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 12))
    changed = text[:at] + data.draw(st.text("md:[]()0/= \nFS", max_size=8)) + text[at + size :]
    for item in mdstat.arrays(changed):
        assert item["name"].startswith("md")
        assert item.get("raid_disks", 0) >= 0


@given(st.text(max_size=300))
def test_any_text_can_be_read_as_mdstat(text):
    assert len(mdstat.arrays(text)) <= len(text.splitlines())


@needs_corpus
@pytest.mark.parametrize("path", captures("*/sysfs_tree/*", having="mdraid"))
def test_the_arrays_are_those_of_procfs(path, tmp_path):
    expected = expectation(path)
    found = {item["name"]: item for item in md(unpacked(path, tmp_path, ("/block/md",)))}
    count = 0
    for name, (level, state, disks, degraded) in expected["mdraid"].items():
        if name == "_columns":
            continue
        item = found[name]
        assert (item["level"], item["volatile"]["array_state"]) == (level, state)
        assert item["raid_disks"] == disks
        # procfs has a zero where the kernel has no file.
        assert (item["health"] or {"degraded": 0})["degraded"] == degraded
        count += 4
    for key, value in expected.items():
        name, _, what = key.removeprefix("mdraid_").partition("_")
        if key.startswith("mdraid_") and what == "uuid":
            assert found[name]["uuid"] == value
            count += 1
        elif key.startswith("mdraid_") and what == "members":
            assert {part["name"]: part["state"] for part in found[name]["members"]} == value
            count += len(value)
    print(f"{count} facts of arrays")
    assert count > 30


INSIDE = (*PARTS, "-tpool", "-real", "-cow", "_vorigin", "_vdata", "_cpool", "_corig", "_cvol")


@needs_corpus
@pytest.mark.parametrize("path", captures("util-linux/block_tree/*", having="lsblk_tables"))
def test_the_volumes_are_those_of_lsblk(path, tmp_path):
    table = [line.split() for line in expectation(path)["lsblk_tables"]["basic"]]
    wanted = {row[0].lstrip("|`-") for row in table if len(row) > 5 and row[5] == "lvm"}
    found = lvm(unpacked(path, tmp_path, ("/block/",)))
    names = {f"{item['volume_group']}-{item['name']}" for item in found}
    # lsblk lists what LVM keeps inside a volume too.
    missing = {name.replace("--", "-") for name in wanted} - names
    assert not names - {name.replace("--", "-") for name in wanted}
    assert all(any(word in name for word in INSIDE) for name in missing)
