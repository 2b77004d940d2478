"""What the RAID tools write on machines that the corpus has none of, in their formats."""

import json
import re

import pytest

from salt_ext.facts.raid import adaptec, areca, mdadm, megacli, ssacli, threeware
from salt_ext.facts.raid import storcli as raid_storcli
from salt_ext.facts.raid.view import (
    MEANINGS,
    WORDS,
    health,
    is_known,
    judged,
    level,
    lines,
    merged,
    size_bytes,
    unknown_states,
)

GB = 1024**3
TB = 1024**4


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("Optl", "ok"),
        ("Onln", "ok"),
        ("UGood", "ok"),
        ("Online, Spun Up", "ok"),
        ("Raw (Pass Through)", "ok"),
        ("active sync", "ok"),
        ("VERIFY-PAUSED", "ok"),
        ("Pdgd", "degraded"),
        ("Partially Degraded", "degraded"),
        ("Interim Recovery Mode", "degraded"),
        ("Ready for Rebuild", "degraded"),
        ("Suboptimal, Fault Tolerant", "degraded"),
        ("SMART-FAILURE", "degraded"),
        ("Needs Attention", "degraded"),
        ("Predictive Failure", "degraded"),
        ("OfLn", "failed"),
        ("UBad", "failed"),
        ("Unconfigured(bad)", "failed"),
        ("Failed (Replace Batteries)", "failed"),
        ("clean, FAILED", "failed"),
        ("Non Operational", "failed"),
        ("Defunct", "failed"),
        ("Okay", "ok"),
        ("Out of Sync (OSY)", "degraded"),
        ("Impacted ( Build/Verify with fix : 9 % )", "degraded"),
        ("Not Ready", None),
        ("Non-Initialized", None),
        ("NOT-SUPPORTED", None),
        ("active sync set-A", "ok"),
        ("Inactive, Okay (OKY)", "ok"),
        ("Sntze", None),
        ("", None),
        (None, None),
    ],
)
def test_the_words_of_all_tools_have_one_meaning(state, expected):
    assert health(state) == expected


STATES = {
    "failed": """
        bad; broken; dead; defunct; ejected; fail; failed; fatal; fault; faulty; fbad; fld;
        inaccessible; incomplete; incompleted; inoperable; lost; mis; missing;
        msng; offline; offln; ofln; removed; ubad; ubunsp; unusable""",
    "degraded": """
        attention; blocked; cbshld; cfshld; conflict; critical; degrade; degraded; dgd;
        dgrd; ecc; error; failing; failure; hspshld; impacted; improperly; inconsistent;
        interim; invalid; osy; overheated; overheating; partially; pdgd; predicted;
        predictive; rbld; rebuild; rebuilding; rec; recovering; recovery; replace;
        shielded; shld; suboptimal; ugshld; ugunsp; unsupported; warning; weakbat; wrong""",
    "ok": """
        active; assigned; available; avl; background; cac; charged; charging; clean;
        completed; conf; configured; copyback; cpybck; dhs; erase; expanding; expansion;
        foreign; free; functional; ghs; good; healthy; hotspare; hsp; idle; init;
        initializing; jbod; journal; learning; migrating; migration; new; normal; ok; okay;
        oky; onl; online; onln; operational; opt; optimal; optl; passed; passthrough; raw;
        rdy; ready; rebuilt; recharging; reconditioning; sby; spare; standby; transforming; ucon;
        uconf; ugood; unassigned; unconfigured; unused; verify; verifying""",
}
"""Every word that a tool is known to write of a volume, a drive or a battery."""


@pytest.mark.parametrize("meaning", STATES)
def test_each_word_alone_means_what_the_manual_of_its_tool_says(meaning):
    states = [one.strip() for one in STATES[meaning].split(";")]
    assert {one: health(one) for one in states} == dict.fromkeys(states, meaning)


def test_no_word_is_known_whose_meaning_is_not_stated_here():
    stated = set(re.findall("[a-z]+", " ".join(STATES.values()).lower()))
    assert {word for word, meaning in MEANINGS.items() if meaning != "neutral"} <= stated


@pytest.mark.parametrize("word", WORDS["neutral"].split())
def test_a_word_that_says_nothing_of_health_neither_spoils_nor_makes_it(word):
    assert health(word) is None
    assert health(f"{word} degraded") == "degraded"
    assert is_known(word)


def test_a_state_with_a_word_that_nobody_knows_is_never_ok_and_is_told():
    assert health("Optimal, entangled") is None
    assert health("Degraded, entangled") == "degraded"
    assert [is_known(one) for one in ("Optimal, entangled", "0x17", "Degraded, entangled")] == [
        False,
        False,
        True,
    ]
    found = merged([])
    found["volumes"] = [judged("Optimal") | {"id": "0"}, judged("Entangled") | {"id": "1"}]
    found["controllers"] = [{"id": "x", "battery": judged("Levitating")}]
    assert unknown_states(found) == ["volume state: Entangled", "battery state: Levitating"]


def test_a_part_that_announces_its_end_is_degraded_but_a_dead_one_is_dead():
    assert health("Onln", suspect=True) == "degraded"
    assert health("Failed", suspect=True) == "failed"


def test_progress_is_no_part_of_the_state():
    assert judged("Recovering, 35% complete") == {
        "state": "Recovering",
        "health": "degraded",
        "volatile": {"progress_percent": 35},
    }


def test_sizes_are_in_the_units_of_the_tool():
    assert size_bytes("1675GiB") == 1675 * GB
    assert size_bytes("457862 MB") == 457862 * 1024**2
    assert size_bytes("1 TB", 1000) == 10**12
    assert size_bytes("1000.2GB", 1000) == 1000200000000
    assert size_bytes("93.1  GB") is not None
    assert [size_bytes(text) for text in ("-", "", "Unknown", "0 KB", None)] == [None] * 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RAID 1+0", "RAID10"),
        ("raid10", "RAID10"),
        ("6", "RAID6"),
        ("RAID-1E", "RAID1E"),
        ("Raid5", "RAID5"),
        ("6 Reed-Solomon", "RAID6"),
        ("RAID 6 (ADG)", "RAID6"),
        ("container", "container"),
        ("JBOD", "JBOD"),
        ("-", None),
    ],
)
def test_a_level_has_one_name(text, expected):
    assert level(text) == expected


def test_of_several_outputs_the_first_that_knows_a_fact_counts():
    first = {"members": [{"controller": "x", "slot": "10", "size_bytes": 5, "volatile": {"a": 1}}]}
    second = {
        "members": [
            {"controller": "x", "slot": "10", "size_bytes": 6, "model": "M", "volatile": {"b": 2}},
            {"controller": "x", "slot": "9"},
        ]
    }
    assert merged([first, second]) == {
        "controllers": [],
        "volumes": [],
        "members": [
            {"controller": "x", "slot": "9"},
            {
                "controller": "x",
                "slot": "10",
                "size_bytes": 5,
                "model": "M",
                "volatile": {"a": 1, "b": 2},
            },
        ],
    }


def storcli(response, status="Success", controller=0):
    command = {"Controller": controller, "Status": status, "Description": "None"}
    return json.dumps({"Controllers": [{"Command Status": command, "Response Data": response}]})


DRIVE = {
    "EID:Slt": "252:0",
    "DID": 6,
    "State": "Onln",
    "DG": 0,
    "Size": "446.625 GB",
    "Intf": "SATA",
    "Med": "SSD",
    "Model": "MZ7LH480HAHQ",
}
SPARE = {**DRIVE, "EID:Slt": "252:7", "State": "DHS"}
ALERT = {
    "Media Error Count": 12,
    "Other Error Count": 0,
    "Drive Temperature": " 19C (66.20 F)",
    "Predictive Failure Count": 0,
    "S.M.A.R.T alert flagged by drive": "Yes",
}


def test_storcli_tells_all_of_a_drive_in_its_details():
    attributes = {
        "SN": "        Z4DS105ZTM3W",
        "Manufacturer Id": "ATA     ",
        "WWN": "500A07510C01A4DF",
        "Firmware Revision": "HPG6    ",
        "Raw size": "447.130 GB [0x37e436b0 Sectors]",
    }
    name = "Drive /c0/e252/s0"
    text = storcli(
        {
            name: [DRIVE],
            f"{name} - Detailed Information": {
                f"{name} State": ALERT,
                f"{name} Device attributes": attributes,
            },
        }
    )
    assert raid_storcli.parse(text) == {
        "controllers": [],
        "volumes": [],
        "members": [
            {
                "controller": "megaraid:0",
                "enclosure": "252",
                "slot": "0",
                "device_id": "6",
                "model": "MZ7LH480HAHQ",
                "serial_number": "Z4DS105ZTM3W",
                "firmware_version": "HPG6",
                "wwn": "500a07510c01a4df",
                "size_bytes": 0x37E436B0 * 512,
                "transport": "sata",
                "media_type": "ssd",
                "state": "Onln",
                "health": "degraded",
                "volatile": {
                    "temperature_celsius": 19,
                    "media_error_count": 12,
                    "other_error_count": 0,
                    "predictive_failure_count": 0,
                },
            }
        ],
    }


def test_storcli_tells_a_controller_with_its_battery_and_volumes():
    row = {"DG/VD": "0/239", "TYPE": "RAID1", "State": "Dgrd", "Size": "446.625 GB", "Name": "os"}
    text = storcli(
        {
            "Basics": {"Model": "PERC H740P", "Serial Number": "5AX", "PCI Address": "00:3b:00:01"},
            "Version": {"Firmware Version": "51.16", "Firmware Package Build": "51.16.0-4076"},
            "Status": {"Controller Status": "Needs Attention"},
            "HwCfg": {"ROC temperature(Degree Celsius)": 61},
            "VD LIST": [row],
            "PD LIST": [DRIVE, SPARE],
            "Cachevault_Info": [{"Model": "CVPM05", "State": "Optimal", "Temp": "31C"}],
        }
    )
    found = raid_storcli.parse(text)
    assert found["controllers"] == [
        {
            "id": "megaraid:0",
            "model": "PERC H740P",
            "serial_number": "5AX",
            "firmware_version": "51.16",
            "firmware_package": "51.16.0-4076",
            "pci_slot": "0000:3b:00.1",
            "battery": {
                "model": "CVPM05",
                "state": "Optimal",
                "health": "ok",
                "volatile": {"temperature_celsius": 31},
            },
            "state": "Needs Attention",
            "health": "degraded",
            "volatile": {"temperature_celsius": 61},
        }
    ]
    assert found["volumes"] == [
        {
            "controller": "megaraid:0",
            "id": "239",
            "name": "os",
            "level": "RAID1",
            "size_bytes": round(446.625 * GB),
            "members": ["252:0"],
            "state": "Dgrd",
            "health": "degraded",
        }
    ]
    assert [item["slot"] for item in found["members"]] == ["0", "7"]


def test_storcli_tells_a_volume_with_its_name_for_the_kernel():
    row = {"DG/VD": "0/0", "TYPE": "RAID1", "State": "Optl", "Size": "446.625 GB", "Name": ""}
    properties = {"Number of Blocks": 936640512, "SCSI NAA Id": "600605B00DA13540"}
    text = storcli({"/c1/v0": [row], "PDs for VD 0": [DRIVE], "VD0 Properties": properties}, "", 1)
    (volume,) = raid_storcli.parse(text)["volumes"]
    assert volume["wwn"] == "600605b00da13540"
    assert volume["size_bytes"] == 936640512 * 512
    assert volume["controller"] == "megaraid:1"


def test_the_second_generation_of_storcli_has_the_health_beside_the_state():
    row = {**DRIVE, "State": "Conf", "Status": "Failed", "PID": 306}
    found = raid_storcli.parse(storcli({"PD LIST": [row]}), "mpi3mr")
    assert found["members"][0]["health"] == "failed"
    assert found["members"][0]["controller"] == "mpi3mr:0"


def test_storcli_without_a_controller_shows_nothing():
    text = json.dumps(
        {
            "Controllers": [
                {
                    "Command Status": {
                        "Controller": 0,
                        "Status": "Failure",
                        "Description": "Controller 0 not found",
                    }
                }
            ]
        }
    )
    assert raid_storcli.parse(text) == merged([])


SSACLI = """
HPE Smart Array P408i-a SR Gen10 in Slot 0 (Embedded)
   Bus Interface: PCI
   Slot: 0
   Serial Number: PEYHC0ARH1
   Controller Status: OK
   Firmware Version: 6.52
   Cache Status: Temporarily Disabled
   Battery/Capacitor Count: 1
   Battery/Capacitor Status: Failed (Replace Batteries)
   Controller Temperature (C): 52
   PCI Address (Domain:Bus:Device.Function): 0000:5C:00.0
   Sensor ID: 0
      Location: Inlet Ambient
      Current Value (C): 45

   Internal Drive Cage at Port 2I, Box 1, OK

      Drive Bays: 4
      Port: 2I

   Physical Drives
      physicaldrive 2I:1:1 (port 2I:box 1:bay 1, SATA SSD, 960 GB, OK)
      physicaldrive 2I:1:2 (port 2I:box 1:bay 2, SAS HDD, 1.2 TB, Predictive Failure)
      physicaldrive 2I:1:3 (port 2I:box 1:bay 3, SAS HDD, 1.2 TB, OK, spare)

   Array: A
      Interface Type: Solid State SATA
      Status: Failed Physical Drive

      Logical Drive: 1
         Size: 1.75 TB
         Fault Tolerance: 1+0
         Status: Recovering, 35% complete
         Unique Identifier: 600508B1001C8CC3C673A109DD66DDBB
         Logical Drive Label: LD-SSD
         Mirror Group 1:
            physicaldrive 2I:1:1 (port 2I:box 1:bay 1, SATA SSD, 960 GB, OK)

      physicaldrive 2I:1:1
         Port: 2I
         Box: 1
         Bay: 1
         Status: OK
         Drive Type: Data Drive
         Interface Type: Solid State SATA
         Size: 960 GB
         Firmware Revision: D0MU075
         Serial Number: 18041AD9
         WWID: 3001438028ABCDEF
         Model: ATA     MTFDDAK960TCB
         Current Temperature (C): 34
         Power On Hours: 45068

      physicaldrive 2I:1:2
         Status: Predictive Failure
         Drive Type: Data Drive
         Interface Type: SAS
         Size: 1.2 TB
         Rotational Speed: 10500
         WWID: 5000CCA02D8943F5
         Model: HP      EG1200JEMDA

      physicaldrive 2I:1:3
         Status: OK
         Drive Type: Spare Drive

   SEP (Vendor ID HPE, Model Smart Adapter) 379
      Device Number: 379
      Firmware Version: 9.99
      Serial Number: ENCLOSURE
"""


def test_ssacli_keeps_a_controller_and_what_is_below_it_apart():
    found = ssacli.parse(SSACLI)
    assert found["controllers"] == [
        {
            "id": "smartarray:0",
            "model": "HPE Smart Array P408i-a SR Gen10",
            "serial_number": "PEYHC0ARH1",
            "firmware_version": "6.52",
            "pci_slot": "0000:5c:00.0",
            "cache_state": "Temporarily Disabled",
            "battery": {"state": "Failed (Replace Batteries)", "health": "failed"},
            "state": "OK",
            "health": "ok",
            "volatile": {"temperature_celsius": 52},
        }
    ]
    assert found["volumes"] == [
        {
            "controller": "smartarray:0",
            "id": "1",
            "name": "LD-SSD",
            "array": "A",
            "wwn": "600508b1001c8cc3c673a109dd66ddbb",
            "level": "RAID10",
            "size_bytes": round(1.75 * TB),
            "members": ["2I:1:1", "2I:1:2"],
            "state": "Recovering",
            "health": "degraded",
            "volatile": {"progress_percent": 35},
        }
    ]
    first, second, spare = found["members"]
    assert first == {
        "controller": "smartarray:0",
        "enclosure": "2I:1",
        "slot": "1",
        "drive_type": "Data Drive",
        "model": "MTFDDAK960TCB",
        "serial_number": "18041AD9",
        "firmware_version": "D0MU075",
        "size_bytes": 960 * 10**9,
        "transport": "sata",
        "media_type": "ssd",
        "state": "OK",
        "health": "ok",
        "volatile": {"temperature_celsius": 34, "power_on_hours": 45068},
    }
    assert (second["vendor"], second["model"]) == ("HP", "EG1200JEMDA")
    assert (second["wwn"], second["media_type"]) == ("5000cca02d8943f5", "hdd")
    assert second["health"] == "degraded"
    # What the long form leaves out comes from the short one.
    assert (spare["drive_type"], spare["size_bytes"]) == ("Spare Drive", 12 * 10**11)


MEGACLI_ADAPTER = """
Adapter #0

==============================================================================
                    Versions
                ================
Product Name    : PERC H710 Mini
Serial No       : 29F026R
FW Package Build: 21.1.0-0007

                    Image Versions in Flash:
                ================
FW Version         : 3.131.05-4520

                    Pending Images in Flash
                ================
FW Version         : 3.999.99-9999

Memory Correctable Errors   : 0
ROC temperature : 70  degree Celsius
"""
SAS_INQUIRY = f"{'HGST':<8}{'HUC101212CSS600':<16}U5E0{'KZGLE2EE':<20}"
SATA_INQUIRY = f"{'9XG0CK5Q':>20}{'ST91000640NS':<40}{'SN04':<8}"
MEGACLI_VOLUME = f"""
Adapter #0

Number of Virtual Disks: 1
Virtual Drive: 0 (Target Id: 0)
Name                :data
RAID Level          : Primary-5, Secondary-3, RAID Level Qualifier-3
Size                : 2.181 TB
State               : Partially Degraded
Span Depth          : 2
Span: 0 - Number of PDs: 2

PD: 0 Information
Enclosure Device ID: 32
Slot Number: 0
Device Id: 0
PD Type: SAS
Raw Size: 1.090 TB [0x8bba0cb0 Sectors]
Firmware state: Online, Spun Up
Device Firmware Level: U5E0
Inquiry Data: {SAS_INQUIRY}
PD: 1 Information
Enclosure Device ID: N/A
Slot Number: 1
PD Type: SATA
Raw Size: 1.819 TB [0xe8e088b0 Sectors]
Firmware state: Unconfigured(bad)
Device Firmware Level: SN04
Inquiry Data: {SATA_INQUIRY}
"""
MEGACLI_BATTERY = """
BBU status for Adapter: 0

BatteryType: BBU
Temperature: 31 C
Battery State: Optimal
BBU Firmware Status:
  Battery Replacement required            : Yes
"""


def test_megacli_is_one_machine_in_several_outputs():
    found = merged(
        megacli.parse(text) for text in (MEGACLI_ADAPTER, MEGACLI_BATTERY, MEGACLI_VOLUME)
    )
    assert found["controllers"] == [
        {
            "id": "megaraid:0",
            "model": "PERC H710 Mini",
            "serial_number": "29F026R",
            "firmware_version": "3.131.05-4520",
            "firmware_package": "21.1.0-0007",
            "battery": {
                "model": "BBU",
                "state": "Optimal",
                "health": "degraded",
                "volatile": {"temperature_celsius": 31},
            },
            "volatile": {"temperature_celsius": 70, "memory_correctable_errors": 0},
        }
    ]
    (volume,) = found["volumes"]
    assert (volume["level"], volume["health"]) == ("RAID50", "degraded")
    assert volume["members"] == ["32:0", ":1"]
    without, within = found["members"]
    assert (within["vendor"], within["model"]) == ("HGST", "HUC101212CSS600")
    assert within["serial_number"] == "KZGLE2EE"
    assert within["size_bytes"] == 0x8BBA0CB0 * 512
    assert within["volatile"]["power_state"] == "Spun Up"
    assert (without["serial_number"], without["model"]) == ("9XG0CK5Q", "ST91000640NS")
    assert without["health"] == "failed"


@pytest.mark.parametrize(
    ("line", "health"),
    [
        ("Predictive Failure Count: 0", "ok"),
        ("Predictive Failure Count: 1", "degraded"),
        ("Drive has flagged a S.M.A.R.T alert : No", "ok"),
        ("Drive has flagged a S.M.A.R.T alert : Yes", "degraded"),
    ],
)
def test_a_drive_that_announces_its_end_to_megacli_is_degraded(line, health):
    text = MEGACLI_VOLUME.replace("Device Id: 0\n", f"Device Id: 0\n{line}\n")
    [drive] = [one for one in megacli.parse(text)["members"] if one["slot"] == "0"]
    assert drive["health"] == health


@pytest.mark.parametrize(
    ("level", "depth", "raid"),
    [
        ("Primary-5, Secondary-0, RAID Level Qualifier-3", 1, "RAID5"),
        ("Primary-5, Secondary-0, RAID Level Qualifier-3", 2, "RAID50"),
        ("Primary-1, Secondary-3, RAID Level Qualifier-0", 1, "RAID10"),
    ],
)
def test_what_megacli_stripes_is_a_nested_level(level, depth, raid):
    text = MEGACLI_VOLUME.replace("Primary-5, Secondary-3, RAID Level Qualifier-3", level)
    text = text.replace("Span Depth          : 2", f"Span Depth          : {depth}")
    assert megacli.parse(text)["volumes"][0]["level"] == raid


def test_a_sata_drive_is_known_even_where_megacli_s_columns_were_lost():
    text = MEGACLI_VOLUME.replace(SATA_INQUIRY, "9XG0CK5Q ST91000640NS SN04")
    without, _ = megacli.parse(text)["members"]
    assert (without["serial_number"], without["model"]) == ("9XG0CK5Q", "ST91000640NS")


@pytest.mark.parametrize(
    ("bus", "slot"),
    [("3", "0000:03:00.0"), ("3b", "0000:3b:00.0"), ("84", "0000:84:00.0"), ("x", None)],
)
def test_megacli_writes_bus_numbers_in_hexadecimal(bus, slot):
    text = (
        "PCI information for Controller 0\n--------------------------------\n"
        f"Bus Number : {bus}\nDevice Number : 0\nFunction Number : 0"
    )
    (found,) = megacli.parse(text)["controllers"]
    assert found.get("pci_slot") == slot


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


TW_CLI = """
/c2 Model = 9650SE-4LPML
/c2 Serial Number = L326025A7300001
/c2 Firmware Version = FE9X 4.10.00.007

Unit  UnitType  Status         %RCmpl  %V/I/M  Stripe  Size(GB)  Cache  AVrfy
------------------------------------------------------------------------------
u0    RAID-10   REBUILDING     12%     -       256K    1862.62   RiW    ON
u2    SPARE     OK             -       -       -       931.505   -      OFF

VPort Status         Unit Size      Type  Phy Encl-Slot    Model
------------------------------------------------------------------------------
p0    OK             u0   931.51 GB SATA  0   -            ST31000340NS
p1    SMART-FAILURE  u0   931.51 GB SATA  1   -            ST31000340NS
p3    NOT-PRESENT    -    -         -     3   -            -
"""
TW_CLI_PORT = """
/c2/p1 Status = SMART-FAILURE
/c2/p1 Model = ST31000340NS
/c2/p1 Firmware Version = SN04
/c2/p1 Serial = 9QJ1ABCD
/c2/p1 Capacity = 931.51 GB (1953525168 Blocks)
/c2/p1 Temperature = 30 deg C
/c2/p1 Power On Hours = 41234
"""


def test_tw_cli_shows_serial_numbers_port_by_port():
    answers = {
        ("show",): "Ctl   Model        Ports\n-----\nc2    9650SE-4LPML 4",
        ("/c2", "show", "all"): TW_CLI,
        ("/c2/p1", "show", "all"): TW_CLI_PORT,
    }
    found = threeware.read(lambda *arguments: answers.get(arguments, ""))
    assert found["controllers"] == [
        {
            "id": "3ware:2",
            "model": "9650SE-4LPML",
            "serial_number": "L326025A7300001",
            "firmware_version": "FE9X 4.10.00.007",
        }
    ]
    (volume,) = found["volumes"]
    assert (volume["level"], volume["members"]) == ("RAID10", [":0", ":1"])
    assert volume["health"] == "degraded"
    assert volume["volatile"] == {"progress_percent": 12}
    assert [item["slot"] for item in found["members"]] == ["0", "1"]
    assert found["members"][1] == {
        "controller": "3ware:2",
        "slot": "1",
        "model": "ST31000340NS",
        "serial_number": "9QJ1ABCD",
        "firmware_version": "SN04",
        "size_bytes": round(931.51 * GB),
        "transport": "sata",
        "state": "SMART-FAILURE",
        "health": "degraded",
        "volatile": {"temperature_celsius": 30, "power_on_hours": 41234},
    }


def test_areca_is_asked_for_each_drive_that_is_there():
    asked = []

    def ask(*arguments):
        asked.append(arguments)
        return {
            ("disk", "info"): "  1  01  Slot#1  N.A.      0.0GB  N.A.\n"
            "  9  02  SLOT 01 ST31500341AS                     1500.3GB  Raid Set # 000",
            (
                "disk",
                "info",
                "drv=9",
            ): "Device Location : Enclosure#2 SLOT 01\nDevice State : FAILED",
            (
                "vsf",
                "info",
            ): "  1 ARC-1880-VOL#000 Raid Set # 000  Raid6   30000.0GB 00/00/00   Normal",
        }.get(arguments, "")

    found = areca.read(ask)
    assert ("disk", "info", "drv=1") not in asked
    assert found["members"] == [
        {
            "controller": "areca:0",
            "enclosure": "2",
            "slot": "1",
            "model": "ST31500341AS",
            "size_bytes": 15003 * 10**8,
            "state": "FAILED",
            "health": "failed",
        }
    ]
    (volume,) = found["volumes"]
    assert (volume["name"], volume["level"]) == ("ARC-1880-VOL#000", "RAID6")
    assert volume["size_bytes"] == 30 * 10**12


def test_a_line_ends_where_no_tool_writes_anymore():
    assert lines("x" * 300 + "\n" + "y" * 301) == ["x" * 300, "y" * 300]


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
