"""
What the inventory knows of a minion, in its pillar.

.. code-block:: yaml

    ext_pillar:
      - cmdb: {}

    ext_pillar:
      - cmdb:
          key: asset
          fields: [sn, site, rack, lifecycle, list.owner, list.role]
          filters: {lifecycle__in: [active, maintenance, retired]}

Each minion gets what the store knows of its own asset, and nothing of others. While the
database is away it gets its last answer, from the master's disk. See ``docs/salt.md``.
"""

from typing import TYPE_CHECKING, Any

from salt_ext.master import pillar as answers

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__


def ext_pillar(minion_id: str, pillar: Any, *args: Any, **options: Any) -> dict[str, Any]:
    """Return what the pillar of a minion gets; {} where there is nothing to tell."""
    return answers.pillar(__opts__, minion_id, options)
