"""Salt CMDB. Every Salt process imports this package, so it imports nothing."""
