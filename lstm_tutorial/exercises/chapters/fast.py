"""The exercises of the chapter fast."""

import copy

import numpy as np

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
from lstm_tutorial.in_numpy import lstm_sequence, sigmoid, tanh

# What a step costs, by hand

STEP = dict(B=32, D=64, H=128)


def step_costs(B, D, H):
    """Return the operations of both products of a step, how many numbers are bent, and the bytes of the weights."""
    return 2 * B * D * 4 * H, 2 * B * H * 4 * H, 5 * B * H, 4 * (4 * H * D + 4 * H * H)


def diagnose_costs(got, want, inputs):
    """Follow each wrong count."""
    B, D, H = STEP.values()
    one = tuple(int(each) for each in want)
    turns = {
        "the products: a multiplication and an addition are two operations": (one[0] // 2, one[1] // 2, *one[2:]),
        "the products: there are four gates, each with its own rows": (one[0] // 4, one[1] // 4, *one[2:]),
        "the products: this is for one sequence, the batch has 32": (one[0] // B, one[1] // B, *one[2:]),
        "the two products are in the other order: the input's comes first": (one[1], one[0], *one[2:]),
        "the numbers that are bent: the cell state goes through a tanh too": (*one[:2], 4 * B * H, one[3]),
        "the numbers that are bent: this is for one sequence, the batch has 32": (*one[:2], 5 * H, one[3]),
        "the numbers that are bent: you counted functions, each works on (B, H) numbers": (*one[:2], 5, one[3]),
        "the weights: a number in float32 takes 4 bytes": (*one[:3], one[3] // 4),
        "the weights: this is float64, where a number takes 8 bytes": (*one[:3], one[3] * 2),
        "the weights: those of the hidden state count as well": (*one[:3], 4 * 4 * H * D),
        "the weights: those of the input count as well": (*one[:3], 4 * 4 * H * H),
        "the weights: they are the same for every sequence of the batch": (*one[:3], one[3] * B),
    }
    return first_match(got, turns)


register(
    "step_costs",
    chapter="fast",
    title="What a step costs",
    reference=lambda: step_costs(**STEP),
    names=("the input's product", "the hidden state's product", "numbers bent", "bytes of the weights"),
    diagnose=diagnose_costs,
    tolerance=1e-6,
)


# Copy or view


def makes_a_copy():
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


def diagnose_copies(got, want, inputs):
    """Ask about the first line that is off."""
    questions = (
        "line A: a slice says where to begin, where to end and how far to step. Does that need new numbers?",
        "line B: a list of columns may name any, in any order. Can one stride say that?",
        "line C: the numbers of x lie one behind the other, step after step. Do they have to move?",
        "line D: after `swapaxes` sequence after sequence is asked for, but how do the numbers lie in memory?",
        "line E: a transpose swaps two strides. Does it have to move a number?",
        "line F: where does `out=z` put the results?",
    )
    for question, mine, right in zip(questions, got, want):
        if bool(mine) != right:
            return question
    return None


register(
    "makes_a_copy",
    chapter="fast",
    title="Copy or view",
    reference=makes_a_copy,
    names=("A", "B", "C", "D", "E", "F"),
    diagnose=diagnose_copies,
)


# Halved weights


def draw_weights(rng):
    """The stacked weights of a layer."""
    D, H = draw_sizes(rng, 2)
    return rng.normal(size=(4 * H, D)), rng.normal(size=(4 * H, H)), rng.normal(size=4 * H)


def halved_weights(weight_ih, weight_hh, bias, scale=(0.5, 0.5, 1, 0.5), only=("ih", "hh", "bias")):
    """Multiply the rows of the gates."""
    rows = np.repeat(scale, len(bias) // 4)
    parts = {"ih": (weight_ih, rows[:, None]), "hh": (weight_hh, rows[:, None]), "bias": (bias, rows)}
    return tuple((w * s if name in only else w).astype(w.dtype) for name, (w, s) in parts.items())


def diagnose_halved(got, want, inputs):
    """Say which rows, or which array, were forgotten."""
    turns = {
        "the candidate is a tanh already: its rows stay as they are": halved_weights(*inputs, scale=[0.5] * 4),
        "nothing has changed": inputs,
        "the bias is part of z too": halved_weights(*inputs, only=("ih", "hh")),
        "the bias alone is halved": halved_weights(*inputs, only=("bias",)),
        "the sum has a part from the hidden state as well": halved_weights(*inputs, only=("ih", "bias")),
        "the sum has a part from the input as well": halved_weights(*inputs, only=("hh", "bias")),
        "the rows stand in the order i, f, g, o: the candidate is the third": halved_weights(
            *inputs, scale=(0.5, 0.5, 0.5, 1)
        ),
        "they are doubled: the tanh needs z / 2": halved_weights(*inputs, scale=(2, 2, 1, 2)),
        "the candidate's rows are halved and the gates' are not": halved_weights(*inputs, scale=(1, 1, 0.5, 1)),
        "they are halved twice": halved_weights(*inputs, scale=(0.25, 0.25, 1, 0.25)),
    }
    return first_match(got, turns)


register(
    "halved_weights",
    chapter="fast",
    title="Halved weights",
    draw=draw_weights,
    reference=halved_weights,
    names=("weight_ih", "weight_hh", "bias"),
    axes=("4H D", "4H H", "4H"),
    diagnose=diagnose_halved,
)


# The weights' gradients after the loop


def draw_collected(rng):
    """What a loop back through time has collected."""
    T, B, D, H = draw_sizes(rng, 4, low=2)
    return rng.normal(size=(T, B, 4 * H)), rng.normal(size=(T, B, D)), rng.normal(size=(T + 1, B, H))


def gradients_after_loop(d_z, x, h):
    """One product each."""
    rows = d_z.reshape(-1, d_z.shape[-1])
    return rows.T @ x.reshape(-1, x.shape[-1]), rows.T @ h[:-1].reshape(-1, h.shape[-1]), rows.sum(axis=0)


def diagnose_gradients(got, want, inputs):
    """Say which hidden states were taken, or what was averaged."""
    d_z, x, h = inputs
    (T, B, _), rows = d_z.shape, d_z.reshape(-1, d_z.shape[-1])
    late = rows.T @ h[1:].reshape(-1, h.shape[-1])
    crossed = d_z.swapaxes(0, 1).reshape(rows.shape)
    turns = {
        "`d_weight_hh` takes the states after each step: z of step t saw the one before it, `h[t]`": (
            want[0],
            late,
            want[2],
        ),
        "the bias's gradient is a sum over steps and sequences, this is a mean": (*want[:2], rows.mean(axis=0)),
        "all three are means over the sequences: d_z holds a 1/B already if the loss has one": [w / B for w in want],
        "all three are means over the steps, they should be sums": [w / T for w in want],
        "this is the last step alone": gradients_after_loop(d_z[-1:], x[-1:], h[-2:]),
        "this is the first step alone": gradients_after_loop(d_z[:1], x[:1], h[:2]),
        "the rows of d_z go sequence by sequence, those of x step by step: reshape both in one order": (
            crossed.T @ x.reshape(-1, x.shape[-1]),
            crossed.T @ h[:-1].reshape(-1, h.shape[-1]),
            want[2],
        ),
        "the weights' gradients are transposed: their rows are those of the gates": (want[0].T, want[1].T, want[2]),
    }
    return first_match(got, turns)


register(
    "gradients_after_loop",
    chapter="fast",
    title="The weights' gradients after the loop",
    draw=draw_collected,
    reference=gradients_after_loop,
    names=("d_weight_ih", "d_weight_hh", "d_bias"),
    axes=("4H D", "4H H", "4H"),
    diagnose=diagnose_gradients,
)


# Three faults of haste


def draw_layer(rng):
    """An input, a state that is not zero, and a layer."""
    T, B, D, H = draw_sizes(rng, 4, low=2)
    shapes = (T, B, D), (B, H), (B, H), (4 * H, D), (4 * H, H), (4 * H,)
    return tuple(rng.normal(size=shape) for shape in shapes)


def fast_lstm(x, h, c, weight_ih, weight_hh, bias):
    """Return the hidden states of all steps and the last cell state."""
    output, (_, c), _ = lstm_sequence(x, (h, c), weight_ih, weight_hh, bias, np.zeros_like(bias))
    return output, c


def with_faults(x, h, c, weight_ih, weight_hh, bias, bent_twice=False, same=False, old_c=False):
    """The layer with some of the program's faults."""
    output, c = [], c.copy()
    for x_t in x:
        z_i, z_f, z_g, z_o = np.split(x_t @ weight_ih.T + h @ weight_hh.T + bias, 4, axis=1)
        g = tanh(sigmoid(z_g)) if bent_twice else tanh(z_g)
        new = sigmoid(z_f) * c + sigmoid(z_i) * g
        h = sigmoid(z_o) * tanh(c if old_c else new)
        c = new
        output.append(h)
    return np.stack([h] * len(x) if same else output), c


def diagnose_fast_lstm(got, want, inputs):
    """Say which of the faults is left."""
    turns = {
        "every step of the output is the last one: they are all one array, written over again and again": with_faults(
            *inputs, same=True
        ),
        "the candidate goes through sigmoid first and then through tanh: `g` is a view of `z`": with_faults(
            *inputs, bent_twice=True
        ),
        "two faults are left: the candidate is bent twice, and every step of the output is the last one": with_faults(
            *inputs, bent_twice=True, same=True
        ),
        "the hidden state is made of the cell state of the step before": with_faults(*inputs, old_c=True),
        "the output begins with the given h: the state after the first step comes first": (
            np.concatenate([inputs[1][None], want[0][:-1]]),
            want[1],
        ),
    }
    found = first_match(got, turns)
    if found or not isinstance(got, tuple | list):
        return found
    return first_match(got[0], {"`output` is right, but the cell state that you return is not the last one": want[0]})


register(
    "fast_lstm",
    chapter="fast",
    title="Three faults of haste",
    draw=draw_layer,
    reference=fast_lstm,
    names=("output", "c"),
    axes=("T B H", "B H"),
    diagnose=diagnose_fast_lstm,
)


# Sums in chunks


def draw_chunks(rng):
    """A sequence, the input's weights, and room for one step or for several, or for less than one."""
    T, B, D, H = int(rng.integers(7, 20)), *draw_sizes(rng, 3, low=2, high=5)
    step = 4 * B * H
    room = int(rng.choice([step // 2, step, int(2.5 * step), 3 * step, 4 * step + 1, 100 * step]))
    return rng.normal(size=(T, B, D)), rng.normal(size=(4 * H, D)), rng.normal(size=4 * H), room


def verify_chunks(answer, rng, x, weight_ih, bias, room):
    """Are the chunks right, in order, small enough and no more than needed?"""
    (T, B, _), step = x.shape, x.shape[1] * len(bias)
    if not isinstance(answer, tuple | list):
        return "return a list of arrays, one a chunk"
    shapes = [np.shape(chunk) for chunk in answer]
    if any(len(shape) != 3 or shape[1:] != (B, len(bias)) for shape in shapes):
        return f"every chunk must have shape (steps, {B}, {len(bias)}), got {shapes[0]}"
    steps = sum(shape[0] for shape in shapes)
    if any(shape[0] == 0 for shape in shapes):
        return "a chunk without a step: with room for less than one step, a chunk still has one"
    if steps != T:
        return f"the chunks have {steps} steps together, the sequence has {T}: what about the last, shorter one?"
    want, got = x @ weight_ih.T + bias, np.concatenate(answer)
    tolerance = 1e-4 if x.dtype == np.float32 else 1e-9
    if not np.allclose(got, want, atol=tolerance):
        if np.allclose(got, want - bias, atol=tolerance):
            return "the bias is missing"
        if any(np.allclose(got, want + k * bias, atol=tolerance) for k in (1, 2)):
            return "the bias is added more than once"
        if np.allclose(np.sort(got, axis=0), np.sort(want, axis=0), atol=tolerance):
            return "the sums are right, but the steps stand in another order"
        return "the sums differ from x @ weight_ih.T + bias: do rows and steps belong together?"
    fit = max(1, room // step)
    largest = max(shape[0] for shape in shapes)
    if largest > fit:
        return f"a chunk has {largest} steps, {largest * step} numbers, and the room is {room}"
    if len(answer) > -(-T // fit):
        return f"{len(answer)} chunks where {-(-T // fit)} would do: a chunk may be fuller"
    return None


register(
    "chunked_sums",
    chapter="fast",
    title="Sums in chunks",
    draw=draw_chunks,
    verify=verify_chunks,
)


# A fair race

CALLS = 80


class Stopwatch:
    """A simulated one: `clock("old")` and `clock("new")` give the milliseconds of one call. It notes all calls."""

    def __init__(self, rng):
        self.ratio, self.log = float(np.exp(rng.uniform(-0.3, 0.3))), []
        n, start = np.arange(CALLS), int(rng.integers(6, 20))
        disturbed = (start <= n) & (n < start + rng.integers(14, 30))  # another program runs
        pace = np.where(disturbed, rng.uniform(1.3, 1.7), 1) * np.linspace(1, rng.uniform(0.8, 1.25), CALLS)
        pace *= np.where(rng.random(CALLS) < 0.08, rng.uniform(1.5, 4, CALLS), 1)  # interrupted
        self._ms = rng.uniform(2, 9) * pace * np.exp(0.01 * rng.normal(size=CALLS))
        self._first = {name: rng.uniform(1.5, 3, size=3) for name in ("old", "new")}  # slow until it is warm

    def __deepcopy__(self, memo):
        return copy.copy(self)  # the same log

    def __call__(self, name):
        if name not in self._first:
            raise ValueError(f"the programs are 'old' and 'new', got {name!r}")
        n, before = len(self.log), sum(each == name for each, _ in self.log)
        if n == CALLS:
            raise RuntimeError(f"the stopwatch takes {CALLS} times, and this was one more")
        ms = self._ms[n] * (self._first[name][before] if before < 3 else 1) * (self.ratio if name == "new" else 1)
        self.log.append((name, float(ms)))
        return float(ms)


def diagnose_race(got, want, inputs):
    """Say what was unfair about the race, or about the number that was made of it."""
    log = inputs[0].log
    old, new = (np.array([ms for name, ms in log if name == which]) for which in ("old", "new"))
    fewer = min(len(old), len(new))
    if not log:
        return "the stopwatch was never started"
    if abs(got * want - 1) < 0.03:
        return "this is the old program's time as a multiple of the new one's: turn it over"
    if fewer < 10:
        return f"you took {len(log)} times of {CALLS}: the first of a program are slow, and any may be interrupted"
    if sum(a != b for (a, _), (b, _) in zip(log, log[1:])) < fewer / 2:
        return (
            "the programs hardly take turns: for a while the machine was slower, and one of them had more of that while"
        )
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


register(
    "fair_race",
    chapter="fast",
    title="A fair race",
    draw=lambda rng: (Stopwatch(rng),),
    reference=lambda clock: clock.ratio,
    names=("the ratio",),
    diagnose=diagnose_race,
    tolerance=0.03,
    dtypes=("float64",),
    trials=24,
)
