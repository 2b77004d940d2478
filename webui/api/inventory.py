"""
The inventory in the formats that other programs read: see :mod:`salt_ext.feeds`.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, Response, request
from pydantic import Field, create_model

from salt_ext import feeds, store
from salt_ext.feeds.feed import Feed
from webui.access.log import note_rows
from webui.api.description import described
from webui.api.envelope import PREFIX, Value, reader
from webui.asked import Filtered
from webui.heavy import admit
from webui.reading import database
from webui.takes import takes

blueprint = Blueprint("api_inventory", __name__, url_prefix=PREFIX)


def _asked(name: str, feed: Feed) -> type[Filtered]:
    """Return the model of what can be asked of a format: its options, beside filters."""
    options: dict[str, Any] = {
        one: (
            str if option.type is list else option.type | None,
            Field(
                ",".join(option.default) if option.type is list else option.default,
                description=option.help,
            ),
        )
        for one, option in feed.options.items()
    }
    q = (str, Field("", max_length=1000, description="What the search box takes."))
    return create_model(f"Asked_{name}", __base__=Filtered, q=q, **options)


def _view(name: str, feed: Feed) -> Any:
    """Return the view of a format."""

    def answer(asked: Any) -> Response:
        options = {one: getattr(asked, one) for one in feed.options}
        patient = database().within(store.USUAL)
        made = feeds.make(patient, name, asked.filters, options, asked.q)
        note_rows(made.machines)
        response = Response(made.body, content_type=made.media)
        response.headers["X-CMDB-Machines"] = str(made.machines)
        response.headers["X-CMDB-Left-Out"] = str(len(made.left_out))
        digest = hashlib.blake2b(made.body, digest_size=12)
        digest.update(reader())
        response.set_etag(digest.hexdigest())
        response.make_conditional(request)
        return response

    def view(asked: Any) -> Response:
        return admit(answer, asked)

    view.__name__ = f"inventory_{name}"
    view.__doc__ = f"The inventory as {name}.\n\n{feed.about}"
    return view


for name, feed in feeds.FEEDS.items():
    view, model = _view(name, feed), _asked(name, feed)
    blueprint.add_url_rule(
        f"/inventory/{name}",
        name,
        takes(model, is_page=False)(
            described(view, model, Value, tag="inventory", media=feed.media)
        ),
    )
