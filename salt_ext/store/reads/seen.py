"""
The conditions for rows that tell something beside what is hidden: none where nothing is.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.hidden import Hidden
from salt_ext.store.schema import change, identifier, placement

Conditions = list[sa.ColumnElement[bool]]


def changes(hidden: Hidden) -> Conditions:
    """Return the condition for changes that are not of a hidden field alone."""
    if not hidden.pattern:
        return []
    path = sa.func.concat_ws(".", change.c.path, change.c.field)
    # Few changes are of these sections: the pattern is tried on no other.
    may_be = sa.func.split_part(change.c.path, ".", 1).in_(sorted(hidden.sections))
    return [sa.case((may_be, sa.not_(path.regexp_match(hidden.pattern))), else_=sa.true())]


def known(hidden: Hidden, path: sa.ColumnElement[str]) -> Conditions:
    """Return the condition for paths of lists whose parts are known by nothing that is hidden."""
    closed = [one for one in (hidden.keys, hidden.pattern) if one]
    return [sa.not_(path.regexp_match(pattern)) for pattern in closed]


def placements(hidden: Hidden) -> Conditions:
    """Return the condition for parts whose numbers are not hidden."""
    return known(hidden, placement.c.path)


def identifiers(hidden: Hidden) -> Conditions:
    """Return the condition for identifiers that are not hidden."""
    return [identifier.c.kind.not_in(sorted(hidden.kinds))] if hidden.kinds else []
