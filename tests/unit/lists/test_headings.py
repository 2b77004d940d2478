"""What the headings of people's lists mean."""

import pytest

from salt_ext.lists.headings import field_named, mapping, meaning, own_name, unit_of

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
    "资产编号": "list.asset_number",
    "U位": "unit",
    "使用人": "list.owner",
    "房间": "room",
    "负责人": "list.owner",
    "购买日期": "list.purchase_date",
    "维保到期": "list.warranty",
    "备注": "list.remarks",
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
    "Asset tag": "list.asset_number",
    "Rack unit": "unit",
    "Room": "room",
    "Owner": "list.owner",
    "Assigned To": "list.owner",
    "Rack U": "unit",
    "list.owner": "list.owner",
    "Purchase date": "list.purchase_date",
    "Warranty": "list.warranty",
    "Notes": "list.remarks",
}


@pytest.mark.parametrize(("heading", "field"), [*CHINESE.items(), *ENGLISH.items()])
def test_a_heading_means_a_field_in_both_languages(heading, field):
    assert meaning(heading) == field


@pytest.mark.parametrize(
    "heading",
    ["主 机 名", "ｈｏｓｔｎａｍｅ", " Host  Name ", "hostname*", "主\u200b机名"],  # noqa: RUF001
)
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
    assert list(found.items()) == [(0, "list.owner"), (1, "site"), (2, "sn")]


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("颜 色", "list.颜色"),
        ("Cost centre (EUR)", "list.cost_centre_eur"),
        ("list.cost_centre", "list.cost_centre"),
        ("List price", "list.list_price"),
        ("Prix\u00a0d'achat", "list.prix_d_achat"),
        ("x" * 1000, "list." + "x" * 60),
        ("---", None),
        ("", None),
    ],
)
def test_a_heading_that_nobody_knows_is_a_field_of_the_list_itself(heading, name):
    assert own_name(heading) == name
    assert mapping(["SN", heading]) == ({0: "sn", 1: name} if name else {0: "sn"})


def test_a_second_column_with_one_meaning_of_the_list_keeps_its_own_name():
    assert mapping(["SN", "备注", "说明", "备注"]) == {
        **{0: "sn", 1: "list.remarks", 2: "list.说明", 3: "list.备注"},
    }


@pytest.mark.parametrize(
    ("headings", "fields"),
    [
        (["机房"], ["site"]),
        (["机房", "数据中心"], ["room", "site"]),
        (["机房", "房间"], ["site", "room"]),
    ],
)
def test_a_machine_room_is_the_site_unless_another_column_is(headings, fields):
    assert list(mapping(headings).values()) == fields


@pytest.mark.parametrize("heading", ["Last seen (UTC)", "Freshness", "CMDB status", "changed_at"])
def test_what_only_our_own_lists_say_is_no_field_of_peoples(heading):
    assert mapping(["SN", heading]) == {0: "sn"}


def test_an_operator_names_a_field_of_the_list_by_any_word_for_it():
    said = {"Besitzer": "owner", "Farbe": "list.Farbe", "Ort": "site"}
    assert list(mapping(list(said), said).values()) == ["list.owner", "list.farbe", "site"]
    with pytest.raises(ValueError, match="did you mean 'owner'"):
        field_named("ownr")


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("序列号/SN", "sn"),
        ("序列号（SN）", "sn"),  # noqa: RUF001
        ("编号(S/N)", "sn"),
        ("Hostname\n主机名", "hostname"),
        ("服务器品牌", "manufacturer"),
        ("资产SN", "sn"),
        ("Model No.", "product_name"),
        ("所属机房", "site"),
        ("设备负责人", "list.owner"),
        ("内存(G)", "memory_bytes"),
        ("机房/机柜", None),
        ("品牌/型号", "product_name"),
        ("服务器", None),
    ],
)
def test_a_heading_in_two_languages_means_what_both_of_them_mean(heading, field):
    assert meaning(heading) == field
