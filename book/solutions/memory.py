"""Solutions to the exercises of the chapter memory: a function an exercise, under the exercise's name."""

import numpy as np

from lstm_tutorial.in_numpy import rnn_cell


def steps_by_hand():
    """0.8 to the 20th is 0.0115, to the 21st 0.0092."""
    factor = 1.25 * (1 - 0.6**2)  # 0.8
    steps = 0
    while factor**steps >= 0.01:
        steps += 1
    return steps


def all_hidden_states(x, h_0, weight_ih, weight_hh, bias_ih, bias_hh):
    """Unroll: the state that one step makes is what the next step starts from."""
    states = []
    h = h_0
    for x_t in x:
        h = rnn_cell(x_t, h, weight_ih, weight_hh, bias_ih, bias_hh)  # (B, H)
        states.append(h)
    return np.stack(states)  # (T, B, H)


def one_step_back(d_h, h, weight_hh):
    """First back through tanh, then back through the recurrent weights."""
    d_z = d_h * (1 - h**2)  # h = tanh(z)
    return d_z @ weight_hh  # z = ... + h_prev @ weight_hh.T


def mended_sizes(states, weight_ih, weight_hh):
    """The slope is 1 - h**2, and lag 0 comes first."""
    T, H = states.shape
    sizes = np.zeros(T, dtype=states.dtype)
    jacobian = np.eye(H, dtype=states.dtype)
    for lag in range(T):
        h = states[T - 1 - lag]
        jacobian = jacobian * (1 - h**2)
        sizes[lag] = np.linalg.norm(jacobian @ weight_ih)
        jacobian = jacobian @ weight_hh
    return sizes


def fates():
    """Work out the factor of a step, then its power."""
    return {"a": "explodes", "b": "stays", "c": "vanishes", "d": "vanishes", "e": "explodes"}


def lossless_weights(H, rng):
    """An orthogonal matrix: it turns and mirrors, and leaves every length as it is."""
    weight_hh, _ = np.linalg.qr(rng.normal(size=(H, H)))
    return weight_hh


def kind_of_memory(box):
    """One length, a control, a middling nudge, near lags and far ones."""
    T, nudge = 200, 0.5
    lags = 0, 1, 2, 3, 4, 6, 8, 11, 15, 20, 25, 32, 40, 55, 75, T - 1

    def answer(*nudged):
        x = np.zeros(T)
        for lag in nudged:
            x[T - 1 - lag] = nudge
        return np.mean([box(x) for _ in range(4)])

    silent = answer()
    left = np.array([answer(lag) - silent for lag in lags])
    left = left / left[0]  # what a nudge adds, relative to lag 0
    if left[-1] > 0.5:
        return "keeps"
    on_the_way = (left > 0.2) & (left < 0.8)  # a window is all or nothing
    return "fades" if on_the_way.any() else "window"
