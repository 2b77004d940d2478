"""
The checks of settings that are read late: by the engine when it starts, by a command when it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from salt_ext import store
from salt_ext.commands.doctor.check import FAIL, OK, Check
from salt_ext.master import events
from salt_ext.master.webhooks.setting import webhooks
from salt_ext.settings import Settings, SettingsError

MEND = (
    "correct it in the master's configuration and restart the master: with a mistake in events or"
    " webhooks its engine does nothing after the next start"
)


def settings(options: Settings) -> Check:
    """Check what the engine, ``cmdb.push`` and ``cmdb.cloud`` refuse when they read it."""
    # Imported here, because Salt loads the doctor for every command.
    from salt_ext.clouds.configured import cloud_of
    from salt_ext.feeds.push.configured import push_of

    wrong = [
        *_mistakes([lambda: events.wanted(options), lambda: webhooks(options)]),
        *_mistakes(partial(push_of, options, name) for name in options["pushes"]),
        *_mistakes(partial(cloud_of, options, name) for name in options["clouds"]),
    ]
    if wrong:
        return Check("settings", FAIL, "; ".join(wrong), MEND)
    return Check("settings", OK, "events, webhooks, pushes and clouds can be used")


def filters(where: store.Database) -> Check:
    """Check the filters in settings, which need the columns of people's lists."""
    from salt_ext.feeds import nodegroups  # for the same reason

    database = where.of_one_question()
    asking = store.asking(database)

    def check(name: str, asked: Mapping[str, Any]) -> None:
        try:
            asking.check(asked)
        except store.FilterError as error:
            raise store.FilterError(f"{name}: {error}") from None

    wrong = [
        *_mistakes(partial(check, name, asked) for name, asked in _filters(where.settings)),
        *_mistakes([lambda: nodegroups.groups_of(database, {})]),
    ]
    if wrong:
        return Check("filters", FAIL, "; ".join(wrong), "correct them in the configuration")
    return Check("filters", OK, "those of the settings can be asked")


def _filters(options: Settings) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the filters that stand in settings, with where each stands."""
    yield "roster_filters", options["roster_filters"]
    if options["reaction_group"]:
        yield "reaction_group", {f"{options['reaction_group']}__isnull": False}
    for setting in ("pushes", "webhooks"):
        for name, said in options[setting].items():
            asked = said.get("filters") if isinstance(said, Mapping) else None
            if isinstance(asked, Mapping):
                yield f"{setting}: {name}", asked


def _mistakes(reads: Iterable[Callable[[], object]]) -> Iterator[str]:
    """Yield what each that reads a setting has to say against it."""
    for read in reads:
        try:
            read()
        except (SettingsError, store.FilterError) as error:
            yield str(error)
