"""Where an event is posted to, whatever the name of its machine is."""

import uuid

import pytest

from salt_ext.master.webhooks.body import address
from salt_ext.master.webhooks.setting import webhooks
from salt_ext.settings import resolve
from salt_ext.store import Delivery

URL = "https://master02.example.net:8000/hook"
SAID = {"url": URL, "secret": "0123456789abcdef", "format": "saltgui"}


@pytest.mark.parametrize(
    ("tag", "kind", "expected"),
    [
        ("salt/cmdb/changed/2f6c", "changed", "cmdb/changed"),
        ("salt/cmdb/many/changed", "changed", "cmdb/many/changed"),
        ("salt/cmdb/problem/a/../../../login", "problem", "cmdb/problem"),
        ("salt/cmdb/held/many/x?y#z", "held", "cmdb/held"),
    ],
)
def test_a_machine_has_no_say_in_where_its_events_are_posted_to(tag, kind, expected):
    [hook] = webhooks(resolve(("test", {"webhooks": {"gui": SAID}})))
    taken = Delivery(uuid.uuid4(), tag, {"kind": kind}, 1)
    assert address(hook, taken) == f"{URL}/{expected}"
