"""
The commands about what is wrong: errors, held reports, and the identity of assets.
"""

from typing import TYPE_CHECKING, Any

import salt.utils.args

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import (
    Misused,
    asset_of,
    check_truths,
    count,
    nothing_else,
    now,
    one_of,
    reference,
    text,
    uuid_of,
    who,
)
from salt_ext.questions import problems, quality
from salt_ext.questions.identity import choices, undecided
from salt_ext.questions.identity import identity as identity_of
from salt_ext.questions.span import span_of

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def errors(
    tgt: str = "",
    since: str = "",
    until: str = "",
    id: str = "",
    kind: str = "",
    closed: bool = False,
    limit: int = 50,
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Show what is wrong: collectors that failed, reports refused or held.

    tgt
        An identifier of one asset, a minion id, or a glob of minion ids.
    since, until
        Only what happened then: ``24h``, ``7d``, ``2026-11-01``, or the name of a
        snapshot.
    id
        One problem, with its traceback.
    kind
        ``report``: one was refused or waits. ``collector``: one failed on the machine.
        ``doubt``: a value was stored that is hardly true. ``identity``: it is not
        certain which machine a report is of, or a key is shown by two. ``engine``: the
        engine of a master cannot work. ``mode``, ``hook``: a way of
        ``cmdb.collect``, or a report hook, failed. ``webhook``: one does not take its
        events. ``brake``: a reaction was refused, or all are.
    closed
        True also shows problems that are over.
    limit
        How many at most.
    out_file
        Write all of them into this file, whatever the limit.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.errors
        salt-run cmdb.errors web01 closed=True
        salt-run cmdb.errors kind=collector since=7d
        salt-run cmdb.errors id=0b5c8a52-5d0e-4c8e-9d0d-2f3f5d9f7f11
    """

    def ask(database: store.Database) -> dict[str, Any]:
        names = ("tgt", "since", "until", "id", "kind", "closed", "limit", "out_file")
        nothing_else(kwargs, *names)
        check_truths(closed=closed)
        first, last = span_of(database, since, until, now())
        found = problems.problems(
            database,
            kind=one_of("kind of problem", kind, store.PROBLEM_KINDS) if kind else "",
            since=first,
            until=last,
            minion_id=_name(database, tgt) if tgt != "" else "",
            problem_id=uuid_of(id) if id else None,
            is_open=not closed,
            limit=None if out_file else count("limit", limit),
        )
        if id:
            if not found.total:
                raise store.NotFound(f"there is no problem {id}", "see: cmdb.errors")
            [problem] = found.rows
            return {"kind": "problem", "problem": problem}
        return answers.of_table(database.zone, found, text("out_file", out_file))

    return answer(__opts__, "table", ask)


def _name(database: store.Database, tgt: Any) -> str:
    """Return the minion id whose problems are meant: ``tgt`` itself if it is of no asset."""
    try:
        asset_id = asset_of(database, tgt)
    except store.NotFound:
        return str(tgt)
    page = store.assets(database, filters={"id": asset_id}, columns="minion_id")
    return str(page.rows[0]["minion_id"] or tgt)


def identity(asset: str = "", as_of: str = "", limit: int = 50, **kwargs: Any) -> dict[str, Any]:
    """
    Show how an asset is identified: its identifiers, and the decisions about it.

    asset
        Its minion id, serial number or any other identifier.
    as_of
        What identified it then: ``30d``, ``2026-11-01`` or the name of a snapshot.
    limit
        How many decisions at most, the last first.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.identity web01
        salt-run cmdb.identity web01 as_of=2026-11-01
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "asset", "as_of", "limit")
        then = store.as_of_moment(database, as_of, now()) if as_of else None
        most = count("limit", limit)
        return identity_of(database, asset_of(database, asset), then, most)

    return answer(__opts__, "identity", ask)


def quarantine(
    action: str = "list",
    minion_id: str = "",
    rule: str = "",
    reason: str = "",
    test: bool = True,
    limit: int = 50,
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Decide about held reports: it is not certain which machine they are of.

    action
        ``list``: which are held. ``show``: what may be decided about one, and
        what each choice would do. ``accept``, ``split``, ``merge`` or ``reject``:
        the decision.
    minion_id
        The minion id of the held report, or a glob of several.
    rule
        Only reports that are held for this reason, a word that the list shows. With
        a rule or a glob all of them are decided alike, except those of which several
        assets may be meant.
    report
        What the preview says: then a report that came since is not decided about.
    as
        The asset that is meant, where there are several: its name, id or any
        identifier.
    reason
        Why; it is kept with your name.
    test
        True, the default, shows what would happen. False does it.
    limit
        How many held reports are listed at most.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.quarantine
        salt-run cmdb.quarantine show web01
        salt-run cmdb.quarantine accept web01 reason='new board, RMA 4711' test=False
        salt-run cmdb.quarantine accept 'rack7-*' rule=claimed
        salt-run cmdb.quarantine accept 'rack7-*' rule=claimed reason='CHG-4711' test=False
    """

    def ask(database: store.Database) -> dict[str, Any]:
        check_truths(test=test)
        one_of("action", action, ACTIONS)
        options = salt.utils.args.clean_kwargs(**kwargs)
        meant = options.pop("as", "")
        seen = str(options.pop("report", ""))
        names = ("action", "minion_id", "rule", "as", "report", "reason", "test", "limit")
        nothing_else(options, *names)
        if action == "list":
            of = text("minion_id", minion_id) or "*"
            held = quality.held(database, of, rule, count("limit", limit))
            return answers.of_table(database.zone, held)
        if rule or store.is_glob(text("minion_id", minion_id)):
            if meant:
                raise Misused("as= means one asset: decide about one report at a time")
            return _of_many(database, action, minion_id or "*", rule, str(reason), test)
        name = reference(minion_id)
        rows, _ = store.held_reports(database, name)
        if not rows:
            raise _no_report(database, name)
        shown = {"kind": "choices", "minion_id": name, **undecided(database, rows[0])}
        found = shown["choices"]
        if action == "show":
            return {**shown, "test": True}
        fits = {one["choice"]: None for one in found}
        if action not in fits:
            raise Misused(
                f"{action} cannot be decided about the report of {name}; what can: "
                + ", ".join(fits)
            )
        subject = asset_of(database, meant) if meant else None
        fitting = [
            one
            for one in found
            if one["choice"] == action
            and (subject is None or (one["subject"] and one["subject"]["id"] == subject))
        ]
        if test:
            return {**shown, "choices": fitting, "test": True}
        if not reason:
            raise Misused(WHY)
        outcome = store.rule(
            database, name, action, subject=subject, by=who(), why=str(reason), report=seen
        )
        return {"kind": "ruled", "outcome": outcome._asdict()}

    return answer(__opts__, "table", ask, write=not test)


ACTIONS = ("list", "show", "accept", "split", "merge", "reject")


def _no_report(database: store.Database, names: str) -> store.NotFound:
    near = quality.nearest_held(database, names)
    return store.NotFound(
        f"no report of {names!r} is held", near or "see which are with: salt-run cmdb.quarantine"
    )


WHY = "why? give reason='...'; it is kept with the decision"


def _of_many(
    database: store.Database, action: str, names: str, rule: str, reason: str, test: bool
) -> dict[str, Any]:
    """Show or make one decision about many held reports; what is not clear is left out and told."""
    if action == "show":
        raise Misused("show takes one minion id; accept, split or reject show what they would do")
    if not test and not reason:
        raise Misused(WHY)
    rows, total = store.held_reports(database, names, quality.MOST, rule=rule)
    if not rows:
        raise _no_report(database, names)
    reports: list[dict[str, Any]] = []
    for row in rows:
        says: tuple[str, ...]
        name = row["minion_id"]
        fitting = [one for one in choices(database, name) if one["choice"] == action]
        if row["rejected_at"] is not None or len(fitting) != 1:
            why = "is rejected" if row["rejected_at"] else f"{len(fitting)} assets may be meant"
            says, status = (why if fitting else f"nothing to {action}",), "left out"
        elif test:
            says, status = fitting[0]["says"], "would be decided"
        else:
            says, status = _ruled(database, row, action, reason)
        reports.append({"minion_id": name, "status": status, "says": says})
    return {
        "kind": "ruled_many",
        "choice": action,
        "reports": reports,
        "total": total,
        "test": test,
    }


def _ruled(
    database: store.Database, row: dict[str, Any], action: str, reason: str
) -> tuple[tuple[str, ...], str]:
    """Decide about one report; return what to say, and its status. One that fails is left out."""
    try:
        report = store.mark(row["evidence"])
        name = row["minion_id"]
        outcome = store.rule(database, name, action, by=who(), why=reason, report=report)
    except store.StoreUnreachable:
        raise
    except store.StoreError as error:
        return (f"{error}; {error.hint}",), "left out"
    return (outcome.detail,), outcome.status
