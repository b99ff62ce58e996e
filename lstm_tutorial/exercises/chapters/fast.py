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
        "the products: a multiplication and an addition are two operations": dict(per_term=1),
        "the three gates and the candidate have their own rows each": dict(gates=1),
        "the products: this is for one sequence, the batch has 32": dict(B=1),
        "the cell state goes through a tanh too": dict(functions=4),
        "the weights: four blocks of rows, and a number in float32 takes 4 bytes": [dict(size=1), dict(size=8)],
        "the weights: those of the input and of the hidden state count": [dict(columns=64), dict(columns=128)],
        "the weights: the bias is not asked for": [dict(columns=193), dict(columns=194)],
    },
    diagnose=lambda got, want: next(
        f"{name}: {words}" for (name, words), a, b in zip(QUESTIONS.items(), got, want) if a != b
    ),
)
def step_costs(*, B=32, D=64, H=128, per_term=2, gates=4, functions=5, size=4, columns=64 + 128):
    products = [per_term * terms * B * gates * H for terms in (D, H)]
    return *products, functions * B * H, size * gates * H * columns


@exercise(
    "Copy or view",
    names="A, B, C, D, E, F",
    turns={
        f"line {name}: {question}": dict(wrong=name)
        for name, question in {
            "A": "a slice says where to begin, where to end and how far to step. Does that need new numbers?",
            "B": "a list of columns may name any, in any order. Can one stride say that?",
            "C": "the numbers of x lie one behind the other, step after step. Do they have to move?",
            "D": "sequence after sequence is wanted, but how do the numbers lie in memory?",
            "E": "a transpose swaps two strides. Does it have to move a number?",
            "F": "where does `out=z` put the results?",
        }.items()
    },
)
def makes_a_copy(*, wrong=""):
    x, z = np.zeros((5, 3, 4)), np.zeros((3, 8))
    lines = {
        "A": (z[:, 2:4], z),
        "B": (z[:, [2, 3]], z),
        "C": (x.reshape(15, 4), x),
        "D": (x.swapaxes(0, 1).reshape(15, 4), x),
        "E": (z.T, z),
        "F": (np.tanh(z, out=z), z),
    }
    return tuple(np.shares_memory(new, old) == (name == wrong) for name, (new, old) in lines.items())


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
        "z is a sum of parts from the input, the hidden state and the bias: all three are halved": [
            dict(changed=changed) for changed in ("xh", "xb", "hb", "b", "")
        ],
        "the rows stand in the order i, f, g, o: the candidate is the third": dict(factors=(0.5, 0.5, 0.5, 1)),
        "they are doubled: the tanh needs z / 2": dict(factors=(2, 2, 1, 2)),
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


@exercise(
    "Three faults of haste",
    draw=draw_layer,
    names="output, c",
    axes="T B H, B H",
    same_as=lambda x, h, c, w_x, w_h, b: (found := lstm_sequence(x, (h, c), w_x, w_h, b, 0 * b))[:1] + found[1][1:],
    combine=2,
    turns={
        "the candidate goes through sigmoid first and then through tanh: `g` is a view of `z`": dict(
            squash=lambda z: tanh(sigmoid(z))
        ),
        "every step of the output is the last one: all are one array, written over at each step": dict(kept="last"),
        "every step starts from the given state: hand the new one on": [dict(carries="h"), dict(carries="c")],
        "the candidate goes through sigmoid: it needs tanh": dict(squash=sigmoid),
        "the gates have not gone through sigmoid": dict(gate=identity),
        "the old cell state is kept whole: where is the forget gate?": dict(update=lambda f, c, i, g: c + i * g),
        "the candidate is added whole: where is the input gate?": dict(update=lambda f, c, i, g: f * c + g),
        "the input gate is added without the candidate": dict(update=lambda f, c, i, g: f * c + i),
        "`i * g` is subtracted, it should be added": dict(update=lambda f, c, i, g: f * c - i * g),
        "`h` lacks the tanh of the cell state": dict(bounded=identity),
    },
)
def fast_lstm(
    x, h, c, weight_ih, weight_hh, bias,
    *, squash=tanh, gate=sigmoid, update=lambda f, c, i, g: f * c + i * g, bounded=tanh,
    kept="own", carries="hc",
):  # fmt: skip
    states, cells = [h], [c]
    for x_t in x:
        z = x_t @ weight_ih.T + (states[-1] if "h" in carries else h) @ weight_hh.T + bias
        z_i, z_f, z_g, z_o = np.split(z, 4, axis=1)
        cells.append(update(gate(z_f), cells[-1] if "c" in carries else c, gate(z_i), squash(z_g)))
        states.append(gate(z_o) * bounded(cells[-1]))
    return np.stack(states[-1:] * len(x) if kept == "last" else states[1:]), cells[-1]


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
    odd = [chunk.shape for chunk in chunks if chunk.ndim != 3 or chunk.shape[1:] != (B, len(bias))]
    if odd or not chunks:
        return f"every chunk must have shape (steps, {B}, {len(bias)}), got {odd[0] if odd else 'no chunk at all'}"
    largest, steps = max(map(len, chunks)), sum(map(len, chunks))
    if steps != T:
        return f"the chunks have {steps} steps together, the sequence has {T}: what about the last, shorter one?"
    if any(np.shares_memory(a, b) for a, b in zip(answer, answer[1:])):
        return "two chunks are one array, written over: each needs memory of its own"
    want, got, tolerance = x @ weight_ih.T + bias, np.concatenate(chunks), 1e-4 if x.dtype == np.float32 else 1e-9
    if not first_match(got, {"right": want}, tolerance):
        turns = {"the bias is missing": want - bias, "the bias is added more than once": want + bias}
        moved = {"the values are right, but the steps stand in another order": np.sort(want, axis=0)}
        words = first_match(got, turns, tolerance) or first_match(np.sort(got, axis=0), moved, tolerance)
        return words or "the values are not those of x @ weight_ih.T + bias: do rows and steps belong together?"
    fit = max(1, room // step)
    if largest > fit:
        return f"a chunk has {largest} steps, {largest * step} numbers, and the room is {room}"
    if len(chunks) > -(-T // fit):
        return f"{len(chunks)} chunks where {-(-T // fit)} would do: a chunk may be fuller"
    return None


@exercise("Pre-activations in chunks", draw=draw_chunks, verify=verify_chunks, trials=24)
def input_in_chunks(x, weight_ih, bias, room):
    z, steps = x @ weight_ih.T + bias, max(1, room // (x.shape[1] * len(bias)))
    return [z[k : k + steps] for k in range(0, len(z), steps)]


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
        "a mean without the first rounds still follows each interrupted call": rounds[3:].mean(),
        "each program's median is taken by itself, while the machine changes": np.median(new) / np.median(old),
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
