"""
The commands that look after the store and this master.
"""

import json
from typing import TYPE_CHECKING, Any

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import check_truths, nothing_else
from salt_ext.commands.doctor import examine
from salt_ext.commands.versions import versions
from salt_ext.master import kept
from salt_ext.master.cache import Cache
from salt_ext.settings import Settings

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"
__func_alias__ = {"settings_": "settings"}


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def doctor(exit_code: bool = False, **kwargs: Any) -> dict[str, Any]:
    """
    Check this master: its database, its engine, its configuration, its keys, and what waits.

    exit_code
        True makes the exit status 1 when something is not ok.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.doctor
        salt-run cmdb.doctor exit_code=True
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "exit_code")
        check_truths(exit_code=exit_code)
        checks = examine(
            __opts__,
            database,
            lambda: Cache(__opts__),
            lambda: kept.names(__opts__),
        )
        return {"checks": [one._asdict() for one in checks]}

    def is_ill(content: dict[str, Any]) -> bool:
        return exit_code and any(one["status"] != "ok" for one in content["checks"])

    return answer(__opts__, "checks", ask, write=True, differs=is_ill)


def maintain(test: bool = False, **kwargs: Any) -> dict[str, Any]:
    """
    Close problems that are over, and remove what is older than ``keep_problems``.

    History, identifiers and decisions are kept for ever. Let the master's
    scheduler run it once a day.

    test
        True counts the rows and touches none.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.maintain test=True
        salt-run cmdb.maintain
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "test")
        check_truths(test=test)
        rows = store.maintain(database, test=test)
        return answers.table(["step", "rows"], rows, len(rows), "steps")

    return answer(__opts__, "table", ask, write=True)


def migrate(
    test: bool = False, grants: bool = False, distribute: bool = False, **kwargs: Any
) -> dict[str, Any]:
    """
    Bring the database's schema up to this version; in an empty database, make it.

    test
        True names the steps and takes none.
    grants
        True also makes the roles ``cmdb_writer``, ``cmdb_reader``, ``cmdb_reporter``
        and ``cmdb_provisioner``, and gives each the rights that it needs. Then grant
        them to your login roles: ``GRANT cmdb_reader TO web``.
    distribute
        True also spreads the tables over the servers of Citus, which has to be in this
        database: see docs/scale.md. Once is enough; from then on each run does it.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.migrate test=True
        salt-run cmdb.migrate grants=True
        salt-run cmdb.migrate distribute=True
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "test", "grants", "distribute")
        check_truths(test=test, grants=grants, distribute=distribute)
        steps = store.migrate(database, test=test, distribute=distribute)
        if grants and not (test and steps):
            steps += store.grant(database, test=test)
        return {"steps": steps, "test": bool(test)}

    return answer(__opts__, "steps", ask, write=True)


def settings_(**kwargs: Any) -> dict[str, Any]:
    """
    Show every setting of the master, its value and where it came from.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.settings
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs)
        options = database.settings
        rows = [
            {"setting": name, "value": _shown(options, name), "source": options.sources[name]}
            for name in options
        ]
        return answers.table(["setting", "value", "source"], rows, len(rows), "settings")

    return answer(__opts__, "table", ask)


def _shown(options: Settings, name: str) -> Any:
    """Return the value of a setting; passwords and tokens are hidden."""
    value = options[name]
    if name in ("clouds", "login", "pushes", "webhooks"):
        return ", ".join(sorted(value))
    if name in ("database_url", "database_read_url") and value:
        return store.shown_url(value)
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value


def stats(**kwargs: Any) -> dict[str, Any]:
    """
    Show how large the store is, how much comes in, and which collectors fail on how many machines.

    ``errors`` of a collector is how often its problems that are still open have
    occurred; ``cmdb.errors`` names the machines.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.stats
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs)
        return store.statistics(database)

    return answer(__opts__, "stats", ask)


def version(**kwargs: Any) -> dict[str, Any]:
    """
    Show the versions of everything that works together here; give them when you ask for help.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.version
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs)
        rows = [{"name": name, "version": found} for name, found in versions(database)]
        return answers.table(["name", "version"], rows, len(rows), "versions")

    return answer(__opts__, "table", ask)
