"""
The command that compares clouds with the machines that report.
"""

from typing import TYPE_CHECKING, Any

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import Misused, check_truths, count, nothing_else, one_of, text
from salt_ext.commands.progress import progress

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"

OPTIONS = ("name", "list", "test", "force", "limit", "exit_code", "out_file")


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def cloud(
    name: str = "",
    list: str = "",
    test: bool = False,
    force: bool = False,
    limit: int = 100,
    exit_code: bool = False,
    out_file: str = "",
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Compare what a cloud has with what reports; without a name, list the clouds.

    The setting ``clouds`` says which there are. All instances are listed first; if that
    fails in any way, nothing is compared or stored, no machine counts as gone, and the exit
    status is 2. Then what the cloud says of each machine becomes the section ``instance`` of
    its facts, with its history. What is deleted in the cloud is told and stays in the store.

    name
        Which one of the setting ``clouds``.
    list
        Show one list of the last time, and ask nobody: ``unreported`` are instances without a
        report, ``unlisted`` are reports without an instance, ``tied`` are machines that show
        the id of one instance.
    test
        True asks the cloud and compares, and stores nothing.
    force
        True believes that all is deleted that is listed no longer, however much it is.
    limit
        So many of each list are shown at most; all are counted.
    exit_code
        True makes the exit status 1 when a list is not empty.
    out_file
        With ``list``: write all of it into this file, whatever the limit.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.cloud
        salt-run cmdb.cloud prod test=True
        salt-run cmdb.cloud prod
        salt-run cmdb.cloud prod list=unreported
    """

    def ask(database: store.Database) -> dict[str, Any]:
        # Imported here, because Salt loads this file for every command.
        from salt_ext.clouds import configured, run, told
        from salt_ext.questions import clouds

        nothing_else(kwargs, *OPTIONS)
        check_truths(test=test, force=force, exit_code=exit_code)
        most = count("limit", limit)
        if out_file and not list:
            raise Misused("out_file= is for list=, which is one of unreported, unlisted and tied")
        if list:
            which = one_of("list", list, store.CLOUD_LISTS)
            if not name:
                known = ", ".join(row["cloud"] for row in told.overview(database)) or "none"
                raise Misused(f"of which cloud? there are: {known}")
            table = clouds.left_over(
                database, text("name", name), which, None if out_file else most
            )
            return {"kind": "table", **answers.of_table(database.zone, table, out_file)}
        if not name:
            rows = told.overview(database)
            content = answers.table(clouds.COLUMNS, rows, len(rows), "clouds")
            return {"kind": "table", **content}
        what = configured.cloud_of(database.settings, text("name", name))
        with progress() as show:
            done = run.reconcile(
                database, what, __opts__["id"], test=bool(test), force=bool(force), show=show
            )
        return told.content(what, done, most, test=bool(test))

    def differs(content: dict[str, Any]) -> bool:
        left = content["lists"] if "lists" in content else content.get("rows", ())
        return exit_code and any(left.values() if isinstance(left, dict) else left)

    is_run = bool(name) and not list and not test
    return answer(__opts__, "cloud", ask, write=is_run, differs=differs)
