"""
A fleet, its masters and their faults, played through ``store.ingest`` on a real PostgreSQL.

All chance comes from a seed. What happens is true by construction: the simulation
knows which machine made each report, and in which order, so it can tell whether the
store was right. ``python -m tests.simulation --help`` plays one seed again, and
with less of everything until the story is short.
"""
