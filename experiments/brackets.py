"""Study of the introduction: can one unit count open brackets? An LSTM unit set by hand, and the best RNN unit found.

Each character of a random string is "(" (20%), ")" (20%) or another; the depth stays between 0 and a largest depth of
4, or of 1, and one test goes deeper. After each character a linear function of the unit's state says the depth. Of the
LSTM this is the cell state as it is. Of the RNN unit, h = tanh(w_open x_open + w_close x_close + u h + b), it is fitted
by least squares, and the four weights are searched: random starts, each improved by random steps that are kept when the
mean squared error falls. "right" is the share of characters with the right depth after rounding, on other strings.
Every weight of a unit is then made smaller and larger by some per cent, with the readout as it was. The search is made
twice: for weights as they are, and for the mean error over weights 1% smaller and 1% larger. About a minute.
"""

import json

import numpy as np
from protocol import RESULTS, save

from lstm_tutorial.in_numpy import LSTM, tanh

SEED = 0
DEPTHS = [1, 4]
STARTS, STEPS = 100, 3000
SEARCH = dict(B=40, T=40)
TESTS = {"T=40": dict(B=1000, T=40), "T=400": dict(B=100, T=400), "deep": dict(B=20, T=1000, deepest=100)}
CHANGES = [0, 0.001, 0.01, 0.1]
UNIT = json.loads((RESULTS.parents[1] / "book" / "figures" / "play.json").read_text(encoding="utf-8"))["brackets"]


def brackets(B, T, deepest, rng):
    """Return random strings as x (T, B, 2), one column for "(" and one for ")", and the depth (T, B) after each."""
    moves = rng.choice([1, -1, 0], size=(T, B), p=[0.2, 0.2, 0.6])
    depth = np.zeros((T + 1, B), int)
    for t in range(T):
        after = depth[t] + moves[t]
        depth[t + 1] = np.where((after < 0) | (after > deepest), depth[t], after)
    moves = np.diff(depth, axis=0)
    return np.stack([moves == 1, moves == -1], axis=-1).astype(float), depth[1:]


def run_rnn(weights, x):
    """Return h (T, B, N) of N units with weights (4, N): on "(", on ")", on h, and the bias."""
    w_open, w_close, u, bias = weights
    z = x[..., :1] * w_open + x[..., 1:] * w_close + bias  # (T, B, N)
    h = np.zeros_like(z)
    for t in range(len(x)):
        h[t] = tanh(z[t] + u * h[t - 1])  # before the first step h is still 0
    return h


def run_lstm(rows, x):
    """Return the cell state (T, B) of an LSTM unit with rows i, f, g, o: weights on "(", on ")" and on h, the bias."""
    unit = LSTM(2, 1, dtype="float64")
    weights = {"weight_ih_l0": rows[:, :2], "weight_hh_l0": rows[:, 2:3]}
    unit.load_state_dict(weights | {"bias_ih_l0": rows[:, 3], "bias_hh_l0": np.zeros(4)})
    _, _, gates = unit(x, return_gates=True)
    return gates.c[..., 0]


def fit_readout(h, depth):
    """Return slope and intercept (N,) that make of h (T, B, N) the depth with the least squared error."""
    centred = h - h.mean(axis=(0, 1))
    slope = np.einsum("tbn,tb->n", centred, depth - depth.mean()) / np.maximum((centred**2).sum(axis=(0, 1)), 1e-30)
    return slope, depth.mean() - slope * h.mean(axis=(0, 1))


def errors(weights, x, depth, change):
    """Return the mean squared error (N,) of units, averaged over weights made smaller and larger by `change`."""
    slope, intercept = fit_readout(run_rnn(weights, x), depth)
    found = []
    for factor in sorted({1 - change, 1 + change}):
        h = run_rnn(factor * weights, x)
        found.append(np.mean((slope * h + intercept - depth[..., None]) ** 2, axis=(0, 1)))
    return np.mean(found, axis=0)


def training_strings(deepest):
    """Return the strings on which weights and readout are chosen."""
    return brackets(**SEARCH, deepest=deepest, rng=np.random.default_rng([SEED, deepest, 0]))


def search(deepest, change):
    """Return the weights (4, N) and errors (N,) at which the random starts have arrived, the best first."""
    rng = np.random.default_rng([SEED, deepest, 2])
    x, depth = training_strings(deepest)
    weights = rng.normal(size=(4, STARTS)) * 10 ** rng.uniform(-2, 0.5, size=(4, STARTS))
    best = errors(weights, x, depth, change)
    for _ in range(STEPS):
        size = 10 ** rng.uniform(-5, 0.5, size=STARTS)  # of a step: sometimes fine, sometimes coarse
        step = rng.normal(size=weights.shape) * (rng.random(weights.shape) < 0.5)
        relative = rng.random(STARTS) < 0.5
        tried = weights + size * step * np.where(relative, np.abs(weights), 1)
        found = errors(tried, x, depth, change)
        better = found < best
        weights, best = np.where(better, tried, weights), np.where(better, found, best)
    order = best.argsort()
    return weights[:, order], best[order]


def shares_right(state, weights, readout, tests):
    """Return by test and change the share of right depths, with all weights smaller and larger by the change.

    `state(weights, x)` is what a unit with these weights holds, (T, B); slope and intercept of the readout make of it
    the depth.
    """
    slope, intercept = readout
    found = {}
    for name, (x, depth) in tests.items():
        answers = [[slope * state(f * weights, x) + intercept for f in (1 - p, 1 + p)] for p in CHANGES]
        right = np.mean(np.round(answers) == depth, axis=(2, 3))
        found[name] = {f"{change:.1%}": pair for change, pair in zip(CHANGES, right)}
    return found


def measure_rnn(deepest, change, tests):
    """Search the weights of an RNN unit, and return those found with what they can do."""
    weights, error = search(deepest, change)
    best = weights[:, :1]
    best[[0, 1, 3]] *= np.sign(best[0])  # -h does the same as h: let an opening bracket raise it
    x, depth = training_strings(deepest)
    readout = np.ravel(fit_readout(run_rnn(best, x), depth))
    return {
        "weights": best[:, 0],
        "readout": readout,
        "error": error[0],
        "starts_below_0.01": np.mean(error < 0.01),
        "right": shares_right(lambda weights, x: run_rnn(weights, x)[..., 0], best, readout, tests),
    }


if __name__ == "__main__":
    rows = np.array([UNIT["lstm"][name] for name in "ifgo"], float)
    results = {"settings": dict(starts=STARTS, steps=STEPS, search=SEARCH, tests=TESTS, lstm=UNIT["lstm"])}
    for deepest in DEPTHS:
        tests = {}
        for name, test in TESTS.items():
            if deepest > 1 or "deepest" not in test:
                tests[name] = brackets(**{"deepest": deepest} | test, rng=np.random.default_rng([SEED, deepest, 1]))
        results[f"depth to {deepest}"] = {
            "most_frequent": {name: np.bincount(y.ravel()).max() / y.size for name, (_, y) in tests.items()},
            "lstm": {
                "right": shares_right(run_lstm, rows, (1, 0), tests),
                "largest_error": {name: np.abs(run_lstm(rows, x) - depth).max() for name, (x, depth) in tests.items()},
            },
            "rnn": {f"{change:.0%}": measure_rnn(deepest, change, tests) for change in (0, 0.01)},
        }
    save("brackets", results, seeds=[SEED])
