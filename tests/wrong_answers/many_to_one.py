"""Wrong answers to the exercises of the chapter many-to-one, and words of the message each must get."""

import numpy as np


def spread_of_a_sample(values, cut, width):
    """Standardised by the past alone, but with the estimate of the spread that statistics packages give."""
    z = (values - np.mean(values[:cut])) / np.sqrt(np.cov(values[:cut]))
    x, y, n = np.lib.stride_tricks.sliding_window_view(z, width)[:-1], z[width:], cut - width
    return x[:n], y[:n], x[n:], y[n:]


def lead(summary=np.median, splits=8, paired=True, least=1.0, swapped=False):
    """An experiment on two models, with what can go wrong in it."""

    def run(score):
        one = np.array([score("LSTM", split) for split in range(splits)])
        two = np.array([score("RNN", split) for split in range(splits)])
        difference = summary(one - two) if paired else summary(one) - summary(two)
        if abs(difference) < least:
            return "neither"
        return "LSTM" if (difference > 0) != swapped else "RNN"

    return run


WRONG = {
    "country_by_hand": [
        (lambda: 0.9, "the bias is left out"),
        (lambda: 0.5, "the two scores differ by 0.00"),
        (lambda: 0.94, "the two scores differ by 2.75"),
    ],
    "last_valid_rows": [
        (lambda output, lengths: output[:, lengths - 1], "one too many"),
        (lambda output, lengths: output[np.arange(len(output)), lengths], "it raised IndexError"),
    ],
    "padding_verdicts": [
        (lambda: (True, False, True, True, True), "program C"),
        (lambda: (True, False, False), "3 results came where 5"),
    ],
    "waiting_unit": [
        (lambda: (np.zeros((4, 2)), np.full(4, 9)), "wrong sign"),
        (lambda: (np.zeros((2, 4)), np.zeros(4)), "where (4, 2) is expected"),
    ],
    "honest_windows": [(spread_of_a_sample, "the spread is that of a sample")],
    "forecast_skill": [
        (lambda f, v, cut: 1 - np.var(f - v[cut:]) / np.var(np.diff(v)[cut - 1 :]), "compares variances")
    ],
    "judge_lead": [
        (lambda score: "neither", "train both models on the same splits"),
        (lead(splits=1), "compare on more splits"),
        (lead(summary=np.mean), "one training gone astray does not move"),
        (lead(paired=False), "sum up the differences, split by split"),
        (lead(least=4), "it misses a lead"),
        (lead(least=0), "it takes chance for a lead"),
        (lead(swapped=True), "the wrong leader"),
        (lead(splits=20), "you may train sixteen times"),
        (lambda score: "A", "is none of them"),
    ],
}
