"""
The ``cmdb`` grain: the facts of this machine that the fast collectors find.

.. code-block:: bash

    salt -G 'cmdb:system:manufacturer:Dell*' test.ping

It never raises, starts no process and touches no hardware. Errors are in
``cmdb:errors``.
"""

import logging
from typing import TYPE_CHECKING, Any

from salt_ext import __version__

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

log = logging.getLogger(__name__)


def cmdb() -> dict[str, Any]:
    """Return the fact document of this machine under ``cmdb``."""
    try:
        from salt_ext.report import agent

        return {"cmdb": agent.document(__opts__)}
    except Exception as error:
        # An error in a grain must not keep a minion from starting.
        from salt_ext import facts, settings
        from salt_ext.words.visible import trace, visible

        if isinstance(error, settings.SettingsError):
            log.error("The cmdb grain has no facts: %s", visible(error))
        else:
            log.error("The cmdb grain failed%s", trace(error))
        return {"cmdb": facts.failed("grain", error)}


def cmdb_version() -> dict[str, str]:
    """Return which salt-cmdb answers: ``salt -C 'not G@cmdb_version:0.2.0' test.ping``."""
    return {"cmdb_version": __version__}
