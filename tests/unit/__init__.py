"""Python, and PostgreSQL for the store."""
