"""Wrong answers to the exercises of the chapter cell-state, and words of the message each must get."""

import numpy as np


def first_order(x, c_t, o_t, weight_ih, weight_hh, bias):
    return np.eye(len(c_t))


def halved(f, *others):
    return f, np.zeros((len(f), len(f)))


def boxed(at=600, nudge=0.01, control=True, share=lambda half_life: half_life):
    """Nudge a unit, and see after how many steps half of the difference is left; with what can go wrong in it."""

    def answer(box):
        silent = np.zeros(1000)
        nudged = silent.copy()
        nudged[at] = nudge
        left = box(nudged) - (box(silent) if control else 0)
        left = np.abs(left[at:] / left[at])
        n = int(np.argmax(left < 0.25)) if np.any(left < 0.25) else 100
        return share(np.log(2) / -np.log(min(left[n], 0.999)) * n)

    return answer


WRONG = {
    "one_step_by_hand": [
        (lambda: {"c": -0.927, "h": -0.678}, "`c` is squashed"),
        (lambda: {"c": -1.637, "h": 0.678}, "`c` is right; `h`: it has the wrong sign"),
        (lambda: {"c": -0.678, "h": -1.637}, "`c` holds `h`"),
    ],
    "bias_for_half_life": [(lambda n: -np.log(np.expm1(np.log(2) / n)).astype("float32"), "right to five digits")],
    "steps_to_turn": [
        (lambda: [4, 14, 139, 101], "too few to climb to the top"),
        (lambda: [4, 14, 67], "3 results came where 4"),
        (lambda: [4, 20, 67, 101], "`f = 0.95`: the number is too large"),
    ],
    "split_one_step": [(halved, "`direct` has shape")],
    "mended_influence": [(first_order, "values differ")],
    "running_mean_unit": [(lambda n: (np.zeros((1, 4)), np.zeros((4, 1)), np.zeros(4)), "is it transposed")],
    "half_life_of": [
        (boxed(at=0), "you nudged at step 0"),
        (boxed(nudge=3), "a nudge of 3 moves c so far"),
        (boxed(control=False), "what would h have been without the nudge"),
        (boxed(share=lambda n: n / np.log(2)), "1/e is left"),
        (boxed(share=lambda n: 2 ** (-1 / n)), "this is the forget gate"),
        (boxed(share=round), "the half lies between two steps"),
        (lambda box: float(len(box(np.zeros(7)))), "in none of your runs does the input ever change"),
        (lambda box: np.nan, "NaN or infinite"),
        (lambda box: 10.0, "the unit was not run"),
    ],
}
