"""
What a view takes from its address: every view says it, and all else is refused.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from flask import current_app, g, request

from salt_ext.store import FilterError
from salt_ext.words.nearest import unknown
from webui import asked
from webui.asked import Asked
from webui.timemode import OPTION

View = Callable[..., Any]


def takes(
    model: type[Asked] = Asked, *, has_past: bool = False, is_page: bool = True
) -> Callable[[View], View]:
    """
    Let a view get what its address asks, of the type ``model``, as its first argument.

    Without a past a page ignores ``_as_of`` and says so in the bar; a file refuses it.
    """

    def decorated(view: View) -> View:
        @functools.wraps(view)
        def taking(**path: Any) -> Any:
            g.has_past, g.is_page = has_past, is_page
            args = request.args.copy()
            if not has_past and OPTION in args:
                if not is_page:
                    raise FilterError(f"this is known of the present only: leave {OPTION} out")
                args.poplist(OPTION)
            return view(asked.read(model, args), **path)

        taking.asked = model  # type: ignore[attr-defined]
        return taking

    return decorated


def refuse_options() -> None:
    """Refuse the options of a view that takes none. Flask runs this before each request."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is not None and not hasattr(view, "asked"):
        for name in request.args:
            raise FilterError(unknown("option", name, []))
