"""Plausible wrong answers to the exercises of the chapter memory, and words of the message each must get."""

import numpy as np

from lstm_tutorial.in_numpy import rnn_cell, tanh_slope


def states(x, h_0, *weights, cell=rnn_cell):
    """All hidden states, by a cell that may be wrong."""
    h, found = h_0, []
    for x_t in x:
        h = cell(x_t, h, *weights)
        found.append(h)
    return np.stack(found)


def never_hands_on(x, h_0, *weights):
    return np.stack([rnn_cell(x_t, h_0, *weights) for x_t in x])


def starts_from_zeros(x, h_0, *weights):
    return states(x, np.zeros_like(h_0), *weights)


def with_h_0(x, h_0, *weights):
    return np.concatenate([h_0[None], states(x, h_0, *weights)])


def one_late(x, h_0, *weights):
    return with_h_0(x, h_0, *weights)[:-1]


def last_state_only(x, h_0, *weights):
    return states(x, h_0, *weights)[-1]


def without_tanh(x, h_0, *weights):
    return states(x, h_0, *weights, cell=lambda x, h, w, u, a, b: x @ w.T + h @ u.T + a + b)


def one_bias(x, h_0, weight_ih, weight_hh, bias_ih, bias_hh):
    return states(x, h_0, weight_ih, weight_hh, bias_ih, np.zeros_like(bias_hh))


def backwards(x, h_0, *weights):
    return states(x[::-1], h_0, *weights)


def sizes(hidden, weight_ih, weight_hh, slope=tanh_slope):
    """The sizes by lag, with a slope that may be wrong."""
    carried, found = np.eye(len(weight_hh), dtype=hidden.dtype), []
    for h in hidden[::-1]:
        carried = carried * slope(h)
        found.append(np.linalg.norm(carried @ weight_ih))
        carried = carried @ weight_hh
    return np.array(found)


def as_given(*inputs):
    return sizes(*inputs, slope=lambda h: 1 - h)[::-1]


def order_alone(*inputs):
    return sizes(*inputs, slope=lambda h: 1 - h)


def slope_alone(*inputs):
    return sizes(*inputs)[::-1]


def slope_gone(*inputs):
    return sizes(*inputs, slope=np.ones_like)


def relative(*inputs):
    return sizes(*inputs) / sizes(*inputs)[0]


def squares(*inputs):
    return sizes(*inputs) ** 2


RIGHT_FATES = {"a": "explodes", "b": "stays", "c": "vanishes", "d": "vanishes", "e": "explodes"}


def uniform(H, rng):
    return rng.uniform(-(H**-0.5), H**-0.5, (H, H))


def normal(H, rng):
    return rng.normal(size=(H, H)) / np.sqrt(H)


def shifted(H, rng):
    return np.roll(np.eye(H), 1, axis=0)


def doubled(H, rng):
    return 2 * np.linalg.qr(rng.normal(size=(H, H)))[0]


def experiment(lags=(0, 1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 45, 65, 90, 199), nudge=0.5, same_length=True, control=True):
    """An experiment on a box of hidden memory, with what can go wrong in it."""

    def run(box):
        def answer(T, lag=None):
            x = np.zeros(T)
            if lag is not None:
                x[T - 1 - lag] = nudge
            return np.mean([box(x) for _ in range(5)])

        T = max(lags) + 1
        silent = answer(T) if control else 0.0
        left = np.array([answer(T if same_length else lag + 1, lag) for lag in lags]) - silent
        left = left / left[0]
        if left[-1] > 0.6:
            return "keeps"
        return "fades" if np.any((left > 0.25) & (left < 0.75)) else "window"

    return run


def never_a_window(box):
    return "keeps" if experiment(lags=(0, 199))(box) == "keeps" else "fades"


def never_fades(box):
    return experiment(lags=(0, 199))(box)


WRONG = {
    "steps_by_hand": [
        (lambda: 20, "one step is missing"),
        (lambda: 20.64, "give whole steps"),
        (lambda: 11, "takes the slope alone"),
        (lambda: 7, "not 1 minus the state"),
        (lambda: 0.8, "the factor of one step"),
    ],
    "all_hidden_states": [
        (never_hands_on, "every step starts from `h_0` again"),
        (starts_from_zeros, "starts from zeros"),
        (with_h_0, "the time axis is one too long"),
        (one_late, "lacks the last state"),
        (last_state_only, "is the time axis lost"),
        (without_tanh, "the tanh is missing"),
        (one_bias, "left out"),
        (backwards, "reverse along its first axis"),
    ],
    "one_step_back": [
        (lambda d_h, h, weight_hh: d_h @ weight_hh, "the slope of tanh is missing"),
        (lambda d_h, h, weight_hh: (d_h * (1 - h**2)) @ weight_hh.T, "`weight_hh` is transposed"),
        (lambda d_h, h, weight_hh: (d_h @ weight_hh) * (1 - h**2), "the slope comes too late"),
        (lambda d_h, h, weight_hh: (d_h * (1 - np.tanh(h) ** 2)) @ weight_hh, "no second tanh"),
        (lambda d_h, h, weight_hh: d_h * (1 - h**2), "the recurrent weights are missing"),
        (lambda d_h, h, weight_hh: (d_h * (1 - h)) @ weight_hh, "not 1 minus the state"),
    ],
    "mended_sizes": [
        (as_given, "both mistakes are still there"),
        (order_alone, "the order is right now; the slope is not"),
        (slope_alone, "the slope is right now; the order is not"),
        (slope_gone, "the slope is gone altogether"),
        (relative, "relative to lag 0"),
        (squares, "squares of the sizes"),
    ],
    "fates": [
        (lambda: RIGHT_FATES | {"a": "stays"}, "in a the factor is the weight"),
        (lambda: RIGHT_FATES | {"b": "vanishes"}, "what happens to the size"),
        (lambda: RIGHT_FATES | {"c": "explodes"}, "the state is far from 0"),
        (lambda: RIGHT_FATES | {"d": "stays"}, "work the power out"),
        (lambda: RIGHT_FATES | {"e": "vanishes"}, "the state is near 0"),
        (lambda: RIGHT_FATES | {"a": "grows"}, "the words are vanishes, stays and explodes"),
        (lambda: list(RIGHT_FATES.values()), "where a dict with the keys a, b, c, d, e"),
    ],
    "lossless_weights": [
        (uniform, "it depends on the direction"),
        (normal, "it depends on the direction"),
        (lambda H, rng: np.eye(H), "hears a single unit only"),
        (shifted, "hears a single unit only"),
        (doubled, "scale the matrix"),
        (lambda H, rng: np.zeros((H, H)), "times as long: scale the matrix"),
    ],
    "kind_of_memory": [
        (experiment(lags=(0, 1, 2, 3, 4, 5)), "your furthest nudge lay 5 steps back"),
        (experiment(nudge=50), "out there tanh is flat"),
        (experiment(nudge=0.01), "what is left drowns"),
        (experiment(same_length=False), "a control run of the same length"),
        (experiment(control=False), "a control run of the same length"),
        (never_a_window, "does any lag lie between all and nothing"),
        (never_fades, "at lags where about half should be left"),
        (lambda box: max(map(box, np.eye(200))) and "keeps", "the box answers 100 times"),
        (lambda box: "keeps", "the box was not asked"),
        (lambda box: "forgets", "the words are keeps, fades and window"),
    ],
}
