"""Plausible wrong answers to the exercises of the chapter fast, and words of the message each must get."""

import numpy as np


def costs(k, value):
    """The right counts with one of them replaced."""
    right = [2097152, 4194304, 20480, 393216]
    right[k] = value
    return tuple(right)


def scaled(weight_ih, weight_hh, bias, scale):
    s = np.repeat(np.array(scale, bias.dtype), len(bias) // 4)
    return weight_ih * s[:, None], weight_hh * s[:, None], bias * s


def half(weights, parts):
    """Halve the gates' rows of some of the arrays."""
    s = np.repeat(np.array([0.5, 0.5, 1, 0.5], weights[2].dtype), len(weights[2]) // 4)
    return tuple(w * (s[:, None] if w.ndim == 2 else s) if k in parts else w for k, w in enumerate(weights))


def products(d_z, x, h, rows=None):
    """The gradients with these hidden states."""
    rows = d_z.reshape(-1, d_z.shape[-1]) if rows is None else rows
    return rows.T @ x.reshape(-1, x.shape[-1]), rows.T @ h.reshape(-1, h.shape[-1]), rows.sum(axis=0)


def averaged(d_z, x, h):
    d_ih, d_hh, d_bias = products(d_z, x, h[:-1])
    return d_ih, d_hh, d_bias / (d_z.shape[0] * d_z.shape[1])


def crossed(d_z, x, h):
    rows = d_z.swapaxes(0, 1).reshape(-1, d_z.shape[-1])
    return products(d_z, x, h[:-1], rows)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def layer(x, h, c, weight_ih, weight_hh, bias, bent_twice=False, same=False, in_place=False, late=False, first=False):
    """A layer, with faults or without."""
    output, c = [], c if in_place else c.copy()
    for x_t in x:
        z_i, z_f, z_g, z_o = np.split(x_t @ weight_ih.T + h @ weight_hh.T + bias, 4, axis=1)
        g = np.tanh(sigmoid(z_g)) if bent_twice else np.tanh(z_g)
        before = c.copy()
        c *= sigmoid(z_f)
        c += sigmoid(z_i) * g
        if first:
            output.append(h)
        h = sigmoid(z_o) * np.tanh(before if late else c)
        if not first:
            output.append(h)
    return np.stack([h] * len(x) if same else output), c


def all_sums(x, weight_ih, bias):
    return x @ weight_ih.T + bias


def cut(sums, steps):
    return [sums[k : k + steps] for k in range(0, len(sums), steps)]


def fit(x, bias, room):
    return max(1, room // (x.shape[1] * len(bias)))


def race(number, rounds=40, turns=True):
    """Take times, in turns or one program after the other, and make a number of them, old and new."""

    def experiment(clock):
        names = ["old", "new"] * rounds if turns else ["old"] * rounds + ["new"] * rounds
        times = np.array([clock(name) for name in names])
        old, new = times.reshape(rounds, 2).T if turns else times.reshape(2, rounds)
        return float(number(old, new))

    return experiment


WRONG = {
    "step_costs": [
        (lambda: (1048576, 2097152, 20480, 393216), "a multiplication and an addition"),
        (lambda: (524288, 1048576, 20480, 393216), "four gates"),
        (lambda: (65536, 131072, 20480, 393216), "the batch has 32"),
        (lambda: (4194304, 2097152, 20480, 393216), "in the other order"),
        (lambda: costs(2, 16384), "through a tanh too"),
        (lambda: costs(2, 5), "you counted functions"),
        (lambda: costs(2, 640), "this is for one sequence"),
        (lambda: costs(3, 98304), "takes 4 bytes"),
        (lambda: costs(3, 131072), "of the hidden state count as well"),
        (lambda: costs(3, 262144), "of the input count as well"),
        (lambda: costs(3, 786432), "8 bytes"),
        (lambda: costs(3, 12582912), "the same for every sequence"),
    ],
    "makes_a_copy": [
        (lambda: (True, True, False, True, False, False), "line A"),
        (lambda: (False, False, False, True, False, False), "line B"),
        (lambda: (False, True, True, True, False, False), "line C"),
        (lambda: (False, True, False, False, False, False), "line D"),
        (lambda: (False, True, False, True, True, False), "line E"),
        (lambda: (False, True, False, True, False, True), "line F"),
        (lambda: (False, True, False, True), "4 results came where 6"),
    ],
    "halved_weights": [
        (lambda *w: scaled(*w, [0.5, 0.5, 0.5, 0.5]), "the candidate is a tanh already"),
        (lambda *w: half(w, (0, 1)), "the bias is part of z too"),
        (lambda *w: half(w, (0, 2)), "from the hidden state as well"),
        (lambda *w: half(w, (1, 2)), "from the input as well"),
        (lambda *w: scaled(*w, [0.5, 0.5, 0.5, 1]), "the candidate is the third"),
        (lambda *w: scaled(*w, [2, 2, 1, 2]), "doubled"),
        (lambda *w: scaled(*w, [0.25, 0.25, 1, 0.25]), "halved twice"),
        (lambda *w: scaled(*w, [1, 1, 0.5, 1]), "the gates' are not"),
        (lambda *w: w, "nothing has changed"),
        (lambda *w: scaled(*w, [0.5, 0.5, 1, 1]), "the rows of o are wrong"),
        (lambda *w: half(w, (2,)), "the bias alone"),
    ],
    "gradients_after_loop": [
        (lambda d_z, x, h: products(d_z, x, h[1:]), "takes the states after each step"),
        (averaged, "this is a mean"),
        (lambda d_z, x, h: tuple(w / d_z.shape[1] for w in products(d_z, x, h[:-1])), "means over the sequences"),
        (lambda d_z, x, h: tuple(w / d_z.shape[0] for w in products(d_z, x, h[:-1])), "means over the steps"),
        (lambda d_z, x, h: products(d_z[-1:], x[-1:], h[-2:-1]), "the last step alone"),
        (lambda d_z, x, h: products(d_z[:1], x[:1], h[:1]), "the first step alone"),
        (crossed, "in one order"),
        (lambda d_z, x, h: products(d_z, x, h), "it raised ValueError"),
        (lambda d_z, x, h: tuple(w.T for w in products(d_z, x, h[:-1])), "transposed"),
    ],
    "fast_lstm": [
        (lambda *a: layer(*a, same=True), "every step of the output is the last one"),
        (lambda *a: layer(*a, bent_twice=True), "through sigmoid first and then through tanh"),
        (lambda *a: layer(*a, bent_twice=True, same=True), "two faults are left"),
        (lambda *a: layer(*a, in_place=True), "changed its argument"),
        (lambda *a: layer(*a, late=True), "of the step before"),
        (lambda *a: layer(*a, first=True), "begins with the given h"),
        (lambda *a: (layer(*a)[0], a[2]), "cell state that you return"),
        (lambda *a: layer(*a)[0], "came where 2 results"),
    ],
    "chunked_sums": [
        (lambda x, w, b, room: all_sums(x, w, b), "return a list"),
        (lambda x, w, b, room: [all_sums(x, w, b)], "and the room is"),
        (lambda x, w, b, room: cut(all_sums(x, w, b), 1), "a chunk may be fuller"),
        (lambda x, w, b, room: cut(all_sums(x, w, 0 * b), fit(x, b, room)), "the bias is missing"),
        (lambda x, w, b, room: cut(all_sums(x, w, 2 * b), fit(x, b, room)), "added more than once"),
        (lambda x, w, b, room: cut(all_sums(x, w, b)[::-1], fit(x, b, room)), "in another order"),
        (lambda x, w, b, room: cut(all_sums(x, w, b)[:-1], fit(x, b, room)), "the last, shorter one"),
        (lambda x, w, b, room: cut(all_sums(x, w, b).swapaxes(0, 1), fit(x, b, room)), "every chunk must have shape"),
        (lambda x, w, b, room: [all_sums(x, w, b)[:0], *cut(all_sums(x, w, b), fit(x, b, room))], "without a step"),
        (lambda x, w, b, room: cut(all_sums(np.tanh(x), w, b), fit(x, b, room)), "rows and steps belong"),
    ],
    "fair_race": [
        (race(lambda old, new: np.median(new) / np.median(old), turns=False), "hardly take turns"),
        (race(lambda old, new: new.min() / old.min(), turns=False), "hardly take turns"),
        (race(lambda old, new: new.mean() / old.mean()), "counts with all its length"),
        (race(lambda old, new: (new / old).mean()), "follows each interrupted call"),
        (race(lambda old, new: np.median(new) / np.median(old)), "median is taken by itself"),
        (race(lambda old, new: new.min() / old.min()), "the fastest calls of the two"),
        (race(lambda old, new: np.median(old / new)), "turn it over"),
        (race(lambda old, new: np.median(new - old)), "the number does not follow"),
        (race(lambda old, new: new[0] / old[0], rounds=1), "you took 2 times of 80"),
        (race(lambda old, new: np.median(new / old), rounds=50), "the stopwatch takes 80 times"),
        (lambda clock: 1.0, "never started"),
        (lambda clock: clock("new") < clock("old"), "a truth value where a number"),
    ],
}
