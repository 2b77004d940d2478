"""How long tests wait for what will happen: a slow machine is no failure."""

import time

PATIENCE_SECONDS = 180
"""Longer than whatever is waited for takes anywhere: only what never happens reaches it."""


def eventually(question):
    """Ask until the answer is true and return it; fail when it never is."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := question()):
        assert time.monotonic() < deadline, f"still {answer!r} after {PATIENCE_SECONDS} s"
        time.sleep(0.02)
    return answer
