"""
What the external pillar ``cmdb`` tells a minion of its own asset.

Salt asks for the pillar of each minion of a highstate, and waits. So the store has a few
seconds; when it does not answer, all minions get their last answers for a while. Nothing
here raises: an external pillar that fails keeps the minion from getting any pillar.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

from salt_ext import settings, store
from salt_ext.master.last_answers import LastAnswers
from salt_ext.words.nearest import unknown
from salt_ext.words.plain import plain
from salt_ext.words.sizes import beginning
from salt_ext.words.times import timestamp
from salt_ext.words.visible import trace, visible

log = logging.getLogger(__name__)

FIELDS = (
    *("sn", "kind", "lifecycle", "site", "room", "rack", "unit", "from_list", "manufacturer"),
    *("product_name", "list.*"),
)
"""What a minion is told unless the options say it."""

KIND = "pillar"
"""The kind of the answers that are kept."""

WITHIN_SECONDS = 5
"""So long the store may take for one minion."""

LONGEST_BYTES = 1000
"""Of a longer text the beginning is told."""

MOST_FIELDS = 100
"""At most so many fields of lists are told."""

OWN = "list."
"""How the fields of people's lists begin, as in the list of assets; ``list.*`` are all of them."""


class Options(NamedTuple):
    """What the configuration says about ``ext_pillar: - cmdb:``."""

    key: str = "cmdb_asset"
    fields: tuple[str, ...] = FIELDS
    filters: Mapping[str, Any] = {}


def pillar(opts: Mapping[str, Any], minion_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the pillar of a minion gets: a mapping under the key of the options, or {}."""
    try:
        options = _options(given)
        answer = _answer(opts, minion_id, options)
    except Exception as error:
        _log(error)
        return {}
    return {options.key: answer} if answer else {}


def _options(given: Mapping[str, Any]) -> Options:
    """Return the options. Raises ValueError for what they cannot be."""
    for name in given:
        if name not in Options._fields:
            raise ValueError(unknown("option", name, Options._fields))
    options = Options(**given)
    fields: Any = options.fields
    if isinstance(fields, str):
        fields = [one.strip() for one in fields.split(",") if one.strip()]
    if not isinstance(options.key, str) or options.key in ("", "cmdb"):
        # The settings of a minion come from its pillar ``cmdb``.
        raise ValueError(f"the key is {options.key!r}, but it must be a name other than cmdb")
    if not isinstance(fields, (list, tuple)) or not isinstance(options.filters, Mapping):
        raise ValueError("fields is a list of names, and filters a mapping")
    return Options(options.key, tuple(map(str, fields)), options.filters)


def _answer(opts: Mapping[str, Any], minion_id: str, options: Options) -> dict[str, Any]:
    """Return the answer of the store, or the last one that there was."""
    answers = LastAnswers(opts, KIND)
    question = [minion_id, list(options.fields), plain(options.filters)]
    if not answers.is_silent():
        try:
            answer: dict[str, Any] = _within(WITHIN_SECONDS, lambda: _ask(opts, minion_id, options))
        except Exception as error:
            if isinstance(error, (store.StoreError, TimeoutError)):
                answers.note_silence()
            _log(error)
        else:
            try:
                answers.keep(question, answer)
            except Exception as error:  # it is told all the same
                log.warning("ext_pillar cmdb cannot keep its answers: %s", visible(error))
            return answer
    last = answers.last(question)
    if last is None or not last[0]:
        return {}
    answer, at = last
    return {**answer, "as_of": timestamp(datetime.fromtimestamp(at, timezone.utc))}


def _log(error: Exception) -> None:
    """Log why a minion does not get what the store has now."""
    said = "ext_pillar cmdb tells what it told last, if anything"
    if isinstance(error, (store.StoreError, OSError, ValueError)):
        log.error("%s: %s", said, visible(error))
    else:
        log.error("%s%s", said, trace(error))


def _ask(opts: Mapping[str, Any], minion_id: str, options: Options) -> dict[str, Any]:
    # Of the master's file alone: what a minion sends with its question changes nothing here.
    known = settings.resolve(("configuration", opts.get("cmdb") or {}))
    database = store.Database(known, read_only=True, limits=store.PAGES)
    columns = [name for name in options.fields if not name.startswith(OWN)]
    told = store.told_of(database, minion_id, filters=options.filters, columns=columns)
    if told is None:
        return {}
    asset = {name: _short(value) for name, value in told.columns.items() if value is not None}
    listed = _chosen(told.listed, options.fields)
    named = _chosen(told.named, options.fields)
    return {
        **asset,
        **({"list": listed} if listed else {}),
        **({"named": named} if named else {}),
    }


def _chosen(said: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """Return what lists say, as far as the options want it."""
    names = [name.removeprefix(OWN) for name in fields if name.startswith(OWN)]
    found = {name.removeprefix(OWN): _short(value) for name, value in sorted(said.items())}
    chosen = found if "*" in names else {name: found[name] for name in names if name in found}
    return dict(list(chosen.items())[:MOST_FIELDS])


def _short(value: Any) -> Any:
    value = plain(value)
    return beginning(value, LONGEST_BYTES) if isinstance(value, str) else value


def _within(seconds: float, ask: Callable[[], Any]) -> Any:
    """
    Return an answer, or raise what asking raised; TimeoutError when there is none in time.

    A server that was stopped keeps its connections open and says nothing for ever: what
    waits for it is left behind. As many as the pool has connections can wait, and no more.
    """
    answers: SimpleQueue[tuple[bool, Any]] = SimpleQueue()

    def run() -> None:
        try:
            answers.put((True, ask()))
        except Exception as error:
            answers.put((False, error))

    Thread(target=run, daemon=True).start()
    try:
        is_well, answer = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError(f"the database has not answered in {seconds:g} s") from None
    if not is_well:
        raise answer
    return answer
