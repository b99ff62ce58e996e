"""Wrong answers to the exercises of the chapter gates, and words of the message each must get."""

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell, sigmoid


def rows_cut_too_early(W_f, W_i, W_c, W_o, b_f, b_i, b_c, b_o):
    H, W, bias = len(b_f), np.concatenate([W_i, W_f, W_o, W_c]), np.concatenate([b_i, b_f, b_o, b_c])
    return {"weight_ih_l0": W[:, H:], "weight_hh_l0": W[:, :H], "bias_ih_l0": bias, "bias_hh_l0": 0 * bias}


def panel(step, row):
    """Run the unit once, with one of the five steps changed, and take the fault that is nearest to what is seen."""
    x = np.array([[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 1, 1], [3, 0, 0, 1], [3, 1, 0, 1]], float)
    x[step] = row
    kinds = {"10001": "none", "10011": "input open", "10000": "input closed", "10111": "forget open"}
    kinds |= {"00001": "forget closed", "11001": "output open", "00000": "output closed"}

    def run(box):
        seen = "".join(str(int(abs(h) > 0.3)) for h in box(x, 2.0))
        return kinds[min(kinds, key=lambda kind: sum(a != b for a, b in zip(kind, seen)))]

    return run


def confused(a, b, steps=3):
    """An experiment that cannot tell two gates apart, since it is read off the answer."""

    def run(library):
        library(np.ones((steps, 1)), *(np.ones((4, 1)),) * 2, np.ones(4))
        return library.order.replace(a, "?").replace(b, a).replace("?", b)

    return run


WRONG = {
    "kept_by_hand": [(lambda: 1.65, "`bias_hh` were left out"), (lambda: 2.0, "a pre-activation of 0.69")],
    "forget_gate": [
        (lambda x, h, W, U, b, d: sigmoid(x @ W + h @ U + b + d), "it raised ValueError"),
        (lambda x, h, W, U, b, d: sigmoid(x[0] @ W.T + h @ U.T + b + d), "Right for one sample, but not for a batch"),
    ],
    "stacked_weights": [(rows_cut_too_early, "they stand as i, f, o, g")],
    "repaired_gates": [(lambda x, h, c, *weights: lstm_cell(x, (h, c), *weights)[0][::-1], "in another order")],
    "listener_states": [
        (lambda: [1, 1, 1, -1, 1], "5 results came where 6"),
        (lambda: [0, 1, 1, 0, -1, 1], "at step 4 there is no pulse"),
    ],
    "depth_counter": [
        (lambda: (np.array([[2, 0, 0], [0, 0, -4], [2, -2, 0], [0, 0, 0]]), np.ones(4)), "it first goes wrong at"),
        (lambda: (np.full((4, 3), np.nan), np.zeros(4)), "NaN or infinite"),
    ],
    "stuck_gate": [
        (panel(3, [0, 0, 0, 1]), "where the input gate should be closed"),
        (panel(2, [0, 0, 1, 0]), "where the forget gate should be closed"),
        (panel(1, [0, 0, 0, 1]), "a closed one near 0"),
        (lambda box: [box(np.zeros((1, 4))) for _ in range(4)] and "none", "the unit runs three times"),
        (lambda box: "none", "the unit was not run"),
        (lambda box: "the forget gate", "is none of them"),
    ],
    "row_order": [
        (confused("f", "i", steps=1), "a single step starts from an empty cell"),
        (confused("i", "o"), "i and o are taken for each other"),
        (confused("f", "i"), "is there anything in the cell to keep"),
        (confused("g", "i"), "only the candidate can be negative"),
        (lambda library: "ifgo", "the library was not run"),
        (lambda library: "igo", "each once"),
    ],
}
