"""A whole name or number is found by indexes: no table is read."""

import contextlib

import pytest
import sqlalchemy as sa

from salt_ext import store
from tests.citus import one_server
from tests.machines import arrival, server

LEDGER = ("identifier_value_kind_idx", "identifier_number_idx", "identifier_short_name_idx")
NAMES = ("asset_known_idx", "asset_short_name_idx", "asset_short_hostname_idx")
FORMER = ("asset_was_short_hostname_idx", "asset_was_address_idx")


def plans(database, read, text):
    """The plan of each statement that a read sends, where no table may be read from its begin."""
    sent = []
    with database.begin() as link:
        engine = link.engine

    def note(_connection, _cursor, statement, parameters, *_rest):
        if statement.lstrip().startswith("SELECT"):
            sent.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        with contextlib.suppress(store.NotFound):
            read(database, text)
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    with database.begin() as link:
        link.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return [
            "\n".join(link.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())
            for statement, parameters in sent
        ]


@one_server("its plan tells no index of the shards")
@pytest.mark.parametrize(
    ("read", "indexes"),
    [
        (store.lookup, (*NAMES, *LEDGER, *FORMER, "placement_pkey")),
        (store.resolve, (*NAMES, *LEDGER)),
    ],
    ids=["lookup", "resolve"],
)
def test_a_whole_name_or_number_is_found_by_indexes(database, read, indexes):
    store.ingest(database, [arrival(server(1))])
    told = "\n".join(plans(database, read, "10.99.99.99"))
    assert [one for one in indexes if one not in told] == []
