"""
Delivery without pip: ``python -m salt_ext.tree DIR`` writes what ``saltutil.sync_all`` brings.

``DIR`` is below the master's ``file_roots``, or in a repository that gitfs serves. It gets
the grain and the execution module, as Salt loads them, and all that they import as one zip
in ``_utils``. Salt hands out what is in these folders, and removes from a minion what is
not there any more.
"""

from __future__ import annotations

import ast
import hashlib
import io
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import salt_ext

PACKAGE = Path(salt_ext.__file__).parent
IN_THE_ZIP = ("__init__.py", "settings.py", "document", "facts", "report", "words")
LOADED = ("grains", "modules")
ZIP = "salt_cmdb-"
"""How the name of a zip begins; behind it are the version and the digest of the zip."""

PRELUDE = """
# Written by salt_ext.tree: the package is in a zip beside this file, unless it is installed.
import os
import sys

_UTILS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "utils")
_ZIP = os.path.join(_UTILS, "{zip}")
_loaded = getattr(sys.modules.get("salt_ext"), "__file__", None) or _ZIP
if not _loaded.startswith(_ZIP) and not os.path.isfile(_loaded):
    # Loaded from an earlier zip, or from a package that pip has removed since.
    for _name in [one for one in sys.modules if one.partition(".")[0] == "salt_ext"]:
        del sys.modules[_name]
if os.path.isfile(_ZIP) and _ZIP not in sys.path:
    _others = os.path.join(_UTILS, "{begins}")
    sys.path[:] = [one for one in sys.path if not one.startswith(_others)] + [_ZIP]
import salt_ext

if not salt_ext.__file__.startswith(_ZIP):
    raise ImportError(f"not used, for salt-cmdb is installed: {{salt_ext.__file__}}")
__virtualname__ = "cmdb"
"""
"""
What a synced loader file does before all else; it stands below the docstring of the file.

The zip is the last place where Python looks, so that an installed package wins as a whole:
its own loader files answer then, and these are not loaded.
"""


def files() -> dict[str, bytes]:
    """Return the content of each file of the tree; the same code makes the same bytes."""
    content = _zip()
    name = f"{ZIP}{salt_ext.__version__}-{hashlib.sha256(content).hexdigest()[:8]}.zip"
    found = {f"_utils/{name}": content}
    for room in LOADED:
        source = (PACKAGE / room / "cmdb.py").read_text(encoding="utf-8")
        # Not cmdb.py: that name would hide the file of an installed package.
        found[f"_{room}/cmdb_synced.py"] = _with_prelude(source, name).encode()
    return found


def write(directory: Path) -> list[Path]:
    """
    Write the tree into a directory; return its files. Whatever else is there stays.

    The zip comes first and an earlier one goes last, because minions may fetch meanwhile.
    """
    written = []
    for name, content in files().items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.new")  # Salt does not hand out such a file
        new.write_bytes(content)
        new.replace(path)
        written.append(path)
    for zipped in directory.glob(f"_utils/{ZIP}*.zip"):
        if zipped not in written:
            zipped.unlink()
    return written


def _zip() -> bytes:
    """Return the zip of what a minion imports."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in _zipped():
            info = zipfile.ZipInfo(str(path.relative_to(PACKAGE.parent)))  # of the year 1980
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())
    return stream.getvalue()


def _zipped() -> Iterator[Path]:
    for name in IN_THE_ZIP:
        path = PACKAGE / name
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _with_prelude(source: str, zip_name: str) -> str:
    """Return the text of a loader file with the prelude below its docstring."""
    docstring = ast.parse(source).body[0]
    lines = source.splitlines(keepends=True)
    lines.insert(docstring.end_lineno or 0, PRELUDE.format(zip=zip_name, begins=ZIP))
    return "".join(lines)


def main(arguments: list[str]) -> int:
    """Write the tree into the one directory that is given; return the exit status."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m salt_ext.tree DIR", file=sys.stderr)
        return 2
    try:
        written = write(Path(arguments[0]))
    except OSError as error:
        print(f"The tree cannot be written: {error}", file=sys.stderr)
        return 1
    print(*written, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
