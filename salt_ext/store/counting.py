"""
How many statements a piece of work sends to PostgreSQL.
"""

from __future__ import annotations

from contextvars import ContextVar


class Statements:
    """A number that rises with each statement of the thread that began to count."""

    def __init__(self) -> None:
        """Begin at none."""
        self.count = 0


_counting: ContextVar[Statements | None] = ContextVar("statements", default=None)


def count_statements() -> Statements:
    """Count the statements of this thread from now on; what was counted before is done."""
    statements = Statements()
    _counting.set(statements)
    return statements


def counted(*_: object) -> None:
    """Count one statement: SQLAlchemy calls this before each."""
    statements = _counting.get()
    if statements is not None:
        statements.count += 1
