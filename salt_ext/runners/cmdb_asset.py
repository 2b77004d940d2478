"""
The commands about one asset: what is known of it, one value, and a card for who is on call.
"""

from typing import TYPE_CHECKING, Any

from salt_ext import store
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import Misused, asset_of, nothing_else, now, text
from salt_ext.document.volatile import with_volatile
from salt_ext.lists.compare import contradicts, units
from salt_ext.lists.expected import said_of
from salt_ext.lists.headings import COMPARED, order
from salt_ext.lists.reconcile import is_misnamed
from salt_ext.words.match import same_sn
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
        row = _known(database, asset, as_of)
        if not section:
            return {"asset": row}
        if section not in row["facts"]:
            sentence = unknown("section", section, sorted(row["facts"]))
            raise store.NotFound(f"{asset}: {sentence}", "")
        return {"asset": {"minion_id": row["minion_id"], "facts": {section: row["facts"][section]}}}

    return answer(__opts__, "asset", ask)


def _known(database: store.Database, asset: Any, as_of: Any) -> dict[str, Any]:
    """Return what is known of an asset, or what it was at a moment."""
    asset_id = asset_of(database, asset)
    if not as_of:
        return store.overview(database, asset_id)
    then = store.as_of_moment(database, as_of, now())
    revision, facts = store.document(database, asset_id, then)
    page = store.assets(database, filters={"id": asset_id}, columns=store.KEPT_COLUMNS, at=then)
    columns = page.rows[0] if page.rows else {"id": asset_id, "minion_id": None}
    return {**columns, "changed_at": revision["recorded_at"], "facts": facts}


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
        row = _known(database, asset, as_of)
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


CHANGES, PROBLEMS, FINDINGS, BESIDE = 5, 4, 4, 2
"""How many of each a card has at most, so that the whole card fits on a screen."""


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
        asset_id = asset_of(database, asset)
        row = store.overview(database, asset_id)
        name, rack = row["minion_id"], row["rack"]
        of_asset = store.Wanted(asset_id)
        ill = store.health(database, filters={"id": asset_id})
        wrong = store.problems(database, minion_id=name, limit=PROBLEMS) if name else ([], 0)
        facts = row.pop("facts")
        for unshown in ("volatile", "collected", "identifiers", "listed"):
            row.pop(unshown)
        return {
            "asset": row,
            "location": facts.get("location", {}),
            "bmc": facts.get("bmc", {}),
            "links": facts.get("lldp", []),
            "virtual": facts.get("virtual", {}),
            "ill": ill[:FINDINGS],
            "ill_total": len(ill),
            "problems": wrong[0],
            "problems_total": wrong[1],
            "expected": _expected(row, said_of(database, row)),
            "changes": store.changes(database, of_asset, limit=CHANGES),
            "changes_total": store.count_changes(database, of_asset),
            "beside": _beside(
                asset_id, store.neighbours(database, row["site"], rack) if rack else []
            ),
        }

    return answer(__opts__, "card", ask)


def _expected(row: dict[str, Any], said: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what people's list says of an asset, each field beside what the machine reports."""
    if said is None:
        return None
    is_machine = row["freshness"] != "unreported"
    fields = [
        {
            "field": field,
            "expected": value,
            # What never reported is what the list says: there is nothing to compare.
            "reported": row.get(field) if is_machine else None,
            "differs": is_machine and _differs(field, value, row),
        }
        for field, value in sorted(said["fields"].items(), key=lambda one: order(one[0]))
    ]
    about = ("source", "row", "imported_by", "imported_at")
    return {**{name: said[name] for name in about}, "fields": fields}


def _differs(field: str, value: str, row: dict[str, Any]) -> bool:
    """Whether the list and the machine contradict each other. An unknown value does not."""
    if field in ("minion_id", "hostname"):
        return is_misnamed(value, row)
    if field == "sn":
        return bool(row["sn"]) and not same_sn(value, row["sn"])
    return field in COMPARED and contradicts(field, value, row)


def _beside(asset_id: Any, rack: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the next machines above and below an asset in its rack, by their units."""
    rack.sort(
        key=lambda one: (
            min(units(one["unit"]), default=0),
            one["unit"] or "",
            one["minion_id"] or "",
        )
    )
    here = next((number for number, one in enumerate(rack) if one["id"] == asset_id), None)
    if here is None:
        return []
    first = max(0, here - BESIDE)
    return [*rack[first:here], *rack[here + 1 : here + 1 + BESIDE]]
