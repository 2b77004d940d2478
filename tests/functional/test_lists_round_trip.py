"""A list of hardware of all kinds, with totals and signatures: imported, written, compared."""

from datetime import datetime

import openpyxl
import pytest

from salt_ext.store import ingest
from tests.machines import arrival, server

LIST = [
    ["编号", "设备名称", "SN号", "类型", "机房", "机柜", "U位", "维保到期", "价格(元)", "使用人"],
    ["A-1", "web01", "9XYZ001", "服务器", "dc1", "R01", "U12", datetime(2027, 3, 1), 12000, "王"],
    ["A-2", "wrongname", "9XYZ002", "服务器", "dc1", "R01", 14, "2027.4.1", "¥13,500.50", "李"],
    ["A-3", "core-sw", "SW1", "核心交换机", "dc1", "R01", "42U", "永久", 9000, None],
    ["A-4", "pdu-a", None, "PDU", "dc1", "R01", None, None, None, None],
    ["A-5", "disks", "SPD1", "备件", "dc1", "库房", None, "2026-12-24", "1,200", None],
    ["A-6", "new01", "NEW1", "服务器", "dc1", "R01", "U20", "2029-01-01", 15000, None],
    [None, "合计", None, None, None, None, None, None, 50700.5, None],
    ["制表人：张三"],  # noqa: RUF001
]


@pytest.fixture
def listed(database, tmp_path):
    """The path of that list; the first two machines report."""
    for number in (1, 2):
        facts = server(number)
        facts["system"]["serial_number"] = f"9XYZ00{number}"
        ingest(database, [arrival(facts, f"web0{number}")])
    book = openpyxl.Workbook()
    for row in LIST:
        book.active.append(row)
    path = str(tmp_path / "台账.xlsx")
    book.save(path)
    return path


def test_totals_and_signatures_are_neither_expected_nor_compared_and_both_commands_name_them(
    cmdb, listed
):
    says = "not read: totals and signatures of Sheet: row 8: 合计; row 9: 制表人：张三"  # noqa: RUF001
    answer, _, text = cmdb("reconcile", listed)
    assert (answer["counts"]["ghost"], sum(answer["sheets"].values())) == (4, 6)
    assert says in text
    answer, _, text = cmdb("expected", "import", file=listed)
    assert answer["counts"]["kept"] == 6
    assert says in text
    missing, _, _ = cmdb("expected", "missing")
    assert [row[1] for row in missing["rows"]] == ["new01"]


def test_what_an_import_keeps_comes_back_with_nothing_different(cmdb, listed, tmp_path):
    cmdb("expected", "import", file=listed)
    kinds, _, _ = cmdb("list", freshness="unreported", columns="hostname,kind", sort="hostname")
    assert kinds["rows"] == [
        *(["core-sw", "switch"], ["disks", "spare"], ["new01", "expected"], ["pdu-a", "pdu"]),
    ]
    for command in ("list", "export"):
        for suffix in ("xlsx", "csv"):
            path = str(tmp_path / f"{command}.{suffix}")
            cmdb(command, out_file=path, **({"columns": "+hostname"} if command == "list" else {}))
            answer, retcode, text = cmdb("reconcile", path, exit_code=True)
            counts = {name: number for name, number in answer["counts"].items() if number}
            assert (counts, retcode) == ({"ok": 2, "expected": 4}, 0), text


def test_days_and_numbers_leave_as_such_and_units_in_one_form(cmdb, listed, tmp_path):
    cmdb("expected", "import", file=listed)
    columns = "hostname,unit,list.warranty,list.价格元"
    path = str(tmp_path / "list.xlsx")
    cmdb("list", out_file=path, columns=columns, sort="hostname", rack="R01")
    cells = [list(row) for row in openpyxl.load_workbook(path).active.iter_rows(min_row=2)]
    assert [[cell.value for cell in row] for row in cells] == [
        ["core-sw", "U42", "永久", 9000],
        ["new01", "U20", datetime(2029, 1, 1), 15000],
        ["pdu-a", None, None, None],
        ["web01", "U12", datetime(2027, 3, 1), 12000],
        ["web02", "U14", datetime(2027, 4, 1), 13500.5],
    ]
    assert cells[1][2].number_format == "yyyy-mm-dd"
    path = str(tmp_path / "export.xlsx")
    cmdb("export", path)
    before, _, _ = cmdb("list", columns=columns, sort="hostname")
    kept, _, _ = cmdb("expected", "import", file=path, source="台账.xlsx")
    assert (kept["counts"]["changed"], kept["counts"]["dropped"]) == (0, 0)
    assert cmdb("list", columns=columns, sort="hostname")[0]["rows"] == before["rows"]


def test_a_wrong_name_beside_a_right_serial_number_is_told(cmdb, listed):
    answer, _, _ = cmdb("reconcile", listed)
    assert answer["rows"][0] == [
        *(3, "different", "9XYZ002", "wrongname"),
        "Hostname: wrongname in the file, web02 on the machine",
    ]
