"""Errors of memory, in trees as the kernel lays them out (Documentation/admin-guide/RAS)."""

import pytest

from salt_ext.document.volatile import split, with_volatile
from salt_ext.facts import edac
from salt_ext.facts.clean import section_of
from salt_ext.facts.memory import memory
from salt_ext.store.ingest.counters import counts
from tests.unit.facts.smbios_tables import END, machine, structure, word
from tests.unit.facts.trees import tree

MC = "sys/devices/system/edac/mc"


def controller(name, corrected, uncorrected, *, noinfo=(0, 0), model="Skylake Socket#0 IMC#0"):
    return {
        f"{MC}/{name}/mc_name": f"{model}\n",
        f"{MC}/{name}/size_mb": "65536\n",
        f"{MC}/{name}/ce_count": f"{corrected}\n",
        f"{MC}/{name}/ue_count": f"{uncorrected}\n",
        f"{MC}/{name}/ce_noinfo_count": f"{noinfo[0]}\n",
        f"{MC}/{name}/ue_noinfo_count": f"{noinfo[1]}\n",
        f"{MC}/power/control": "auto\n",
        f"{MC}/uevent": "",
    }


def module(where, corrected, uncorrected, label="", location="channel 0 slot 0"):
    return {
        f"{MC}/{where}/dimm_label": f"{label}\n",
        # The kernel ends a location with a blank.
        f"{MC}/{where}/dimm_location": f"{location} \n",
        f"{MC}/{where}/dimm_mem_type": "Registered-DDR4\n",
        f"{MC}/{where}/size": "32768\n",
        f"{MC}/{where}/dimm_ce_count": f"{corrected}\n",
        f"{MC}/{where}/dimm_ue_count": f"{uncorrected}\n",
    }


def told(tmp_path, *files):
    """The counters of the section ``memory`` as a report has them."""
    root = tree(tmp_path, {name: text for part in files for name, text in part.items()})
    return split({"memory": section_of(memory(root))})[1]["memory"]["edac"]


def slot(locator, bank=None):
    fields = {0x0C: word(16384), 0x0E: 9, 0x10: locator, 0x12: 0x1A, 0x18: f"S{locator}"}
    return structure(17, 0x22, {**fields, **({0x11: bank} if bank else {})})


def test_errors_are_counted_by_module_and_of_the_controller_only_what_is_of_none(tmp_path):
    counted = told(
        tmp_path,
        controller("mc0", 12, 2, noinfo=(3, 1)),
        module("mc0/dimm0", 9, 1, "CPU_SrcID#0_MC#0_Chan#0_DIMM#0"),
        module("mc0/dimm3", 0, 0, "", "channel 1 slot 1"),
        controller("mc1", 0, 0),
        module("mc1/dimm0", 0, 0, "CPU_SrcID#0_MC#1_Chan#0_DIMM#0"),
    )
    assert counted == {
        "mc0": {"ce_count": 3, "ue_count": 1},
        "mc0 dimm0 CPU_SrcID#0_MC#0_Chan#0_DIMM#0": {"ce_count": 9, "ue_count": 1},
        "mc0 dimm3 channel 1 slot 1": {"ce_count": 0, "ue_count": 0},
        "mc1": {"ce_count": 0, "ue_count": 0},
        "mc1 dimm0 CPU_SrcID#0_MC#1_Chan#0_DIMM#0": {"ce_count": 0, "ue_count": 0},
    }
    assert sum(one["ce_count"] for one in counted.values()) == 12


def test_where_the_hardware_tells_ranks_those_are_counted(tmp_path):
    counted = told(
        tmp_path,
        controller("mc0", 5, 0),
        module("mc0/rank0", 4, 0, "DIMM_A1", "csrow 0 channel 0"),
        module("mc0/rank2", 1, 0, "DIMM_A1", "csrow 1 channel 0"),
    )
    assert counted == {
        "mc0": {"ce_count": 0, "ue_count": 0},
        "mc0 rank0 DIMM_A1": {"ce_count": 4, "ue_count": 0},
        "mc0 rank2 DIMM_A1": {"ce_count": 1, "ue_count": 0},
    }


def test_an_error_of_which_only_the_row_is_known_stays_with_the_controller(tmp_path):
    counted = told(tmp_path, controller("mc0", 12, 0), module("mc0/dimm0", 9, 0, "A"))
    assert counted["mc0"] == {"ce_count": 3, "ue_count": 0}


def test_older_kernels_count_what_was_corrected_by_row_and_channel(tmp_path):
    dimm = module("mc0/dimm0", 0, 0, "DIMM_A1")
    rows = {
        f"{MC}/mc0/csrow0/ce_count": "7\n",
        f"{MC}/mc0/csrow0/ue_count": "2\n",
        f"{MC}/mc0/csrow0/ch0_ce_count": "0\n",
        f"{MC}/mc0/csrow0/ch0_dimm_label": "DIMM_A1\n",
        f"{MC}/mc0/csrow0/ch1_ce_count": "7\n",
        f"{MC}/mc0/csrow0/ch1_dimm_label": "\n",
        f"{MC}/mc0/csrow0/channel": "x\n",
    }
    uncounted = {name: text for name, text in dimm.items() if "_count" not in name}
    assert told(tmp_path, controller("mc0", 8, 2), uncounted, rows) == {
        "mc0": {"ce_count": 1, "ue_count": 2},
        "mc0 csrow0/ch0 DIMM_A1": {"ce_count": 0},
        "mc0 csrow0/ch1": {"ce_count": 7},
    }
    # Newer ones have both; then the rows are of the same errors.
    both = told(tmp_path / "new", controller("mc0", 8, 2), module("mc0/dimm0", 8, 2), rows)
    assert list(both) == ["mc0", "mc0 dimm0 channel 0 slot 0"]


def test_without_modules_the_controller_tells_all_and_a_broken_one_is_a_fact(tmp_path):
    files = controller("mc0", 3, 0, noinfo=(3, 0)) | controller("mc1", 0, 2, model="IMC#1")
    assert told(tmp_path, files) == {
        "mc0": {"ce_count": 3, "ue_count": 0},
        "mc1": {"ce_count": 0, "ue_count": 2},
    }
    assert memory(tree(tmp_path, {}))["edac"] == [
        {
            "name": "mc0",
            "controller": "Skylake Socket#0 IMC#0",
            "health": {"uncorrected_errors": False},
        },
        {"name": "mc1", "controller": "IMC#1", "health": {"uncorrected_errors": True}},
    ]


@pytest.mark.parametrize(
    ("label", "slot_told"),
    [
        ("DIMM_A2", {"locator": "DIMM_A2"}),
        ("P0 CHANNEL A DIMM 0", {"locator": "DIMM 0", "bank_locator": "P0 CHANNEL A"}),
        ("DIMM 0", {}),  # of two
        ("dimm_a2", {}),
        ("DIMM_A", {}),
        ("", {}),
    ],
)
def test_a_slot_is_told_where_the_label_is_exactly_the_name_of_one(tmp_path, label, slot_told):
    slots = [slot("DIMM_A2"), slot("DIMM 0", "P0 CHANNEL A"), slot("DIMM 0", "P0 CHANNEL B")]
    machine(tmp_path, b"".join(slots) + END)
    counted = told(tmp_path, controller("mc0", 1, 0), module("mc0/dimm0", 1, 0, label))
    [of_module] = [one for name, one in counted.items() if " " in name]
    assert of_module == {"ce_count": 1, "ue_count": 0, **slot_told}


@pytest.mark.parametrize(
    "label", ["A" * 4000, "A\nce_count", "\x00\x1b[2J ", "é ½ ", "DIMM_A1\t\tB"]
)
def test_an_odd_label_makes_a_short_name_in_one_line_that_no_other_module_has(tmp_path, label):
    modules = [module(f"mc0/dimm{number}", number, 0, label) for number in range(3)]
    counted = told(tmp_path, controller("mc0", 3, 0), *modules)
    assert [one["ce_count"] for one in counted.values()] == [0, 0, 1, 2]
    assert all(name.isprintable() and len(name) < 160 for name in counted)


def test_what_is_no_number_is_not_told_and_modules_are_told_up_to_a_limit(tmp_path):
    many = [module(f"mc0/dimm{number}", 1, 0) for number in range(edac.MOST_MODULES + 50)]
    odd = {f"{MC}/mc0/dimm0/dimm_ce_count": "many\n", f"{MC}/mc0/dimm1/dimm_ce_count": "-4\n"}
    counted = told(tmp_path, controller("mc0", edac.MOST_MODULES + 48, 0), *many, odd)
    assert len(counted) == edac.MOST_MODULES + 1
    assert counted["mc0 dimm0 channel 0 slot 0"] == {"ue_count": 0}
    assert sum(one.get("ce_count", 0) for one in counted.values()) == edac.MOST_MODULES + 48


def test_the_counters_of_modules_are_followed_and_shown_beside_their_controller(tmp_path):
    files = controller("mc0", 9, 0) | module("mc0/dimm0", 9, 0, "DIMM_A2")
    stable, volatile = split({"memory": section_of(memory(tree(tmp_path, files)))})
    assert counts("memory", volatile["memory"]) == (
        {("mc0 dimm0 DIMM_A2", "ce_count"): 9},
        {"mc0", "mc0 dimm0 DIMM_A2"},
    )
    assert [one["name"] for one in stable["memory"]["edac"]] == ["mc0"]
    shown = with_volatile(stable["memory"], volatile["memory"])["edac"]
    assert [(one["name"], one["ce_count"]) for one in shown] == [
        ("mc0", 0),
        ("mc0 dimm0 DIMM_A2", 9),
    ]
