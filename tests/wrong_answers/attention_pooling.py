"""Plausible wrong answers to the exercises of the chapter attention-pooling, and words of the message each must get."""

import numpy as np

VALUES = np.array([4.0, -2.0, 10.0, 7.0])


def softmax(z, axis=-1):
    powers = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def five(weights):
    """Weights and the pooled value."""
    weights = np.asarray(weights, float)
    return (*weights, weights @ VALUES)


def valid_of(times, lengths):
    return np.arange(times.shape[1]) < lengths[:, None]


def fading(times, half_life, lengths, base=0.5, sums=True, axis=1, own=True, masked=True):
    """Weights that fade, right or with a fault."""
    valid = valid_of(times, lengths)
    now = times[np.arange(len(times)), lengths - 1][:, None] if own else times[:, -1:]
    age = now - times if not masked else np.where(valid, now - times, 0)
    weights = base ** (age / half_life) * (valid if masked else 1)
    return weights / np.maximum(weights.sum(axis=axis, keepdims=True), 1e-9) if sums else weights


def in_steps(times, half_life, lengths):
    return fading(np.broadcast_to(np.arange(times.shape[1], dtype=float), times.shape), half_life, lengths)


def gradients(d_pooled, x, weights, d_x=None, d_scores=None):
    """Both gradients, right or with one of them replaced by a function of the gradient of the weights."""
    d_weights = (x * d_pooled[:, None]).sum(axis=2)
    right = weights * (d_weights - (weights * d_weights).sum(axis=1, keepdims=True))
    plain = weights[..., None] * d_pooled[:, None]
    return plain if d_x is None else d_x, right if d_scores is None else d_scores(d_weights, weights)


def pooled(weights, x):
    return (weights[..., None] * x).sum(axis=1)


def masked(x, query, lengths, fill=-np.inf):
    return np.where(valid_of(x, lengths), x @ query, fill)


def overflowing(x, query, lengths):
    with np.errstate(all="ignore"):
        powers = np.exp(masked(x, query, lengths))
        return pooled(powers / powers.sum(axis=1, keepdims=True), x)


def late(x, query, lengths, axis=1):
    return pooled(softmax(x @ query, axis=axis) * valid_of(x, lengths), x)


def pool(weight=((20, 20), (20, 20)), bias=(-10, -30), query=((6, -6),)):
    """Weights of the additive score, right unless given."""
    return tuple(np.array(each, float) for each in (weight, bias, query))


def shares(pool, length, T):
    """The shares of the valid steps of a sequence with so many columns."""
    weights = pool(np.repeat(np.eye(T)[..., None], 4, axis=2), np.full(T, length))[:length, 0]
    return weights / weights.sum()


def weigh(mask="numbers", sums=True, columns=True, rising=False, alike=False):
    """An experiment on a hidden pool, right or with a fault."""

    def experiment(pool):
        x, y, padding = np.random.default_rng(0).normal(size=(3, 1, 8, 4))
        x[:, 3:] *= mask != "zeros"
        three, other = np.array([3]), y if sums else x
        again = {"cut": x[:, :3], "zeros": x, "numbers": np.concatenate([x[:, :3], padding[:, 3:]], axis=1)}
        before = pool(x, three)
        masks = np.allclose(before, pool(again[mask], three))
        if not np.allclose(before + pool(other, three), pool(x + other, three)):
            return "content", masks
        whole, padded, short = (shares(pool, *sizes) for sizes in ((5, 5), (3, 5), (3, 3)))
        if alike or np.allclose(whole, whole[0]):
            return "equal", masks
        if columns and not np.allclose(padded, short):
            return "column", masks
        first = whole[-1] < whole[0] if rising else np.allclose(whole[:3] / whole[:3].sum(), short)
        return "position" if first else "age", masks

    return experiment


def step_by_step(pool):
    """A call for each step."""
    weights = [pool(np.eye(12)[None, t, :, None] * np.ones(4), [12])[0, 0] for t in range(12)]
    return "equal" if np.ptp(weights) == 0 else "age", True


WRONG = {
    "attended_by_hand": [
        (lambda: five(softmax([1, 2, 0, 5])), "over which steps must the softmax sum"),
        (lambda: five(softmax([1, 2, 0, 5]) * [1, 1, 1, 0]), "after the softmax"),
        (lambda: five([1 / 3, 2 / 3, 0, 0]), "divided by their sum"),
        (lambda: five([np.e, np.e**2, 1, 0]), "not divided by their sum yet"),
        (lambda: five(softmax([1, 2, 0, 0])), "e to the 0 is 1"),
        (lambda: five([2 / 7, 4 / 7, 1 / 7, 0]), "powers of 2"),
        (lambda: (0.245, 0.665, 0.090, 0.0, 0.183), "divided by the number of steps"),
        (lambda: (0.245, 0.665, 0.090, 0.0, 4.0), "the mean of the values"),
        (lambda: (0.245, 0.665, 0.090, 0.0, -0.549), "it has the wrong sign"),
        (lambda: (0.245, 0.665, 0.090), "3 results came where 5"),
    ],
    "fading_weights": [
        (lambda times, h, n: fading(times, h, n, sums=False), "do not sum to 1"),
        (lambda times, h, n: fading(times, h, n, base=np.exp(-1)), "1/e in a half-life"),
        (lambda times, h, n: fading(times, h, n, base=2.0), "the oldest step weighs most"),
        (in_steps, "counts steps"),
        (lambda times, h, n: fading(times, 1 / h, n), "multiplied by the half-life"),
        (lambda times, h, n: fading(times, h, n, own=False, masked=False), "padding too"),
        (lambda times, h, n: fading(times, h, n, axis=0), "each column sums to 1"),
        (lambda times, h, n: valid_of(times, n) / n[:, None], "weigh the same"),
        (lambda times, h, n: fading(times, h, n)[0], "is the batch axis lost"),
    ],
    "attention_gradients": [
        (lambda d, x, w: gradients(d, x, w, d_scores=lambda d_w, w: d_w), "go on through the softmax"),
        (lambda d, x, w: gradients(d, x, w, d_scores=lambda d_w, w: d_w * w), "lacks the sum"),
        (lambda d, x, w: gradients(d, x, w, d_scores=lambda d_w, w: d_w * w * (1 - w)), "a sigmoid's slope"),
        (
            lambda d, x, w: gradients(d, x, w, d_scores=lambda d_w, w: w * (d_w - (w * d_w).sum(0))),
            "not over the batch",
        ),
        (
            lambda d, x, w: gradients(d, x, w, d_scores=lambda d_w, w: w * (d_w - d_w.mean(1, keepdims=True))),
            "not the plain mean",
        ),
        (lambda d, x, w: gradients(d, x, w, d_x=np.repeat(d[:, None], x.shape[1], 1)), "forgets the weights"),
        (
            lambda d, x, w: gradients(d, x, w, d_x=np.repeat(d[:, None], x.shape[1], 1) / x.shape[1]),
            "that of a mean",
        ),
        (lambda d, x, w: gradients(d, x, w)[::-1], "is the input axis lost"),
    ],
    "mended_attention": [
        (lambda x, q, n: late(x, q, n, axis=0), "over the batch"),
        (late, "only after the softmax"),
        (lambda x, q, n: pooled(softmax(x @ q, axis=1), x), "nothing masks it"),
        (lambda x, q, n: pooled(softmax(x @ q, axis=0), x), "two faults are left"),
        (lambda x, q, n: pooled(softmax(masked(x, q, n, 0.0), axis=1), x), "e to the 0 is 1"),
        (overflowing, "values are NaN or infinite"),
        (lambda x, q, n: pooled(valid_of(x, n) / n[:, None], x), "where are the scores"),
        (lambda x, q, n: softmax(masked(x, q, n), axis=1), "has shape"),
    ],
    "predict_weights": [
        (lambda: (0.25, 0.5, 0.0, 0.2, 1.0), "case A"),
        (lambda: (1 / 3, 1 / 3, 0.0, 0.2, 1.0), "case B"),
        (lambda: (1 / 3, 0.5, 1 / 3, 0.2, 1.0), "case C"),
        (lambda: (1 / 3, 0.5, 0.0, 0.0, 1.0), "case D"),
        (lambda: (1 / 3, 0.5, 0.0, 0.2, 0.25), "case E"),
        (lambda: (1 / 3, 0.5, 0.0), "3 results came where 5"),
    ],
    "attend_where_they_differ": [
        (lambda: pool(query=((0, 0),)), "the same weight"),
        (lambda: pool(query=((6, 0),)), "let a second unit hold it back"),
        (lambda: pool(bias=(10, -30)), "look at the bias"),
        (lambda: pool(query=((2, -2),)), "Make the scores larger"),
        (lambda: pool(weight=((20, 20), (20, 16)), query=((6, -6),), bias=(-10, -18)), "weigh the same"),
        (lambda: pool(query=((6, -5),)), "where no step differs"),
        (lambda: pool(query=((-6, 6),)), "turn the signs"),
        (lambda: pool(query=(6, -6)), "where (1, 2) is expected"),
    ],
    "what_weighs": [
        (weigh(sums=False), "some scores see a direction alone"),
        (weigh(mask="cut"), "change the numbers in the padding and nothing else"),
        (weigh(mask="zeros"), "zeros in the padding take a share"),
        (weigh(columns=False), "pad the same valid steps further"),
        (weigh(rising=True), "both may rise and both may fall"),
        (weigh(alike=True), "let one step alone differ"),
        (step_by_step, "this was the ninth call"),
        (lambda pool: ("equal", True), "was never called"),
        (lambda pool: ("decay", True), "the kind is one of"),
        (lambda pool: "age", "a word came where 2 results"),
    ],
}
