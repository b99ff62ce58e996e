"""Plausible wrong answers to the exercises of the chapter many-to-one, and words of the message each must get."""

import numpy as np


def rows_of(output):
    return np.arange(len(output))


def unit(i=(0, 0), f=(0, -20), g=(3, 0), o=(0, 0), bias=(10, 10, 0, 10)):
    """A unit that waits, right unless a row is given."""
    return np.array([i, f, g, o], float), np.array(bias, float)


def windows(values, cut, width, seen=None, early=0, shuffled=False, n=None):
    """The windows, right or with faults."""
    seen = values[:cut] if seen is None else seen
    z = (values - seen.mean()) / seen.std()
    x = np.stack([z[k : k + width] for k in range(len(z) - width)])
    y = z[width - early : len(z) - early]
    rows, n = np.arange(len(x)), cut - width if n is None else n
    if shuffled:
        rows = np.random.default_rng(0).permutation(rows)
    return x[rows[:n]], y[rows[:n]], x[rows[n:]], y[rows[n:]]


def raw_windows(values, cut, width):
    x = np.stack([values[k : k + width] for k in range(len(values) - width)])
    n = cut - width
    return x[:n], values[width:][:n], x[n:], values[width:][n:]


def skill(values, forecast, cut, other, power=2, root=1):
    """One minus the error, relative to that of another forecast."""
    truth = values[cut:]
    error, base = (np.mean(abs(each - truth) ** power) ** root for each in (forecast, other))
    return 1 - error / base


def last(values, cut):
    return values[cut - 1 : -1]


def lead(summary=np.median, splits=8, apart=0, paired=True, least=1.0, swap=False):
    """Compare two models over splits, well or badly."""

    def judge_lead(score):
        one = np.array([score("LSTM", split) for split in range(splits)])
        two = np.array([score("RNN", split + apart) for split in range(splits)])
        difference = summary(one - two) if paired else summary(one) - summary(two)
        if abs(difference) < least:
            return "neither"
        return "LSTM" if (difference > 0) != swap else "RNN"

    return judge_lead


def whoever_is_ahead_more_often(score):
    ahead = sum(score("LSTM", split) > score("RNN", split) for split in range(8))
    return "LSTM" if ahead > 4 else "RNN" if ahead < 4 else "neither"


WRONG = {
    "country_by_hand": [
        (lambda: 0.289, "last row of the padded output"),
        (lambda: 0.574, "step 4"),
        (lambda: 0.599, "step 2"),
        (lambda: 0.900, "the bias is left out"),
        (lambda: 0.818, "must sum to 1"),
        (lambda: 0.063, "of Poland"),
        (lambda: 1.5, "this is a score"),
        (lambda: 2.7, "difference of the scores"),
        (lambda: 0.5, "too small"),
    ],
    "last_valid_rows": [
        (lambda output, lengths: output[:, -1], "last step of the padded output"),
        (lambda output, lengths: output[rows_of(output), lengths - 2], "one step early"),
        (lambda output, lengths: output[:, 0], "the first step"),
        (lambda output, lengths: output[:, lengths - 1], "one too many"),
        (lambda output, lengths: output[:, lengths.max() - 1], "the longest sequence"),
        (lambda output, lengths: output[rows_of(output), -lengths], "from the end"),
        (lambda output, lengths: output[rows_of(output), lengths], "one step late"),
    ],
    "padding_verdicts": [
        (lambda: (False, False, False, True, False), "program A"),
        (lambda: (True, True, False, True, False), "program B"),
        (lambda: (True, False, True, True, False), "program C"),
        (lambda: (True, False, False, False, False), "program D"),
        (lambda: (True, False, False, True, True), "program E"),
        (lambda: (True, False, False), "3 results came where 5"),
    ],
    "waiting_unit": [
        (lambda: unit(f=(0, 0)), "older value is still there"),
        (lambda: unit(bias=(10, 0, 0, 10)), "fades in the padding"),
        (lambda: unit(bias=(10, 10, 0, -2)), "which gate holds it back"),
        (lambda: unit(g=(-3, 0)), "the wrong sign"),
        (lambda: unit(g=(3, 1), bias=(10, 3, -1, 10)), "the sign turns"),
        (lambda: (unit()[0].T, unit()[1]), "where (4, 2) is expected"),
    ],
    "honest_windows": [
        (lambda values, cut, width: windows(values, cut, width, seen=values), "of the whole series"),
        (lambda values, cut, width: windows(values, cut, width, early=1), "last value of the window"),
        (lambda values, cut, width: windows(values, cut, width, seen=values, early=1), "two faults are left"),
        (lambda values, cut, width: windows(values, cut, width, shuffled=True), "shuffled"),
        (raw_windows, "not standardised"),
        (lambda values, cut, width: windows(values, cut, width, n=cut), "is expected"),
        (lambda values, cut, width: windows(values, cut, width)[:2], "2 results came where 4"),
    ],
    "forecast_skill": [
        (lambda f, v, cut: 1 - skill(v, f, cut, last(v, cut)), "share of the error"),
        (lambda f, v, cut: skill(v, f, cut, last(v, cut), root=0.5), "the roots of the errors"),
        (lambda f, v, cut: skill(v, f, cut, v[cut:].mean()), "R squared"),
        (lambda f, v, cut: skill(v, f, cut, v[cut - 1]), "one value for all years"),
        (lambda f, v, cut: skill(v, f, cut, v[:cut].mean()), "mean of the years before"),
        (lambda f, v, cut: skill(v, last(v, cut), cut, f), "upside down"),
        (lambda f, v, cut: skill(v, f, cut, last(v, cut), power=1), "absolute errors"),
        (lambda f, v, cut: skill(v, f, cut, v[cut - 2 : -2]), "off by a step"),
    ],
    "judge_lead": [
        (lambda score: "neither", "it misses a lead"),
        (lambda score: "LSTM" if score("LSTM", 0) > score("RNN", 0) else "RNN", "it takes chance for a lead"),
        (lead(splits=1), "are there enough of them"),
        (lead(summary=np.mean), "can one training that went astray move your number"),
        (lead(summary=np.max, paired=False, apart=8), "are both trained on the same splits"),
        (lead(apart=8), "are both trained on the same splits"),
        (lead(paired=False), "compared split by split"),
        (lead(least=4), "it misses a lead"),
        (whoever_is_ahead_more_often, "it takes chance for a lead"),
        (lead(swap=True), "the wrong leader"),
        (lead(splits=20), "the budget of 16 trainings is spent"),
        (lambda score: "A", "none of the three words"),
    ],
}
