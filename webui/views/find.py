"""
From whatever people know of a machine or a part to its page; several are a page of links.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, redirect, render_template
from pydantic import Field
from werkzeug.wrappers import Response

from salt_ext import store
from salt_ext.exchange import FORMATS
from salt_ext.questions.find import Target, find, targets
from salt_ext.questions.table import Table
from salt_ext.words.values import label
from webui.access.log import counted
from webui.asked import MAX_LIMIT, Asked
from webui.language import marked
from webui.language import translated as _
from webui.query import Assets, settled
from webui.reading import database
from webui.resources import Resource
from webui.takes import takes
from webui.timemode import to

blueprint = Blueprint("find", __name__)

KINDS = {
    "address": marked("address"),
    "asset_tag": marked("asset tag"),
    "baseboards": marked("serial number of a board"),
    "batteries": marked("serial number of a battery"),
    "bmc.addresses": marked("address of its BMC"),
    "bmc.hostname": marked("name of its BMC"),
    "bmc.mac": marked("MAC of its BMC"),
    "board_serial_number": marked("serial number of its board"),
    "chassis": marked("serial number of a chassis"),
    "chassis_serial_number": marked("serial number of its chassis"),
    "cloud_instance_id": marked("id in its cloud"),
    "disks": marked("serial number of a disk"),
    "disks.eui64": marked("EUI-64 of a disk"),
    "disks.nguid": marked("NGUID of a disk"),
    "disks.wwn": marked("WWN of a disk"),
    "gpus": marked("serial number of a GPU"),
    "hostname": marked("hostname"),
    store.HELD: marked("report that waits for a person"),
    "mac": marked("MAC"),
    "machine_id": marked("machine id"),
    "memory.devices": marked("serial number of a memory module"),
    "minion_id": marked("name"),
    "network": marked("address of a network card"),
    "network.addresses": marked("address of an interface"),
    "network.mac": marked("MAC of an interface"),
    "power_supplies": marked("serial number of a power supply"),
    "serial_number": marked("serial number"),
    "sn": marked("serial number"),
    "uuid": marked("UUID"),
}
"""What a text may be known as; all else has the name of its field."""

LIMIT = 100


class Searched(Asked):
    """What somebody typed into the search box."""

    q: str = Field("", max_length=1000, description="Whatever is known of a machine or a part.")
    limit: int = Field(LIMIT, alias="_limit", ge=1, le=MAX_LIMIT, description="At most so many.")


def ask(database: store.Database, asked: Searched, limit: int | None) -> Table:
    """Return each place where the text is known."""
    return find(database, asked.q, limit or MAX_LIMIT)


PLACES = Resource(
    "find",
    "/find",
    Searched,
    ask,
    "find.html",
    marked("Where it is known"),
    marked("A name, a number or an address of a machine or a part, now and in former times."),
)
for format_of in FORMATS:
    view = takes(Searched, is_page=False)(functools.partial(PLACES.file, format_of))
    blueprint.add_url_rule(f"{PLACES.path}.{format_of}", format_of, view)


@blueprint.get("/sn/<path:reference>")
@blueprint.get("/host/<path:reference>")
@blueprint.get("/mac/<path:reference>")
@blueprint.get("/uuid/<path:reference>")
@blueprint.get("/ip/<path:reference>")
@takes()
def to_asset(_asked: Asked, reference: str) -> Response:
    """Lead to the page of the asset with this identifier, the one of now before former ones."""
    try:
        return redirect(to("asset.page", asset_id=store.resolve(database(), reference)))
    except store.NotFound:
        places, more = store.lookup(database(), reference, LIMIT, pieces=False)
        if not places:
            raise
    return _led(Searched.model_validate({"q": reference}), places, more=more)


@blueprint.get("/find")
@takes(Searched)
def by_query(asked: Searched) -> Response:
    """
    Lead to what was typed into the search box.

    That is the one machine or part with such a name or number, a page where there are
    several, or else the list of assets that have the words and the fields.
    """
    text = asked.q.strip()
    if not text:
        raise store.FilterError("there is nothing to find: give an identifier as q")
    places, more = store.lookup(database(), text, asked.limit, pieces=False)
    if places:
        return _led(asked, places, more=more)
    question = settled(database(), Assets.model_validate({"q": text}))
    if question.filters:
        return redirect(to("assets.page", question))
    places, more = store.lookup(database(), text, asked.limit, whole=False)
    if len(targets(places)) != 1 and store.assets(database(), text=question.text, limit=1).total:
        return redirect(to("assets.page", question))
    return _led(asked, places, more=more)


def _led(asked: Searched, places: Iterable[Mapping[str, Any]], *, more: bool) -> Response:
    """Lead to the one thing that is meant, or show all of them, or say that there is none."""
    rows = list(counted(places))
    found = targets(rows)
    if len(found) == 1:
        return redirect(address_of(found[0]))
    near = None if found else store.nearest_known(database(), asked.q.strip())
    page = render_template(
        "find.html",
        resource=PLACES,
        asked=asked,
        rows=[row for target in found for row in target.rows],
        near=near,
        more=more,
        known_as=known_as,
    )
    return Response(page, 300 if found else 404, mimetype="text/html")


def address_of(target: Target) -> str:
    """Return the address of the page of a machine, a part or a held report."""
    if target.asset_id is not None:
        return to("asset.page", asset_id=target.asset_id)
    if target.serial:
        return to("parts.page", section=target.section, serial=target.serial)
    return to("held.page", minion_id=target.minion_id)


def known_as(what: str) -> str:
    """Return in words what a text is known as."""
    return _(KINDS[what]) if what in KINDS else label(what.rpartition(".")[2])
