"""Study of the chapter cell-state: dc_T/dc_t by lag, split into the product of forget gates and all paths through h.

Chosen before the first run: 16 units read 8 inputs from N(0, 1); default initialisation, forget biases as in the
chapter memory, recurrent weights as drawn or multiplied by 1/2, 2 or 4; 20 steps before the first lag. A matrix of one
lag becomes a number by its Frobenius norm, root mean square over 8 sequences; "own" is the norm of the diagonal of the
part through h, a unit's effect on itself. Then the adding problem over 60 steps, before and after training (forget bias
2, as in numpy-lstm), on unseen sequences. About 75 seconds of one processor.
"""

import numpy as np
from protocol import save

from lstm_tutorial.data import adding_problem
from lstm_tutorial.in_numpy import (
    Adam,
    FastLSTM,
    Layer,
    Linear,
    fit,
    lstm_cell,
    lstm_cell_backward,
    mse_loss,
    tanh_slope,
)

D, H, SEQUENCES, BEFORE, LONGEST = 8, 16, 8, 20, 100
LAGS = [1, 2, 5, 10, 20, 50, 100]
BIASES = {"default": None, "1": 1, "2": 2, "3": 3, "5": 5}
SCALES = [0.5, 1, 2, 4]
SEEDS = range(5)
TASK = dict(T=60, hidden_size=32, forget_bias=2, lr=1e-2, B=50, updates=1200)
TASK_LAGS = [1, 2, 5, 10, 20, 50]
PARTS = ("total", "direct", "through_h", "own")


def jacobians(lstm, x):
    """Return dc_T/dc_t of one sequence x (T, D) by lag from 1 on, total and direct, (T - 1, H, H) each; and mean f."""
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
        before = caches[t - 1]  # where h_t = o_t * tanh(c_t): a nudge of c_t moves h_t too
        found.append((d_c + d_h * before.o * tanh_slope(before.tanh_c), direct))
    total, direct = np.array(found).swapaxes(0, 1)
    return total, direct, np.mean([cache.f[0] for cache in caches])


def norms(lstm, sequences):
    """Return the norms of the four `PARTS` by lag from 1 on, (4, T - 1), and the mean forget gate."""
    squares, openings = 0, []
    for x in sequences:
        total, direct, opening = jacobians(lstm, x)
        through_h = total - direct
        own = through_h * np.eye(lstm.hidden_size)
        parts = np.stack([total, direct, through_h, own])  # (4, lags, H, H)
        squares = squares + np.sum(parts**2, axis=(2, 3)) / len(sequences)
        openings.append(opening)
    return np.sqrt(squares), np.mean(openings)


def half_life(norm):
    """Return the lag at which a norm has fallen to half of what it is at lag 0, between two lags by its logarithm."""
    curve = np.log2(np.concatenate([[np.sqrt(H)], norm]) / np.sqrt(H))  # the identity at lag 0
    below = np.flatnonzero(curve <= -1)
    if not below.size:
        return None
    k = below[0]
    return k - 1 + (curve[k - 1] + 1) / (curve[k - 1] - curve[k])


def draw(seed, bias, scale):
    """Return a network and sequences for it; the same draws for every bias and scale of one seed."""
    rng = np.random.default_rng(seed)
    lstm = FastLSTM(D, H, forget_bias=bias, rng=rng, dtype="float64")
    state = lstm.state_dict()
    lstm.load_state_dict(state | {"weight_hh_l0": scale * state["weight_hh_l0"]})
    return lstm, rng.normal(size=(SEQUENCES, BEFORE + LONGEST, D))


def by_lag(parts, lags):
    """Name the norms, at the lags to be kept."""
    return dict(zip(PARTS, parts[:, np.array(lags) - 1]))


def first_lag(parts, share):
    """Return the first lag at which the part through h exceeds this share of the direct part; None if none does."""
    above = np.flatnonzero(parts[2] > share * parts[1])
    return int(above[0]) + 1 if above.size else None


class Adder(Layer):
    """An LSTM that reads (B, T, 2), and a linear head on its last hidden state that says one number."""

    def __init__(self, rng):
        super().__init__()
        options = dict(forget_bias=TASK["forget_bias"], batch_first=True, dtype="float64")
        self.lstm = FastLSTM(2, TASK["hidden_size"], rng=rng, **options)
        self.head = Linear(TASK["hidden_size"], 1, rng=rng, dtype="float64")

    def __call__(self, x, lengths):
        return self.head(self.lstm(x, lengths=lengths)[1][0][-1])

    def backward(self, d_prediction):
        self.lstm.backward(None, (self.head.backward(d_prediction)[None], None))


def train(seed):
    """Return the norms by lag before and after training on the adding problem, and the score on unseen sequences."""
    rng = np.random.default_rng(seed)
    network, T = Adder(rng), TASK["T"]
    test = adding_problem(2000, T, rng=[seed, 1])

    def measure():
        parts = norms(network.lstm, test.x[:SEQUENCES])[0]
        return by_lag(parts, TASK_LAGS) | {"even_at": first_lag(parts, 1)}

    result = {"before": measure()}
    batches = (adding_problem(TASK["B"], T, rng=rng) for _ in range(TASK["updates"]))
    fit(network, batches, mse_loss, Adam(network.parameters, lr=TASK["lr"]), clip_norm=1.0, progress=False)
    result["after"] = measure()
    return result | {"mse": mse_loss(network(test.x, test.lengths), test.y)[0]}


if __name__ == "__main__":
    drawn = {}
    for name, bias in BIASES.items():
        drawn[name] = {}
        for scale in SCALES:
            runs = []
            for seed in SEEDS:
                parts, opening = norms(*draw(seed, bias, scale))
                lives = {f"half_life_{part}": half_life(norm) for part, norm in zip(("total", "direct"), parts)}
                crossings = {"tenth_at": first_lag(parts, 0.1), "even_at": first_lag(parts, 1)}
                runs.append(by_lag(parts, LAGS) | {"forget": opening} | lives | crossings)
            drawn[name][f"{scale:g}"] = {key: [run[key] for run in runs] for key in runs[0]}
        print(f"forget bias {name}: done", flush=True)
    runs = [train(seed) for seed in SEEDS]
    trained = {
        when: {part: [run[when][part] for run in runs] for part in runs[0][when]} for when in ("before", "after")
    }
    trained |= {"mse": [run["mse"] for run in runs], "lags": TASK_LAGS}
    settings = dict(D=D, H=H, sequences=SEQUENCES, before=BEFORE, task=TASK)
    save("cell_state", {"settings": settings, "lags": LAGS, "drawn": drawn, "trained": trained}, seeds=SEEDS)
