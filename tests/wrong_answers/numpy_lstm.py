"""Wrong answers to the exercises of the chapter numpy-lstm, and words of the message each must get."""

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell_backward


def last_output_comes_again_at_the_start(d_output, caches):
    d_h, d_c, d_x, total = d_output[-1], 0 * d_output[-1], [], {}
    for t in range(len(caches) - 1, -1, -1):
        d_x_t, (d_h, d_c), found = lstm_cell_backward(d_h, d_c, caches[t])
        d_x.insert(0, d_x_t)
        total = {name: total.get(name, 0) + found[name] for name in found}
        d_h = d_h + d_output[t - 1]
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


def judge(directions=3, eps=1e-5, tolerance=1e-4, dtype="float64", same_sign=False, relative=True):
    """A check of every array along random directions, with what can go wrong in it."""

    def answer(loss, arrays, gradients):
        rng, verdicts = np.random.default_rng(0), {}
        arrays = {name: value.astype(dtype or value.dtype) for name, value in arrays.items()}
        for name, value in arrays.items():
            errors = []
            for _ in range(directions):
                v = np.ones_like(value) if same_sign else rng.choice([-1.0, 1.0], value.shape).astype(value.dtype)
                above, below = (loss(arrays | {name: value + step * v}) for step in (eps, -eps))
                errors.append(abs((above - below) / (2 * eps) - np.sum(gradients[name] * v)))
            verdicts[name] = max(errors) < tolerance * (np.linalg.norm(gradients[name]) if relative else 1)
        return verdicts

    return answer


WRONG = {
    "backward_by_hand": [(lambda: (0.5, 0.075, 0.125, 0.045, 0.15, 0.5), "times the forget gate")],
    "gates_backward": [
        (lambda d_h, d_c, c, i, f, g, o, t: (np.zeros((4 * len(c), c.shape[1])), d_c), "`d_z` has shape"),
    ],
    "backward_through_time": [(last_output_comes_again_at_the_start, "6 of 7 are right; `d_h`")],
    "weight_gradients": [(bias_over_time_only, "`bias_ih` has shape")],
    "directional_derivative": [(array_by_array, "each with all arrays moved at once")],
    "read_the_check": [
        (lambda: ("right", "wrong", "left arm", "too large", "too small"), "'left arm' is none of them")
    ],
    "found_or_missed": [(lambda: dict.fromkeys("abcdefg", "found"), "what is `c_prev` in this check")],
    "judge_gradients": [
        (judge(same_sign=True), "a step of the same size in every number does not see that"),
        (judge(dtype=None), "what does your eps leave of seven digits"),
        (judge(relative=False), "is that your measure"),
        (judge(tolerance=0.1), "it lets a gradient pass that is 2% too large"),
        (judge(eps=0.5), "it refuses a gradient that is right"),
        (judge(directions=6), "the loss can be asked 40 times"),
        (lambda loss, arrays, gradients: dict.fromkeys(arrays, True), "the loss was not asked"),
    ],
}
