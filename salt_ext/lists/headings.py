"""
Which field of ours a column of somebody's list means, by its heading in English or Chinese.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from salt_ext.words.nearest import unknown

NAMES: dict[str, tuple[str, ...]] = {
    "sn": (
        *("sn", "serial", "serial no", "serial number", "service tag", "system serial", "s n"),
        *("序列号", "序号sn", "设备序列号", "服务器序列号", "主机序列号", "出厂编号", "服务编号"),
    ),
    "minion_id": ("minion", "minion id", "salt id", "salt minion"),
    "hostname": (
        *("hostname", "host", "host name", "name", "server", "server name", "fqdn", "machine"),
        *("主机名", "主机名称", "主机", "服务器名", "服务器名称", "设备名称", "机器名", "名称"),
    ),
    "site": (
        *("site", "location", "data center", "data centre", "datacenter", "dc", "room", "idc"),
        *("机房", "数据中心", "机房名称", "所在机房", "位置", "站点", "地点"),
    ),
    "rack": (
        *("rack", "cabinet", "rack name", "rack no", "rack number"),
        *("机柜", "机柜号", "机架", "机柜编号", "所在机柜", "机柜位置"),
    ),
    "manufacturer": (
        *("manufacturer", "vendor", "maker", "brand", "make", "oem"),
        *("厂商", "品牌", "制造商", "厂家", "生产厂商", "供应商"),
    ),
    "product_name": (
        *("model", "product", "product name", "server model", "type", "model name"),
        *("型号", "设备型号", "服务器型号", "产品型号", "机型", "产品名称", "规格型号"),
    ),
    "os": (
        *("os", "operating system", "os version", "system"),
        *("操作系统", "系统", "系统版本", "操作系统版本"),
    ),
    "processor_model": (
        *("processor", "cpu", "cpu model", "processor model"),
        *("处理器", "cpu型号", "处理器型号"),
    ),
    "processor_threads": (
        *("threads", "cpu threads", "vcpu", "vcpus", "logical cpus"),
        *("线程数", "逻辑核数", "cpu线程数"),
    ),
    "memory_bytes": (
        *("memory", "ram", "mem", "memory size", "ram size", "installed memory"),
        *("内存", "内存大小", "内存容量", "总内存"),
    ),
    "disk_bytes": (
        *("disk", "disk size", "storage", "hdd", "disk capacity", "total disk"),
        *("硬盘", "磁盘", "硬盘容量", "磁盘容量", "硬盘大小", "磁盘大小", "存储"),
    ),
    "disk_count": ("disks", "disk count", "number of disks", "硬盘数量", "磁盘数量", "硬盘数"),
    "address": (
        *("ip", "ip address", "address", "ip addr", "management ip", "primary ip", "ipv4"),
        *("ip地址", "地址", "管理ip", "业务ip", "内网ip", "主机ip"),
    ),
    "kind": ("kind", "类别", "设备类型"),
    "asset_tag": (
        *("asset tag", "asset no", "asset number", "asset id", "inventory number", "tag"),
        *("资产编号", "资产号", "固定资产编号", "资产标签"),
    ),
    "owner": ("owner", "contact", "负责人", "使用人", "管理员", "责任人"),
    "purchased": ("purchased", "purchase date", "bought", "采购日期", "购买日期"),
    "warranty_until": ("warranty", "warranty until", "warranty end", "保修", "保修期", "过保日期"),
    "note": ("note", "notes", "comment", "comments", "remark", "remarks", "备注", "说明"),
}
"""Field: headings that mean it, as :func:`plain` writes them."""

UNIT = re.compile(r"(?:^|[^a-z])([kmgtp]i?b?)$")
"""How a heading of sizes ends that says in what they are: ``内存(GB)``, ``Disk TB``."""

COMPARED = (
    *("site", "rack", "manufacturer", "product_name", "os", "processor_model"),
    *("processor_threads", "memory_bytes", "disk_count", "disk_bytes", "address", "kind"),
)
"""What the machines know too, beside their numbers and names."""


def plain(heading: Any) -> str:
    """Return a heading without case, punctuation and what stands in brackets."""
    text = unicodedata.normalize("NFKC", str(heading or "")).lower()
    text = re.sub(r"\(.*?\)|\[.*?\]|【.*?】", " ", text)
    text = re.sub(r"[\W_]+", " ", text).strip()
    # "序列 号" is one word; Chinese is written without blanks.
    return re.sub(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])", "", text)


MEANINGS = {plain(name): field for field, names in NAMES.items() for name in (field, *names)}


def unit_of(heading: Any) -> str:
    """Return the unit that a heading names, blank for none."""
    text = unicodedata.normalize("NFKC", str(heading or "")).lower()
    found = UNIT.search(text.rstrip(" )]】"))
    return found[1] if found else ""


def meaning(heading: Any) -> str | None:
    """Return the field that a heading means, None when that is anybody's guess."""
    text = plain(heading)
    return MEANINGS.get(text) or MEANINGS.get(text.removesuffix(unit_of(heading)).strip())


def mapping(headings: Sequence[Any], said: Mapping[str, str] | None = None) -> dict[int, str]:
    """
    Return which columns, counted from 0, hold which field.

    ``said`` is what the operator says of headings, and goes before a guess; a
    blank field leaves a column out. Of several columns with one meaning the
    first one counts. Raises ValueError.
    """
    said = dict(said or {})
    texts = ["" if one is None else str(one).strip() for one in headings]
    for heading, field in said.items():
        if heading not in texts:
            raise ValueError(f"map: {unknown('column', heading, filter(None, texts))}")
        if field and field not in NAMES:
            raise ValueError(f"map: {unknown('field', field, NAMES)}")
    found: dict[int, str] = {}
    for number, heading in enumerate(texts):
        if heading in said and said[heading] and said[heading] not in found.values():
            found[number] = said[heading]
    for number, heading in enumerate(texts):
        guess = None if heading in said else meaning(heading)
        if guess and guess not in found.values():
            found[number] = guess
    return dict(sorted(found.items()))
