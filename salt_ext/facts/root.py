"""
Bounded, safe reads below a root directory.

A collector never opens a file itself. It asks a :class:`Root`, which is the
running machine (``/``) or a captured tree, and which keeps three promises: no
read is larger than :data:`LIMIT_BYTES`, no symbolic link leads out of the
root, and what may not be read is remembered in ``denied``, because "no
permission" and "not there" are different facts. A collector that could not look
at a part of its section says so by :meth:`Root.failed`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # not typing.TYPE_CHECKING: importing typing costs more than a collector
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

LIMIT_BYTES = 64 * 1024
MAX_LINKS = 40  # as the kernel's own limit for one path


class Root:
    """A machine, or a captured tree that looks like one."""

    def __init__(self, path: str = "/") -> None:
        """Take ``path`` as the ``/`` of the machine to look at."""
        self.path = os.path.realpath(path)
        self.denied: list[str] = []
        self.failures: list[Exception] = []
        self._prefix = "" if self.path == "/" else self.path
        self._directories: dict[str, str | None] = {}
        self._once: dict[object, tuple[object, list[str], list[Exception]]] = {}

    @property
    def is_live(self) -> bool:
        """Whether this is the running machine itself, whose system calls may be asked too."""
        return not self._prefix

    def data(self, path: str, limit: int = LIMIT_BYTES) -> bytes | None:
        """Return at most ``limit`` bytes of a file, or None when it cannot be read."""
        where = self._locate(path)
        if where is None:
            return None
        try:
            # Unbuffered and without blocking: a FIFO or a tty in a captured
            # tree must not hold the run.
            fd = os.open(where, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except PermissionError:
            self.denied.append(path)
            return None
        except OSError:
            return None
        try:
            chunks = []
            left = min(limit, LIMIT_BYTES)
            # procfs hands out a page at a time, so one read is not the file.
            while left > 0 and (chunk := os.read(fd, left)):
                chunks.append(chunk)
                left -= len(chunk)
            return b"".join(chunks)
        except PermissionError:
            self.denied.append(path)
            return None
        except OSError:  # sysfs answers EINVAL, ENODEV or EIO for "no value"
            return None
        finally:
            os.close(fd)

    def text(self, path: str, limit: int = LIMIT_BYTES) -> str | None:
        """Return a file's text without surrounding blanks, or None when absent or empty."""
        data = self.data(path, limit)
        if data is None:
            return None
        return data.decode("utf-8", "replace").strip("\0 \t\r\n") or None

    def number(self, path: str, base: int = 10) -> int | None:
        """Return a file's text as an integer, or None when it is not one."""
        text = self.text(path, 64)
        try:
            return None if text is None else int(text, base)
        except ValueError:
            return None

    def names(self, path: str) -> list[str]:
        """Return the sorted names in a directory; none when it cannot be listed."""
        where = self._locate(path)
        if where is None:
            return []
        try:
            return sorted(os.listdir(where))
        except PermissionError:
            self.denied.append(path)
            return []
        except OSError:
            return []

    def link(self, path: str) -> str | None:
        """Return where a symbolic link points, as it is written, or None."""
        where = self._locate(os.path.dirname(path))
        if where is None:
            return None
        try:
            return os.readlink(os.path.join(where, os.path.basename(path)))
        except OSError:
            return None

    def real(self, path: str) -> str | None:
        """Return a path with every link in it resolved, seen from the root, or None."""
        where = os.path.realpath(path) if self.is_live else self._locate(path)
        if where is None or not os.path.lexists(where):
            return None
        return where[len(self._prefix) :] or "/"

    def exists(self, path: str) -> bool:
        """Whether something is there, be it readable or not."""
        where = self._locate(path)
        return where is not None and os.path.exists(where)

    def failed(self, reason: Exception) -> None:
        """Remember why a part of a section is missing; what was found is kept without it."""
        self.failures.append(reason)

    def once(self, function: Callable[[Root], T]) -> T:
        """
        Return ``function(self)``, computed at the first call only.

        What was denied or failed during that call counts for every later caller too.
        """
        if function not in self._once:
            denied, failures = len(self.denied), len(self.failures)
            value = function(self)
            self._once[function] = (value, self.denied[denied:], self.failures[failures:])
            return value
        value, missed, reasons = self._once[function]  # type: ignore[assignment]
        self.denied.extend(missed)
        self.failures.extend(reasons)
        return value

    def _locate(self, path: str) -> str | None:
        """Return the real path of ``path`` below the root; links stay inside the root."""
        if self.is_live:
            return path
        # A captured tree does not change, and most files have neighbours that are read too.
        directory, _, name = path.rpartition("/")
        if directory not in self._directories:
            self._directories[directory] = self._follow(directory)
        where = self._directories[directory]
        if where is None or name in ("", ".", ".."):
            return self._follow(path)
        where = os.path.join(where, name)
        return self._follow(path) if os.path.islink(where) else where

    def _follow(self, path: str) -> str | None:
        """Return the real path of ``path``, part by part; None when its links have no end."""
        rest = path.split("/")[::-1]
        where: list[str] = []
        links = 0
        while rest:
            name = rest.pop()
            if name in ("", "."):
                continue
            if name == "..":
                del where[-1:]
                continue
            where.append(name)
            try:
                target = os.readlink(os.path.join(self.path, *where))
            except OSError:
                continue
            links += 1
            if links > MAX_LINKS:
                return None
            where = [] if target.startswith("/") else where[:-1]
            rest.extend(target.split("/")[::-1])
        return os.path.join(self.path, *where)
