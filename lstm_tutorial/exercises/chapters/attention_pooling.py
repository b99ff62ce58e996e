"""The exercises of the chapter attention-pooling."""

import copy

import numpy as np

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
from lstm_tutorial.in_numpy import AttentionPool, softmax, softmax_backward

# Three weights by hand

SCORES, VALUES = np.array([1.0, 2.0, 0.0, 5.0]), np.array([4.0, -2.0, 10.0, 7.0])  # the last step is padding


def pooled_by_hand(weights):
    """The weights and what they make of the values, as five numbers."""
    return (*map(float, weights), float(weights @ VALUES))


def attended_by_hand():
    """A softmax over the three valid steps."""
    return pooled_by_hand(np.append(softmax(SCORES[:3]), 0))


def diagnose_attended(got, want, inputs):
    """Say what was done with the padding, or with the scores."""
    valid, powers = SCORES[:3], np.exp(SCORES)
    late = softmax(SCORES) * [1, 1, 1, 0]
    turns = {
        "the padding has a weight: over which steps must the softmax sum?": softmax(SCORES),
        "the padding's weight was set to 0 after the softmax: what do the others sum to now?": late,
        "the scores were divided by their sum: a softmax raises e to them first": np.append(valid / valid.sum(), 0),
        "powers of e, but not divided by their sum yet": powers * [1, 1, 1, 0],
        "the padding was given the score 0, and e to the 0 is 1, not 0": softmax(np.append(valid, 0)),
        "powers of 2 were taken, a softmax takes powers of e": np.append(2**valid / (2**valid).sum(), 0),
    }
    found = first_match(got, {words: pooled_by_hand(each) for words, each in turns.items()}, tolerance=0.003)
    if found:
        return found
    right = [abs(g - w) < 0.003 for g, w in zip(got, want)]
    if all(right[:4]):
        weights = np.array(want[:4])
        ends = {
            "the weights are right; the pooled value was divided by the number of steps, the weights do that already"
            "": float(weights @ VALUES / 3),
            "the weights are right; the pooled value is the mean of the values: weigh them": float(VALUES[:3].mean()),
        }
        return first_match(got[4], ends, tolerance=0.003)
    return None


register(
    "attended_by_hand",
    chapter="attention-pooling",
    title="Weights by hand",
    reference=attended_by_hand,
    names=("the weight of step 1", "that of step 2", "that of step 3", "that of step 4", "the pooled value"),
    diagnose=diagnose_attended,
    tolerance=0.003,
)


# Half as much every minute


def draw_times(rng):
    """Times that rise by uneven steps, anything in the padding, a half-life in the same unit, and lengths."""
    B, T = draw_sizes(rng, 2, low=3)
    lengths = rng.integers(2, T + 1, size=B)
    lengths[0] = T - 1
    times = rng.uniform(0.2, 3, size=(B, T)).cumsum(axis=1) + rng.uniform(0, 50, size=(B, 1))
    times = np.where(np.arange(T) < lengths[:, None], times, rng.uniform(0, 90, size=(B, T)))
    return times, float(rng.uniform(0.8, 4)), lengths


def fading_weights(times, half_life, lengths, base=0.5, last=None, normalise=True):
    """Weights that halve with every half-life before the last valid step; they sum to 1."""
    valid = np.arange(times.shape[1]) < lengths[:, None]
    last = times[np.arange(len(times)), lengths - 1] if last is None else last
    age = np.where(valid, last[:, None] - times, 0)
    weights = np.where(valid, base ** (age / half_life), 0)
    return weights / weights.sum(axis=1, keepdims=True) if normalise else weights


def diagnose_fading(got, want, inputs):
    """Say what was taken for the age, the base or the sum."""
    times, half_life, lengths = inputs
    T = times.shape[1]
    valid = np.arange(T) < lengths[:, None]
    steps = np.broadcast_to(np.arange(T, dtype=float), times.shape)
    with np.errstate(over="ignore"):
        over_all = 0.5 ** ((times[:, -1:] - times) / half_life)
    turns = {
        "the weights do not sum to 1: divide by their sum over the valid steps": fading_weights(
            *inputs, normalise=False
        ),
        "this falls to 1/e in a half-life, not to a half": fading_weights(*inputs, base=np.exp(-1)),
        "the oldest step weighs most: does the weight fall or grow with the age?": fading_weights(*inputs, base=2.0),
        "this counts steps: the age of a step is a difference of times": fading_weights(steps, half_life, lengths),
        "the age is multiplied by the half-life: how many half-lives has it?": fading_weights(
            times, 1 / half_life, lengths
        ),
        "the weights sum to 1 over all steps, padding too": over_all / over_all.sum(axis=1, keepdims=True),
        "each column sums to 1: the weights of one sequence must": fading_weights(*inputs, normalise=False)
        / np.maximum(fading_weights(*inputs, normalise=False).sum(axis=0), 1e-9),
        "all valid steps weigh the same: where does the age come in?": valid / lengths[:, None],
    }
    return first_match(got, turns) or (
        "padding has a weight" if got.shape == want.shape and np.any(got[~valid] != 0) else None
    )


register(
    "fading_weights",
    chapter="attention-pooling",
    title="Half as much every minute",
    draw=draw_times,
    reference=fading_weights,
    names=("the weights",),
    axes=("B T",),
    diagnose=diagnose_fading,
)


# The gradient of where to look


def draw_attention(rng):
    """A gradient, steps and weights as a softmax leaves them: 0 past a length."""
    B, T, D = draw_sizes(rng, 3, low=2)
    lengths = rng.integers(1, T + 1, size=B)
    lengths[0] = T - 1 if T > 2 else T
    scores = np.where(np.arange(T) < lengths[:, None], rng.normal(size=(B, T)), -np.inf)
    return rng.normal(size=(B, D)), rng.normal(size=(B, T, D)), softmax(scores, axis=1)


def attention_gradients(d_pooled, x, weights):
    """Through the values, and through the weights to the scores."""
    d_x = weights[..., None] * d_pooled[:, None]
    d_weights = (x @ d_pooled[..., None])[..., 0]
    return d_x, softmax_backward(d_weights, weights, axis=1)


def diagnose_attention(got, want, inputs):
    """Say which of the two ways is off, and how."""
    d_pooled, x, weights = inputs
    (d_x, d_scores), d_weights = want, (x @ d_pooled[..., None])[..., 0]
    plain = np.broadcast_to(d_pooled[:, None], x.shape)
    turns = {
        "`d_x` is right; `d_scores` is the gradient of the weights: go on through the softmax": (d_x, d_weights),
        "`d_x` is right; `d_scores` lacks the sum that the softmax takes away: weights that sum to 1 share what they "
        "win": (d_x, weights * d_weights),
        "`d_x` is right; `d_scores`: w (1 - w) is a sigmoid's slope, each weight of a softmax depends on every score": (
            d_x,
            d_weights * weights * (1 - weights),
        ),
        "`d_x` is right; `d_scores`: the sum to take away is over the steps of one sequence, not over the batch": (
            d_x,
            softmax_backward(d_weights, weights, axis=0),
        ),
        "`d_x` is right; `d_scores`: what is taken away is a mean with the weights, not the plain mean": (
            d_x,
            weights * (d_weights - d_weights.mean(axis=1, keepdims=True)),
        ),
        "`d_scores` is right; `d_x` forgets the weights: each step is in the sum with its own": (plain, d_scores),
        "`d_scores` is right; `d_x` is that of a mean: here the weights differ": (plain / x.shape[1], d_scores),
    }
    return first_match(got, turns)


register(
    "attention_gradients",
    chapter="attention-pooling",
    title="The gradient of where to look",
    draw=draw_attention,
    reference=attention_gradients,
    names=("d_x", "d_scores"),
    axes=("B T D", "B T"),
    diagnose=diagnose_attention,
)


# Attention that leaks


def draw_leaking(rng):
    """Steps, a query that is large in half of the trials, and lengths; the padding holds numbers too."""
    B, T, D = draw_sizes(rng, 3, low=2)
    lengths = rng.integers(1, T + 1, size=B)
    lengths[0] = T - 1
    size = 1.0 if rng.random() < 0.5 else 500.0
    return rng.normal(size=(B, T, D)), size * rng.normal(size=D), lengths


def mended_attention(x, query, lengths, axis=1, mask="before"):
    """A softmax over the valid steps, then the weighted sum."""
    valid = np.arange(x.shape[1]) < lengths[:, None]
    scores = x @ query
    weights = softmax(np.where(valid, scores, -np.inf) if mask == "before" else scores, axis=axis)
    return ((weights * valid if mask else weights)[..., None] * x).sum(axis=1)


def diagnose_mended(got, want, inputs):
    """Say which fault is left."""
    x, query, lengths = inputs
    with np.errstate(all="ignore"):
        by_batch = np.nan_to_num(mended_attention(*inputs, axis=0, mask="after"))
        turns = {
            "the weights of a step still sum to 1 over the batch: over which axis must they?": by_batch,
            "the padding is masked, but only after the softmax: the weights of a short sequence sum to less than 1"
            "": mended_attention(*inputs, mask="after"),
            "the padding still has a weight: nothing masks it": mended_attention(*inputs, mask=None),
            "two faults are left: the sum runs over the batch, and the padding has a weight": mended_attention(
                *inputs, axis=0, mask=None
            ),
            "all valid steps weigh the same: where are the scores?": mended_attention(x, 0 * query, lengths),
            "the padding has the score 0: e to the 0 is 1, which score gives a weight of 0?": _scored_zero(*inputs),
            "the mask is there, but the sum over a step still runs over the batch": np.nan_to_num(
                mended_attention(*inputs, axis=0)
            ),
        }
    found = first_match(got, turns)
    if not found and not np.isfinite(got).all():
        return "large scores give NaN: e to the 1000 is infinite. A softmax does not mind if a number is taken from all"
    return found


def _scored_zero(x, query, lengths):
    """The scores of the padding are 0."""
    valid = np.arange(x.shape[1]) < lengths[:, None]
    return (softmax(np.where(valid, x @ query, 0), axis=1)[..., None] * x).sum(axis=1)


register(
    "mended_attention",
    chapter="attention-pooling",
    title="Attention that leaks",
    draw=draw_leaking,
    reference=mended_attention,
    names=("the pooled steps",),
    axes=("B D",),
    dtypes=("float64",),  # scores of a thousand, rounded to float32, give other weights
    diagnose=diagnose_mended,
    tolerance=1e-6,
)


# Before you run it


def predict_weights():
    """The weight of the first step in each of the five cases."""
    by_batch = softmax(np.array([[0.3, -2.0, 5.0, 1.0]]), axis=0)
    infinite = softmax(np.array([2.0, -np.inf, 2.0]))
    return 1 / 3, float(infinite[0]), float(softmax(np.array([0.0, 1000.0, 0.0]))[0]), 0.2, float(by_batch[0, 0])


def diagnose_predicted(got, want, inputs):
    """Ask about the first case that is off."""
    questions = (
        "case A: equal scores give equal weights, but over how many steps?",
        "case B: e to minus infinity is 0. Who is left to share?",
        "case C: take 1000 from every score; the weights stay the same. What is e to the -1000?",
        "case D: what is the score of any step, when the query is 0?",
        "case E: over the batch axis there is one number to share among. What does a softmax make of a single score?",
    )
    return next((ask for ask, mine, right in zip(questions, got, want) if abs(mine - right) > 0.003), None)


register(
    "predict_weights",
    chapter="attention-pooling",
    title="Before you run it",
    reference=predict_weights,
    names=("A", "B", "C", "D", "E"),
    diagnose=diagnose_predicted,
    tolerance=0.003,
)


# A step where two things differ

PAIRS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
DIFFER = np.array([False, True, True, False])


def verify_differ(answer, rng):
    """Run the pool on steps of two switches; look at the weights of those that differ."""
    parameters = dict(zip(("weight", "bias", "query"), answer))
    pool = AttentionPool(2, dtype="float64")
    pool.load_state_dict(parameters)
    _, weights = pool(PAIRS[None], return_weights=True)
    share = dict(zip(map(tuple, PAIRS.astype(int)), weights[0]))
    if np.ptp(weights[0]) < 1e-6:
        return "all four kinds of step get the same weight: the score does not see the switches"
    single, off, on = min(share[0, 1], share[1, 0]), share[0, 0], share[1, 1]
    if off >= single and on >= single:
        return "the steps whose switches agree score highest: turn the signs of the query"
    if off >= single:
        return "a step with both switches off scores as high as one with a single one: look at the bias"
    if on >= single:
        return "a step with both switches on scores as high as one with a single one: let a second unit hold it back"
    if abs(share[0, 1] - share[1, 0]) > 0.02:
        return "the steps (0, 1) and (1, 0) should weigh the same: do both switches enter each unit alike?"
    kinds = rng.choice(np.flatnonzero(~DIFFER), size=(40, 50))
    where = rng.integers(0, 50, size=40)
    kinds[np.arange(40), where] = rng.choice(np.flatnonzero(DIFFER), size=40)
    _, weights = pool(PAIRS[kinds], return_weights=True)
    if np.any(weights[np.arange(40), where] < 0.99):
        return "the right step weighs most, but among 50 steps not 0.99: 49 small shares add up. Make the scores larger"
    _, weights = pool(PAIRS[rng.choice(np.flatnonzero(~DIFFER), size=(40, 6))], return_weights=True)
    if abs(weights - 1 / 6).max() > 0.02:
        return "where no step differs, all should weigh the same: (0, 0) and (1, 1) need the same score"
    return None


register(
    "attend_where_they_differ",
    chapter="attention-pooling",
    title="A step where two things differ",
    reference=lambda: (np.zeros((2, 2)), np.zeros(2), np.zeros((1, 2))),
    names=("weight", "bias", "query"),
    axes=("", "", ""),
    verify=verify_differ,
    trials=3,
)


# What a pool weighs by

WEIGHED = {
    "equal": "equal weights",
    "position": "weights by position",
    "age": "weights by age",
    "column": "weights by column",
    "content": "attention",
}


class HiddenPool:
    """A pool that averages with weights of a hidden kind, masked or not; it answers eight calls and notes them."""

    def __init__(self, kind, masks, rng):
        self.truth, self.left, self.log = (kind, masks), 8, []
        self._table = np.cumsum(rng.uniform(0.1, 1, size=64))[:: rng.choice([-1, 1])]  # rises or falls
        self._query = 3 * np.eye(4)[rng.integers(4)]  # it sees one feature of the four
        self._by_angle = rng.random() < 0.5  # the score is then the same for x and 2x

    def __deepcopy__(self, memo):
        return copy.copy(self)  # a budget of its own, the same log

    def __call__(self, x, lengths):
        """x (B, T, 4), lengths (B,) -> the pooled steps, (B, 4)."""
        if self.left == 0:
            raise RuntimeError("this was the ninth call, the pool answers eight: a call takes a whole batch")
        self.left -= 1
        x, lengths = np.asarray(x, float), np.asarray(lengths)
        if x.ndim != 3 or x.shape[2] != 4 or x.shape[1] > 64 or lengths.shape != x.shape[:1]:
            raise ValueError(
                f"the pool takes x (B, T, 4), T at most 64, and lengths (B,), got {x.shape}, {lengths.shape}"
            )
        if lengths.min() < 1 or lengths.max() > x.shape[1]:
            raise ValueError(f"lengths must lie between 1 and {x.shape[1]}, got {lengths}")
        (kind, masks), steps = self.truth, np.arange(x.shape[1])
        valid = steps < lengths[:, None]  # (B, T)
        self.log.append("padded" if not valid.all() else "full")
        counted = valid | (not masks)
        if kind == "content":
            size = np.maximum(np.linalg.norm(x, axis=2), 1e-12) if self._by_angle else 1
            weights = softmax(np.where(counted, x @ self._query / size, -np.inf), axis=1)
        else:
            age = np.maximum(lengths[:, None] - 1 - steps, 0)
            place = {"equal": 0 * steps, "position": steps, "age": age, "column": steps[::-1]}[kind]
            weights = counted * self._table[place]
            weights = weights / weights.sum(axis=1, keepdims=True)
        return np.einsum("bt,btd->bd", weights, x)


def draw_pool(rng):
    """A pool of one of the five kinds, with a mask or without."""
    return (HiddenPool(str(rng.choice(list(WEIGHED))), bool(rng.random() < 0.5), rng),)


def diagnose_weighs(got, want, inputs):
    """Say which two kinds the experiment has not told apart, or what it has not asked about the mask."""
    (kind, masks), (true_kind, true_masks), log = got, want, inputs[0].log
    kind = str(kind).strip().casefold()
    if kind not in WEIGHED:
        return f"the kind is one of {', '.join(WEIGHED)}, got {kind!r}"
    if not log:
        return "the pool was never called: what it weighs by shows in what it answers"
    if kind != true_kind:
        return f"it takes {WEIGHED[true_kind]} for {WEIGHED[kind]}. {_confused({kind, true_kind}, log)}"
    if masks and not true_masks:
        return (
            "it says that padding has no weight, and it has: zeros in the padding take a share and add nothing that is "
            "seen. Put numbers in, and change them"
        )
    if true_masks and not masks:
        return (
            "it says that padding has a weight, and it has none: to cut the padding off may move other weights too. "
            "Change the numbers in the padding and nothing else"
        )
    return None


def _confused(kinds, log):
    """Ask what would tell two kinds apart."""
    if "content" in kinds:
        return (
            "Weights that do not look at x make the pool of x + y the pool of x plus that of y, up to rounding. (x + x "
            "is not enough: some scores see a direction alone)"
        )
    if "equal" in kinds:
        return "Let one step alone differ from 0, and move it: does the answer change?"
    if "column" not in kinds:
        return (
            "Both may rise and both may fall. Give the sequence more valid steps: do the first ones keep the ratios of "
            "their weights, or the last ones?"
        )
    if "padded" not in log:
        return "In all your calls the last valid step was the last column too"
    return "Pad the same valid steps further: do their weights change?"


register(
    "what_weighs",
    chapter="attention-pooling",
    title="What a pool weighs by",
    draw=draw_pool,
    reference=lambda pool: pool.truth,
    names=("the kind", "whether it masks"),
    diagnose=diagnose_weighs,
    dtypes=("float64",),
    trials=30,
)
