"""Each check tells solutions with one slip, and solutions in unusual forms, apart; `mutants.py` tries all slips."""

import sys

import numpy as np
import pytest
from course import EXERCISES, STEMS, named
from mutants import Tally, limits, mutants, refusals, verdict

from lstm_tutorial.exercises import check

SAMPLE = 2  # solutions with a slip for each exercise
each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


@pytest.mark.slow
@each_exercise
def test_unusual_but_right_forms_pass(exercise):
    assert list(refusals(exercise)) == []


@pytest.mark.slow
@each_exercise
def test_a_sample_of_slips_is_refused(exercise):
    found = mutants(exercise.id)
    rng = np.random.default_rng(len(found))
    for k in rng.permutation(len(found))[:SAMPLE]:
        source, mutant = found[k]
        kind, message = verdict(exercise, mutant)
        assert kind != "wrongly accepted", f"{source}\n{message}"


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is one of Linux")
def test_a_slip_cannot_take_all_memory():
    with limits(seconds=60):
        result = check(named(lambda: np.zeros(2**33), "kept_by_hand"))
    assert "MemoryError" in result.message


@pytest.mark.release
@pytest.mark.parametrize("stem", STEMS)
def test_every_slip_is_refused_and_most_are_named_or_placed(stem):
    tally = Tally(stem)
    assert tally.accepted == []
    found = tally.count["named"] + tally.count["placed"]
    assert found >= 0.8 * (tally.count["refused"] - tally.count["by hand"]), "\n".join(tally.unnamed)
