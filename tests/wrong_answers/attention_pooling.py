"""Wrong answers to the exercises of the chapter attention-pooling, and words of the message each must get."""

import numpy as np


def softmax(z):
    powers = np.exp(z - np.max(z, axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def by_time_constant(times, half_life, lengths):
    rows = []
    for row, n in zip(times, lengths):
        weights = np.exp(-(row[n - 1] - row[:n]) / half_life)
        rows.append(np.append(weights / weights.sum(), np.zeros(len(row) - n)))
    return np.array(rows)


def without_jacobian(d_pooled, x, weights):
    return np.einsum("bt,bd->btd", weights, d_pooled), np.einsum("btd,bd->bt", x, d_pooled)


def masked_late(x, query, lengths):
    valid = np.arange(x.shape[1]) < lengths[:, None]
    return np.einsum("bt,btd->bd", softmax(x @ query) * valid, x)


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


WRONG = {
    "attended_by_hand": [(lambda: (0.245, 0.665, 0.09, 0, 2.0), "the pooled value is the sum of weight times value")],
    "fading_weights": [(by_time_constant, "1/e in a half-life")],
    "attention_gradients": [(without_jacobian, "go on through the softmax")],
    "mended_attention": [(masked_late, "sum to less than 1")],
    "predict_weights": [(lambda: (0.33, 0.5, 0.1, 0.2, 1.0), "case C")],
    "attend_where_they_differ": [
        (lambda: (np.eye(2), np.zeros(2), np.ones((1, 2))), "let a second unit hold it back"),
    ],
    "what_weighs": [
        (weigh(sums=False), "x + x is not enough"),
        (weigh(mask="cut"), "change its numbers alone"),
        (weigh(mask="zeros"), "put numbers in and change them"),
        (weigh(columns=False), "pad the same valid steps further"),
        (weigh(rising=True), "both may rise or fall"),
        (weigh(alike=True), "let one step alone differ"),
        (lambda pool: [shares(pool, 3, 3) for _ in range(9)], "the pool answers eight calls"),
    ],
}
