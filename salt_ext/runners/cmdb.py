"""
The inventory on the master: what there is, what changed, what is wrong.

Every command prints a table; ``--out=json`` gives the same as data. Exit
status: 0 done, 1 differences found where ``exit_code=True`` asks for that, 2 an
error, 3 not found or ambiguous. Filters are ``field=value`` or
``field__comparison=value``, as in ``site=dc1 memory_bytes__lt=128GiB``.

Salt reads the arguments as YAML: a serial number with leading zeros needs two
pairs of quotes, ``'"0012345"'``.

``tgt``, where a command has it, is an identifier of one asset, or a glob of
minion ids. ``out_file=`` writes all rows into a file, of the format that its
suffix names: ``.csv``, ``.xlsx``, ``.json`` or ``.ndjson``.

This file has the commands that read many assets. The files beside it have those
about one asset, about the past, about problems, and those that change something.
To Salt all these files are the one runner ``cmdb``.
"""

from typing import TYPE_CHECKING, Any

from salt_ext import store
from salt_ext.commands import answers, arguments
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import Misused, assets_of, count, listed, nothing_else, now, text
from salt_ext.questions import assets as questions
from salt_ext.questions import groups as reports
from salt_ext.questions.find import find as where_known
from salt_ext.questions.parts import kinds

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__func_alias__ = {"list_": "list"}

GROUPINGS = ("site", "manufacturer,product_name", "os")


def report(tgt: str = "*", group_by: str = "", as_of: str = "", **kwargs: Any) -> dict[str, Any]:
    """
    Count the fleet: assets, how fresh they are, processors, memory and disks.

    tgt
        An identifier of one asset, or a glob of minion ids.
    group_by
        Fields to group by, separated by commas. Without it there is a table
        for the sites, one for the models and one for the operating systems.
    as_of
        Count the fleet as it was then: ``30d``, ``2026-11-01`` or the name of a
        snapshot. For the past it is not known how fresh the assets were.

    Everything else is a filter.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.report
        salt-run cmdb.report group_by=site,os kind=physical
        salt-run cmdb.report as_of=2026-01-01
    """

    def ask(database: store.Database) -> dict[str, Any]:
        then = store.as_of_moment(database, as_of, now()) if as_of else None
        filters = assets_of(database, tgt, kwargs)
        groupings = [text("group_by", group_by)] if group_by else GROUPINGS
        found = reports.report(database, groupings, filters, then)
        return {
            "totals": found.totals,
            "groups": found.groups,
            "as_of": then,
            "filters": bool(filters),
            **({"hint": found.hint} if found.hint else {}),
        }

    return answer(__opts__, "report", ask)


def list_(
    tgt: str = "*",
    q: str = "",
    columns: str = "",
    sort: str = "minion_id",
    limit: int = 100,
    cursor: str = "",
    as_of: str = "",
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    List assets.

    tgt
        An identifier of one asset, or a glob of minion ids.
    q
        What the search box takes: words that must all be found in the name, model, a
        number or an address, and fields, as in ``site:fra1 ram>=256 -os:debian web``.
        When more than 1,000 assets have the words, they are not counted.
    columns
        Fields separated by commas instead of the usual ones; ``+site,rack`` adds to
        them. ``id`` is the id of the asset, which never changes.
    sort
        A field, with ``-`` before it for the largest or newest first.
    limit
        How many assets at most.
    cursor
        What the last answer gave as ``next``: shows the page after it.
    as_of
        List the assets as they were then: ``30d``, ``2026-11-01`` or the name
        of a snapshot.
    out_file
        Write all of them into this file, whatever the limit.

    Everything else is a filter; ``disks.model``, ``memory.manufacturer`` and the
    like find the assets that have such a part.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.list
        salt-run cmdb.list site=dc1 os__contains=debian columns=+kernel_release sort=-memory_bytes
        salt-run cmdb.list as_of=2026-01-01 out_file=/srv/assets.xlsx
    """

    def ask(database: store.Database) -> dict[str, Any]:
        then = store.as_of_moment(database, as_of, now()) if as_of else None
        asked = ",".join(columns) if isinstance(columns, list) else text("columns", columns)
        wanted = store.usual_columns(then) if not asked or asked[0] == "+" else []
        wanted += listed(asked.removeprefix("+"))
        filters = assets_of(database, tgt, kwargs)
        found = questions.assets(
            database,
            filters,
            None if out_file else count("limit", limit),
            text=str(q),
            columns=wanted,
            sort=text("sort", sort),
            cursor=None if out_file else str(cursor) or None,
            at=then,
        )
        if out_file:
            return answers.of_table(database.zone, found, text("out_file", out_file))
        rows = list(found.rows)
        done = answers.of_table(database.zone, found._replace(rows=rows))
        done |= {"exact": found.exact, "next": found.next}
        called = [row.get("called") for row in rows]
        return {**done, **({"called": called} if "minion_id" in wanted and any(called) else {})}

    return answer(__opts__, "table", ask)


def facets(
    fields: str = "site,manufacturer,product_name,os,freshness",
    tgt: str = "*",
    q: str = "",
    limit: int = 20,
    as_of: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Show the values of fields, to filter by, and how many assets have each value.

    fields
        Fields of ``cmdb.list``, separated by commas.
    tgt
        An identifier of one asset, or a glob of minion ids.
    q
        Words and fields, as in ``cmdb.list``.
    limit
        How many values of each field at most, the most frequent first.
    as_of
        The values that there were then: ``30d``, ``2026-11-01`` or the name of a
        snapshot.

    Everything else is a filter.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.facets
        salt-run cmdb.facets os,kernel_release site=dc1
    """

    def ask(database: store.Database) -> dict[str, Any]:
        asked = ",".join(fields) if isinstance(fields, list) else text("fields", fields)
        found, hint = questions.facets(
            database,
            asked,
            assets_of(database, tgt, kwargs),
            count("limit", limit),
            text=str(q),
            at=store.as_of_moment(database, as_of, now()) if as_of else None,
        )
        return {"facets": found, **({"hint": hint} if hint else {})}

    return answer(__opts__, "facets", ask)


def find(text: str = "", limit: int = 50, **kwargs: Any) -> dict[str, Any]:
    """
    Find where a text is known: as a name, a number, an address, a part, now or formerly.

    text
        A name, with or without its domain, a serial number of a machine or of a part,
        an asset tag, MAC, WWN, UUID, IP address (of any interface, and of the BMC) or
        whatever people's lists have, in any spelling. Where nothing is exactly this,
        what contains it.
    limit
        How many places at most.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.find 10.0.3.17
        salt-run cmdb.find S64FNE0T123456
        salt-run cmdb.find '"0012345"'
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "text", "limit")
        if text == "":
            raise Misused("find what? give a name, a number or an address")
        found = where_known(database, arguments.text("text", text), count("limit", limit))
        return {**answers.of_table(database.zone, found), "exact": found.exact}

    return answer(__opts__, "table", ask)


def components(
    section: str = "",
    serial: str = "",
    tgt: str = "*",
    limit: int = 100,
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Count the parts of a section by kind, or tell where one part is and was.

    section
        ``disks``, ``memory``, ``processors``, ``network``, ``gpus`` or
        ``power_supplies``.
    serial
        The serial number, WWN or MAC of a part: every place where it was, since
        when and until when, and what changed on it there.
    tgt
        An identifier of one asset, or a glob of minion ids.
    limit
        How many kinds at most, the most frequent first.
    out_file
        Write all kinds into this file, whatever the limit.

    Everything else is a filter: ``disks.model=...`` of the parts, ``site=dc1`` of
    the assets.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.components disks site=dc1 disks.model__contains=PM9A3
        salt-run cmdb.components serial=S64FNE0T123456
    """

    def ask(database: store.Database) -> dict[str, Any]:
        if serial:
            if out_file:
                raise Misused("out_file= is for the kinds of parts of a section, not for serial=")
            nothing_else(kwargs, "section", "serial", "tgt", "limit")
            stays = store.genealogy(database, text("serial", serial))
            return {"kind": "genealogy", "serial": serial, "stays": stays}
        if not section:
            raise Misused("which parts? give a section such as disks, or serial=")
        filters = assets_of(database, tgt, kwargs)
        most = None if out_file else count("limit", limit)
        found = kinds(database, str(section), filters, most)
        return answers.of_table(database.zone, found, text("out_file", out_file))

    return answer(__opts__, "table", ask)
