"""Which name a machine says it had, what proves it, and what a process that ends leaves."""

import random
from hashlib import sha256

import pytest

from salt_ext.report import name_file
from salt_ext.report.name_file import Name, Names

SECRET = "a" * 64
OTHER = "b" * 64


def moment(number):
    return f"2026-11-21T08:{number // 60 % 60:02d}:{number % 60:02d}.{number // 3600:03d}Z"


def stored(name, at):
    return {"status": "stored", "name": name, "collected_at": at}


def held(at):
    return {"status": "held", "name": "", "collected_at": at}


def reported(names, minion_id, at):
    """The names after a report that the master has taken."""
    return name_file.taken(name_file.asking(names, minion_id, at), minion_id, at)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "cmdb/name")


@pytest.fixture
def known():
    """The names of a machine that the master knows as web01, since a moment ago."""
    names = reported(Names(), "web01", moment(1))
    return name_file.answered(names, "web01", stored("web01", moment(1)))


# What is said


def test_the_first_report_has_a_new_secret_and_no_previous_name():
    names, other = (name_file.asking(Names(), "web01", moment(1)) for _ in range(2))
    own = names.own("web01")
    assert own.secret_hash() == sha256(own.secret.encode()).hexdigest()
    assert own.secret != other.own("web01").secret
    assert names.previous("web01") is None


def test_a_report_under_the_same_name_keeps_the_secret_and_moves_the_moment(known):
    after = reported(known, "web01", moment(2))
    assert after.names == (known.own("web01")._replace(collected_at=moment(2)),)


def test_a_report_that_the_master_did_not_take_does_not_move_the_moment(known):
    assert name_file.asking(known, "web01", moment(2)).names == known.names


def test_a_renamed_machine_shows_the_old_names_secret_and_moment_until_it_is_answered(known):
    old = known.own("web01")
    names = known
    for number in (2, 3, 4):
        names = name_file.asking(names, "db01", moment(number))
        proof = names.previous("db01").proof()
        assert names.previous("db01").name == "web01"
        assert proof == {"secret": old.secret, "collected_at": moment(1)}
        names = name_file.taken(names, "db01", moment(number))
    after = name_file.answered(names, "db01", stored("db01", moment(4)))
    assert after.previous("db01") is None
    assert after.own("db01") == names.own("db01")
    # What was shown is never a secret again.
    assert after.own("db01").secret != old.secret


def test_the_hash_beside_a_proof_is_that_of_the_next_secret(known):
    """The master has it when it takes the name, so the next rename can be proved at once."""
    names = reported(known, "db01", moment(2))
    sent = names.own("db01").secret_hash()
    after = name_file.answered(names, "db01", stored("db01", moment(2)))
    again = name_file.asking(after, "db02", moment(3))
    assert sha256(again.previous("db02").proof()["secret"].encode()).hexdigest() == sent
    assert again.previous("db02").proof()["collected_at"] == moment(2)


def test_an_answer_to_another_report_than_the_last_changes_nothing(known):
    names = reported(reported(known, "db01", moment(2)), "db01", moment(3))
    assert name_file.answered(names, "db01", stored("db01", moment(2))) is None
    assert name_file.answered(names, "db01", {"status": "stored", "name": "db01"}) is None
    assert name_file.answered(Names(), "db01", {"status": "stored", "name": "db01"}) is None


def test_the_answer_may_come_before_it_is_noted_that_the_master_took_the_report(known):
    asked = name_file.asking(known, "db01", moment(2))
    after = name_file.answered(asked, "db01", stored("db01", moment(2)))
    assert after.names == (asked.own("db01")._replace(collected_at=moment(2)),)
    assert name_file.taken(after, "db01", moment(2)) == after


def test_a_machine_that_is_kept_under_its_old_name_proves_that_one_by_its_last_report(known):
    names = reported(known, "db01", moment(2))
    after = name_file.answered(names, "db01", stored("web01", moment(2)))
    assert after.names == (Name("web01", names.own("db01").secret, moment(2)),)
    again = name_file.asking(after, "db01", moment(3))
    assert again.previous("db01").proof()["collected_at"] == moment(2)
    assert again.own("db01").secret not in (None, names.own("db01").secret)


@pytest.mark.parametrize("status", ["held", "refused", "waiting"])
def test_what_is_not_stored_leaves_the_old_name_and_its_proof(known, status):
    names = reported(known, "db01", moment(2))
    after = name_file.answered(names, "db01", held(moment(2)) | {"status": status})
    assert after.previous("db01") == known.own("web01")


@pytest.mark.parametrize("name", ["", None, 7, "x" * 256, "a\nb", "\udcff"])
def test_a_name_that_is_none_is_not_taken_from_an_answer(known, name):
    names = reported(known, "db01", moment(2))
    assert name_file.answered(names, "db01", stored(name, moment(2))) == names


def test_renamed_twice_before_an_answer_it_says_what_it_last_reported_as(known):
    names = reported(reported(known, "db01", moment(2)), "db02", moment(3))
    assert names.previous("db02").proof() == names.own("db01").proof()
    # The master did not know it as that: so it tries the name before, and then that one again.
    names = name_file.answered(names, "db02", held(moment(3)))
    assert names.previous("db02") == known.own("web01")
    names = name_file.answered(reported(names, "db02", moment(4)), "db02", held(moment(4)))
    assert names.previous("db02").name == "db01"


def test_a_name_under_which_no_report_was_taken_is_not_said(known):
    names = name_file.asking(known, "db0l", moment(2))  # a slip of the pen
    names = name_file.asking(names, "db01", moment(3))
    assert names.previous("db01") == known.own("web01")


def test_renamed_back_before_an_answer_it_says_so(known):
    names = reported(known, "db01", moment(2))
    back = name_file.asking(names, "web01", moment(3))
    assert back.previous("web01") == names.own("db01")
    assert back.own("web01").secret == known.own("web01").secret
    after = name_file.answered(back, "web01", stored("web01", moment(3)))
    assert [one.name for one in after.names] == ["web01"]


def test_only_some_names_are_kept(known, path):
    names = known
    for number in range(20):
        names = reported(names, f"db{number}", moment(number))
    last = [f"db{number}" for number in range(20 - name_file.MOST_NAMES, 20)]
    assert [one.name for one in names.names] == last
    name_file.write(path, names)
    assert name_file.read(path) == names
    # The present one is never forgotten, wherever it stands.
    first = names._replace(names=(Name("own", SECRET), *names.names))
    assert reported(first, "own", moment(20)).own("own").secret == SECRET


def test_a_name_that_was_answered_to_be_another_is_not_noted_again(known):
    asked = name_file.asking(known, "db01", moment(2))
    after = name_file.answered(asked, "db01", stored("web01", moment(2)))
    assert name_file.taken(after, "db01", moment(2)) == after


# A master that believes what it must, and machines whose answers and reports get lost


class Master:
    """What the store knows of one machine, by the rule of the protocol."""

    def __init__(self):
        self.name = None
        self.secret_hash = None
        self.collected_at = None
        self.cache = {}

    def put(self, minion_id, at, names):
        previous = names.previous(minion_id)
        self.cache.pop(minion_id, None)
        self.cache[minion_id] = (at, names.own(minion_id).secret_hash(), previous)

    def look(self):
        """Store what the cache has; yield an answer for each report."""
        for minion_id in [*self.cache]:
            at, secret_hash, previous = self.cache.pop(minion_id)
            if self.name in (None, minion_id) or self.believes(previous):
                self.name, self.secret_hash, self.collected_at = minion_id, secret_hash, at
                yield stored(minion_id, at)
            else:
                yield held(at)

    def believes(self, previous):
        if previous is None or previous.name != self.name or previous.secret is None:
            return False
        shown = sha256(previous.secret.encode()).hexdigest()
        return (shown, previous.collected_at) == (self.secret_hash, self.collected_at)


@pytest.mark.parametrize("seed", range(100))
def test_however_often_it_is_renamed_and_whatever_is_lost_it_is_known_in_the_end(path, seed):
    """Reports that do not arrive, a store that is away, answers that are lost."""
    choose = random.Random(seed)
    master, minion_id, number = Master(), "web01", 0

    def report(arrives, is_stored, is_answered):
        nonlocal number
        number += 1
        names = name_file.asking(name_file.read(path), minion_id, moment(number))
        name_file.write(path, names)
        if arrives:
            master.put(minion_id, moment(number), names)
            name_file.write(path, name_file.taken(names, minion_id, moment(number)))
        for answer in [*master.look()] if is_stored else []:
            after = name_file.answered(name_file.read(path), minion_id, answer)
            if is_answered and after is not None:
                name_file.write(path, after)

    def often():
        return choose.random() < 0.7

    report(True, True, True)
    for _ in range(40):
        if choose.random() < 0.3:
            minion_id = choose.choice(["web01", "web02", "db01"])
        report(often(), often(), often())
    for _ in range(name_file.MOST_NAMES):
        report(True, True, True)
    assert master.name == minion_id
    # And the next rename is believed at once.
    minion_id = "new01"
    report(True, True, True)
    assert master.name == minion_id
    assert [one.name for one in name_file.read(path).names] == [minion_id]


def test_a_clone_has_the_moment_of_a_report_that_is_not_the_last(known):
    master = Master()
    master.put("web01", moment(1), known)
    assert [*master.look()] == [stored("web01", moment(1))]
    clone = known
    original = reported(known, "web01", moment(2))
    master.put("web01", moment(2), original)
    assert [*master.look()] == [stored("web01", moment(2))]
    master.put("thief", moment(3), name_file.asking(clone, "thief", moment(3)))
    assert [*master.look()] == [held(moment(3))]
    master.put("db01", moment(4), name_file.asking(original, "db01", moment(4)))
    assert [*master.look()] == [stored("db01", moment(4))]
