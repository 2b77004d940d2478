"""Loaded by Salt: the roster of the CMDB."""
