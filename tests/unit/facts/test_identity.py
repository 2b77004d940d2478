from typing import Any

import pytest

from salt_ext.facts.identity import KEYS, identify, manufacturer, uuid_spellings

UUID = "4c4c4544-0058-5910-805a-b9c04f4b3132"
MACHINE_ID = "3d1219c7c4c5404aaa1f6d2a48adfda4"


def machine(**sections: Any) -> dict[str, Any]:
    system = {"manufacturer": "Dell Inc.", "product_name": "PowerEdge R640"}
    return {
        "system": {**system, **sections.pop("system", {})},
        "virtual": {"role": "none"},
        **sections,
    }


def guest(**sections: Any) -> dict[str, Any]:
    system = {"manufacturer": "QEMU", "product_name": "Standard PC", **sections.pop("system", {})}
    virtual = {"role": "guest", "hypervisor": "kvm", **sections.pop("virtual", {})}
    return {"system": system, "virtual": virtual, **sections}


def card(name: str, mac: str | None, slot: str | None, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "physical",
        "permanent_mac": mac,
        "pci_slot": slot,
        "bus": "pci",
        **more,
    }


def supermicro(**sections: Any) -> dict[str, Any]:
    return machine(
        system={
            "manufacturer": "Supermicro",
            "product_name": "SYS-5039MS-H12TRF",
            "serial_number": "E235735X6B01665",
        },
        baseboards=[
            {"manufacturer": "Supermicro", "type": "Motherboard", "serial_number": "ZM169S040205"}
        ],
        **sections,
    )


GOOD = [
    (
        "a system serial number is scoped by its maker",
        machine(system={"serial_number": "9XYZ1K2"}),
        ("serial_number", "dell/9xyz1k2", "high"),
    ),
    (
        "blanks around and case do not matter",
        machine(system={"manufacturer": "HPE", "serial_number": " CZJ7140658      "}),
        ("serial_number", "hp/czj7140658", "high"),
    ),
    (
        "the board lends its maker when the system has a placeholder",
        machine(
            system={"manufacturer": "To be filled by O.E.M.", "serial_number": "AB12CD34"},
            baseboards=[{"manufacturer": "ASRockRack"}],
        ),
        ("serial_number", "asrockrack/ab12cd34", "high"),
    ),
    (
        "a serial number without any maker is weaker",
        machine(system={"manufacturer": None, "serial_number": "AB12CD34"}),
        ("serial_number", "unknown/ab12cd34", "medium"),
    ),
    (
        "the serial number comes before the UUID",
        machine(system={"serial_number": "9XYZ1K2", "uuid": UUID}),
        ("serial_number", "dell/9xyz1k2", "high"),
    ),
    (
        "a board stands in for a placeholder serial number",
        machine(
            system={"manufacturer": "Supermicro", "serial_number": "0123456789"},
            baseboards=[{"manufacturer": "Supermicro", "serial_number": "NM175S004964"}],
        ),
        ("board_serial_number", "supermicro/nm175s004964", "medium"),
    ),
    (
        "the main board is the one that says so",
        machine(
            system={"manufacturer": "HP"},
            baseboards=[
                {"type": "Processor+Memory Module", "serial_number": "RISER0001"},
                {"type": "Motherboard", "serial_number": "MAIN0001A"},
            ],
        ),
        ("board_serial_number", "hp/main0001a", "medium"),
    ),
    (
        "a Dell board carries the service tag between its first dots",
        machine(
            baseboards=[{"manufacturer": "Dell Inc.", "serial_number": ".790H8D2.CN7475162M0382."}]
        ),
        ("serial_number", "dell/790h8d2", "high"),
    ),
    (
        "a Dell desktop board carries it between slashes",
        machine(
            baseboards=[{"manufacturer": "Dell Inc.", "serial_number": "/4H7N2J2/CN129636P00AB/"}]
        ),
        ("serial_number", "dell/4h7n2j2", "high"),
    ),
    (
        "a Dell board without a service tag is a board",
        machine(baseboards=[{"manufacturer": "Dell Inc.", "serial_number": "..CN1374061500AP."}]),
        ("board_serial_number", "dell/cn1374061500ap", "medium"),
    ),
    (
        "a UUID identifies a machine without serial numbers",
        machine(system={"uuid": UUID.upper()}),
        ("uuid", UUID, "medium"),
    ),
    (
        "a UUID of zeros with a hardware address at its end is good",
        machine(system={"uuid": "00000000-0000-0000-0000-0cc47a133878"}),
        ("uuid", "00000000-0000-0000-0000-0cc47a133878", "medium"),
    ),
    (
        "the card in the lowest slot comes first",
        machine(
            network=[
                card("eth1", "0c:c4:7a:13:38:79", "0000:05:00.0"),
                card("eth0", "0C:C4:7A:13:38:78", "0000:04:00.0"),
            ]
        ),
        ("mac", "0c:c4:7a:13:38:78", "medium"),
    ),
    (
        "a card that is no PCI device identifies a machine too",
        machine(network=[card("end0", "dc:a6:32:01:02:03", None, bus="platform")]),
        ("mac", "dc:a6:32:01:02:03", "medium"),
    ),
    (
        "a microVM without DMI is known by the address of its card",
        {
            "network": [card("eth0", "02:fc:00:00:00:01", "0000:00:03.0", bus="virtio")],
            "virtual": {"role": "guest", "hypervisor": "firecracker"},
            "operating_system": {"machine_id": MACHINE_ID},
        },
        ("mac", "02:fc:00:00:00:01", "low"),
    ),
    (
        "the nodes of a multi-node Supermicro are told apart by their boards",
        supermicro(),
        ("board_serial_number", "supermicro/zm169s040205", "medium"),
    ),
    (
        "an ordinary Supermicro is known by its serial number",
        machine(
            system={
                "manufacturer": "Supermicro",
                "product_name": "SSG-6028R-OSD072P",
                "serial_number": "S212101X7A18218",
            },
            baseboards=[{"serial_number": "NM175S004964"}],
        ),
        ("serial_number", "supermicro/s212101x7a18218", "high"),
    ),
    (
        "a guest is known by its UUID and not by its serial number",
        guest(system={"serial_number": "WXYZ9876", "uuid": UUID}),
        ("uuid", UUID, "high"),
    ),
    (
        "a cloud instance is known by its instance",
        guest(
            system={"uuid": UUID},
            virtual={"cloud": {"provider": "ec2", "instance_id": "i-00d2efb1ec3832748"}},
        ),
        ("cloud_instance_id", "ec2/i-00d2efb1ec3832748", "high"),
    ),
]


@pytest.mark.parametrize(
    ("facts", "primary"), [case[1:] for case in GOOD], ids=[c[0] for c in GOOD]
)
def test_the_best_identifier_decides(facts: dict[str, Any], primary: tuple[str, str, str]) -> None:
    kind, value, quality = primary
    assert identify(facts)["primary"] == {"kind": kind, "value": value, "quality": quality}


PLACEHOLDER = "it is a placeholder that the firmware's maker left in place"
FIELD = "it is the name of the field, not a value"
RUN = "it counts up or down"
REPEATED = "it is one character repeated"
BLANK = "it is blank or punctuation only"
HOST = "on oVirt and RHEV the serial number of a guest is the identity of its host"
REJECTED = [
    (machine(system={"serial_number": serial}), "serial_number", reason)
    for serial, reason in (
        ("Default string", PLACEHOLDER),
        ("To be filled by O.E.M.", PLACEHOLDER),
        ("Not Specified", PLACEHOLDER),
        ("Not Applicable", PLACEHOLDER),
        ("None", PLACEHOLDER),
        ("N/A", PLACEHOLDER),
        ("<BAD INDEX>", PLACEHOLDER),
        ("OEM Define 3", PLACEHOLDER),
        ("System Serial Number", FIELD),
        ("Type2 - Board Serial Number", FIELD),
        ("SerNum00", FIELD),
        ("Chassis Serial#", FIELD),
        ("Serial Number xxxxxx", FIELD),
        ("0123456789", RUN),
        ("MB-1234567890", RUN),
        ("9876543210", RUN),
        ("0000000000", REPEATED),
        ("FFFFFFFF", REPEATED),
        ("SSSSSSSS", REPEATED),
        ("01010100", "it is made of zeros and ones only"),
        ("............", BLANK),
        ("--", BLANK),
        ("042", "it is a number too short to be one of a kind"),
        ("X" * 40 + "Y" * 100, "it is longer than 128 characters"),
    )
]
REJECTED += [
    (machine(system={"uuid": uuid}), "uuid", reason)
    for uuid, reason in (
        ("00000000-0000-0000-0000-000000000000", "it is one or two digits repeated"),
        ("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "it is one or two digits repeated"),
        ("fefefefe-fefe-fefe-fefe-fefefefefefe", "it is one or two digits repeated"),
        ("03000200-0400-0500-0006-000700080009", "the example UUID of a firmware kit"),
        ("00020003-0004-0005-0006-000700080009", "the example UUID of a firmware kit"),
        ("00010203-0405-0607-0809-0a0b0c0d0e0f", "the example UUID of a firmware kit"),
        ("6AB5B300-538D-1014-9FB5-B0684D007B53", "a UUID that many unrelated boards carry"),
        ("10000000-0000-8000-0040-000000000000", "a UUID that many unrelated boards carry"),
        ("not a uuid", "it is not a UUID"),
    )
]
REJECTED += [
    (machine(network=[card("eth0", mac, "0000:01:00.0", **more)]), "mac", reason)
    for mac, more, reason in (
        ("00:00:00:00:00:00", {}, "it is one octet repeated"),
        ("ff:ff:ff:ff:ff:ff", {}, "it is one octet repeated"),
        ("01:80:c2:00:00:00", {}, "it is a group address"),
        (
            "00:50:56:c0:00:08",
            {},
            "the address of a VMware network on a desktop, not of a card",
        ),
        ("00:e0:4c:68:00:01", {"bus": "usb"}, "a USB network adapter moves between machines"),
        ("0c:c4:7a:13:38:78", {"kind": "bond"}, "it does not belong to a network card"),
        ("nonsense", {}, "it is not a hardware address"),
    )
]
REJECTED += [
    (
        guest(
            system={
                "manufacturer": "oVirt",
                "product_name": "oVirt Node",
                "serial_number": "30393137-3436-584D-5136-323830304E46",
            }
        ),
        "serial_number",
        HOST,
    ),
    (
        guest(system={"manufacturer": "Red Hat", "product_name": "RHEV", "serial_number": UUID}),
        "serial_number",
        HOST,
    ),
    (
        guest(
            system={
                "product_name": "OpenStack Nova",
                "serial_number": "9e6f0c1a-1111-4c22-8d33-0a0b0c0d0e1f",
            }
        ),
        "serial_number",
        "on OpenStack the serial number of a guest can be the identity of its host",
    ),
    (
        guest(
            system={
                "manufacturer": "VMware, Inc.",
                "serial_number": "VMware-56 4d 8f 1b 2c 3d 4e 5f-60 71 82 93 a4 b5 c6 d7",
                "uuid": "1b8f4d56-3d2c-5f4e-6071-8293a4b5c6d7",
            }
        ),
        "serial_number",
        "it is the UUID in other words",
    ),
    (
        guest(system={"serial_number": "2581-3421-9876-1211"}),
        "serial_number",
        "the serial number of a guest is chosen by its host and can be shared",
    ),
    (
        guest(chassis=[{"asset_tag": "7783-7084-3265-9085-8269-3286-77"}]),
        "asset_tag",
        "Azure writes it on every machine",
    ),
    (
        machine(system={"serial_number": "9XYZ1K2"}, virtual={"role": "none", "container": "lxc"}),
        "serial_number",
        "a container sees the hardware of its host",
    ),
]


@pytest.mark.parametrize(("facts", "kind", "reason"), REJECTED, ids=lambda it: str(it)[:60])
def test_what_identifies_nothing_is_rejected_with_the_reason(
    facts: dict[str, Any], kind: str, reason: str
) -> None:
    answer = identify(facts)
    assert [(r["kind"], r["reason"]) for r in answer["rejected"]] == [(kind, reason)]
    assert (answer["primary"] or {}).get("kind") != kind


@pytest.mark.parametrize(
    "serial", ["1.2.3AB45", "SN00042317", "0CC47A", "VM147S018307", "2M2543021D", "4242", "000A12"]
)
def test_a_plausible_serial_number_is_kept(serial: str) -> None:
    assert identify(machine(system={"serial_number": serial}))["rejected"] == []


def candidate(kind: str, facts: dict[str, Any]) -> str | None:
    found = identify(facts)["candidates"]
    return next((one["value"] for one in found if one["kind"] == kind), None)


def board(serial: str, **more: Any) -> list[dict[str, Any]]:
    return [{"type": "Motherboard", "serial_number": serial, **more}]


@pytest.mark.parametrize(
    ("serial", "tag", "own"),
    [
        (".9XYZ1K2.CN7475162M0382.", "dell/9xyz1k2", "dell/cn7475162m0382"),
        ("/9XYZ1K2/CN12963P00000", "dell/9xyz1k2", "dell/cn12963p00000"),
        (".9XYZ1.CN7475162M0382.", "dell/9xyz1", "dell/cn7475162m0382"),
        (".9XYZ.CN7475162M0382.", None, "dell/cn7475162m0382"),  # too short for a tag
        (".9XYZ1K25.CN7475162M0382.", None, "dell/cn7475162m0382"),  # too long
        (".9XYZ1K2", None, "dell/.9xyz1k2"),
    ],
)
def test_a_dell_board_has_the_service_tag_in_its_serial_number(
    serial: str, tag: str | None, own: str
) -> None:
    facts = machine(baseboards=board(serial))
    assert candidate("serial_number", facts) == tag
    assert candidate("board_serial_number", facts) == own


def test_a_board_has_the_scope_of_its_own_maker_where_it_names_one() -> None:
    facts = machine(baseboards=board("AB12CD34", manufacturer="Foxconn"))
    assert candidate("board_serial_number", facts) == "foxconn/ab12cd34"
    facts = machine(baseboards=board("AB12CD34", manufacturer="To be filled by O.E.M."))
    assert candidate("board_serial_number", facts) == "dell/ab12cd34"


def test_the_board_of_a_guest_is_nobodys() -> None:
    facts = guest(baseboards=board("AB12CD34"))
    assert candidate("board_serial_number", facts) is None
    assert ("board_serial_number", "the board of a guest is made by its host") in [
        (one["kind"], one["reason"]) for one in identify(facts)["rejected"]
    ]


def test_a_guest_and_a_container_have_no_service_tag_and_no_enclosure() -> None:
    enclosure = {"serial_number": "CZ3702MD5K", "server_bay": "4"}
    system = {"manufacturer": "Dell Inc.", "enclosure": enclosure}
    boards = board(".9XYZ1K2.CN7475162M0382.")
    assert identify(machine(system=system))["parent_chassis"] is not None
    for virtual in ({"role": "guest"}, {"role": "none", "container": "lxc"}):
        facts = machine(system=system, baseboards=boards) | {"virtual": virtual}
        assert candidate("serial_number", facts) is None
        assert identify(facts)["parent_chassis"] is None


@pytest.mark.parametrize(
    ("uuid", "is_one"),
    [
        ("abababab-abab-abab-abab-abababababab", False),
        ("abcabcab-cabc-abca-bcab-cabcabcabcab", True),
        ("4c4c4544-0058-5910-805a-b9c04f4b313", False),
    ],
)
def test_a_uuid_of_one_or_two_digits_is_none(uuid: str, is_one: bool) -> None:
    assert (candidate("uuid", machine(system={"uuid": uuid})) is not None) is is_one


@pytest.mark.parametrize(
    ("serial", "is_one"), [("SerNum0", False), ("SerNum01", False), ("SerNum017", True)]
)
def test_a_template_with_one_or_two_digits_is_no_serial_number(serial: str, is_one: bool) -> None:
    facts = machine(system={"serial_number": serial})
    assert (candidate("serial_number", facts) is not None) is is_one


@pytest.mark.parametrize(
    ("mac", "is_one"),
    [
        ("52:54:00:12:34:56", True),
        ("00:02:c9:03:00:12:34:56", True),  # InfiniBand
        ("52:54:00:12:34", False),
        ("52:54:00:12:34:56:78", False),
        ("52:54:00:12:34:5", False),
        ("52:54:00:12:34:567", False),
        ("52:54:00:12:34:5g", False),
    ],
)
def test_a_hardware_address_has_six_or_eight_octets_of_two_digits(mac: str, is_one: bool) -> None:
    facts = machine(network=[card("eno1", mac, "0000:3b:00.0")])
    assert candidate("mac", facts) == (mac if is_one else None)


def test_an_identifier_has_255_characters_and_a_serial_number_128_at_most() -> None:
    assert candidate("minion_id", {"minion_id": "a" * 255}) == "a" * 255
    assert candidate("minion_id", {"minion_id": "a" * 256}) is None
    for length, is_one in ((128, True), (129, False)):
        facts = machine(system={"serial_number": ("AB1X" * 33)[:length]})
        assert (candidate("serial_number", facts) is not None) is is_one


@pytest.mark.parametrize(
    "facts",
    [
        {"operating_system": {"machine_id": MACHINE_ID}},
        {"minion_id": "web1"},
        machine(chassis=[{"manufacturer": "HP", "serial_number": "CZ3702MD5K"}]),
        machine(chassis=[{"asset_tag": "RACK42"}]),
    ],
)
def test_an_alias_is_never_a_key(facts: dict[str, Any]) -> None:
    answer = identify(facts)
    assert answer["primary"] is None
    assert [(c["kind"] in KEYS, c["quality"]) for c in answer["candidates"]] == [(False, "low")]


def test_a_blade_names_its_enclosure() -> None:
    cartridge = machine(
        system={"manufacturer": "HP", "serial_number": "CN66480BLA"},
        baseboards=[{"type": "Motherboard", "location_in_chassis": "c2n1"}],
        chassis=[{"type": "Multi-system", "serial_number": "CZ3702MD5K"}],
    )
    answer = identify(cartridge)
    assert answer["primary"]["value"] == "hp/cn66480bla"
    assert answer["parent_chassis"] == {
        "kind": "chassis_serial_number",
        "value": "hp/cz3702md5k",
        "location": "c2n1",
    }


def test_a_shared_system_serial_number_is_that_of_the_enclosure() -> None:
    answer = identify(supermicro())
    serial = next(c for c in answer["candidates"] if c["kind"] == "serial_number")
    assert serial["quality"] == "low"
    assert answer["parent_chassis"]["value"] == "supermicro/e235735x6b01665"


def test_a_blade_whose_chassis_repeats_its_serial_number_names_no_enclosure() -> None:
    blade = machine(
        system={"manufacturer": "HP", "serial_number": "CZ12345ABC"},
        chassis=[{"type": "Blade", "serial_number": "CZ12345ABC"}],
    )
    assert identify(blade)["parent_chassis"] is None


def test_a_rack_server_has_no_parent_although_its_chassis_has_a_serial_number() -> None:
    server = machine(
        system={"serial_number": "S212101X7A18218"},
        chassis=[{"type": "Other", "serial_number": "C8260FG11N50348"}],
    )
    assert identify(server)["parent_chassis"] is None


def test_a_rented_whole_machine_is_not_virtual() -> None:
    system = {"manufacturer": "Amazon EC2", "product_name": "m5.metal", "uuid": UUID}
    assert identify({"system": system})["is_virtual"] is False
    assert identify({"system": {**system, "product_name": "m5.large"}})["is_virtual"] is True


def test_without_the_virtual_section_the_names_tell_a_guest() -> None:
    facts = guest(system={"product_name": "OpenStack Nova", "serial_number": "AB12CD34"})
    del facts["virtual"]
    assert identify(facts)["is_virtual"] is True
    assert identify(facts)["primary"] is None


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"system": None, "baseboards": {}, "chassis": "x", "network": [1, None], "virtual": []},
        {"system": {"serial_number": 7, "uuid": ["x"]}, "baseboards": [{"serial_number": {}}]},
        {"system": {"serial_number": "\ud800", "manufacturer": ", Inc."}, "minion_id": 3},
        {"network": [{"permanent_mac": "é", "name": 3, "pci_slot": []}], "virtual": {"cloud": 1}},
        {"system": {"manufacturer": "dell"}, "baseboards": [{"serial_number": "."}]},
    ],
)
def test_a_document_of_any_shape_gets_an_answer(facts: dict[str, Any]) -> None:
    answer = identify(facts)
    assert list(answer) == ["primary", "candidates", "rejected", "is_virtual", "parent_chassis"]
    assert all(type(item["value"]) is str for item in answer["candidates"] + answer["rejected"])


def test_the_same_facts_give_the_same_answer_in_any_order() -> None:
    cards = [card("b", "0c:c4:7a:13:38:79", "0000:05:00.0"), card("a", "0c:c4:7a:13:38:78", None)]
    assert identify(machine(network=cards)) == identify(machine(network=cards[::-1]))


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("Dell Inc.", "dell"),
        ("Dell Computer Corporation", "dell"),
        ("DELL EMC", "dell"),
        ("Hewlett-Packard", "hp"),
        ("HPE", "hp"),
        ("Hewlett Packard Enterprise", "hp"),
        ("HP", "hp"),
        ("LENOVO", "lenovo"),
        ("Super Micro Computer, Inc.", "supermicro"),
        ("Supermicro", "supermicro"),
        ("Huawei Technologies Co., Ltd.", "huawei"),
        ("Cisco Systems Inc", "cisco"),
        ("FUJITSU SIEMENS", "fujitsu"),
        ("Quanta Cloud Technology Inc.", "quanta"),
        ("Sun Microsystems", "oracle"),
        ("Oracle Corporation", "oracle"),
        ("Gigabyte Technology Co., Ltd.", "gigabyte"),
        ("GIGA-BYTE TECHNOLOGY", "gigabyte"),
        ("ASUSTeK COMPUTER INC.", "asus"),
        ("International Business Machines Corp.", "ibm"),
        ("TYAN Computer Corp", "tyan"),
        ("Inspur", "inspur"),
        ("Thomas-Krenn.AG", "thomas-krenn.ag"),
        ("Computer Systems", "computer"),
    ],
)
def test_the_names_of_one_maker_are_one_scope(name: str, scope: str) -> None:
    assert manufacturer(name) == scope


def test_a_uuid_has_two_spellings() -> None:
    spellings = uuid_spellings("40042187-8E68-0144-0000-000000000000")
    assert spellings == (
        "40042187-8e68-0144-0000-000000000000",
        "87210440-688e-4401-0000-000000000000",
    )
    assert uuid_spellings(spellings[1]) == spellings[::-1]
