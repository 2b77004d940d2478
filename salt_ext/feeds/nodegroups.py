"""
Node groups of Salt, for a file in ``master.d``: each is a filter of the setting ``nodegroups``.

https://docs.saltproject.io/en/latest/topics/targeting/nodegroups.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from salt_ext import store
from salt_ext.feeds.feed import Feed
from salt_ext.feeds.handed import Handed, LeftOut
from salt_ext.questions import box

ABOUT = """\
# The groups of cmdb:nodegroups, by salt-run cmdb.inventory nodegroups. Salt merges all files of
# master.d; groups in the main file of the master it replaces: keep yours in a file beside this.
"""

NONE = (
    "no node groups are set here: write them into the setting nodegroups, for salt-run below cmdb:"
    " in the master's configuration, and for the web in the file of its own settings"
    " (CMDB_SETTINGS); see docs/salt.md"
)
"""An empty answer would take the groups away from whoever asks the wrong process."""


def read(
    database: store.Database, *, filters: Mapping[str, Any], text: str, **others: Any
) -> Iterator[dict[str, Any]]:
    """Yield the machines of all groups; Salt knows them by their minion ids and no others."""
    if not database.settings["nodegroups"]:
        raise store.FilterError(NONE)
    groups = {
        group: ({**mine, "minion_id__isnull": False}, f"{text} {words}")
        for group, (mine, words) in groups_of(database, filters).items()
    }
    return store.machines(database, groups=groups, **others)


def groups_of(
    database: store.Database, filters: Mapping[str, Any]
) -> dict[str, tuple[dict[str, Any], str]]:
    """Return the filters and the words of each group. Raises :class:`store.FilterError`."""
    found = {}
    for group, asked in database.settings["nodegroups"].items():
        try:
            found[group] = _asked(database, asked, filters)
        except store.FilterError as error:
            raise store.FilterError(f"nodegroups: {group}: {error}") from None
    return found


def _asked(
    database: store.Database, asked: Any, filters: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    """Return the filters of a group together with others, and its words."""
    if isinstance(asked, str):
        return box.read(database, asked, filters)
    for name in asked.keys() & filters.keys():
        raise store.FilterError(f"{name} is asked for twice")
    store.asking(database).check(asked)
    return {**filters, **asked}, ""


def write(
    machines: Iterable[Handed], left_out: list[LeftOut], *, nodegroups: Mapping[str, Any]
) -> Iterator[str]:
    """Yield each group by the names of its machines, for ``salt -N`` and for ``salt-ssh -N``."""
    names: dict[str, list[str]] = {group: [] for group in sorted(nodegroups)}
    for machine in machines:
        for group in machine.row["groups"]:
            names[group].append(machine.name)
    yield ABOUT
    for option, sign in (("nodegroups", "L@"), ("ssh_list_nodegroups", "")):
        yield f"{option}:\n"
        for group, members in names.items():
            yield f"  {json.dumps(group)}: {json.dumps(sign + ','.join(members))}\n"


FEED = Feed(
    "Salt itself, from a file in master.d: the groups of the setting `nodegroups`, for `salt -N`.",
    "application/yaml",
    write,
    needs_address=False,
    read=read,
    settings=("nodegroups",),
)
