"""
The commands by which people act on assets: who, when and why is kept for ever.

``test=True`` shows what would happen and changes nothing; otherwise a reason must
be given. ``cmdb.identity`` shows what was done.
"""

from typing import TYPE_CHECKING, Any

import salt.utils.args
import salt.utils.verify

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import (
    Misused,
    asset_of,
    assets_of,
    check_truths,
    nothing_else,
    now,
    one_of,
    text,
    who,
)
from salt_ext.document.hardware import HARDWARE
from salt_ext.words.times import moment

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def _act(reason: Any, test: Any) -> store.Act:
    """Return who acts and why. Raises :class:`Misused` when no reason is given."""
    check_truths(test=test)
    if not test and not reason:
        raise Misused(
            "why? give reason='...', which is kept with your name, or test=True to try it out"
        )
    return store.Act(who(), str(reason), bool(test))


def rename(
    asset: str = "", new: str = "", reason: str = "", test: bool = False, **kwargs: Any
) -> dict[str, Any]:
    """
    Give an asset another name; the former one stays known as an alias.

    A machine that reports under a new minion id names its former one too, and its
    asset is renamed without this command. Use it when the machine cannot do that,
    or to rename the asset before the machine. The answer lists what remains to be
    done on the machine.

    asset
        Its minion id, serial number or any other identifier.
    new
        The new minion id. It is refused when another asset has it.
    reason
        Why; it is kept with your name.
    test
        True shows what would happen and changes nothing.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.rename web01 new=db07 test=True
        salt-run cmdb.rename web01 new=db07 reason='now a database, CHG-4711'
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "asset", "new", "reason", "test")
        name = text("new", new)
        if not salt.utils.verify.valid_id(__opts__, name):
            raise Misused(f"{name!r} cannot be a minion id; give the new one as new=...")
        act = _act(reason, test)
        done = store.rename(database, asset_of(database, asset), name, act)
        return {**done, "steps": _steps_of_rename(done["old"], name, done["role"])}

    return answer(__opts__, "renamed", ask, write=not test)


def _steps_of_rename(old: str, new: str, role: str | None) -> list[str]:
    held = (
        f"until then its reports come as {old} and are held; after rename_grace it would take"
        " that name again"
    )
    on_machine = f"on the machine: echo {new} > /etc/salt/minion_id (or id: in its configuration)"
    if role:
        return [
            f"{on_machine}; it has no master: the database role {role} reports it under this name"
            " too, and nobody else may",
            "on the machine: salt-call --local cmdb.collect --return cmdb",
            held,
        ]
    return [
        f"{on_machine}, then restart salt-minion",
        f"on the master: salt-key --accept={new}, and salt-key --delete={old}",
        f"on the master: salt {new} cmdb.collect",
        held,
    ]


def lifecycle(
    asset: str = "",
    state: str = "",
    reason: str = "",
    test: bool = False,
    was: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Set where an asset is in its life; how fresh its reports are does not matter.

    asset
        Its minion id, serial number or any other identifier.
    state
        ``planned``, ``staged``, ``active``, ``maintenance`` or ``retired``.
    reason
        Why; it is kept with your name.
    test
        True shows what would happen and changes nothing.
    was
        Only if it is this now; anything else is an error. Of several programs that ask
        at a time one changes it.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.lifecycle web01 maintenance reason='new DIMM, RMA 4711'
        salt-run cmdb.list lifecycle=maintenance
        salt-run cmdb.list lifecycle=retired as_of=30d
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "asset", "state", "reason", "test", "was")
        act = _act(reason, test)
        stages = text("state", state), text("was", was)
        return store.set_lifecycle(database, asset_of(database, asset), stages[0], act, stages[1])

    return answer(__opts__, "lifecycle", ask, write=not test)


def disown(
    asset: str = "",
    kind: str = "",
    value: str = "",
    reason: str = "",
    undo: bool = False,
    test: bool = False,
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Say that a machine only claims a key, such as a serial number that is another's.

    While two live machines show a key, it decides for neither alone. After this, it
    is the other machine's again, whatever this one reports.

    asset
        The machine that claims it: its minion id or any other identifier.
    kind
        ``cloud_instance_id``, ``serial_number``, ``board_serial_number``, ``uuid`` or
        ``mac``.
    value
        One of its keys of this kind, as ``cmdb.identity`` shows it; all that another
        machine shows too when omitted.
    reason
        Why; it is kept with your name.
    undo
        True: they are its own again.
    test
        True shows what would happen and changes nothing.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.disown web09 serial_number reason='copied from web01, INC-4711' test=True
        salt-run cmdb.disown web09 serial_number undo=True reason='web01 was scrapped'
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "asset", "kind", "value", "reason", "undo", "test")
        act = _act(reason, test)
        check_truths(undo=undo)
        asset_id = asset_of(database, asset)
        wanted = text("value", value)
        return store.disown(
            database, asset_id, text("kind", kind), act, value=wanted, own=bool(undo)
        )

    return answer(__opts__, "disowned", ask, write=not test)


def baseline(
    action: str = "",
    tgt: str = "",
    section: str = "",
    reason: str = "",
    exit_code: bool = False,
    test: bool = False,
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Accept the hardware of an asset as its baseline, and check the asset against it later.

    Parts, sizes and firmware are compared, but nothing that a kernel or a
    configuration sets. A loss or a difference counts when a second collection
    confirms it. An added part never counts, and never makes up for a loss.

    action
        ``accept``: take one asset as it is now. ``show``: the baseline of one asset,
        and what differs from it now. ``check``: all assets that have a baseline.
    tgt
        For ``accept`` and ``show``, any identifier of the asset. For ``check``, the
        same, or a glob of minion ids.
    section
        With ``check``, compare only this section, such as ``memory``.
    reason
        Why the hardware is right as it is; it is kept with your name.
    exit_code
        True makes the exit status of ``check`` 1 when a confirmed loss or
        difference is found.
    test
        True shows what would be accepted and changes nothing.

    Everything else is a filter of ``check``.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.baseline accept web01 reason='as delivered'
        salt-run cmdb.baseline show web01
        salt-run cmdb.baseline check 'web*' site=dc1 exit_code=True
        salt-run cmdb.baseline check section=memory
    """

    def ask(database: store.Database) -> dict[str, Any]:
        check_truths(exit_code=exit_code, test=test)
        one_of("action", action, ("accept", "show", "check"))
        if action == "check":
            filters = assets_of(database, tgt or "*", kwargs)
            if section:
                one_of("section of baselines", section, HARDWARE)
            done = _check(store.check_baselines(database, filters, section))
            return answers.or_why(done, done["checked"], lambda: store.hint(database, filters))
        nothing_else(kwargs, "action", "tgt", "reason", "test")
        if section:
            raise Misused("section= is for action check")
        asset_id = asset_of(database, tgt)
        if action == "accept":
            done = store.accept_baseline(database, asset_id, _act(reason, test))
            return {"kind": "accepted", **done}
        found = store.baseline_of(database, asset_id)
        return {**found, "deviations": [_deviation(one) for one in found["deviations"]]}

    def is_bad(content: dict[str, Any]) -> bool:
        return exit_code and content.get("bad", 0) > 0

    write = action == "accept" and not test
    return answer(__opts__, "baseline", ask, write=write, differs=is_bad)


def _check(found: Any) -> dict[str, Any]:
    """Return the assets that deviate, how many were checked, and how many count as bad."""
    checked = bad = 0
    assets = []
    for row in found:
        checked += 1
        bad += any(one.counts() for one in row["deviations"])
        if row["deviations"]:
            of_asset = [_deviation(one) for one in row["deviations"]]
            assets.append({**row, "deviations": of_asset})
    return {"kind": "baselines", "checked": checked, "bad": bad, "assets": assets}


def _deviation(one: store.Deviation) -> dict[str, Any]:
    return {**one.change._asdict(), "state": one.state, "is_confirmed": one.is_confirmed}


def purge(
    older_than: str = "", reason: str = "", test: bool = True, **kwargs: Any
) -> dict[str, Any]:
    """
    Remove old data for ever. The history of an asset that is alive is never removed.

    class
        ``volatile``: temperatures, counters and the like of machines that are
        silent. ``problems``: problems that are over. ``detached``: assets whose
        name belongs to other hardware, with their history. ``retired``: assets
        in that state that are silent, with their history.
    older_than
        ``90d``, ``2w`` or a date: only what was over, silent or detached by then.
    reason
        Why; it is kept with your name.
    test
        True, the default, counts what would be removed. False removes it.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.purge class=detached older_than=365d
        salt-run cmdb.purge class=detached older_than=365d reason='sold in 2024' test=False
    """

    def ask(database: store.Database) -> dict[str, Any]:
        options = salt.utils.args.clean_kwargs(**kwargs)
        check_truths(test=test)
        what = options.pop("class", "")
        nothing_else(options, "class", "older_than", "reason", "test")
        if not what:
            raise Misused(f"what? give class=, one of: {', '.join(store.CLASSES)}")
        if not older_than:
            raise Misused("older than what? give older_than=90d or a date")
        before = moment(older_than, now().astimezone(database.zone))
        rows = store.purge(database, str(what), before, _act(reason, test))
        of = "kinds of rows that would be removed" if test else "kinds of rows removed"
        return {**answers.table(["what", "rows"], rows, len(rows), of), "test": bool(test)}

    return answer(__opts__, "table", ask, write=not test)
