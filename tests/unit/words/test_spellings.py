"""In which spellings a name, a number or an address is looked for."""

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from salt_ext.words.spellings import bare_address, normal_forms, spellings

MAC = "52:54:00:ab:cd:ef"
WWN = "5000c500a1b2c3d4"
UUID = "4c4c4544-0058-5910-805a-b9c04f000001"
TURNED = "44454c4c-5800-1059-805a-b9c04f000001"
LONG_WWN = "600508b1001c5d1e8a1b2c3d4e5f6071"
V6 = "2001:db8::374"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        *((one, MAC) for one in (MAC, MAC.upper(), "52-54-00-ab-cd-ef", "5254.00ab.cdef")),
        *((one, MAC) for one in ("525400abcdef", "525400ABCDEF", "525400-abcdef", f" {MAC} ")),
        *((one, WWN) for one in (WWN, WWN.upper(), f"0x{WWN}", f"naa.{WWN}", f"wwn-0x{WWN}")),
        *((one, WWN) for one in ("50:00:c5:00:a1:b2:c3:d4", f"NAA.{WWN.upper()}", f"eui.{WWN}")),
        ("0x5000C500A1B2C3D4", "50:00:c5:00:a1:b2:c3:d4"),
        ("5000:c500:a1b2:c3d4", WWN),
        *((one, LONG_WWN) for one in (LONG_WWN, f"wwn-0x{LONG_WWN}", f"0x{LONG_WWN.upper()}")),
        *((one, UUID) for one in (UUID, UUID.upper(), f"{{{UUID}}}", f"urn:uuid:{UUID}", TURNED)),
        *((one, UUID) for one in (UUID.replace("-", ""), TURNED.replace("-", "").upper())),
        (f"VMware-{'4c 4c 45 44 00 58 59 10-80 5a b9 c0 4f 00 00 01'}", UUID),
        ("80:00:02:08:fe:80:00:00:00:00:00:00:7c:fe:90:03:00:a1:b2:c3", "7c:fe:90:03:00:a1:b2:c3"),
        *((one, V6) for one in (V6, V6.upper(), f"{V6}/64", f"[{V6}]", f"{V6}%eth0")),
        ("2001:0db8:0000:0000:0000:0000:0000:0374", V6),
        ("2001:db8:0:0::374/64", V6),
        *((one, "10.0.3.17") for one in ("10.0.3.17", "10.0.3.17/16", "::ffff:10.0.3.17")),
        ("fe80::5054:ff:feab:cdef%eno1", MAC),
    ],
)
def test_a_number_has_its_normal_form_in_whatever_way_people_write_it(written, meant):
    assert meant in spellings(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Web01", {"web01", "WEB01", "Web01"}),
        ("'web01'", {"web01", "WEB01"}),
        ("web01\u200b", {"web01", "WEB01"}),
        ("CN\uff11\uff12", {"CN12", "cn12"}),
        ("S64F\u2013A", {"S64F-A", "s64f-a"}),
    ],
)
def test_what_makes_no_difference_to_people_makes_none_here(written, meant):
    assert spellings(written) == meant


@pytest.mark.parametrize("text", ["web01", "10.0", "300.1.1.1", "abcdef", "", "-", "12", "g" * 12])
def test_a_name_is_no_number(text):
    assert normal_forms(text) == set()


def test_an_address_is_not_another_one():
    assert bare_address("10.0.3.1") != bare_address("10.0.3.17")
    assert bare_address("12") == ""
    assert bare_address("fe80") == ""


@example("0 .")
@given(st.text(max_size=60) | st.text(string.hexdigits + ":-.{}x/% ", max_size=60))
def test_any_text_has_spellings(text):
    for one in spellings(text):
        assert one == one.strip()
