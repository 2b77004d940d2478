"""
A plain list of machines, one a line, for whatever deploys code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from salt_ext.feeds.feed import NAME, Feed, Option
from salt_ext.feeds.handed import NO_ADDRESS, Handed, LeftOut
from salt_ext.feeds.login import for_login


def write(
    machines: Iterable[Handed], left_out: list[LeftOut], *, by: str, name: str
) -> Iterator[str]:
    """Yield the name or the address of each machine."""
    if by == "name":
        for machine in for_login(machines, left_out):
            yield f"{machine.name}\n"
        return
    told = [(one.address, one.name, str(one.row["id"])) for one in machines]
    number = Counter(address for address, _, _ in told)
    for address, called, asset_id in told:
        if address and number[address] == 1:
            yield f"{address}\n"
            continue
        why = f"{number[address]} machines have its address" if address else NO_ADDRESS
        left_out.append(LeftOut(called, asset_id, why))


FEED = Feed(
    "Tools that deploy code, such as pdsh, clush, pssh and `salt -L`: one machine a line.",
    "text/plain; charset=utf-8",
    write,
    ("address",),
    {
        "by": Option(
            str, "name", "What stands on a line: the `name` or the `address`.", ("name", "address")
        ),
        "name": NAME,
    },
    needs_address=False,
)
