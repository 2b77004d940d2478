"""One value out of a document, by the path that people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salt_ext.document import normal
from salt_ext.document.keys import keyed
from salt_ext.document.volatile import split, with_volatile
from salt_ext.words.paths import NoValue, value_at
from tests.machines import server

FACTS = {
    "firmware": {"version": "1.9.2"},
    "pci": [{"slot": "0000:3b:00.0", "pci_slot": "0000:3b:00.0", "driver": "mlx5_core"}],
    "disks": [
        {"name": "sdb", "serial_number": "7B", "model": "B"},
        {"name": "sda", "serial_number": "A.1", "model": "A", "paths": [{"name": "p.0", "up": 1}]},
    ],
    "flags": {"list": ["x", "y"], "a.b": {"c": 1}},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("firmware.version", "1.9.2"),
        ("disks.A.1.model", "A"),
        ("disks.sda.model", "A"),
        ("disks.0.model", "A"),
        ("disks.7B.model", "B"),
        ("disks.A.1.paths.p.0.up", 1),
        ("pci.0000:3b:00.0.driver", "mlx5_core"),
        ("flags.list.1", "y"),
        ("flags.a.b.c", 1),
    ],
)
def test_a_path_leads_through_fields_keys_names_and_numbers(path, value):
    assert value_at(FACTS, path) == value


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("firmwear.version", "there is no value 'firmwear'; did you mean 'firmware'? There are: "),
        ("firmware.version.major", "firmware.version: there is no value 'major'; there are: none"),
        ("disks.2.model", "disks: there is no value '2'; there are: 7B, A.1, sdb, sda, 0, 1"),
        ("", "there is no value ''; there are: firmware, pci, disks, flags"),
    ],
)
def test_a_path_that_leads_nowhere_says_what_is_there(path, says):
    with pytest.raises(NoValue) as raised:
        value_at(FACTS, path)
    assert str(raised.value).startswith(says)


def test_volatile_values_come_back_to_where_they_were():
    facts = server(1)
    facts["operating_system"]["volatile"] = {"uptime_seconds": 7}
    facts["disks"][0]["volatile"] = {"celsius": 31}
    stable, volatile = split(facts)
    whole = with_volatile(stable, volatile)
    assert value_at(whole, "operating_system.uptime_seconds") == 7
    assert value_at(whole, "disks.sda.celsius") == 31
    assert value_at(whole, "disks.sda.model") == "PM9A3"
    assert with_volatile(stable, None) == stable


@given(st.lists(st.text("ab.", min_size=1, max_size=4), unique=True, max_size=5))
def test_every_part_is_had_by_its_key(serials):
    parts = normal({"disks": [{"serial_number": f"S{one}7", "is": f"S{one}7"} for one in serials]})
    for key in keyed(parts["disks"]):
        assert value_at(parts, f"disks.{key}.is").startswith(key.split(".")[0])
