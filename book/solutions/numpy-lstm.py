"""Solutions to the exercises of the chapter `numpy-lstm`: a function an exercise, under the exercise's name."""

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell_backward, sigmoid_slope, tanh_slope


def backward_by_hand():
    """One step backwards, with the numbers of the exercise."""
    d_c = 0.18 + 1 * 0.5 * (1 - 0.6**2)  # from the next step, and through h
    d_z_i = d_c * 0.8 * 0.25 * (1 - 0.25)
    d_z_f = d_c * 1.0 * 0.5 * (1 - 0.5)
    d_z_g = d_c * 0.25 * (1 - 0.8**2)
    d_z_o = 1 * 0.6 * 0.5 * (1 - 0.5)
    d_c_prev = d_c * 0.5
    return d_c, d_z_i, d_z_f, d_z_g, d_z_o, d_c_prev


def gates_backward(d_h, d_c, c_prev, i, f, g, o, tanh_c):
    """The heart of the backward pass of one step."""
    d_o = d_h * tanh_c  # h = o * tanh_c
    d_c = d_c + d_h * o * tanh_slope(tanh_c)
    d_f, d_i, d_g = d_c * c_prev, d_c * g, d_c * i  # c = f * c_prev + i * g
    d_z_i, d_z_f = d_i * sigmoid_slope(i), d_f * sigmoid_slope(f)
    d_z_g, d_z_o = d_g * tanh_slope(g), d_o * sigmoid_slope(o)
    return np.concatenate([d_z_i, d_z_f, d_z_g, d_z_o], axis=-1), d_c * f


def backward_through_time(d_output, caches):
    """Each step carried back, from the last to the first."""
    d_h = d_c = np.zeros_like(d_output[0])  # nothing comes from beyond the end
    d_x, total = [], {}
    for d_out, cache in zip(reversed(d_output), reversed(caches)):
        d_x_t, (d_h, d_c), found = lstm_cell_backward(d_h + d_out, d_c, cache)
        d_x.append(d_x_t)
        total = {name: total.get(name, 0) + found[name] for name in found}
    return np.stack(d_x[::-1]), (d_h, d_c), total


def weight_gradients(d_z, x, h):
    """The program with both bugs mended."""
    rows = d_z.reshape(-1, d_z.shape[-1])  # (T * B, 4H)
    return {
        "weight_ih": rows.T @ x.reshape(-1, x.shape[-1]),
        "weight_hh": rows.T @ h[:-1].reshape(-1, h.shape[-1]),  # before each step
        "bias_ih": rows.sum(axis=0),  # each bias was used T * B times
        "bias_hh": rows.sum(axis=0),
    }


def directional_derivative(loss, arrays, direction, eps):
    """Two evaluations of the loss, however many parameters there are."""
    above = loss({k: arrays[k] + eps * direction[k] for k in arrays})
    below = loss({k: arrays[k] - eps * direction[k] for k in arrays})
    return (above - below) / (2 * eps)


def read_the_check():
    """Judged by how the error changes, not by how large it is."""
    return "right", "wrong", "too small", "too large", "too small"


def found_or_missed():
    """What meets a first state of zero is zero, and one term is its own sum."""
    missed = dict.fromkeys("bceg", "missed")
    return missed | dict.fromkeys("adf", "found")


def judge_gradients(loss, arrays, gradients):
    """Three random directions an array, in float64, measured by the gradient."""
    rng, eps, verdicts = np.random.default_rng(0), 1e-5, {}
    arrays = {name: value.astype("float64") for name, value in arrays.items()}
    for name, value in arrays.items():
        errors = []
        for _ in range(3):
            v = rng.choice([-1.0, 1.0], value.shape)
            above = loss(arrays | {name: value + eps * v})
            below = loss(arrays | {name: value - eps * v})
            along = np.sum(gradients[name] * v)
            errors.append(abs((above - below) / (2 * eps) - along))
        size = np.linalg.norm(gradients[name])
        verdicts[name] = bool(max(errors) < 1e-4 * size)
    return verdicts
