"""The exercises of the chapter many-to-one."""

import numpy as np

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
from lstm_tutorial.in_numpy import LSTM, sigmoid

# A country by hand

OUTPUT = np.array([[0.1, -0.4], [0.3, 0.5], [0.6, -0.2], [0.2, 0.4], [0.0, 0.7]])  # (T, H), three steps valid
HEAD_WEIGHT, HEAD_BIAS = np.array([[2.0, 1.0], [-1.0, 3.0]]), np.array([0.5, 0.0])  # rows France, Poland


def probability(h, bias=HEAD_BIAS):
    """The probability of France."""
    france, poland = HEAD_WEIGHT @ h + bias
    return float(sigmoid(france - poland))


def diagnose_country(got, want, inputs):
    """Say which step was read, or what was done with the scores."""
    france, poland = HEAD_WEIGHT @ OUTPUT[2] + HEAD_BIAS
    turns = {
        "this reads the last row of the padded output: how many steps are valid?": probability(OUTPUT[4]),
        "this reads step 4: the rows are counted from 1, the last valid one is number 3": probability(OUTPUT[3]),
        "this reads step 2: the rows are counted from 1, the last valid one is number 3": probability(OUTPUT[1]),
        "this averages the valid steps, the last one alone is asked for": probability(OUTPUT[:3].mean(0)),
        "the bias is left out": probability(OUTPUT[2], 0),
        "each score went through a sigmoid by itself: the two probabilities must sum to 1": float(sigmoid(france)),
        "this is the probability of Poland": 1 - want,
        "this is a score, a probability is asked for": float(france),
        "this is the difference of the scores, a probability is asked for": float(france - poland),
    }
    return first_match(got, turns, tolerance=0.002)


register(
    "country_by_hand",
    chapter="many-to-one",
    title="A country by hand",
    reference=lambda: probability(OUTPUT[2]),
    diagnose=diagnose_country,
    tolerance=0.003,
)


# The last valid step


def draw_ragged_output(rng):
    """Hidden states of all steps, padding read too, and lengths that differ; even the longest has padding."""
    B, T, H = draw_sizes(rng, 3, low=3)
    lengths = rng.integers(1, T, size=B)
    lengths[:2] = rng.permutation([1, T - 1])
    return rng.normal(size=(B, T, H)), lengths


def last_valid_rows(output, lengths):
    """Row b at step lengths[b] - 1."""
    return output[np.arange(len(output)), lengths - 1]


def diagnose_rows(got, want, inputs):
    """Say which step was taken."""
    output, lengths = inputs
    rows, valid = np.arange(len(output)), np.arange(output.shape[1]) < lengths[:, None]
    turns = {
        "this is the last step of the padded output, for every sequence": output[:, -1],
        "this takes the step of the longest sequence for all": output[:, lengths.max() - 1],
        "this is one step late: the first step has index 0": output[rows, lengths],
        "this is one step early: length 1 means index 0": output[rows, lengths - 2],
        "this is the first step": output[:, 0],
        "this counts the length from the end": output[rows, -lengths],
        "this sums over the valid steps, the last one alone is asked for": (output * valid[..., None]).sum(1),
    }
    return first_match(got, turns)


register(
    "last_valid_rows",
    chapter="many-to-one",
    title="The last valid step",
    draw=draw_ragged_output,
    reference=last_valid_rows,
    names=("the states",),
    axes=("B H",),
    diagnose=diagnose_rows,
)


# Five programs and more padding


def padding_verdicts():
    """Run the five programs with 0 and with 5 more steps of padding; has the short sequence's answer moved?"""
    one_way, two_way = (LSTM(3, 4, batch_first=True, bidirectional=b, dtype="float64", rng=0) for b in (False, True))
    rng = np.random.default_rng(0)
    x, lengths = rng.normal(size=(2, 6, 3)), np.array([3, 6])
    x[0, 3:] = 0

    def answers(x):
        return (
            one_way(x)[0][0, -1],
            one_way(x, lengths=lengths)[1][0][-1][0],
            one_way(x)[0][0, 2],
            two_way(x)[0][0, 2],
            one_way(x, lengths=lengths)[0][0, -1],
        )

    more = np.pad(x, ((0, 0), (0, 5), (0, 0)))
    return tuple(not np.allclose(a, b) for a, b in zip(answers(x), answers(more)))


def diagnose_verdicts(got, want, inputs):
    """Ask about the first verdict that is off."""
    questions = (
        "program A: do the biases and the forget gate rest while the network reads zeros?",
        "program B: what is `h_n` when the lengths are known?",
        "program C: can a step that comes later change a state that is already there?",
        "program D: where does the reverse direction begin, when nobody tells it the lengths?",
        "program E: what does the course's LSTM put into the output past a length? Would more of it change the answer?",
    )
    for question, mine, right in zip(questions, got, want):
        if bool(mine) != right:
            return question
    return None


register(
    "padding_verdicts",
    chapter="many-to-one",
    title="Five programs and more padding",
    reference=padding_verdicts,
    names=("A", "B", "C", "D", "E"),
    diagnose=diagnose_verdicts,
)


# A unit that waits


def verify_waiting(answer, rng):
    """Read values and then zeros; ask for the last valid value's sign, at every amount of padding."""
    weight_ih, bias = answer
    unit = LSTM(2, 1, batch_first=True, dtype="float64")
    zero = {"weight_hh_l0": np.zeros((4, 1)), "bias_hh_l0": np.zeros(4)}
    unit.load_state_dict({"weight_ih_l0": weight_ih, "bias_ih_l0": bias} | zero)
    B, T, pads = 64, 12, 60
    lengths = rng.integers(1, T + 1, size=B)
    valid = np.arange(T + pads) < lengths[:, None]
    x = np.stack([rng.choice([-1.0, 1.0], size=valid.shape), np.ones(valid.shape)], axis=-1) * valid[..., None]
    last = x[np.arange(B), lengths - 1, 0]
    output = unit(x)[0][..., 0]
    at_once = output[np.arange(B), lengths - 1]
    if np.any(at_once * last <= 0):
        if np.all((at_once * last)[lengths == 1] > 0):
            return "an older value is still there: what should the forget gate do at a valid step?"
        return "right after the last valid step h has the wrong sign: look at the candidate and the input gate"
    if np.any(abs(at_once) < 0.5):
        return "right after the last valid step h has the right sign but is weaker than 0.5: which gate holds it back?"
    if np.any(output[:, -1] * last < 0):
        return "some steps into the padding the sign turns: what is the candidate when both inputs are 0?"
    if np.any(abs(output[:, -1]) < 0.5):
        return "the value is there after the last valid step, but fades in the padding: how open is the forget gate?"
    return None


register(
    "waiting_unit",
    chapter="many-to-one",
    title="A unit that waits",
    reference=lambda: (np.zeros((4, 2)), np.zeros(4)),
    names=("weight_ih", "bias"),
    axes=("4H D", "4H"),
    verify=verify_waiting,
    trials=3,
)


# A forecast that knew the future


def draw_series(rng):
    """A series with a trend, where to cut it, and a width."""
    T, width = int(rng.integers(24, 40)), int(rng.integers(3, 7))
    values = 50 + 2 * np.arange(T) + rng.normal(size=T).cumsum() * 5
    return values, int(rng.integers(14, T - 4)), width


def honest_windows(values, cut, width, seen=None, target=0):
    """Windows of a series that is standardised by what comes before the cut."""
    seen = values[:cut] if seen is None else seen
    z = (values - seen.mean()) / seen.std()
    x = np.lib.stride_tricks.sliding_window_view(z[:-1], width).copy()
    y = z[width - target : len(z) - target].copy()
    return x[: cut - width], y[: cut - width], x[cut - width :], y[cut - width :]


def diagnose_windows(got, want, inputs):
    """Say which of the three faults is left."""
    values, cut, width = inputs

    def of_all(target):
        return honest_windows(values, cut, width, seen=values, target=target)

    turns = {
        "the mean and the spread are still those of the whole series, years after the cut among them": of_all(0),
        "the target is still the last value of the window, which the network has seen": honest_windows(
            values, cut, width, target=1
        ),
        "two faults are left: the target has been seen, and the scale knows the years after the cut": of_all(1),
        "the series is not standardised": tuple(
            each * values[:cut].std() + values[:cut].mean() for each in honest_windows(values, cut, width)
        ),
    }
    found = first_match(got, turns)
    if found:
        return found
    mixed = [np.concatenate([got[k], got[k + 2]]) for k in (0, 1)]
    right = [np.concatenate([want[k], want[k + 2]]) for k in (0, 1)]
    if np.allclose(np.sort(mixed[1]), np.sort(right[1]), atol=1e-4):
        return "the right windows, but some that belong after the cut are in the training part: is the order shuffled?"
    return None


register(
    "honest_windows",
    chapter="many-to-one",
    title="A forecast that knew the future",
    draw=draw_series,
    reference=honest_windows,
    names=("x_train", "y_train", "x_test", "y_test"),
    diagnose=diagnose_windows,
)


# Better than yesterday


def draw_forecast(rng):
    """Some forecasts, and the series: its last values are what was to be forecast."""
    T, cut = int(rng.integers(20, 40)), int(rng.integers(8, 15))
    values = rng.normal(size=T).cumsum() + 10
    return values[cut:] + rng.normal(size=T - cut), values, cut


def forecast_skill(forecast, values, cut):
    """1 - MSE / MSE of persistence."""
    truth, last = values[cut:], values[cut - 1 : -1]
    return float(1 - np.mean((forecast - truth) ** 2) / np.mean((last - truth) ** 2))


def diagnose_skill(got, want, inputs):
    """Say what the error was compared with."""
    forecast, values, cut = inputs
    truth, last = values[cut:], values[cut - 1 : -1]
    error, persistence = np.mean((forecast - truth) ** 2), np.mean((last - truth) ** 2)
    turns = {
        "this is the share of the error that is left: 1 minus it is asked for": error / persistence,
        "the roots of the errors are compared, the skill compares the mean squares": 1 - np.sqrt(error / persistence),
        "this is R squared: it compares with the mean of the truth, not with persistence": 1 - error / truth.var(),
        "persistence says the value of the year before, here it keeps one value for all years": 1
        - error / np.mean((values[cut - 1] - truth) ** 2),
        "this compares with the mean of the years before the cut, not with persistence": 1
        - error / np.mean((values[:cut].mean() - truth) ** 2),
        "persistence is off by a step: before `values[cut]` comes `values[cut - 1]`": 1
        - error / np.mean((values[cut - 2 : -2] - truth) ** 2),
        "the fraction is upside down": 1 - persistence / error,
        "this compares absolute errors, the skill compares squares": 1
        - np.mean(abs(forecast - truth)) / np.mean(abs(last - truth)),
    }
    return first_match(got, {words: float(value) for words, value in turns.items()})


register(
    "forecast_skill",
    chapter="many-to-one",
    title="Better than yesterday",
    draw=draw_forecast,
    reference=forecast_skill,
    diagnose=diagnose_skill,
)


# Which one leads?

TRAININGS = 16


class Trainings:
    """Scores of two models on splits that are easier or harder for both; one split in seven, one model goes astray."""

    def __init__(self, leader, seed):
        self._leader, self._seed, self._calls = leader, seed, 0

    def __call__(self, model, split):
        """Train "LSTM" or "RNN" on a split 0, 1, 2, ... and return its right answers in percent."""
        if model not in ("LSTM", "RNN"):
            raise ValueError(f'the models are "LSTM" and "RNN", got {model!r}')
        self._calls += 1
        if self._calls > TRAININGS:
            raise RuntimeError(f"the budget of {TRAININGS} trainings is spent")
        rng = np.random.default_rng([self._seed, int(split), len(model)])
        if (int(split) + self._seed) % 7 == 0 and model == ("LSTM", "RNN")[self._seed % 2]:
            return float(rng.uniform(8, 20))  # astray
        easier = 4 * np.random.default_rng([self._seed, int(split)]).normal()
        return float(60 + easier + 2 * (model == self._leader) + 0.3 * rng.normal())


def draw_trainings(rng):
    """Two models, of which one may lead by two points."""
    return (Trainings(str(rng.choice(["LSTM", "RNN", "neither"])), int(rng.integers(1000))),)


def diagnose_lead(got, want, inputs):
    """Say what kind of mistake it is, and what a comparison has to see to."""
    word = str(got).strip().casefold()
    if word not in ("lstm", "rnn", "neither"):
        return f'`{got}` is none of the three words: "LSTM", "RNN", "neither"'
    mistake = "it names the wrong leader" if want != "neither" else "it takes chance for a lead"
    if word == "neither":
        mistake = "it misses a lead of two points"
    return (
        f"{mistake}. Are both trained on the same splits, and compared split by split? Are there enough of them? "
        "Can one training that went astray move your number?"
    )


register(
    "judge_lead",
    chapter="many-to-one",
    title="Which one leads?",
    draw=draw_trainings,
    reference=lambda score: score._leader,
    diagnose=diagnose_lead,
    names=("the verdict",),
    dtypes=("float64",),
    trials=24,
)
