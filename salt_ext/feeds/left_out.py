"""
The machines that other formats leave out, and why.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from salt_ext.feeds.feed import NAME, Feed, json_list
from salt_ext.feeds.handed import Handed, LeftOut
from salt_ext.feeds.login import for_login


def write(machines: Iterable[Handed], left_out: list[LeftOut], *, name: str) -> Iterator[str]:
    """Yield those that are no machines of a feed."""
    deque(for_login(machines, left_out), maxlen=0)
    yield from json_list(one._asdict() for one in left_out)


FEED = Feed(
    "People: which machines the other formats leave out, and why.",
    "application/json",
    write,
    ("address",),
    {"name": NAME},
)
