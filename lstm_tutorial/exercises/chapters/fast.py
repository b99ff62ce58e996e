"""The exercises of the chapter fast."""

import numpy as np

from lstm_tutorial.exercises import Box, exercise, first_match, identity
from lstm_tutorial.exercises.chapters.numpy_lstm import AFTER_LOOP, draw_collected, weight_gradients
from lstm_tutorial.in_numpy import lstm_sequence, sigmoid, tanh

QUESTIONS = {
    "the input's product": "how many numbers has `x @ weight_ih.T`, and how many terms has each of them?",
    "the hidden state's product": "how many numbers has `h @ weight_hh.T`, and how many terms has each of them?",
    "numbers through sigmoid or tanh": "how many gates have (B, H) numbers, and what else goes through tanh?",
    "bytes of the weights": "which shapes have the two matrices?",
}


@exercise(
    "What a step costs",
    names=", ".join(QUESTIONS),
    turns={
        "the products: a multiplication and an addition are two operations": dict(operations=lambda terms: terms),
        "the products: the addition onto what is there counts too": dict(operations=lambda terms: 2 * terms - 1),
        "the products: there are four gates, each with its own rows": dict(gates=1),
        "the products: this is for one sequence, the batch has 32": dict(B=1),
        "the two products are in the other order: the input's comes first": dict(order=-1),
        "the cell state goes through a tanh too": dict(nonlinear=lambda B, H: 4 * B * H),
        "the numbers through sigmoid or tanh: this is for one sequence": dict(nonlinear=lambda B, H: 5 * H),
        "you counted functions, and each takes (B, H) numbers": dict(nonlinear=lambda B, H: 5),
        "the weights: there are four gates, and a number in float32 takes 4 bytes": dict(size=1),
        "the weights: this is float64, where a number takes 8 bytes": dict(size=8),
        "the weights: those of the hidden state count as well": dict(columns=lambda D, H: D),
        "the weights: those of the input count as well": dict(columns=lambda D, H: H),
        "the weights: only the two matrices are asked for, not the bias": [
            dict(columns=lambda D, H: D + H + 1),
            dict(columns=lambda D, H: D + H + 2),
        ],
        "the weights: they are the same for every sequence of the batch": dict(size=4 * 32),
    },
    diagnose=lambda got, want: next(
        f"{name}: {words}" for (name, words), a, b in zip(QUESTIONS.items(), got, want) if a != b
    ),
)
def step_costs(
    *, B=32, D=64, H=128, operations=lambda terms: 2 * terms, gates=4, order=1,
    nonlinear=lambda B, H: 5 * B * H, size=4, columns=lambda D, H: D + H,
):  # fmt: skip
    products = [operations(terms) * B * gates * H for terms in (D, H)]
    return *products[::order], nonlinear(B, H), size * 4 * H * columns(D, H)


def copies_made():
    """Run the six lines: does what they give share memory with what they were given?"""
    x, z = np.zeros((5, 3, 4)), np.zeros((3, 8))
    results = (
        (z[:, 2:4], z),
        (z[:, [2, 3]], z),
        (x.reshape(15, 4), x),
        (x.swapaxes(0, 1).reshape(15, 4), x),
        (z.T, z),
        (np.tanh(z, out=z), z),
    )
    return tuple(not np.shares_memory(new, old) for new, old in results)


@exercise(
    "Copy or view",
    names="A, B, C, D, E, F",
    same_as=copies_made,
    turns={
        "line A: a slice says where to begin, where to end and how far to step. Does that need new numbers?": dict(
            A=True
        ),
        "line B: a list of columns may name any, in any order. Can one stride say that?": dict(B=False),
        "line C: the numbers of x lie one behind the other, step after step. Do they have to move?": dict(C=True),
        "line D: sequence after sequence is wanted, but how do the numbers lie in memory?": dict(D=False),
        "line E: a transpose swaps two strides. Does it have to move a number?": dict(E=True),
        "line F: where does `out=z` put the results?": dict(F=True),
    },
)
def makes_a_copy(*, A=False, B=True, C=False, D=True, E=False, F=False):
    return A, B, C, D, E, F


def draw_weights(trial):
    """Draw the stacked weights of a layer."""
    D, H = trial.sizes("D H")
    return trial.normal(4 * H, D), trial.normal(4 * H, H), trial.normal(4 * H)


@exercise(
    "Halved weights",
    draw=draw_weights,
    names="weight_ih, weight_hh, bias",
    axes="4H D, 4H H, 4H",
    turns={
        "the candidate is a tanh already: its rows stay as they are": dict(factors=(0.5, 0.5, 0.5, 0.5)),
        "nothing has changed": dict(factors=(1, 1, 1, 1)),
        "the bias is part of z too": dict(changed="xh"),
        "the bias alone is halved": dict(changed="b"),
        "z has a part from the hidden state as well": dict(changed="xb"),
        "z has a part from the input as well": dict(changed="hb"),
        "the rows stand in the order i, f, g, o: the candidate is the third": dict(factors=(0.5, 0.5, 0.5, 1)),
        "they are doubled: the tanh needs z / 2": dict(factors=(2, 2, 1, 2)),
        "the candidate's rows are halved and the gates' are not": dict(factors=(1, 1, 0.5, 1)),
        "they are halved twice": dict(factors=(0.25, 0.25, 1, 0.25)),
    },
)
def halved_weights(weight_ih, weight_hh, bias, *, factors=(0.5, 0.5, 1, 0.5), changed="xhb"):
    rows = np.repeat(np.array(factors, bias.dtype), len(bias) // 4)
    given = {"x": (weight_ih, rows[:, None]), "h": (weight_hh, rows[:, None]), "b": (bias, rows)}
    return tuple(weight * factor if name in changed else weight for name, (weight, factor) in given.items())


@exercise(
    "The weights' gradients after the loop",
    draw=draw_collected,
    names="d_weight_ih, d_weight_hh, d_bias",
    axes="4H D, 4H H, 4H",
    turns=AFTER_LOOP,
)
def gradients_after_loop(d_z, x, h, **mistake):
    found = weight_gradients(d_z, x, h, **mistake)
    return found["weight_ih"], found["weight_hh"], found["bias_ih"]


def draw_layer(trial):
    """Draw an input, a state that is not zero, and a layer."""
    T, B, D, H = trial.sizes("T B D H")
    shapes = (T, B, D), (B, H), (B, H), (4 * H, D), (4 * H, H), (4 * H,)
    return tuple(trial.normal(*shape) for shape in shapes)


def layer_of_the_package(x, h, c, weight_ih, weight_hh, bias):
    output, (_, c), _ = lstm_sequence(x, (h, c), weight_ih, weight_hh, bias, np.zeros_like(bias))
    return output, c


@exercise(
    "Three faults of haste",
    draw=draw_layer,
    names="output, c",
    axes="T B H, B H",
    same_as=layer_of_the_package,
    combine=2,
    turns={
        "the candidate goes through sigmoid first and then through tanh: `g` is a view of `z`": dict(
            squash=lambda z: tanh(sigmoid(z))
        ),
        "every step of the output is the last one: they are all one array, written over again and again": dict(
            kept="last"
        ),
        "the hidden state is made of the cell state of the step before": dict(shown="old"),
        "the output begins with the given h: the state after the first step comes first": dict(kept="before"),
        "every step starts from the given h: hand the new one on": dict(carries_h=False),
        "every step starts from the given c: hand the new one on": dict(carries_c=False),
        "the candidate goes through sigmoid: it needs tanh": dict(squash=sigmoid),
        "the gates have not gone through sigmoid": dict(gate=identity),
        "the old cell state is kept whole: where is the forget gate?": dict(update=lambda f, c, i, g: c + i * g),
        "the candidate is written whole: where is the input gate?": dict(update=lambda f, c, i, g: f * c + g),
        "the input gate is written without the candidate": dict(update=lambda f, c, i, g: f * c + i),
        "the candidate is subtracted: what is written is added": dict(update=lambda f, c, i, g: f * c - i * g),
        "`h` lacks the tanh of the cell state": dict(bounded=identity),
        "`output` is right, but the cell state that you return is the given one": dict(returned="given"),
    },
)
def fast_lstm(
    x, h, c, weight_ih, weight_hh, bias,
    *, squash=tanh, gate=sigmoid, update=lambda f, c, i, g: f * c + i * g, bounded=tanh,
    kept="own", shown="new", carries_h=True, carries_c=True, returned="last",
):  # fmt: skip
    states, cells = [h], [c]
    for x_t in x:
        z = x_t @ weight_ih.T + (states[-1] if carries_h else h) @ weight_hh.T + bias
        z_i, z_f, z_g, z_o = np.split(z, 4, axis=1)
        cells.append(update(gate(z_f), cells[-1] if carries_c else c, gate(z_i), squash(z_g)))
        states.append(gate(z_o) * bounded(cells[-1 if shown == "new" else -2]))
    output = {"own": states[1:], "before": states[:-1], "last": states[-1:] * len(x)}[kept]
    return np.stack(output), cells[-1 if returned == "last" else 0]


def draw_chunks(trial):
    """Draw a sequence, the input's weights, and room for several steps, for just one, or for less than one."""
    T, B, D, H = trial.sizes("T B D H", high=14)
    step = 4 * B * H
    room = trial.choice(step // 2, step, 2 * step - 1, 2 * step, 5 * step // 2, 3 * step, 4 * step + 1, T * step)
    return trial.normal(T, B, D), trial.normal(4 * H, D), trial.normal(4 * H), room


def verify_chunks(answer, trial, x, weight_ih, bias, room):
    """Are the chunks right, in order, small enough and no more than needed?"""
    (T, B, _), step = x.shape, x.shape[1] * len(bias)
    if not isinstance(answer, tuple | list) and np.ndim(answer) != 4:
        return "return a list of arrays, one a chunk"
    chunks = [np.asarray(chunk, float) for chunk in answer]
    shapes = [chunk.shape for chunk in chunks]
    odd = [shape for shape in shapes if len(shape) != 3 or shape[1:] != (B, len(bias))]
    if odd or not chunks:
        return f"every chunk must have shape (steps, {B}, {len(bias)}), got {odd[0] if odd else 'no chunk at all'}"
    largest, steps = max(map(len, chunks)), sum(map(len, chunks))
    if not all(map(len, chunks)):
        return "a chunk without a step: with room for less than one step, a chunk still has one"
    if steps != T:
        return f"the chunks have {steps} steps together, the sequence has {T}: what about the last, shorter one?"
    want, got = x @ weight_ih.T + bias, np.concatenate(chunks)
    if not np.isfinite(got).all():
        return "there are values that are NaN or infinite: is every number of a chunk written?"
    if any(np.shares_memory(a, b) for a, b in zip(answer, answer[1:])):
        return "two chunks are one array, written over: each needs memory of its own"
    tolerance = 1e-4 if x.dtype == np.float32 else 1e-9
    if not first_match(got, {"right": want}, tolerance):
        turns = {"the bias is missing": want - bias, "the bias is added more than once": want + bias}
        turns["the bias is subtracted"] = want - 2 * bias
        words = first_match(got, turns, tolerance)
        moved = {"the sums are right, but the steps stand in another order": np.sort(want, axis=0)}
        words = words or first_match(np.sort(got, axis=0), moved, tolerance)
        return words or "the sums differ from x @ weight_ih.T + bias: do rows and steps belong together?"
    fit = max(1, room // step)
    if largest > fit:
        return f"a chunk has {largest} steps, {largest * step} numbers, and the room is {room}"
    if len(chunks) > -(-T // fit):
        return f"{len(chunks)} chunks where {-(-T // fit)} would do: a chunk may be fuller"
    return None


@exercise(
    "Sums in chunks",
    draw=draw_chunks,
    verify=verify_chunks,
    turns={
        "and the room is": dict(fit=lambda room, step: -(-room // step)),
        "a chunk may be fuller": dict(fit=lambda room, step: max(1, (room - 1) // step)),
        "what about the last, shorter one?": dict(last=False),
        "the bias is missing": dict(biases=0),
        "the bias is added more than once": dict(biases=2),
    },
    trials=24,
)
def chunked_sums(x, weight_ih, bias, room, *, fit=lambda room, step: max(1, room // step), last=True, biases=1):
    sums, steps = x @ weight_ih.T + biases * bias, fit(room, x.shape[1] * len(bias))
    return [sums[k : k + steps] for k in range(0, len(sums), steps) if last or k + steps <= len(sums)]


class Stopwatch(Box):
    """A simulated one: `clock("old")` and `clock("new")` give the milliseconds of one call."""

    runs, budget = 80, "the stopwatch takes 80 times"

    def __init__(self, trial):
        super().__init__()
        rng, n = trial.rng, np.arange(self.runs)
        self.ratio, start = trial.log_uniform(0.74, 1.35), rng.integers(6, 20)
        disturbed = (start <= n) & (n < start + rng.integers(14, 30))  # another program runs
        pace = np.where(disturbed, rng.uniform(1.3, 1.7), 1) * np.linspace(1, rng.uniform(0.8, 1.25), len(n))
        pace *= np.where(rng.random(len(n)) < 0.08, rng.uniform(1.5, 4, len(n)), 1)  # interrupted
        self._ms = rng.uniform(2, 9) * pace * np.exp(0.01 * rng.normal(size=len(n)))
        self._first = {name: rng.uniform(1.5, 3, size=3) for name in ("old", "new")}  # slow until it is warm

    def answer(self, name):
        if name not in ("old", "new"):
            raise ValueError(f"the programs are 'old' and 'new', got {name!r}")
        before = sum(each == name for each, _ in self.asked)
        ms = float(self._ms[len(self.asked)] * (self._first[name][before] if before < 3 else 1))
        ms *= self.ratio if name == "new" else 1
        self.asked.append((name, ms))
        return ms


def diagnose_race(got, want, clock):
    """Say what was unfair about the race, or about the number that was made of it."""
    log = clock.asked
    old, new = (np.array([ms for name, ms in log if name == which]) for which in ("old", "new"))
    fewer = min(len(old), len(new))
    if not log:
        return "the stopwatch was never started"
    if abs(got * want - 1) < 0.03:
        return "this is the old program's time as a multiple of the new one's: turn it over"
    if fewer < 10:
        return f"you took {len(log)} times of 80: the first of a program are slow, and any may be interrupted"
    if sum(a != b for (a, _), (b, _) in zip(log, log[1:])) < fewer / 2:
        return "the programs hardly take turns: while the machine was slower, one of them ran more than the other"
    rounds = new[:fewer] / old[:fewer]
    if abs(np.median(rounds[3:]) - want) > 0.03 * want:
        return "the times are too much disturbed: let the programs take turns call by call, and use all calls"
    turns = {
        "in the mean an interrupted call counts with all its length": new.mean() / old.mean(),
        "the mean of the ratios follows each interrupted call": rounds.mean(),
        "without the first rounds the mean still follows each interrupted call": rounds[3:].mean(),
        "each program's median is taken by itself, and a slow while may touch the one and not the other": (
            np.median(new) / np.median(old)
        ),
        "the fastest calls of the two lie far apart, and the machine has changed between them": new.min() / old.min(),
    }
    words = first_match(got, turns, tolerance=1e-6) or "the number does not follow from it: let no single round decide"
    return f"the race is fair. But {words}. Compare within a round"


@exercise(
    "A fair race",
    draw=lambda trial: (Stopwatch(trial),),
    diagnose=diagnose_race,
    names="the ratio",
    tolerance=0.03,
    dtypes=("float64",),
    trials=24,
)
def fair_race(clock):
    return clock.ratio
