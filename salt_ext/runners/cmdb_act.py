"""
The commands by which people act on assets: who, when and why is kept for ever.

``test=True`` shows what would happen and changes nothing; otherwise a reason is
asked for. What was done is in ``cmdb.identity``.
"""

from typing import TYPE_CHECKING, Any

import salt.utils.args
import salt.utils.verify

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import Misused, asset_of, assets_of, nothing_else, now, text, who
from salt_ext.words.nearest import unknown
from salt_ext.words.times import moment

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"


def __virtual__() -> str:
    """Answer to the name of the runner."""
    return __virtualname__


def _act(reason: Any, test: Any) -> store.Act:
    """Return who acts and why."""
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

    A machine that reports under a new minion id says what it was called before
    and is renamed by itself. This is for when it cannot, or shall be expected
    under its new name. The answer lists what remains to be done on the machine.

    asset
        Its minion id, serial number or any other identifier.
    new
        The minion id that it shall have. One that another asset has is refused.
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
    asset: str = "", state: str = "", reason: str = "", test: bool = False, **kwargs: Any
) -> dict[str, Any]:
    """
    Say where an asset is in its life, beside how fresh its reports are.

    asset
        Its minion id, serial number or any other identifier.
    state
        ``planned``, ``staged``, ``active``, ``maintenance`` or ``retired``.
    reason
        Why; it is kept with your name.
    test
        True shows what would happen and changes nothing.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.lifecycle web01 maintenance reason='new DIMM, RMA 4711'
        salt-run cmdb.list lifecycle=maintenance
        salt-run cmdb.list lifecycle=retired as_of=30d
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "asset", "state", "reason", "test")
        act = _act(reason, test)
        asset_id = asset_of(database, asset)
        return store.set_lifecycle(database, asset_id, text("state", state), act)

    return answer(__opts__, "lifecycle", ask, write=not test)


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
    Accept the hardware that an asset has as what it shall have, and check it later.

    Compared are parts, sizes and firmware, not what a kernel or a configuration
    sets. What is lost or different counts once a second collection shows it
    still. What was added never counts, and never makes up for a loss.

    action
        ``accept`` one asset as it is now, ``show`` the baseline of one and what
        is not so now, or ``check`` all that have one.
    tgt
        For ``accept`` and ``show`` the asset, by any of its identifiers; for
        ``check`` one too, or a glob of minion ids.
    section
        ``check`` only this one, such as ``memory``.
    reason
        Why it is right as it is; it is kept with your name.
    exit_code
        True makes the exit status of ``check`` 1 when a confirmed loss or
        difference is found.
    test
        True shows what would be accepted and changes nothing.

    Everything else is a filter of ``check``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.baseline accept web01 reason='as delivered'
        salt-run cmdb.baseline show web01
        salt-run cmdb.baseline check 'web*' site=dc1 exit_code=True
        salt-run cmdb.baseline check section=memory
    """

    def ask(database: store.Database) -> dict[str, Any]:
        if action not in ("accept", "show", "check"):
            raise Misused(unknown("action", action, ("accept", "show", "check")))
        if action == "check":
            filters = assets_of(database, tgt or "*", kwargs)
            if section not in ("", *store.HARDWARE):
                sentence = unknown("section of baselines", section, store.HARDWARE)
                raise Misused(sentence)
            return _check(store.check_baselines(database, filters, section))
        nothing_else(kwargs, "action", "tgt", "reason", "test")
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
    """Return the assets that are not as accepted, and how many are."""
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
    Remove for ever what is old. The history of an asset that is alive is never removed.

    class
        ``volatile``: temperatures, counters and the like of machines that are
        silent. ``problems``: those that are over. ``detached``: assets whose
        name belongs to other hardware, with their history. ``retired``: assets
        in that state that are silent, with their history.
    older_than
        ``90d``, ``2w`` or a date: what was over, silent or detached before.
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
        what = options.pop("class", "")
        nothing_else(options, "class", "older_than", "reason", "test")
        if not what:
            raise Misused(f"what? give class=, one of: {', '.join(store.CLASSES)}")
        if not older_than:
            raise Misused("older than what? give older_than=90d or a date")
        before = moment(older_than, now())
        rows = store.purge(database, str(what), before, _act(reason, test))
        of = "kinds of rows that would be removed" if test else "kinds of rows removed"
        return {**answers.table(["what", "rows"], rows, len(rows), of), "test": bool(test)}

    return answer(__opts__, "table", ask, write=not test)
