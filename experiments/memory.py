"""Study of the chapters memory and cell-state: how much of an input is left in the gradient before any training.

For 20 seeds, the size of the Jacobian of the last hidden state with respect to the input k steps before,
|d h_T / d x_{T-k}|, relative to that of the last input: for the plain RNN, for the RNN with larger recurrent weights,
and for the LSTM at several forget biases. The networks are those of the study of the first symbol, the input is one of
its sequences. Some seconds.
"""

import numpy as np
from protocol import save

from lstm_tutorial.data import first_symbol
from lstm_tutorial.in_numpy import RNN, FastLSTM

SEEDS, H, T, LAGS = range(20), 16, 200, range(0, 101, 2)
RUNS = {
    "RNN": dict(kind=RNN),
    "RNN, weights x 2": dict(kind=RNN, gain=2),
    "RNN, weights x 4": dict(kind=RNN, gain=4),
    "LSTM, default": dict(kind=FastLSTM),
    **{f"LSTM, bias {b}": dict(kind=FastLSTM, forget_bias=b) for b in range(1, 7)},
}


def gradient_norms(network, x):
    """Return |d h_T / d x_{T-k}| for the lags k = 0 to T - 1: the root of the sum of all its squared entries.

    The network reads H copies of the sequence x (T, D), and copy j asks for the gradient of unit j: one backward gives
    the whole Jacobian.
    """
    units = network.hidden_size
    copies, one_each = np.repeat(x[:, None], units, axis=1), np.eye(units)[None]  # (T, H, D), (1, H, H)
    network(copies)
    d_x, _ = network.backward(None, (one_each, None) if isinstance(network, FastLSTM) else one_each)
    return np.sqrt((d_x**2).sum(axis=(1, 2)))[::-1]


def ratios(seed, kind, gain=1, **options):
    """Return the gradient norms of a randomly initialised network, relative to that of the last input."""
    network = kind(2, H, rng=seed, dtype="float64", **options)
    network.parameters["weight_hh_l0"][...] *= gain
    norms = gradient_norms(network, first_symbol(1, T, rng=[seed, 1]).x[0])
    return norms / norms[0]


if __name__ == "__main__":
    curves = {name: np.array([ratios(seed, **run) for seed in SEEDS])[:, list(LAGS)] for name, run in RUNS.items()}
    save("memory", {"settings": dict(H=H, T=T), "lags": list(LAGS), "ratio": curves}, seeds=SEEDS)
