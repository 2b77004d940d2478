"""A terminal for the error output of a command, and what was shown on it."""

import contextlib
import os
import threading
import tty


@contextlib.contextmanager
def terminal():
    """Let stderr be a terminal; what was written to it stands in the list afterwards."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    shown = []

    def read():
        # It ends with an error when nobody has the other side any more.
        with contextlib.suppress(OSError):
            while block := os.read(ours, 4096):
                shown.append(block)

    reader = threading.Thread(target=read)
    reader.start()
    texts = []
    try:
        with open(theirs, "w", encoding="utf-8") as stderr, contextlib.redirect_stderr(stderr):
            yield texts
    finally:
        reader.join()
        os.close(ours)
        texts.append(b"".join(shown).decode())
