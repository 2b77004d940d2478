"""Tools of LSI's adapters, of Marvell, 3ware, Areca and HPE, and what is new in their outputs."""

import json

import pytest

from salt_ext.facts.raid import (
    areca,
    asked,
    family_of,
    ircu,
    marvell_functions,
    megasasctl,
    mvcli,
    ssacli,
    storcli,
    threeware,
    without,
)
from tests.unit.facts.trees import tree

MIB = 1024**2


def lines_of(found):
    return [item["line"] for item in found.get("unread", ())]


DASHES = "-" * 72
LIST = """LSI Corporation SAS2 IR Configuration Utility.
         Adapter      Vendor  Device                       SubSys  SubSys
 Index    Type          ID      ID    Pci Address          Ven ID  Dev ID
 -----  ------------  ------  ------  -----------------    ------  ------
   1     SAS2008     1000h    72h   00h:83h:00h:00h      1028h   1f1eh
SAS2IRCU: Utility Completed Successfully.
"""
DISPLAY = f"""LSI Corporation SAS2 IR Configuration Utility.
Read configuration has been initiated for controller 1
{DASHES}
Controller information
{DASHES}
  Controller type                         : SAS2008
  Firmware version                        : 7.15.08.00
  Segment                                 : 0
  Bus                                     : 131
  Device                                  : 0
  Function                                : 0
{DASHES}
IR Volume information
{DASHES}
IR volume 1
  Volume ID                               : 79
  Volume Name                             : system
  Status of volume                        : Degraded (DGD)
  Volume wwid                             : 0102030405060708
  RAID level                              : RAID1
  Size (in MB)                            : 1000
  Physical hard disks                     :
  PHY[0] Enclosure#/Slot#                 : 1:0
  PHY[1] Enclosure#/Slot#                 : 0:0
{DASHES}
Physical device information
{DASHES}
Initiator at ID #0

Device is a Hard disk
  Enclosure #                             : 1
  Slot #                                  : 0
  State                                   : Optimal (OPT)
  Size (in MB)/(in sectors)               : 152627/312581807
  Manufacturer                            : ATA
  Model Number                            : WDC TESTDISK
  Firmware Revision                       : ME0D
  Serial No                               : WDWX000001
  Unit Serial No(VPD)                     : WD-WX000001
  GUID                                    : 50000393000000de
  Protocol                                : SATA
  Drive Type                              : SATA_HDD

Device is a Hard disk
  Enclosure #                             : 0
  Slot #                                  : 0
  State                                   : Missing (MIS)
  Manufacturer                            : N/A

Device is a Enclosure services device
  Enclosure #                             : 1
  Slot #                                  : 9
  State                                   : Standby (SBY)
{DASHES}
Enclosure information
{DASHES}
  Enclosure#                              : 1
  Numslots                                : 9
{DASHES}
SAS2IRCU: Command DISPLAY Completed Successfully.
SAS2IRCU: Utility Completed Successfully.
"""


def test_sas2ircu_tells_volumes_disks_and_where_the_adapter_is():
    answers = {("LIST",): LIST, ("1", "DISPLAY"): DISPLAY}
    found = ircu.read_2(lambda *arguments: answers[arguments])
    assert found["controllers"] == [
        {
            "id": "mpt2sas:1",
            "model": "SAS2008",
            "firmware_version": "7.15.08.00",
            "pci_slot": "0000:83:00.0",
        }
    ]
    assert found["volumes"] == [
        {
            "controller": "mpt2sas:1",
            "id": "79",
            "name": "system",
            "wwn": "600508e0000000000807060504030201",
            "level": "RAID1",
            "size_bytes": 1000 * MIB,
            "members": ["1:0", "0:0"],
            "state": "Degraded (DGD)",
            "health": "degraded",
        }
    ]
    missing, disk = found["members"]
    assert disk == {
        "controller": "mpt2sas:1",
        "enclosure": "1",
        "slot": "0",
        "model": "WDC TESTDISK",
        "serial_number": "WD-WX000001",
        "firmware_version": "ME0D",
        "wwn": "50000393000000de",
        "size_bytes": 312581808 * 512,
        "transport": "sata",
        "media_type": "hdd",
        "state": "Optimal (OPT)",
        "health": "ok",
    }
    assert missing["health"] == "failed"
    assert "unread" not in found


@pytest.mark.parametrize(
    "line", ["Device is a Teleporter", "SAS3IRCU: Error executing command DISPLAY."]
)
def test_what_sas3ircu_did_not_use_to_write_is_told(line):
    assert lines_of(ircu.parse(f"{DISPLAY}\n{line}\n  State : Failed (FLD)\n")) == [line]
    section = f"{DASHES}\nTeleport information\n{DASHES}\n  State : Failed (FLD)\n"
    found = ircu.parse(DISPLAY.replace(f"{DASHES}\nEnclosure info", f"{section}{DASHES}\nEnc info"))
    assert lines_of(found) == ["Teleport information", "Enc information"]


def test_an_adapter_is_asked_by_the_tool_of_its_generation_whatever_its_driver(tmp_path):
    def function(driver, device, vendor="1000"):
        return {"driver": driver, "device_id": device, "vendor_id": vendor}

    assert family_of(function("mpt3sas", "0097")) == "mpt3sas"
    assert family_of(function("mpt3sas", "0072")) == "mpt2sas"
    assert family_of(function("mpt2sas", "0072")) == "mpt2sas"
    assert family_of(function("ahci", "9230", "1b4b")) == "marvell"
    assert family_of(function("ahci", "2922", "8086")) == ""
    reason, _ = asked("mpt3sas", [], 1e12, places=[str(tmp_path)])
    assert reason.startswith("not installed: sas3ircu, storcli64, ")


def test_what_a_tool_shows_of_another_driver_s_controller_is_left_to_that_driver():
    seen = {
        "controllers": [{"id": "megaraid:0", "pci_slot": "a"}, {"id": "megaraid:1"}],
        "volumes": [{"controller": "megaraid:0"}, {"controller": "megaraid:1"}],
        "members": [{"controller": "megaraid:0"}],
    }
    assert without(seen, {"a"}) == {
        "controllers": [{"id": "megaraid:1"}],
        "volumes": [{"controller": "megaraid:1"}],
        "members": [],
    }


MVCLI = {
    "hba": """SG driver version 3.5.36.

Adapter ID:                          2
Product:                             1b4b-9230
Firmware version:                    2.3.10.1088
Image health:                        Healthy
Autoload image health:               Healthy

SerialNo:                            W0000001
ModelNumber:                         M.2 + Mirroring Kit
""",
    "vd": """SG driver version 3.5.36.

Virtual Disk Information
-------------------------
id:                  0
name:                system
status:              degraded
RAID mode:           RAID1
size:                457798 M
BGA status:          running
Block ids:           0 4
PD RAID setup:       0 1
BGA progress:    rebuilding is 15% done

Total # of VD:       1
""",
    "pd": """Physical Disk Information
----------------------------
Adapter:             0
PD ID:               0
Type:                SATA PD
Size:                468851544 K
model:               TESTDISK
Serial:              SN0001
Firmware version:        MD44
SSD Type:            SSD
WNN is no field
WWN:                 500a075100000001
PD status:           online

Total # of PD:       1
""",
    "blk": """Block Information
-----------------
Block id:        0
PD id:           0
VD id:           0
Block status:    assigned
""",
}


def test_mvcli_tells_adapter_volumes_and_disks():
    (controller,) = mvcli.parse(MVCLI["hba"])["controllers"]
    assert controller == {
        "id": "marvell:2",
        "vendor": "Marvell",
        "model": "M.2 + Mirroring Kit",
        "serial_number": "W0000001",
        "firmware_version": "2.3.10.1088",
        "state": "Healthy",
        "health": "ok",
    }
    (volume,) = mvcli.parse(MVCLI["vd"])["volumes"]
    assert volume == {
        "controller": "marvell:0",
        "id": "0",
        "name": "system",
        "level": "RAID1",
        "size_bytes": 457798 * MIB,
        "members": [":0", ":1"],
        "state": "degraded",
        "health": "degraded",
        "volatile": {"progress_percent": 15},
    }
    disks = mvcli.parse(MVCLI["pd"].replace("WNN is no field\n", ""))
    assert disks["members"] == [
        {
            "controller": "marvell:0",
            "slot": "0",
            "model": "TESTDISK",
            "serial_number": "SN0001",
            "firmware_version": "MD44",
            "wwn": "500a075100000001",
            "size_bytes": 468851544 * 1024,
            "transport": "sata",
            "media_type": "ssd",
            "state": "online",
            "health": "ok",
        }
    ]
    assert mvcli.parse(MVCLI["blk"]) == {"controllers": [], "volumes": [], "members": []}
    assert lines_of(mvcli.parse(MVCLI["pd"])) == ["WNN is no field"]


def test_the_tool_for_nvme_says_the_same_in_other_words():
    text = "VD ID:               0\nName:                VD_0\nStatus:              Degrade\n"
    text += "RAID Mode:           RAID1\nsize:                447 GB\nPDs:                 0 1\n"
    (volume,) = mvcli.parse(text)["volumes"]
    assert (volume["health"], volume["members"]) == ("degraded", [":0", ":1"])
    text = "PD ID:                        0\nModel:                        TESTDISK\n"
    text += "Status:                       Idle\nSMART Critical                Yes\n"
    (disk,) = mvcli.parse(text)["members"]
    assert (disk["model"], disk["health"]) == ("TESTDISK", "degraded")


def test_a_marvell_adapter_is_found_by_its_maker_and_not_by_its_driver(tmp_path):
    files, links = {}, {}
    for slot, vendor in (("0000:01:00.0", "0x1b4b"), ("0000:02:00.0", "0x8086")):
        base = f"sys/bus/pci/devices/{slot}"
        files |= {f"{base}/class": "0x010601\n", f"{base}/vendor": f"{vendor}\n"}
        links[f"{base}/driver"] = "../../../bus/pci/drivers/ahci"
    found = marvell_functions(tree(tmp_path, files, links))
    assert [item["pci_slot"] for item in found] == ["0000:01:00.0"]


TW_CLI = """
VPort Status         Unit Size      Type  Phy Encl-Slot    Model
------------------------------------------------------------------------------
p8    OK             u0   2.73 TB   SATA  -   /c0/e0/slt0  TESTDISK
p9    DRIVE-REMOVED  u0   -         -     -   -            -
p10   NOT-PRESENT    -    -         -     10  -            -

Name  OnlineState  BBUReady  Status    Volt     Temp     Hours  LastCapTest
---------------------------------------------------------------------------
bbu   On           Yes       WeakBat   OK       OK       255    07-May-2022
"""


def test_tw_cli_tells_the_battery_and_a_disk_that_was_pulled():
    found = threeware.parse(TW_CLI)
    assert [(one["slot"], one["health"]) for one in found["members"]] == [
        ("8", "ok"),
        ("9", "failed"),
    ]
    (controller,) = found["controllers"]
    assert controller["battery"] == {"state": "WeakBat", "health": "degraded"}
    assert lines_of(found) == []


def test_a_table_of_tw_cli_that_nobody_knows_is_told_and_its_rows_are_nothing_s():
    dashes = "-" * 40
    text = f"Teleporter  Status\n{dashes}\nu9    RAID-9    OK    -   -   -   1.0  W  -\n"
    found = threeware.parse(f"{TW_CLI}\n{text}")
    assert found["volumes"] == []
    assert lines_of(found) == ["Teleporter Status"]
    assert lines_of(threeware.parse("Error: (CLI:053) Invalid controller.\n")) == [
        "Error: (CLI:053) Invalid controller."
    ]


def test_areca_s_drives_at_channels_are_known_by_their_channel():
    text = "IDE Channel : 3\nModel Name : TESTDISK\nSerial Number : SN1\nDevice State : NORMAL\n"
    (drive,) = areca.parse(text)["members"]
    assert (drive["slot"], drive["serial_number"], drive["health"]) == ("3", "SN1", "ok")
    table = "  # Ch# ModelName                       Capacity  Usage\n"
    table += "  1  1  TEST DISK                        750.2GB  data\n"
    table += "  2  2  N.A.                               0.0GB  N.A.\n"
    table += "  3 16  TEST DISK                        750.2GB  Failed\n"
    assert areca.parse(table)["members"] == [
        {"controller": "areca:0", "slot": "1", "model": "TEST DISK", "size_bytes": 750200000000},
        {
            "controller": "areca:0",
            "slot": "16",
            "model": "TEST DISK",
            "size_bytes": 750200000000,
            "state": "Failed",
            "health": "failed",
        },
    ]
    old = f" 7   {'WDC TESTDISK':<16} {'WD-WX000001':<16} {'02.05D02':<12}250.1GB  HotSpare\n"
    assert areca.parse(old)["members"] == [
        {
            "controller": "areca:0",
            "slot": "7",
            "model": "WDC TESTDISK",
            "serial_number": "WD-WX000001",
            "firmware_version": "02.05D02",
            "size_bytes": 250100000000,
            "state": "HotSpare",
            "health": "ok",
        }
    ]
    external = " 33  02  EXTP 01 TEST DISK                    120.0GB  JBOD\n"
    (drive,) = areca.parse(external)["members"]
    assert (drive["enclosure"], drive["slot"], drive["model"]) == ("2", "EXTP 1", "TEST DISK")
    assert lines_of(areca.parse("GuiErrMsg<0x00>: Success.\n")) == []
    assert lines_of(areca.parse("GuiErrMsg<0x08>: Password Required.\n")) == [
        "GuiErrMsg<0x08>: Password Required."
    ]


SSACLI = """
Smart Array P410i in Slot 0 (Embedded)
   Controller Status: OK

   HP SAS Expander Card at Port 2C, Box 1, OK

      Drive Bays: 24

   Port Name: 1I
         Port ID: 0

   Teleporters
      Serial Number: OTHER
      Firmware Version: 9.9

   HBA Drives

      physicaldrive 2C:1:1
         Status: OK
         Interface Type: SATA
         Firmware Revision: HPD6 (FW update is recommended to minimum version: HPD7)
         WWID: 5001438014000041
         Model: ATA     TESTDISK

"""


def test_ssacli_keeps_a_group_that_nobody_knows_apart_and_tells_it():
    found = ssacli.parse(SSACLI)
    assert lines_of(found) == ["Teleporters"]
    (controller,) = found["controllers"]
    assert "serial_number" not in controller
    assert "firmware_version" not in controller
    (disk,) = found["members"]
    assert (disk["firmware_version"], disk.get("wwn")) == ("HPD6", None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Error: No controllers detected.\n", []),
        ("Error: The specified device does not have any logical drives.\n", []),
        ("Error: Another instance is running.\n", ["Error: Another instance is running."]),
        ("FIRMWARE UPGRADE REQUIRED: An update\n     is recommended.\n", []),
        ("MSA1500 CS in MY STORAGE\n\n   array A\n\n      logicaldrive 1 (2.0 TB, RAID 5)\n", []),
        ("Teleporter in Bay 7\n   Status: OK\n", ["Teleporter in Bay 7"]),
    ],
)
def test_ssacli_s_errors_are_told_but_not_that_there_is_nothing(text, told):
    assert lines_of(ssacli.parse(text)) == told


def storcli_answer(status, data=None, controller=0):
    one = {"Command Status": {"Controller": controller, **status}}
    return {"Controllers": [one | ({"Response Data": data} if data else {})]}


@pytest.mark.parametrize(
    ("description", "told"),
    [
        ("No drive found!", []),
        ("Controller 0 not found", []),
        ("Un-supported Command", []),
        ("Incomplete foreign configuration", []),
        ("Firmware is entangled", ["Firmware is entangled"]),
    ],
)
def test_storcli_s_failures_are_told_but_not_that_there_is_nothing(description, told):
    answer = storcli_answer({"Status": "Failure", "Description": description})
    assert lines_of(storcli.parse(json.dumps(answer))) == told
    detailed = {"Status": "Failure", "Description": "None"}
    detailed["Detailed Status"] = [{"Status": "Failed", "ErrMsg": description}]
    assert lines_of(storcli.parse(json.dumps(storcli_answer(detailed)))) == told


def test_a_drive_without_its_place_in_the_row_has_it_in_the_name_of_its_list():
    row = {"DID": 10, "State": "JBOD", "Size": "1.819 TB", "Model": "TESTDISK"}
    data = {"Drive /c0/s4": [row], "Drive /c0/e252/s5": [row]}
    found = storcli.parse(json.dumps(storcli_answer({"Status": "Success"}, data)))
    places = [(item.get("enclosure"), item["slot"]) for item in found["members"]]
    assert places == [(None, "4"), ("252", "5")]


def test_one_controller_that_fails_does_not_hide_the_others():
    good = storcli_answer({"Status": "Success"}, {"Product Name": "TEST"}, 1)["Controllers"]
    bad = storcli_answer({"Status": "Failure", "Description": "Firmware hangs"})["Controllers"]
    found = storcli.parse(json.dumps({"Controllers": bad + good}))
    assert [item["id"] for item in found["controllers"]] == ["megaraid:1"]
    assert lines_of(found) == ["Firmware hangs"]


def test_what_storcli_writes_before_its_answer_is_passed_over_and_no_answer_is_told():
    answer = json.dumps(storcli_answer({"Status": "Success"}, {"Product Name": "TEST"}))
    assert storcli.parse(f"libstorelib: warning\n{answer}")["controllers"]
    assert lines_of(storcli.parse("Segmentation fault\n")) == ["Segmentation fault"]
    assert lines_of(storcli.parse("\n")) == []


def test_a_part_that_megasasctl_describes_in_another_way_is_told():
    assert lines_of(megasasctl.parse("a0e32s7 ?\na0d1 entangled\nrow 0: a0e32s0\n")) == [
        "a0e32s7 ?",
        "a0d1 entangled",
    ]
