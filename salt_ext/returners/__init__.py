"""Loaded by Salt: the returners of the CMDB."""
