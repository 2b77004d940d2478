"""
The command that writes machines into other systems.
"""

from typing import TYPE_CHECKING, Any

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import check_truths, count, nothing_else, text
from salt_ext.commands.progress import progress

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"

OPTIONS = ("name", "dry_run", "adopt", "recreate", "force", "limit", "exit_code")


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def push(
    name: str = "",
    dry_run: bool = False,
    adopt: bool = False,
    recreate: bool = False,
    force: bool = False,
    limit: int = 100,
    exit_code: bool = False,
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Write the machines into another system, such as Zabbix; without a name, list the pushes.

    The setting ``pushes`` says into which and how. What is not there is created, of what
    differs the fields that differ are written, and what is handed out no more (retired,
    detached, purged, not in the filters) is switched off there, and on again when it returns.
    Nothing else there is touched. The exit status is 1 when a machine was refused.

    name
        Which one of the setting ``pushes``.
    dry_run
        True shows what would be done, field by field, and writes nothing.
    adopt
        True takes over what others made there under the name of a machine.
    recreate
        True makes again what was deleted there.
    force
        True retires however many machines; without it more than the ``retire_percent`` of
        the push are refused.
    limit
        So many machines are shown at most; all are counted.
    exit_code
        True makes the exit status 1 too when something differed.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.push
        salt-run cmdb.push zabbix dry_run=True
        salt-run cmdb.push zabbix
    """

    def ask(database: store.Database) -> dict[str, Any]:
        # Imported here, because Salt loads this file for every command.
        from salt_ext.feeds.push import configured, run, told

        nothing_else(kwargs, *OPTIONS)
        check_truths(
            dry_run=dry_run, adopt=adopt, recreate=recreate, force=force, exit_code=exit_code
        )
        most = count("limit", limit)
        if not name:
            columns = ["push", "system", "url", "objects", "retired", "written_at", "note"]
            rows = told.overview(database)
            return {"kind": "table", **answers.table(columns, rows, len(rows), "systems")}
        what = configured.push_of(database.settings, text("name", name))
        wishes = run.Wishes(bool(dry_run), bool(adopt), bool(recreate), bool(force))
        with progress() as show:
            done = run.push(database, what, wishes, show)
        return told.content(what, wishes, done, most)

    def differs(content: dict[str, Any]) -> bool:
        counts = content.get("counts", {})
        return bool(counts.get("refused")) or (exit_code and any(counts.values()))

    return answer(__opts__, "pushed", ask, write=bool(name) and not dry_run, differs=differs)
