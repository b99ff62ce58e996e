"""Wrong answers to the exercises of the chapter numpy-lstm, and words of the message each must get."""

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell_backward


def last_output_alone(d_output, caches):
    d_h, d_c, d_x, total = d_output[-1], 0 * d_output[-1], [], {}
    for cache in caches[::-1]:
        d_x_t, (d_h, d_c), found = lstm_cell_backward(d_h, d_c, cache)
        d_x.insert(0, d_x_t)
        total = {name: total.get(name, 0) + found[name] for name in found}
    return np.stack(d_x), (d_h, d_c), total


def bias_over_time_only(d_z, x, h):
    gates = {"weight_ih": np.einsum("tbk,tbd->kd", d_z, x), "weight_hh": np.einsum("tbk,tbh->kh", d_z, h[:-1])}
    return gates | {"bias_ih": d_z.sum(axis=0), "bias_hh": d_z.sum(axis=0)}


def array_by_array(loss, arrays, direction, eps):
    total = 0
    for name, v in direction.items():
        up, down = (loss(arrays | {name: arrays[name] + side * eps * v}) for side in (1, -1))
        total += (up - down) / (2 * eps)
    return total


def judge(directions=3, eps=1e-5, tolerance=1e-4, dtype="float64", signs=(-1.0, 1.0), relative=True):
    """A check of every array along random directions, with what can go wrong in it."""

    def right(loss, arrays, name, gradient):
        rng, errors, value = np.random.default_rng(0), [], arrays[name].astype(dtype or arrays[name].dtype)
        for _ in range(directions):
            v = rng.choice(signs, value.shape).astype(value.dtype)
            above, below = (loss(arrays | {name: value + step * v}) for step in (eps, -eps))
            errors.append(abs((above - below) / (2 * eps) - np.sum(gradient * v)))
        return max(errors) < tolerance * (np.linalg.norm(gradient) if relative else 1)

    return lambda loss, arrays, gradients: {name: right(loss, arrays, name, gradients[name]) for name in arrays}


WRONG = {
    "backward_by_hand": [(lambda: (0.5, 0.075, 0.125, 0.045, 0.15, 0.5), "times the forget gate")],
    "gates_backward": [
        (lambda d_h, d_c, c, i, f, g, o, t: (np.zeros((4 * len(c), c.shape[1])), d_c), "`d_z` has shape"),
    ],
    "backward_through_time": [(last_output_alone, "used at the last step only")],
    "weight_gradients": [(bias_over_time_only, "`bias_ih` has shape")],
    "directional_derivative": [(array_by_array, "each with all arrays moved at once")],
    "read_the_check": [
        (lambda: ("right", "wrong", "left arm", "too large", "too small"), "'left arm' is none of them")
    ],
    "found_or_missed": [(lambda: dict.fromkeys("abcdefg", "found"), "what is `c_prev` in this check")],
    "judge_gradients": [
        (judge(signs=(1.0,)), "a step of the same size in every number does not see that"),
        (judge(dtype=None), "what does your eps leave of seven digits"),
        (judge(relative=False), "is that your measure"),
        (judge(tolerance=0.1), "it accepts a gradient that is 2% too large"),
        (judge(eps=0.5), "is eps well chosen"),
        (judge(directions=6), "the loss can be called 40 times"),
        (lambda loss, arrays, gradients: dict.fromkeys(arrays, True), "the loss was not called"),
    ],
}
