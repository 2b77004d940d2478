"""Loaded by Salt: the engines of the CMDB."""
