"""Which sections of a report count beside what other sources have told."""

import pytest

from salt_ext.report.checking import Checked
from salt_ext.report.sources import rank
from salt_ext.store.ingest.before import Before, Told
from salt_ext.store.ingest.precedence import versions_of, weighed

OURS = ["agent", "salt", "ssh", "return", "one of a site"]
ALL = [OURS, ["cmdb_grain"], ["cloud"], ["redfish"], ["grains"]]


def test_sources_in_which_our_collectors_ran_are_equals_and_the_others_have_an_order():
    assert [{rank(mode) for mode in modes} for modes in ALL] == [{0}, {1}, {2}, {3}, {4}]


def said(*sections, partial=(), **versions):
    facts = {name: {"a": 1} for name in sections}
    texts = dict.fromkeys(sections, b'{"a":1}')
    return Checked(facts, list(partial), texts, dict.fromkeys(sections, "new"), "", versions)


def known(mode, versions=(), **sources):
    """An asset of which a source knows the section disks, and others what they are given with."""
    nothing = dict.fromkeys(Before._fields)
    digests = dict.fromkeys(("disks", *sources), "old")
    stored = {"mode": mode, "digests": digests, "sources": sources, "versions": dict(versions)}
    return Before(**{**nothing, **stored})


def outcome(report, mode, before: Before, silent=()):
    """The sections that count, and who told those that are handed over; ``silent`` are sources."""
    counts, handed = weighed(report, mode, before, lambda name: before.source(name) in silent)
    return set(counts.facts), dict(handed)


@pytest.mark.parametrize("better", range(len(ALL)))
@pytest.mark.parametrize("poorer", range(len(ALL)))
def test_of_two_sources_the_better_one_counts(better, poorer):
    first, second = ALL[better][0], ALL[poorer][-1]
    counts, handed = outcome(said("disks"), second, known(first))
    assert counts == ({"disks"} if poorer <= better else set())
    assert handed == ({"disks": Told(first, 1)} if poorer < better else {})


def test_it_is_decided_for_each_section():
    report = said("disks", "usb", "tpm", "smart")
    before = known("agent", usb="grains", tpm="redfish")
    counts, handed = outcome(report, "redfish", before)
    assert counts == {"usb", "tpm", "smart"}
    assert handed == {"usb": Told("grains", 1), "smart": Told(None, None)}


def test_a_silent_source_gives_way():
    before = known("agent", usb="redfish")
    report = said("disks", "usb")
    assert outcome(report, "grains", before) == (set(), {})
    assert outcome(report, "grains", before, ["redfish"]) == ({"usb"}, {"usb": Told("redfish", 1)})
    everything = outcome(report, "grains", before, ["agent", "redfish"])
    assert everything[0] == {"disks", "usb"}


@pytest.mark.parametrize(
    ("was", "now", "mode", "counts", "is_handed"),
    [
        (1, 1, "ssh", True, False),
        (1, 2, "ssh", True, True),
        (2, 2, "ssh", True, False),
        (2, 1, "ssh", False, False),
        (2, 1, "agent", True, True),
    ],
)
def test_of_equals_the_newer_collector_counts(was, now, mode, counts, is_handed):
    versions = {} if was == 1 else {"disks": was}
    report = said("disks", **({} if now == 1 else {"disks": now}))
    found, handed = outcome(report, mode, known("agent", versions))
    assert found == ({"disks"} if counts else set())
    assert handed == ({"disks": Told("agent", was, is_equal=True)} if is_handed else {})


def test_a_section_that_an_equal_tells_first_is_a_change_unless_its_collector_is_new():
    assert outcome(said("usb"), "ssh", known("agent")) == ({"usb"}, {})
    counts, handed = outcome(said("usb", usb=2), "ssh", known("agent"))
    assert (counts, handed) == ({"usb"}, {"usb": Told(None, None)})


def test_an_older_collector_counts_when_the_newer_one_is_silent():
    before = known("agent", {"disks": 2})
    assert outcome(said("disks"), "ssh", before) == (set(), {})
    counts, handed = outcome(said("disks"), "ssh", before, ["agent"])
    assert (counts, handed) == ({"disks"}, {"disks": Told("agent", 2, is_equal=True)})


def test_a_newer_collector_elsewhere_that_sees_a_part_only_takes_nothing_over():
    part = said("disks", partial=["disks"], disks=2)
    assert outcome(part, "ssh", known("agent")) == (set(), {})
    assert outcome(part, "agent", known("agent"))[0] == {"disks"}
    assert outcome(said("disks", partial=["disks"]), "ssh", known("agent")) == ({"disks"}, {})


def test_a_handover_that_began_in_part_ends_with_the_first_whole_section():
    part, whole = said("disks", partial=["disks"], disks=2), said("disks", disks=2)
    _, handed = outcome(part, "agent", known("agent"))
    assert handed == {"disks": Told("agent", 1, is_equal=True, in_part=True)}
    begun = known("agent", versions_of(part, handed))
    assert (begun.collector("disks"), begun.is_half_told("disks")) == (2, True)
    _, handed = outcome(part, "agent", begun)
    assert handed == {"disks": Told("agent", 2, is_equal=True, in_part=True, is_begun=True)}
    assert versions_of(part, handed) == {"disks": -2}
    _, handed = outcome(whole, "agent", begun)
    assert handed == {"disks": Told("agent", 2, is_equal=True)}
    ended = known("agent", versions_of(whole, handed))
    assert outcome(whole, "agent", ended) == ({"disks"}, {})
