"""The formula on a real minion: afterwards it reports on its own."""

import pytest

PILLAR = 'pillar={"cmdb_formula": {"interval_seconds": 1, "splay_seconds": 0}}'


@pytest.fixture
def apply(fleet):
    def state_apply(*options):
        command = ("state.apply", "cmdb", PILLAR, *options, "--static")
        states = fleet.json("salt", "web01", *command)["web01"]
        assert all(one["result"] is not False for one in states.values()), states
        return {one["__id__"]: one for one in states.values()}

    yield state_apply
    fleet.json("salt", "web01", "schedule.delete", "cmdb_collect", "--static")


def test_the_formula_makes_a_minion_report_itself(fleet, eventually, apply):
    apply("test=True")
    assert fleet.json("salt", "web01", "schedule.list", "return_yaml=False", "--static") == {
        "web01": {}
    }

    first = apply()
    assert first["cmdb_collect"]["changes"]
    eventually(lambda: fleet.asset(fleet.web01))

    new = fleet.flash("3.0.0")
    eventually(lambda: fleet.bios_version(fleet.web01) == new)
    assert fleet.asset(fleet.web01)["mode"] == "agent"

    second = apply()
    assert [id_ for id_, one in second.items() if one["changes"]] == []
