"""Tables in files, both ways; what LibreOffice shows of them is in the functional tests."""

import csv
import gc
import hashlib
import json
import os
import resource
import tempfile
import zipfile
from datetime import datetime, timezone

import openpyxl
import pytest

from salt_ext.exchange import ExchangeError, Sheet, write_sheets, write_table, xlsx
from salt_ext.lists import annotate, reading
from salt_ext.lists.reading import read_file
from salt_ext.lists.rows import read
from salt_ext.lists.tables import tables

MOMENT = datetime(2026, 11, 21, 8, 0, 30, tzinfo=timezone.utc)
COLUMNS = ["name", "value"]
VALUES = [
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "0012345", "中文 机房", "a\nb", " a ", "<&>"),  # noqa: RUF001
    *("1E5", "#REF!", "x" * 300, "'", '"', "12345678901234567890", "a "),
    *(
        "https://example.org",
        "internal:A1",
        "{=1}",
        "<r>",
        "<r>a</r>",
        "<r><t>&",
        "<r>" + "y" * 300,
    ),
]


def rows_of(path, sheet=None):
    book = openpyxl.load_workbook(path)
    return [list(row) for row in (book[sheet] if sheet else book.active).iter_rows()]


@pytest.mark.parametrize("suffix", ["csv", "json", "ndjson", "xlsx"])
def test_a_table_is_written_and_its_digest_is_that_of_the_file(tmp_path, suffix):
    target = tmp_path / f"table.{suffix}"
    found = write_table(str(target), COLUMNS, iter([["a", 1], ["b", None]]))
    assert found == {
        "path": str(target),
        "rows": 2,
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
    }
    assert os.listdir(tmp_path) == [target.name]


def test_a_workbook_keeps_text_text(tmp_path):
    target = tmp_path / "table.xlsx"
    write_table(str(target), ["value"], [[one] for one in VALUES])
    cells = [row[0] for row in rows_of(target)[1:]]
    assert [one.value for one in cells] == VALUES
    assert {one.data_type for one in cells} <= {"s", "inlineStr"}
    # In the format "Text" it stays so when somebody edits the cell.
    assert {one.number_format for one in cells if len(one.value) < 256} == {"@"}


def test_a_workbook_keeps_numbers_truths_and_dates(tmp_path):
    target = tmp_path / "table.xlsx"
    values = [1, True, 2.0, False, 0, 1.5, -7, 10**15 - 1, MOMENT, None]
    write_table(str(target), ["value"], [[one] for one in values])
    found = [row[0].value for row in rows_of(target)[1:]]
    assert found[:8] == values[:8]
    assert [type(one) for one in found[:6]] == [int, bool, int, bool, int, float]
    assert found[8] == MOMENT.replace(tzinfo=None)
    # Nothing is written of None, and openpyxl sees only a row.
    assert found[9:] in ([], [None])


def test_what_a_spreadsheet_would_round_or_refuse_is_text(tmp_path):
    target = tmp_path / "table.xlsx"
    values = [10**15, -(10**15), float("inf"), "\x01\x1b[2J", "y" * 40_000, [1, "b"], {"a": [1]}]
    values += ["\ud800", "\ufffe", "a\r\nb\rc"]
    write_table(str(target), ["value"], [[one] for one in values])
    found = [row[0].value for row in rows_of(target)[1:]]
    assert found[:4] == ["1000000000000000", "-1000000000000000", "inf", "<U+0001><U+001B>[2J"]
    assert len(found[4]) == 32_767
    assert found[5:] == ["1, b", '{"a": [1]}', "<U+D800>", "<U+FFFE>", "a\nb\nc"]


def test_a_workbook_is_ready_to_be_read(tmp_path):
    target = tmp_path / "table.xlsx"
    sheets = [Sheet("A", ["name"], [["机房" * 10]]), Sheet('B "<&>', ["x", "y"], [[1, 2], [3, 4]])]
    assert write_sheets(str(target), sheets)["rows"] == 3
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["A", 'B "<&>']
    assert {one.freeze_panes for one in book} == {"A2"}
    assert [one.auto_filter.ref for one in book] == ["A1:A2", "A1:B3"]
    assert book["A"].column_dimensions["A"].width >= 40
    assert book["A"]["A1"].font.bold


def test_an_empty_column_and_an_empty_row_keep_their_places(tmp_path):
    target = tmp_path / "table.xlsx"
    for rows in ([[None, 1], [None, None], [None, 2]], [[None, None]] * 3):
        write_table(str(target), COLUMNS, rows)
        sheet = openpyxl.load_workbook(target).active
        assert [sheet.cell(number, 2).value for number in (2, 3, 4)] == [row[1] for row in rows]
        assert sheet.auto_filter.ref == "A1:B4"


def test_a_sheet_that_is_full_goes_on_in_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx, "MAX_ROWS", 1001)
    target = tmp_path / "table.xlsx"
    found = write_sheets(str(target), [Sheet("Disks", ["n"], ([n] for n in range(2500)))])
    assert found["rows"] == 2500
    numbers = [
        row[0].value
        for name in ("Disks", "Disks (2)", "Disks (3)")
        for row in rows_of(target, name)[1:]
    ]
    assert numbers == list(range(2500))


def test_a_comma_separated_file_is_for_excel(tmp_path):
    target = tmp_path / "table.csv"
    write_table(str(target), COLUMNS, [["=cmd", MOMENT], ["＋1", True], ['机房,\n"x"', -1]])  # noqa: RUF001
    raw = target.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfname,value\r\n")
    with target.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1:] == [
            ["'=cmd", "2026-11-21 08:00:30"],
            ["'＋1", "true"],  # noqa: RUF001
            ['机房,\n"x"', "-1"],
        ]


def test_json_keeps_types_and_every_text(tmp_path):
    write_table(str(tmp_path / "a.json"), COLUMNS, [["=cmd", [1, {"b": MOMENT}]]])
    write_table(str(tmp_path / "a.ndjson"), COLUMNS, [["机房", None], ["b", 1]])
    assert json.loads((tmp_path / "a.json").read_text()) == [
        {"name": "=cmd", "value": [1, {"b": "2026-11-21T08:00:30Z"}]}
    ]
    lines = (tmp_path / "a.ndjson").read_text().splitlines()
    assert json.loads(lines[0]) == {"name": "机房", "value": None}
    write_table(str(tmp_path / "a.json"), COLUMNS, [])
    assert json.loads((tmp_path / "a.json").read_text()) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("table.xls", "end it with .csv, .json, .ndjson or .xlsx"),
        ("table", "end it with"),
        ("nowhere/table.csv", "No such file or directory"),
        ("directory.csv", "is a directory"),
    ],
)
def test_a_target_that_cannot_be_written_gets_a_sentence(tmp_path, name, says):
    (tmp_path / "directory.csv").mkdir()
    with pytest.raises(ExchangeError, match=says):
        write_table(str(tmp_path / name), COLUMNS, [])


def test_a_file_stays_as_it_was_until_the_new_one_is_whole(tmp_path, monkeypatch):
    target = tmp_path / "table.xlsx"
    target.write_text("before")
    # XlsxWriter would leave its own files where all of them lie.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def rows():
        yield ["a", 1]
        assert target.read_text() == "before"
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError, match="went away"):
        write_table(str(target), COLUMNS, rows())
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == [target.name]


# The archive that XlsxWriter gave up tries to end itself when it is collected.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("rows_after", [20_000, 0])
def test_a_disk_that_is_full_gets_a_sentence_and_keeps_nothing(tmp_path, rows_after):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def rows():
        yield from ([str(number) * 20, number] for number in range(2000))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
        # Without any more it is full when the workbook is packed.
        yield from ([str(number) * 20, number] for number in range(rows_after))

    try:
        with pytest.raises(ExchangeError, match=r"cannot write .*: File too large"):
            write_table(str(tmp_path / "table.xlsx"), COLUMNS, rows())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    gc.collect()
    assert os.listdir(tmp_path) == []


def read_table(path, sheet=""):
    """The one table of a file."""
    [grid] = read_file(path, sheet).sheets
    [table] = tables(grid, {})
    return table


def listed(tmp_path, raw, name="list.csv", **options):
    target = tmp_path / name
    target.write_bytes(raw)
    return read_table(str(target), **options)


LIST = "序列号,主机名\r\n0012345,web01\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        LIST.encode(),
        LIST.encode("utf-8-sig"),
        LIST.encode("gb18030"),
        LIST.encode("utf-16"),
        LIST.replace(",", ";").encode("gbk"),
        LIST.replace(",", "\t").encode(),
    ],
)
def test_a_text_is_read_in_the_encodings_and_with_the_separators_of_excel(tmp_path, raw):
    table = listed(tmp_path, raw)
    assert table.headings == ["序列号", "主机名"]
    assert table.rows == [(2, ["0012345", "web01"])]


def test_what_was_exported_comes_back_as_it_was(tmp_path):
    for suffix in ("csv", "xlsx"):
        path = str(tmp_path / f"list.{suffix}")
        write_table(path, ["SN", "Note"], [[f"S{n}", one] for n, one in enumerate(VALUES)])
        assert [row[1] for _, row in read_table(path).rows] == VALUES


def book(tmp_path, fill):
    made = openpyxl.Workbook()
    fill(made)
    made.save(tmp_path / "list.xlsx")
    return str(tmp_path / "list.xlsx")


def test_headings_may_stand_below_a_title_and_merged_cells_mean_each_row(tmp_path):
    def fill(made):
        made.active.append(["Servers of our company 2026"])
        made.active.append([])
        made.active.append(["机房", "SN"])
        for number in range(3):
            made.active.append(["dc1" if number == 0 else None, f"S{number}"])
        made.active.merge_cells("A1:B1")
        made.active.merge_cells("A4:A6")

    table = read_table(book(tmp_path, fill))
    assert table.heading == 3
    assert table.rows == [(4, ["dc1", "S0"]), (5, ["dc1", "S1"]), (6, ["dc1", "S2"])]


def test_a_hidden_sheet_is_read_only_by_its_name(tmp_path):
    def fill(made):
        made.active.title = "old"
        made.active.append(["SN", "Site"])
        made.active.append(["S1", "dc9"])
        made.active.sheet_state = "hidden"
        made.create_sheet("now").append(["SN", "Site"])

    path = book(tmp_path, fill)
    assert read_table(path).sheet == "now"
    assert read_table(path, "old").rows == [(2, ["S1", "dc9"])]
    with pytest.raises(ExchangeError, match="no sheet 'odl'"):
        read_table(path, "odl")


def test_a_formula_means_what_it_last_came_to(tmp_path):
    path = book(tmp_path, lambda made: made.active.append(["SN", "Site"]))
    made = openpyxl.load_workbook(path)
    made.active.append(["S1", "=1+1"])
    made.save(path)
    # As Excel saves it: the formula, and beside it the value.
    raw = {}
    with zipfile.ZipFile(path) as archive:
        raw = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    raw[sheet] = raw[sheet].replace(b"<v />", b"<v>2</v>").replace(b"<v></v>", b"<v>2</v>")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in raw.items():
            archive.writestr(name, content)
    assert read_table(path).rows == [(2, ["S1", 2])]


def bomb(path, size):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"<row " * (size // 5))


@pytest.mark.parametrize(
    ("name", "raw", "says"),
    [
        ("a.xlsx", b"", "is empty"),
        ("a.xlsx", b"\x89PNG\0\0", "neither a workbook nor text"),
        ("a.xls", b"\xd0\xcf\x11\xe0" + b"x" * 99, "Excel 2003 or older: save it as .xlsx"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0    " + reading.ENCRYPTED, "without a password"),
        ("a.csv", b'SN\r\n"' + b"x" * 200_000 + b'"', "cannot be read as a table"),
    ],
)
def test_what_is_no_list_gets_a_sentence(tmp_path, name, raw, says):
    target = tmp_path / name
    target.write_bytes(raw)
    with pytest.raises(ExchangeError, match=says):
        read_table(str(target))


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 1 << 20)
    bomb(tmp_path / "a.xlsx", 5 << 20)
    with pytest.raises(ExchangeError, match="MiB when it is unpacked"):
        read_table(str(tmp_path / "a.xlsx"))


def test_a_million_rows_are_refused_before_they_are_read(tmp_path):
    bomb(tmp_path / "a.xlsx", 5_000_000)
    with pytest.raises(ExchangeError, match="has more than 100000 rows"):
        read_table(str(tmp_path / "a.xlsx"))


def test_an_archive_that_is_no_workbook_and_a_damaged_one_are_told_apart(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(ExchangeError, match="is no workbook"):
        read_table(str(tmp_path / "a.xlsx"))
    bomb(tmp_path / "b.xlsx", 50)
    with pytest.raises(ExchangeError, match="is a damaged workbook"):
        read_table(str(tmp_path / "b.xlsx"))


def test_a_workbook_is_given_back_with_its_sheets_formats_and_formulas(tmp_path):
    def fill(made):
        sheet = made.active
        sheet.append(["SN", "Price"])
        sheet.append(["S1", "=2*3"])
        sheet["A2"].font = openpyxl.styles.Font(color="FFFF0000")
        made.create_sheet("Racks").append(["R01"])

    path, target = book(tmp_path, fill), str(tmp_path / "new.xlsx")
    added = Sheet("Unknown machines", ["sn", "n"], [["=S2", 10**15], ["0012", MOMENT], [None, 7]])
    for _ in range(2):  # given in again, it gets no second pair of columns
        annotate.annotate(read(path, "Sheet", {}), [("ghost", "=gone")], added, target)
        path = target
    made = openpyxl.load_workbook(target)
    assert made.sheetnames == ["Sheet", "Racks", "Unknown machines"]
    assert [[cell.value for cell in row] for row in made.active.iter_rows()] == [
        ["SN", "Price", *annotate.COLUMNS],
        ["S1", "=2*3", "ghost", "=gone"],
    ]
    assert made.active["A2"].font.color.rgb == "FFFF0000"
    assert made.active["C2"].fill.fgColor.rgb == annotate.COLOURS["ghost"]
    assert made.active["D2"].data_type == "s"
    rows = [list(row) for row in made["Unknown machines"].iter_rows()]
    texts = [row[0] for row in rows[:3]] + [row[1] for row in rows[:2]]
    assert [one.value for one in texts] == ["sn", "=S2", "0012", "n", str(10**15)]
    assert {(one.data_type, one.number_format) for one in texts} == {("s", "@")}
    assert [row[1].value for row in rows[2:]] == [MOMENT.replace(tzinfo=None), 7]
    assert made["Unknown machines"].freeze_panes == "A2"
    assert made["Unknown machines"].auto_filter.ref == "A1:B4"
