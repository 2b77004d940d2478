"""Workbooks of people: several sheets, headings in two rows, tables below and beside another."""

import zipfile

import openpyxl
import pytest
from openpyxl.styles import Font

from salt_ext.exchange import ExchangeError, write_sheets
from salt_ext.lists import reading
from salt_ext.lists.rows import read, taken
from salt_ext.lists.workbook import GIB, PARTS, READ_ME, sheets, size


@pytest.fixture
def book(tmp_path):
    """Write sheets, by their titles, into a workbook; a function may change it."""

    def write(change=None, **of_title):
        made = openpyxl.Workbook()
        made.remove(made.active)
        for title, rows in of_title.items():
            sheet = made.create_sheet(title)
            for row in rows:
                sheet.append(row)
        if change:
            change(made)
        made.save(tmp_path / "list.xlsx")
        return str(tmp_path / "list.xlsx")

    return write


def values(listed):
    return [(row.sheet, row.number, row.values) for row in listed.rows]


def test_every_sheet_is_read_or_named_with_the_reason(book):
    def hide(made):
        made["old"].sheet_state = "hidden"

    listed = read(
        book(
            hide,
            dc1=[["our servers"], [], ["SN", "Rack"], ["S1", "R01"]],
            dc2=[["机柜", "序列号"], ["R02", "S2"], ["R03", "S3"]],
            summary=[["dc", "machines"], ["dc1", 1]],
            empty=[],
            old=[["SN"], ["S9"]],
        ),
        "",
        {},
    )
    assert values(listed) == [
        ("dc1", 4, {"sn": "S1", "rack": "R01"}),
        ("dc2", 2, {"rack": "R02", "sn": "S2"}),
        ("dc2", 3, {"rack": "R03", "sn": "S3"}),
    ]
    assert listed.sheets == {"dc1": 1, "dc2": 2}
    assert list(listed.unread) == ["summary", "empty", "old"]
    assert "no row of headings was found" in listed.unread["summary"]
    assert "row 1 has: dc, machines" in listed.unread["summary"]
    assert listed.unread["empty"] == "there is nothing in it"
    assert listed.unread["old"] == "it is hidden: name it with sheet="
    assert taken(listed)["mapping"] == {"SN": "sn", "Rack": "rack", "机柜": "rack", "序列号": "sn"}


def test_one_sheet_is_read_when_it_is_named(book):
    path = book(dc1=[["SN"], ["S1"]], dc2=[["SN"], ["S2"]])
    assert values(read(path, "dc2", {})) == [("dc2", 2, {"sn": "S2"})]
    with pytest.raises(ExchangeError, match="no sheet 'dc3'; did you mean"):
        read(path, "dc3", {})


def test_a_workbook_without_a_list_names_each_sheet(book):
    path = book(one=[["Nummer", "Ort"], ["S1", "dc1"]], two=[])
    with pytest.raises(ValueError, match="sheet 'one': no row of headings") as error:
        read(path, "", {})
    assert "Nummer, Ort; sheet 'two': there is nothing in it; say which with map=" in str(
        error.value
    )
    assert values(read(path, "", {"Nummer": "sn"})) == [("one", 2, {"sn": "S1", "list.ort": "dc1"})]


def test_a_table_may_stand_below_another_with_other_columns(book):
    rows = [
        ["机房一"],
        ["序列号", "机柜", "负责人", "颜色", "供电"],
        ["S1", "A01", "王", "red", "A"],
        [],
        ["机房二"],
        ["机柜", "负责人", "颜色", "供电", "序列号"],
        ["B01", "李", "blue", "B", "S2"],
    ]
    assert values(read(book(list=rows), "", {})) == [
        (
            "list",
            3,
            {"sn": "S1", "rack": "A01", "list.owner": "王", "list.颜色": "red", "list.供电": "A"},
        ),
        ("list", 5, {"sn": "机房二"}),
        (
            "list",
            7,
            {"rack": "B01", "list.owner": "李", "list.颜色": "blue", "list.供电": "B", "sn": "S2"},
        ),
    ]


def test_headings_that_are_repeated_for_the_printer_are_no_machines(book):
    rows = [["SN", "Rack"], ["S1", "R01"], ["SN", "Rack"], ["S2", "R02"]]
    assert [row[1] for row in values(read(book(list=rows), "", {}))] == [2, 4]


def test_a_table_may_stand_beside_another(book):
    rows = [
        ["SN", None, "Rack", None, "SN", "Rack"],
        ["S1", None, "R01", None, "S3", "R03"],
        ["S2", None, "R02"],
    ]
    assert [row[2] for row in values(read(book(list=rows), "", {}))] == [
        {"sn": "S1", "rack": "R01"},
        {"sn": "S2", "rack": "R02"},
        {"sn": "S3", "rack": "R03"},
    ]


def test_headings_may_take_two_rows(book):
    def merge(made):
        for area in ("A2:A3", "B2:D2", "E2:F2", "G2:H2"):
            made.active.merge_cells(area)

    rows = [
        ["服务器清单"],
        ["序列号", "位置", None, None, "硬盘", None, "CPU", None],
        [None, "机房", "机柜", "U位", "数量", "接口", "型号", "备注"],
        ["S1", "dc1", "A01", "U12", 6, "SAS", "6330*2", "x"],
    ]
    assert [row[2] for row in values(read(book(merge, list=rows), "", {}))] == [
        {
            **{"sn": "S1", "site": "dc1", "rack": "A01", "unit": "U12", "disk_count": 6},
            **{"list.硬盘接口": "SAS", "processor_model": "6330*2", "list.cpu备注": "x"},
        }
    ]


def test_a_rack_that_is_merged_over_its_machines_counts_for_each_and_a_title_for_none(book):
    def merge(made):
        made.active.merge_cells("B2:B4")
        made.active.merge_cells("A5:C5")

    rows = [
        ["SN", "Rack", "Owner"],
        ["S1", "R01", None],
        ["S2"],
        ["S3"],
        ["spare machines"],
        ["S4", "R02", "a"],
    ]
    found = [row[2] for row in values(read(book(merge, list=rows), "", {}))]
    assert [row["rack"] for row in found] == ["R01", "R01", "R01", "R02"]


def test_hidden_rows_and_columns_are_read(book):
    def hide(made):
        made.active.row_dimensions[2].hidden = True
        made.active.column_dimensions["B"].hidden = True

    found = values(read(book(hide, list=[["SN", "Rack"], ["S1", "R01"]]), "", {}))
    assert found == [("list", 2, {"sn": "S1", "rack": "R01"})]


def test_a_number_that_is_shown_with_leading_zeros_has_them(book):
    def shape(made):
        made.active["A2"].number_format = "0000000"

    assert values(read(book(shape, list=[["SN"], [12345]]), "", {})) == [
        ("list", 2, {"sn": "0012345"})
    ]


def test_a_lost_cell_far_away_costs_nothing_and_a_list_does_not_go_so_far(book):
    def lose(made):
        made.active.cell(1_048_576, 1).font = Font(bold=True)
        made.active.cell(2, 16_384).font = Font(bold=True)

    rows = [["SN", "Rack"], ["S1", "R01"]]
    assert len(read(book(lose, list=rows), "", {}).rows) == 1
    path = book(lambda made: made.active.cell(2, 2000, "here"), list=rows)
    with pytest.raises(ExchangeError, match="has a text in BXX2, and a list ends at column 1000"):
        read(path, "", {})


@pytest.mark.parametrize(
    ("markup", "says"),
    [
        (b'<mergeCell ref="A1:XFD1048576"/>', "more than 1000000 merged cells"),
        (b"<c/>" * 4_000_001, "more than 4000000 cells"),
        (b"<x:row>" * 100_001, "more than 100000 rows"),
    ],
)
def test_a_workbook_that_would_take_all_memory_is_refused_before_it_is_read(
    book, tmp_path, markup, says
):
    path = book(list=[["SN"], ["S1"]])
    with zipfile.ZipFile(path) as archive:
        raw = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in raw.items():
            archive.writestr(name, content)
        # The parts of a workbook may be called anything.
        archive.writestr("xl/other/part.xml", markup)
    with pytest.raises(ExchangeError, match=says):
        read(path, "", {})


def test_markup_is_found_across_the_blocks_in_which_it_is_read(tmp_path):
    path = tmp_path / "a.xlsx"
    for before in range((1 << 20) - 40, (1 << 20) + 5):
        with zipfile.ZipFile(path, "w") as archive:
            text = b"x" * before + b'<row r="1"><mergeCells><mergeCell ref="A1:B2"/></row><row>'
            archive.writestr("sheet", text)
        with zipfile.ZipFile(path) as archive:
            blocks = list(reading._blocks(archive, "sheet"))
        assert sum(len(reading.ROW.findall(one)) for one in blocks) == 2
        assert [one for block in blocks for one in reading.MERGED.findall(block)] == [b"A1:B2"]


def test_sheets_that_we_wrote_ourselves_are_not_taken_for_machines(tmp_path):
    class Nothing:
        fields = ("minion_id", "sn")
        at = None

        def __getattr__(self, name):
            return lambda *args: []

    written = [*sheets(Nothing(), ("Assets", *PARTS, "Changes", "Problems"), None)]
    path = str(tmp_path / "all.xlsx")
    write_sheets(path, [one._replace(rows=[["x"] * len(one.columns)]) for one in written])
    listed = read(path, "", {})
    assert list(listed.sheets) == ["Assets"]
    assert list(listed.unread) == [*PARTS, "Changes", "Problems"]
    assert set(listed.unread.values()) == {"cmdb.export wrote it, and not about machines"}
    assert READ_ME == ("What", "Value")


@pytest.mark.parametrize(
    ("gibibytes", "shown"), [(128, 128), (127.53, 127.5), (1.9375, 1.94), (0.2481, 0.248)]
)
def test_a_size_keeps_three_digits(gibibytes, shown):
    assert size(int(gibibytes * GIB), GIB) == shown
