"""What the master asks of a report, at the very bound of each limit."""

from datetime import timedelta

import pytest

from salt_ext import document
from salt_ext.facts import timestamp
from salt_ext.facts.clean import clean
from salt_ext.report import checking, core_grains, digests
from salt_ext.report.checking import ReportError, check_body, check_header
from salt_ext.report.order import Order
from tests.machines import NOW, later, report, server

MILLISECOND = timedelta(milliseconds=1)
TEN_MINUTES = timedelta(minutes=10)


def nested(levels, kind=dict):
    """So many mappings or lists in one another, with a text in the innermost."""
    value = "deep"
    for _ in range(levels):
        value = {"a": value} if kind is dict else [value]
    return value


def with_facts(facts):
    """A report of these facts, with the digest that belongs to them."""
    return report(server()) | {"facts": facts, "digest": digests.of_facts(facts)}


def collected(at):
    return report(server()) | {"collected_at": timestamp(at.timestamp())}


def refused(check, *arguments):
    """Where and why a report is refused."""
    with pytest.raises(ReportError) as error:
        check(*arguments)
    return str(error.value)


@pytest.mark.parametrize("kind", [dict, list])
def test_sixteen_levels_below_the_report_are_taken_and_no_more(kind):
    # A section is the first level; the text in the innermost mapping is none.
    deepest = {"a": nested(15, kind)}
    check_body(with_facts({"own": deepest}))
    assert clean(deepest) == deepest, "what a machine sends is what its master takes"
    too_deep = {"a": nested(16, kind)}
    with pytest.raises(ValueError, match="deeper than 16"):
        clean(too_deep)
    assert "is nested deeper than 16" in refused(check_body, with_facts({"own": too_deep}))


def test_errors_and_volatile_values_have_room_for_sixteen_levels_too():
    check_header(report(server()) | {"errors": nested(17)}, NOW)
    assert refused(check_header, report(server()) | {"errors": nested(18)}, NOW).endswith(
        "is nested deeper than 16"
    )
    check_body(report(server()) | {"volatile": nested(17)})
    assert refused(check_body, report(server()) | {"volatile": nested(18)}).endswith(
        "is nested deeper than 16"
    )


def test_a_clock_may_be_ten_minutes_ahead_and_no_more():
    assert check_header(collected(later(minutes=10)), NOW).collected_at == later(minutes=10)
    reason = refused(check_header, collected(later(minutes=10)), NOW - MILLISECOND)
    assert reason.endswith("in the future: set the clock of the machine")


def test_the_time_of_a_report_is_taken_to_the_millisecond():
    at = later(milliseconds=-877)
    said = report(server()) | {"collected_at": f"{at:%Y-%m-%dT%H:%M:%S}.123Z"}
    assert check_header(said, NOW).collected_at == at


BOOT = "6e66eff9-76de-4ca7-8893-a648c8bb5242"
NO_BOOTS = (*("", BOOT[:-1], BOOT.upper(), "{" + BOOT + "}", f"{BOOT}\n", "ü" * 36), 7, True, [])
NO_TIMES = (-1, 2**63, 10**400, True, 1.5, float("nan"), "7", [])


def test_a_report_tells_the_boot_that_it_is_of():
    said = report(server(), boot_id=BOOT, since_boot_ms=0)
    assert check_header(said, NOW) == Order(NOW, BOOT, 0)


@pytest.mark.parametrize("known", [{"boot_id": BOOT}, {"since_boot_ms": 7}])
def test_half_of_what_tells_the_boot_tells_nothing(known):
    assert check_header(report(server(), **known), NOW) == Order(NOW)


@pytest.mark.parametrize("value", NO_BOOTS)
def test_what_is_no_boot_is_refused(value):
    said = report(server(), boot_id=value, since_boot_ms=7)
    assert refused(check_header, said, NOW).startswith("boot_id: is")


@pytest.mark.parametrize("value", NO_TIMES)
def test_what_is_no_time_since_the_boot_is_refused(value):
    said = report(server(), boot_id=BOOT, since_boot_ms=value)
    assert refused(check_header, said, NOW).startswith("since_boot_ms: is")


def volatile(**values):
    return report(server()) | {"volatile": {"operating_system": values}}


def test_a_report_of_the_first_edition_tells_its_boot_among_the_volatile_values():
    said = volatile(boot_id=BOOT, uptime_seconds=7)
    assert check_header(said, NOW) == Order(NOW, BOOT, 7000)


@pytest.mark.parametrize(
    "said",
    [
        *(volatile(boot_id=value, uptime_seconds=7) for value in NO_BOOTS),
        *(volatile(boot_id=BOOT, uptime_seconds=value) for value in NO_TIMES),
        report(server()) | {"volatile": None},
        report(server()) | {"volatile": {"operating_system": [BOOT]}},
    ],
)
def test_volatile_values_that_are_wrong_tell_no_boot(said):
    assert check_header(said, NOW) == Order(NOW)


def test_the_digest_does_not_cover_when_a_report_was_made():
    one = report(server(), boot_id=BOOT, since_boot_ms=7)
    other = report(server(), at=later(minutes=5))
    assert digests.of_report(one) == digests.of_report(other)


@pytest.mark.parametrize(
    ("behind", "mode", "is_told"),
    [
        (TEN_MINUTES, "agent", False),
        (TEN_MINUTES + MILLISECOND, "agent", True),
        (TEN_MINUTES + MILLISECOND, "grains", False),  # it is as old as the start of the minion
    ],
)
def test_a_clock_that_is_more_than_ten_minutes_behind_is_doubted(behind, mode, is_told):
    said = report(server(), mode=mode)
    found = checking.doubts(said, (), NOW - behind, NOW)
    assert [one.field for one in found] == ["collected_at"] * is_told


@pytest.mark.parametrize(
    ("behind", "heard_before", "is_so"),
    [
        (TEN_MINUTES + MILLISECOND, MILLISECOND, True),
        (TEN_MINUTES + MILLISECOND, timedelta(), False),  # it came with the stored one
        (TEN_MINUTES, MILLISECOND, False),
    ],
)
def test_a_clock_is_set_back_when_the_report_came_last_and_is_behind(behind, heard_before, is_so):
    said = report(server())
    assert checking.is_set_back(said, NOW - behind, NOW, NOW - heard_before) is is_so


def test_core_grains_count_as_older_than_any_clock_can_tell():
    made = core_grains.report({"serialnumber": "S1"}, "web01", NOW.timestamp())
    assert made["collected_at"] == timestamp((NOW - TEN_MINUTES).timestamp())


def of_size(size, *, text_of):
    """A report whose canonical text has so many bytes, filled up where ``text_of`` puts a text."""

    def sized(said):
        around = {name: value for name, value in said.items() if name != "facts"}
        return len(document.encode(around)) + sum(
            len(document.encode(value)) for value in said["facts"].values()
        )

    return text_of("x" * (1 + size - sized(text_of("x"))))


@pytest.mark.parametrize(
    ("text_of", "field"),
    [
        (lambda text: with_facts({}) | {"volatile": {"a": text}}, "volatile"),
        (lambda text: with_facts({"a": {"b": text}, "b": {"a": "b"}}), "facts.a"),
    ],
    ids=["around the facts", "in the facts"],
)
def test_a_report_may_have_four_mebibytes_and_not_a_byte_more(text_of, field):
    check_body(of_size(4 << 20, text_of=text_of))
    reason = refused(check_body, of_size((4 << 20) + 1, text_of=text_of))
    assert reason == (
        f"{field}: makes the report 4194305 bytes or more; at most 4194304 are stored"
        " (max_report_bytes)"
    )


@pytest.mark.parametrize(
    ("name", "is_one"), [("", False), ("a", True), ("a" * 255, True), ("a" * 256, False)]
)
def test_a_previous_name_has_one_to_255_characters(name, is_one):
    said = report(server()) | {"previous_minion_id": name}
    if is_one:
        check_body(said)
    else:
        assert "not a minion id" in refused(check_body, said)


def test_a_key_has_at_most_255_characters():
    check_body(with_facts({"own": {"a" * 255: 1}}))
    assert "has the key" in refused(check_body, with_facts({"own": {"a" * 256: 1}}))


def test_errors_are_those_of_200_collectors_at_most():
    check_header(report(server()) | {"errors": {f"c{one}": {} for one in range(200)}}, NOW)
    more = report(server()) | {"errors": {f"c{one}": {} for one in range(201)}}
    assert "of more than 200 collectors" in refused(check_header, more, NOW)


@pytest.mark.parametrize(
    ("number", "is_taken"),
    [(2**63 - 1, True), (2**63, False), (-(2**63), True), (-(2**63) - 1, False)],
)
def test_integers_have_64_bits(number, is_taken):
    facts = {"own": {"a": number}}
    if is_taken:
        check_body(with_facts(facts))
    else:
        assert "more than 64 bits" in refused(check_body, with_facts(facts))


@pytest.mark.parametrize("versions", [None, "", "disks=2", "disks=2 own=1 memory=32767"])
def test_a_report_may_name_the_versions_of_its_collectors(versions):
    said = report(server(), versions=versions)
    check_header(said, NOW)
    assert check_body(said).versions == {
        name: number
        for name, number in (("disks", 2), ("memory", 32767))
        if f"{name}={number}" in (versions or "")
    }


@pytest.mark.parametrize("versions", [{}, 2, ["disks=2"], "x" * 10_001])
def test_what_cannot_be_versions_is_refused_with_the_header(versions):
    reason = refused(check_header, report(server(), versions=versions), NOW)
    assert reason.startswith("versions: is ")


@pytest.mark.parametrize("versions", ["disks", "disks=", "=2", "disks=2  x=1", "d=99999", "d=-1"])
def test_versions_that_cannot_be_read_are_refused_with_the_body(versions):
    assert refused(check_body, report(server(), versions=versions)).startswith("versions: has ")
