"""Rows of people's lists that are no machines."""

import pytest

from salt_ext.lists.totals import total_of


@pytest.mark.parametrize(
    "values",
    [
        *(
            {"hostname": word, "list.price": 5}
            for word in ("合计", "合 计", "总计", "小计", "Total")
        ),
        *(
            {"hostname": word}
            for word in ("Subtotal", "Sub-total:", "Grand Total", "SUM", "合计(台)")
        ),
        *({"hostname": word} for word in ("R01小计", "北京 合计", "ams1 subtotal", "合计5台")),
        *(
            {"sn": word}
            for word in ("制表", "制表人:张三", "审核:", "审核人 李", "Approved by: Wang")
        ),
        {"sn": "36", "hostname": "合计"},
        {"sn": "Total", "hostname": "36"},
        {"list.序号": "合计", "sn": 13},
        {"list.编号": "制表人：张三"},  # noqa: RUF001
    ],
)
def test_a_total_or_a_signature_is_no_machine(values):
    assert total_of(values)


@pytest.mark.parametrize(
    "values",
    [
        *(
            {"hostname": name}
            for name in (
                "total-db01",
                "sum1x",
                "totalizer",
                "sum01",
                "db1 summary",
                "subtotaldb",
                "web01",
            )
        ),
        {"sn": "9XYZ001", "hostname": "sum"},
        {"hostname": "审核系统01"},
        {"sn": "9XYZ001", "list.remarks": "合计"},
        {"list.序号": "合计", "sn": "9XYZ001"},
        {"site": "dc1"},
        {},
    ],
)
def test_a_machine_is_no_total(values):
    assert total_of(values) is None
