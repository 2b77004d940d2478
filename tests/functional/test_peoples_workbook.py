"""A workbook as people keep it, from end to end: compared, imported, listed, exported, compared."""

from datetime import datetime

import openpyxl
import pytest

from salt_ext.store import ingest
from tests.machines import arrival, server

BOUGHT, ENDS = datetime(2023, 5, 1), datetime(2028, 5, 1)

CHINESE = {
    "设备序列号": [12345, None, "9xyz003\u3000"],
    "主机名": ["web01", "ｗｅｂ０２", None],  # noqa: RUF001
    "机房": ["bj1", None, None],  # one cell for all three
    "机柜": ["A01", None, "A02"],  # one cell for the first two
    "U位": ["U12-13", "14U", 16],
    "品牌": ["戴尔", "Dell", "戴尔"],
    "型号": ["R740", "R740", "戴尔R740"],
    "CPU": ["2*Xeon 6330", "6330*2", None],
    "内存": ["2*64G", "128G", "0.125T"],
    "硬盘": ["3.84T", "3.84T*1", None],
    "负责人": ["王伟", "王伟", "李娜"],
    "资产编号": ["0000123", "0000124", "0000125"],
    "购买日期": [BOUGHT, BOUGHT, BOUGHT],
    "维保到期": [ENDS, ENDS, "2028-06-01"],
    "备注": ["新", None, "-"],
}
ENGLISH = {
    "Owner": ["web team", "db team"],
    "Rack": ["R07", "R07"],
    "Unit": ["U01", "U03"],
    "Data Centre": ["fra1", "fra1"],
    "Warranty": [ENDS, None],
    "Memory (GB)": [128, 128],
    "Model": ["PowerEdge R740", None],
    "Vendor": ["Dell Inc.", "Dell"],
    "Host name": ["web04", "db01"],
    "Cost centre": [4711, 4712],
    "Serial No.": ["9XYZ004", "SPARE01"],
}


@pytest.fixture
def workbook(tmp_path):
    """The two lists in two sheets, below titles, with merged cells; and a sheet of notes."""
    book = openpyxl.Workbook()
    beijing = book.active
    beijing.title = "北京"
    beijing.append(["服务器台账"])
    beijing.append(["更新于 2026-11-01"])
    frankfurt = book.create_sheet("Frankfurt")
    frankfurt.append([])
    for sheet, columns in ((beijing, CHINESE), (frankfurt, ENGLISH)):
        for row in (list(columns), *zip(*columns.values(), strict=True)):
            sheet.append(row)
    for area in ("A1:O1", "C4:C6", "D4:D5"):
        beijing.merge_cells(area)
    book.create_sheet("notes").append(["ask Wang before you touch anything"])
    path = str(tmp_path / "台账.xlsx")
    book.save(path)
    return path


@pytest.fixture
def racks(database):
    """The machines of that workbook as they report themselves: of places they know nothing."""
    machines = [server(number) for number in range(1, 5)]
    for facts, sn in zip(machines, ("0012345", "A2", "9XYZ003", "9XYZ004"), strict=True):
        facts["system"] |= {"serial_number": sn, "product_name": "PowerEdge R740"}
        facts["processors"] |= {"sockets": 2, "model": "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"}
    ingest(database, [arrival(facts, f"web{n:02d}") for n, facts in enumerate(machines, 1)])


def test_a_workbook_is_reconciled_imported_listed_by_owner_exported_and_reconciled_again(
    cmdb, racks, workbook, tmp_path
):
    answer, _, text = cmdb("reconcile", workbook, out_file=str(tmp_path / "back.xlsx"))
    counts = dict.fromkeys(("moved", "different", "duplicate", "unknown"), 0)
    assert answer["counts"] == {**counts, "ok": 4, "ghost": 1}, text
    assert answer["sheets"] == {"北京": 3, "Frankfurt": 2}
    assert "no row of headings was found" in answer["unread"]["notes"]
    book = openpyxl.load_workbook(tmp_path / "back.xlsx")
    notes = [
        [cell.value for cell in row][-2:]
        for row in (*book["北京"].iter_rows(min_row=3), *book["Frankfurt"].iter_rows(min_row=2))
    ]
    assert [status for status, _ in notes] == [
        *("CMDB status", "ok", "ok", "ok", "CMDB status", "ok", "ghost"),
    ]
    assert notes[1][1] == "the SN is 0012345: the file lost its leading zeros"

    tried, _, _ = cmdb("expected", "import", file=workbook, test=True)
    kept, _, _ = cmdb("expected", "import", file=workbook)
    assert tried["counts"] == kept["counts"]
    assert (kept["counts"]["kept"], kept["counts"]["known"], kept["total"]) == (5, 4, 0)
    columns = "minion_id,site,rack,unit,list.asset_number,list.purchase_date,list.cost_centre"
    owned, _, _ = cmdb("list", columns=columns, **{"list.owner": "王伟"})
    assert owned["rows"] == [
        ["web01", "bj1", "A01", "U12-13", "0000123", "2023-05-01", None],
        ["web02", "bj1", "A01", "U14", "0000124", "2023-05-01", None],
    ]
    assert cmdb("list", **{"list.warranty__lt": "2028-05-02"})[0]["total"] == 3
    missing, _, _ = cmdb("expected", "missing")
    assert [row[:2] for row in missing["rows"]] == [["SPARE01", "db01"]]

    for command in ("list", "export"):
        for suffix in ("xlsx", "csv"):
            path = str(tmp_path / f"{command}.{suffix}")
            wanted = (
                {"columns": f"+{columns},list.owner,list.warranty"} if command == "list" else {}
            )
            cmdb(command, out_file=path, **wanted)
            again, retcode, text = cmdb("reconcile", path, exit_code=True)
            assert (again["counts"]["ok"], again["total"], retcode) == (4, 0, 0), text
            assert again["counts"]["expected"] == 1
    # What was exported says the same of owners and warranties when it is imported.
    cmdb("expected", "import", file=str(tmp_path / "export.xlsx"), source="台账.xlsx")
    again, _, _ = cmdb("list", columns=columns, **{"list.owner": "王伟"})
    assert again["rows"] == owned["rows"]
    again, _, _ = cmdb("reconcile", workbook)
    assert again["counts"] == {**counts, "ok": 4, "ghost": 0, "expected": 1}
