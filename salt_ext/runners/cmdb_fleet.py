"""
The commands that look over the fleet: who is silent, doubled, odd or ill.
"""

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import (
    Misused,
    assets_of,
    check_truths,
    count,
    filters_of,
    now,
    one_of,
    text,
)
from salt_ext.master.cache import Cache
from salt_ext.questions import quality
from salt_ext.questions.health import batches, warnings
from salt_ext.questions.health import health as health_
from salt_ext.questions.odd import odd as odd_
from salt_ext.report.envelope import MODES

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def status(tgt: str = "*", **kwargs: Any) -> dict[str, Any]:
    """
    Tell which machines report and which do not, in the shape of ``manage.status``.

    ``fresh``, ``stale`` and ``missing`` are assets by how long they have been
    silent (the settings ``stale_after`` and ``missing_after``); ``never`` are
    minions whose key this master has accepted and that have no asset.

    tgt
        An identifier of one asset, or a glob of minion ids.

    Everything else is a filter; no filter matches a machine without an asset.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.status
        salt-run cmdb.status 'web*' site=dc1
        salt-run cmdb.status --out=json | jq -r '.cmdb.missing[]'
    """

    def ask(database: store.Database) -> dict[str, Any]:
        accepted = Cache(__opts__).accepted()
        filters = _filters(database, tgt, kwargs, accepted)
        rows = store.standing(database, filters=filters)
        found: dict[str, list[str]] = {"fresh": [], "stale": [], "missing": []}
        for row in rows:
            if row["freshness"] in found:
                found[row["freshness"]].append(row["minion_id"])
        found["never"] = _without_asset(database, tgt, kwargs, accepted)
        return answers.or_why(found, any(found.values()), lambda: store.hint(database, filters))

    return answer(__opts__, "status", ask)


def _filters(
    database: store.Database, tgt: Any, kwargs: dict[str, Any], accepted: set[str]
) -> dict[str, Any]:
    """Return the filters; ``tgt`` may name an accepted minion that has no asset yet."""
    if text("tgt", tgt) in accepted:
        return {**filters_of("*", kwargs), "minion_id": tgt}
    return assets_of(database, tgt, kwargs)


def _without_asset(
    database: store.Database, tgt: str, kwargs: dict[str, Any], accepted: set[str]
) -> list[str]:
    """Return the accepted minions of ``tgt`` that have no asset; with other filters, none."""
    if filters_of("*", kwargs):
        return []
    known = {
        name for row in store.standing(database) for name in (row["minion_id"], row["reports_as"])
    }
    return sorted(one for one in accepted - known if fnmatchcase(one, tgt))


def missing(
    tgt: str = "*",
    older_than: str = "",
    limit: int = 100,
    exit_code: bool = False,
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    List what is not there: keys without asset, assets without key, what is silent, or never heard.

    What was never heard are machines that people's lists have (``cmdb.expected``),
    except what can never report, as a switch or a spare, and what has a reason:
    ``cmdb.expected set <SN> reason=spare``. An asset that is collected by salt-ssh needs
    no key, and retired assets are left out. A master knows only its own keys: an asset that
    another master heard last is never without a key here.

    tgt
        An identifier of one asset, or a glob of minion ids.
    older_than
        A machine is silent when nothing was heard of it for this long: ``2d``,
        ``2026-11-01`` or the name of a snapshot. The default is the setting
        ``missing_after``; of that only the time counts in which an engine listened.
    limit
        How many at most.
    exit_code
        True makes the exit status 1 when something is missing.
    out_file
        Write all of them into this file, whatever the limit.

    Everything else is a filter; of a machine that was never heard it is compared with what
    the list says. No filter matches a key without an asset.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.missing
        salt-run cmdb.missing older_than=2d site=dc1
    """

    def ask(database: store.Database) -> dict[str, Any]:
        check_truths(exit_code=exit_code)
        before = store.moment_of(database, older_than, now()) if older_than else None
        accepted = Cache(__opts__).accepted()
        filters = _filters(database, tgt, kwargs, accepted)
        rows = [
            {"minion_id": name, "sn": None, "what": "key without an asset", "last_seen": None}
            for name in _without_asset(database, tgt, kwargs, accepted)
        ]
        rows += [
            {**row, "what": f"expected by {row['source']}, never heard", "last_seen": None}
            for row in store.awaited(database, filters=filters)
        ]
        for row in store.standing(database, filters=filters):
            if row["lifecycle"] == "retired":
                continue
            if row["freshness"] == "missing" if before is None else row["last_seen"] < before:
                rows.append({**row, "what": "silent"})
            has_key = accepted & {row["minion_id"], row["reports_as"]}
            is_here = row["master"] in (None, __opts__["id"])
            if row["mode"] in MODES and row["mode"] != "ssh" and is_here and not has_key:
                rows.append({**row, "what": "asset without a key"})
        columns = ["what", "minion_id", "sn", "last_seen"]
        if out_file:
            done = answers.file(database.zone, text("out_file", out_file), columns, rows)
        else:
            shown = rows[: count("limit", limit)]
            done = answers.table(columns, shown, len(rows), "missing things")
        return answers.or_why(done, rows, lambda: store.hint(database, filters))

    return answer(__opts__, "table", ask, differs=lambda found: exit_code and bool(found["rows"]))


def duplicates(
    tgt: str = "*",
    by: str = "",
    limit: int = 100,
    exit_code: bool = False,
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    List assets that have the same serial number, hostname, MAC or UUID now.

    tgt
        An identifier of one asset, or a glob of minion ids.
    by
        ``sn``, ``hostname``, ``mac`` or ``uuid``; the default is all of them.
    limit
        How many assets at most.
    exit_code
        True makes the exit status 1 when there are any.
    out_file
        Write all of them into this file, whatever the limit.

    Everything else is a filter: of the assets that share a value, one must match.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.duplicates
        salt-run cmdb.duplicates by=mac site=dc1
    """

    def ask(database: store.Database) -> dict[str, Any]:
        check_truths(exit_code=exit_code)
        filters = assets_of(database, tgt, kwargs)
        most = None if out_file else count("limit", limit)
        kinds = [text("by", by)] if by else []
        found = quality.duplicates(database, kinds, filters, most)
        return answers.of_table(database.zone, found, text("out_file", out_file))

    return answer(__opts__, "table", ask, differs=lambda found: exit_code and bool(found["rows"]))


def odd(
    tgt: str = "*",
    group_by: str = "product_name",
    threshold: float = 0.05,
    limit: int = 100,
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Find the odd ones out: values that few machines of a model have where most have another.

    These are compared: the operating system, kernel, processor, memory and number
    of disks, the models and firmwares of disks, memory modules, network cards, GPUs
    and power supplies, and the versions of BIOS and BMC. There are no rules to
    write: where at least half of a group agree, the rare values are shown.

    tgt
        An identifier of one asset, or a glob of minion ids.
    group_by
        Fields that make a group, separated by commas.
    threshold
        The largest share of a group that counts as odd. With 0.05 a group of fewer
        than 20 machines has no odd ones.
    limit
        How many values at most, the rarest first.
    out_file
        Write all of them into this file, whatever the limit.

    Everything else is a filter.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.odd
        salt-run cmdb.odd group_by=product_name,site threshold=0.1 kind=physical
    """

    def ask(database: store.Database) -> dict[str, Any]:
        if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
            raise Misused(f"threshold is a share such as 0.05, not {threshold!r}")
        asked = ",".join(group_by) if isinstance(group_by, list) else text("group_by", group_by)
        filters = assets_of(database, tgt, kwargs)
        most = None if out_file else count("limit", limit)
        found = odd_(database, asked, threshold, filters, most)
        return answers.of_table(database.zone, found, text("out_file", out_file))

    return answer(__opts__, "odd", ask)


YEAR = "365d"


def health(
    tgt: str = "*",
    by: str = "asset",
    since: str = "",
    limit: int = 100,
    exit_code: bool = False,
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Show parts that fail or wear out, the worst part first; or which kinds of parts do.

    It uses what disks say by SMART, errors that memory controllers count, and the
    states of RAID volumes and power supplies. Disks are ranked by how many of four
    counters are not zero; docs/prediction.md says how often that is right.

    tgt
        An identifier of one asset, or a glob of minion ids.
    by
        ``asset``: each part that fails. ``batch``: the models and firmwares, by the quarter
        in which they came, of which parts fail or are taken out more often than others: how
        many times as often, between what that is with 95 %, and which machines have such
        parts. What may be chance is not named. ``warning``: how many of the parts that each
        rule warned of more than 30 days ago were replaced or gone within 30 days, and how many
        of the disks that went had been warned of, with intervals of 95 %; the whole fleet's,
        so that no filter can be given.
    since
        With ``by=batch``, how far back to look: ``90d``, ``2026-01-01`` or the
        name of a snapshot; a year without it.
    limit
        How many lines at most.
    exit_code
        True makes the exit status 1 when there are any.
    out_file
        Write all of them into this file, whatever the limit.

    Everything else is a filter of the assets.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.health site=dc1
        salt-run cmdb.health by=batch since=90d
        salt-run cmdb.health by=warning
    """

    def ask(database: store.Database) -> dict[str, Any]:
        check_truths(exit_code=exit_code)
        filters = assets_of(database, tgt, kwargs)
        most = None if out_file else count("limit", limit)
        view = one_of("view", by, ("asset", "batch", "warning"))
        if since and view != "batch":
            raise Misused(f"since= is for by=batch, and this is by={view}")
        if view == "asset":
            found = health_(database, filters, most)
        elif view == "batch":
            start = store.moment_of(database, since or YEAR, now())
            found = batches(database, start, filters, most)
        elif filters:
            raise Misused("by=warning is about the whole fleet: leave the filters out")
        else:
            found = warnings(database, most)
        done = answers.of_table(database.zone, found, text("out_file", out_file))
        return {**done, "warnings": store.warnings(database)} if view == "asset" else done

    return answer(__opts__, "health", ask, differs=lambda found: exit_code and bool(found["rows"]))
