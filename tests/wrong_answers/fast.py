"""Wrong answers to the exercises of the chapter fast, and words of the message each must get."""

import numpy as np

from lstm_tutorial.in_numpy import sigmoid


def written_over(x, h, c, weight_ih, weight_hh, bias):
    h, output = h.copy(), []
    for x_t in x:
        i, f, g, o = np.split(x_t @ weight_ih.T + h @ weight_hh.T + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(sigmoid(g))
        np.multiply(sigmoid(o), np.tanh(c), out=h)
        output.append(h)
    return np.stack(output), c


def chunks(x, weight_ih, bias, steps):
    whole = x @ weight_ih.T + bias
    return [whole[k : k + steps] for k in range(0, len(whole), steps)]


def race(number, rounds=40, turns=True):
    def experiment(clock):
        names = ["old", "new"] * rounds if turns else ["old"] * rounds + ["new"] * rounds
        times = np.array([clock(name) for name in names])
        old, new = times.reshape(rounds, 2).T if turns else times.reshape(2, rounds)
        return float(number(old, new))

    return experiment


WRONG = {
    "step_costs": [(lambda: (2097152, 4194304, 24576, 393216), "how many gates have (B, H) numbers")],
    "makes_a_copy": [(lambda: (False, True, False, True), "4 results came where 6")],
    "halved_weights": [(lambda w, u, b: (0.5 * w, 0.5 * u, b), "its rows stay as they are")],
    "gradients_after_loop": [
        (lambda d_z, x, h: [np.sum([a.T @ b for a, b in zip(d_z, each)], 0) for each in (x, h)], "2 results came"),
    ],
    "fast_lstm": [(written_over, "two faults are left"), (lambda *a: written_over(*a)[0], "came where 2 results")],
    "input_in_chunks": [
        (lambda x, w, b, room: x @ w.T + b, "return a list"),
        (lambda x, w, b, room: chunks(x, w, b, 1), "a chunk may be fuller"),
        (lambda x, w, b, room: chunks(x, w, b, len(x)), "and the room is"),
        (lambda x, w, b, room: chunks(x[:-1], w, b, 3), "what about the last, shorter one?"),
        (lambda x, w, b, room: chunks(x[::-1], w, b, max(1, room // (x.shape[1] * len(b)))), "in another order"),
        (lambda x, w, b, room: [chunks(x, w, b, 1)[-1]] * len(x), "two chunks are one array"),
        (lambda x, w, b, room: [chunk.swapaxes(0, 1) for chunk in chunks(x, w, b, 3)], "every chunk must have shape"),
    ],
    "fair_race": [
        (race(lambda old, new: np.median(new) / np.median(old), turns=False), "hardly take turns"),
        (race(lambda old, new: new.mean() / old.mean()), "counts with all its length"),
        (race(lambda old, new: (new / old).mean()), "follows each interrupted call"),
        (race(lambda old, new: np.median(old / new)), "turn it over"),
        (race(lambda old, new: new[0] / old[0], rounds=1), "you took 2 times of 80"),
        (race(lambda old, new: np.median(new / old), rounds=50), "the stopwatch takes 80 times"),
        (lambda clock: 1.0, "never started"),
    ],
}
