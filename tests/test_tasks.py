"""The data sets are what they say, seeded, and their lengths mean something."""

import numpy as np
import pytest

from lstm_tutorial.data import tasks


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


def test_first_symbol_stands_first_and_noise_after_it():
    x, lengths, y = tasks.first_symbol(2000, 12, rng=0)
    assert x.shape == (2000, 12, 2) and x.dtype == np.float32 and y.shape == (2000,) and (lengths == 12).all()
    np.testing.assert_array_equal(x[:, 0], np.stack([2 * y - 1, 0 * y], axis=1))
    assert set(y) == {0, 1} and abs(y.mean() - 0.5) < 0.05 and not x[:, 1:, 0].any()
    noise = x[:, 1:, 1]
    assert abs(noise.mean()) < 0.03 and abs(noise.std() - 1) < 0.03  # a standard error of 0.007
    assert abs(np.corrcoef(noise.sum(axis=1), y)[0, 1]) < 0.1  # the noise does not tell


@pytest.mark.parametrize("task", [tasks.adding_problem, tasks.copy_memory, tasks.first_symbol, tasks.latch])
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


def answers(question, x, lengths):
    """Answer each question the slow way, from what a reader sees."""
    for sequence, length in zip(x, lengths, strict=True):
        symbols, marks = sequence[:length, :-1].argmax(axis=1), sequence[:length, -1]
        yield {
            "exists": int(0 in symbols),
            "average": int(2 * np.isin(symbols, range((x.shape[2] - 1) // 2)).sum() > length),
            "final": symbols[-1],
            "marked": symbols[marks.argmax()],
        }[question]


@pytest.mark.parametrize("question", ["exists", "average", "final", "marked"])
@pytest.mark.parametrize("min_length", [None, 1])
def test_a_question_about_symbols_has_one_right_answer(question, min_length):
    x, lengths, y = tasks.symbol_question(question, 4000, 12, symbols=6, min_length=min_length, rng=0)
    assert x.shape == (4000, 12, 7) and x.dtype == np.float32 and y.shape == (4000,)
    assert set(lengths) == ({12} if min_length is None else set(range(1, 13)))
    valid = np.arange(12) < lengths[:, None]
    assert (x[..., :-1].sum(axis=-1) == valid).all() and not x[~valid].any()
    assert (x[..., -1].sum(axis=1) == (question == "marked")).all()
    assert list(answers(question, x, lengths)) == y.tolist()
    share = np.bincount(y) / len(y)
    assert np.abs(share - 1 / len(share)).max() < 0.03  # standard deviation at most 0.008
    if question == "exists":
        assert ((x[..., 0] == 1).sum(axis=1) == y).all()


@pytest.mark.parametrize("question, channel", [("exists", 0), ("marked", -1)])
@pytest.mark.parametrize("position, index", [(0, 0), (0.5, 5), (1, 10)])
def test_a_needle_stands_where_it_is_put(question, channel, position, index):
    x, _, _ = tasks.symbol_question(question, 200, 11, position=position, rng=0)
    assert set(np.flatnonzero(x[..., channel].sum(axis=0))) == {index}
    ragged = tasks.symbol_question("marked", 200, 11, position=1, min_length=2, rng=0)
    assert (ragged.x[..., -1].argmax(axis=1) == ragged.lengths - 1).all()


def test_noise_has_its_spread_and_leaves_the_padding_alone():
    quiet, loud = (tasks.symbol_question("final", 500, 20, noise=s, min_length=5, rng=3) for s in (0, 0.5))
    valid = np.arange(20) < quiet.lengths[:, None]
    assert (quiet.y == loud.y).all() and not loud.x[~valid].any()
    assert abs((loud.x - quiet.x)[valid].std() - 0.5) < 0.01


@pytest.mark.parametrize(
    "options, message",
    [
        ({"question": "first"}, "question must be one of 'exists', 'average', 'final', 'marked', got 'first'"),
        ({"symbols": 3}, "symbols must be even, got 3"),
        ({"symbols": 0}, "symbols must be an integer >= 1, got 0"),
        ({"noise": -1}, "noise must be a number from 0 to inf, got -1"),
        ({"position": 1.5}, "position must be a number from 0 to 1, got 1.5"),
        ({"min_length": 13}, "min_length must lie between 1 and T = 12, got 13"),
    ],
)
def test_questions_that_cannot_be_asked_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        tasks.symbol_question(**{"question": "final", "B": 3, "T": 12} | options)
