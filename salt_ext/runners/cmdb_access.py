"""
The command that says which programs may read the inventory over HTTP.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import (
    Misused,
    check_truths,
    duration,
    nothing_else,
    one_of,
    text,
    who,
)
from salt_ext.commands.confidant import confidant

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def token(
    name: str = "",
    role: str = "viewer",
    expires: str = "90d",
    out_file: str = "",
    revoke: bool = False,
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Make a token by which a program reads the web UI and its API; without a name, list them.

    It is shown once, on the terminal or in a file: the store has its hash alone.
    Programs send it as ``Authorization: Bearer cmdb_...``.

    name
        What the program is called: in this list, and in the access log.
    role
        ``viewer``, or ``auditor``, who sees the ``hidden_fields`` too.
    expires
        For how long it is valid, such as ``24h``, ``90d`` or ``52w``.
    out_file
        The new file to write it into, which only its owner may read, instead of the
        terminal.
    revoke
        True ends the token with this name at once.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.token prometheus expires=52w
        salt-run cmdb.token
        salt-run cmdb.token prometheus revoke=True
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "name", "role", "expires", "out_file", "revoke")
        check_truths(revoke=revoke)
        if not name:
            if revoke:
                raise Misused("which token? give its name; cmdb.token without one lists them")
            columns = ["name", "role", "state", "expires_at", "created_at", "created_by"]
            rows, total = store.tokens(database)
            return answers.table(columns, rows, total, "tokens")
        if revoke:
            row = store.revoke_token(database, text("name", name), by=who())
            columns = ["name", "role", "revoked_at", "revoked_by"]
            return answers.table(columns, [row], 1, "tokens")
        one_of("role", role, store.ROLES)
        valid = timedelta(seconds=min(duration("expires", expires), 10**10))
        with confidant(text("out_file", out_file)) as told:
            made, row = store.create_token(database, text("name", name), role, valid, by=who())
            told.write(f"{made}\n")
        where = out_file or "shown above"
        done = answers.table(["name", "role", "expires_at"], [row], 1, "tokens")
        return {**done, "hint": f"the token is {where}, and cannot be shown again"}

    return answer(__opts__, "table", ask, write=bool(name))
