"""The data sets are what they say, seeded, and their lengths mean something."""

import numpy as np
import pytest

from lstm_tutorial import tasks


@pytest.mark.parametrize("min_length", [None, 2, 7])
def test_adding_problem_marks_one_number_in_each_half_and_asks_their_sum(min_length):
    x, lengths, y = tasks.adding_problem(500, 20, min_length=min_length, rng=0)
    assert x.shape == (500, 20, 2) and x.dtype == y.dtype == np.float32 and y.shape == (500, 1)
    assert lengths.min() == (min_length or 20) and lengths.max() == 20
    for sequence, length, total in zip(x, lengths, y, strict=True):
        marked = np.flatnonzero(sequence[:, 1])
        assert len(marked) == 2 and marked[0] < length // 2 <= marked[1] < length
        assert total == sequence[marked, 0].sum(dtype=np.float32) and not sequence[length:].any()
    numbers = x[np.arange(20) < lengths[:, None]][:, 0]
    assert numbers.min() >= 0 and numbers.max() < 1 and abs(numbers.mean() - 0.5) < 0.02


def test_the_constant_answer_to_the_adding_problem_costs_a_sixth():
    y = tasks.adding_problem(200_000, 4, rng=0).y
    assert abs(np.mean((y - 1) ** 2) - 1 / 6) < 0.002  # standard deviation of the estimate: 0.0005


def test_copy_memory_asks_for_the_symbols_in_order_after_the_wait():
    x, lengths, y = tasks.copy_memory(50, 12, symbols=5, span=3, rng=0)
    assert x.shape == (50, 18, 7) and y.shape == (50, 18) and (lengths == 18).all()
    assert (x.sum(axis=-1) == 1).all() and ((x == 0) | (x == 1)).all()
    tokens = x.argmax(axis=-1)
    np.testing.assert_array_equal(tokens[:, :3], y[:, -3:])
    assert set(np.unique(tokens[:, :3])) == set(range(5))
    assert (tokens[:, 14] == 6).all() and (y[:, :15] == 5).all()  # the go sign comes where the wait of 12 ends
    rest = np.delete(tokens, [0, 1, 2, 14], axis=1)
    assert (rest == 5).all()


def test_latch_says_which_pulse_came_last():
    x, lengths, y = tasks.latch(200, 30, rate=0.2, min_length=5, rng=0)
    assert lengths.min() >= 5 and x.shape == (200, 30, 2) and y.shape == (200, 30)
    assert not (x[..., 0] * x[..., 1]).any()
    for sequence, length, answers in zip(x, lengths, y, strict=True):
        state = 0
        for t in range(length):
            state = 1 if sequence[t, 0] else 0 if sequence[t, 1] else state
            assert answers[t] == state
        assert not sequence[length:].any() and not answers[length:].any()
    valid = np.arange(30) < lengths[:, None]
    assert np.abs(x[valid].mean(axis=0) - 0.2).max() < 0.03  # about 3,500 steps: a standard deviation of 0.007


@pytest.mark.parametrize("task", [tasks.adding_problem, tasks.copy_memory, tasks.latch])
def test_a_seed_gives_the_same_data_and_another_seed_other_data(task):
    one, same, other = task(4, 10, rng=1), task(4, 10, rng=np.random.default_rng(1)), task(4, 10, rng=2)
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (one.x != other.x).any()


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: tasks.adding_problem(0, 5), "B must be an integer >= 1, got 0"),
        (lambda: tasks.adding_problem(5, 1), "T must lie between 2 and infinity, got 1"),
        (lambda: tasks.adding_problem(5, 9, min_length=1), "min_length must lie between 2 and T = 9, got 1"),
        (lambda: tasks.latch(5, 9, min_length=10), "min_length must lie between 1 and T = 9, got 10"),
        (lambda: tasks.latch(5, 9, rate=0.6), "rate must be a number from 0 to 0.5, got 0.6"),
        (lambda: tasks.copy_memory(5, 9, span=0), "span must be an integer >= 1, got 0"),
    ],
)
def test_impossible_tasks_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
