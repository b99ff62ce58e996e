"""Wrong answers to the exercises of the chapter cell-state, and words of the message each must get."""

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell


def h_once(x, c_t, o_t, weight_ih, weight_hh, bias):
    """Compute h_t once, from the cell state that was not changed."""
    changes = 1e-6 * np.vstack([np.eye(len(c_t)), -np.eye(len(c_t))])
    h, c = o_t * np.tanh(c_t) + 0 * changes, c_t + changes
    for x_t in x:
        (h, c), _ = lstm_cell(np.tile(x_t, (len(c), 1)), (h, c), weight_ih, weight_hh, bias, 0 * bias)
    return np.subtract(*np.split(c, 2)).T / 2e-6


def boxed(at=600, change=0.01, control=True, share=lambda half_life: half_life):
    """Change one input, and see after how many steps half of the difference is left; with what can go wrong in it."""

    def answer(box):
        left = box(change * np.eye(1000)[at]) - (box(np.zeros(1000)) if control else 0)
        left = np.abs(left[at:] / left[at])
        n = int(np.argmax(left < 0.25)) if np.any(left < 0.25) else 100
        return share(np.log(2) / -np.log(min(left[n], 0.999)) * n)

    return answer


WRONG = {
    "one_step_by_hand": [
        (lambda: {"c": -0.927, "h": -0.678}, "`c` went through tanh"),
        (lambda: {"c": -1.637, "h": 0.678}, "`c` is right; `h`: it has the wrong sign"),
    ],
    "bias_for_half_life": [(lambda n: -np.log(np.expm1(np.log(2) / n)).astype("float32"), "right to five digits")],
    "steps_to_turn": [(lambda: [4, 14, 139, 101], "too few to reach the highest value")],
    "split_one_step": [(lambda f, *others: (f, np.zeros((len(f), len(f)))), "`direct` has shape")],
    "mended_influence": [(h_once, "the hidden state does not change with the cell state")],
    "running_mean_unit": [(lambda n: (np.zeros((1, 4)), np.zeros((4, 1)), np.zeros(4)), "is it transposed")],
    "half_life_of": [
        (boxed(at=0), "you changed the input at step 0"),
        (boxed(change=3), "a change of 3 is so large"),
        (boxed(control=False), "what would h have been without the change"),
        (boxed(share=lambda n: n / np.log(2)), "1/e is left"),
        (boxed(share=lambda n: 2 ** (-1 / n)), "this is the forget gate"),
        (boxed(share=round), "the half lies between two steps"),
        (lambda box: float(len(box(np.zeros(7)))), "in none of your runs does the input ever change"),
        (lambda box: 10.0, "the unit was not run"),
    ],
}
