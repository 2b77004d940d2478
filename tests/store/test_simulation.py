"""
Fleets with all that happens to them, and liars among them: the store is right about each machine.

300 machine-weeks, of which a third is played again in another order of arrival; ten
thousand are played by ``./dev fuzz fleet``. The stories are told by tests/simulation.
"""

import pytest

from tests.simulation import run

FLEETS = (
    run.Options(seed=1, machines=40, weeks=5),
    run.Options(seed=3, machines=50, weeks=2, rate=2),
)


@pytest.fixture(scope="module", params=FLEETS, ids=lambda one: f"seed {one.seed}")
def played(request, new_database):
    return run.play(new_database(), request.param)


def told(played):
    """The first finding of each rule as a story, for a failure that explains itself."""
    return "\n\n".join(["", *played.figures(), *map(played.story, played.firsts())])


def test_nothing_is_taken_nobody_is_invisible_and_no_change_is_lost_or_false(played):
    assert not played.findings, told(played)


def test_the_story_has_what_makes_it_hard(played):
    happened = "\n".join(line for one in played.world.fleet.machines for line in one.story)
    for words in ("is renamed", "is reinstalled", "boots", "attacks", "is switched off"):
        assert words in happened
    assert any("the store is away" in line for line in played.world.story)
    assert played.judge.outcomes["held"] > 0


def test_the_end_is_the_same_for_another_order_of_arrival(played, new_database):
    other = run.play(new_database(), played.options._replace(order=7))
    assert run.dump(other) == run.dump(played), played.options.line()
