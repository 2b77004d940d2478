"""One tool in several versions: what older and newer ones write, and what nobody has seen yet."""

import pytest

from salt_ext.facts.raid import adaptec, megacli, mptstatus, told
from salt_ext.facts.raid.view import MAX_UNREAD, unread
from salt_ext.facts.root import Root

SERIAL, MODEL = "WD-WX0000000001", "WDC WD0000TEST-01Y7B1"


def lines_of(found):
    return [item["line"] for item in found.get("unread", ())]


def sata(inquiry, level="1V02"):
    text = "Adapter #0\n\nEnclosure Device ID: 32\nSlot Number: 0\nPD Type: SATA\n"
    text += f"Firmware state: Online\nDevice Firmware Level: {level}\nInquiry Data: {inquiry}\n"
    found = megacli.parse(text)
    assert lines_of(found) == []
    (drive,) = found["members"]
    return drive


COLUMNS = {
    "the firmware's last four characters are told": f"{SERIAL:>20}{MODEL:<40}01.01V02",
    "its first four are": f"{SERIAL:>20}{MODEL:<40}1V02    ",
    "the serial number is at the left": f"{SERIAL:<20}{MODEL:<40}01.01V02",
    "blanks at the start were lost": f"{SERIAL}{MODEL:<40}01.01V02",
    "the model comes first": f"{MODEL:<40}{SERIAL:>20}01.01V02",
    "the firmware comes between": f"{MODEL:<40}01.01V02{SERIAL:<20}",
}


@pytest.mark.parametrize("inquiry", COLUMNS.values(), ids=COLUMNS)
def test_megacli_s_columns_of_a_sata_drive_are_found_by_its_firmware(inquiry):
    drive = sata(inquiry)
    assert (drive["serial_number"], drive["model"]) == (SERIAL, MODEL)
    assert drive["firmware_version"] == "1V02"


def test_a_sata_drive_that_megacli_shows_as_a_scsi_one_has_no_vendor():
    drive = sata(f"{'ATA':<8}{'ST00TEST':<16}1V02{'9XF00001':>20}")
    assert "vendor" not in drive
    assert (drive["model"], drive["serial_number"]) == ("ST00TEST", "9XF00001")


MEGACLI_VOLUME = """Adapter 0 -- Virtual Drive Information:
Virtual Drive: 0 (Target Id: 0)
Name                :data
RAID Level          : Primary-5, Secondary-0, RAID Level Qualifier-3
Size                : 2.000 TB
State               : Optimal
"""


@pytest.mark.parametrize(
    "head",
    ["Quantum Virtual Drive: 1 (Target Id: 1)", "\n\nQuantum Pool: 1", "Pool 1 on Adapter 0"],
)
def test_a_block_of_megacli_that_nobody_knows_ends_the_one_before_and_is_told(head):
    found = megacli.parse(f"{MEGACLI_VOLUME}\n{head}\nName:other\nSize:1.0 GB\nState: Failed\n")
    (volume,) = found["volumes"]
    assert (volume["name"], volume["state"]) == ("data", "Optimal")
    assert lines_of(found) == [head.strip()]


def test_a_cachecade_drive_is_a_volume_of_its_own():
    text = f"{MEGACLI_VOLUME}\n\nCacheCade Virtual Drive: 1 (Target Id: 1)\n"
    text += "Virtual Drive Type: CacheCade \nName:cache\nSize:512.0 GB\n"
    found = megacli.parse(text)
    assert [(one["id"], one["name"], one["level"]) for one in found["volumes"]] == [
        ("0", "data", "RAID5"),
        ("1", "cache", "CacheCade"),
    ]
    assert lines_of(found) == []


def test_a_line_of_a_drive_that_is_no_field_and_a_refusal_are_told():
    found = megacli.parse(f"{MEGACLI_VOLUME}Entangled with adapter seven\n")
    assert lines_of(found) == ["Entangled with adapter seven"]
    refused = megacli.parse("Adapter 0: Failed to get the list of drives.\nExit Code: 0x01\n")
    assert lines_of(refused) == ["Adapter 0: Failed to get the list of drives."]
    without = (
        "Adapter 0: Get BBU Status Failed.\n\nFW error description: \n none\n\nExit Code: 0x22"
    )
    assert lines_of(megacli.parse(without)) == []


BATTERY = """BBU status for Adapter: 0

BatteryType: iBBU
Temperature: 30 C
{state}
BBU Firmware Status:
  Temperature                  : OK
  Battery Pack Missing         : {missing}
  Battery Replacement required : {replace}
  Pack is about to fail & should be replaced : {failing}
"""


@pytest.mark.parametrize(
    ("state", "missing", "replace", "failing", "health"),
    [
        ("Battery state: ", "No", "No", "No", "ok"),
        ("Battery state: ", "No", "Yes", "No", "degraded"),
        ("Battery state: ", "No", "No", "Yes", "degraded"),
        ("Battery state: ", "Yes", "No", "No", "failed"),
        ("Battery State: Operational", "No", "No", "No", "ok"),
        ("Battery State: Operational", "No", "Yes", "No", "degraded"),
        ("Battery State     : Non Operational", "No", "No", "No", "failed"),
    ],
)
def test_a_battery_has_a_health_even_where_megacli_leaves_its_state_blank(
    state, missing, replace, failing, health
):
    text = BATTERY.format(state=state, missing=missing, replace=replace, failing=failing)
    (controller,) = megacli.parse(text)["controllers"]
    assert controller["battery"]["health"] == health
    assert controller["battery"]["volatile"] == {"temperature_celsius": 30}


def test_a_work_on_a_volume_of_megacli_has_a_progress_and_is_no_state():
    work = "Ongoing Progresses:\n  Check Consistency        : Completed 36%, Taken 42 min.\n"
    found = megacli.parse(f"{MEGACLI_VOLUME}{work}Encryption Type     : None\n")
    (volume,) = found["volumes"]
    assert (volume["state"], volume["volatile"]) == ("Optimal", {"progress_percent": 36})
    assert lines_of(found) == []


DASHES = "-" * 70
INNER = f"   {'-' * 56}"


def arcconf(volume="", devices="", controller="Optimal"):
    return f"""Controllers found: 1
{DASHES}
Controller information
{DASHES}
   Controller Status                        : {controller}
   Controller Model                         : Test 1000
{DASHES}
Logical device information
{DASHES}
{volume}
{DASHES}
Physical Device information
{DASHES}
{devices}

Command completed successfully.
"""


DISKS = """      Device #0
         Device is a Hard drive
         State                              : Online
         Transfer Speed                     : SAS 6.0 Gb/s
         Reported Channel,Device(T:L)       : 0,0(0:0)
         Reported Location                  : Enclosure 2, Slot 4
         Model                              : TESTDISK
         Serial number                      : SN0001
         World-wide name                    : 30000D1F00000001
      Device #1
         Device is a Hard drive
         State                              : Rebuilding
         Transfer Speed                     : SATA 6.0 Gb/s
         Reported Channel,Device(T:L)       : 0,1(1:0)
         Reported Location                  : Enclosure 2, Slot 5
         Model                              : TESTDISK
         Serial number                      : SN0002
         World-wide name                    : 5000C50000000002
"""
SEGMENTS = {
    "series 8": "Segment 0 : Present (457862MB, SATA, HDD, Enclosure:2, Slot:4) SN0001",
    "series 5": "Segment 0 : Present (Controller:1,Enclosure:2,Slot:4)         SN0001",
    "a mirror": "Group 0, Segment 0 : Present (0,0)      SN0001",
    "ServeRAID, without serial numbers": "Segment 0 : Present (0,0) ",
    "masked serial numbers": "Segment 0 : Present (Controller:1,Enclosure:2,Slot:4) xxxx",
    "SmartRAID": "Device 0 : Present (457862MB, SAS, HDD, Connector:0, Device:9) SN0001",
    "no longer in step": "Segment 0 : Inconsistent (0,0) SN0001",
}


@pytest.mark.parametrize("segment", SEGMENTS.values(), ids=SEGMENTS)
@pytest.mark.parametrize("word", ["device", "drive"])
def test_the_disks_of_a_volume_are_found_in_the_words_of_every_arcconf(segment, word):
    volume = f"""Logical {word} number 7
   Logical {word} name                      : data
   RAID level                               : 6 Reed-Solomon
   Status of logical {word}                 : Offline
{INNER}
   Logical device segment information
{INNER}
   {segment}
   Segment 1                                : Missing
"""
    found = adaptec.parse(arcconf(volume, DISKS))
    assert lines_of(found) == []
    (one,) = found["volumes"]
    assert (one["id"], one["name"], one["level"], one["health"]) == ("7", "data", "RAID6", "failed")
    assert one["members"] == ["Enclosure 2:4"]
    assert [drive.get("wwn") for drive in found["members"]] == [None, "5000c50000000002"]


def test_what_arcconf_lists_beside_disks_is_no_disk():
    devices = (
        DISKS
        + """      Device #6
         Device is an Enclosure
         Type                               : SAF-TE
         Status of Enclosure
            Temperature status              : Normal
      Device #7
         Device is an Enclosure Services Device
      Device #8
         Device is a Teleporter
"""
    )
    found = adaptec.parse(arcconf(devices=devices, controller="Okay"))
    assert [drive["device_id"] for drive in found["members"]] == ["0", "1"]
    assert lines_of(found) == ["device is a teleporter"]
    assert found["controllers"][0]["health"] == "ok"


def test_serial_numbers_that_are_masked_are_nobody_s():
    volume = """Logical device number 0
   Segment 0                                : Present (0,0) xxxx
   Segment 1                                : Present (0,1) xxxx
"""
    masked = DISKS.replace("SN0001", "xxxx").replace("SN0002", "xxxx")
    found = adaptec.parse(arcconf(volume, masked))
    assert found["volumes"][0]["members"] == ["Enclosure 2:4", "Enclosure 2:5"]


def test_the_disks_of_a_volume_of_serveraid_8k_are_listed_over_several_lines():
    volume = """Logical drive number 1
   Stripe order (Channel,Device)            : 0,0
0,1
   Defunct segments                         : No
"""
    found = adaptec.parse(arcconf(volume, DISKS))
    assert found["volumes"][0]["members"] == ["Enclosure 2:4", "Enclosure 2:5"]
    assert lines_of(found) == []


def test_the_second_channel_of_a_parallel_bus_has_another_disk_0():
    device = """   Channel #{0}:
      Transfer Speed                        : Ultra320
      Initiator at SCSI ID 7
      Device #0
         Device is a Hard drive
         State                              : {1}
         Transfer Speed                     : {2}
         Reported Channel,Device            : {0},0
         Vendor                             : ST310003
         Model                              : 40NS
"""
    devices = device.format(0, "Online", "Ultra320") + device.format(1, "Defunct", "Defunct")
    found = adaptec.parse(arcconf(devices=devices))
    assert lines_of(found) == []
    first, second = found["members"]
    assert (first.get("enclosure"), second["enclosure"]) == (None, "Channel 1")
    assert (first["health"], first["transport"]) == ("ok", "scsi")
    assert (second["health"], second.get("transport")) == ("failed", None)
    # Old versions cut the model of a SATA disk, as if its first eight characters were a vendor.
    assert (first.get("vendor"), first["model"]) == (None, "ST31000340NS")


def test_a_section_of_arcconf_that_nobody_knows_ends_the_one_before_and_is_told():
    text = arcconf("Logical device number 0\n   Logical device name : data", DISKS)
    strange = f"{DASHES}\nTeleport information\n{DASHES}\n   Logical device name : other\n"
    inner = f"{INNER}\n   Entanglement Settings\n{INNER}\n   Status of logical device : Failed\n"
    found = adaptec.parse(text.replace("\n\n", f"\n{strange}", 1))
    assert lines_of(found) == ["Teleport information"]
    assert found["volumes"][0]["name"] == "data"
    found = adaptec.parse(text.replace("name : data", f"name : data\n{inner}"))
    assert lines_of(found) == ["Entanglement Settings"]
    assert "state" not in found["volumes"][0]
    assert lines_of(adaptec.parse("arcconf: command aborted\n")) == ["arcconf: command aborted"]


ARCCONF = """Controllers found: 1
----------------------------------------------------------------------
Controller information
----------------------------------------------------------------------
   Controller Status                        : Optimal
   Controller Model                         : Adaptec ASR71605
   Controller Serial Number                 : 3C4513A0123
   Temperature                              : 46 C/ 114 F (Normal)
   --------------------------------------------------------
   Controller Version Information
   --------------------------------------------------------
   BIOS                                     : 7.5-0 (32118)
   Firmware                                 : 7.5-0 (32118)
   --------------------------------------------------------
   Controller Cache Backup Unit Information
   --------------------------------------------------------
    Overall Backup Unit Status              : Not Ready

----------------------------------------------------------------------
Logical device information
----------------------------------------------------------------------
Logical Device number 0
   Logical Device name                      : LogicalDrv 0
   RAID level                               : 1
   Status of Logical Device                 : Degraded
   Size                                     : 457728 MB
   --------------------------------------------------------
   Logical Device segment information
   --------------------------------------------------------
   Segment 0                                : Present (457862MB, SATA, SSD, Enclosure:0) 7CS009RP
   Segment 1                                : Missing

----------------------------------------------------------------------
Physical Device information
----------------------------------------------------------------------
      Device #0
         Device is a Hard drive
         State                              : Online
         Transfer Speed                     : SATA 6.0 Gb/s
         Reported Channel,Device(T:L)       : 0,0(0:0)
         Reported Location                  : Enclosure 0, Slot 3(Connector 0)
         Vendor                             : ATA
         Model                              : XF1230-1A0480
         Firmware                           : ST200354
         Serial number                      : 7CS009RP
         World-wide name                    : 5000C500813BF05B
         Total Size                         : 457862 MB
         S.M.A.R.T.                         : No
         S.M.A.R.T. warnings                : 2
         SSD                                : Yes
      Device #1
         Device is an Enclosure Services Device
         Vendor                             : ADAPTEC
"""


def test_arcconf_is_read_section_by_section():
    assert adaptec.parse(ARCCONF) == {
        "controllers": [
            {
                "id": "adaptec:1",
                "model": "Adaptec ASR71605",
                "serial_number": "3C4513A0123",
                "firmware_version": "7.5-0 (32118)",
                "battery": {"state": "Not Ready", "health": None},
                "state": "Optimal",
                "health": "ok",
                "volatile": {"temperature_celsius": 46},
            }
        ],
        "volumes": [
            {
                "controller": "adaptec:1",
                "id": "0",
                "name": "LogicalDrv 0",
                "level": "RAID1",
                "size_bytes": 457728 * 1024**2,
                "members": ["Enclosure 0:3"],
                "state": "Degraded",
                "health": "degraded",
            }
        ],
        "members": [
            {
                "controller": "adaptec:1",
                "enclosure": "Enclosure 0",
                "slot": "3",
                "device_id": "0",
                "model": "XF1230-1A0480",
                "serial_number": "7CS009RP",
                "firmware_version": "ST200354",
                "wwn": "5000c500813bf05b",
                "size_bytes": 457862 * 1024**2,
                "transport": "sata",
                "media_type": "ssd",
                "state": "Online",
                "health": "degraded",
                "volatile": {"smart_warning_count": 2},
            }
        ],
    }


MPT_NEW = """\
ioc:0 vol_id:0 type:IM raidlevel:RAID-1 num_disks:2 size(GB):68 state: DEGRADED flags: ENABLED
ioc:0 phys_id:0 scsi_id:0 vendor:ATA      product_id:TESTDISK         revision:D    size(GB):149 \
state: ONLINE flags: NONE sync_state: 100 ASC/ASCQ:0xff/0xff SMART ASC/ASCQ:0x5d/0x00
"""
MPT_OLD = """\
ioc0 vol_id 0 type IM, 2 phy, 68 GB, state DEGRADED, flags ENABLED
ioc0 phy 0 scsi_id 0 ATA      TESTDISK         D   , 149 GB, state ONLINE, flags OUT_OF_SYNC
"""


@pytest.mark.parametrize("text", [MPT_NEW, MPT_OLD], ids=["-n", "sentences"])
def test_mpt_status_is_read_in_both_forms_and_ata_is_no_maker(text):
    found = mptstatus.parse(text)
    assert found["volumes"] == [
        {
            "controller": "mpt:0",
            "id": "0",
            "level": "RAID1",
            "size_bytes": 68 * 1024**3,
            "members": ["0"],
            "state": "DEGRADED",
            "health": "degraded",
        }
    ]
    assert found["members"] == [
        {
            "controller": "mpt:0",
            "slot": "0",
            "model": "TESTDISK",
            "firmware_version": "D",
            "size_bytes": 149 * 1024**3,
            "transport": "sata",
            "state": "ONLINE",
            "health": "degraded",
        }
    ]
    assert lines_of(mptstatus.parse(f"{text}ioc0 spare_of unknown kind\n")) == [
        "ioc0 spare_of unknown kind"
    ]


def test_mpt_status_is_asked_for_every_id_that_may_be_a_volume():
    asked = []

    def ask(*arguments):
        asked.append(arguments)
        return "Found SCSI id=1, use mpt-status -i 1" if arguments == ("-p",) else MPT_NEW

    mptstatus.read(ask)
    assert asked == [("-p",), *(("-n", "-i", str(number)) for number in range(1, 16))]
    assert mptstatus.read(lambda *_: "nothing") == {"controllers": [], "volumes": [], "members": []}


def test_what_is_not_understood_makes_the_section_partial_and_is_bounded():
    root = Root()
    found = {"controllers": [], "volumes": [], "members": [{"slot": "1", "state": "Entangled"}]}
    found["unread"] = unread(*(f"strange {number} {'x' * 1000}" for number in range(9999)))
    assert len(found["unread"]) == MAX_UNREAD
    assert "unread" not in told(root, found)
    (failure,) = root.failures
    assert str(failure).startswith("a RAID tool wrote what is not understood: 'strange 0 xxx")
    assert str(failure).endswith("and 43 more")
    assert len(str(failure)) < 1000
    assert told(Root(), {"controllers": [], "volumes": [], "members": []})
