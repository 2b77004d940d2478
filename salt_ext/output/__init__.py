"""Loaded by Salt: the output of the CMDB."""
