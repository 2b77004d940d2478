"""
The name file: under which names the master may know this machine, and what proves it.

Each name has a random secret, whose hash is in every report under that name, and the
moment (``collected_at``) of the last report that the master took. A machine that reports
under a new name shows the secret and the moment of the old one. Both together are proof:
the store has the hash and the moment of the last report, and a clone that was made
before that report has another moment. Nobody but the minion's user reads the file.

The last name is the one that the master most likely knows. Mostly there is one, the
minion id. A new minion id is added, with a secret of its own, *before* the first report
under it is sent, and takes the place of the others when the master answers that it has
the name (:func:`answered`). Until then every report names the last other name and shows
its proof. When the master does not believe that one, the next report tries another.

So nothing is lost at whatever step a process ends:

- before a report is sent: the file has a name too many, which was never reported under;
- after it was sent, before that was noted: the proof has the moment of the report before
  it, and a rename before the next report is held. The answer still fits, because
  ``asked`` was noted before;
- before the answer was noted: the next report shows the same proof, which proves nothing
  any more and need not, since the master has the machine under its name already. It is
  answered again.

Two processes at once have the same secret, since each change is made under a lock, on
what is in the file then; only the later report is answered. Renamed again before any
answer, the machine says that it was what it last reported as. Renamed back before any
answer, it says so too, and the master, which may not have noticed, finds the name and the
keys as they were.

The format is JSON over several lines. The first edition's two lines, the name and the one
before it, are still read: they are names without a secret.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import stat
import time
from hashlib import sha256
from typing import Any, NamedTuple

from salt_ext.report.storable import MAX_NAME, TIME

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMAT = 2
MAX_BYTES = 16 * 1024
MOST_NAMES = 8
"""More names than any machine has between two answers; the oldest are forgotten."""

LOCK_SECONDS = 5
"""So long a process waits for the lock, then goes on without: a report matters more."""

SECRET = re.compile(r"[0-9a-f]{64}", re.ASCII).fullmatch

STORED, HELD = "stored", "held"
"""The answers to a report after which something is known of the machine's name."""


class Unusable(Exception):
    """A name file that cannot be used, and why; it counts as if there were none."""


class Name(NamedTuple):
    """A name, its secret, and the moment of the last report under it that the master took."""

    name: str
    secret: str | None = None
    collected_at: str | None = None

    def proof(self) -> dict[str, str] | None:
        """Return what proves that this machine is the one that reported under the name."""
        if self.secret is None or self.collected_at is None:
            return None
        return {"secret": self.secret, "collected_at": self.collected_at}

    def secret_hash(self) -> str | None:
        """Return the SHA-256 of the secret, in hexadecimal."""
        return sha256(self.secret.encode()).hexdigest() if self.secret is not None else None


class Names(NamedTuple):
    """The names, the most likely one last; ``asked`` is the moment of the latest report."""

    names: tuple[Name, ...] = ()
    asked: str | None = None

    def own(self, minion_id: str) -> Name:
        """Return the present minion id with its secret; without one if it is new."""
        return next((one for one in self.names if one.name == minion_id), Name(minion_id))

    def previous(self, minion_id: str) -> Name | None:
        """Return the other name that the master most likely knows this machine by, or None."""
        # A secret without a moment belongs to a name under which no report was taken.
        known = [one for one in self.names if one.collected_at is not None or one.secret is None]
        return next((one for one in reversed(known) if one.name != minion_id), None)


def asking(names: Names, minion_id: str, collected_at: str) -> Names:
    """Return the names as they are written before a report is sent; its name has a secret."""
    own = names.own(minion_id)
    if own.secret is None:
        own = Name(minion_id, secrets.token_hex(32))
    kept = [own if one.name == minion_id else one for one in names.names]
    if own not in kept:
        kept.append(own)
    while len(kept) > MOST_NAMES:
        kept.remove(next(one for one in kept if one != own))
    return Names(tuple(kept), collected_at)


def taken(names: Names, minion_id: str, collected_at: str) -> Names:
    """Return the names after the master has put a report into its cache."""
    # Without a secret the name could not be written, or was answered to be another one.
    return Names(
        tuple(
            one._replace(collected_at=collected_at) if one.name == minion_id and one.secret else one
            for one in names.names
        ),
        names.asked,
    )


def answered(names: Names, minion_id: str, answer: Mapping[str, Any]) -> Names | None:
    """
    Return the names after the master's answer; None when it is not about the latest report.

    The answer is ``{"status", "name", "collected_at"}``: what became of the report of that
    moment, and the name that the master knows the machine by.
    """
    name, moment = answer.get("name"), answer.get("collected_at")
    if moment is None or moment != names.asked:
        return None
    own = names.own(minion_id)
    if answer.get("status") == STORED and _is_name(name):
        return Names((Name(str(name), own.secret, moment),), names.asked)
    tried = names.previous(minion_id)
    if answer.get("status") != HELD or tried is None:
        return names
    # It is not known by its own name, nor by the one that it has shown the proof of:
    # of several, the next report shows another.
    others = [one for one in names.names if one not in (own, tried)]
    return Names((own._replace(collected_at=None), tried, *others), names.asked)


def read(path: str) -> Names:
    """Return what a name file says; nothing when there is none. Raises :class:`Unusable`."""
    try:
        # Not blocking, because a FIFO without a writer would be waited for.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise Unusable("is no file")
            if found.st_uid not in (0, os.geteuid()) or found.st_mode & 0o022:
                raise Unusable("could have been written by another user")
            return parse(os.read(fd, MAX_BYTES + 1))
        finally:
            os.close(fd)
    except FileNotFoundError:
        return Names()
    except (OSError, ValueError) as error:
        raise Unusable(f"cannot be read: {error}") from error


def parse(text: bytes) -> Names:
    """Return what the text of a name file says. Raises :class:`Unusable`."""
    if not text.lstrip().startswith(b"{"):
        return _first_edition(text)
    try:
        said = json.loads(text) if len(text) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        said = None
    said = said if isinstance(said, dict) else {}
    names = said.get("names")
    if not isinstance(names, list) or said.get("format") != FORMAT:
        raise Unusable("is damaged, or was written by another version")
    found = [_name(one) for one in names[-MOST_NAMES:]]
    if len({one.name for one in found}) < len(found):
        raise Unusable("is damaged: it has a name twice")
    asked = said.get("asked")
    return Names(tuple(found), asked if _is_moment(asked) else None)


def write(path: str, names: Names) -> None:
    """Replace a name file. Raises OSError; then the file is as before."""
    fields = [one._asdict() for one in names.names]
    text = json.dumps({"format": FORMAT, "asked": names.asked, "names": fields}, indent=1) + "\n"
    directory = os.path.dirname(path) or "."
    os.makedirs(directory, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{path}.new")  # of a process that ended while it wrote
    # Written to a new file and renamed, so that a crash leaves the old or the new one complete.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(f"{path}.new", flags, 0o600), "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)
    with contextlib.suppress(OSError):  # not every file system lets a directory be synced
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


@contextlib.contextmanager
def locked(path: str) -> Iterator[None]:
    """Keep other processes from changing the file meanwhile, if that is possible."""
    lock = None
    with contextlib.suppress(OSError, ValueError):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = os.open(f"{path}.lock", flags, 0o600)
    try:
        if lock is not None:
            _wait_for(lock)
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _wait_for(lock: int) -> None:
    until = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < until:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:  # a file system without locks
            return


def _first_edition(text: bytes) -> Names:
    try:
        lines = [line.strip() for line in text.decode().split("\n")[:2]]
    except UnicodeDecodeError as error:
        raise Unusable("is damaged: it is no text") from error
    found = [Name(line) for line in dict.fromkeys(reversed(lines)) if line]
    if not all(_is_name(one.name) for one in found):
        raise Unusable("is damaged: it has no names")
    return Names(tuple(found))


def _name(said: Any) -> Name:
    """Return a name of a file. Raises :class:`Unusable`."""
    if isinstance(said, dict):
        one = Name(said.get("name", ""), said.get("secret"), said.get("collected_at"))
        is_secret = one.secret is None or (isinstance(one.secret, str) and SECRET(one.secret))
        is_moment = one.collected_at is None or _is_moment(one.collected_at)
        if _is_name(one.name) and is_secret and is_moment:
            return one
    raise Unusable("is damaged: it has no names with secrets and moments")


def _is_name(said: Any) -> bool:
    """Whether something can be a minion id that the store takes."""
    return isinstance(said, str) and 0 < len(said) <= MAX_NAME and said.isprintable()


def _is_moment(said: Any) -> bool:
    return isinstance(said, str) and TIME(said) is not None
