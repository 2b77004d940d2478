"""
Bounded, safe reads below a root directory.

A collector never opens a file itself. It asks a :class:`Root`, which is the
running machine (``/``) or a captured tree. A root keeps three promises: no read
is larger than :data:`LIMIT_BYTES`; no symbolic link leads out of the root; and a
path that may not be read is remembered in ``denied``, because "no permission" and
"not there" are different facts. A collector that cannot read a part of its
section calls :meth:`Root.failed`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # not typing.TYPE_CHECKING: importing typing costs more than a collector
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

LIMIT_BYTES = 64 * 1024
MAX_LINKS = 40  # the kernel's own limit for one path


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
        """Whether this is the running machine, so that system calls tell of it too."""
        return not self._prefix

    def data(self, path: str, limit: int = LIMIT_BYTES) -> bytes | None:
        """Return at most ``limit`` bytes of a file, or None when it cannot be read."""
        where = self._locate(path)
        if where is None:
            return None
        try:
            # Unbuffered and without blocking: a FIFO or a tty in a captured tree
            # must not block the run.
            fd = os.open(where, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except PermissionError:
            self.denied.append(path)
            return None
        except OSError:
            return None
        try:
            chunks = []
            left = min(limit, LIMIT_BYTES)
            # procfs returns a page at a time, so one read does not return the whole file.
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
        """Return the sorted names in a directory; [] when it cannot be listed."""
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
        """Return the target of a symbolic link as it is written, or None."""
        where = self._locate(os.path.dirname(path))
        if where is None:
            return None
        try:
            return os.readlink(os.path.join(where, os.path.basename(path)))
        except OSError:
            return None

    def real(self, path: str) -> str | None:
        """Return a path, seen from the root, with every link in it resolved; None when absent."""
        where = os.path.realpath(path) if self.is_live else self._locate(path)
        if where is None or not os.path.lexists(where):
            return None
        return where[len(self._prefix) :] or "/"

    def exists(self, path: str) -> bool:
        """Whether there is something at a path, readable or not."""
        where = self._locate(path)
        return where is not None and os.path.exists(where)

    def failed(self, reason: Exception) -> None:
        """Remember why a part of a section is missing; the rest of the section is kept."""
        self.failures.append(reason)

    def once(self, function: Callable[[Root], T]) -> T:
        """
        Return ``function(self)``, computed at the first call only.

        What was denied or failed in the first call is remembered again in every later one.
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
        """Return where the file system has a path; in a captured tree no link leads out of it."""
        if self.is_live:
            return path
        # A captured tree does not change, so each directory is resolved only once, and
        # from the place of the directory above it.
        directory, _, name = path.rpartition("/")
        if directory not in self._directories:
            self._directories[directory] = self._locate(directory) if directory else self.path
        where = self._directories[directory]
        if where is None or name in ("", ".", ".."):
            return self._follow(path)
        where = os.path.join(where, name)
        return self._follow(path) if os.path.islink(where) else where

    def _follow(self, path: str) -> str | None:
        """Return a path with its links resolved one by one; None when there are too many links."""
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
