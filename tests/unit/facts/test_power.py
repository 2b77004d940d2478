import pytest

from salt_ext.document import normal
from salt_ext.document.volatile import split
from salt_ext.facts.power import batteries, portable_battery, power_supplies
from salt_ext.facts.smbios import Structure
from tests.corpus import needs_corpus
from tests.unit.facts.captures import captures, expectation, unpacked
from tests.unit.facts.smbios_tables import END, machine, structure, word
from tests.unit.facts.trees import tree

SUPPLY = structure(
    39,
    0x16,
    {
        0x04: 1,
        0x05: "PSU.Slot.1",
        0x06: "PWR SPLY,750W,RDNT,DELTA",
        0x07: "DELL",
        0x08: "PH1629864A01XY",
        0x0A: "0V1YJ6A00",
        0x0B: "01",
        0x0C: word(750),
        0x0E: word(0x0183),  # hot replaceable, present, OK
    },
    handle=0x2700,
)
BATTERY = {
    "type": "Battery",
    "present": "1",
    "manufacturer": "LGC",
    "model_name": "LNV-45N1",
    "serial_number": "38109",
    "technology": "Li-ion",
    "energy_full_design": "47520000",
    "energy_full": "45060000",
    "capacity": "98",
    "status": "Discharging",
    "cycle_count": "112",
}


def battery_tree(where, name="BAT0", **changed):
    files = {**BATTERY, **changed}
    return tree(
        where,
        {f"sys/class/power_supply/{name}/{k}": f"{v}\n" for k, v in files.items() if v is not None},
    )


def test_a_power_supply_is_described(tmp_path):
    machine(tmp_path, SUPPLY + END)
    assert power_supplies(tree(tmp_path, {})) == [
        {
            "location": "PSU.Slot.1",
            "name": "PWR SPLY,750W,RDNT,DELTA",
            "manufacturer": "DELL",
            "serial_number": "PH1629864A01XY",
            "asset_tag": None,
            "part_number": "0V1YJ6A00",
            "revision": "01",
            "max_power_watts": 750,
            "status": "Present, OK",
            "plugged": True,
            "hot_replaceable": True,
        }
    ]


def test_firmware_that_lists_none_and_no_firmware_are_different(tmp_path):
    assert power_supplies(tree(tmp_path / "a", {"proc/version": ""})) is None
    machine(tmp_path / "b", structure(1, 8) + END)
    assert power_supplies(tree(tmp_path / "b", {})) == []


def test_a_battery_is_described(tmp_path):
    assert batteries(battery_tree(tmp_path)) == [
        {
            "name": "BAT0",
            "present": True,
            "manufacturer": "LGC",
            "model": "LNV-45N1",
            "serial_number": "38109",
            "technology": "Li-ion",
            "design_capacity_mwh": 47520,
            "volatile": {
                "full_capacity_mwh": 45060,
                "charge_percent": 98,
                "status": "Discharging",
                "cycle_count": 112,
            },
        }
    ]


def test_using_a_battery_is_no_change(tmp_path):
    full = batteries(battery_tree(tmp_path / "a"))
    used = batteries(
        battery_tree(
            tmp_path / "b", capacity=7, status="Charging", cycle_count=113, energy_full=44000000
        )
    )
    assert full != used
    stable = [split(normal({"batteries": found}))[0] for found in (full, used)]
    assert stable[0] == stable[1]


def test_a_capacity_in_ampere_hours_is_converted(tmp_path):
    root = battery_tree(
        tmp_path,
        energy_full_design=None,
        energy_full=None,
        charge_full_design="4400000",
        voltage_min_design="11100000",
    )
    (battery,) = batteries(root)
    assert battery["design_capacity_mwh"] == 48840
    assert battery["volatile"]["full_capacity_mwh"] is None


def test_what_the_kernel_does_not_know_is_left_out(tmp_path):
    root = battery_tree(tmp_path, technology="Unknown", status="Unknown", cycle_count="0")
    (battery,) = batteries(root)
    assert battery["technology"] is None
    assert battery["volatile"]["status"] is None
    assert battery["volatile"]["cycle_count"] is None


@pytest.mark.parametrize("changed", [{"type": "Mains"}, {"scope": "Device"}, {"type": None}])
def test_only_batteries_of_the_machine_are_listed(tmp_path, changed):
    assert batteries(battery_tree(tmp_path, **changed)) == []


def test_an_empty_bay_has_no_battery(tmp_path):
    assert batteries(battery_tree(tmp_path, present="0")) == [{"name": "BAT0", "present": False}]


def test_the_firmware_counts_where_the_kernel_has_no_driver(tmp_path):
    portable = structure(22, 0x1A, {0x04: "Rear", 0x05: "SANYO"})
    machine(tmp_path, portable + END)
    assert [item["location"] for item in batteries(tree(tmp_path, {}))] == ["Rear"]
    assert batteries(tree(tmp_path, {"sys/class/power_supply/AC/type": "Mains\n"})) == []


def test_a_battery_can_be_unknowable(tmp_path):
    assert batteries(tree(tmp_path / "a", {"proc/version": ""})) is None
    assert batteries(tree(tmp_path / "b", {"sys/class/net/lo/mtu": "1"})) == []


def portable(fields, length=0x1A):
    raw = structure(22, length, fields)
    return portable_battery(Structure(raw[:length], raw[length:-1]))


def test_a_smart_battery_has_its_numbers_in_other_fields():
    found = portable(
        {
            0x04: "Front",
            0x05: "SMP",
            0x08: "01AV471",
            0x09: 2,
            0x0A: word(4801),
            0x0C: word(11460),
            0x10: word(0x0CF7),
            0x12: word(2018 - 1980 << 9 | 6 << 5 | 2),
            0x14: "LiP",
            0x15: 10,
        }
    )
    assert found == {
        "location": "Front",
        "manufacturer": "SMP",
        "model": "01AV471",
        "serial_number": "0CF7",
        "technology": "LiP",
        "manufacture_date": "2018-06-02",
        "design_capacity_mwh": 48010,
        "design_voltage_mv": 11460,
    }


def test_an_old_battery_has_its_numbers_as_text():
    found = portable({0x06: "09/19/02", 0x07: "2000417915", 0x09: 6, 0x0A: word(0)}, length=0x10)
    assert (found["serial_number"], found["manufacture_date"]) == ("2000417915", "09/19/02")
    assert (found["technology"], found["design_capacity_mwh"]) == ("Li-ion", None)


@needs_corpus
@pytest.mark.parametrize("path", captures("*/sysfs_tree/*", having="power_supply"))
def test_the_batteries_are_those_of_procfs(path, tmp_path):
    expected = expectation(path)["power_supply"]
    found = {item["name"]: item for item in batteries(unpacked(path, tmp_path, ("power_supply",)))}
    wanted = {name: item for name, item in expected.items() if item["type"] == "Battery"}
    assert set(found) == set(wanted)
    for name, item in wanted.items():
        assert found[name]["manufacturer"] == item["manufacturer"]
        assert found[name]["model"] == item["model"]
        assert found[name]["serial_number"] == item["serial"]
        assert found[name]["technology"] == item["technology"]
        assert found[name]["design_capacity_mwh"] == item["energy_full_design_uwh"] // 1000
        assert found[name]["volatile"]["charge_percent"] == item["capacity_percent"]
        assert found[name]["volatile"]["status"] == item["status"]
