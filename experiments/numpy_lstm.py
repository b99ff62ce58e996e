"""Study of the chapter numpy-lstm: a gradient check at many steps eps, and the adding problem over 60 steps.

Chosen before the first run: forget bias 2, which keeps a gradient alive over tens of steps (chapter memory); lr, batch
and clipping are the same for all, but for the runs that say otherwise. The RNNs get two kinder chances: a smaller lr,
and as many parameters as the LSTM. Every batch is fresh, so a training loss is that of unseen sequences; the test set
is drawn apart and read once, after the last update. Five seeds each; about three minutes of one core.
"""

import inspect
import time

import numpy as np
from protocol import save

from lstm_tutorial.data import adding_problem
from lstm_tutorial.in_numpy import RNN, Adam, FastLSTM, Layer, Linear, cell, fit, lstm_sequence, mse_loss, sequence

T, B, UPDATES, TEST, EVERY, SOLVED = 60, 50, 1200, 2000, 20, 0.01
SEEDS = range(5)
RUNS = {
    "LSTM": dict(kind=FastLSTM, hidden_size=32, forget_bias=2),
    "LSTM, default forget bias": dict(kind=FastLSTM, hidden_size=32),
    "LSTM, not clipped": dict(kind=FastLSTM, hidden_size=32, forget_bias=2, clip_norm=None),
    "RNN": dict(kind=RNN, hidden_size=32),
    "RNN, lr 0.001": dict(kind=RNN, hidden_size=32, lr=1e-3),
    "RNN, 66 units": dict(kind=RNN, hidden_size=66),
}
STEPS = [10.0**-k for k in range(13)]
THROUGH_H = "d_c = d_c + d_h * o * tanh_slope(tanh_c)"


def backward_source():
    """Return the text of the backward of one step and of that of a sequence."""
    return "\n".join(map(inspect.getsource, (cell.lstm_cell_backward, sequence.lstm_sequence_backward)))


def check_gradients(dtype="float64", source=None):
    """Return, for each eps of STEPS, the worst error of BPTT (or of its changed source) against central differences."""
    rng, (T, B, D, H) = np.random.default_rng(0), (6, 3, 2, 4)
    shapes = {"x": (T, B, D), "h": (B, H), "c": (B, H)}
    shapes |= {"weight_ih": (4 * H, D), "weight_hh": (4 * H, H), "bias_ih": (4 * H,), "bias_hh": (4 * H,)}
    arrays = {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
    pull = [rng.normal(size=shape).astype(dtype) for shape in ((T, B, H), (B, H), (B, H))]

    def run():
        x, h, c, *weights = arrays.values()
        output, state, cache = lstm_sequence(x, (h, c), *weights)
        return sum(np.sum(p * each) for p, each in zip(pull, (output, *state))), cache

    space = vars(cell) | vars(sequence)
    exec(source or backward_source(), space)
    d_x, (d_h, d_c), gradients = space["lstm_sequence_backward"](pull[0], pull[1:], run()[1])
    gradients |= {"x": d_x, "h": d_h, "c": d_c}

    def error(name, eps):
        array, numeric = arrays[name], np.zeros(shapes[name])
        for at in np.ndindex(array.shape):
            value = array[at]
            array[at] = value + eps
            above = run()[0]
            array[at] = value - eps
            below = run()[0]
            array[at] = value
            numeric[at] = (above - below) / (2 * eps)
        return np.max(abs(numeric - gradients[name])) / np.max(abs(gradients[name]))

    return [max(error(name, eps) for name in arrays) for eps in STEPS]


class Adder(Layer):
    """A recurrent network that reads (B, T, 2) and a linear head on its last hidden state that says one number."""

    def __init__(self, recurrent, rng):
        super().__init__()
        self.recurrent = recurrent
        self.head = Linear(recurrent.hidden_size, 1, rng=rng)
        self.norms = []

    def __call__(self, x, lengths):
        _, state = self.recurrent(x, lengths=lengths)
        h_n = state[0] if isinstance(state, tuple) else state  # (1, B, H)
        return self.head(h_n[-1])

    def backward(self, d_prediction):
        d_h_n = self.head.backward(d_prediction)[None]  # (1, B, H)
        self.recurrent.backward(None, (d_h_n, None) if isinstance(self.recurrent, FastLSTM) else d_h_n)
        self.norms.append(np.sqrt(sum(np.vdot(d, d) for d in self.gradients.values())))


def train(seed, kind, lr=1e-2, clip_norm=1.0, **options):
    """Train one network; return its score on the test set, its losses and what its gradients were like."""
    rng = np.random.default_rng(seed)
    network = Adder(kind(2, batch_first=True, rng=rng, **options), rng)
    batches = (adding_problem(B, T, rng=rng) for _ in range(UPDATES))
    began = time.process_time()
    optimiser = Adam(network.parameters, lr=lr)
    losses = np.array(fit(network, batches, mse_loss, optimiser, clip_norm=clip_norm, progress=False))
    seconds = time.process_time() - began
    test = adding_problem(TEST, T, rng=[seed, 1])
    means = np.convolve(losses, np.full(50, 1 / 50), "valid")  # the mean of 50 updates, by its last
    below = np.flatnonzero(means < SOLVED)
    return {
        "mse": mse_loss(network(test.x, test.lengths), test.y)[0],
        "always_one": mse_loss(np.ones_like(test.y), test.y)[0],
        "solved_at": int(below[0]) + 50 if below.size else None,
        "seconds": seconds,
        "largest_norm": max(network.norms),
        "share_above_1": np.mean(np.array(network.norms) > 1),
        "parameters": sum(value.size for value in network.parameters.values()),
        "losses": losses.reshape(-1, EVERY).mean(axis=1),
    }


if __name__ == "__main__":
    source = backward_source()
    assert THROUGH_H in source
    checks = {
        "eps": STEPS,
        "float64": check_gradients(),
        "float32": check_gradients("float32"),
        "path through h forgotten": check_gradients(source=source.replace(THROUGH_H, "pass")),
    }
    runs = {}
    for name, options in RUNS.items():
        each = [train(seed, **options) for seed in SEEDS]
        runs[name] = {key: [run[key] for run in each] for key in each[0]}
        print(f"{name}: test MSE {', '.join(f'{mse:.4f}' for mse in runs[name]['mse'])}", flush=True)
    settings = dict(T=T, B=B, updates=UPDATES, test=TEST, every=EVERY, lr=1e-2, clip_norm=1.0)
    save("numpy_lstm", {"settings": settings, "checks": checks, "runs": runs}, seeds=SEEDS)
