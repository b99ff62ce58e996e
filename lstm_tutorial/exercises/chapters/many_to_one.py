"""The exercises of the chapter many-to-one."""

import numpy as np

from lstm_tutorial.exercises import Box, exercise
from lstm_tutorial.in_numpy import LSTM, last_pool, mean_pool, sigmoid


def diagnose_country(got, want):
    if not 0 < got < 1:
        return "a probability lies between 0 and 1: softmax divides an exponential by the sum of both"
    difference = np.log(got / (1 - got))
    return f"with this probability the two scores differ by {difference:.2f}: work out both scores again, then softmax"


@exercise(
    "A country by hand",
    turns={
        "this reads the last row of the padded output: how many steps are valid?": dict(h_1=0.0, h_2=0.7),
        "the rows are counted from 1, the last valid one is number 3: this reads another": [
            dict(h_1=a, h_2=b) for a, b in ((0.1, -0.4), (0.3, 0.5), (0.2, 0.4))
        ],
        "this averages over several steps, the last valid one alone is expected": [
            dict(h_1=a, h_2=b) for a, b in ((1 / 3, -0.1 / 3), (0.24, 0.2))
        ],
        "the bias is left out, or counted for both countries": dict(bias=0),
        "the bias belongs to France, not to Poland": dict(bias=-0.5),
        "the two hidden units are exchanged": dict(h_1=-0.2, h_2=0.6),
        "each score went through a sigmoid by itself: the two must sum to 1": dict(out=lambda a, b: sigmoid(a)),
        "this is the probability of Poland": dict(out=lambda a, b: sigmoid(b - a)),
    },
    diagnose=diagnose_country,
    decimals=3,
)
def country_by_hand(*, h_1=0.6, h_2=-0.2, bias=0.5, out=lambda a, b: sigmoid(a - b)):
    return float(out(2 * h_1 + h_2 + bias, -h_1 + 3 * h_2))


def draw_output(trial):
    """Draw the hidden states of all steps, padding read too, and lengths."""
    B, T, H = trial.sizes("B T H")
    return trial.normal(B, T, H), trial.lengths(B, T)


@exercise(
    "The last valid step",
    draw=draw_output,
    axes="B H",
    turns={
        "this is the last step of the padded output, for every sequence": dict(pool=lambda output, n: output[:, -1]),
        "this is one step early: length 1 means index 0": dict(pool=lambda output, n: output[np.arange(len(n)), n - 2]),
        "this counts the length from the end": dict(pool=lambda output, n: output[np.arange(len(n)), -n]),
        "this averages over the valid steps, the last one alone is expected": dict(pool=mean_pool),
    },
)
def last_valid_rows(output, lengths, *, pool=last_pool):
    return pool(output, lengths)


@exercise(
    "Five programs and more padding",
    names="A, B, C, D, E",
    turns={
        "program A: do the biases and the forget gate rest while the network reads zeros?": dict(A=False),
        "program B: what is `h_n` when the lengths are known?": dict(B=True),
        "program C: can a step that comes later change a state that is already there?": dict(C=True),
        "program D: where does the reverse direction begin if it does not know the lengths?": dict(D=False),
        "program E: what stands in the output past a length? Would more of it change the answer?": dict(E=True),
    },
)
def padding_verdicts(*, A=True, B=False, C=False, D=True, E=False):
    return A, B, C, D, E


def verify_waiting(answer, trial):
    """Read values, then 60 steps of padding; h must have the sign of the last value at each of them."""
    weight_ih, bias = (np.asarray(each, float) for each in answer)
    unit = LSTM(2, 1, batch_first=True, dtype="float64")
    zero = {"weight_hh_l0": np.zeros((4, 1)), "bias_hh_l0": np.zeros(4)}
    unit.load_state_dict({"weight_ih_l0": weight_ih, "bias_ih_l0": bias} | zero)
    B, T, padding = 240, 12, 60
    rows, lengths, steps = np.arange(B), 1 + np.arange(B) % T, np.arange(T + padding)
    values = trial.rng.choice([-1.0, 1.0], size=(B, T + padding))
    last = values[rows, lengths - 1]
    values[: B // 2] = -last[: B // 2, None]  # all that came before contradicts the last value
    values[rows, lengths - 1] = last
    valid = steps < lengths[:, None]
    h = unit(np.stack([values, np.ones_like(values)], axis=-1) * valid[..., None])[0][..., 0] * last[:, None]
    at_once = h[rows, lengths - 1]
    alone, waiting = at_once[lengths == 1], h[~valid & (steps < lengths[:, None] + padding)]
    for is_right, words in (
        (alone > 0, "right after the first step h has the wrong sign: look at the candidate and the input gate"),
        (alone >= 0.5, "after a valid step h has the right sign but is smaller than 0.5: which gate is too small?"),
        (at_once >= 0.5, "an older value is still there: what should the forget gate do at a valid step?"),
        (waiting > 0, "some steps into the padding the sign turns: what is the candidate when both inputs are 0?"),
        (waiting >= 0.5, "the value fades in the padding: how large is the forget gate?"),
    ):
        if not is_right.all():
            return words


@exercise(
    "A unit that waits",
    verify=verify_waiting,
    names="weight_ih, bias",
    axes="4H D, 4H",
    turns={
        "an older value is still there": [dict(f=(0, 0)), dict(f=(0, -10))],
        "fades in the padding": [dict(bias=(10, 0, 0, 10)), dict(bias=(10, 4, 0, 10))],
        "smaller than 0.5": [dict(bias=(10, 10, 0, -2)), dict(bias=(-1, 10, 0, 10)), dict(g=(0.5, 0))],
        "right after the first step h has the wrong sign": [dict(g=(-3, 0)), dict(g=(0, 3)), dict(g=(3, 5))],
        "the sign turns": dict(g=(3, 1), bias=(10, 3, -1, 10)),
    },
)
def waiting_unit(*, i=(0, 0), f=(0, -20), g=(3, 0), o=(0, 0), bias=(10, 10, 0, 10)):
    return np.array([i, f, g, o], float), np.array(bias, float)


def draw_series(trial):
    """Draw a series with a trend, where to cut it, and a width; one window on either side of the cut is enough."""
    width, cut_after, left = trial.choice(1, 3, 6), trial.choice(1, 4, 20), trial.choice(1, 4, 15)
    cut = width + cut_after
    values = 50 + 2 * np.arange(cut + left) + trial.normal(cut + left).cumsum() * 5
    return values, cut, width


@exercise(
    "A forecast that knew the future",
    draw=draw_series,
    names="x_train, y_train, x_test, y_test",
    combine=3,
    turns={
        "the mean and the spread are those of all years, also after the cut": dict(seen=lambda v, cut: v),
        "the target is still the last value of the window, which the network has seen": dict(ahead=-1),
        "the windows are still shuffled before the split: later ones get into training": dict(shuffled=True),
        "the mean is not subtracted": dict(mean=lambda seen: 0),
        "nothing is divided by the spread": dict(spread=lambda seen: 1),
        "this divides by the variance, not by the spread": dict(spread=np.var),
        "the spread is that of a sample (ddof=1)": dict(spread=lambda seen: seen.std(ddof=1)),
        "the mean and the spread know the first year after the cut": dict(seen=lambda v, cut: v[: cut + 1]),
    },
)
def honest_windows(
    values, cut, width, *, seen=lambda v, cut: v[:cut], mean=np.mean, spread=np.std, ahead=0, shuffled=False
):
    z = (values - mean(seen(values, cut))) / spread(seen(values, cut))
    n = len(values) - width
    starts = np.random.default_rng(0).permutation(n) if shuffled else np.arange(n)
    x, y = np.stack([z[k : k + width] for k in starts]), z[starts + width + ahead]
    return x[: cut - width], y[: cut - width], x[cut - width :], y[cut - width :]


def draw_forecast(trial):
    """Draw forecasts, and the series: its last values are what was to be forecast."""
    cut, left = trial.choice(2, 5, 9, 14), trial.choice(1, 6, 25)
    values = 10 + trial.normal(cut + left).cumsum()
    return values[cut:] + trial.normal(left), values, cut


@exercise(
    "Better than yesterday",
    draw=draw_forecast,
    diagnose=lambda got, *_: "the skill is 1 minus a ratio of mean squares, so it is below 1" if got >= 1 else None,
    turns={
        "this is the share of the error that is left: the skill is 1 minus it": dict(skill=np.divide),
        "1 is missing: the skill is 1 minus the share that is left": dict(skill=lambda own, base: -own / base),
        "the fraction is upside down: divide by the error of persistence": dict(skill=lambda own, base: 1 - base / own),
        "this is the difference of the errors, not their ratio": dict(skill=lambda own, base: base - own),
        "this compares the roots of the mean squares": dict(error=lambda off: np.sqrt(np.mean(off**2))),
        "this compares absolute errors, the skill compares squares": dict(error=lambda off: np.mean(abs(off))),
        "this compares variances: an error that is always the same counts too": dict(error=np.var),
        "the differences are not squared": dict(error=np.mean),
        "this is R squared: it compares with the mean of the truth": dict(base=lambda v, cut: v[cut:].mean()),
        "this keeps one value: persistence takes that of the year before": dict(base=lambda v, cut: v[cut - 1]),
        "this compares with the mean of the years before the cut": dict(base=lambda v, cut: v[:cut].mean()),
        "this compares with a forecast of 0, not with persistence": dict(base=lambda v, cut: 0),
    },
)
def forecast_skill(
    forecast, values, cut,
    *, base=lambda v, cut: v[cut - 1 : -1], error=lambda off: np.mean(off**2), skill=lambda own, base: 1 - own / base,
):  # fmt: skip
    return float(skill(error(forecast - values[cut:]), error(base(values, cut) - values[cut:])))


class TrainingBox(Box):
    """Scores of two models on splits that are easier or harder for both; one split in seven, one model goes astray."""

    runs, budget = 16, "you may train sixteen times"

    def __init__(self, trial):
        super().__init__()
        self.leader, self.astray = trial.choice("lstm", "rnn", "neither"), trial.choice("lstm", "rnn")
        self.seed, self.typical, self.lead = int(trial.rng.integers(1000)), *trial.rng.uniform([50, 1.8], [75, 2.2])

    def answer(self, model, split):
        model, split = str(model).casefold(), int(split)
        if model not in ("lstm", "rnn"):
            raise ValueError(f'the model must be "LSTM" or "RNN", got {model!r}')
        rng = np.random.default_rng([self.seed, split, len(model)])
        easier = 4 * np.random.default_rng([self.seed, split]).normal()
        score = self.typical + easier + self.lead * (model == self.leader) + 0.3 * rng.normal()
        if (split + self.seed) % 7 == 0 and model == self.astray:
            score = rng.uniform(8, 20)
        self.asked.append((model, split, score))
        return float(score)


def diagnose_lead(got, want, box):
    one, two = ({split: score for each, split, score in box.asked if each == model} for model in ("lstm", "rnn"))
    both = sorted(one.keys() & two.keys())
    if not both or len(both) < min(len(one), len(two)):
        return "some splits are easier than others: train both models on the same splits, and compare split by split"
    differences = np.array([one[split] - two[split] for split in both])

    def says(number):
        return "neither" if abs(number) < 1 else "lstm" if number > 0 else "rnn"

    if len(both) < 3 or says(np.median(differences)) != want:
        why = "compare on more splits, so that a training that goes astray does not decide"
    elif got in (says(differences.mean()), says(np.median(list(one.values())) - np.median(list(two.values())))):
        why = "sum up the differences, split by split, by a number that one training gone astray does not move"
    else:
        why = "where is the border between a lead of two points and none, and who is ahead by how much?"
    mistake = "it names the wrong leader" if want != "neither" else "it takes chance for a lead"
    return f"{'it misses a lead of two points' if got == 'neither' else mistake}: {why}"


@exercise(
    "Which one leads?",
    draw=lambda trial: (TrainingBox(trial),),
    diagnose=diagnose_lead,
    words="lstm, rnn, neither",
    dtypes=("float64",),
    trials=24,
)
def judge_lead(score):
    return score.leader
