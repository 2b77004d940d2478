"""
The inventory on the master: what there is, what changed, what is wrong.

Every command prints a table; ``--out=json`` gives the same as data. Exit
status: 0 done, 1 differences found where ``exit_code=True`` asks for that, 2 an
error, 3 not found or ambiguous. Filters are ``field=value`` or
``field__op=value``, as in ``site=dc1 memory_bytes__lt=137438953472``.

Salt reads the arguments as YAML: a serial number with leading zeros needs two
pairs of quotes, ``'"0012345"'``.
"""

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import salt.utils.args

from salt_ext import answers, settings, store
from salt_ext.settings import nearest
from salt_ext.times import moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from salt_ext._dunders import __opts__

__func_alias__ = {"list_": "list", "settings_": "settings"}

GROUPS = ("site", "manufacturer,product_name", "os")


def report(tgt: str = "*", group_by: str = "", **kwargs: Any) -> dict[str, Any]:
    """
    Count the fleet: assets, how fresh they are, processors, memory and disks.

    tgt
        A glob of minion ids.
    group_by
        Fields to group by, separated by commas. Without it there is a table
        for the sites, one for the models and one for the operating systems.

    Everything else is a filter.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.report
        salt-run cmdb.report group_by=site,os kind=physical
    """

    def ask(database: store.Database) -> dict[str, Any]:
        filters = _filters(tgt, kwargs)
        tables = []
        for fields in [group_by] if group_by else GROUPS:
            totals, rows = store.report(database, group_by=fields, filters=filters)
            tables.append({"group_by": fields.split(","), "rows": rows})
        return {"totals": totals, "groups": tables}

    return _answer("report", ask)


def list_(
    tgt: str = "*",
    q: str = "",
    columns: str = "",
    sort: str = "minion_id",
    limit: int = 100,
    **kwargs: Any,
) -> dict[str, Any]:
    """
    List assets.

    tgt
        A glob of minion ids.
    q
        Words that must all be found in the name, serial number, model or address.
    columns
        Fields separated by commas instead of the usual ones; ``+site,rack`` adds to them.
    sort
        A field, with ``-`` before it for the largest or newest first.
    limit
        How many assets at most.

    Everything else is a filter.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.list
        salt-run cmdb.list site=dc1 os__contains=debian columns=+kernel_release sort=-memory_bytes
    """

    def ask(database: store.Database) -> dict[str, Any]:
        wanted = list(store.DEFAULT_COLUMNS) if not columns or columns[0] == "+" else []
        wanted += [name for name in columns.removeprefix("+").split(",") if name]
        rows, total = store.assets(
            database,
            filters=_filters(tgt, kwargs),
            text=str(q),
            columns=wanted,
            sort=sort,
            limit=_count("limit", limit),
        )
        return answers.table(wanted, rows, total, "assets")

    return _answer("table", ask)


def show(asset: str = "", section: str = "", **kwargs: Any) -> dict[str, Any]:
    """
    Show everything that is known of an asset.

    asset
        Its minion id, serial number, hostname, UUID, MAC or any other
        identifier, present or former.
    section
        Only this section of its facts, such as ``memory``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.show web01
        salt-run cmdb.show 9XYZ1K2 section=memory
    """

    def ask(database: store.Database) -> dict[str, Any]:
        _nothing_else(kwargs, "asset", "section")
        row = store.overview(database, store.find(database, _reference(asset)))
        if not section:
            return {"asset": row}
        if section not in row["facts"]:
            hint = nearest(section, row["facts"])
            raise answers.NotThere(
                f"{asset} has no section {section!r}{hint}",
                "there are: " + ", ".join(sorted(row["facts"])),
            )
        return {"asset": {"minion_id": row["minion_id"], "facts": {section: row["facts"][section]}}}

    return _answer("asset", ask)


def history(asset: str = "", since: str = "", limit: int = 50, **kwargs: Any) -> dict[str, Any]:
    """
    Show what changed on an asset, the newest first.

    since
        ``24h``, ``7d``, ``2026-11-01`` or ``'2026-11-01 10:00'`` (UTC).
    limit
        How many changes at most.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.history web01 since=30d
    """

    def ask(database: store.Database) -> dict[str, Any]:
        _nothing_else(kwargs, "asset", "since", "limit")
        asset_id = store.find(database, _reference(asset))
        start = moment(since, _now()) if since else None
        rows = store.changes(database, asset_id=asset_id, since=start, limit=_count("limit", limit))
        total = store.count_changes(database, asset_id=asset_id, since=start)
        first = store.overview(database, asset_id)["first_seen"]
        return {"changes": rows, "total": total, "first_seen": first}

    return _answer("history", ask)


def diff(asset: str = "", exit_code: bool = False, **kwargs: Any) -> dict[str, Any]:
    """
    Show what is different on an asset between two moments.

    from
        The first moment: ``24h``, ``2026-11-01``, ``'2026-11-01 10:00'`` (UTC).
        Without it, the revision before the last one.
    to
        The second moment; now without it.
    exit_code
        True makes the exit status 1 when there are differences.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.diff web01
        salt-run cmdb.diff web01 from=7d exit_code=True
    """

    def ask(database: store.Database) -> dict[str, Any]:
        options = salt.utils.args.clean_kwargs(**kwargs)
        start, end = options.pop("from", None), options.pop("to", None)
        _nothing_else(options, "asset", "from", "to", "exit_code")
        asset_id = store.find(database, _reference(asset))
        old, new, changes = store.compare(
            database,
            asset_id,
            moment(start, _now()) if start else None,
            moment(end, _now()) if end else None,
        )
        return {
            "asset": store.overview(database, asset_id)["minion_id"],
            "old": old,
            "new": new,
            "changes": [one._asdict() for one in changes],
        }

    return _answer("diff", ask, differs=lambda content: exit_code and bool(content["changes"]))


def errors(
    tgt: str = "", since: str = "", id: str = "", limit: int = 50, **kwargs: Any
) -> dict[str, Any]:
    """
    Show what went wrong: collectors that failed, reports refused or held.

    tgt
        The minion id to ask about.
    since
        Only what happened since then: ``24h``, ``7d``, ``2026-11-01``.
    id
        One problem, with its traceback.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.errors
        salt-run cmdb.errors id=0b5c8a52-5d0e-4c8e-9d0d-2f3f5d9f7f11
    """

    def ask(database: store.Database) -> dict[str, Any]:
        _nothing_else(kwargs, "tgt", "since", "id", "limit")
        rows, total = store.problems(
            database,
            since=moment(since, _now()) if since else None,
            minion_id=str(tgt) or None,
            problem_id=answers.uuid_of(id) if id else None,
            limit=_count("limit", limit),
        )
        if id:
            if not rows:
                raise answers.NotThere(f"there is no problem {id}", "see: cmdb.errors")
            return {"kind": "problem", "problem": rows[0]}
        columns = ["last_seen", "count", "minion_id", "kind", "subject", "message", "id"]
        return answers.table(columns, rows, total, "problems")

    return _answer("table", ask)


def migrate(test: bool = False, **kwargs: Any) -> dict[str, Any]:
    """
    Bring the database's schema up to this version; make it where there is none.

    test
        True names the steps and takes none.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.migrate test=True
        salt-run cmdb.migrate
    """

    def ask(database: store.Database) -> dict[str, Any]:
        _nothing_else(kwargs, "test")
        return {"steps": store.migrate(database, test=test), "test": bool(test)}

    return _answer("steps", ask, write=True)


def settings_(**kwargs: Any) -> dict[str, Any]:
    """
    Show every setting of the master, its value and where it came from.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.settings
    """

    def ask(database: store.Database) -> dict[str, Any]:
        _nothing_else(kwargs)
        options = database.settings
        rows = [
            {
                "setting": name,
                "value": database.shown_url
                if value == database.url
                else json.dumps(value, sort_keys=True)
                if isinstance(value, dict)
                else value,
                "source": options.sources[name],
            }
            for name, value in options.items()
        ]
        return answers.table(["setting", "value", "source"], rows, len(rows), "settings")

    return _answer("table", ask)


def _answer(
    kind: str,
    ask: "Callable[[store.Database], dict[str, Any]]",
    *,
    write: bool = False,
    differs: "Callable[[dict[str, Any]], bool] | None" = None,
) -> dict[str, Any]:
    """Ask the store, and put what it says or what went wrong into Salt's envelope."""

    def content() -> dict[str, Any]:
        options = settings.from_opts(__opts__)
        return ask(store.Database(options, read_only=not write))

    return answers.envelope(kind, content, differs)


def _filters(tgt: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    filters: dict[str, Any] = salt.utils.args.clean_kwargs(**kwargs)
    if tgt != "*":
        filters["minion_id__glob"] = tgt
    return filters


def _nothing_else(kwargs: dict[str, Any], *valid: str) -> None:
    for name in salt.utils.args.clean_kwargs(**kwargs):
        hint = nearest(name, valid) or f"; there are: {', '.join(valid) or 'none'}"
        raise answers.Misused(f"there is no option {name!r}{hint}")


def _reference(asset: Any) -> str:
    if asset == "":
        raise answers.Misused(
            "which asset? give a minion id, a serial number or another identifier"
        )
    if not isinstance(asset, str):
        raise answers.Misused(
            f"the asset arrived as {asset!r}, which is no text: the command line reads YAML and"
            f""" drops leading zeros; write '"..."' with both pairs of quotes"""
        )
    return asset


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise answers.Misused(f"{name} is {value!r}, but it must be a whole number above 0")
    return value


def _now() -> datetime:
    return datetime.now(timezone.utc)
