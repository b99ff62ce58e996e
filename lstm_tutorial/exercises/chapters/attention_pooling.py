"""The exercises of the chapter attention-pooling."""

from itertools import product

import numpy as np

from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.in_numpy import attention_weights, softmax, softmax_backward
from lstm_tutorial.validation import check_pooled

SCORES, VALUES = np.array([1.0, 2.0, 0.0, 5.0]), np.array([4.0, -2.0, 10.0, 7.0])  # the last step is padding
VALID = np.array([1.0, 1.0, 1.0, 0.0])


@exercise(
    "Weights by hand",
    names="the weight of step 1, that of step 2, that of step 3, that of step 4, the pooled value",
    turns={
        "the padding has a weight: over which steps must the softmax sum?": dict(weigh=softmax),
        "the padding's weight was set to 0 after the softmax: what do the others sum to?": dict(
            weigh=lambda s: softmax(s) * VALID
        ),
        "the scores were divided by their sum: a softmax raises e to them first": dict(weigh=lambda s: s * VALID / 3),
        "the padding was given the score 0, and e to the 0 is 1, not 0": dict(weigh=lambda s: softmax(s * VALID)),
    },
    diagnose=lambda got, want: (
        "each weight is e to its score, divided by the sum of these powers over the valid steps"
        if np.any(abs(np.subtract(got, want))[:4] > 2e-3)
        else "the weights are right; the pooled value is the sum of weight times value, not divided any further"
    ),
    tolerance=0.003,  # of weights with three decimals comes a pooled value of 0.550
    decimals=3,
)
def attended_by_hand(*, weigh=lambda scores: np.append(softmax(scores[:3]), 0)):
    weights = weigh(SCORES)
    return *map(float, weights), float(weights @ VALUES)


def draw_times(trial):
    """Draw times that rise by uneven steps, a half-life, and lengths; the padding holds any number."""
    B, T = trial.sizes("B T")
    lengths, anything = trial.lengths(B, T), trial.choice(90, 1e6)
    times = trial.rng.uniform(0.2, 3, size=(B, T)).cumsum(axis=1) + trial.rng.uniform(0, 50, size=(B, 1))
    times = np.where(np.arange(T) < lengths[:, None], times, anything * trial.normal(B, T))
    return times, trial.log_uniform(0.5, 5), lengths


def over_steps(weights):
    """Return the sum of each sequence's weights, (B, 1)."""
    return weights.sum(axis=1, keepdims=True)


@exercise(
    "Half as much every minute",
    draw=draw_times,
    axes="B T",
    turns={
        "the weights do not sum to 1: divide by their sum over the valid steps": dict(total=lambda w: 1),
        "each sequence's weights sum to 1 over its steps": [dict(total=lambda w: w.sum(axis=0)), dict(total=np.sum)],
        "this falls to 1/e in a half-life, not to a half": dict(base=np.exp(-1)),
        "the oldest step has the largest weight: does the weight fall or grow with the age?": dict(base=2.0),
        "this counts steps: an age is a difference of times": dict(clock=lambda times: np.indices(times.shape)[1]),
        "the age is multiplied by the half-life: how many half-lives has it?": dict(halved=np.multiply),
        "a power of the padding's age may be infinite, and infinity times 0 is NaN": dict(mask=np.multiply),
        "the padding has a weight": dict(mask=lambda valid, weights: weights),
    },
)
def fading_weights(
    times, half_life, lengths,
    *, base=0.5, clock=identity, halved=np.divide, total=over_steps,
    mask=lambda valid, weights: np.where(valid, weights, 0),
):  # fmt: skip
    now = clock(times)[np.arange(len(times)), lengths - 1][:, None]
    weights = base ** halved(now - clock(times), half_life)
    weights = mask(np.arange(times.shape[1]) < lengths[:, None], weights)
    return weights / total(weights)


def draw_attention(trial):
    """Draw a gradient, steps and weights as a softmax leaves them: 0 past a length."""
    B, T, D = trial.sizes("B T D")
    weights = attention_weights(trial.scores(B, T), trial.lengths(B, T))
    return trial.normal(B, D), trial.normal(B, T, D), weights


@exercise(
    "The gradient of where to look",
    draw=draw_attention,
    names="d_x, d_scores",
    axes="B T D, B T",
    turns={
        "`d_x` forgets the weights: each step is in the sum with its own": dict(held=np.ones_like),
        "`d_scores` is the gradient of the weights: go on through the softmax": dict(back=lambda d, w: d),
        "`d_scores`: what one weight gains the others lose, so subtract that": dict(back=lambda d, w: w * d),
        "`d_scores`: w (1 − w) is the slope of a sigmoid, not of a softmax": dict(back=lambda d, w: w * (1 - w) * d),
        "`d_scores`: what is subtracted is a mean with the weights, over the steps of one sequence": [
            dict(back=lambda d, w: w * (d - (w * d).sum(axis=0))),
            dict(back=lambda d, w: w * (d - d.mean(axis=1, keepdims=True))),
        ],
        "`d_scores` lacks the weight in front": dict(back=lambda d, w: d - over_steps(w * d)),
    },
)
def attention_gradients(d_pooled, x, weights, *, held=identity, back=lambda d, w: softmax_backward(d, w, axis=1)):
    d_weights = (x @ d_pooled[..., None])[..., 0]
    return held(weights)[..., None] * d_pooled[:, None], back(d_weights, weights)


def draw_leaking(trial):
    """Draw steps, a query, and lengths, so that the scores of each sequence reach 3 or 1,000 or minus that."""
    B, T, D = trial.sizes("B T D")
    size, lengths = trial.choice(3.0, 1000.0), trial.lengths(B, T)
    x, query = trial.normal(B, T, D), size * trial.normal(D)
    reached = abs(x @ query * (np.arange(T) < lengths[:, None])).max(axis=1)
    return x * (size / reached)[:, None, None], query, lengths


@exercise(
    "Attention that leaks",
    draw=draw_leaking,
    axes="B D",
    combine=4,
    turns={
        "the weights of a step still sum to 1 over the batch: over which axis must they?": [
            dict(total=lambda powers: powers.sum(axis=0)),
            dict(total=lambda powers: powers.sum(axis=0), top=lambda scores: scores.max(axis=0)),
        ],
        "masked after the softmax, the weights of a short sequence sum to less than 1": dict(mask="after"),
        "the padding still has a weight: nothing masks it": dict(mask=None),
        "e to the 1,000 is infinite: subtract the largest score, no weight changes": dict(top=lambda scores: 0),
        "the padding's score is not low enough: e to the 0 is 1, and a valid score may be −1,000": [
            dict(fill=value) for value in (0.0, -1.0, -9.0, -10.0, -99.0, -100.0, -999.0, -1000.0)
        ],
        "the weights are not divided by their sum": dict(total=lambda powers: 1),
    },
    dtypes=("float64",),  # scores of a thousand, rounded to float32, give other weights
    tolerance=1e-6,
)
def mended_attention(
    x, query, lengths,
    *, fill=-np.inf, top=lambda scores: scores.max(axis=1, keepdims=True), total=over_steps, mask="before",
):  # fmt: skip
    valid = np.arange(x.shape[1]) < lengths[:, None]
    scores = np.where(valid, x @ query, fill) if mask == "before" else x @ query
    powers = np.exp(scores - top(scores))
    weights = powers / total(powers)
    return over_steps((weights * valid if mask == "after" else weights)[..., None] * x)[:, 0]


CASES = {  # the weight, and what to ask
    "A": (1 / 3, "equal scores give equal weights, but over how many steps?"),
    "B": (1 / 2, "e to minus infinity is 0. Who is left to share?"),
    "C": (0.0, "subtract 1000 from every score; the weights stay the same. What is e to the −1000?"),
    "D": (1 / 5, "what is the score of any step, when the query is 0?"),
    "E": (1.0, "over the batch axis there is one number. What does a softmax make of a single score?"),
}


@exercise(
    "Before you run it",
    names=", ".join(CASES),
    diagnose=lambda got, want: next(
        f"case {case}: {CASES[case][1]}" for case, a, b in zip(CASES, got, want) if abs(a - b) > 0.005
    ),
    decimals=2,
)
def predict_weights():
    return tuple(right for right, _ in CASES.values())


def verify_differ(answer, trial):
    """Look at the scores of the four kinds of step."""
    weight, bias, query = (np.asarray(each, float) for each in answer)
    scores = np.tanh(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) @ weight.T + bias) @ query[0]
    off, *one_on, on = scores
    if min(off, on) >= min(one_on):
        return "the steps whose switches agree score as high as those where they differ: try other signs of the query"
    if off >= min(one_on):
        return "a step with both switches off scores as high as one with a single one: look at the bias"
    if on >= min(one_on):
        return "a step with both switches on scores as high as one with a single one: let a second unit hold it back"
    if np.ptp(softmax(scores)[1:3]) > 0.02:
        return "the steps (0, 1) and (1, 0) should weigh the same: do both switches enter each unit alike?"
    if 1 / (1 + 49 * np.exp(max(off, on) - min(one_on))) < 0.99:
        return "the right step weighs most, but among 50 steps not 0.99: 49 small shares add up. Make the scores larger"
    if abs(softmax(np.where(np.tri(6, k=-1), on, off)) - 1 / 6).max() > 0.02:  # six steps, none to five of them on
        return "where no step differs, all should weigh the same: (0, 0) and (1, 1) need the same score"
    return None


@exercise(
    "A step where two things differ",
    verify=verify_differ,
    names="weight, bias, query",
    turns={
        "let a second unit hold it back": dict(query=(6, 0)),
        "look at the bias": dict(bias=(10, -30)),
        "try other signs of the query": dict(query=(-6, 6)),
        "Make the scores larger": dict(query=(2, -2)),
        "do both switches enter each unit alike": dict(weight=(20, 16), bias=(-10, -18)),
        "where no step differs": dict(query=(6, -5)),
    },
)
def attend_where_they_differ(*, weight=(20, 20), bias=(-10, -30), query=(6, -6)):
    return np.array([(20, 20), weight], float), np.array(bias, float), np.array([query], float)


KINDS = ("equal", "position", "age", "column", "content")


class HiddenPool(Box):
    """A pool that averages with weights of a hidden kind, masked or not."""

    runs, budget = 8, "the pool answers eight calls (each may hold many sequences)"

    def __init__(self, trial):
        super().__init__()
        self.truth = trial.choice(*product(KINDS, (True, False)))
        self.scores = np.log(np.cumsum(trial.rng.uniform(0.1, 1, size=64)))[:: trial.choice(1, -1)]  # rise or fall
        self.query = 3 * np.eye(4)[trial.rng.integers(4)]  # it sees one feature of the four
        self.by_angle = trial.choice(True, False)  # the score is then the same for x and 2x

    def answer(self, x, lengths):
        x = np.asarray(x, float)
        if x.ndim != 3 or x.shape[2] != 4 or x.shape[1] > 64:
            raise ValueError(f"the pool takes x (B, T, 4), T at most 64, got {x.shape}")
        lengths = check_pooled(x, np.asarray(lengths))
        (kind, masks), steps = self.truth, np.arange(x.shape[1])
        scores = {
            "equal": 0.0 * steps,
            "position": self.scores[steps],
            "age": self.scores[np.maximum(lengths[:, None] - 1 - steps, 0)],
            "column": self.scores[steps[::-1]],
            "content": x @ self.query / (np.maximum(np.linalg.norm(x, axis=2), 1e-12) if self.by_angle else 1),
        }[kind]
        weights = attention_weights(np.broadcast_to(scores, x.shape[:2]), lengths if masks else None)
        return np.einsum("bt,btd->bd", weights, x)


def diagnose_weighs(got, want, pool):
    """Say which two kinds the experiment has not distinguished, or how the mask is tested."""
    kinds = {got[0], want[0]}
    if len(kinds) == 1 and got[1]:
        return "unmasked padding is taken for masked: zeros in it add nothing, so put numbers in and change them"
    if len(kinds) == 1:
        return "masked padding is taken for unmasked: cut off, it may change other weights, so change its numbers alone"
    if "content" in kinds:
        ask = "if the weights ignore x, the pool of x + y is that of x plus that of y, for any y (x + x is not enough)"
    elif "equal" in kinds:
        ask = "let one step alone differ from 0, and move it: does the answer change?"
    elif "column" in kinds:
        ask = "pad the same valid steps further: do their weights change?"
    else:
        ask = "both may rise or fall. Add valid steps: do the first ones keep the ratios of their weights, or the last?"
    return f"it takes {want[0]!r} for {got[0]!r}: {ask}"


@exercise(
    "What a pool weighs by",
    draw=lambda trial: (HiddenPool(trial),),
    names="the kind, whether it masks",
    diagnose=diagnose_weighs,
    words=", ".join(KINDS),
    dtypes=("float64",),
    trials=30,
)
def what_weighs(pool):
    return pool.truth
