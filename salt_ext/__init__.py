"""Salt CMDB. Every Salt process imports this package, so it imports nothing."""

__version__ = "0.1.0"
