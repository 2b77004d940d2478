"""
Which field a column of somebody's list means, by its heading in English or Chinese.

A field is ours, such as ``sn`` or ``site``, or the list's own: ``list.owner``. What
nobody knows is kept as the list calls it: the heading ``Cost centre`` is ``list.cost_centre``.
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
        *("sn号", "sn码", "设备sn", "服务器sn", "主机sn", "产品序列号", "整机序列号", "机器序列号"),
    ),
    "minion_id": ("minion", "minion id", "salt id", "salt minion"),
    "hostname": (
        *("hostname", "host", "host name", "name", "server", "server name", "fqdn", "machine"),
        *("主机名", "主机名称", "主机", "服务器名", "服务器名称", "设备名称", "机器名", "名称"),
    ),
    "uuid": (
        *("uuid", "system uuid", "smbios uuid", "bios uuid", "hardware uuid", "vm uuid"),
        *("系统uuid", "硬件uuid", "uuid号", "虚拟机uuid"),
    ),
    "mac": (
        *("mac", "macs", "mac address", "mac addresses", "mac addr", "nic mac", "ethernet address"),
        *("pxe mac", "boot mac", "mac地址", "网卡mac", "网卡mac地址", "网卡地址"),
    ),
    "site": (
        *("site", "location", "data center", "data centre", "datacenter", "dc", "idc"),
        *(
            "机房",
            "数据中心",
            "机房名称",
            "所在机房",
            "位置",
            "站点",
            "地点",
            "园区",
            "所在数据中心",
        ),
    ),
    "room": (
        *("room", "server room", "computer room", "machine room", "hall"),
        *("房间", "房间号", "机房房间", "机房号", "包间", "模块间"),
    ),
    "rack": (
        *("rack", "cabinet", "rack name", "rack no", "rack number"),
        *("机柜", "机柜号", "机架", "机架号", "机柜编号", "所在机柜", "机柜位置", "柜号"),
    ),
    "unit": (
        *("unit", "rack unit", "rack u", "u", "u position", "rack position", "start unit"),
        *("u位", "u位置", "机架u位", "机柜u位", "所在u位", "起始u位", "u位号", "机位"),
    ),
    "manufacturer": (
        *("manufacturer", "vendor", "maker", "brand", "make", "oem"),
        *("厂商", "品牌", "制造商", "厂家", "生产厂商", "生产厂家", "设备厂商"),
    ),
    "product_name": (
        *(
            "model",
            "product",
            "product name",
            "server model",
            "model name",
            "model no",
            "model number",
        ),
        *("型号", "设备型号", "服务器型号", "产品型号", "机型", "产品名称", "规格型号", "品牌型号"),
    ),
    "os": (
        *("os", "operating system", "os version", "system"),
        *("操作系统", "系统", "系统版本", "操作系统版本"),
    ),
    "kernel_release": ("kernel", "kernel release", "kernel version", "内核", "内核版本"),
    "processor_model": (
        *("processor", "processors", "cpu", "cpus", "cpu model", "processor model"),
        *("处理器", "cpu型号", "处理器型号", "cpu配置"),
    ),
    "processor_threads": (
        *("threads", "cpu threads", "vcpu", "vcpus", "logical cpus"),
        *("线程数", "逻辑核数", "cpu线程数"),
    ),
    "memory_bytes": (
        *("memory", "ram", "mem", "memory size", "ram size", "installed memory"),
        *("内存", "内存大小", "内存容量", "总内存", "内存配置"),
    ),
    "disk_bytes": (
        *("disk", "disk size", "storage", "hdd", "disk capacity", "total disk"),
        *("硬盘", "磁盘", "硬盘容量", "磁盘容量", "硬盘大小", "磁盘大小", "存储", "硬盘配置"),
    ),
    "disk_count": (
        *("disks", "disk count", "number of disks", "硬盘数量", "磁盘数量", "硬盘数", "磁盘数"),
    ),
    "address": (
        *("ip", "ip address", "address", "ip addr", "management ip", "primary ip", "ipv4"),
        *("ip地址", "地址", "管理ip", "业务ip", "内网ip", "主机ip"),
    ),
    "kind": ("kind", "type", "类别", "类型", "设备类型", "设备类别"),
    "lifecycle": ("lifecycle", "life cycle", "生命周期", "生命周期阶段"),
    "list.profile": (
        *("profile", "install profile", "installation profile", "os profile"),
        *("装机模板", "安装模板", "装机配置", "系统模板"),
    ),
    "list.disk_layout": (
        *("disk layout", "partition layout", "partitioning", "disk partitioning"),
        *("磁盘布局", "分区方案", "分区布局", "磁盘分区"),
    ),
    "list.owner": (
        *("owner", "asset owner", "assigned to", "user"),
        *("负责人", "责任人", "资产负责人", "使用人", "保管人"),
    ),
    "list.asset_number": (
        *("asset number", "asset no", "asset tag", "asset tag no", "asset id", "tag"),
        *("inventory number", "inventory no"),
        *("资产编号", "资产号", "固定资产编号", "固定资产号", "资产编码", "资产标签"),
    ),
    "list.purchase_date": (
        *("purchase date", "purchased", "date of purchase", "bought"),
        *("购买日期", "采购日期", "购置日期", "购买时间", "采购时间", "购置时间"),
    ),
    "list.warranty": (
        *("warranty", "warranty until", "warranty end", "warranty expiry", "warranty expires"),
        *("warranty end date", "warranty date", "保修截止日期", "维保截止日期", "维保截止"),
        *("保修", "保修期", "保修到期", "维保", "维保期", "维保到期", "维保到期时间", "质保"),
        *("质保期", "质保到期", "过保日期", "过保时间", "出保日期", "维保到期日期", "保修到期日期"),
    ),
    "list.remarks": (
        *("remarks", "remark", "notes", "note", "comment", "comments", "备注", "备注信息", "说明"),
    ),
}
"""Field: headings that mean it, as :func:`plain` writes them."""

FIELDS = tuple(NAMES)

ROOMS = ("机房", "机房名称", "所在机房", "所属机房", "idc机房")
"""Headings that mean the site, unless another column is the site: then they are its room."""

OF_OURS = (
    *("freshness", "first seen", "last seen", "last change", "changed at", "mode", "temporary"),
    *("from list", "cmdb status", "cmdb reason"),
)
"""Headings that our own lists and :mod:`~salt_ext.lists.annotate` write; they say nothing new."""

OWN = "list."
"""How the names of a list's own fields begin, so that they never hide a field of ours."""

MAX_NAME = 60
"""Characters of a heading that make the name of a field."""

UNIT = re.compile(r"(?:^|[^a-z])([kmgtp]i?b?|bytes|字节)$")
"""A unit at the end of a heading of sizes: ``内存(GB)``, ``Disk TB``, ``memory_bytes``."""

PARTED = (re.compile(r"[|\n()\[\]【】]"), re.compile("/"))
"""What stands between the parts of a heading; ``S/N`` in brackets is one."""

WHOSE = re.compile("^(?:资产|设备|服务器|主机|机器|所属|所在|存放|物理机)+")
"""What Chinese headings say of whom they are; it makes no difference in a list of machines."""

MAX_CHARACTERS = 500
"""Of a heading or a cell that are looked at."""

COMPARED = (
    *("site", "room", "rack", "unit", "manufacturer", "product_name", "os", "processor_model"),
    *("processor_threads", "memory_bytes", "disk_count", "disk_bytes", "address", "kind"),
)
"""The fields that machines report too, besides their serial numbers and names."""


def plain(heading: Any) -> str:
    """Return a heading in lower case, without punctuation and without text in brackets."""
    text = _lower(heading)[:MAX_CHARACTERS]
    return _words(re.sub(r"\(.*?\)|\[.*?\]|【.*?】", " ", text))


def _lower(text: Any) -> str:
    """Return a text in lower case and narrow letters, without characters that nobody sees."""
    shown = "" if text is None else str(text)
    if shown.isascii():
        return shown.lower()
    narrow = unicodedata.normalize("NFKC", shown).lower()
    return "".join(one for one in narrow if unicodedata.category(one) != "Cf")


def _words(text: str) -> str:
    text = re.sub(r"[\W_]+", " ", text).strip()
    # "序列 号" is one word; Chinese is written without blanks.
    return re.sub(r"(?<=[\u3400-\u9fff]) (?=[\u3400-\u9fff])", "", text)


MEANINGS = {plain(name): field for field, names in NAMES.items() for name in (field, *names)}


def unit_of(heading: Any) -> str:
    """Return the unit that a heading names, blank for none."""
    found = UNIT.search(_lower(heading)[:MAX_CHARACTERS].rstrip(" )]】"))
    return found[1].replace("字节", "bytes") if found else ""


def meaning(heading: Any) -> str | None:
    """
    Return the known field that a heading means, or None when the heading is not known.

    ``序列号/SN`` means what its parts mean, if that is one field; ``服务器品牌`` is ``品牌``.
    """
    whole = _meaning(heading)
    if whole:
        return whole
    for parted in PARTED:
        parts = parted.split(_lower(heading)[:MAX_CHARACTERS])
        if meanings := {found for one in parts if (found := _meaning(one))}:
            return meanings.pop() if len(meanings) == 1 else None
    return None


def _meaning(heading: Any) -> str | None:
    text = plain(heading)
    without_unit = text.removesuffix(unit_of(heading)).strip()
    spellings = (text, without_unit, WHOSE.sub("", text))
    return next((MEANINGS[one] for one in spellings if one in MEANINGS), None)


def own_name(heading: Any) -> str | None:
    """
    Return the name of the field that keeps what a list says under a heading nobody knows.

    It is ``list.`` and the heading in lower case, with ``_`` for blanks and punctuation;
    None when there is no letter or digit in it.
    """
    text = _lower(heading).strip().removeprefix(OWN)[: MAX_NAME * 4]
    name = _words(text).replace(" ", "_")[:MAX_NAME].strip("_")
    return f"{OWN}{name}" if name else None


def field_named(name: str) -> str:
    """
    Return the field that an operator names: ours, or ``list.`` and a name of the list.

    A word that is known to mean one will do: ``owner`` for ``list.owner``. Raises ValueError.
    """
    if name in NAMES:
        return name
    if name.startswith(OWN) and (own := own_name(name)):
        return own
    if (found := meaning(name)) and found.startswith(OWN):
        return found
    known = [one.removeprefix(OWN) for one in NAMES]
    raise ValueError(f"{unknown('field', name, known)}, or {OWN} and a name of your own")


def order(field: str) -> tuple[int, str]:
    """Return where a field stands among others: as in :data:`NAMES`, unknown ones last."""
    return (FIELDS.index(field) if field in FIELDS else len(FIELDS), field)


def mapping(headings: Sequence[Any], said: Mapping[str, str] | None = None) -> dict[int, str]:
    """
    Return the field of each column that has one; columns are counted from 0.

    ``said`` has the fields that the operator gives to headings. They go before our
    own guess; a blank field leaves a column out. Of several columns with one field of
    ours the first counts; of the list's own, the others are called by their own headings.
    Raises ValueError for a heading or field that does not exist.
    """
    texts = ["" if one is None else str(one).strip() for one in headings]
    said = dict(said or {})
    for heading, field in said.items():
        if heading not in texts:
            raise ValueError(f"map: {unknown('column', heading, filter(None, texts))}")
        try:
            said[heading] = field and field_named(field)
        except ValueError as error:
            raise ValueError(f"map: {error}") from None
    guesses = {
        number: _guesses(heading) for number, heading in enumerate(texts) if heading not in said
    }
    found: dict[int, str] = {}

    def take(number: int, field: str | None) -> None:
        if field and number not in found and field not in found.values():
            found[number] = field

    for number, heading in enumerate(texts):
        take(number, said.get(heading))
    # What is sure comes first: "数据中心" is the site, so that "机房" left of it is the room.
    for is_sure in (True, False):
        for number, fields in guesses.items():
            if is_sure is (plain(texts[number]) not in ROOMS):
                for guess in fields:
                    take(number, guess)
    return dict(sorted(found.items()))


def _guesses(heading: str) -> tuple[str | None, ...]:
    """Return the fields that a heading may mean, the likeliest first."""
    text = plain(heading)
    if text in OF_OURS:
        return ()
    if text in ROOMS:
        return ("site", "room")
    field = meaning(heading)
    if field and not field.startswith(OWN):
        return (field,)
    return (field, own_name(heading))
