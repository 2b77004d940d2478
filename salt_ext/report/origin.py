"""
Which salt-cmdb answers on this machine: one that pip installed, or one that Salt synced.
"""

from __future__ import annotations

import glob
import os

import salt_ext

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SYNCED = "salt_cmdb-*.zip"
"""The zip of a synced package, in ``_utils``; :mod:`salt_ext.tree` writes it."""


def origin() -> str:
    """Return the directory, or the zip, that the package was loaded from."""
    return os.path.dirname(os.path.dirname(os.path.abspath(salt_ext.__file__)))


def unused(opts: Mapping[str, Any]) -> list[str]:
    """Return the synced packages that are on this machine and do not answer."""
    found = os.path.join(str(opts.get("extension_modules") or ""), "utils", SYNCED)
    return sorted(path for path in glob.glob(found) if path != origin())
