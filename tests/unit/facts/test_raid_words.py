"""What the words of all RAID tools mean: states, sizes and levels."""

import re

import pytest

from salt_ext.facts.raid.view import (
    MEANINGS,
    WORDS,
    health,
    is_known,
    judged,
    level,
    merged,
    size_bytes,
    unknown_states,
)

GB = 1024**3


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("Optl", "ok"),
        ("Onln", "ok"),
        ("UGood", "ok"),
        ("Online, Spun Up", "ok"),
        ("Raw (Pass Through)", "ok"),
        ("active sync", "ok"),
        ("VERIFY-PAUSED", "ok"),
        ("Pdgd", "degraded"),
        ("Partially Degraded", "degraded"),
        ("Interim Recovery Mode", "degraded"),
        ("Ready for Rebuild", "degraded"),
        ("Suboptimal, Fault Tolerant", "degraded"),
        ("SMART-FAILURE", "degraded"),
        ("Needs Attention", "degraded"),
        ("Predictive Failure", "degraded"),
        ("OfLn", "failed"),
        ("UBad", "failed"),
        ("Unconfigured(bad)", "failed"),
        ("Failed (Replace Batteries)", "failed"),
        ("clean, FAILED", "failed"),
        ("Non Operational", "failed"),
        ("Defunct", "failed"),
        ("Okay", "ok"),
        ("Out of Sync (OSY)", "degraded"),
        ("Impacted ( Build/Verify with fix : 9 % )", "degraded"),
        ("Not Ready", None),
        ("Non-Initialized", None),
        ("NOT-SUPPORTED", None),
        ("active sync set-A", "ok"),
        ("Inactive, Okay (OKY)", "ok"),
        ("Sntze", None),
        ("", None),
        (None, None),
    ],
)
def test_the_words_of_all_tools_have_one_meaning(state, expected):
    assert health(state) == expected


STATES = {
    "failed": """
        bad; broken; dead; defunct; ejected; fail; failed; fatal; fault; faulty; fbad; fld;
        inaccessible; incomplete; incompleted; inoperable; lost; mis; missing;
        msng; offline; offln; ofln; removed; ubad; ubunsp; unusable""",
    "degraded": """
        attention; blocked; cbshld; cfshld; conflict; critical; degrade; degraded; dgd;
        dgrd; ecc; error; failing; failure; hspshld; impacted; improperly; inconsistent;
        interim; invalid; osy; overheated; overheating; partially; pdgd; predicted;
        predictive; rbld; rebuild; rebuilding; rec; recovering; recovery; replace;
        shielded; shld; suboptimal; ugshld; ugunsp; unsupported; warning; weakbat; wrong""",
    "ok": """
        active; assigned; available; avl; background; cac; charged; charging; clean;
        completed; conf; configured; copyback; cpybck; dhs; erase; expanding; expansion;
        foreign; free; functional; ghs; good; healthy; hotspare; hsp; idle; init;
        initializing; jbod; journal; learning; migrating; migration; new; normal; ok; okay;
        oky; onl; online; onln; operational; opt; optimal; optl; passed; passthrough; raw;
        rdy; ready; rebuilt; recharging; reconditioning; sby; spare; standby; transforming; ucon;
        uconf; ugood; unassigned; unconfigured; unused; verify; verifying""",
}
"""Every word that a tool is known to write of a volume, a drive or a battery."""


@pytest.mark.parametrize("meaning", STATES)
def test_each_word_alone_means_what_the_manual_of_its_tool_says(meaning):
    states = [one.strip() for one in STATES[meaning].split(";")]
    assert {one: health(one) for one in states} == dict.fromkeys(states, meaning)


def test_no_word_is_known_whose_meaning_is_not_stated_here():
    stated = set(re.findall("[a-z]+", " ".join(STATES.values()).lower()))
    assert {word for word, meaning in MEANINGS.items() if meaning != "neutral"} <= stated


@pytest.mark.parametrize("word", WORDS["neutral"].split())
def test_a_word_that_says_nothing_of_health_neither_spoils_nor_makes_it(word):
    assert health(word) is None
    assert health(f"{word} degraded") == "degraded"
    assert is_known(word)


def test_a_state_with_a_word_that_nobody_knows_is_never_ok_and_is_told():
    assert health("Optimal, entangled") is None
    assert health("Degraded, entangled") == "degraded"
    assert [is_known(one) for one in ("Optimal, entangled", "0x17", "Degraded, entangled")] == [
        False,
        False,
        True,
    ]
    found = merged([])
    found["volumes"] = [judged("Optimal") | {"id": "0"}, judged("Entangled") | {"id": "1"}]
    found["controllers"] = [{"id": "x", "battery": judged("Levitating")}]
    assert unknown_states(found) == ["volume state: Entangled", "battery state: Levitating"]


def test_a_part_that_announces_its_end_is_degraded_but_a_dead_one_is_dead():
    assert health("Onln", suspect=True) == "degraded"
    assert health("Failed", suspect=True) == "failed"


def test_progress_is_no_part_of_the_state():
    assert judged("Recovering, 35% complete") == {
        "state": "Recovering",
        "health": "degraded",
        "volatile": {"progress_percent": 35},
    }


def test_sizes_are_in_the_units_of_the_tool():
    assert size_bytes("1675GiB") == 1675 * GB
    assert size_bytes("457862 MB") == 457862 * 1024**2
    assert size_bytes("1 TB", 1000) == 10**12
    assert size_bytes("1000.2GB", 1000) == 1000200000000
    assert size_bytes("93.1  GB") is not None
    assert [size_bytes(text) for text in ("-", "", "Unknown", "0 KB", None)] == [None] * 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RAID 1+0", "RAID10"),
        ("raid10", "RAID10"),
        ("6", "RAID6"),
        ("RAID-1E", "RAID1E"),
        ("Raid5", "RAID5"),
        ("6 Reed-Solomon", "RAID6"),
        ("RAID 6 (ADG)", "RAID6"),
        ("container", "container"),
        ("JBOD", "JBOD"),
        ("-", None),
    ],
)
def test_a_level_has_one_name(text, expected):
    assert level(text) == expected
