"""Loaded by Salt: the runners of the CMDB."""
