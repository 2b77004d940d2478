"""What every test in this group keeps to."""

import pytest


@pytest.fixture(scope="session")
def postgresql():
    """No server: what needs one would make this group slow."""
    pytest.fail("a test that needs PostgreSQL belongs into tests/store")
