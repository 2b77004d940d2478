"""What the RAID tools write on machines that the corpus has none of, in their formats."""

import json

import pytest

from salt_ext.facts.raid import areca, megacli, ssacli, threeware
from salt_ext.facts.raid import storcli as raid_storcli
from salt_ext.facts.raid.view import (
    lines,
    merged,
)

GB = 1024**3
TB = 1024**4


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
    assert volume["members"] == ["2:1"]


def test_a_line_ends_where_no_tool_writes_anymore():
    assert lines("x" * 300 + "\n" + "y" * 301) == ["x" * 300, "y" * 300]
