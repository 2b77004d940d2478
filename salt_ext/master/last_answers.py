"""
The last answer to each question, on the master's disk, for when the store does not answer.

An answer is a small file in a directory that only the master's user can read. It is
written when it is another one than before; else its time alone says that it still held.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from salt_ext.document import encode
from salt_ext.exchange import write_body

KEPT_SECONDS = 90 * 86400
"""An answer that was not given for so long is forgotten."""

PAUSE_SECONDS = 15
"""After the store did not answer, nobody asks it for so long."""


class LastAnswers:
    """The answers of one kind on the master that has these options."""

    def __init__(self, opts: Mapping[str, Any], kind: str) -> None:
        """Find the directory; it is made when there is something to keep."""
        self.home = Path(opts["cachedir"])
        self.directory = self.home / "cmdb" / kind
        self._silence = self.directory / "silent"

    def keep(self, question: Any, answer: Any) -> None:
        """Keep an answer. Raises OSError or :class:`exchange.ExchangeError`."""
        file = self._file(question)
        self._make_directory()
        if write_body(file, encode({"question": question, "answer": answer})):
            self._hand_over(file)
        else:
            os.utime(file)

    def last(self, question: Any) -> tuple[Any, float] | None:
        """Return the last answer and until when it is known to have held, or None."""
        file = self._file(question)
        try:
            return json.loads(file.read_bytes())["answer"], file.stat().st_mtime
        except (OSError, ValueError, KeyError, TypeError):
            return None  # none was kept, or its file is damaged

    def is_silent(self) -> bool:
        """Whether the store did not answer a moment ago, to whichever process of this master."""
        try:
            return abs(time.time() - self._silence.stat().st_mtime) < PAUSE_SECONDS
        except OSError:
            return False

    def note_silence(self) -> None:
        """Remember that the store does not answer now."""
        with contextlib.suppress(OSError):
            self._make_directory()
            self._silence.touch()
            self._hand_over(self._silence)

    def forget(self) -> int:
        """Remove what was not asked for in :data:`KEPT_SECONDS`; return how many answers."""
        old = time.time() - KEPT_SECONDS
        removed = 0
        for file in self.directory.glob("*.json"):
            with contextlib.suppress(OSError):
                if file.stat().st_mtime < old:
                    file.unlink()
                    removed += 1
        return removed

    def _file(self, question: Any) -> Path:
        return self.directory / f"{hashlib.sha256(encode(question)).hexdigest()[:40]}.json"

    def _make_directory(self) -> None:
        for place in (self.directory.parent, self.directory):
            if not place.is_dir():
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._hand_over(place)

    def _hand_over(self, path: Path) -> None:
        """Give what root has made to the user of the master, which could not write it later."""
        if os.geteuid() == 0:
            owner = self.home.stat()
            os.chown(path, owner.st_uid, owner.st_gid)
