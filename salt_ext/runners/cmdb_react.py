"""
The commands of reactions: what is lost, and what may be done about it.
"""

import re
from typing import TYPE_CHECKING, Any

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import (
    OPTIONS_AND_STATE,
    Misused,
    asset_of,
    assets_of,
    check_truths,
    count,
    nothing_else,
    now,
    one_of,
    text,
    who,
)
from salt_ext.questions import losses as asked_losses
from salt_ext.questions.reactions import reactions

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"

ACTION = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def losses(
    tgt: str = "*",
    state: str = "",
    since: str = "",
    limit: int = 50,
    exit_code: bool = False,
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Show what was lost, the newest first: confirmed, not confirmed yet, or over.

    A loss is confirmed when a later collection shows it too; then the event ``lost``
    is told.

    tgt
        An identifier of one asset, or a glob of minion ids.
    state
        ``unconfirmed``, or ``lost``: it is confirmed and not over. Or how it ended:
        ``back``, ``replaced``, ``elsewhere`` (in another machine before it was
        confirmed), ``retold`` (another source tells the section), ``accepted`` (by
        ``cmdb.baseline``), ``retired``, ``gone`` with the name of its machine, or
        ``too_many`` are lost in its machine.
    since
        Only what was lost since then: ``24h``, ``7d``, ``2026-11-01``, or the name of
        a snapshot.
    limit
        How many at most.
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

        salt-run cmdb.losses
        salt-run cmdb.losses state=lost site=dc1 exit_code=True
    """

    def ask(database: store.Database) -> dict[str, Any]:
        check_truths(exit_code=exit_code)
        found = asked_losses.losses(
            database,
            state=one_of("state of a loss", state, store.LOSS_STATES) if state else "",
            since=store.moment_of(database, since, now()) if since else None,
            filters=assets_of(database, tgt, kwargs, OPTIONS_AND_STATE),
            limit=None if out_file else count("limit", limit),
        )
        return answers.of_table(database.zone, found, text("out_file", out_file))

    return answer(__opts__, "table", ask, differs=lambda found: exit_code and bool(found["rows"]))


def brake(
    machine: str = "",
    action: str = "",
    lost: bool = False,
    release: bool = False,
    reset: bool = False,
    reason: str = "",
    test: bool = False,
    limit: int = 50,
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Ask whether something that hurts may be done to a machine; or show what is done to which.

    At most ``reactions_per_hour`` machines an hour, whatever is done to them, and never two
    of one ``reaction_group`` at a time. In a wave, when more than ``wave_machines`` lose
    parts of one kind within ``wave_interval``, none. The exit status is 1 when it is refused.

    machine
        Any identifier of the machine. Without it: what is done to which machine, and
        who was refused.
    action
        What is to be done, in a word of yours, such as ``drain``. Who has the
        permission for it already, has it.
    lost
        True: only if the machine has lost something, by what is stored by now. For
        reactions to events, which anybody may send.
    release
        True: it is over, and another machine of the group may be next. The exit status
        is 1 when it was over already.
    reset
        True: a person has looked at a wave, and permits reactions again.
    reason
        Why; it is kept with your name. A reset needs one.
    test
        True shows what would be said and keeps nothing.
    limit
        How many rows are shown at most.
    out_file
        Write all of them into this file, whatever the limit.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.brake web01 action=drain reason='lost a module'
        salt-run cmdb.brake web01 action=drain release=True
        salt-run cmdb.brake
        salt-run cmdb.brake reset=True reason='a broken dmidecode, INC-4711'
    """

    def ask(database: store.Database) -> dict[str, Any]:
        names = ("machine", "action", "lost", "release", "reset", "reason", "test", "limit")
        nothing_else(kwargs, *names, "out_file")
        check_truths(lost=lost, release=release, reset=reset, test=test)
        act = store.Act(who(), text("reason", reason), bool(test))
        if machine == "" and not reset:
            if action != "" or release:
                raise Misused("of which machine? give its minion id, or nothing to see them all")
            most = None if out_file else count("limit", limit)
            found = reactions(database, limit=most)
            return answers.of_table(database.zone, found, text("out_file", out_file))
        if reset:
            if machine != "" or release:
                raise Misused("reset=True is for all machines: give reason=, and no machine")
            if not reason and not test:
                raise Misused("why? give reason='...', which is kept with your name")
            return {"kind": "reset", "waves": store.reset_brake(database, act), "test": act.test}
        if not ACTION.fullmatch(text("action", action)):
            raise Misused(
                f"action is {action!r}, but it must be a word such as action=drain: up to 40 small"
                " letters, digits and . _ -"
            )
        asset_id = asset_of(database, machine)
        if release:
            done = store.release_reaction(database, asset_id, action, act)
            return {"kind": "released", **done, "test": act.test}
        said = store.permit_reaction(database, asset_id, action, act, lost=bool(lost))
        return {**said, "test": act.test}

    return answer(
        __opts__,
        "table" if machine == "" else "permission",
        ask,
        write=not test and (machine != "" or bool(reset)),
        differs=lambda found: False in (found.get("is_permitted"), found.get("was_held")),
    )
