"""
How to ask: comparisons with live examples, and what every field means.
"""

from __future__ import annotations

from flask import Blueprint, render_template

from salt_ext import store
from salt_ext.words import fields
from webui.asked import Asked
from webui.language import marked
from webui.reading import database
from webui.takes import takes

blueprint = Blueprint("help", __name__)

COMPARISONS = (
    ("", "site=dc1", marked("is exactly this; given twice, either of them")),
    ("not", "os__not=Debian GNU/Linux 12", marked("is something else, or not known")),
    ("contains", "product_name__contains=PowerEdge", marked("contains this, in any case")),
    ("notcontains", "os__notcontains=debian", marked("contains it not, or is not known")),
    ("startswith", "minion_id__startswith=web", marked("begins with this")),
    ("endswith", "hostname__endswith=.example.net", marked("ends with this")),
    ("glob", "minion_id__glob=web*", marked("is like this, as a shell understands * ? [..]")),
    ("gt", "memory_bytes__gt=64GiB", marked("is more; a date: after")),
    ("gte", "processor_threads__gte=32", marked("is at least this")),
    ("lt", "last_seen__lt=7d", marked("is less; a date: before; 7d: seven days ago")),
    ("lte", "disk_count__lte=1", marked("is at most this")),
    ("in", "site__in=dc1,dc2", marked("is one of these")),
    ("notin", "site__notin=dc1,dc2", marked("is none of these")),
    ("isnull", "rack__isnull=true", marked("is not known; false: is known")),
)
"""Each comparison: its name, an example, and what it means."""


BOX = (
    ("web01", marked("has this word: in a name, a number, an address, its model, its place")),
    ('"rocky linux"', marked("has these words as they stand here")),
    ("web0*", marked("has a name like this")),
    ("site:dc1", marked("has it in this field, in any case; site=dc1 is exactly this")),
    ("site:dc1,dc2", marked("has one of them in this field")),
    ("-os:debian", marked("has it not, or is not known")),
    ('rack:""', marked("is not known")),
    ("ram>=256", marked("is at least 256 GiB; of disks a number without a unit is GB")),
    ("seen<7d", marked("was seen in the last seven days; seen>7d: was not")),
    ("disks.model:PM9A3", marked("has such a part")),
)
"""What the search box takes: an example, and what it means."""


@blueprint.get("/help")
@takes()
def page(_asked: Asked) -> str:
    """Show the comparisons and the dictionary of fields."""
    of_lists = [name for name in store.listable(database()) if name not in fields.MEANINGS]
    parts = [name for name in store.fields(database()) if "." in name and name not in of_lists]
    return render_template(
        "help.html",
        box=BOX,
        comparisons=COMPARISONS,
        meanings=fields.MEANINGS,
        of_lists=of_lists,
        parts=[(name, fields.PART_MEANINGS[name.partition(".")[2]]) for name in parts],
        words={
            name: [word for word, meant in fields.FIELDS.items() if meant == name]
            for name in fields.MEANINGS
        },
    )
