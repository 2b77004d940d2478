"""What mdadm tells of a software array."""

from salt_ext.facts.raid import mdadm

DETAIL = """\
/dev/md127:
           Version : 1.2
     Creation Time : Sun Aug  7 21:15:49 2022
        Raid Level : raid1
        Array Size : 1046528 (1022.00 MiB 1071.64 MB)
     Used Dev Size : 1046528 (1022.00 MiB 1071.64 MB)
      Raid Devices : 2
     Total Devices : 3
             State : clean, degraded, recovering
    Failed Devices : 1
     Spare Devices : 1
    Rebuild Status : 35% complete
              Name : web01:root  (local to host web01)
              UUID : 0f1e2d3c:4b5a6978:8796a5b4:c3d2e1f0
            Events : 17

    Number   Major   Minor   RaidDevice State
       0       8        1        0      active sync   /dev/sda1
       2       8       33        1      spare rebuilding   /dev/sdc1

       1       8       17        -      faulty   /dev/sdb1
"""


def test_mdadm_tells_what_the_kernel_does_not():
    found = mdadm.parse(DETAIL)
    assert found["volumes"] == [
        {
            "id": "md127",
            "name": "web01:root",
            "uuid": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            "level": "RAID1",
            "metadata_version": "1.2",
            "created_at": "2022-08-07T21:15:49",
            "size_bytes": 1046528 * 1024,
            "member_size_bytes": 1046528 * 1024,
            "raid_devices": 2,
            "spare_devices": 1,
            "failed_devices": 1,
            "health": "degraded",
            "members": ["sda1", "sdb1", "sdc1"],
            "volatile": {
                "state": "clean, degraded, recovering",
                "rebuild_percent": 35,
                "events": 17,
            },
        }
    ]
    assert {(one["name"], one["health"], one.get("raid_device")) for one in found["members"]} == {
        ("sda1", "ok", 0),
        ("sdc1", "degraded", 1),
        ("sdb1", "failed", None),
    }
    good = mdadm.parse(DETAIL.replace("clean, degraded, recovering", "active, recovering"))
    assert good["volumes"][0]["health"] == "ok"  # it copies to a replacement
    mirrors = DETAIL.replace("active sync ", "active sync set-A ")
    assert mdadm.parse(mirrors)["members"][0]["state"] == "active sync set-A"
    strange = f"{DETAIL}       3        8       49    entangled with /dev/sdd1\n"
    (line,) = mdadm.parse(strange)["unread"]
    assert line == {"line": "3 8 49 entangled with /dev/sdd1"}
    for text in ("", "mdadm: cannot open /dev/md1: No such file or directory", "/dev/md1"):
        assert mdadm.parse(text) == {"controllers": [], "volumes": [], "members": []}
    assert "created_at" not in mdadm.parse(DETAIL.replace("Aug", "Avg"))["volumes"][0]


def test_of_arrays_64_are_asked():
    asked = []
    mdadm.read(lambda *arguments: asked.append(arguments) or "", [f"md{one}" for one in range(65)])
    assert len(asked) == 64
    assert asked[0] == ("--detail", "/dev/md0")
