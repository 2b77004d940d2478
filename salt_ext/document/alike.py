"""
Which reports changed the same: of a wave through the fleet, one is looked at for all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from salt_ext.document import encode
from salt_ext.document.diff import Change

SIZE_BYTES = 8


def alike(changes: Sequence[Change]) -> int:
    """
    Return a number that is equal where the same has changed, for a column of eight bytes.

    Of a part it does not matter which it is, nor what it became: so many disks with other names
    are alike. Of a value both do.
    """
    if not changes:
        return 0
    told = [
        [one.op, one.path, one.field, *((one.old, one.new) if one.component is None else ())]
        for one in changes
    ]
    digest = hashlib.sha256(encode(told)).digest()[:SIZE_BYTES]
    return int.from_bytes(digest, "big", signed=True)
