"""The keys of held reports, as step 0002 has always judged them."""

import pytest

from salt_ext.store.migrations.as_of_0002.keys import evidence

DELL = {"manufacturer": "Dell Inc.", "serial_number": "9XYZ1K2"}
UUID = "4C4C4544-0058-5910-805A-B9C04F4B3132"
SWAPPED = "44454c4c-5800-1059-805a-b9c04f4b3132"
BOARD = {"type": "Motherboard", "serial_number": "BOARD77"}
CARD = {"name": "eth0", "kind": "physical", "permanent_mac": "52:54:00:00:00:09"}


@pytest.mark.parametrize(
    ("facts", "keys"),
    [
        pytest.param(
            {"system": {**DELL, "uuid": UUID}, "baseboards": [BOARD], "network": [CARD]},
            [
                ["serial_number", "dell/9xyz1k2"],
                ["board_serial_number", "dell/board77"],
                ["uuid", SWAPPED],
                ["mac", "52:54:00:00:00:09"],
            ],
            id="a server by its serial number first",
        ),
        pytest.param(
            {
                "system": {"manufacturer": "Dell Inc.", "serial_number": "Chassis by O.E.M."},
                "baseboards": [{"serial_number": ".9XYZ1K2.CN7475162M0382."}],
            },
            [["serial_number", "dell/9xyz1k2"], ["board_serial_number", "dell/cn7475162m0382"]],
            id="a Dell whose board knows the service tag",
        ),
        pytest.param(
            {
                "system": {
                    "manufacturer": "Supermicro",
                    "product_name": "SYS-5038MR-H8TRF",
                    "serial_number": "ENCLOSURE7",
                    "uuid": UUID,
                },
                "baseboards": [BOARD],
            },
            [
                ["board_serial_number", "supermicro/board77"],
                ["uuid", SWAPPED],
                ["serial_number", "supermicro/enclosure7"],
            ],
            id="a node by the number of its enclosure last",
        ),
        pytest.param(
            {
                "system": {"manufacturer": "QEMU", "serial_number": "9XYZ1K2", "uuid": UUID},
                "baseboards": [BOARD],
                "cloud": {"provider": "Hetzner", "instance_id": "47744774"},
            },
            [["cloud_instance_id", "hetzner/47744774"], ["uuid", SWAPPED]],
            id="a guest by nothing that its host numbers",
        ),
        pytest.param(
            {"system": DELL, "virtual": {"container": "docker"}, "network": [CARD]},
            [],
            id="a container by nothing of its host",
        ),
        pytest.param(
            {
                "system": {"serial_number": "0123456789", "uuid": "0" * 32},
                "network": [
                    {**CARD, "bus": "usb"},
                    {**CARD, "kind": "bridge"},
                    {**CARD, "permanent_mac": "00:50:56:c0:00:01"},
                ],
            },
            [],
            id="a machine without a number of its own by nothing",
        ),
    ],
)
def test_the_keys_of_a_held_report_are_those_of_its_day(facts, keys):
    assert evidence("web01", {"facts": facts})["keys"] == keys


def test_a_name_before_and_a_machine_id_are_evidence_only_where_they_say_something():
    of = {"facts": {"operating_system": {"machine_id": "9F86D081-884C7D65-9A2FEAA0-C55AD015"}}}
    assert evidence("web01", {**of, "previous_minion_id": "web00"}) == {
        "keys": [],
        "machine_id": "9f86d081884c7d659a2feaa0c55ad015",
        "previous_minion_id": "web00",
    }
    none = {"facts": {"operating_system": {"machine_id": "0" * 32}}, "previous_minion_id": "web01"}
    assert evidence("web01", none) == {
        "keys": [],
        "machine_id": None,
        "previous_minion_id": None,
    }
