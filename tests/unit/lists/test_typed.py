"""Columns of people's lists that no machine can fill: days, numbers, and words among them."""

from datetime import datetime

import pytest

from salt_ext.lists.typed import SILENT, alone, misfits, silent_kind, typed
from salt_ext.store.columns import EXPECTED, UNREPORTED
from salt_ext.words.match import Said


def column(*cells, known=None):
    rows = [Said(number, {"list.x": cell}) for number, cell in enumerate(cells, 2)]
    types = typed(rows, known)
    found = types["list.x"]
    words = misfits(rows, types, {"list.x": found.type})
    return found.type, [found.written(cell) for cell in cells], list(words)


@pytest.mark.parametrize(
    ("cell", "kept"),
    [
        ("2027.3.1", "2027-03-01"),
        ("2027/3/1", "2027-03-01"),
        ("2027-03", "2027-03-01"),
        ("2027/3", "2027-03-01"),
        ("2027年3月", "2027-03-01"),
        ("27/3/1", "2027-03-01"),
        (datetime(2027, 3, 1), "2027-03-01"),
        ("2027-13", "2027-13"),
        ("01/02/2027", "01/02/2027"),  # two days could be meant
        ("26/11/30", "26/11/30"),
        ("三年", "三年"),
        ("12,000", 12000),
        ("13,500.5", 13500.5),
        ("¥12,000.00", 12000),
        ("￥1,200", 1200),
        ("$1,200", 1200),
        ("-$5", -5),
        ("1200元", 1200),
        ("1,5", "1,5"),
        ("12,00", "12,00"),
        ("¥", "¥"),
        ("0012345", "0012345"),
        ("¥0012", "¥0012"),
        ("1" * 20, "1" * 20),
    ],
)
def test_a_cell_is_a_day_a_number_or_a_word(cell, kept):
    assert alone(cell) == kept
    assert type(alone(cell)) is type(kept)


def test_most_cells_make_a_column_one_of_days_and_the_words_stay_beside_them():
    kind, kept, words = column("2027.3.1", "2027-03", "永久", "三年", "27/3/1", "-")
    assert kind == "date"
    assert kept == ["2027-03-01", "2027-03-01", "永久", "三年", "2027-03-01", ""]
    assert [(row.number, why) for row, _, why in words] == [
        (4, "永久 is no day; kept as a word"),
        (5, "三年 is no day; kept as a word"),
    ]


def test_nearly_all_cells_make_a_column_one_of_numbers():
    assert column(*range(9), "面议")[0] == "number"
    assert column("1001", "1002", "A-7")[0] == "text"


def test_one_number_with_zeros_before_it_makes_all_of_its_column_names():
    kind, kept, _ = column(*["1234567"] * 30, "0012345")
    assert (kind, kept[0], kept[-1]) == ("text", "1234567", "0012345")


def test_a_list_of_words_alone_has_the_type_that_other_lists_give_and_they_are_named():
    kind, kept, [(row, field, why)] = column("永久", known={"list.x": "date"})
    assert (kind, kept) == ("date", ["永久"])
    assert (row.number, field, why) == (2, "list.x", "永久 is no day; kept as a word")
    assert column("12", known={"list.x": "date"})[0] == "number"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        *(
            (said, "switch")
            for said in ("核心交换机", "光纤交换机", "交換機", "Leaf Switch", "SAN switches")
        ),
        *((said, "switch") for said in ("ToR switch", "Storage Switch", "24口交换机")),
        *((said, "kvm") for said in ("KVM", "KVM Switch", "KVM切换器")),
        *((said, "ups") for said in ("UPS", "UPS 3kVA", "UPS主路")),
        *((said, "firewall") for said in ("防火墙", "WAF Firewall", "下一代防火墙")),
        *((said, "router") for said in ("路由器", "Edge Router", "出口路由器")),
        *((said, "pdu") for said in ("PDU", "PDU电源", "Rack PDUs")),
        *((said, "storage") for said in ("存储", "集中存储", "SAN", "NAS storage")),
        *(
            (said, "spare")
            for said in ("备件", "硬盘备件", "备用服务器", "Spare server", "spare parts")
        ),
        *(
            (said, None)
            for said in ("服务器", "存储服务器", "NAS server", "KVM虚拟机", "KVM guest")
        ),
        *((said, None) for said in ("Groups", "Santa", "刀片服务器", "", None)),
    ],
)
def test_a_type_is_of_the_kind_whose_word_it_contains(said, kind):
    assert silent_kind({"kind": said}) == kind


def test_every_kind_that_a_list_knows_to_be_silent_is_a_kind_of_the_store():
    assert {*SILENT, EXPECTED} == set(UNREPORTED)
