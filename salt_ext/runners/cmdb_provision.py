"""
The commands by which people let planned machines be installed.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import (
    OPTIONS_AND_STATE,
    Misused,
    assets_of,
    check_truths,
    count,
    duration,
    text,
    who,
)
from salt_ext.questions import installations as questions

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"

MOST = 1000
"""So many machines at once; who means more has forgotten a filter."""


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def provision(
    tgt: str = "",
    *others: Any,
    profile: str = "",
    reason: str = "",
    expires: str = "1h",
    test: bool = False,
    revoke: bool = False,
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Let planned machines be installed, each once and for a while: all on their disks is lost.

    A machine must be ``planned`` or ``staged`` (``cmdb.lifecycle``), and its UUID or a
    MAC must be known: from the plan (``cmdb.expected set``), or from what it has
    reported itself. Only a machine that shows these is installed, by its
    provisioner.

    tgt
        Any identifier of one asset: SN, name, UUID or MAC.
    others
        Refused, so that no second machine is taken for a profile: several machines are a
        filter, ``sn__in=9XYZ1K2,9XYZ1K3``, and all else has its name before it.
    profile
        What is installed; it goes before the profile of the plan.
    reason
        Why; it is kept with your name.
    expires
        For how long the installation is open, such as ``30m``; at most ``24h``.
    test
        True shows what would be opened or revoked and changes nothing.
    revoke
        True ends what is open at once: nothing more is answered to the machine.

    Everything else is a filter, as in ``cmdb.list``: all assets that fit it.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.provision 9XYZ1K2 profile=debian12 reason='new racks, CHG-4711'
        salt-run cmdb.provision lifecycle=planned rack=R01 reason=CHG-4711 test=True
        salt-run cmdb.provision 9XYZ1K2 revoke=True reason='wrong rack'
    """

    def ask(database: store.Database) -> dict[str, Any]:
        if others:
            raise Misused(
                "which is one machine, and which are others? name one machine, or several by a"
                " filter such as sn__in=9XYZ1K2,9XYZ1K3; a profile is profile=..."
            )
        filters = assets_of(database, tgt or "*", kwargs, OPTIONS)
        if not filters:
            raise Misused("which machines? give an SN, a name, a UUID or a MAC, or filters")
        page = store.assets(database, columns=("sn",), filters=filters, limit=MOST)
        if not page.rows:
            raise store.NotFound("no asset fits", _hint(store.hint(database, filters), tgt))
        if page.total > len(page.rows):
            raise Misused(f"{page.total} assets fit, and at most {MOST} are taken: add a filter")
        check_truths(test=test, revoke=revoke)
        if not test and not reason:
            raise Misused(
                "why? give reason='...', which is kept with your name, or test=True to try it out"
            )
        act = store.Act(who(), str(reason), bool(test))
        ids = [row["id"] for row in page.rows]
        if revoke:
            rows = store.revoke_installations(database, ids, act)
            columns = ["name", "profile", "state", "opened_by", "opened_at"]
            state = "would be revoked" if test else "revoked"
            found = [{**row, "profile": row["plan"].get("profile"), "state": state} for row in rows]
            return answers.table(columns, found, len(found), "open installations")
        valid = timedelta(seconds=duration("expires", expires))
        done = store.open_installations(
            database, ids, act, profile=text("profile", profile), valid=valid
        )
        return {
            "kind": "provisioned",
            "test": bool(test),
            "opened": [_opened(row) for row in done.opened],
            "refused": [one._asdict() for one in done.refused],
            "steps": _steps(database.settings["provisioner_url"]) if done.opened else [],
        }

    def is_refused(content: dict[str, Any]) -> bool:
        return bool(content.get("refused"))

    return answer(__opts__, "table", ask, write=True, differs=is_refused)


def _hint(told: str, tgt: str) -> str:
    """Return a hint; where a glob fits nothing, by what planned machines are found besides."""
    if tgt in ("", "*") or not store.is_glob(tgt):
        return told
    planned = f"a planned machine has no minion id: sn__glob={tgt!r}, hostname__glob=, q="
    return "; ".join(filter(None, (told, planned)))


OPTIONS = frozenset(("profile", "reason", "expires", "test", "revoke"))


def _opened(row: dict[str, Any]) -> dict[str, Any]:
    """Return what people are told of an installation that is open now."""
    plan = row["plan"]
    return {
        **{name: row[name] for name in ("id", "asset_id", "name", "macs", "address")},
        "uuid": plan.get("uuid") or row["uuid"],
        **{name: plan.get(name) for name in ("sn", "profile", "disk_layout")},
        "expires_at": row["expires_at"],
    }


def _steps(url: str) -> list[str]:
    """Return what is to be done with a machine that may be installed."""
    base = url.rstrip("/") or "http://<the provisioner>"
    where = "" if url else " (the setting provisioner_url says where yours is)"
    return [
        f"let the machine boot from the network into iPXE, and iPXE load {base}/boot.ipxe{where}",
        "see what becomes of it: salt-run cmdb.installations",
        "its first report after that is compared with the plan, and told as the event installed",
    ]


def installations(
    tgt: str = "*",
    state: str = "",
    limit: int = 50,
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    List the installations of machines, and how each machine differs from its plan.

    tgt
        An identifier of one asset, or a glob of minion ids.
    state
        Only those that are ``open``, ``started`` (the machine has asked), ``done``,
        ``expired``, ``revoked`` or ``closed``: the machine is planned no more.
    limit
        How many at most.
    out_file
        Write all of them into this file, whatever the limit.

    Everything else is a filter of the assets, as in ``cmdb.list``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.installations
        salt-run cmdb.installations state=done rack=R01
        salt-run cmdb.installations 9XYZ1K2
    """

    def ask(database: store.Database) -> dict[str, Any]:
        filters = assets_of(database, tgt, kwargs, OPTIONS_AND_STATE)
        most = None if out_file else count("limit", limit)
        found = questions.installations(database, filters, text("state", state), most)
        if not found.rows:
            found = found._replace(hint=_hint(found.hint, tgt))
        if not out_file:
            found = found._replace(columns=questions.SHORT)
        return answers.of_table(database.zone, found, out_file)

    return answer(__opts__, "table", ask)
