"""
The returner for machines without a master: it puts a report into the store or its inbox.

The engine on the master writes what minions sent through the mine, so a site
with a master needs no ``--return``. This returner is for machines without a master,
and for small sites that choose it:

.. code-block:: bash

    salt-call --local cmdb.collect --return cmdb
    salt '*' cmdb.collect send=False --return cmdb

It runs on the machine where the function ran. That machine must have
``cmdb:database_url`` in its configuration. A database role that may only add
reports, such as ``cmdb_reporter``, puts them into the inbox, which the engine on a
master or ``cmdb.sync`` empties. Options that come with a return, such as
``ret_config`` and ``ret_kwargs``, are ignored: they could send our password to
another server.
"""

import logging
from typing import TYPE_CHECKING, Any

from salt_ext import settings, store
from salt_ext.words.visible import visible

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

log = logging.getLogger(__name__)


def returner(ret: dict[str, Any]) -> None:
    """
    Store the report that a return carries.

    Raises ValueError when there is no report in it, and RuntimeError when the
    report was not stored. Salt logs the sentence beside the job.
    """
    minion_id, value = ret.get("id"), ret.get("return")
    if ret.get("fun") != "cmdb.collect":
        fun = visible(ret.get("fun"))
        raise ValueError(f"the returner cmdb stores cmdb.collect only, not {fun}")
    if isinstance(value, dict) and value.get("sent"):
        raise ValueError(
            f"{visible(minion_id)} has sent its report to the master already;"
            " use: cmdb.collect send=False --return cmdb"
        )
    if not isinstance(minion_id, str) or not minion_id:
        raise ValueError("a return without a minion id")
    database = store.Database(settings.from_opts(__opts__))
    try:
        came_at = store.clock(database).now
        [outcome] = store.submit(database, [store.Arrival(minion_id, value, came_at)])
    except store.StoreError as error:
        # Salt logs the sentence and what it came from, as it is.
        said = visible(f"the report of {minion_id} was not stored: {error}; {error.hint}")
        raise RuntimeError(said) from None
    if outcome.status in ("held", "refused"):
        said = visible(f"the report of {minion_id} was {outcome.status}: {outcome.detail}")
        raise RuntimeError(said)
    log.info("%s", visible(f"{minion_id} is {outcome.status}: {outcome.detail}"))
