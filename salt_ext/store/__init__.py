"""
The PostgreSQL store: the whole surface that the rest of the system uses.

:func:`ingest` is the one way in. Every read is a function of a
:class:`Database`; the web process opens its own with ``read_only=True``, and
then PostgreSQL itself refuses a write.
"""

from salt_ext.store.database import Database, NotFound, StoreError, StoreUnreachable
from salt_ext.store.diff import Change
from salt_ext.store.filters import OPERATORS, FilterError, fields
from salt_ext.store.ingest import ingest, record_failure
from salt_ext.store.migrate import migrate
from salt_ext.store.queries import (
    DEFAULT_COLUMNS,
    FRESHNESS,
    assets,
    changes,
    compare,
    count_changes,
    find,
    held_reports,
    overview,
    ping,
    problems,
    report,
    revisions,
)
from salt_ext.store.writes import Arrival, Outcome

__all__ = [
    "DEFAULT_COLUMNS",
    "FRESHNESS",
    "OPERATORS",
    "Arrival",
    "Change",
    "Database",
    "FilterError",
    "NotFound",
    "Outcome",
    "StoreError",
    "StoreUnreachable",
    "assets",
    "changes",
    "compare",
    "count_changes",
    "fields",
    "find",
    "held_reports",
    "ingest",
    "migrate",
    "overview",
    "ping",
    "problems",
    "record_failure",
    "report",
    "revisions",
]
