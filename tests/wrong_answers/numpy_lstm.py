"""Plausible wrong answers to the exercises of the chapter numpy-lstm, and words of the message each must get."""

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell_backward


def step_back(d_h, d_c, c_prev, i, f, g, o, tanh_c, through_h=None, candidate_slope=None, slopes=True):
    """The right answer, but for what is passed."""
    d_c = d_c + (d_h * o * (1 - tanh_c**2) if through_h is None else through_h)
    slope_g = 1 - g**2 if candidate_slope is None else candidate_slope
    all_slopes = (i * (1 - i), f * (1 - f), slope_g, o * (1 - o)) if slopes else (1, 1, 1, 1)
    d_gates = d_c * g, d_c * c_prev, d_c * i, d_h * tanh_c
    return np.concatenate([d * slope for d, slope in zip(d_gates, all_slopes)], axis=-1), d_c * f


def without_path_through_h(d_h, d_c, *rest):
    return step_back(d_h, d_c, *rest, through_h=0)


def tanh_twice(d_h, d_c, c_prev, i, f, g, o, tanh_c):
    return step_back(d_h, d_c, c_prev, i, f, g, o, tanh_c, through_h=d_h * o * (1 - np.tanh(tanh_c) ** 2))


def without_output_gate(d_h, d_c, c_prev, i, f, g, o, tanh_c):
    return step_back(d_h, d_c, c_prev, i, f, g, o, tanh_c, through_h=d_h * (1 - tanh_c**2))


def candidate_as_sigmoid(d_h, d_c, c_prev, i, f, g, o, tanh_c):
    return step_back(d_h, d_c, c_prev, i, f, g, o, tanh_c, candidate_slope=g * (1 - g))


def without_slopes(*inputs):
    return step_back(*inputs, slopes=False)


def carry_without_forget_gate(d_h, d_c, c_prev, i, f, g, o, tanh_c):
    d_z, d_c_prev = step_back(d_h, d_c, c_prev, i, f, g, o, tanh_c)
    return d_z, d_c_prev / f


def carry_without_path_through_h(d_h, d_c, c_prev, i, f, g, o, tanh_c):
    return step_back(d_h, d_c, c_prev, i, f, g, o, tanh_c)[0], d_c * f


def order_i_f_o_g(*inputs):
    d_z, d_c_prev = step_back(*inputs)
    i, f, g, o = np.split(d_z, 4, axis=-1)
    return np.concatenate([i, f, o, g], axis=-1), d_c_prev


def stacked_in_rows(*inputs):
    d_z, d_c_prev = step_back(*inputs)
    return np.concatenate(np.split(d_z, 4, axis=-1)), d_c_prev


def loop(d_output, caches, carry_h=1, carry_c=1, add=True, every=True):
    d_h, d_c, total, d_x = 0 * d_output[0], 0 * d_output[0], {}, []
    for t in range(len(caches) - 1, -1, -1):
        d_out = d_output[t] * (every or t == len(caches) - 1)
        d_x_t, (d_h, d_c), found = lstm_cell_backward(carry_h * d_h + d_out, carry_c * d_c, caches[t])
        d_x.insert(0, d_x_t)
        total = {name: (total.get(name, 0) if add else 0) + value for name, value in found.items()}
    return np.stack(d_x), (d_h, d_c), total


def appended_in_reverse(d_output, caches):
    d_x, state, total = loop(d_output, caches)
    return d_x[::-1], state, total


def averaged_over_time(d_output, caches):
    d_x, state, total = loop(d_output, caches)
    return d_x, state, {name: value / len(caches) for name, value in total.items()}


def changes_the_output_gradient(d_output, caches):
    d_output[-1] += 1
    return loop(d_output, caches)


def weights(d_z, x, h, before=True, reduce="sum"):
    rows = d_z.reshape(-1, d_z.shape[-1])
    h = h[:-1] if before else h[1:]
    bias = getattr(rows, reduce)(axis=0)
    found = {"weight_ih": rows.T @ x.reshape(-1, x.shape[-1]), "weight_hh": rows.T @ h.reshape(-1, h.shape[-1])}
    return found | {"bias_ih": bias, "bias_hh": bias}


def bias_over_time_only(d_z, x, h):
    return weights(d_z, x, h) | {"bias_ih": d_z.sum(axis=0), "bias_hh": d_z.sum(axis=0)}


def one_bias_only(d_z, x, h):
    found = weights(d_z, x, h)
    return found | {"bias_hh": np.zeros_like(found["bias_ih"])}


def transposed(d_z, x, h):
    found = weights(d_z, x, h)
    return found | {"weight_ih": found["weight_ih"].T}


def moved(loss, arrays, direction, step):
    return loss({name: value + step * direction[name] for name, value in arrays.items()})


def one_sided(loss, arrays, direction, eps):
    return (moved(loss, arrays, direction, eps) - moved(loss, arrays, direction, 0)) / eps


def over_eps(loss, arrays, direction, eps):
    return (moved(loss, arrays, direction, eps) - moved(loss, arrays, direction, -eps)) / eps


def not_divided(loss, arrays, direction, eps):
    return moved(loss, arrays, direction, eps) - moved(loss, arrays, direction, -eps)


def made_to_length_one(loss, arrays, direction, eps):
    length = np.sqrt(sum(np.sum(each**2) for each in direction.values()))
    unit = {name: each / length for name, each in direction.items()}
    return (moved(loss, arrays, unit, eps) - moved(loss, arrays, unit, -eps)) / (2 * eps)


def in_place(loss, arrays, direction, eps):
    for name in arrays:
        arrays[name] += eps * direction[name]
    above = loss(arrays)
    for name in arrays:
        arrays[name] -= 2 * eps * direction[name]
    return (above - loss(arrays)) / (2 * eps)


def by_array(loss, arrays, direction, eps):
    return {name: over_eps(loss, arrays, direction, eps) / 2 for name in arrays}


def judge(directions=3, eps=1e-5, tolerance=1e-4, dtype="float64", same_sign=False, relative=True, by_number=None):
    """A check of every array along random directions, with what can go wrong in it."""

    def answer(loss, arrays, gradients):
        rng, verdicts = np.random.default_rng(0), {}
        arrays = {name: value.astype(dtype or value.dtype) for name, value in arrays.items()}
        for name, value in arrays.items():
            errors = []
            for _ in range(directions):
                v = np.ones(value.shape) if same_sign else rng.choice([-1.0, 1.0], value.shape)
                if by_number is not None:
                    v = np.zeros(value.shape)
                    v.flat[by_number] = 1
                v = v.astype(value.dtype)
                above, below = (loss(arrays | {name: value + step * v}) for step in (eps, -eps))
                errors.append(abs((above - below) / (2 * eps) - np.sum(gradients[name] * v)))
            size = np.linalg.norm(gradients[name]) if relative else 1.0
            verdicts[name] = bool(max(errors) < tolerance * size)
        return verdicts

    return answer


RIGHT_WORDS = dict(zip("abcdefg", ("found", "missed", "missed", "found", "missed", "found", "missed")))


WRONG = {
    "backward_by_hand": [
        (lambda: (0.18, 0.027, 0.045, 0.0162, 0.15, 0.09), "through h"),
        (lambda: (0.32, 0.048, 0.08, 0.0288, 0.15, 0.16), "next step"),
        (lambda: (0.82, 0.123, 0.205, 0.0738, 0.15, 0.41), "output gate is left out"),
        (lambda: (0.68, 0.102, 0.17, 0.0612, 0.15, 0.34), "slope of tanh"),
        (lambda: (0.5, 0.075, 0.125, 0.045, 0.15, 0.09), "the whole of `d_c`"),
        (lambda: (0.5, 0.4, 0.5, 0.125, 0.6, 0.25), "the slopes are missing"),
        (lambda: (0.5, 0.075, 0.125, 0.02, 0.15, 0.25), "the candidate is a tanh"),
    ],
    "gates_backward": [
        (without_path_through_h, "path through h"),
        (tanh_twice, "no second tanh"),
        (without_output_gate, "output gate is left out"),
        (candidate_as_sigmoid, "the candidate is a tanh"),
        (without_slopes, "the slopes are missing"),
        (carry_without_forget_gate, "times the forget gate"),
        (carry_without_path_through_h, "`d_c_prev` lacks the path through h"),
        (order_i_f_o_g, "order i, f, g, o"),
        (stacked_in_rows, "`d_z` has shape"),
    ],
    "backward_through_time": [
        (lambda d, k: loop(d, k, add=False), "add up those of all steps"),
        (averaged_over_time, "averaged over time"),
        (lambda d, k: loop(d, k, carry_c=0), "`d_c` is not handed on"),
        (lambda d, k: loop(d, k, carry_h=0), "`d_h` is not handed on"),
        (lambda d, k: loop(d, k, every=False), "at the last step only"),
        (appended_in_reverse, "in reverse along the time axis"),
        (changes_the_output_gradient, "changed its argument"),
    ],
    "weight_gradients": [
        (lambda *inputs: weights(*inputs, before=False, reduce="mean"), "state before the step"),
        (lambda *inputs: weights(*inputs, before=False), "state before the step"),
        (lambda *inputs: weights(*inputs, reduce="mean"), "averaged over time and batch"),
        (bias_over_time_only, "`bias_ih` has shape"),
        (one_bias_only, "both biases are added"),
        (transposed, "transposed"),
    ],
    "directional_derivative": [
        (one_sided, "one side only"),
        (over_eps, "lie 2 eps, not one"),
        (not_divided, "not divided"),
        (made_to_length_one, "not made to length 1"),
        (in_place, "changed its argument"),
        (by_array, "a dict where a number is expected"),
    ],
    "read_the_check": [
        (lambda: ("right", "right", "too small", "too large", "too small"), "the same at both eps"),
        (lambda: ("right", "wrong", "wrong", "too large", "too small"), "grows tenfold at a tenth of eps"),
        (lambda: ("right", "wrong", "too small", "wrong", "too small"), "falls with the square of eps"),
        (lambda: ("right", "wrong", "too small", "too large", "wrong"), "left of seven digits"),
        (lambda: ("too large", "wrong", "too small", "too large", "too small"), "what is left is small"),
        (lambda: ("right", "wrong", "left arm", "too large", "too small"), "the words are right, wrong, too large"),
        (lambda: ("right", "wrong", "too small"), "3 results came where 5"),
    ],
    "found_or_missed": [
        (lambda: RIGHT_WORDS | {"a": "missed"}, "without the part through h"),
        (lambda: RIGHT_WORDS | {"b": "found"}, "what is `c_prev` in this check"),
        (lambda: RIGHT_WORDS | {"c": "found"}, "how many steps are there to add up"),
        (lambda: RIGHT_WORDS | {"d": "missed"}, "the wrong one with `h_1`"),
        (lambda: RIGHT_WORDS | {"e": "found"}, "over how many steps and sequences is the mean"),
        (lambda: RIGHT_WORDS | {"f": "missed"}, "the candidate is not zero"),
        (lambda: RIGHT_WORDS | {"g": "found"}, "twice the gradient of `weight_hh`"),
        (lambda: RIGHT_WORDS | {"g": "unseen"}, "the words are found and missed"),
    ],
    "judge_gradients": [
        (judge(same_sign=True), "a step of the same size in every number does not see that"),
        (judge(dtype=None), "what does your eps leave of seven digits"),
        (judge(relative=False), "measured by the size of the gradient"),
        (judge(tolerance=0.1), "it lets a gradient pass that is 2% too large"),
        (judge(by_number=0), "does your check move every number"),
        (judge(eps=0.5), "it refuses a gradient that is right"),
        (judge(directions=6), "the loss can be asked 40 times"),
        (lambda loss, arrays, gradients: dict.fromkeys(arrays, True), "the loss was not asked"),
    ],
}
