"""Machines as a feed gets them, and a feed as a reader gets it."""

import uuid

from salt_ext.feeds.feed import options_of
from salt_ext.feeds.handed import handed


def row(number, name, address=None, **columns):
    return {
        "id": uuid.UUID(int=number),
        "name": name,
        "is_own": True,
        "namesakes": 1,
        "address": f"10.0.0.{number}" if address is None else address,
        **columns,
    }


def fed(feed, rows, **options):
    """What a feed writes of these rows, and who it leaves out."""
    left_out = []
    machines = handed(rows, left_out, needs_address=feed.needs_address)
    text = "".join(feed.write(machines, left_out, **options_of("it", feed.options, options)))
    return text, {one.name: one.why for one in left_out}
