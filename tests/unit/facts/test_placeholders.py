"""Which numbers are nobody's own: those of parts, and UUIDs that somebody typed."""

import uuid
from random import Random

import pytest

from salt_ext.document.placeholders import uuid_spellings, why_not_serial, why_not_uuid


@pytest.mark.parametrize(
    "serial",
    [
        *("00000000", "Unknown", "To Be Filled By O.E.M.", "NO DIMM", "[Empty]", "BAD0", "0xBAD0"),
        *("0x00000000", "0xFFFFFFFFFFFFFFFF", "[N/A]", "[Not Supported]", "(Unknown)"),
        *("DEADBEEF", "SN: 000001", "S/N 000002", "serial: 12", "0000", "000042"),
        *("A1_SerNum0", "DIMM0_SerialNumber", "ChannelA-DIMM1_AssetTagNum", "01234567"),
        *("Virtual disk", "Amazon Elastic Block Store", "Not Populated", "No Module Installed"),
        *("Unspecified", "None Specified", "UNPOPULATED", "NO MEMORY", "FEDCBA9876543210"),
        *(
            "QM00001",
            "QM00013",
            "drive-scsi0",
            "nvme_card-pd",
            "VMware NVME_0000",
            "persistent-disk-0",
            "ds=nocloud;s=http://user:pass@10.0.0.1/",
            "ds=nocloud;(not shown)",
        ),
    ],
)
def test_a_number_that_many_parts_show_is_no_parts_own(serial):
    assert why_not_serial(serial)


@pytest.mark.parametrize(
    "serial",
    [
        *("06C17867", "0000000C", "00001A2B", "000123", "4242", "SN0001", "SN: 8H2K01", "BADGE17"),
        *("S64GNE0R123456", "ZC10ABCD", "0xDEADBEEF12", "PHLN1234567", "SN_4K29"),
        *("QM7A2200", "drive", "vol0a1b2c3d4e5f6a7b8", "AWS22D6E84C1A9F0B7D3"),
    ],
)
def test_a_number_that_may_be_a_parts_own_is_kept(serial):
    assert why_not_serial(serial) is None


@pytest.mark.parametrize(
    "value",
    [
        "01234567-89ab-cdef-0123-4567890abcde",
        "00112233-4455-6677-8899-aabbccddeeff",
        "11111111-2222-3333-4444-555555555555",
        "AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE",
        "fedcba98-7654-3210-fedc-ba9876543210",
        "01020304-0506-0708-090a-0b0c0d0e0f10",
        "12341234-1234-1234-1234-123412341234",
        "99999999-8888-7777-6666-555555555555",
        "12345678-9012-3456-7890-123456789012",
    ],
)
def test_a_uuid_that_somebody_counted_is_no_key_in_either_byte_order(value):
    for spelling in uuid_spellings(value):
        assert why_not_uuid(spelling) == "it counts up or down"


@pytest.mark.parametrize(
    "value",
    [
        "00000000-0000-0000-0000-0cc47a133878",  # a maker's, with the MAC at its end
        "ffffffff-ffff-ffff-ffff-0cc47a133878",
        "4c4c4544-0058-5910-805a-b9c04f4b3132",
        "30393137-3436-584d-5136-323830304e46",
        "ec2a4f1e-1234-5678-9abc-0f1e2d3c4b5a",
    ],
)
def test_a_uuid_that_may_be_a_machines_is_kept(value):
    assert why_not_uuid(value) is None


def test_no_random_uuid_is_taken_for_a_counted_one():
    chance = Random(13)
    found = (str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(20_000))
    assert [one for one in found if why_not_uuid(one)] == []
