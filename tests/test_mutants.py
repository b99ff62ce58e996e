"""Each check tells solutions with one slip, and solutions in unusual forms, apart from one another."""

import numpy as np
import pytest
from course import EXERCISES, STEMS
from mutants import main, mutants, refusals, verdict

from lstm_tutorial.exercises import register

SAMPLE = 2  # solutions with a slip for each exercise
NEW = [each for each in EXERCISES.values() if each.reference and register.__name__ not in each.reference.__globals__]
each_exercise = pytest.mark.parametrize("exercise", NEW, ids=lambda exercise: exercise.id)


@each_exercise
def test_unusual_but_right_forms_pass(exercise):
    assert list(refusals(exercise)) == []


@each_exercise
def test_a_sample_of_slips_is_refused(exercise):
    found = mutants(exercise.id)
    rng = np.random.default_rng(len(found))
    for k in rng.permutation(len(found))[:SAMPLE]:
        source, mutant = found[k]
        kind, message = verdict(exercise, mutant)
        assert kind != "wrongly accepted", f"{source}\n{message}"


@pytest.mark.release
@pytest.mark.parametrize("stem", STEMS)
def test_every_slip_is_refused_and_most_are_named(stem, capsys):
    with capsys.disabled():
        count = main([stem])
    assert not count["wrongly accepted"] and not count["wrongly refused"]
