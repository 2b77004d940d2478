"""
The command that shows what waits for webhooks, and sends it once more.
"""

import uuid
from typing import TYPE_CHECKING, Any

from salt_ext import store
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import Misused, check_truths, count, nothing_else, one_of, text
from salt_ext.master.webhooks.body import now, sample
from salt_ext.master.webhooks.sending import attempt
from salt_ext.master.webhooks.setting import Webhook, webhooks

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"

QUEUES = ["webhook", "url", "format", "waiting", "waiting_since", "given_up", "failure"]
TEST, TAKEN = ["webhook", "answer"], "it took the sample"
QUEUE = ("tag", "state", "queued_at", "attempts", "due_at", "failure", "id")


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def webhook(
    name: str = "",
    test: bool = False,
    resend: bool = False,
    limit: int = 50,
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Show the webhooks and how many events wait for each, or with a name which ones.

    name
        A webhook of the setting ``webhooks``.
    test
        True sends it a sample of the kind ``test`` at once, and says what it answers.
    resend
        True lets the events that were given up wait to be sent once more.
    limit
        How many events at most.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.webhook
        salt-run cmdb.webhook tickets
        salt-run cmdb.webhook tickets test=True
        salt-run cmdb.webhook tickets resend=True
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs, "name", "test", "resend", "limit")
        check_truths(test=test, resend=resend)
        known = {one.name: one for one in webhooks(database.settings)}
        queues = {row["webhook"]: row for row in store.webhook_queues(database, known)}
        if not name:
            if test or resend:
                raise Misused("which webhook? give its name; cmdb.webhook without one lists them")
            rows = [{**row, **_shown(known.get(one))} for one, row in queues.items()]
            return answers.table(QUEUES, rows, len(rows), "webhooks")
        one_of("webhook", text("name", name), known if test else queues)
        if name in known:
            store.asking(database).check(known[name].filters)
            for path in known[name].sections:
                store.check_section(database, path)
        if test:
            why = attempt(known[name], store.Delivery(uuid.uuid4(), *sample(now()), 1))
            return answers.table(TEST, [{"webhook": name, "answer": why or TAKEN}], 1, "webhooks")
        if resend:
            row = {"webhook": name, "queued": store.resend_deliveries(database, name)}
            return answers.table(["webhook", "queued"], [row], 1, "webhooks")
        rows, total = store.deliveries_of(database, name, count("limit", limit))
        return answers.table(QUEUE, rows, total, "events")

    def is_refused(content: dict[str, Any]) -> bool:
        return bool(content["columns"] == TEST and content["rows"][0][1] != TAKEN)

    return answer(__opts__, "table", ask, write=resend is True, differs=is_refused)


def _shown(hook: Webhook | None) -> dict[str, str | None]:
    """Return what may be shown of a webhook; its events may outlive its setting."""
    if hook is None:
        return {"url": None, "format": "not in the settings"}
    return {"url": hook.shown_url, "format": hook.format}
