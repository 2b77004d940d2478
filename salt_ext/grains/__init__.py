"""Loaded by Salt: the grains of the CMDB."""
