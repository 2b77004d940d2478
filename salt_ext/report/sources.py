"""
Where facts come from, and which of two sources knows a machine better.

The source of a report is its mode. Reports in which our collectors ran are equals,
whoever asked for them; the modes that a site adds are among those. All other sources
see less of a machine, or spell it in their own way.
"""

from __future__ import annotations

CMDB_GRAIN = "cmdb_grain"
"""Our grain alone, as the master's cache has it: the fast collectors at the last refresh."""

CORE_GRAINS = "grains"
"""Salt's own grains."""

OF_GRAINS = (CMDB_GRAIN, CORE_GRAINS)
"""The modes of reports that nobody sent: the master makes them of what its cache holds."""

CLOUD = "cloud"
"""What a cloud says of its instances: told by no machine, and asked of none."""

POORER = (CMDB_GRAIN, CLOUD, "redfish", CORE_GRAINS)
"""The sources that are poorer than a report of our collectors, the best first."""


def rank(mode: str) -> int:
    """Return how good a source is: 0 is best, a higher number is poorer."""
    return POORER.index(mode) + 1 if mode in POORER else 0
