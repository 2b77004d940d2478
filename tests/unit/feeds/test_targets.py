"""The plain list for whatever deploys code."""

from salt_ext.feeds.targets import FEED
from tests.unit.feeds.made_up import fed, row


def test_a_list_has_a_machine_on_each_line_by_its_name_or_its_address():
    rows = [row(1, "web01"), row(2, "web02", address="fd00::2/64")]
    assert fed(FEED, rows)[0] == "web01\nweb02\n"
    assert fed(FEED, rows, by="address")[0] == "10.0.0.1\nfd00::2\n"


def test_an_address_that_two_machines_have_is_the_target_of_neither():
    rows = [row(1, "web01"), row(2, "web02", address="10.0.0.1"), row(3, "web03")]
    text, left_out = fed(FEED, [*rows, row(4, "web04", address="")], by="address")
    assert text == "10.0.0.3\n"
    assert left_out.pop("web04").startswith("it has reported no address")
    assert left_out == dict.fromkeys(("web01", "web02"), "2 machines have its address")


def test_a_name_without_an_address_is_a_target_too():
    assert fed(FEED, [row(1, "web01", address="")])[0] == "web01\n"


def test_a_name_with_more_than_a_name_in_it_is_no_target():
    rows = [row(1, "web01;reboot"), row(2, "web[01-99]"), row(3, "localhost"), row(4, "web04")]
    text, left_out = fed(FEED, rows)
    assert text == "web04\n"
    assert len(left_out) == 3


def test_an_address_of_every_machine_itself_is_no_target_and_its_name_may_be_one():
    rows = [row(1, "web01", address="127.0.0.1/8"), row(2, "web02", address="::1"), row(3, "web03")]
    text, left_out = fed(FEED, rows, by="address")
    assert (text, set(left_out)) == ("10.0.0.3\n", {"web01", "web02"})
    assert fed(FEED, rows)[0] == "web01\nweb02\nweb03\n"


def test_a_name_that_is_an_address_is_that_of_the_machine_or_left_out():
    rows = [row(1, "10.0.0.1"), row(2, "10.0.0.9"), row(3, "LocalHost.fra1")]
    text, left_out = fed(FEED, rows)
    assert (text, set(left_out)) == ("10.0.0.1\n", {"10.0.0.9", "LocalHost.fra1"})
