"""Which of two disks is ranked higher, and in which words it is said why."""

import json
import sys

import pytest

from benchmarks import prediction as bench
from salt_ext.store.prediction import (
    PRIOR_YEARS,
    Evidence,
    Rate,
    compared,
    counted,
    evidence,
    yearly_rate,
)
from tests.corpus import CORPUS

DATA = CORPUS and CORPUS.parent / "data" / "hds.csv.xz"


@pytest.mark.parametrize(
    ("higher", "lower"),
    [
        ({"pending": 1, "reallocated": 1}, {"pending": 999}),
        ({"pending": 1, "uncorrectable": 1, "reallocated": 1}, {"pending": 900, "reallocated": 9}),
        ({"pending": 1, "uncorrectable": 1, "reallocated": 1}, {"pending": 60000}),
        ({"pending": 1000}, {"pending": 999}),
        ({"pending": 1}, {"pending": 0, "command_timeouts": 9000, "interface_crc_errors": 9000}),
    ],
)
def test_more_counters_rank_higher_and_a_large_one_is_two_and_188_does_not_count(higher, lower):
    assert evidence(higher) > evidence(lower)
    assert evidence(higher, 0.001) > evidence(lower, 0.5)


def test_of_as_many_counters_the_model_that_fails_more_often_ranks_higher():
    assert evidence({"pending": 9}, 0.1) > evidence({"reallocated": 900}, 0.02)
    assert evidence({"pending": 1000}, 0.1) > evidence({"reallocated": 1, "pending": 1}, 0.02)


def test_a_disk_that_counts_nothing_or_tells_nothing_has_no_evidence():
    assert evidence({}) == evidence(dict.fromkeys(("pending", "uncorrectable"), 0)) == Evidence()
    assert counted({"command_timeouts": 7}) == ""


def test_a_counter_of_any_size_is_ranked():
    for count in (1e300, float("inf"), 10**40):
        assert evidence({"pending": count}) == Evidence(2)
    assert evidence({"pending": 0.5}) == Evidence(1)
    assert evidence({"pending": -5}) == Evidence()


def test_the_words_name_each_counter_by_its_attribute():
    assert counted({"pending": 8}) == "1 of 4 SMART counters is not zero: 197 pending 8"
    assert counted({"uncorrectable": 8, "reported_uncorrectable": 2, "reallocated": 0}) == (
        "2 of 4 SMART counters are not zero: 187 reported uncorrectable 2, 198 uncorrectable 8"
    )
    assert counted({"reallocated": 1200}) == (
        "1 of 4 SMART counters is not zero: 5 reallocated 1200 (counts as two)"
    )
    known = Rate(0.0312, PRIOR_YEARS)
    assert compared(known, 0.012) == "its model fails 3.1 % a year here, the fleet 1.2 %"


def test_the_rate_of_a_model_of_which_less_is_known_than_is_given_to_it_is_not_told():
    assert compared(Rate(0.83, PRIOR_YEARS - 1), 0.83) == ""


def test_a_model_with_few_disks_is_judged_by_the_fleet_and_one_with_many_by_itself():
    assert yearly_rate(0, 0, 0.02) == pytest.approx(0.02)
    assert yearly_rate(1, 3, 0.02) == pytest.approx(2 / 53)
    assert yearly_rate(500, 5000, 0.02) == pytest.approx(0.1, rel=0.01)
    assert yearly_rate(0, 0, 0) == 0


def disk(model, *counts, fails=False):
    return bench.Disk(model, [0.0], [(*counts, 0, 0)[:5]], 2400.0, fails)


def test_the_benchmark_counts_what_a_rule_flags_and_what_failed_of_that():
    ill = [disk("A", 1, 1, 1, fails=True)] * 600 + [disk("A", 1, 1, 1)] * 200
    disks = ill + [disk("A", 0, 0, 0, fails=True)] * 200 + [disk("A", 0, 0, 0)] * 9000
    result = bench.measure(disks, range(2))
    assert (result["failures"], result["failures_without_a_sign"]) == (800, 200)
    [flagged] = [row for row in result["rules"] if row["rule"].startswith("`warning`")]
    # A moment is anywhere in 100 days: three of ten fail in the next 30, and three of ten of
    # those that do not fail are not watched for so long.
    assert flagged["flagged"] == pytest.approx([740 / 7240] * 2, rel=0.1)
    assert flagged["precision_30"] == pytest.approx([180 / 740] * 2, abs=0.06)
    assert flagged["recall_30"] == pytest.approx([180 / 240] * 2, abs=0.1)


@pytest.mark.skipif(not (DATA and DATA.is_file()), reason="the disks are not beside this checkout")
def test_the_order_is_as_good_as_it_is_promised_to_be(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["prediction", str(DATA), "--json"])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert not ended.value.code
    result = json.loads(capsys.readouterr().out)
    assert (result["disks"], result["failures"]) == (87068, 5326)
    mean = {
        (rule, figure): bench.mean(result, rule, figure)
        for rule in (bench.OURS, bench.FORMER, "every disk: the base rate")
        for figure in bench.FIGURES
    }
    assert mean["every disk: the base rate", "precision_30"] == pytest.approx(0.011, abs=0.001)
    assert mean[bench.OURS, "precision_30"] >= 0.23 > mean[bench.FORMER, "precision_30"]
    assert mean[bench.OURS, "recall_30"] >= 0.20 > mean[bench.FORMER, "recall_30"]
    worst = [row for row in result["rules"] if row["rule"] in (bench.OURS, bench.FORMER)]
    ours, former = (row["precision_30"] for row in worst)
    assert all(one > other for one, other in zip(ours, former, strict=True))
    assert min(ours) >= 0.2


def test_a_file_that_is_not_there_is_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["prediction", "/nowhere/disks.csv.xz"])
    with pytest.raises(SystemExit):
        bench.main()
    assert "there is no file /nowhere/disks.csv.xz: name one" in capsys.readouterr().err
