"""Loaded by Salt: the modules of the CMDB."""
