"""Study of the chapter cell-state: dc_T/dc_t by lag, split into the product of forget gates and all paths through h.

The networks and the sequences are those of the study of the chapter memory, untrained, 20 seeds. A matrix of one lag
becomes a number by its Frobenius norm. Some seconds.
"""

import numpy as np
from memory import SEEDS, H, T
from protocol import save

from lstm_tutorial.data import first_symbol
from lstm_tutorial.in_numpy import FastLSTM, lstm_cell, lstm_cell_backward, tanh_slope

LAGS, BIASES = [1, 2, 5, 10, 20, 50, 100], (1, 5)
PARTS = ("total", "direct", "through_h")


def jacobians(lstm, x):
    """Return dc_T/dc_t of one sequence x (T, D) by lag from 1 on, total and direct, (T - 1, H, H) each."""
    weights = [lstm.parameters[f"{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    H = lstm.hidden_size
    state, caches = (np.zeros((H, H)), np.zeros((H, H))), []
    for x_t in x:  # H copies of the sequence: row k will carry the gradient of unit k of c_T
        state, cache = lstm_cell(np.tile(x_t, (H, 1)), state, *weights)
        caches.append(cache)
    d_h, d_c, direct, found = np.zeros((H, H)), np.eye(H), np.eye(H), []
    for t in range(len(x) - 1, 0, -1):
        _, (d_h, d_c), _ = lstm_cell_backward(d_h, d_c, caches[t])
        direct = direct * caches[t].f
        before = caches[t - 1]  # where h_t = o_t * tanh(c_t): h_t changes with c_t
        found.append((d_c + d_h * before.o * tanh_slope(before.tanh_c), direct))
    return np.array(found).swapaxes(0, 1)


def norms(seed, bias):
    """Return the norms of the three `PARTS` by lag from 1 on, (3, T - 1), of a randomly initialised network."""
    lstm = FastLSTM(2, H, forget_bias=bias, rng=seed, dtype="float64")
    total, direct = jacobians(lstm, first_symbol(1, T, rng=[seed, 1]).x[0])
    return np.linalg.norm([total, direct, total - direct], axis=(2, 3))


def first_lag(parts):
    """Return the first lag at which the part through h is larger than the direct part; None if there is none."""
    above = np.flatnonzero(parts[2] > parts[1])
    return int(above[0]) + 1 if above.size else None


if __name__ == "__main__":
    runs = {}
    for bias in BIASES:
        found = [norms(seed, bias) for seed in SEEDS]
        by_lag = np.array(found)[:, :, np.array(LAGS) - 1]  # (seeds, 3, lags)
        runs[f"LSTM, bias {bias}"] = dict(zip(PARTS, by_lag.swapaxes(0, 1)), even_at=list(map(first_lag, found)))
    save("cell_state", {"settings": dict(H=H, T=T), "lags": LAGS, "runs": runs}, seeds=SEEDS)
