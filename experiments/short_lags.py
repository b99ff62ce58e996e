"""Study of the chapters memory and numpy-lstm: do short lags teach a network the long ones?

At its default forget bias an LSTM learns the adding problem over 60 steps, but not which symbol stood first of 50. In
the adding problem the marks stand anywhere, so that many sequences have a short lag; in the other task none has. Here
short lags are taken away from the one and given to the other, and all networks are judged on the task without them.

32 units for adding, 16 for the symbol, batch 32, Adam, gradients clipped to norm 1; ten seeds, at most 2,000 updates,
and with 8,000 where a curve still fell, and where the page compares with that; the learning rate is chosen among the
same five for every network and every way to train, on eight seeds of its own and a third of the updates. A seed has
learned when its mean squared error on 500 fresh validation sequences of what is judged is below 0.01 (always saying
1: 1/6), or its share of wrong answers below 1%.
"""

import numpy as np
from first_symbol import draw
from many_seeds import initial, measure
from protocol import run, save

from lstm_tutorial.data import adding_problem

SEEDS, BUDGET, TRIES = range(10), 2000, [0.02, 0.01, 0.005, 0.002, 0.001]


def halves(rng, B, T):
    """Draw the adding problem with a mark in each half."""
    x, _, y = adding_problem(B, T, rng=rng)
    return x, y


def early(rng, B, T, noise=True):
    """Draw the adding problem with both marks among the first ten steps; without `noise` only zeros follow."""
    x, _, y = adding_problem(B, 10, rng=rng)
    rest = np.zeros((B, T - 10, 2), np.float32)
    rest[..., 0] = rng.random((B, T - 10)) * noise
    return np.concatenate([x, rest], axis=1), y


def silent(rng, B, T):
    """Draw `early` marks, and zeros after the tenth step."""
    return early(rng, B, T, noise=False)


def moved(rng, B, T, last=None):
    """Draw the symbol at any of the first `last` steps, of all without it."""
    x, y = draw(rng, B, T)
    to, rows = rng.integers(0, last or T, B), np.arange(B)
    x[rows, 0], x[rows, to] = x[rows, to], x[rows, 0]
    return x, y


def first_half(rng, B, T):
    """Draw the symbol at any step of the first half, so that no lag is shorter than half of T."""
    return moved(rng, B, T, last=T // 2)


WAYS = {
    "symbol first": dict(draw=draw, T=50, binary=True),
    "symbol at any step": dict(draw=moved, T=50, binary=True, target=draw),
    "symbol in the first half": dict(draw=first_half, T=50, binary=True, target=draw),
    "symbol first, 2 to 50 steps": dict(draw=draw, T=(2, 50), binary=True),
    "marks in the halves": dict(draw=halves, T=60, binary=False),
    "marks in the first ten": dict(draw=early, T=60, binary=False),
    "marks in the first ten, 10 to 60 steps": dict(draw=early, T=(10, 60), binary=False),
    "marks in the first ten, then zeros": dict(draw=silent, T=60, binary=False),
    "marks in the first ten, 8,000 updates": dict(draw=early, T=60, binary=False, budget=8000),
    "marks in the first ten, 10 to 60 steps, 8,000 updates": dict(draw=early, T=(10, 60), binary=False, budget=8000),
}
PAIRS = {"symbol": ("RNN", "LSTM, default"), "marks": ("LSTM, default", "LSTM, bias 4")}
LONG = [
    ("marks in the first ten", "LSTM, default"),
    ("marks in the first ten", "LSTM, bias 4"),
    ("marks in the first ten, 10 to 60 steps", "LSTM, default"),
]


def setting(way, name, seeds=SEEDS, budget=BUDGET, tries=TRIES):
    """Return what one network does when trained in one way."""
    kind, H = name[:4].strip(","), 16 if WAYS[way]["binary"] else 32
    options = {"budget": budget} | WAYS[way]

    def make(seeds):
        return initial(kind, 2, H, seeds, forget_bias=4 if name == "LSTM, bias 4" else None)

    return measure(make, seeds, tries, **options)


if __name__ == "__main__":
    short = [way for way in WAYS if "8,000" not in way]
    settings = [dict(way=way, name=name) for way in short for name in PAIRS[way.split()[0]]]
    settings += [dict(way=f"{way}, 8,000 updates", name=name) for way, name in LONG]
    runs = {}
    for each, found in zip(settings, run(setting, settings)):
        runs.setdefault(each["way"], {})[each["name"]] = found
        learned, updates = found["learned"]["share"], found["updates"]
        print(f"{each['way']}, {each['name']}: {learned:.0%} at {updates}, lr {found['search']['lr']}", flush=True)
        results = {"settings": dict(H=[16, 32], B=32, clip_norm=1.0, budget=BUDGET, tries=TRIES), "runs": runs}
        save("short_lags", results, seeds=SEEDS)
