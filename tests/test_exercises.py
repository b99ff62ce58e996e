"""The engine finds every kind of fault, takes every right answer, and leaves the session as it was."""
# ruff: noqa: NPY002

import contextlib
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch
from course import ROOT, named

from lstm_tutorial import in_numpy
from lstm_tutorial.exercises import Box, Exercise, Trial, check, draw_sizes, exercise, first_match, registry
from lstm_tutorial.exercises.guarded import BETWEEN, Guard, OutOfTime


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A right answer is not stopped because other programs run beside the tests."""
    monkeypatch.setenv("LSTM_TUTORIAL_SECONDS", "60")


# The engine, on exercises of its own


@pytest.fixture
def fake(monkeypatch):
    """An empty registry, and `try_out(answer, draw, reference, ...)`, which checks an answer to one exercise in it."""
    monkeypatch.setattr(registry, "REGISTRY", {})

    def try_out(answer, draw, reference, **fields):
        registry.REGISTRY.clear()
        fields |= {"draw": lambda trial: draw(trial.rng), "reference": reference}
        registry.add(Exercise(id="fake", chapter="gates", title="A fake", **fields))
        return check(named(answer, "fake"))

    return try_out


def draw_batch(rng):
    B, H = draw_sizes(rng, 2)
    return (rng.normal(size=(B, H)),)


def draw_sequence(rng):
    return (rng.normal(size=(7, *draw_sizes(rng, 2))),)


def draw_two(rng):
    return tuple(rng.normal(size=(2, 3, 4)))


def draw_gate_rows(rng):
    H, D = draw_sizes(rng, 2, low=2)
    return (rng.normal(size=(4 * H, D)),)


def draw_square(rng):
    return (rng.normal(size=(4, 4)),)


def by_hand(rng):
    return ()


def gates(w, order):
    """Put the rows of gates and candidate in another order."""
    return np.concatenate([np.split(w, 4)[k] for k in order])


def softplus(x):
    return np.log1p(np.exp(x))


def scaled(x, rows):
    """Return tanh(x), wrong in some rows."""
    y = np.tanh(x)
    y[rows] *= 3 + y[rows] ** 2
    return y


STRUCTURE = [  # what came for an answer (B, H), and what must be said
    (lambda x: x.tolist(), "`h` is a list where a NumPy array is expected. It is read as one. The tanh is missing"),
    (lambda x: torch.tensor(x), "`h` is a torch tensor where a NumPy array is expected. It is read as one."),
    (lambda x: (x, x), "`h` (a list, read as an array) has shape (2, 6, 7)"),
    (lambda x: [[1], [1, 2]], "`h` is a list whose entries have different shapes"),
    (lambda x: 3.0, "`h` is a number where a NumPy array"),
    (lambda x: np.tanh(x).sort(), "it returned None: is the `return` missing?"),
    (lambda x: x[0], "where (6, 7) is expected: is the batch axis lost?"),
    (lambda x: x[:, 0], "is the hidden axis lost?"),
    (lambda x: x[None], "is axis 0, of length 1, one too many?"),
    (lambda x: x.T, "has shape (7, 6) where (6, 7) is expected: is it transposed?"),
    (lambda x: np.vstack([x[:1], x]), "the batch axis is one too long."),
    (lambda x: np.hstack([x, x]), "has shape (6, 14) where (6, 7) is expected: the hidden axis is too long."),
    (lambda x: x[None, None], "2 axes are expected"),
    (lambda x: np.ones((7, 5)), "has shape (7, 5) where (6, 7) is expected."),
    (lambda x: x > 0, "`h` holds bool where float64 is expected"),
    (lambda x: x + 1j, "`h` holds complex128 where float64 is expected"),
    (lambda x: np.full(x.shape, None), "`h`: 42 of 42 values are NaN or infinite"),
]


@pytest.mark.parametrize("answer, words", STRUCTURE)
def test_another_structure_is_named(fake, answer, words):
    def draw(rng):
        return (rng.normal(size=(6, 7)),)

    result = fake(answer, draw, lambda x: np.tanh(x), names=("h",), axes=("B H",))
    assert words.lower() in result.message.lower()
    assert result.attempted and not result.passed and result.points == 0 and not result


ON_A_BATCH = [  # what came for tanh(x), (B, H), and what must be said
    (np.sin, "values differ, by up to"),
    (lambda x: -np.tanh(x), "every value has the wrong sign"),
    (lambda x: 2.5 * np.tanh(x), "every value is 2.5 times what is expected"),
    (lambda x: np.tanh(x) + 1, "every value is 1 too large"),
    (lambda x: np.tanh(x) - 0.5, "every value is 0.5 too small"),
    (lambda x: np.zeros_like(x), "all values are the same"),
    (lambda x: np.tanh(x) * np.inf, "values are NaN or infinite"),
    (lambda x: np.tanh(x[:1]) + 0 * x, "right for one sample, but not for a batch"),
    (lambda x: np.tanh(x) if len(x) > 1 else 9 * x, "right for a batch, but not for one sample"),
    (lambda x: np.tanh(x) if x.dtype == float else x + 9, "right in float64 only"),
    (lambda x: np.tanh(x) * (1 + (x.shape[1] == 7)), "of 12 trials. every value is 2 times"),
]
ON_A_SEQUENCE = [  # what came for tanh(x), (T, B, H) with T = 7
    (lambda x: np.tanh(x[::-1]), "the values are right, but in reverse along the time axis"),
    (lambda x: np.tanh(np.roll(x, 1, axis=0)), "right, but one place late along the time axis"),
    (lambda x: np.tanh(np.roll(x, -1, axis=0)), "right, but one place early along the time axis"),
    (lambda x: scaled(x, [1, 2, 3, 4, 5, 6]), "right at the first place along the time axis, wrong from the second on"),
    (lambda x: scaled(x, [0, 1, 2, 3, 4, 5]), "right at the last place along the time axis alone"),
    (lambda x: scaled(x, [0]), "wrong at the first place along the time axis alone"),
    (lambda x: scaled(x, [6]), "wrong at the last place along the time axis alone"),
    (lambda x: scaled(x, [2, 4]), "right at 5 of 7 places along the time axis, wrong at the others"),
]
ON_GATE_ROWS = [  # what came for tanh(w), (4H, D)
    (lambda w: gates(np.tanh(w), [0, 2, 1, 3]), "the rows of the gates are right, but not in the order i, f, g, o"),
    (lambda w: scaled(w, [0]), "the rows of i are wrong, those of the other gates are right"),
    (lambda w: scaled(w, [0, -1]), "the rows of i and o are wrong"),
    (np.sin, "values differ, by up to"),
]
OF_A_KIND = [  # inputs, what is expected, what came
    (draw_batch, lambda x: x > 0, lambda x: x <= 0, "every truth value is the other one"),
    (draw_batch, lambda x: bool(x.sum() > 0), lambda x: True, "that is not it"),
    (draw_batch, lambda x: "open" if x.sum() > 0 else "shut", lambda x: "ajar", "that is not it"),
    (draw_batch, lambda x: float(x.sum()), lambda x: -x.sum(), "it has the wrong sign"),
    (draw_batch, lambda x: x.sum(), lambda x: abs(x).sum() + 1, "the number is too large"),
    (draw_batch, lambda x: x.sum(), lambda x: 100 * x.sum(), "it is 100 times what is expected: a percentage"),
    (draw_batch, lambda x: x @ x.T / 2, lambda x: x @ x.T, "every value is 2 times what is expected"),
    (draw_two, lambda x, y: x * y + np.sin(x), lambda x, y: x + np.sin(x), "it looks as if `y` were 1 everywhere"),
    (by_hand, lambda: 0.25, lambda: 25.0, "not yet. the number is too large."),
    (draw_batch, lambda x: x.sum(), lambda x: np.array(x.sum() - 1), "the number is too small"),
    (draw_square, np.tanh, lambda x: np.tanh(x).T, "the values are right, but transposed"),
    (draw_square, np.tanh, lambda x: np.tanh(x[::-1]), "in reverse along axis 0"),
    (draw_sequence, np.tanh, lambda x: x.transpose(1, 0, 2), "do the axes stand in another order?"),
    (by_hand, lambda: np.array([1.0, 2.0]), lambda: np.array([1.0, 2.5]), "not yet. 1 of 2 values differ."),
    (by_hand, lambda: np.array([1.0]), lambda: np.array([2.5]), "not yet. the value differs."),
    (by_hand, lambda: 0.25, lambda: 0.5, "not yet. the number is too large."),
    (by_hand, lambda: "latch", lambda: "counter", "that is not it"),
    (draw_batch, lambda x: x.mean(axis=0), lambda x: x.sum(axis=0), "times what is expected"),
    (draw_batch, np.tanh, lambda x: x, "the tanh is missing"),
    (draw_batch, lambda x: 1 / (1 + np.exp(-x)), lambda x: x, "the sigmoid is missing"),
    (draw_batch, np.exp, lambda x: np.exp(x[::-1]), "in reverse along axis 0"),
    (draw_batch, softplus, lambda x: softplus(-x), "it looks as if `x` had the wrong sign"),
    (draw_batch, np.exp, lambda x: np.exp(x.astype("float32")).astype(x.dtype), "right to five digits, no more"),
    (draw_batch, np.exp, lambda x: np.sort(np.exp(x), axis=0), "differ"),
    (draw_batch, np.argsort, lambda x: np.argsort(x) * 1.0, "holds float64 where whole numbers, int64, are expected"),
]


WRONG_VALUES = [(draw_batch, np.tanh, *each, ("B H",)) for each in ON_A_BATCH]
WRONG_VALUES += [(draw_sequence, np.tanh, *each, ("T B H",)) for each in ON_A_SEQUENCE]
WRONG_VALUES += [(draw_gate_rows, np.tanh, *each, ("4H D",)) for each in ON_GATE_ROWS]
WRONG_VALUES += [(*each, ()) for each in OF_A_KIND]


@pytest.mark.parametrize("draw, reference, answer, words, axes", WRONG_VALUES)
def test_wrong_values_are_told_apart(fake, draw, reference, answer, words, axes):
    assert words.lower() in fake(answer, draw, reference, axes=axes).message.lower()


RESULTS = [  # what came for (h, c), and what must be said
    (lambda x: (np.tanh(x), -x), "`h` is right; `c`: every value has the wrong sign."),
    (lambda x: (-np.tanh(x), x + 1), "`h`: every value has the wrong sign."),
    (lambda x: (x, np.tanh(x)), "right, but in another order: `h` holds `c` and `c` holds `h`"),
    (lambda x: np.tanh(x), "a NumPy array came where 2 results (h, c) are expected"),
    (lambda x: (x, x, x), "3 results came where 2 (h, c) are expected"),
    (lambda x: (np.tanh(x), ...), "`c` is still `...` where a NumPy array"),
    (lambda x: (np.tanh(x), None), "`c` is nothing (None) where a NumPy array"),
]


@pytest.mark.parametrize("answer, words", RESULTS)
def test_the_wrong_one_of_several_results_is_named(fake, answer, words):
    result = fake(answer, draw_batch, lambda x: (np.tanh(x), x), names=("h", "c"))
    assert words.lower() in result.message.lower()


def test_nested_results_and_dicts_are_walked_through(fake):
    def reference(x):
        return np.tanh(x), {"weight": x + 1, "bias": -x}

    fields = {"draw": draw_batch, "reference": reference, "names": ("output",)}
    assert fake(lambda x: [np.tanh(x), {"weight": x + 1, "bias": -x}], **fields).passed
    for answer, words in [
        (lambda x: (np.tanh(x), {"weight": x + 1, "bias": x}), "`output` and `weight` are right; `bias`: every value"),
        (lambda x: (np.tanh(x), {"weight": x + 1}), "the dict lacks 'bias'"),
        (lambda x: (np.tanh(x), {**reference(x)[1], "b": x}), "the dict has the unknown 'b'"),
        (lambda x: (np.tanh(x), x), "came where a dict with the keys weight, bias is expected"),
    ]:
        assert words in fake(answer, **fields).message.lower().replace("numpy", "NumPy")


def test_right_answers_pass_in_words_with_points(fake):
    result = fake(lambda x: np.tanh(x), draw_batch, np.tanh)
    assert result.passed and result.attempted and result.points == 1 and bool(result)
    assert repr(result) == "fake: right, on 12 random inputs."
    assert repr(fake(lambda: " Latch ", by_hand, lambda: "latch")) == "fake: right."
    assert fake(lambda: 0.501, by_hand, lambda: 0.5, tolerance=0.01).passed
    assert not fake(lambda: 0.51, by_hand, lambda: 0.5, tolerance=0.01).passed
    assert fake(lambda x: x * np.nan, draw_batch, lambda x: x * np.nan).passed, "NaN where NaN is expected"
    assert fake(lambda x: x * 0 + 1e-12, draw_batch, lambda x: x * 0).passed, "rounding where 0 is expected"


def ellipsis_stub(x):
    """Return the gate."""
    return ...


def two_ellipses_stub(x):
    """Return both states."""
    return ..., ...


@pytest.mark.parametrize("stub", [ellipsis_stub, two_ellipses_stub])
def test_a_stub_is_not_attempted(fake, stub):
    result = fake(stub, draw_batch, np.tanh)
    assert repr(result) == "fake: not attempted yet"
    assert not result.attempted and not result.passed


def raises_on_a_line(x):
    """Fail below the stub's docstring."""
    return x @ np.ones(99)


def calls_exit(x):
    sys.exit("bye")


def wants_another_argument(x, h):
    return x


def test_an_exception_is_shown_with_the_learners_line_and_never_raised(fake):
    result = fake(raises_on_a_line, draw_batch, np.tanh)
    line = raises_on_a_line.__code__.co_firstlineno + 2
    assert "not yet. It raised ValueError: matmul" in result.message
    assert f"\n  line {line}: return x @ np.ones(99)\n  given: x (" in result.message
    assert result.attempted and not result.passed
    assert "It raised SystemExit: bye" in fake(calls_exit, draw_batch, np.tanh).message
    assert "missing 1 required positional argument: 'h'" in fake(wants_another_argument, draw_batch, np.tanh).message


def loops(x):
    """Never end."""
    n = 0
    while True:
        n += 1


def loops_and_catches(x):
    while True:
        try:
            len("a")
        except Exception:
            continue


def test_an_answer_that_never_ends_is_stopped_at_its_line(fake, monkeypatch):
    monkeypatch.setenv("LSTM_TUTORIAL_SECONDS", "0.3")
    for answer, line in ((loops, 3), (loops_and_catches, 1)):
        before = threading.active_count()
        started = time.monotonic()
        result = fake(answer, draw_batch, np.tanh)
        assert time.monotonic() - started < 5
        assert "It was stopped: a check has 0.3 seconds. Does a loop never end?\n  line " in result.message
        found = int(re.search(r"line (\d+): \S", result.message)[1]) - answer.__code__.co_firstlineno
        assert line <= found <= line + 4
        assert "restart the kernel" not in result.message and threading.active_count() == before
        assert result.attempted and not result.passed


def test_the_time_is_that_of_the_whole_check(fake, monkeypatch):
    monkeypatch.setenv("LSTM_TUTORIAL_SECONDS", "1")
    result = fake(lambda x: time.sleep(0.3) or np.tanh(x), draw_batch, np.tanh)
    assert "Right in " in result.message and "It was stopped" in result.message
    monkeypatch.setenv("LSTM_TUTORIAL_SECONDS", "0.2")
    result = fake(lambda: loops, by_hand, None, verify=lambda answer, trial: answer(0))
    assert "It was stopped" in result.message, "what `verify` calls is under guard too"


def test_an_answer_that_ends_as_its_time_does_is_stopped_or_not_and_nothing_else_is():
    for _ in range(20):
        with contextlib.suppress(OutOfTime):
            assert Guard(seconds=0).run(lambda: time.sleep(BETWEEN) or 1) == 1


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="Windows cannot send a thread a signal")
def test_an_interrupt_by_the_learner_reaches_the_learner(fake):
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a worker of xdist ignores it
    learner = [threading.main_thread().ident, signal.SIGINT]  # sent to another thread, it would not end the wait
    before, timer = set(threading.enumerate()), threading.Timer(0.3, signal.pthread_kill, learner)
    try:
        with pytest.raises(KeyboardInterrupt):
            fake(lambda x: timer.start() or loops(x), draw_batch, np.tanh)
    finally:
        signal.signal(signal.SIGINT, handler)
    timer.join()
    assert set(threading.enumerate()) <= before, "what never ends goes on behind the learner's back"


def test_what_is_printed_is_shown_in_part(fake, capsys):
    def prints(x):
        print("x is", x.shape)
        print("a word", file=sys.stderr)
        return np.tanh(x)

    def prints_a_megabyte(x):
        print("a" * 2**20)
        return x

    result = fake(prints, draw_batch, np.tanh)
    assert re.fullmatch(r"right, on 12 random inputs.\n  printed: x is \(\d, \d\)\n    a word", result.message)
    result = fake(prints_a_megabyte, draw_batch, np.tanh)
    assert len(result.message) < 1000 and result.message.endswith("a\n    ... and 1,047,977 characters more")
    assert "printed: " in fake(lambda x: print("here") or x @ np.ones(99), draw_batch, np.tanh).message
    assert capsys.readouterr() == ("", "")


def test_an_argument_changed_in_place_is_told_and_harms_nothing(fake):
    def doubles(x):
        x *= 2
        return x / 2

    def zeroes_all(*inputs):
        for each in inputs:
            each[:] = 0
        return inputs[0]

    assert "it changed its argument `x` in place" in fake(doubles, draw_batch, lambda x: x).message.lower()
    result = fake(zeroes_all, draw_batch, lambda x: x)
    assert "it changed its argument `argument 1` in place" in result.message.lower()
    assert not result.passed

    def draw_containers(rng):
        return ({"weight": rng.normal(size=3)}, [1, 2])

    for answer, name in ((lambda d, n: d["weight"].sort(), "d"), (lambda d, n: n.append(3), "n")):
        assert f"its argument `{name}` in place" in fake(answer, draw_containers, lambda d, n: d["weight"]).message


class Coin(Box):
    """An experiment of one kind of run."""

    runs = 2

    def answer(self, side):
        self.asked.append(side)
        return side


def test_the_diagnosis_of_an_experiment_sees_what_the_learner_asked_and_nothing_else(fake):
    def diagnose(got, want, box):
        return f"you asked for {' and '.join(box.asked)}"

    fields = {"draw": lambda rng: (Coin(),), "reference": lambda box: box("of the check"), "diagnose": diagnose}
    assert fake(lambda box: box("heads") + box("tails"), **fields).message == "not yet. You asked for heads and tails."
    words = "It raised RuntimeError: the box runs once, and this was one time more"
    assert words in fake(lambda box: [box(side) for side in "abc"], **fields).message


def test_words_of_an_answer_are_compared_whatever_their_case(fake):
    fields = {"draw": by_hand, "reference": lambda: "RNN", "words": ("LSTM", "RNN")}
    assert fake(lambda: "rnn", **fields).passed
    assert fake(lambda: "lstm", **fields).message == "not yet. That is not it."
    assert fake(lambda: "GRU", **fields).message == "not yet. The words are LSTM and RNN; 'gru' is none of them."


def test_a_generator_among_the_inputs_draws_the_same_for_both(fake):
    def draw(rng):
        return (np.random.default_rng(int(rng.integers(99))), 3)

    assert fake(lambda rng, n: rng.normal(size=n), draw, lambda rng, n: rng.normal(size=n)).passed


def test_every_third_trial_is_in_float32_which_may_round(fake):
    seen = []
    fake(lambda x: seen.append(str(x.dtype)) or np.tanh(x), draw_batch, np.tanh, trials=6)
    assert seen == ["float64", *["float64", "float64", "float32"] * 2]  # the first one is called twice
    seen.clear()
    fake(lambda x: seen.append(str(x.dtype)) or np.tanh(x), draw_batch, np.tanh, trials=3, dtypes=("float64",))
    assert seen == ["float64"] * 4


def test_float32_may_round(fake):
    assert fake(lambda x: np.tanh(x.astype("float32")).astype(x.dtype), draw_batch, np.tanh, dtypes=("float32",)).passed
    assert not fake(lambda x: np.tanh(x.astype("float32")), draw_batch, np.tanh, dtypes=("float64",)).passed


def test_tensors_are_compared_as_tensors(fake):
    def draw(rng):
        x = torch.tensor(rng.normal(size=(3, 4)), requires_grad=True)
        return x, torch.nn.Linear(4, 2), torch.tensor([1, 2])

    def reference(x, linear, index):
        return linear(x).sum()

    def changes_the_network(x, linear, index):
        linear.bias.data += 1
        return reference(x, linear, index)

    assert fake(lambda x, linear, index: (x @ linear.weight.T + linear.bias).sum(), draw, reference).passed
    assert fake(lambda x, linear, index: 2 * reference(x, linear, index), draw, reference).attempted
    assert "is a number where a torch tensor" in fake(lambda *a: reference(*a).item(), draw, reference).message
    assert "its argument `linear` in place" in fake(changes_the_network, draw, reference).message
    seen = []

    def looks(x, linear, index):
        seen.append((x.dtype, x.requires_grad, linear.weight.dtype, index.dtype))
        return reference(x, linear, index)

    assert fake(looks, draw, reference, trials=3).passed
    assert seen[0] == (torch.float64, True, torch.float64, torch.int64)
    assert seen[2] == (torch.float32, True, torch.float32, torch.int64)


def test_an_exercises_own_diagnosis_comes_before_the_general_one(fake):
    def diagnose(got, want, x):
        wrong_turns = {"the states are a pair": (want, want), "it uses sin where tanh is expected": np.sin(x)}
        x[:] = 0  # a copy: harms nothing
        return first_match(got, wrong_turns)

    fields = {"draw": draw_batch, "reference": np.tanh, "diagnose": diagnose}
    assert fake(lambda x: np.sin(x), **fields).message == "not yet. It uses sin where tanh is expected."
    assert "every value is 3 times" in fake(lambda x: 3 * np.tanh(x), **fields).message.lower()
    assert fake(lambda x: np.tanh(x), **fields).passed


def test_a_design_is_verified_by_what_it_does(fake):
    def verify(answer, trial):
        weight, bias = answer
        x = trial.normal(5)
        return None if np.allclose(weight @ x + bias, 1) else "the unit does not hold 1"

    fields = {"draw": by_hand, "reference": lambda: (np.zeros((1, 5)), np.zeros(1)), "names": ("weight", "bias")}
    assert fake(lambda: (np.zeros((1, 5)), np.ones(1)), verify=verify, **fields).message == "right."
    for answer, words in [
        (lambda: (np.ones((1, 5)), np.ones(1)), "The unit does not hold 1."),
        (lambda: (np.zeros((5, 1)), np.ones(1)), "`weight` has shape (5, 1) where (1, 5) is expected"),
        (lambda: ..., "not attempted yet"),
        (lambda: [None][0], "It returned None"),
    ]:
        assert words in fake(answer, verify=verify, **fields).message
    fields["reference"] = None
    assert "does not work here: TypeError" in fake(lambda: 3.0, verify=verify, **fields).message


class Odd(BaseException):
    """What a learner may raise; it does not want to be read."""

    def __str__(self):
        raise RuntimeError("no")


class Unreadable:
    def __len__(self):
        raise Odd

    __array__ = __iter__ = __eq__ = __len__
    __hash__ = None


def raises_an_odd_one(x):
    raise Odd


def test_nothing_but_an_interrupt_leaves_a_check(fake):
    assert "It raised <class" in fake(raises_an_odd_one, draw_batch, np.tanh).message
    assert not fake(lambda x: Unreadable(), draw_batch, np.tanh).passed
    assert not fake(lambda x: [Unreadable()] * 3, draw_batch, np.tanh).passed

    class Callable:
        __name__ = 3

        def __call__(self, x):
            return x

    assert "give it the function itself" in check(Callable()).message


def test_a_check_in_a_folder_that_is_gone_says_that_nothing_is_noted(fake, monkeypatch, tmp_path):
    monkeypatch.delenv("LSTM_TUTORIAL_PROGRESS")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    try:
        (tmp_path / "gone").rmdir()
    except OSError:
        pytest.skip("this system keeps the folder in which one works")
    result = fake(lambda: 1, by_hand, lambda: 1)
    assert result.passed and "your progress could not be noted: No such file" in result.message


def test_the_session_stays_as_it_was_and_does_not_matter(fake):
    def meddles(x):
        np.seterr(all="raise")
        np.random.seed(5)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        warnings.simplefilter("error")
        np.tanh = in_numpy.sigmoid = torch.relu = None
        return x + 1

    tanh, relu = np.tanh, torch.relu
    np.random.seed(1)
    states = np.random.get_state()[1].copy(), torch.get_rng_state(), warnings.filters[:], np.geterr()
    assert fake(meddles, draw_batch, lambda x: x + 1).passed
    assert np.tanh is tanh and torch.relu is relu and in_numpy.sigmoid is not None
    assert np.array_equal(np.random.get_state()[1], states[0]) and torch.equal(torch.get_rng_state(), states[1])
    assert warnings.filters[:] == states[2] and np.geterr() == states[3]
    assert torch.get_default_dtype() == torch.float32 and torch.is_grad_enabled()

    def needs_gradients(x):
        weight = torch.ones(1, requires_grad=True)
        (2 * weight).sum().backward()
        np.exp(np.full(1, 1e9))
        return x * weight.grad.item() * (torch.zeros(1).dtype == torch.float32)

    torch.set_default_dtype(torch.float64)
    try:
        with np.errstate(all="raise"), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("error")
            assert fake(needs_gradients, draw_batch, lambda x: 2 * x).passed
    finally:
        torch.set_default_dtype(torch.float32)


def test_one_answer_gets_one_verdict(fake):
    def tosses(x):
        return x + (np.random.random() < 0.5) + (torch.rand(1).item() < 0.5)

    assert len({fake(tosses, draw_batch, lambda x: x).message for _ in range(5)}) == 1


def test_state_between_calls_and_shared_memory_are_found(fake):
    kept, buffer = [], {}

    def remembers(x):
        kept.append(x.sum())
        return np.array(kept)

    def fills_a_buffer(x):
        place = buffer.setdefault(x.shape, np.zeros(x.shape))
        place[...] = np.tanh(x)
        return place

    assert "gives two answers" in fake(remembers, draw_batch, lambda x: x.sum(keepdims=True)[0]).message
    assert "Two calls return the same array" in fake(fills_a_buffer, draw_batch, np.tanh).message


EQUAL = [  # what is expected, and what is the same
    (0.25, [Fraction(1, 4), np.float32(0.25), np.array(0.25), torch.tensor(0.25)]),
    (2, [2.0, np.int64(2), np.array(2), Fraction(2)]),
    (True, [np.True_, 1, np.array(True)]),
    ("latch", [" Latch ", np.str_("LATCH")]),
    ([1.0, 2.0], [(1, 2), np.array([1, 2]), torch.tensor([1.0, 2.0]), [Fraction(1), np.array(2)]]),
    (np.array([1.0, 2.0]), [[1, 2], (1.0, Fraction(2)), np.array([1, 2]), torch.tensor([1, 2])]),
    (np.array([True, False]), [[True, False], [1, 0], np.array([1.0, 0.0])]),
]


@pytest.mark.parametrize("want, others", EQUAL)
def test_the_same_in_other_dress_is_the_same(fake, want, others):
    for other in others:
        assert (result := fake(lambda other=other: other, by_hand, lambda: want)).passed, result


def test_an_answer_by_hand_that_is_no_number_has_no_other_explanation(fake):
    def reference(*, rate=0.5):
        return np.log(rate)

    assert "It is NaN or infinite" in fake(lambda: np.nan, by_hand, reference).message, "not that of the wrong sign"


def test_an_answer_by_hand_may_be_rounded_as_its_statement_says(fake):
    for value, decimals, passes in ((0.37, 2, True), (0.33, 2, False), (0.4, 1, True), (0.367, 2, True)):
        assert fake(lambda value=value: value, by_hand, lambda: 0.367, decimals=decimals).passed == passes


# An exercise that is a function


@pytest.fixture
def step():
    """An exercise of two parts, c before h, with two mistakes that may go together."""
    registry.REGISTRY.clear()

    def draw(trial):
        B, T = trial.sizes("B T")
        return trial.scores(B, T), trial.lengths(B, T)

    turns = {"the mean is over all steps": dict(masked=False), "the tanh is missing in `h`": dict(squash=lambda c: c)}

    @exercise("A step", draw=draw, names="h, c", order="c, h", axes="B, B", turns=turns, combine=2)
    def a_step(x, lengths, *, masked=True, squash=np.tanh):
        valid = np.arange(x.shape[1]) < lengths[:, None]
        c = np.sum(x * valid, axis=1) / lengths if masked else x.mean(axis=1)
        return squash(c), c

    return a_step


def test_a_turn_is_found_alone_and_with_others_in_the_order_of_computation(fake, step):
    def said(answer):
        return check(named(answer, "a_step")).message

    both = {"masked": False, "squash": lambda c: c}
    assert said(step) == "right, on 12 random inputs."
    assert said(lambda x, lengths: step(x, lengths, masked=False)) == "not yet. The mean is over all steps."
    words = "not yet. Two faults are left: the mean is over all steps; the tanh is missing in `h`."
    assert said(lambda x, lengths: step(x, lengths, **both)) == words
    first = said(lambda x, lengths: (0 * lengths, step(x, lengths, masked=False)[1]))
    assert first == "not yet. The mean is over all steps.", "h follows from c: what is wrong first is said"

    def raises_for_one(x, lengths):
        return step(x, lengths, masked=False) if len(x) > 1 else x[5]

    assert said(raises_for_one) == "not yet. The mean is over all steps.", "what explains most trials is said"
    assert "It raised IndexError" in said(lambda x, lengths: step(x, lengths, masked=False) if len(x) < 2 else x[99])
    assert "lengths were one too small" in said(lambda x, lengths: step(x, np.maximum(lengths - 1, 1)))
    assert "`c`: 2 of 2" not in said(lambda x, lengths: (step(x, lengths)[0], x[:, 0]))


def test_the_edges_are_drawn():
    trials = [Trial("a_step", number) for number in range(12)]
    sizes = [trial.sizes("B T D H K", K=2) for trial in trials]
    assert {(1, 0), (1, 1), (1, 2), (1, 3), (2, 4)} <= {(size, k) for some in sizes for k, size in enumerate(some)}
    lengths = [trial.lengths(B, T) / T for trial, (B, T, *_) in zip(trials, sizes)]
    assert sum(each.max() == 1 for each in lengths) > 9 and any(each.max() < 1 for each in lengths)
    scores = [trial.scores(50) for trial in trials]
    assert max(each.max() for each in scores) > 800 and any(len(np.unique(each)) < 10 for each in scores)
    assert {Trial("a", number).choice(*"abcde") for number in range(5)} == set("abcde")


def test_an_unknown_name_gets_near_names(fake):
    fake(lambda: 1, by_hand, lambda: 1)
    registry.add(Exercise(id="forget_gate", chapter="gates", title="", reference=lambda: 1))
    near = check(named(lambda: 1, "forgetgate"))
    assert repr(near) == "forgetgate: there is no exercise of this name; did you mean forget_gate?"
    far = check(named(lambda: 1, "zzz"))
    assert repr(far) == "zzz: there is no exercise of this name; keep the name that stands in the workbook."
    assert not near.attempted and not near.passed
    assert "give it the function itself" in check(0.5).message


def test_the_registry_refuses_duplicates_and_the_uncheckable(fake):
    a = Exercise(id="a", chapter="gates", title="", reference=lambda: 1)
    registry.add(a)
    with pytest.raises(ValueError, match="an exercise a exists already, in the chapter gates"):
        registry.add(a)
    with pytest.raises(ValueError, match="needs a reference or verify"):
        registry.add(Exercise(id="b", chapter="memory", title=""))


def test_loading_every_exercise_does_not_import_torch_and_an_answer_that_does_leaves_it_as_it_is():
    code = """
import sys
from lstm_tutorial.exercises import check, exercises
exercises()
assert "torch" not in sys.modules
def kept_by_hand():
    import torch
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    return 1.8674
assert check(kept_by_hand).passed
import torch
assert torch.get_default_dtype() == torch.float32 and torch.is_grad_enabled()
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
