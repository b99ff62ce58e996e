"""Plausible wrong answers to the exercises of the chapter pooling, and words of the message each must get."""

import numpy as np


def valid_of(x, lengths):
    return (np.arange(x.shape[1]) < lengths[:, None])[..., None]


def total(x, lengths):
    return np.where(valid_of(x, lengths), x, 0).sum(axis=1)


def hand(last=(-0.7, 0.1), top=(-0.1, 0.9), mean=(-0.4, 0.4)):
    """The three pools, right unless one is given."""
    return np.array(last), np.array(top), np.array(mean)


def mended(fill, late=0):
    """A maximum that fills the padding, from `late` steps too late on, with a value."""

    def answer(x, lengths):
        padding = np.arange(x.shape[1]) >= lengths[:, None] + late
        return np.where(padding[..., None], fill, x).max(axis=1)

    return answer


def in_place(x, lengths):
    x[~valid_of(x, lengths)[..., 0]] = -np.inf
    return x.max(axis=1)


def winners(x, lengths):
    valid = valid_of(x, lengths)
    return (x == np.where(valid, x, -np.inf).max(axis=1, keepdims=True)) & valid


def shared(won, d):
    return won / won.sum(axis=1, keepdims=True) * d[:, None]


def first_only(d, x, lengths):
    won = winners(x, lengths)
    return won * (won.cumsum(axis=1) == 1) * d[:, None]


def programs(**changed):
    right = dict(A="steady", B="moves", C="right", D="steady", E="right", F="moves", G="moves")
    return tuple((right | changed).values())


def row_median(x, lengths):
    return np.stack([np.median(row[:n], axis=0) for row, n in zip(x, lengths)])


WRONG = {
    "three_pools_by_hand": [
        (lambda: hand(last=(0, 0)), "that is padding"),
        (lambda: hand(last=(-0.4, 0.2)), "the third row"),
        (lambda: hand(top=(0, 0.9)), "a zero of the padding"),
        (lambda: hand(top=(-0.7, 0.9)), "with its sign"),
        (lambda: hand(top=(-0.4, 0.9)), "down each column"),
        (lambda: hand(mean=(-0.24, 0.24)), "divided by 5"),
        (lambda: hand(mean=(-1.2, 1.2)), "not yet divided"),
        (lambda: hand(mean=(-0.6, 0.6)), "`mean`"),
        (lambda: hand()[:2], "2 results came where 3"),
    ],
    "mean_of_the_valid": [
        (lambda x, lengths: x.mean(axis=1), "the padding holds nan"),
        (lambda x, lengths: (x * valid_of(x, lengths)).sum(axis=1) / lengths[:, None], "the padding holds nan"),
        (lambda x, lengths: total(x, lengths) / x.shape[1], "divided by T"),
        (lambda x, lengths: total(x, lengths), "not yet divided"),
        (lambda x, lengths: total(x, lengths) / lengths.mean(), "its own"),
        (lambda x, lengths: total(x, lengths) / lengths.max(), "longest length"),
        (lambda x, lengths: total(x, lengths) / (lengths[:, None] * x.shape[2]), "count the steps alone"),
        (lambda x, lengths: total(x, lengths - 1) / lengths[:, None], "last valid step is missing"),
        (lambda x, lengths: x[np.arange(len(x)), lengths - 1], "this is the last valid step"),
        (lambda x, lengths: np.nanmean(x), "is expected"),
    ],
    "max_gradient": [
        (lambda d, x, lengths: winners(x, lengths) * d[:, None], "have to share"),
        (first_only, "a subgradient too"),
        (lambda d, x, lengths: valid_of(x, lengths) * d[:, None], "every valid step"),
        (lambda d, x, lengths: valid_of(x, lengths) / lengths[:, None, None] * d[:, None], "gradient of the mean"),
        (lambda d, x, lengths: shared(x == x.max(axis=1, keepdims=True), d), "a step of the padding wins"),
        (lambda d, x, lengths: shared(winners(x, lengths), np.ones_like(d)), "left out"),
        (lambda d, x, lengths: shared(winners(x, lengths), d) * x, "multiplied by x"),
        (lambda d, x, lengths: shared(winners(x, lengths), d).sum(axis=1), "is expected"),
        (lambda d, x, lengths: np.zeros_like(x), "all values are the same"),
    ],
    "mended_max": [
        (mended(0.0, late=1), "two faults are left"),
        (mended(0.0), "a zero of the padding still wins"),
        (mended(-np.inf, late=1), "one step of padding still counts"),
        (in_place, "in place"),
        (lambda x, lengths: x.max(axis=1), "over all steps"),
        (lambda x, lengths: np.abs(np.where(valid_of(x, lengths), x, 0)).max(axis=1), "keep the sign"),
        (lambda x, lengths: mended(-np.inf)(x, np.maximum(lengths - 1, 1)), "last valid step is missing"),
        (lambda x, lengths: mended(-np.inf)(x, lengths).max(axis=1), "is expected"),
    ],
    "pooling_verdicts": [
        (lambda: programs(A="right"), "program A"),
        (lambda: programs(B="steady"), "program B"),
        (lambda: programs(C="moves"), "program C"),
        (lambda: programs(D="right"), "program D"),
        (lambda: programs(E="steady"), "program E"),
        (lambda: programs(F="steady"), "program F"),
        (lambda: programs(G="steady"), "program G"),
        (lambda: programs(A="wrong"), "say 'right', 'steady' or 'moves'"),
    ],
    "sturdy_pool": [
        (lambda x, lengths: total(x, lengths) / lengths[:, None], "the click moves the result"),
        (lambda x, lengths: mended(-np.inf)(x, lengths), "a maximum turned over"),
        (lambda x, lengths: x[np.arange(len(x)), lengths - 1], "in another order"),
        (lambda x, lengths: np.median(x, axis=1), "in the padding"),
        (lambda x, lengths: total(np.clip(x, -4, 4), lengths) / lengths[:, None], "pooling 5 − 2x"),
        (lambda x, lengths: np.zeros_like(x[:, 0]), "outside the values"),
        (lambda x, lengths: row_median(x, lengths)[0], "where (B, H)"),
        (lambda x, lengths: row_median(x, lengths) * np.nan, "NaN or infinite"),
        (
            lambda x, lengths: (total(x, lengths) - mended(-np.inf)(x, lengths)) / (lengths - 1)[:, None],
            "pooling 5 − 2x",
        ),
    ],
}
