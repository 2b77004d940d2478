"""
Operating systems: whether two texts mean the same, ``Rocky 9`` and ``Rocky Linux 9.5 (Blue Onyx)``.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from salt_ext.words.cells import spelled

FAMILIES = {
    "rocky": ("rocky",),
    "alma": ("alma",),
    "oracle": ("oracle", "oel"),
    "centos": ("centos",),
    "rhel": ("red hat", "redhat", "rhel", "红帽"),
    "fedora": ("fedora",),
    "ubuntu": ("ubuntu", "乌班图"),
    "debian": ("debian",),
    "opensuse": ("opensuse",),
    "suse": ("suse", "sles"),
    "openeuler": ("openeuler", "欧拉"),
    "euleros": ("euleros",),
    "kylin": ("kylin", "麒麟"),
    "uos": ("uos", "uniontech", "统信"),
    "anolis": ("anolis", "龙蜥"),
    "alibaba": ("alibaba", "aliyun", "alinux", "阿里"),
    "tencent": ("tencent", "腾讯"),
    "amazon": ("amazon", "amzn"),
    "proxmox": ("proxmox", "pve"),
    "esxi": ("esx",),
    "freebsd": ("freebsd",),
    "macos": ("macos", "mac os", "darwin"),
    "windows": ("windows", "win"),
}
"""Family: how a text names it."""

NOISE = re.compile(r"(?:x86_|x|amd|aarch|arm)\d+|x86|\d+\s*-?(?:位|bits?)")
VERSION = re.compile(r"\d+(?:\.\d+)*")
SERVICE_PACK = re.compile(r"sp\s*(\d+)")


class System(NamedTuple):
    """The family of a system, None if unknown, the numbers of its version, and its service pack."""

    family: str | None
    version: list[int]
    service_pack: str


def same_system(said: Any, reported: Any) -> bool | None:
    """
    Whether two texts name one operating system; None when one of them names none that is known.

    A version that says less than the other one, as ``9`` does of ``9.5``, is the same.
    """
    one, other = system(said), system(reported)
    if one.family is None or other.family is None:
        return None
    is_short = all(
        first == second for first, second in zip(one.version, other.version, strict=False)
    )
    packs = {one.service_pack, other.service_pack} - {""}
    return one.family == other.family and is_short and len(packs) < 2


def system(text: Any) -> System:
    """Return which system a text names."""
    plain = NOISE.sub(" ", spelled(text)[:200])
    family = next(
        (name for name, words in FAMILIES.items() if any(word in plain for word in words)), None
    )
    service_pack = SERVICE_PACK.search(plain)
    version = VERSION.search(SERVICE_PACK.sub(" ", plain))
    return System(
        family,
        [int(one[:9]) for one in version[0].split(".")] if version else [],
        service_pack[1] if service_pack else "",
    )
