"""
The commands about the past: what changed, and what was at any moment.
"""

from typing import TYPE_CHECKING, Any

import salt.utils.args

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import (
    Misused,
    asset_of,
    assets_of,
    check_truths,
    count,
    nothing_else,
    now,
    text,
    who,
)
from salt_ext.questions import changes as questions
from salt_ext.questions import fleet_diff as fleet_questions
from salt_ext.words.changes import worth_telling

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


OF_CHANGE = ("asset_id", "revision")
"""By what programs know the report of a change."""

OF_REVISION = ("number", "recorded_at", "collected_at", "mode", "reason")
"""What is told of a revision."""


def _asked(
    since: str, until: str, section: Any, component: Any, op: Any, options: dict[str, Any]
) -> dict[str, Any]:
    """Return which changes are asked for; ``class`` is taken from the options."""
    return {
        "since": since,
        "until": until,
        "section": text("section", section),
        "component": text("component", component),
        "op": text("op", op),
        "classes": text("class", options.pop("class", "")),
    }


def _page_or_file(
    database: store.Database, wanted: store.Wanted, limit: Any, cursor: Any, out_file: Any
) -> dict[str, Any]:
    """Return a page of changes with the number of all, or write all into a file."""
    if out_file:
        table = questions.changes(database, wanted, None)
        return answers.file(database.zone, text("out_file", out_file), table.columns, table.rows)
    table = questions.changes(database, wanted, count("limit", limit), str(cursor))
    rows = [{name: row[name] for name in (*table.columns, *OF_CHANGE)} for row in table.rows]
    done = {"changes": rows, "total": table.total, "next": table.next}
    return answers.or_why(done, rows, lambda: table.hint)


def history(
    asset: str = "",
    since: str = "",
    until: str = "",
    section: str = "",
    component: str = "",
    op: str = "",
    limit: int = 50,
    cursor: str = "",
    out_file: str = "",
    handovers: bool = False,
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Show what changed on an asset, the newest first, and when another source took over.

    asset
        Its minion id, serial number or any other identifier.
    since, until
        ``24h``, ``7d``, ``2026-11-01``, ``'2026-11-01 10:00'`` or the name
        of a snapshot; ``since=last-night`` is from yesterday 18:00 to today 8:00.
    section
        Only changes of this section or list: ``memory``, ``memory.devices``.
    component
        Only changes of the part with this serial number, or in this slot.
    class
        Only changes of these classes, with commas between them: ``loss``, ``replaced``,
        ``added``, ``firmware``, ``moved``, ``renamed``, ``software``, ``other``,
        ``device_name``.
    op
        Only what was ``added``, ``removed``, ``changed``, ``moved``, ``replaced`` or
        ``renamed``.
    limit
        How many changes at most.
    cursor
        What the last answer gave as ``next``: shows the page after it.
    out_file
        Write all of them into this file, whatever the limit.
    handovers
        With ``True``, show what differed when another source took over. That is how two
        sources see the machine, and no change of it.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.history web01 since=30d
        salt-run cmdb.history web01 handovers=True
        salt-run cmdb.history web01 section=memory.devices
    """

    def ask(database: store.Database) -> dict[str, Any]:
        options = salt.utils.args.clean_kwargs(**kwargs)
        asked = _asked(since, until, section, component, op, options)
        nothing_else(
            options,
            *("asset", "since", "until", "section", "component", "class", "op", "limit", "cursor"),
            *("out_file", "handovers"),
        )
        check_truths(handovers=handovers)
        asset_id = asset_of(database, asset)
        wanted = questions.wanted(database, now(), **asked, asset_id=asset_id)
        first = store.overview(database, asset_id)["first_seen"]
        found = _page_or_file(database, wanted, limit, cursor, out_file)
        if out_file:
            return {"first_seen": first, **found}
        return {
            "first_seen": first,
            **found,
            "handovers": [] if cursor else _handovers(database, wanted, whole=handovers),
        }

    return answer(__opts__, "history", ask)


def _handovers(
    database: store.Database, wanted: store.Wanted, *, whole: bool
) -> list[dict[str, Any]]:
    """Return the handovers of the sections that are asked for."""
    if wanted.asset_id is None or wanted.component:
        return []
    section = wanted.section.partition(".")[0]
    found = store.handovers(database, wanted.asset_id, wanted.since, wanted.until, whole=whole)
    return [one for one in found if not section or section in one["sections"]]


def _between(
    database: store.Database, asset_id: Any, old: dict[str, Any], new: dict[str, Any]
) -> list[dict[str, Any]]:
    """Return the handovers after one revision, up to another one."""
    found = store.handovers(database, asset_id, old["recorded_at"], new["recorded_at"])
    return [one for one in found if old["number"] < one["revision"] <= new["number"]]


def changes(
    tgt: str = "*",
    since: str = "24h",
    until: str = "",
    section: str = "",
    component: str = "",
    op: str = "",
    limit: int = 100,
    cursor: str = "",
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Show what changed in the fleet, the newest first.

    tgt
        An identifier of one asset, or a glob of minion ids.
    since, until
        ``24h``, ``7d``, ``2026-11-01``, ``'2026-11-01 10:00'`` or the name
        of a snapshot; ``since=last-night`` is from yesterday 18:00 to today 8:00.
    section
        Only changes of this section or list: ``memory``, ``memory.devices``.
    component
        Only changes of the part with this serial number, or in this slot.
    class
        Only changes of these classes, with commas between them: ``loss``, ``replaced``,
        ``added``, ``firmware``, ``moved``, ``renamed``, ``software``, ``other``,
        ``device_name``.
    op
        Only what was ``added``, ``removed``, ``changed``, ``moved``, ``replaced`` or
        ``renamed``.
    limit
        How many changes at most.
    cursor
        What the last answer gave as ``next``: shows the page after it.
    out_file
        Write all of them into this file, whatever the limit.

    Everything else is a filter of the assets.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.changes since=7d section=memory.devices site=dc1
        salt-run cmdb.changes since=last-night class=loss,replaced
        salt-run cmdb.changes since=30d out_file=/srv/changes.xlsx
    """

    def ask(database: store.Database) -> dict[str, Any]:
        if not since:
            raise Misused("since when? give since=24h, a date or a snapshot's name")
        options = salt.utils.args.clean_kwargs(**kwargs)
        asked = _asked(since, until, section, component, op, options)
        filters = assets_of(database, tgt, options)
        wanted = questions.wanted(database, now(), **asked, filters=filters)
        return _page_or_file(database, wanted, limit, cursor, out_file)

    return answer(__opts__, "changes", ask)


def diff(
    asset: str = "", other: str = "", against: str = "", exit_code: bool = False, **kwargs: Any
) -> dict[str, Any]:
    """
    Show what is different on an asset between two moments, or between two assets.

    asset
        Its minion id, serial number or any other identifier.
    other
        Another asset to compare with, as both are now. Serial numbers and the
        like, which no two machines share, are left out.
    from
        The first moment: ``24h``, ``2026-11-01``, ``'2026-11-01 10:00'``.
        The default is the revision before the last one.
    against
        The name of a snapshot, in place of ``from``.
    to
        The second moment; the default is now.
    exit_code
        True makes the exit status 1 when there are differences.

    Where another source took a section over in between, how both tell it is no difference
    of the machine; such handovers are named, and ``cmdb.history handovers=True`` has more.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.diff web01
        salt-run cmdb.diff web01 from=7d exit_code=True
        salt-run cmdb.diff web01 against=before-maintenance exit_code=True
        salt-run cmdb.diff web01 web02
    """

    def ask(database: store.Database) -> dict[str, Any]:
        check_truths(exit_code=exit_code)
        options = salt.utils.args.clean_kwargs(**kwargs)
        start, end = options.pop("from", None) or against, options.pop("to", None)
        nothing_else(options, "asset", "other", "against", "from", "to", "exit_code")
        asset_id = asset_of(database, asset)
        name = store.overview(database, asset_id)["minion_id"]
        if other:
            other_id = asset_of(database, other)
            found = store.compare_assets(database, asset_id, other_id)
            second = store.overview(database, other_id)["minion_id"]
            rows = worth_telling(one._asdict() for one in found)
            return {"kind": "comparison", "asset": name, "other": second, "changes": rows}
        old, new, found = store.compare(
            database,
            asset_id,
            store.as_of_moment(database, start, now()) if start else None,
            store.as_of_moment(database, end, now()) if end else None,
        )
        ends = {
            end: one and {name: one[name] for name in OF_REVISION}
            for end, one in (("old", old), ("new", new))
        }
        return {
            "asset": name,
            **ends,
            "changes": worth_telling(one._asdict() for one in found),
            "handovers": _between(database, asset_id, old, new) if old else [],
        }

    return answer(
        __opts__, "diff", ask, differs=lambda content: exit_code and bool(content["changes"])
    )


def fleet_diff(
    tgt: str = "*",
    after: str = "",
    limit: int = 20,
    exit_code: bool = False,
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Show the differences of the fleet between two moments, without changes that were undone.

    from, to
        ``24h``, ``7d``, ``2026-11-01``, ``'2026-11-01 10:00'`` or the name
        of a snapshot; the default of ``to`` is now.
    tgt
        An identifier of one asset, or a glob of minion ids.
    limit
        How many assets are shown one by one at most.
    after
        The name of the last asset on the page before: shows the assets after it.
    exit_code
        True makes the exit status 1 when there are differences.
    out_file
        Write every difference of every asset into this file, whatever the limit.

    Everything else is a filter of the assets as they are now.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.fleet_diff from=2026-11-20 to=2026-11-21 site=dc1
        salt-run cmdb.fleet_diff from=before-maintenance exit_code=True
    """

    def ask(database: store.Database) -> dict[str, Any]:
        check_truths(exit_code=exit_code)
        options = salt.utils.args.clean_kwargs(**kwargs)
        start, end = options.pop("from", None), options.pop("to", None)
        if not start:
            raise Misused("from which moment? give from=24h, a date or a snapshot's name")
        first = store.as_of_moment(database, start, now())
        last = store.as_of_moment(database, end, now()) if end else now()
        filters = assets_of(database, tgt, options)

        if out_file:
            table = fleet_questions.table(database, first, last, filters)
            done = answers.of_table(database.zone, table, text("out_file", out_file))
            return {**done, "assets": table.total}
        found = fleet_questions.fleet_diff(
            database, first, last, filters, after=str(after), limit=count("limit", limit)
        )
        hint = found.pop("hint")
        return {"from": first, "to": last, **found} | ({"hint": hint} if hint else {})

    return answer(
        __opts__, "fleet_diff", ask, differs=lambda content: exit_code and content["assets"] > 0
    )


def snapshot(name: str = "", comment: str = "", tgt: str = "*", **kwargs: Any) -> dict[str, Any]:
    """
    Give this moment a name; without a name, list all snapshots.

    A snapshot copies nothing. Its name can be given wherever a moment is asked for.

    name
        Begins with a letter; letters, digits and ``. _ -``.
    comment
        Why it was taken.
    tgt
        An identifier of one asset, or a glob of minion ids: the assets that the
        snapshot is about.

    Everything else is a filter of these assets.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.snapshot before-maintenance comment='new BIOS in dc1' site=dc1
        salt-run cmdb.snapshot
        salt-run cmdb.fleet_diff from=before-maintenance
    """

    def ask(database: store.Database) -> dict[str, Any]:
        columns = ["name", "taken_at", "taken_by", "comment"]
        if not name:
            nothing_else({**kwargs, **({"comment": comment} if comment else {})}, "name")
            rows, total = store.snapshots(database)
            return answers.table(columns, rows, total, "snapshots")
        filters = assets_of(database, tgt, kwargs)
        row = store.take_snapshot(
            database, text("name", name), by=who(), filters=filters, comment=str(comment)
        )
        # A snapshot of no asset is a slip that shows only when it is needed.
        done = answers.table(columns, [row], 1, "snapshots")
        return answers.or_why(done, None, lambda: store.hint(database, filters))

    return answer(__opts__, "table", ask, write=bool(name))
