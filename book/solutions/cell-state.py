"""Solutions to the exercises of the chapter cell-state: a function an exercise, under the exercise's name."""

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell, sigmoid_slope, tanh_slope


def one_step_by_hand():
    """c = 0.881 * -2 + 0.269 * 0.462 and h = 0.731 * tanh(c)."""
    return {"c": -1.637, "h": -0.678}


def steps_to_turn():
    """Add 1 for a hundred steps, then count the steps of −1."""
    found = []
    for f in (0.8, 0.95, 0.995, 1):
        c, steps = 0, 0
        for _ in range(100):
            c = f * c + 1
        while c >= 0:
            c = f * c - 1
            steps += 1
        found.append(steps)
    return found


def bias_for_half_life(half_life):
    """Solve sigmoid(b) = 2 ** (-1 / half_life) for b."""
    f = 2 ** (-1 / half_life)
    return np.log(f / (1 - f))


def split_one_step(f, i, g, c_prev, o_prev, weight_hh):
    """Through f; or into h, and from h into i, f and g."""
    W_i, W_f, W_g, _ = np.split(weight_hh, 4)  # (H, H) each
    h_per_c = o_prev * tanh_slope(np.tanh(c_prev))  # (H,) h = o * tanh(c)
    c_per_h = (
        (g * sigmoid_slope(i))[:, None] * W_i  # c = f * c_prev + i * g
        + (c_prev * sigmoid_slope(f))[:, None] * W_f
        + (i * tanh_slope(g))[:, None] * W_g
    )  # (H, H)
    return np.diag(f), c_per_h * h_per_c


def mended_influence(x, c_t, o_t, weight_ih, weight_hh, bias, eps=1e-6):
    """Compute the hidden state from the cell state that was changed."""
    weights = weight_ih, weight_hh, bias, np.zeros_like(bias)

    def last_cell_state(c):
        h = o_t * np.tanh(c)  # here: with the change
        for x_t in x:
            (h, c), _ = lstm_cell(x_t, (h, c), *weights)
        return c

    changes = eps * np.eye(len(c_t))
    columns = [last_cell_state(c_t + each) - last_cell_state(c_t - each) for each in changes]
    return np.stack(columns, axis=1) / (2 * eps)  # (H, H)


def running_mean_unit(half_life):
    """Keep f, write 1 - f: sigmoid(-b) is 1 - sigmoid(b), so the input bias is minus the forget bias."""
    f = 2 ** (-1 / half_life)
    b = np.log(f / (1 - f))
    weight_ih = np.array([[0.0], [0.0], [1.0], [0.0]])  # only the candidate sees x
    return weight_ih, np.zeros((4, 1)), np.array([-b, b, 0.0, 0.0])


def half_life_of(box):
    """Wait, change one input a little, and compare with the run without the change."""
    constant = np.zeros(1000)
    changed = constant.copy()
    changed[800] = 0.01
    left = box(changed) - box(constant)
    n = 20
    share = left[800 + n] / left[800]  # f to the power n
    return n * np.log(2) / -np.log(share)
