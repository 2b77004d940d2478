"""
A roster of the machines that the store knows, each under the address that it reported.

.. code-block:: bash

    salt-ssh --roster=cmdb 'web*' test.ping
    salt-run cmdb.collect 'web*' mode=ssh roster=cmdb

Retired, detached and missing machines are left out, unless the setting ``roster_filters``
asks for them; ``cmdb.collect`` asks missing ones too. Machines that people expect and that
never reported are in it, under the address of their list.

User, port, key and so on are the same for all of them: Salt's ``roster_defaults``.
A reported address may be wrong or false: ssh checks the machine by its host key.
"""

import logging
from typing import TYPE_CHECKING, Any

from salt_ext import settings, store
from salt_ext.feeds.reached import ASKS_SILENT_TOO, reached
from salt_ext.words.visible import visible

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__, __utils__

log = logging.getLogger(__name__)


def targets(tgt: Any, tgt_type: str = "glob", **kwargs: Any) -> dict[str, Any]:
    """Return by minion id how to log in to the machines of a target. Raises OSError."""
    try:
        options = settings.from_opts(__opts__)
        found, left_out = reached(
            store.Database(options, read_only=True),
            options["roster_filters"],
            is_silent_too=bool(__opts__.get(ASKS_SILENT_TOO)),
        )
    except (store.StoreError, store.FilterError, settings.SettingsError) as error:
        # Salt shows only an OSError as a sentence.
        raise OSError(visible(error)) from None
    for one in left_out[:1]:
        said = f"{len(left_out)} machines are not in the roster cmdb, such as {one.name}: {one.why}"
        log.warning("%s", visible(said))
    defaults = __opts__.get("roster_defaults") or {}
    hosts = {name: {**defaults, "host": address} for name, address in found.items()}
    matched: dict[str, Any] = __utils__["roster_matcher.targets"](hosts, tgt, tgt_type, "ipv4")
    return matched
