"""
The report of a machine: how it is made, its envelope, its digests and the master's checks.
"""
