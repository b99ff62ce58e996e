"""Study of the chapter gates: trained latches beside the one set by hand, and gates under all-positive weights.

Latch: one unit learns the task latch from fresh batches; its target is what the hand-set latch shows, tanh(1) while on
and 0 while off. Chosen before the first run: the task's own settings, default initialisation. It is trained twice from
the same start: free, and with the recurrent weights held at zero, so that the gates see the input alone. Gates are
medians over unseen sequences, sorted by the pulse that comes and the state before it. `cut` is the accuracy of the
trained unit with its recurrent weights set to zero afterwards; `long` is a test with pulses 50 times rarer.

Openings are the values of gates: weights uniform from 0 to 1, as from `np.random.rand`, with biases of zero, beside the
default initialisation. About a minute.
"""

import numpy as np
from protocol import save

from lstm_tutorial.data import latch
from lstm_tutorial.in_numpy import Adam, FastLSTM, fit, mse_loss

SEEDS = range(10)
LATCH = dict(T=40, B=32, updates=400, lr=0.05)
TEST, LONG = dict(B=500, T=40), dict(B=50, T=1000, rate=0.002)
ON = np.tanh(1)  # what the hand-set latch shows while it is on
OPENINGS = dict(T=50, B=100, D=2)
SIZES = [5, 16, 64]
# Set at 5, again at 12, reset at 20, again at 24, set at 30, counted from 1: the sequence of the figure.
PULSES = {"set": [5, 12, 30], "reset": [20, 24]}


def hand_set():
    """Return the latch of the chapter, with its weights set by hand."""
    lstm = FastLSTM(2, 1, batch_first=True, dtype="float64")
    rows = np.array([[40, 0, -20], [-40, -40, 20], [0, 0, 20], [0, 0, 20]], float)  # i, f, g, o: set, reset, bias
    weights = {"weight_ih_l0": rows[:, :2], "weight_hh_l0": np.zeros((4, 1))}
    lstm.load_state_dict(weights | {"bias_ih_l0": rows[:, 2], "bias_hh_l0": np.zeros(4)})
    return lstm


def train(seed, with_h=True):
    """Return a latch of one unit that was trained; without h its recurrent weights stay at zero."""
    rng = np.random.default_rng(seed)
    lstm = FastLSTM(2, 1, batch_first=True, rng=rng)
    learned = lstm.parameters
    if not with_h:
        learned.pop("weight_hh_l0")[...] = 0  # the array itself: the unit's own weights
    batches = (latch(LATCH["B"], LATCH["T"], rng=rng) for _ in range(LATCH["updates"]))
    fit(
        lstm,
        ((x, ON * y[..., None]) for x, _, y in batches),
        lambda prediction, target: mse_loss(prediction[0], target),
        Adam(learned, lr=LATCH["lr"]),
        progress=False,
    )
    return lstm


def without_h(lstm):
    """Return a copy with recurrent weights of zero."""
    copy = FastLSTM(2, 1, batch_first=True, dtype=lstm.dtype)
    copy.load_state_dict(lstm.state_dict() | {"weight_hh_l0": np.zeros((4, 1))})
    return copy


def accuracy(lstm, batch):
    """Return the share of steps at which the unit is on the right side of half of `ON`."""
    output = lstm(batch.x, keep_cache=False)[0][..., 0]
    return np.mean((output > ON / 2) == (batch.y == 1))


def sorted_gates(lstm, batch):
    """Return the median of every gate by case, and the share of a held state that a quiet step wrote again."""
    _, _, gates = lstm(batch.x, return_gates=True)
    gates = {name: values[..., 0] for name, values in gates._asdict().items()}
    before = np.pad(batch.y, ((0, 0), (1, 0)))[:, :-1] == 1
    is_set, is_reset = batch.x[..., 0] == 1, batch.x[..., 1] == 1
    quiet = ~is_set & ~is_reset
    cases = {
        "quiet, off": quiet & ~before,
        "quiet, on": quiet & before,
        "set, off": is_set & ~before,
        "set, on": is_set & before,
        "reset, on": is_reset & before,
    }
    found = {case: {name: np.median(values[where]) for name, values in gates.items()} for case, where in cases.items()}
    written = (gates["i"] * gates["g"] / gates["c"])[cases["quiet, on"]]
    return found, np.median(written)


def measure(lstm, seed):
    """Return all that is measured of one latch."""
    test, long = latch(**TEST, rng=[seed, 1]), latch(**LONG, rng=[seed, 2])
    gates, rewritten = sorted_gates(lstm, test)
    return {
        "accuracy": accuracy(lstm, test),
        "majority": max(test.y.mean(), 1 - test.y.mean()),
        "cut": accuracy(without_h(lstm), test),
        "long": accuracy(lstm, long),
        "long_majority": max(long.y.mean(), 1 - long.y.mean()),
        "rewritten": rewritten,
        "gates": gates,
    }


def together(runs):
    """Turn a list of equal dicts into a dict of lists."""
    if isinstance(runs[0], dict):
        return {key: together([run[key] for run in runs]) for key in runs[0]}
    return runs


def trace(lstm):
    """Return gates and cell state over the sequence of the figure."""
    x = np.zeros((1, LATCH["T"], 2))
    for column, steps in enumerate(PULSES.values()):
        x[0, np.array(steps) - 1, column] = 1
    _, _, gates = lstm(x, return_gates=True)
    return {name: np.round(values[0, :, 0], 4) for name, values in gates._asdict().items()}


def draw(seed, H, positive):
    """Return an LSTM of H units with the default initialisation, or with weights from 0 to 1 and no bias."""
    rng = np.random.default_rng(seed)
    lstm = FastLSTM(OPENINGS["D"], H, rng=rng, dtype="float64")
    if positive:
        state = lstm.state_dict()
        lstm.load_state_dict({k: rng.random(v.shape) if "weight" in k else 0 * v for k, v in state.items()})
    return lstm


def open_wide(seed, H, positive, signed):
    """Return figures on the values of gates, the last cell state and the spread of h_T; and all values of gates."""
    rng = np.random.default_rng([seed, 1])
    shape = OPENINGS["T"], OPENINGS["B"], OPENINGS["D"]
    x = rng.normal(size=shape) if signed else rng.random(shape)
    output, (_, c_n), gates = draw(seed, H, positive)(x, return_gates=True)
    openings = np.stack([gates.i, gates.f, gates.o])
    found = {
        "above_95": np.mean(openings > 0.95),
        "median": np.median(openings),
        "cell_state": np.median(c_n),
        "spread_of_h": output[-1].std(axis=0).mean(),  # over the sequences of the batch
    }
    return found, openings.ravel()


if __name__ == "__main__":
    free, shut = [train(seed) for seed in SEEDS], [train(seed, with_h=False) for seed in SEEDS]
    latches = {"hand": [hand_set() for _ in SEEDS], "trained": free, "trained without h": shut}
    latches = {name: together([measure(*each) for each in zip(some, SEEDS)]) for name, some in latches.items()}
    traces = {"hand": trace(hand_set()), "trained": trace(free[0]), "trained without h": trace(shut[0])}
    openings, quantiles = {}, {}
    for name, positive in (("default", False), ("positive", True)):
        for signed in (False, True):
            for H in SIZES:
                runs, pooled = zip(*(open_wide(seed, H, positive, signed) for seed in SEEDS))
                openings.setdefault(name + (", signed inputs" if signed else ""), {})[str(H)] = together(list(runs))
                if not signed:
                    quantiles.setdefault(name, {})[str(H)] = np.quantile(pooled, np.linspace(0, 1, 401)).round(4)
    settings = dict(latch=LATCH, test=TEST, long=LONG, pulses=PULSES, openings=OPENINGS)
    results = {"settings": settings, "latch": latches, "traces": traces, "openings": openings, "quantiles": quantiles}
    save("gates", results, seeds=SEEDS)
