"""UUIDs and MACs as people, firmwares and boot programs write them."""

import pytest

from salt_ext.words.keys import (
    good_address,
    good_macs,
    good_uuid,
    is_instruction,
    macs_of,
    uuid_of,
    why_no_address,
    why_no_macs,
    why_no_uuid,
)

UUID = "44454c4c-5800-1059-805a-b9c04f000001"


@pytest.mark.parametrize(
    "written",
    [
        UUID,
        "4C4C4544-0058-5910-805A-B9C04F000001",
        "4c4c454400585910805ab9c04f000001",
        "{4c4c4544-0058-5910-805a-b9c04f000001}",
        " urn:uuid:4c4c4544-0058-5910-805a-b9c04f000001 ",
    ],
)
def test_a_uuid_is_one_key_in_both_byte_orders(written):
    assert uuid_of(written) == good_uuid(written) == UUID
    assert not why_no_uuid(written)


@pytest.mark.parametrize("written", ["", None, "-", "web01", UUID[:-1], f"{UUID}0", 12345])
def test_what_is_no_uuid_is_none(written):
    assert uuid_of(written) == good_uuid(written) == ""
    assert why_no_uuid(written) == "it is not a UUID"


def test_a_uuid_of_a_firmware_kit_is_no_key():
    kit = "03000200-0400-0500-0006-000700080009"
    assert uuid_of(kit)
    assert not good_uuid(kit)
    assert "firmware kit" in why_no_uuid(kit)


def test_several_macs_stand_in_one_text_however_they_are_written():
    text = "52-54-00-00-00-01, 5254.0000.0002;0x525400000003\n52:54:00:00:00:01、525400000004"
    macs = [f"52:54:00:00:00:0{number}" for number in (1, 2, 3, 4)]
    assert macs_of(text) == good_macs(text) == macs
    assert not why_no_macs(text)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "it is blank"),
        ("52:54:00:00:00:01 eth0", "eth0: it is not a hardware address"),
        ("00:00:00:00:00:00", "00:00:00:00:00:00: it is one octet repeated"),
        ("01:00:5e:00:00:01", "01:00:5e:00:00:01: it is a group address"),
    ],
)
def test_what_is_no_mac_of_a_card_is_told_word_by_word(written, why):
    assert why_no_macs(written) == why


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (" 10.0.0.5 ", "10.0.0.5"),
        ("10.0.0.5/24", "10.0.0.5"),
        ("2001:DB8::0:5/64", "2001:db8::5"),
        ("fe80::1%eth0", "fe80::1"),
        ("10.0.0.999", ""),
        ("10.0.0.5/99", ""),
        ("10.0.0.5/24, 10.0.0.6", ""),
        ("10.0.0.5 10.0.0.6", ""),
        ("web01.example", ""),
        (167772165, ""),
        ("", ""),
    ],
    ids=str,
)
def test_an_address_is_one_address_with_its_prefix_or_without(written, address):
    assert good_address(written) == address
    assert why_no_address(written) == ("" if address else "it is not one IP address")


def test_a_text_of_any_length_is_looked_at_in_part():
    assert len(macs_of(" ".join(f"5254{number:08x}" for number in range(100_000)))) == 64
    assert uuid_of("a" * 1_000_000) == ""


def test_a_serial_number_may_be_an_instruction_to_cloud_init():
    assert is_instruction("ds=nocloud;s=http://10.0.0.1/secret/")
    assert is_instruction(" DS=nocloud-net")
    assert not is_instruction("DSX1")
    assert not is_instruction(None)
