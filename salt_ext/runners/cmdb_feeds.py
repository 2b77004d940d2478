"""
The command that gives the inventory to other programs.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from salt_ext import feeds, store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import Misused, assets_of, nothing_else, text
from salt_ext.exchange import write_body
from salt_ext.words.visible import visible

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"

MOST_SHOWN_BYTES = 1 << 20
"""Salt keeps every answer and sends it over its bus: a larger one goes into a file."""


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def inventory(
    format: str = "",
    tgt: str = "*",
    q: str = "",
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Give the inventory to another program, in the format that it reads; without one, list them.

    What is retired, missing or detached is left out, unless a filter on ``lifecycle`` or
    ``freshness`` asks for it. So are machines whose name or address that program would
    misread: how many is told on stderr, and ``format=left_out`` says which and why.

    format
        ``prometheus`` and others: without it there is a table.
    tgt
        An identifier of one asset, or a glob of minion ids.
    q
        What the search box takes, as in ``site:fra1 -os:debian``.
    out_file
        Write it into this file, which is there when it is whole, and untouched when nothing
        has changed. If it cannot be made, the file stays as it was.

    Everything else is an option of the format or a filter.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.inventory
        salt-run cmdb.inventory prometheus port=9100 site=dc1
        salt-run cmdb.inventory prometheus port=9100 out_file=/etc/prometheus/cmdb.json
        salt-run cmdb.inventory left_out
    """

    def ask(database: store.Database) -> dict[str, Any]:
        if not format:
            nothing_else(kwargs, "format", "tgt", "q", "out_file")
            columns = ["format", "options", "about"]
            rows = [
                {"format": name, "options": ", ".join(feed.options), "about": feed.about}
                for name, feed in feeds.FEEDS.items()
            ]
            return {"kind": "table", **answers.table(columns, rows, len(rows), "formats")}
        known = feeds.feed_of(format).options
        options = {name: kwargs[name] for name in kwargs if name in known}
        others = {name: value for name, value in kwargs.items() if name not in known}
        filters = assets_of(database, tgt, others, options={"out_file"})
        made = feeds.make(database, format, filters, options, text("q", q))
        _tell(made)
        done = {
            "format": format,
            "machines": made.machines,
            "left_out": len(made.left_out),
        }
        if out_file:
            path = Path(text("out_file", out_file)).expanduser().absolute()
            return {**done, "path": str(path), "is_new": write_body(path, made.body)}
        if len(made.body) > MOST_SHOWN_BYTES:
            raise Misused(
                f"the inventory of {made.machines:,} machines is {len(made.body):,} bytes, which"
                " Salt would keep and send over its bus: write it with out_file=..."
            )
        return {**done, "body": made.body.decode()}

    return answer(__opts__, "inventory", ask)


def _tell(made: feeds.Answer) -> None:
    """Say on stderr what is left out, so that stdout has nothing but the inventory."""
    names: dict[str, list[str]] = {}
    for one in made.left_out:
        names.setdefault(one.why, []).append(one.name or one.asset_id)
    for why, named in names.items():
        told = f"left out, because {why}: {len(named)} ({', '.join(named)[:200]})"
        sys.stderr.write(visible(told) + "\n")
