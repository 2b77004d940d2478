"""
The commands that write and read people's files: workbooks and lists.
"""

import os
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import salt.utils.args

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import (
    Misused,
    assets_of,
    check_truths,
    count,
    nothing_else,
    now,
    one_of,
    reference,
    text,
    who,
)
from salt_ext.commands.progress import Show, counted, progress
from salt_ext.words.nearest import unknown

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__
    from salt_ext.exchange import Sheet

__virtualname__ = "cmdb"

CHANGES_OF = timedelta(days=30)


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def export(
    out_file: str = "",
    sheet: str = "",
    tgt: str = "*",
    q: str = "",
    as_of: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Write the inventory into a workbook: the assets, their parts, what changed, what is wrong.

    out_file
        The file on the master. ``.xlsx`` has a sheet for each kind; ``.csv``,
        ``.json`` and ``.ndjson`` have room for one sheet: ``assets``, or the one that
        ``sheet`` names. An old file is replaced only when the new one is complete.
    sheet
        Only this sheet: ``assets``, ``disks``, ``memory``, ``processors``,
        ``network``, ``power_supplies``, ``gpus``, ``changes`` (of the last 30
        days) or ``problems``.
    tgt
        An identifier of one asset, or a glob of minion ids.
    q
        Words that must all be found in the name, serial number, model or address.
    as_of
        As everything was then: ``30d``, ``2026-11-01`` or the name of a snapshot.

    Everything else is a filter, as in ``cmdb.list``.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.export /srv/assets.xlsx
        salt-run cmdb.export out_file=/srv/dc1.xlsx site=dc1 as_of=2026-11-01
        salt-run cmdb.export out_file=/srv/disks.csv sheet=disks
    """

    def ask(database: store.Database) -> dict[str, Any]:
        # Imported here, because Salt loads this file for every command.
        from salt_ext.exchange import check_target, write_sheets
        from salt_ext.lists import workbook

        if not out_file:
            raise Misused("into which file? give out_file=/srv/assets.xlsx")
        is_workbook = check_target(text("out_file", out_file)) == "xlsx"
        titles = [_title(sheet, workbook.TITLES)] if sheet else workbook.TITLES
        moment = store.as_of_moment(database, as_of, now()) if as_of else None
        filters = assets_of(database, tgt, kwargs)
        with (
            store.extract(database, filters=filters, text=str(q), at=moment) as source,
            progress() as show,
        ):
            found = workbook.sheets(
                source, titles if is_workbook else titles[:1], (moment or now()) - CHANGES_OF
            )
            found = _shown(found, show)
            about = {
                "What": "the inventory of salt-cmdb, as the machines themselves report it",
                f"Written at ({database.zone})": now(),
                f"As of ({database.zone})": moment or "now",
                "Filter": " ".join(f"{name}={value}" for name, value in filters.items()) or "none",
                "Words": str(q) or "none",
                "Changes": f"of {CHANGES_OF.days} days",
                "Versions": workbook.versions(),
            }
            if is_workbook:
                found = workbook.with_read_me(found, about)
            done = dict(write_sheets(out_file, found, database.zone))
        # Filters are looked at in any case: the changes and problems of no asset are no rows.
        return answers.or_why(done, None, lambda: store.hint(database, filters, str(q)))

    return answer(__opts__, "file", ask)


def reconcile(
    file: str = "",
    sheet: str = "",
    out_file: str = "",
    tgt: str = "*",
    limit: int = 20,
    exit_code: bool = False,
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Compare people's list of machines with what the machines report.

    Each row is ``ok``, ``moved`` (other site, room, rack or unit), ``different``
    (other values, and which), ``ghost`` (in the file only), ``duplicate`` (in the
    file twice), ``held`` (its report waits for a decision), ``expected`` (a list that
    was imported has it too) or ``outside`` (of what the filter chooses); a machine that
    no row means is ``unknown``. Rows and machines are matched by SN, then by name,
    whatever the filter. A value that the file leaves blank, or that the machine does
    not report, is not compared.

    file
        A workbook (``.xlsx``) or a comma-separated file on the master.
    sheet
        Only this sheet; the default is all that are not hidden. Those without a table
        of machines are named, with the reason.
    map
        The fields of headings that are guessed wrongly or not at all:
        ``map='{"Serial No.": sn, "Old name": ""}'``; a blank field leaves a column out.
    out_file
        Write the same workbook with a coloured status, the reason, and a sheet
        of the unknown machines.
    tgt
        An identifier of one asset, or a glob of minion ids: which machines the
        list is about.
    limit
        How many rows to look at are shown at most: those that are neither ``ok`` nor
        ``expected`` nor ``outside``, and those whose machine is retired or detached.
    exit_code
        True makes the exit status 1 when there is a row of any other status, or an
        unknown machine.

    Everything else is a filter of the machines, as in ``cmdb.list``: it chooses those
    that are judged.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.reconcile /srv/old/servers.xlsx out_file=/srv/reconciled.xlsx
        salt-run cmdb.reconcile file=dc1.csv site=dc1 map='{"Serial No.": sn}' exit_code=True
    """

    def ask(database: store.Database) -> dict[str, Any]:
        # Imported here, because Salt loads this file for every command.
        from salt_ext.lists import reconcile as lists
        from salt_ext.lists.annotate import annotate
        from salt_ext.lists.closer import with_closer_look
        from salt_ext.lists.rows import read
        from salt_ext.lists.workbook import unknown_machines

        check_truths(exit_code=exit_code)
        options, wanted = _map_of(kwargs)
        most = count("limit", limit)
        listed = read(_file("file", file), text("sheet", sheet), wanted)
        filters = assets_of(database, tgt, options)
        assets = lists.machines(database, filters)
        verdicts, unknown = lists.reconcile(
            listed.rows,
            with_closer_look(database, listed.rows, assets),
            filters,
            lists.held_machines(database),
            lists.awaited_machines(database),
        )
        written: dict[str, Any] = {}
        if out_file:
            notes = [(one.status, one.reason) for one in verdicts]
            added = unknown_machines(unknown)
            path = text("out_file", out_file)
            written = annotate(listed, notes, added, path, database.zone)
        done = {**lists.summary(listed, verdicts, unknown, most), "written": written}
        return answers.or_why(done, None, lambda: store.hint(database, filters))

    def is_different(content: dict[str, Any]) -> bool:
        from salt_ext.lists.reconcile import RIGHT

        wrong = (number for status, number in content["counts"].items() if status not in RIGHT)
        return exit_code and any(wrong)

    return answer(__opts__, "reconciled", ask, differs=is_different)


def expected(
    action: str = "list",
    sn: str = "",
    file: str = "",
    sheet: str = "",
    source: str = "",
    test: bool = False,
    limit: int = 100,
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Keep the list of machines that people expect, and see which of them never reported.

    With each machine it is kept who imported or set it, when, and from which file.

    action
        ``list``: all expected machines, each beside the asset that it turned out to
        be, by SN and then by name, as in ``cmdb.reconcile``. ``missing``: only those
        that have never reported. ``import``: keep the list in ``file``, in place of
        what the list of this name said before. ``sources``: which lists there are.
        ``set``: set fields of one machine. ``remove``: no longer expect a machine, by
        whatever list, or with ``source`` alone the machines of a whole list.
    sn
        The serial number of the machine, or its name. What is neither as yet is what
        the machine that appears has as its serial number or its name. A UUID or a MAC
        is a key of it, whatever it will be called.
    file
        A workbook (``.xlsx``) or a comma-separated file on the master.
    sheet
        Only this sheet; the default is all that are not hidden.
    source
        What the list is called, whatever its file: it takes the place of what the list
        of this name said before, and of nothing else. The default is the name of the
        file without its folder, with the sheet behind it if one is given. With
        ``remove``, what other lists say stays.
    map
        The fields of headings that are guessed wrongly, as in ``cmdb.reconcile``.
    test
        With ``import`` and ``remove``, tell what would be kept, left out or removed, and
        leave everything as it is.
    limit
        How many machines, or rows that are left out, are shown at most.

    With ``set``, everything else is a field: ``site=dc1 owner='web team'``, a blank one
    takes it away. ``reason=spare`` says why a machine shall not report: it is missing no
    more.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.expected import file=/srv/purchases.xlsx test=True
        salt-run cmdb.expected missing
        salt-run cmdb.expected set 9XYZ1K2 site=dc1 rack=R01 owner='web team'
        salt-run cmdb.expected set 9XYZ1K3 reason='spare in room 4'
        salt-run cmdb.expected set 9XYZ1K4 mac=52:54:00:00:00:04 profile=debian12
        salt-run cmdb.expected remove 9XYZ1K2
        salt-run cmdb.expected remove source=finance test=True
    """

    def ask(database: store.Database) -> dict[str, Any]:
        # Imported here, because Salt loads this file for every command.
        from salt_ext.lists import expected as lists
        from salt_ext.lists.by_hand import checked
        from salt_ext.lists.rows import read

        one_of("action", action, ACTIONS)
        check_truths(test=test)
        given = {"sn": sn, "file": file, "sheet": sheet, "source": source}
        for name, value in given.items():
            if value and name not in ACTIONS[action]:
                path = f": write file={value}" if (action, name) == ("import", "sn") else ""
                raise Misused(f"{name}= is not for action {action}{path}")
        most = count("limit", limit)
        if test and action not in ("import", "remove"):
            raise Misused("test=True is for the actions import and remove: others do little")
        if action in ("list", "missing"):
            nothing_else(kwargs, "action", "limit")
            return lists.expected(database, only_missing=action == "missing", limit=most)
        if action == "import":
            options, wanted = _map_of(kwargs)
            nothing_else(options, "action", "file", "sheet", "source", "test", "map")
            listed = read(_file("file", file), text("sheet", sheet), wanted)
            usual = " ".join(filter(None, [os.path.basename(file), sheet]))
            called = text("source", source) or usual
            called = store.storable(called)
            others = [one["source"] for one in store.expected_sources(database)]
            done = lists.keep(database, listed, source=called, by=who(), test=test, limit=most)
            return {**done, "others": [] if called in others else others}
        if action == "sources":
            nothing_else(kwargs, "action", "limit")
            rows = store.expected_sources(database)
            return answers.table(SOURCE_COLUMNS, rows[:most], len(rows), "lists")
        if action == "remove":
            nothing_else(kwargs, "action", "sn", "source", "test", "limit")
            return _remove(database, sn, text("source", source), test, most)
        fields = checked(lists.fields_of(dict(kwargs)))
        row = store.set_expected(
            database,
            reference(sn),
            fields,
            by=who(),
            awaited=lists.decided(fields),
            kind=lists.kind_set(fields),
        )
        if row is None:
            nothing: dict[str, Any] = {
                "sn": sn,
                "minion_id": None,
                "fields": {},
                "imported_by": who(),
            }
            return lists.told("nothing is set", [nothing])
        return lists.told("expected", [row])

    return answer(__opts__, "table", ask, write=action not in SHOWING)


def _remove(
    database: store.Database, sn: Any, source: str, test: bool, limit: int
) -> dict[str, Any]:
    """Remove a machine, or a whole list, from what is expected; return which rows that were."""
    if sn == "" and source:
        gone = store.remove_list(database, source, test=test)
    else:
        gone = store.remove_expected(database, reference(sn), source=source, test=test)
    status = "would be removed" if test else "removed"
    rows = [
        {
            **row,
            "name": row["minion_id"],
            "status": status,
            "says": ", ".join(f"{key}={value}" for key, value in row["fields"].items()),
        }
        for row in gone[:limit]
    ]
    return answers.table(REMOVED_COLUMNS, rows, len(gone), "rows of lists")


def _shown(sheets: Iterable["Sheet"], show: Show) -> Iterator["Sheet"]:
    """Yield sheets, and show how many rows of which have been read."""
    for sheet in sheets:
        show(sheet.title)
        yield sheet._replace(rows=counted(sheet.rows, show, f"rows of {sheet.title}"))
    show("packing the file")


ACTIONS: dict[str, tuple[str, ...]] = {
    "list": (),
    "missing": (),
    "import": ("file", "sheet", "source"),
    "sources": (),
    "set": ("sn",),
    "remove": ("sn", "source"),
}
"""What may be done with the list of expected machines, and which arguments that takes."""

SHOWING = ("list", "missing", "sources")
"""The actions that change nothing."""

SOURCE_COLUMNS = ("source", "rows", "known", "imported_by", "imported_at")
REMOVED_COLUMNS = ("sn", "name", "status", "source", "row", "says", "imported_by")


def _map_of(kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the other options, and the fields that the operator gives to headings."""
    options = salt.utils.args.clean_kwargs(**kwargs)
    said = options.pop("map", None) or {}
    if not isinstance(said, dict):
        raise Misused("""map is a mapping: map='{"Serial No.": sn}'""")
    return options, {str(key): str(value or "") for key, value in said.items()}


def _file(name: str, path: Any) -> str:
    if not path:
        raise Misused(f"which file? give {name}=/srv/servers.xlsx")
    return text(name, path)


def _title(name: str, titles: tuple[str, ...]) -> str:
    names = {title.lower().replace(" ", "_"): title for title in titles}
    if str(name) not in names:
        raise Misused(unknown("sheet", name, names))
    return names[name]
