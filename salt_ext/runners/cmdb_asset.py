"""
The commands about one asset: what is known of it, one value, and a card for who is on call.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from salt_ext import store
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import Misused, asset_of, nothing_else, now, text
from salt_ext.document.volatile import with_volatile
from salt_ext.questions.asset import known
from salt_ext.questions.card import card as card_of
from salt_ext.words.nearest import unknown
from salt_ext.words.paths import NoValue, value_at

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def show(asset: str = "", section: str = "", as_of: str = "", **kwargs: Any) -> dict[str, Any]:
    """
    Show everything that is known of an asset.

    asset
        Its minion id, serial number, hostname, UUID, MAC or any other
        identifier, present or former.
    section
        Only this section of its facts, such as ``memory``.
    as_of
        What it was then: ``30d``, ``2026-11-01`` or the name of a snapshot.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.show web01
        salt-run cmdb.show 9XYZ1K2 section=memory
        salt-run cmdb.show web01 as_of=before-maintenance
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "asset", "section", "as_of")
        row = known(database, asset_of(database, asset), _then(database, as_of))
        if not section:
            return {"asset": row}
        if section not in row["facts"]:
            sentence = unknown("section", section, sorted(row["facts"]))
            raise store.NotFound(f"{asset}: {sentence}", "")
        return {"asset": {"minion_id": row["minion_id"], "facts": {section: row["facts"][section]}}}

    return answer(__opts__, "asset", ask)


def get(asset: str = "", path: str = "", as_of: str = "", **kwargs: Any) -> dict[str, Any]:
    """
    Get one value of an asset, as a program wants it: no units, no table.

    asset
        Its minion id, serial number or any other identifier.
    path
        Where the value is: ``memory.installed_bytes``. A part is named by its
        serial number, its slot, its name, or its position in ``cmdb.show``, counted
        from 0. The columns of ``cmdb.list`` are paths too.
    as_of
        What it was then: ``30d``, ``2026-11-01`` or the name of a snapshot.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.get web01 firmware.version
        salt-run cmdb.get web01 disks.S64FNE0T123456.model
        salt-run cmdb.get web01 memory.devices.A2.size_bytes as_of=30d
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "asset", "path", "as_of")
        if path == "":
            raise Misused("which value? give a path such as memory.installed_bytes")
        row = known(database, asset_of(database, asset), _then(database, as_of))
        facts = row.pop("facts")
        hidden = ("volatile", "collected", "listed")
        columns = {name: one for name, one in row.items() if name not in hidden}
        columns["list"] = {
            one["field"].removeprefix("list."): one["value"] for one in row.get("listed", ())
        }
        try:
            value = value_at(
                {**columns, **with_volatile(facts, row.get("volatile"))}, text("path", path)
            )
        except NoValue as error:
            raise store.NotFound(str(error), "") from None
        return {"minion_id": row["minion_id"], "path": path, "value": value}

    return answer(__opts__, "value", ask)


def card(asset: str = "", **kwargs: Any) -> dict[str, Any]:
    """
    Show on one screen what you must know of an asset when you are on call.

    What and where it is, whether it still reports, how to reach it and its BMC,
    which parts fail, open problems, what people's list (``cmdb.expected``) says of
    it and where the machine differs, what changed last, and its neighbours in the
    rack.

    asset
        Its minion id, serial number or any other identifier.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.card web01
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "asset")
        return card_of(database, asset_of(database, asset))

    return answer(__opts__, "card", ask)


def _then(database: store.Database, as_of: Any) -> datetime | None:
    """Return the moment as of which an asset is asked for, None for now."""
    return store.as_of_moment(database, as_of, now()) if as_of else None
