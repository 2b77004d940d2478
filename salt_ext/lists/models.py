"""
Makers, products and processors: whether two names mean the same, as people and firmware write them.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from salt_ext.words.cells import spelled

MAKERS = (
    ("dell", "dellemc", "戴尔"),
    ("hp", "hpe", "hewlett", "惠普", "慧与"),
    ("lenovo", "ibm", "联想", "国际商业机器"),
    ("huawei", "xfusion", "华为", "超聚变"),
    ("inspur", "ieit", "kaytus", "浪潮", "元脑"),
    ("h3c", "新华三", "华三"),
    ("sugon", "dawning", "曙光"),
    ("supermicro", "super micro", "smci", "超微"),
    ("cisco", "思科"),
    ("zte", "中兴"),
    ("fujitsu", "富士通"),
    ("nec", "日电", "日本电气"),
    ("hitachi", "日立"),
    ("asus", "asustek", "asustekcomputer", "华硕"),
    ("gigabyte", "giga", "技嘉"),
    ("intel", "英特尔"),
    ("amd", "advanced micro devices", "超威"),
    ("acer", "宏碁", "宏基"),
    ("quanta", "qct", "广达", "云达"),
    ("wiwynn", "wistron", "纬颖", "纬创"),
    ("foxconn", "hon hai", "富士康", "鸿海"),
    ("nettrix", "宁畅"),
    ("powerleader", "宝德"),
    ("tongfang", "同方"),
    ("greatwall", "great wall", "长城"),
    ("digital china", "kuntai", "神州数码", "神州鲲泰"),
    ("oracle", "sun microsystems", "甲骨文"),
    ("nvidia", "mellanox", "英伟达", "迈络思"),
    ("samsung", "三星"),
    ("juniper", "瞻博"),
    ("ruijie", "锐捷"),
    ("microsoft", "微软"),
    ("vmware", "威睿"),
    ("qemu", "kvm", "red hat", "bochs"),
    ("alibaba", "aliyun", "阿里"),
    ("tencent", "腾讯"),
    ("amazon", "aws", "亚马逊"),
    ("google", "谷歌"),
)
"""
One maker each, by all its names; a Chinese name stands anywhere in a text.

Lenovo bought IBM's x86 servers and xFusion Huawei's: machines of both are called by both names.
"""

FAMILIES = frozenset(
    (
        *(
            "poweredge",
            "proliant",
            "thinksystem",
            "system",
            "x",
            "fusionserver",
            "pro",
            "uniserver",
        ),
        *("server", "rack", "blade", "apollo", "synergy", "optiplex", "precision", "inc", "model"),
        *("ucs", "primergy", "superserver", "taishan", "thinkserver", "thinkstation"),
    )
)
"""Words of products that people leave out, or write where firmware does not."""

BRANDS = frozenset(
    (
        *("intel", "amd", "xeon", "epyc", "core", "cpu", "processor", "gold", "silver", "platinum"),
        *("bronze", "hygon", "kunpeng", "hisilicon", "phytium", "ft", "loongson", "zhaoxin"),
        *("r", "tm", "with", "v", "r0", "cores", "x", "huawei", "arm", "ampere", "genuineintel"),
    )
)
"""Words of processors that say less than the model does."""

CHINESE = {
    **{"至强": "xeon", "霄龙": "epyc", "金牌": "gold", "银牌": "silver", "铂金": "platinum"},
    **{
        "鲲鹏": "kunpeng",
        "海光": "hygon",
        "飞腾": "phytium",
        "龙芯": "loongson",
        "兆芯": "zhaoxin",
    },
    **{"英特尔": "intel", "酷睿": "core", "铜牌": "bronze"},
}

CLOCKS = re.compile(
    r"@|\d+(?:\.\d+)?\s*[mg](?:hz)?\b|\b\d+c(?:\d+t)?\b|\d+\s*(?:核心?|线程|-?\s*cores?|threads?)"
)
"""What a processor's text says beside its model: ``@ 2.00GHz``, ``28C56T``, ``32-Core``."""

COUNT = re.compile(
    r"^(\d{1,2})\s*(?:[*x颗个路]\s*)+(?=\S)"
    r"|\s*(?:\*|\bx)\s*(\d{1,2})\s*[颗个路]?$"
    r"|(\d{1,2})\s*[颗路]"
)
"""How many: ``2*Xeon 6330``, ``6330 x2``, ``2颗6330``."""

MAX_CHARACTERS = 300
"""Of a text that are looked at."""

TOKEN = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]+")
MAX_TOKENS = 20


def maker(text: Any) -> str | None:
    """Return the first name of the maker that a text names, or None if it is not known."""
    plain = _plain(text)
    words = f" {' '.join(TOKEN.findall(plain))} "
    for names in MAKERS:
        if any(name in plain if ord(name[0]) > 127 else f" {name} " in words for name in names):
            return names[0]
    return None


def same_maker(said: Any, reported: Any) -> bool | None:
    """Whether two texts name one maker; None when one of them names none that is known."""
    one, other = maker(said), maker(reported)
    return None if one is None or other is None else one == other


def same_product(said: Any, reported: Any) -> bool:
    """Whether two texts name one product: ``R740`` is ``PowerEdge R740``, and no ``R740xd``."""
    return _alike(_model(said), _model(reported))


def same_processor(said: Any, reported: Any) -> bool:
    """Whether two texts name one processor: ``6330*2`` is ``Intel(R) Xeon(R) Gold 6330``."""
    return _alike(_processor(said), _processor(reported))


def processors_said(text: Any) -> int | None:
    """Return how many processors a text tells of, or None."""
    found = COUNT.search(_plain(text))
    return int(next(filter(None, found.groups()))) if found else None


class Words(NamedTuple):
    """The words of a name: those that tell one model from another, and all of them."""

    telling: list[str]
    all: list[str]


def _plain(text: Any) -> str:
    return spelled(text)[:MAX_CHARACTERS]


def _model(text: Any) -> Words:
    plain = re.sub(r"(?<![a-z])gen\s*(?=\d)", " g", _plain(text))
    # "戴尔R740服务器": the Chinese words around a model describe it.
    words = [one for one in TOKEN.findall(plain)[:MAX_TOKENS] if one.isascii()]
    return Words([one for one in words if one not in FAMILIES and maker(one) is None], words)


def _processor(text: Any) -> Words:
    plain = _plain(text)
    for chinese, english in CHINESE.items():
        plain = plain.replace(chinese, f" {english} ")
    plain = CLOCKS.sub(" ", COUNT.sub(" ", plain))
    words = [one for one in TOKEN.findall(plain)[:MAX_TOKENS] if one.isascii()]
    return Words([one for one in words if one not in BRANDS], words)


def _alike(one: Words, other: Words) -> bool:
    """Whether the words of one name stand in the other; blanks between them do not matter."""
    is_told = one.telling and other.telling
    first, second = (one.telling, other.telling) if is_told else (one.all, other.all)
    return _stands_in(first, second) or _stands_in(second, first)


def _stands_in(short: list[str], long: list[str]) -> bool:
    """Whether words stand side by side among others; no words say nothing against it."""
    wanted = "".join(short)
    return not wanted or any(
        "".join(long[first:last]) == wanted
        for first in range(len(long))
        for last in range(first + 1, len(long) + 1)
    )
