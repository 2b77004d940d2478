"""Loaded by Salt: the external pillar of the CMDB."""
