"""Plausible wrong answers to the exercises of the chapter cell-state, and words of the message each must get."""

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell, sigmoid_slope, tanh_slope


def split(f, i, g, c_prev, o_prev, weight_hh):
    """Return the right parts and what they are made of."""
    W_i, W_f, W_g, _ = np.split(weight_hh, 4)
    into = (
        (g * sigmoid_slope(i))[:, None] * W_i
        + (c_prev * sigmoid_slope(f))[:, None] * W_f
        + (i * tanh_slope(g))[:, None] * W_g
    )
    slope = tanh_slope(np.tanh(c_prev))
    return np.diag(f), into * (o_prev * slope), into, slope


def stops_at_h(f, i, g, c_prev, o_prev, weight_hh):
    direct, _, into, _ = split(f, i, g, c_prev, o_prev, weight_hh)
    return direct, into


def without_tanh_slope(f, i, g, c_prev, o_prev, weight_hh):
    direct, _, into, _ = split(f, i, g, c_prev, o_prev, weight_hh)
    return direct, into * o_prev


def without_output_gate(f, i, g, c_prev, o_prev, weight_hh):
    direct, _, into, slope = split(f, i, g, c_prev, o_prev, weight_hh)
    return direct, into * slope


def transposed(*inputs):
    direct, through, *_ = split(*inputs)
    return direct, through.T


def total_instead(*inputs):
    direct, through, *_ = split(*inputs)
    return direct, direct + through


def torch_order_forgotten(f, i, g, c_prev, o_prev, weight_hh):
    W_i, W_f, W_g, W_o = np.split(weight_hh, 4)
    return split(f, i, g, c_prev, o_prev, np.concatenate([W_f, W_i, W_g, W_o]))[:2]


def vector_for_direct(f, *inputs):
    return f, split(f, *inputs)[1]


def measured(x, c_t, o_t, weight_ih, weight_hh, bias, nudged_h=True, centred=True, axis=1, twice=False):
    """The Jacobian by differences, with the faults that the program could have."""
    eps = 1e-6

    def last(c):
        h = o_t * np.tanh(c if nudged_h else c_t)
        for x_t in x:
            (h, c), _ = lstm_cell(x_t, (h, c), weight_ih, weight_hh, bias, np.zeros_like(bias))
        return c

    columns = [(last(c_t + e) - last(c_t - e)) / ((1 if twice else 2) * eps) for e in eps * np.eye(len(c_t))]
    return np.stack(columns, axis=axis)


def still_h(*inputs):
    return measured(*inputs, nudged_h=False)


def rows_for_columns(*inputs):
    return measured(*inputs, axis=0)


def both(*inputs):
    return measured(*inputs, axis=0, nudged_h=False)


def twice_the_slope(*inputs):
    return measured(*inputs, twice=True)


def forget_gates_alone(x, c_t, o_t, weight_ih, weight_hh, bias):
    state, direct = (o_t * np.tanh(c_t), c_t), 1
    for x_t in x:
        state, cache = lstm_cell(x_t, state, weight_ih, weight_hh, bias, np.zeros_like(bias))
        direct = direct * cache.f
    return np.diag(direct)


def unit(half_life, turn=1, forget_weight=0.0, recurrent=0.0, candidate=1.0, base=2):
    """A unit whose input bias is `turn` times minus its forget bias."""
    f = base ** (-1 / half_life)
    b = np.log(f / (1 - f))
    weight_ih = np.array([[0.0], [forget_weight], [candidate], [0.0]])
    return weight_ih, np.full((4, 1), recurrent), np.array([-turn * b, b, 0.0, 0.0])


def boxed(at=600, nudge=0.01, control=True, share=None):
    """Nudge a unit, and see after how many steps half of the difference is left; with what can go wrong in it."""

    def answer(box):
        silent = np.zeros(1000)
        nudged = silent.copy()
        nudged[at] = nudge
        left = box(nudged) - (box(silent) if control else 0)
        left = np.abs(left[at:] / left[at])
        n = int(np.argmax(left < 0.25)) if np.any(left < 0.25) else 100
        half_life = np.log(2) / -np.log(min(left[n], 0.999)) * n
        return half_life if share is None else share(half_life)

    return answer


WRONG = {
    "one_step_by_hand": [
        (lambda: {"c": -0.927, "h": -0.678}, "`c` is squashed"),
        (lambda: {"c": -0.131, "h": -0.095}, "the other way round"),
        (lambda: {"c": -1.637, "h": -1.197}, "lacks the tanh"),
        (lambda: {"c": -1.637, "h": -0.927}, "lacks the output gate"),
        (lambda: {"c": -1.637, "h": -0.705}, "the old cell state"),
        (lambda: {"c": -1.762, "h": -0.689}, "lacks what is written"),
        (lambda: {"c": 1.886, "h": 0.698}, "mind its sign"),
        (lambda: {"c": -1.594, "h": -0.673}, "a sigmoid where tanh is expected"),
        (lambda: {"c": -0.678, "h": -1.637}, "`c` holds `h`"),
    ],
    "steps_to_turn": [
        (lambda: [1, 1, 1, 1], "the sign of the cell state"),
        (lambda: [101, 101, 101, 101], "only at f = 1 does the cell state climb to 100"),
        (lambda: [4, 14, 67, 100], "the cell state is 0 after as many steps down as up"),
        (lambda: [3, 13, 66, 100], "the steps before it turns"),
        (lambda: [4, 14, 139, 101], "too few to climb to the top"),
        (lambda: [4, 14, 67], "3 results came where 4"),
        (lambda: [4, 20, 67, 101], "`f = 0.95`: the number is too large"),
    ],
    "bias_for_half_life": [
        (lambda n: 2 ** (-1 / n), "the forget gate itself"),
        (lambda n: -np.log(2) / n, "this is ln f"),
        (lambda n: np.log(2 ** (1 / n) - 1), "the sign is turned over"),
        (lambda n: -np.log(np.exp(1 / n) - 1), "1/e is left"),
        (lambda n: np.log(n / np.log(2)), "wrong for short ones"),
        (lambda n: np.log(n), "it lacks ln 2"),
    ],
    "split_one_step": [
        (stops_at_h, "stops at h"),
        (without_tanh_slope, "slope of the tanh that makes h"),
        (without_output_gate, "the output gate that makes h"),
        (transposed, "row j belongs to unit j"),
        (total_instead, "return the part through h alone"),
        (torch_order_forgotten, "in the order i, f, g, o"),
        (vector_for_direct, "`direct` has shape"),
    ],
    "mended_influence": [
        (still_h, "the hidden state stands still"),
        (rows_for_columns, "rows and columns are exchanged"),
        (both, "stands still while the cell state is nudged, and rows and columns"),
        (twice_the_slope, "twice the slope"),
        (forget_gates_alone, "the direct path alone"),
    ],
    "running_mean_unit": [
        (lambda n: unit(n, turn=-1), "the input gate lets too much in"),
        (lambda n: unit(n, turn=0), "should add up to 1"),
        (lambda n: unit(n, base=np.e), "the forget gate keeps too little"),
        (lambda n: unit(n, forget_weight=1.0), "the forget gate moves with x"),
        (lambda n: unit(n, recurrent=0.5), "should not depend on h"),
        (lambda n: unit(n, candidate=2.0), "the candidate is not tanh(x)"),
        (lambda n: tuple(each.T for each in unit(n)), "is it transposed"),
    ],
    "half_life_of": [
        (boxed(at=0), "you nudged at step 0"),
        (boxed(nudge=3), "a nudge of 3 moves c so far"),
        (boxed(control=False), "what would h have been without the nudge"),
        (boxed(share=lambda n: n / np.log(2)), "1/e is left"),
        (boxed(share=lambda n: 2 ** (-1 / n)), "this is the forget gate"),
        (boxed(share=round), "the half lies between two steps"),
        (lambda box: float(len(box(np.zeros(7)))), "in none of your runs does the input ever change"),
        (lambda box: 10.0, "the unit was not run"),
    ],
}
