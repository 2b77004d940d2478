"""Small root trees for the tests of collectors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from salt_ext.facts.root import Root


def tree(
    where: Path, files: Mapping[str, str | bytes], links: Mapping[str, str] | None = None
) -> Root:
    """Write ``files`` and symbolic ``links`` below ``where`` and return it as a Root."""
    for name, content in files.items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    for name, target in (links or {}).items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    return Root(str(where))
