"""What the headings of people's lists mean."""

import pytest

from salt_ext.lists.headings import mapping, meaning, unit_of

CHINESE = {
    "序列号": "sn",
    "主机名": "hostname",
    "机房": "site",
    "机柜": "rack",
    "型号": "product_name",
    "厂商": "manufacturer",
    "内存(GB)": "memory_bytes",
    "硬盘": "disk_bytes",
    "IP地址": "address",
    "操作系统": "os",
    "资产编号": "asset_tag",
}
ENGLISH = {
    "Serial No.": "sn",
    "Host_Name": "hostname",
    "Data Centre": "site",
    "RACK": "rack",
    "Model": "product_name",
    "Vendor": "manufacturer",
    "Memory GiB": "memory_bytes",
    "Disk TB": "disk_bytes",
    "IP address": "address",
    "Operating System": "os",
    "Asset tag": "asset_tag",
}


@pytest.mark.parametrize(("heading", "field"), [*CHINESE.items(), *ENGLISH.items()])
def test_a_heading_means_a_field_in_both_languages(heading, field):
    assert meaning(heading) == field


@pytest.mark.parametrize("heading", ["主 机 名", "ｈｏｓｔｎａｍｅ", " Host  Name ", "hostname*"])  # noqa: RUF001
def test_blanks_wide_letters_and_marks_do_not_matter(heading):
    assert meaning(heading) == "hostname"


@pytest.mark.parametrize("heading", ["", None, "Colour", "x" * 10_000, 12, "=1+1"])
def test_what_nobody_knows_means_nothing(heading):
    assert meaning(heading) is None


@pytest.mark.parametrize(
    ("heading", "unit"),
    [("内存(GB)", "gb"), ("内存GB", "gb"), ("Disk TB", "tb"), ("Memory", ""), ("Disk", "")],
)
def test_a_heading_may_name_a_unit(heading, unit):
    assert unit_of(heading) == unit


def test_the_first_of_two_columns_with_one_meaning_counts():
    assert mapping(["SN", "序列号", "SN", "Model"]) == {0: "sn", 3: "product_name"}


def test_what_the_operator_says_goes_before_a_guess():
    assert mapping(["SN", "Old SN", "Model"], {"Old SN": "sn", "Model": ""}) == {1: "sn"}


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"Seriel": "sn"}, "there is no column 'Seriel', did you mean 'Serial'"),
        ({"Serial": "hostnam"}, "there is no field 'hostnam'"),
    ],
)
def test_a_wrong_map_is_named_with_the_nearest(said, says):
    with pytest.raises(ValueError, match="map: ") as error:
        mapping(["Serial", "Model"], said)
    assert says.partition(",")[0] in str(error.value)
    assert "did you mean" in str(error.value)


def test_the_columns_stand_in_the_order_of_the_sheet_whoever_said_what_they_mean():
    found = mapping(["Owner", "X", "Serial"], {"X": "site"})
    assert list(found.items()) == [(0, "owner"), (1, "site"), (2, "sn")]
