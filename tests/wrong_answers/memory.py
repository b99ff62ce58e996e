"""Wrong answers to the exercises of the chapter memory, and words of the message each must get."""

import numpy as np

from lstm_tutorial.in_numpy import rnn_cell


def one_too_many(x, h_0, *weights):
    states = [h_0]
    for x_t in x:
        states.append(rnn_cell(x_t, states[-1], *weights))
    return np.stack(states)


def remembers(x, h_0, *weights, states=[]):  # noqa: B006
    states += [rnn_cell(x_t, h_0, *weights) for x_t in x]
    return np.stack(states)


def slope_of_one_step(states, weight_ih, weight_hh):
    return np.array([np.linalg.norm((1 - h**2)[:, None] * weight_ih) for h in states[::-1]])


def experiment(lags=(0, 3, 7, 10, 14, 20, 30, 45, 65, 90, 199), pulse=0.5, same_length=True, control=True):
    """An experiment on a box of hidden memory, with what can go wrong in it."""

    def run(box):
        def answer(T, lag=None):
            x = np.zeros(T)
            if lag is not None:
                x[T - 1 - lag] = pulse
            return np.mean([box(x) for _ in range(5)])

        T = max(lags) + 1
        silent = answer(T) if control else 0.0
        left = np.array([answer(T if same_length else lag + 1, lag) for lag in lags]) - silent
        left = left / left[0]
        if left[-1] > 0.6:
            return "keeps"
        return "fades" if np.any((left > 0.25) & (left < 0.75)) else "window"

    return run


WRONG = {
    "steps_by_hand": [(lambda: 20, "one step is missing"), (lambda: 20.64, "a number of whole steps")],
    "all_hidden_states": [
        (one_too_many, "the time axis is one too long, does it count the start as well?"),
        (remembers, "called twice with the same arguments it gives two answers"),
        (lambda x, h_0, *weights: one_too_many(x, h_0, *weights)[-1], "is the time axis lost"),
    ],
    "one_step_back": [(lambda d_h, h, W: d_h * (1 - h**2), "the recurrent weights are missing")],
    "mended_sizes": [(slope_of_one_step, "not of its own step alone")],
    "fates": [
        (lambda: dict(a="stays", b="stays", c="vanishes", d="stays", e="stays"), "in a the factor is the weight"),
        (lambda: dict(a="grows", b="stays", c="vanishes", d="vanishes", e="explodes"), "'grows' is none of them"),
        (lambda: ["explodes", "stays", "vanishes"], "where a dict with the keys a, b, c, d, e"),
    ],
    "lossless_weights": [(lambda H, rng: rng.uniform(-(H**-0.5), H**-0.5, (H, H)), "it depends on the direction")],
    "kind_of_memory": [
        (experiment(lags=(0, 1, 2, 3, 4, 5)), "your longest lag was 5 steps"),
        (experiment(pulse=50), "where tanh is flat"),
        (experiment(pulse=0.01), "it hides what is left"),
        (experiment(control=False), "needs a control run of the same length"),
        (lambda box: experiment(lags=(0, 199))(box).replace("window", "fades"), "is the effect at any lag between all"),
        (experiment(lags=(0, 199)), "did you test lags where about half should be left"),
        (lambda box: max(map(box, np.eye(200))) and "keeps", "the box answers 100 times"),
        (lambda box: "keeps", "the box was not run"),
    ],
}
