"""
A roster of the machines that the store knows, each under the address that it reported.

.. code-block:: bash

    salt-ssh --roster=cmdb 'web*' test.ping
    salt-run cmdb.collect 'web*' mode=ssh roster=cmdb

User, port, key and so on are the same for all of them: Salt's ``roster_defaults``.
A reported address may be wrong or false: ssh checks the machine by its host key.
"""

from typing import TYPE_CHECKING, Any

from salt_ext import settings, store
from salt_ext.words.visible import visible

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__, __utils__


def targets(tgt: Any, tgt_type: str = "glob", **kwargs: Any) -> dict[str, Any]:
    """Return by minion id how to log in to the machines of a target. Raises OSError."""
    try:
        found = store.addresses(store.Database(settings.from_opts(__opts__), read_only=True))
    except (store.StoreError, settings.SettingsError) as error:
        # Salt shows only an OSError as a sentence.
        raise OSError(visible(error)) from None
    defaults = __opts__.get("roster_defaults") or {}
    hosts = {name: {**defaults, "host": address} for name, address in found.items()}
    matched: dict[str, Any] = __utils__["roster_matcher.targets"](hosts, tgt, tgt_type, "ipv4")
    return matched
