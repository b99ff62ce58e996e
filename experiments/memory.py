"""Study of the chapter memory: how much of an input is left in a gradient, and what training does to it.

First, untrained networks, ten seeds: the size of the Jacobian of the last hidden state with respect to the input
k steps before, |d h_T / d x_{T-k}|, for the plain RNN, for the RNN with larger recurrent weights, and for the LSTM at
several forget biases. Then a plain RNN on the adding problem at five lengths, five seeds: its score, and the same
gradient before and after training. About a minute.
"""

import numpy as np
from protocol import save

from lstm_tutorial.data import adding_problem
from lstm_tutorial.in_numpy import RNN, Adam, FastLSTM, Layer, Linear, fit, mse_loss

SEEDS, H, D, T, LAGS = range(10), 64, 2, 200, range(0, 101, 2)
FRESH = 51  # a sequence so short that a lag of 50 reaches its first step, where the cell state is empty
RUNS = {
    "RNN": dict(kind=RNN),
    "RNN, weights x 2": dict(kind=RNN, gain=2),
    "RNN, weights x 4": dict(kind=RNN, gain=4),
    "LSTM, default": dict(kind=FastLSTM),
    **{f"LSTM, bias {b}": dict(kind=FastLSTM, forget_bias=b) for b in (1, 2, 3, 5)},
}
ADDING = dict(lengths=(5, 10, 20, 40, 80), seeds=range(5), H=32, B=32, lr=3e-3, updates=3000, test=2000, probes=20)


def gradient_norms(network, x):
    """Return |d h_T / d x_{T-k}| for the lags k = 0 to T - 1: the root of the sum of all its squared entries.

    The network reads H copies of the sequence x (T, D), and copy j asks for the gradient of unit j: one backward gives
    the whole Jacobian.
    """
    units = network.hidden_size
    copies, one_each = np.repeat(x[:, None], units, axis=1), np.eye(units)[None]  # (T, H, D), (1, H, H)
    network(copies.swapaxes(0, 1) if network.batch_first else copies)
    d_x, _ = network.backward(None, (one_each, None) if isinstance(network, FastLSTM) else one_each)
    if network.batch_first:
        d_x = d_x.swapaxes(0, 1)
    return np.sqrt((d_x**2).sum(axis=(1, 2)))[::-1]


def untrained(seed, kind, steps=T, inputs=D, gain=1, **options):
    """Draw a network and then a sequence of standard normal numbers."""
    rng = np.random.default_rng(seed)
    network = kind(inputs, H, rng=rng, dtype="float64", **options)
    network.parameters["weight_hh_l0"][...] *= gain
    return network, rng.normal(size=(steps, inputs))


def ratios(seed, **run):
    """Return the gradient norms of an untrained network, relative to that of the last input."""
    norms = gradient_norms(*untrained(seed, **run))
    return norms / norms[0]


def measure(run):
    """Return what one kind of network gives, an entry a seed."""
    curves = np.array([ratios(seed, **run) for seed in SEEDS])  # (seeds, T)
    below = [np.flatnonzero(curve < 0.01) for curve in curves]
    found = {
        "ratio": curves[:, list(LAGS)],
        "first_lag_below_1_percent": [int(lags[0]) if lags.size else None for lags in below],
        "wide_input_at_50": [ratios(seed, inputs=H, **run)[50] for seed in SEEDS],
    }
    if run["kind"] is FastLSTM:
        found["fresh_at_50"] = [ratios(seed, steps=FRESH, **run)[50] for seed in SEEDS]
        gates = [network(x, return_gates=True)[2] for network, x in (untrained(seed, **run) for seed in SEEDS)]
        found["forget_gate"] = [each.f.mean() for each in gates]
        found["cell_state_size"] = [np.sqrt(np.mean(each.c[-1] ** 2)) for each in gates]
    return found


class Adder(Layer):
    """A plain RNN and a linear head on its last hidden state."""

    def __init__(self, rng):
        super().__init__()
        self.rnn = RNN(2, ADDING["H"], batch_first=True, rng=rng, dtype="float64")
        self.head = Linear(ADDING["H"], 1, rng=rng, dtype="float64")

    def __call__(self, x, lengths):
        output, h_n = self.rnn(x)
        return self.head(h_n[0])

    def backward(self, d_prediction):
        self.rnn.backward(None, self.head.backward(d_prediction)[None])


def train(seed, steps):
    """Train one RNN on the adding problem; return its score, and the first input's gradient before and after."""
    rng = np.random.default_rng(seed)
    network = Adder(rng)
    test = adding_problem(ADDING["test"], steps, rng=[seed, 1])

    def first_input():
        squares = [gradient_norms(network.rnn, x) ** 2 for x in test.x[: ADDING["probes"]]]
        size = np.sqrt(np.mean(squares, axis=0))
        return size[-1] / size[0]

    before = first_input()
    batches = (adding_problem(ADDING["B"], steps, rng=rng) for _ in range(ADDING["updates"]))
    fit(network, batches, mse_loss, Adam(network.parameters, lr=ADDING["lr"]), progress=False)
    return {
        "mse": mse_loss(network(test.x, test.lengths), test.y)[0],
        "always_one": mse_loss(np.ones_like(test.y), test.y)[0],
        "before": before,
        "after": first_input(),
    }


if __name__ == "__main__":
    results = {"settings": dict(H=H, D=D, T=T, fresh=FRESH, adding=ADDING | {"seeds": list(ADDING["seeds"])})}
    results |= {"lags": list(LAGS), "untrained": {name: measure(run) for name, run in RUNS.items()}, "adding": {}}
    print("untrained networks: done", flush=True)
    for steps in ADDING["lengths"]:
        each = [train(seed, steps) for seed in ADDING["seeds"]]
        results["adding"][steps] = {key: [run[key] for run in each] for key in each[0]}
        print(f"adding, T = {steps}: MSE", *(round(run["mse"], 4) for run in each), flush=True)
    save("memory", results, seeds=SEEDS)
