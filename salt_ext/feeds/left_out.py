"""
The machines that other formats leave out, and why.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from salt_ext.feeds import ansible, jumpserver, ssh_config
from salt_ext.feeds.feed import COLUMNS, NAME, Feed, Option, json_list
from salt_ext.feeds.handed import Handed, LeftOut
from salt_ext.feeds.login import for_login

STRICTER = {"ansible": ansible.FEED, "jumpserver": jumpserver.JSON, "ssh_config": ssh_config.FEED}
"""The formats that leave out more than all do, with their usual options."""

OF = Option(
    str,
    "",
    "A format that leaves out more than all do, as Ansible names that begin as groups do:"
    " `ansible`, `jumpserver` or `ssh_config`.",
    tuple(STRICTER),
)


def write(
    machines: Iterable[Handed], left_out: list[LeftOut], *, name: str, of: str
) -> Iterator[str]:
    """Yield those that are no machines of a feed."""
    if of:
        feed = STRICTER[of]
        usual = {one: option.default for one, option in feed.options.items()}
        read: Iterable[object] = feed.write(machines, left_out, **{**usual, "name": name})
    else:
        read = for_login(machines, left_out)
    deque(read, maxlen=0)
    yield from json_list(one._asdict() for one in left_out)


FEED = Feed(
    "People: which machines the other formats leave out, and why.",
    "application/json",
    write,
    ("address", *COLUMNS),
    {"of": OF, "name": NAME},
)
