"""What the tests with the programs of others have in common."""

import pytest

from tests.postgres import Server


@pytest.fixture(scope="module")
def postgres(server_home):
    """A server of the tests' own, which they take away."""
    server = Server(server_home() / "postgres").initialise().start()
    yield server
    server.stop()
