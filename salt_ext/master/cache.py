"""
The reports in the master's cache, each under the minion id that Salt authenticated.

The bank ``mine`` holds the reports that ``cmdb.collect`` sent. For a minion that
never sent one, the bank ``grains`` holds its grains: with our grain ``cmdb``, or
Salt's own grains alone. Both banks are read through Salt's cache API, so every
driver of the master's option ``cache`` works. The times alone of Salt's own files, the
default, and of redis are read directly: Salt takes many times as long for them.

Salt reads the old mine of a minion before it stores a new one. So an entry that is
damaged, as a file that was cut off is, keeps all later reports of that minion out until
it is removed. Nobody can write it meanwhile, so the engine may remove it.
"""

from __future__ import annotations

import itertools
import os
import shlex
import stat
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import salt.cache
import salt.utils.mine
import salt.version
from salt.exceptions import SaltCacheError, SaltDeserializationError

from salt_ext import settings
from salt_ext.master.feed import Unreadable, Version
from salt_ext.master.keys import AcceptedKeys
from salt_ext.master.redis_times import RedisTimes
from salt_ext.report import core_grains, envelope
from salt_ext.report.sources import CMDB_GRAIN, CORE_GRAINS
from salt_ext.report.weighing import is_heavier

KINDS = ("mine", "grains")

Times: TypeAlias = Mapping[str, Mapping[str, float | None]]
"""By kind and minion id when entries were written; None where Salt has to be asked."""

PAGE = 1000

BANKS_SINCE = (3008,)
"""From this Salt on the cache has a bank for each kind of data; before, one for each minion."""

AS_IT_IS = {"memcache_expire_seconds": 0, "key_cache": ""}
"""Master options that turn off Salt's memcache and key cache, whose answers may be old."""


class Cache:
    """The reports in the master's cache, of minions whose key is accepted."""

    def __init__(
        self,
        opts: Mapping[str, Any],
        *,
        mends: bool = False,
        one_bank_each: bool | None = None,
    ) -> None:
        """
        Open the cache of the master that has these options.

        ``mends`` is whether a damaged mine is removed when it is read for the second time.
        ``one_bank_each`` is true for the layout with a bank for each minion; by
        default the layout is that of the Salt that runs.
        """
        self.opts = {**opts, **AS_IT_IS}
        self.cache = salt.cache.factory(self.opts)
        self.max_report_bytes = settings.from_opts(opts)["max_report_bytes"]
        self.keys = AcceptedKeys(self.opts)
        driver = self.opts.get("cache", "localfs")
        self.is_files = driver == "localfs"
        self.redis = RedisTimes(self.opts) if driver == "redis" else None
        if one_bank_each is None:
            one_bank_each = salt.version.__saltstack_version__ < BANKS_SINCE
        self.one_bank_each = one_bank_each
        self.mends = mends
        self._damaged_at: dict[str, float] = {}
        """By minion id: when its mine was written, of those that were damaged when last read."""

    def versions(self, minion_ids: Iterable[str] | None = None) -> dict[str, Version]:
        """
        Return by minion id when its mine and its grains were last written.

        Both are seconds since the epoch, 0.0 where there is no entry. Only minions
        with an accepted key and at least one entry are returned, of all minions or
        of ``minion_ids``.
        """
        if minion_ids is not None:
            return self._versions(self.trusted(minion_ids), None)
        return {name: version for page in self.pages(PAGE) for name, version in page.items()}

    def pages(self, size: int) -> Iterator[dict[str, Version]]:
        """Yield the same of all minions, of at most ``size`` minions at a time."""
        names = iter(self.accepted())
        each = self.is_files or self.one_bank_each
        times = None if each else {kind: self._times(kind) for kind in KINDS}
        while page := [*itertools.islice(names, size)]:
            yield self._versions(page, times)

    def accepted(self) -> set[str]:
        """Return the minions whose key is accepted."""
        return self.keys.all()

    def trusted(self, minion_ids: Iterable[str]) -> set[str]:
        """Return those ids that have an accepted key. An id that Salt does not allow has none."""
        return self.keys.of(minion_ids)

    def report(self, minion_id: str, version: tuple[float, ...]) -> tuple[Any, float] | None:
        """
        Return the report of a minion and when it was written, in seconds since the epoch.

        This is what cmdb.collect sent, or else a report made of the grains; None when
        there is neither. Raises :class:`Unreadable` when the entry cannot be read.
        """
        mine_at, grains_at = version
        sent = self._fetch("mine", minion_id, mine_at).get(envelope.MINE_FUNCTION)
        if isinstance(sent, dict) and salt.utils.mine.MINE_ITEM_ACL_ID in sent:
            sent = sent.get(salt.utils.mine.MINE_ITEM_ACL_DATA)
        if sent is not None:
            return sent, mine_at
        grains = self._fetch("grains", minion_id, grains_at)
        if self.one_bank_each:
            grains = grains.get("grains") or {}
        grain = grains.get("cmdb")
        if grain is None and not core_grains.used(grains):
            return None  # of a proxy minion that starts, the master knows the id alone
        what = "the grains" if grain is None else "the grain cmdb"
        used = core_grains.used(grains) if grain is None else grain
        if is_heavier(used, self.max_report_bytes):
            reason = (
                f"{what} of {minion_id} would make a report larger than max_report_bytes"
                f" ({self.max_report_bytes})"
            )
            return _refused(reason), grains_at
        try:
            if grain is None:
                return core_grains.report(used, minion_id, grains_at), grains_at
            return envelope.build(grain, minion_id, None, CMDB_GRAIN), grains_at
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            return _refused(f"{what} of {minion_id} cannot be read: {error!r:.200}"), grains_at

    def _place(self, kind: str, minion_id: str) -> tuple[str, str]:
        if self.one_bank_each:
            return f"minions/{minion_id}", "mine" if kind == "mine" else "data"
        return kind, minion_id

    def _times(self, kind: str) -> dict[str, float | None]:
        """Return who has an entry, and when it was written where that is told at once."""
        known = {} if self.redis is None else self.redis.of(kind)
        return {minion_id: known.get(minion_id) for minion_id in self.cache.list(kind) or ()}

    def _versions(self, minion_ids: Iterable[str], times: Times | None) -> dict[str, Version]:
        """Return the versions of minions; ``times`` are those of all of them, where known."""
        found = {}
        for minion_id in minion_ids:
            written = [self._written_at(kind, minion_id, times) for kind in KINDS]
            if written != [None, None]:
                found[minion_id] = tuple(at or 0.0 for at in written)
        return found

    def _written_at(self, kind: str, minion_id: str, times: Times | None) -> float | None:
        """Return when an entry was written; None when there is none."""
        bank, key = self._place(kind, minion_id)
        if self.is_files:
            return _changed_at(os.path.join(self.opts["cachedir"], bank, f"{key}.p"))
        # To ask when a missing entry was written makes Salt log a warning.
        if not (self.cache.contains(bank, key) if times is None else minion_id in times[kind]):
            return None
        at = times[kind][minion_id] if times else None
        return float(self.cache.updated(bank, key) or 0) if at is None else at

    def _fetch(self, kind: str, minion_id: str, written_at: float) -> dict[str, Any]:
        where = f"the {kind} of {minion_id} in the master's cache"
        try:
            value = self.cache.fetch(*self._place(kind, minion_id))
        except SaltDeserializationError as error:
            raise self._damaged(where, kind, minion_id, written_at) from error
        except Exception as error:  # each driver raises its own, as for a server that is away
            reason = str(error) if isinstance(error, SaltCacheError) else repr(error)
            raise Unreadable(
                f"{where} cannot be read: {reason}; when that is mended, the report is stored"
            ) from error
        if isinstance(value, dict):
            return value
        # No entry is {} or None. Salt would go on storing what is there and is no mapping.
        if written_at:
            raise self._damaged(where, kind, minion_id, written_at)
        return {}

    def _damaged(self, where: str, kind: str, minion_id: str, written_at: float) -> Unreadable:
        """Return what is to be said of an entry that is damaged; a second time, remove it."""
        if kind != "mine":
            return Unreadable(f"{where} are damaged; write them anew: {_anew(minion_id)}")
        place = self._place(kind, minion_id)
        remedy = f"remove it and let it report again: {flush(*place)}; {_again(minion_id)}"
        said = f"{where} is damaged and keeps all later reports out"
        is_known = self._damaged_at.get(minion_id) == written_at
        self._damaged_at[minion_id] = written_at
        if not (self.mends and is_known):
            return Unreadable(f"{said}; {remedy}")
        try:
            if float(self.cache.updated(*place) or 0) != written_at:
                return Unreadable(f"{said}; {remedy}")  # somebody wrote it meanwhile
            self.cache.flush(*place)
        except Exception as error:
            return Unreadable(f"{said}, and cannot be removed by the engine: {error}; {remedy}")
        del self._damaged_at[minion_id]
        return Unreadable(
            f"{where} was damaged and kept all later reports out: it is removed, and the next"
            f" report will be stored; to have it now: {_again(minion_id)}"
        )


def _changed_at(path: str) -> float | None:
    """Return the whole second in which a file was written, as Salt tells it; None: no file."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return float(int(found.st_mtime)) if stat.S_ISREG(found.st_mode) else None


def flush(bank: str, key: str) -> str:
    """Return the command that removes an entry of the cache."""
    return f"salt-run cache.flush {shlex.quote(bank)} {shlex.quote(key)}"


def _again(minion_id: str) -> str:
    return f"salt {shlex.quote(minion_id)} cmdb.collect"


def _anew(minion_id: str) -> str:
    return f"salt {shlex.quote(minion_id)} saltutil.refresh_pillar"


def _refused(reason: str) -> dict[str, Any]:
    """Return a report that the store refuses, with a reason."""
    return {"schema": envelope.SCHEMA, "mode": CORE_GRAINS, "refused": reason}
