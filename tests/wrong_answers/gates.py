"""Wrong answers to the exercises of the chapter gates, and words of the message each must get."""

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell, sigmoid


def rows_cut_too_early(W_f, W_i, W_c, W_o, b_f, b_i, b_c, b_o):
    H, W, bias = len(b_f), np.concatenate([W_i, W_f, W_o, W_c]), np.concatenate([b_i, b_f, b_o, b_c])
    return {"weight_ih_l0": W[:, H:], "weight_hh_l0": W[:, :H], "bias_ih_l0": bias, "bias_hh_l0": 0 * bias}


def panel(steps=(), c=2.0, shown=lambda h: abs(h) > 0.3):
    """Run the unit once and read its five steps; the faults lie in what it is asked, or in how it is read."""
    right = {0: [0, 0, 0, 1], 1: [0, 0, 0, 0], 2: [0, 0, 1, 1], 3: [3, 0, 0, 1], 4: [3, 1, 0, 1]}
    kinds = {"10001": "none", "10011": "input open", "10000": "input shut", "10111": "forget open"}
    kinds |= {"00001": "forget shut", "11001": "output open", "00000": "output shut"}

    def run(box):
        x = np.array(list((right | dict(steps)).values()), float)
        seen = "".join(str(int(shown(h))) for h in box(x, c))
        return kinds[min(kinds, key=lambda kind: sum(a != b for a, b in zip(kind, seen)))]

    return run


def confused(a, b):
    """An experiment that cannot tell two gates apart, since it is read off the answer."""

    def run(library):
        library(np.ones((3, 1)), *(np.ones((4, 1)),) * 2, np.ones(4))
        return library.order.replace(a, "?").replace(b, a).replace("?", b)

    return run


def one_step(library):
    library(np.ones((1, 1)), *(np.ones((4, 1)),) * 2, np.ones(4))
    return "ifgo"


WRONG = {
    "kept_by_hand": [(lambda: 1.65, "`bias_hh` were left out"), (lambda: 2.91, "`h` had the wrong sign")],
    "forget_gate": [
        (lambda x, h, W, U, b, _: sigmoid(x @ W.T + h @ U.T + b), "`bias_hh` were left out"),
        (lambda x, h, W, U, b, d: sigmoid(x @ W + h @ U + b + d), "it raised ValueError"),
        (lambda x, h, W, U, b, d: sigmoid(x[0] @ W.T + h @ U.T + b + d), "Right for one sample, but not for a batch"),
    ],
    "stacked_weights": [(rows_cut_too_early, "i, f, o, c")],
    "repaired_gates": [(lambda x, h, c, *weights: lstm_cell(x, (h, c), *weights)[0][::-1], "in another order")],
    "listener_states": [
        (lambda: [1, 1, 1, -1, 1], "5 results came where 6"),
        (lambda: [0, 1, 1, 0, -1, 1], "at step 4 there is no pulse"),
    ],
    "depth_counter": [
        (lambda: (np.array([[2, 0, 0], [0, 0, -4], [2, -2, 0], [0, 0, 0]]), np.ones(4)), "it first goes wrong at"),
        (lambda: (np.zeros((3, 4)), np.zeros(4)), "`weight_ih` has shape"),
        (lambda: (np.full((4, 3), np.nan), np.zeros(4)), "NaN or infinite"),
    ],
    "stuck_gate": [
        (panel({3: [0, 0, 0, 1]}.items()), "where a value comes without a write"),
        (panel({2: [0, 0, 1, 0]}.items()), "where something in the cell is erased"),
        (panel({1: [0, 0, 0, 1]}.items()), "a shut one near 0"),
        (lambda box: [box(np.zeros((1, 4))) for _ in range(4)] and "none", "the unit runs three times"),
        (lambda box: "none", "the unit was not run"),
        (lambda box: "the forget gate", "is none of them"),
    ],
    "row_order": [
        (one_step, "a single step starts from an empty cell"),
        (confused("i", "o"), "i and o are taken for each other"),
        (confused("f", "i"), "is there anything in the cell to keep"),
        (confused("g", "i"), "only the candidate can be negative"),
        (lambda library: "ifgo", "the library was not run"),
        (lambda library: "igo", "each once"),
    ],
}
