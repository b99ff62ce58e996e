"""The exercises of the chapter many-to-one."""

import numpy as np

from lstm_tutorial.exercises import Box, exercise
from lstm_tutorial.in_numpy import LSTM, sigmoid


def diagnose_country(got, want):
    if not 0 < got < 1:
        return "a probability lies between 0 and 1"
    difference = np.log(got / (1 - got))
    return f"with this probability the two scores differ by {difference:.2f}: work out both scores again, then softmax"


@exercise(
    "A country by hand",
    turns={
        "this reads the last row of the padded output: how many steps are valid?": dict(h_1=0.0, h_2=0.7),
        "this reads step 4: the rows are counted from 1, the last valid one is number 3": dict(h_1=0.2, h_2=0.4),
        "this reads step 2: the rows are counted from 1, the last valid one is number 3": dict(h_1=0.3, h_2=0.5),
        "this reads step 1, the first: the last valid step is asked for": dict(h_1=0.1, h_2=-0.4),
        "this averages the valid steps, the last one alone is asked for": dict(h_1=1 / 3, h_2=-0.1 / 3),
        "this averages all five steps, the last valid one alone is asked for": dict(h_1=0.24, h_2=0.2),
        "the bias is left out, or counted for both countries": dict(bias=0),
        "the bias belongs to France, not to Poland": dict(bias=0, bias_poland=0.5),
        "the two hidden units are exchanged": dict(h_1=-0.2, h_2=0.6),
        "each score went through a sigmoid by itself: the two must sum to 1": dict(out=lambda a, b: sigmoid(a)),
        "this is the probability of Poland": dict(out=lambda a, b: sigmoid(b - a)),
        "this is a score, a probability is asked for": [dict(out=lambda a, b: a), dict(out=lambda a, b: b)],
        "this is the difference of the scores, a probability is asked for": dict(out=np.subtract),
        "softmax divides by the sum of both exponentials": dict(out=lambda a, b: np.exp(a - b)),
        "the exponentials are missing: this divides the scores themselves": dict(out=lambda a, b: a / (a + b)),
    },
    diagnose=diagnose_country,
    decimals=3,
)
def country_by_hand(*, h_1=0.6, h_2=-0.2, bias=0.5, bias_poland=0, out=lambda a, b: sigmoid(a - b)):
    return float(out(2 * h_1 + h_2 + bias, -h_1 + 3 * h_2 + bias_poland))


def draw_output(trial):
    """Draw the hidden states of all steps, padding read too, and lengths."""
    B, T, H = trial.sizes("B T H")
    return trial.normal(B, T, H), trial.lengths(B, T)


@exercise(
    "The last valid step",
    draw=draw_output,
    axes="B H",
    turns={
        "this is the last step of the padded output, for every sequence": dict(step=lambda n, T: T - 1 + 0 * n),
        "this takes the step of the longest sequence for all": dict(step=lambda n, T: n.max() - 1),
        "this is one step early: length 1 means index 0": dict(step=lambda n, T: n - 2),
        "this never takes the last step, which a sequence may fill": dict(step=lambda n, T: np.minimum(n - 1, T - 2)),
        "this is the first step": dict(step=lambda n, T: 0 * n),
        "this counts the length from the end": dict(step=lambda n, T: -n),
        "this sums over the valid steps, the last one alone is asked for": dict(divided=lambda n: 1),
        "this averages over the valid steps, the last one alone is asked for": dict(divided=lambda n: n),
    },
)
def last_valid_rows(output, lengths, *, step=lambda n, T: n - 1, divided=None):
    if divided:
        valid = np.arange(output.shape[1]) < lengths[:, None]
        return (output * valid[..., None]).sum(1) / divided(lengths[:, None])
    return output[np.arange(len(output)), step(lengths, output.shape[1])]


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
    steps, lengths = np.arange(T + padding), 1 + np.arange(B) % T
    values = trial.rng.choice([-1.0, 1.0], size=(B, T + padding))
    last = values[np.arange(B), lengths - 1].copy()
    values[: B // 2] = -last[: B // 2, None]  # all that came before contradicts the last value
    values[np.arange(B), lengths - 1] = last
    valid = steps < lengths[:, None]
    h = unit(np.stack([values, np.ones_like(values)], axis=-1) * valid[..., None])[0][..., 0] * last[:, None]
    at_once = h[np.arange(B), lengths - 1]
    waiting = h[~valid & (steps < lengths[:, None] + padding)]
    alone = at_once[lengths == 1]
    if not np.all(alone > 0):
        return "right after the first step h has the wrong sign: look at the candidate and the input gate"
    if not np.all(alone >= 0.5):
        return "right after a valid step h has the right sign but is smaller than 0.5: which gate is too small?"
    if not np.all(at_once >= 0.5):
        return "an older value is still there: what should the forget gate do at a valid step?"
    if not np.all(waiting > 0):
        return "some steps into the padding the sign turns: what is the candidate when both inputs are 0?"
    if not np.all(waiting >= 0.5):
        return "the value is there after the last valid step, but fades in the padding: how large is the forget gate?"
    return None


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


def scale_by(seen, spread=np.std):
    """Return what standardises a series by a part of it."""
    return lambda v, cut: (v - seen(v, cut).mean()) / spread(seen(v, cut))


def past(v, cut):
    return v[:cut]


PAST = scale_by(past)


@exercise(
    "A forecast that knew the future",
    draw=draw_series,
    names="x_train, y_train, x_test, y_test",
    combine=3,
    turns={
        "the mean and the spread are those of all years, also after the cut": dict(scale=scale_by(lambda v, cut: v)),
        "the target is still the last value of the window, which the network has seen": dict(ahead=-1),
        "the windows are still shuffled before the split: some that belong after the cut are in training": dict(
            order=lambda n: np.random.default_rng(0).permutation(n)
        ),
        "the series is not standardised": dict(scale=lambda v, cut: v),
        "the mean is not subtracted": dict(scale=lambda v, cut: v / v[:cut].std()),
        "the mean is added, not subtracted": dict(scale=lambda v, cut: (v + v[:cut].mean()) / v[:cut].std()),
        "nothing is divided by the spread": dict(scale=scale_by(past, spread=lambda seen: 1)),
        "this divides by the variance, not by the spread": dict(scale=scale_by(past, spread=np.var)),
        "the spread is that of a sample (ddof=1)": dict(scale=scale_by(past, spread=lambda seen: seen.std(ddof=1))),
        "the mean and the spread are those after the cut": dict(scale=scale_by(lambda v, cut: v[cut - 1 :])),
        "the scale knows one year after the cut": dict(scale=scale_by(lambda v, cut: v[: cut + 1])),
        "the scale leaves out the last year before the cut": dict(scale=scale_by(lambda v, cut: v[: max(cut - 1, 2)])),
    },
)
def honest_windows(values, cut, width, *, scale=PAST, ahead=0, order=np.arange):
    z = scale(values, cut)
    n = len(values) - width
    rows = order(n)
    x = np.stack([z[k : k + width] for k in range(n)])[rows]
    y = z[width + ahead : len(z) + ahead][rows]
    return x[: cut - width], y[: cut - width], x[cut - width :], y[cut - width :]


def draw_forecast(trial):
    """Draw forecasts, and the series: its last values are what was to be forecast."""
    cut, left = trial.choice(2, 5, 9, 14), trial.choice(1, 6, 25)
    values = 10 + trial.normal(cut + left).cumsum()
    return values[cut:] + trial.normal(left), values, cut


def mse(off):
    return np.mean(off**2)


def of_last(v, cut):
    return v[cut - 1 : -1]


@exercise(
    "Better than yesterday",
    draw=draw_forecast,
    turns={
        "this is the share of the error that is left: 1 minus it is asked for": dict(skill=np.divide),
        "1 is missing: the skill is 1 minus the share that is left": dict(skill=lambda error, base: -error / base),
        "1 plus the share that is left: it should be 1 minus it": dict(skill=lambda error, base: 1 + error / base),
        "this is the share minus 1: it is the other way round": dict(skill=lambda error, base: error / base - 1),
        "the fraction is upside down": dict(skill=lambda error, base: 1 - base / error),
        "this is the difference of the errors, not their ratio": dict(skill=lambda error, base: base - error),
        "this divides by the error of the forecast": dict(skill=lambda error, base: base / error - 1),
        "this compares the roots of the mean squares": dict(error=lambda off: np.sqrt(mse(off))),
        "this compares absolute errors, the skill compares squares": dict(error=lambda off: np.mean(abs(off))),
        "this compares variances: an error that is always the same counts too": dict(error=np.var),
        "the differences are not squared": [dict(error=np.mean), dict(own=np.mean), dict(other=np.mean)],
        "one of the two errors is a sum": [dict(own=lambda off: off @ off), dict(other=lambda off: off @ off)],
        "this is R squared: it compares with the mean of the truth": dict(base=lambda v, cut: v[cut:].mean()),
        "this keeps one value: persistence takes that of the year before": dict(base=lambda v, cut: v[cut - 1]),
        "this compares with the mean of the years before the cut": dict(base=lambda v, cut: v[:cut].mean()),
        "this compares with the mean of all years": dict(base=lambda v, cut: v.mean()),
        "persistence is a step late: before `values[cut]` is `values[cut - 1]`": dict(
            base=lambda v, cut: v[cut - 2 : -2]
        ),
        "this compares with a forecast of 0, not with persistence": dict(base=lambda v, cut: 0),
    },
)
def forecast_skill(
    forecast, values, cut,
    *, base=of_last, error=mse, own=None, other=None, skill=lambda error, base: 1 - error / base,
):  # fmt: skip
    truth = values[cut:]
    own, other = own or error, other or error
    return float(skill(own(forecast - truth), other(base(values, cut) - truth)))


class TrainingBox(Box):
    """Scores of two models on splits that are easier or harder for both; one split in seven, one model goes astray."""

    runs, budget = 16, "you may train sixteen times"

    def __init__(self, trial):
        super().__init__()
        self.leader, self.astray = trial.choice("lstm", "rnn", "neither"), trial.choice("lstm", "rnn")
        self.seed, self.typical, self.lead = int(trial.rng.integers(1000)), *trial.rng.uniform([50, 1.8], [75, 2.2])

    def answer(self, model, split):
        model, split = str(model).casefold(), int(split)
        if model not in ("lstm", "rnn") or split < 0:
            raise ValueError(f'a model is "LSTM" or "RNN", a split 0, 1, 2, ...: got {model!r} and {split}')
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
    if len(both) < 3:
        return "one training that goes astray decides here: compare on more splits"
    differences = np.array([one[split] - two[split] for split in both])

    def says(number):
        return "neither" if abs(number) < 1 else "lstm" if number > 0 else "rnn"

    if says(np.median(differences)) != want:
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
