"""The model of fleets that nobody can measure here: docs/scale.md has what it computes."""

import pytest

from benchmarks import model
from benchmarks.model import Fleet


def test_the_tables_of_the_manual_are_those_that_the_program_prints():
    assert model.documented() == model.markdown(), "./dev bench model --write"


@pytest.mark.parametrize("machines", model.FLEETS)
@pytest.mark.parametrize("seconds", model.INTERVALS.values())
def test_every_report_is_of_one_kind(machines, seconds):
    fleet = Fleet(machines, seconds)
    for rates in (fleet.rates(), fleet.in_a_wave()):
        assert min(rates.values()) >= 0
    assert sum(fleet.rates().values()) == pytest.approx(machines / seconds)


def test_a_fleet_of_ten_times_the_size_asks_for_ten_times_as_much():
    small, large = Fleet(1_000_000, 900), Fleet(10_000_000, 900)
    for what in ("reports", "salt_cores", "engine_cores", "wal", "disk", "hot", "masters"):
        ratio = getattr(large, what)() / getattr(small, what)()
        assert ratio == pytest.approx(10, rel=0.05), what
    assert large.servers() == 10


def test_what_is_short_first_comes_first_and_is_short_with_so_many_machines():
    steps = model.steps(900)
    assert [one.machines for one in steps] == sorted(one.machines for one in steps)
    disk = next(one for one in steps if one.what.startswith("disk"))
    assert Fleet(disk.machines, 900).disk() == pytest.approx(model.value("server_disk"))


def test_every_constant_says_where_it_comes_from():
    for one in (*model.CONSTANTS.values(), *model.LIMITS.values()):
        assert one.value > 0
        assert one.source
