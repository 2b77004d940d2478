"""
Tables in files: one file for each format, one way to write all of them.

A row has a cell for each column: None, a text, a number, a truth, a datetime
with its time zone, or anything else that is then put in words. Rows are taken
one by one and never kept, so a table may be longer than memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import stat
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import timezone, tzinfo
from pathlib import Path
from typing import IO, Any, NamedTuple

from salt_ext.words.nearest import nearest

FORMATS = ("csv", "json", "ndjson", "xlsx")
"""What a table can be written as: the suffixes, and the modules beside this one."""


class ExchangeError(ValueError):
    """A file that cannot be read or written; the text says which and what to do."""


class Sheet(NamedTuple):
    """A table with a title: of a workbook, one of several."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]
    moments: Collection[str] = ()
    """Those of the columns that hold times."""
    days: Collection[str] = ()
    """Those of the columns in which a text such as ``2027-03-01`` is a day."""

    def headings(self, zone: tzinfo) -> list[str]:
        """Return the columns as people read them: behind a time stands its zone."""
        return [f"{one} ({zone})" if one in self.moments else one for one in self.columns]


class Counted:
    """Rows that are counted as they are read."""

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        """Take the rows."""
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        """Yield each row."""
        for row in self._rows:
            yield row
            self.count += 1


def write_pieces(
    file: IO[bytes],
    sheets: Iterable[Sheet],
    zone: tzinfo,
    pieces: Callable[[Sheet, tzinfo], Iterable[bytes]],
) -> int:
    """Write the one sheet that a format without several has; return how many rows it has."""
    [sheet] = sheets
    rows = Counted(sheet.rows)
    for piece in pieces(sheet._replace(rows=rows), zone):
        file.write(piece)
    return rows.count


def write_table(
    path: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    zone: tzinfo = timezone.utc,
) -> dict[str, Any]:
    """
    Write a table into a file of the format that its suffix names.

    What people open, a workbook or comma-separated values, has times in ``zone`` and
    says so in their headings; what programs read has them in UTC. Columns of times are
    known by their names, as everywhere: ``..._at`` and ``..._seen``; people's own, which
    may have days, begin with ``list.``.

    Returns ``path``, ``rows``, how many there are, and ``sha256`` of the file.
    The file is there when all of it is, and until then as it was before.
    Raises :class:`ExchangeError`.
    """
    return write_sheets(path, [_sheet(columns, rows)], zone)


def _sheet(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Sheet:
    moments = [one for one in columns if one.endswith(("_at", "_seen")) and "." not in one]
    days = [one for one in columns if one.startswith("list.")]
    return Sheet("Table", columns, rows, moments, days)


def stream(
    format_of: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    zone: tzinfo = timezone.utc,
) -> Iterator[bytes]:
    """
    Yield a table in pieces, as :func:`write_table` writes it into a file of a format.

    A workbook is packed as a whole, so its first piece comes when its last row is read.
    """
    module = importlib.import_module(f"salt_ext.exchange.{format_of}")
    yield from module.pieces(_sheet(columns, rows), zone)


def write_sheets(path: str, sheets: Iterable[Sheet], zone: tzinfo = timezone.utc) -> dict[str, Any]:
    """Write as :func:`write_table` does; of several sheets only a workbook has room."""
    target, format_of = _target(path)
    write = importlib.import_module(f"salt_ext.exchange.{format_of}").write
    with replacing(target) as file:
        rows = write(file, sheets, zone)
    return {"path": str(target), "rows": rows, "sha256": sha256(target)}


def check_target(path: str) -> str:
    """Return the format of a file that could be written, before the work for it is done."""
    target, format_of = _target(path)
    with replacing(target, keep=False):
        return format_of


def _target(path: str) -> tuple[Path, str]:
    target = Path(path).expanduser().absolute()
    suffix = target.suffix.removeprefix(".").lower()
    if suffix not in FORMATS:
        near = nearest(suffix, FORMATS)
        raise ExchangeError(
            f"{path!r} does not say what to write: end it with .csv, .json, .ndjson or .xlsx"
            + (f"; did you mean .{near}?" if near else "")
        )
    return target, suffix


@contextlib.contextmanager
def replacing(target: Path, *, keep: bool = True) -> Iterator[IO[bytes]]:
    """Yield a file that takes the place of ``target`` once all is written to it."""
    if target.is_dir():
        raise ExchangeError(f"{target} is a directory: name a file in it")
    draft = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex[:8]}")
    try:
        # Its rights are those that any new file of this user has, unlike tempfile's.
        with open(draft, "xb") as file:
            _take_rights(target, file.fileno())
            yield file
        if keep:
            os.replace(draft, target)
    except OSError as error:
        raise ExchangeError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


def _take_rights(target: Path, draft: int) -> None:
    """Give a file the owner and the mode of the one whose place it takes, if there is one."""
    # Whoever made it readable for another program means the next one too.
    with contextlib.suppress(FileNotFoundError):
        former = target.stat()
        try:
            os.fchown(draft, former.st_uid, former.st_gid)
        except PermissionError:
            # Not root: the group alone may be given, where this user is in it.
            with contextlib.suppress(PermissionError):
                os.fchown(draft, -1, former.st_gid)
        os.fchmod(draft, stat.S_IMODE(former.st_mode))


def write_body(target: Path, body: bytes) -> bool:
    """
    Write a whole file; return False where exactly that stood in it already.

    It is then left alone, for whoever reads it again when it changes. Raises
    :class:`ExchangeError`.
    """
    with contextlib.suppress(OSError):
        if target.stat().st_size == len(body) and target.read_bytes() == body:
            return False
    with replacing(target) as file:
        file.write(body)
    return True


def sha256(path: Path) -> str:
    """Return the digest of a file as sha256sum prints it."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
