"""Solutions to the exercises of the chapter `pooling`: a function an exercise, under the exercise's name."""

import numpy as np


def three_pools_by_hand():
    """The last valid state, the maximum and the mean over three steps, two units each."""
    last = np.array([-0.7, 0.1])  # the third row
    top = np.array([-0.1, 0.9])  # both from the second row, as it happens
    mean = np.array([-1.2, 1.2]) / 3
    return last, top, mean


def mean_of_the_valid(x, lengths):
    """Return the mean over the valid steps, (B, H); the padding may hold NaN."""
    valid = np.arange(x.shape[1]) < lengths[:, None]  # (B, T)
    total = np.where(valid[..., None], x, 0).sum(axis=1)  # (B, H)
    return total / lengths[:, None]


def max_gradient(d_pooled, x, lengths):
    """Return d_x, (B, T, H): the winning steps share d_pooled equally."""
    valid = (np.arange(x.shape[1]) < lengths[:, None])[..., None]  # (B, T, 1)
    pooled = np.where(valid, x, -np.inf).max(axis=1, keepdims=True)  # (B, 1, H)
    winners = (x == pooled) & valid
    return winners / winners.sum(axis=1, keepdims=True) * d_pooled[:, None]


def mended_max(x, lengths):
    """Return the maximum over the valid steps, (B, H)."""
    padding = np.arange(x.shape[1]) >= lengths[:, None]  # the first padded step has the index `lengths`
    return np.where(padding[..., None], -np.inf, x).max(axis=1)


def pooling_verdicts():
    """What each of A, B, C, D, E, F, G is."""
    return "steady", "moves", "right", "steady", "right", "moves", "moves"


def sturdy_pool(x, lengths):
    """Return for each unit the mean of the valid steps without the largest and the smallest, (B, H)."""
    valid = (np.arange(x.shape[1]) < lengths[:, None])[..., None]
    total = np.where(valid, x, 0).sum(axis=1)
    high = np.where(valid, x, -np.inf).max(axis=1)
    low = np.where(valid, x, np.inf).min(axis=1)
    return (total - high - low) / (lengths - 2)[:, None]


def identify_pool(pool):
    """Return which pool it is, and what it does with padding."""
    x = np.array([[0, 1, 4, 2], [0, 2, 4, 2], [0, 1, 5, 2]])  # a middle step raised, then the largest
    plain, middle, largest = pool(x, np.array([4, 4, 4]))
    kind = "mean" if middle != plain else "max" if largest != plain else "last"
    below = np.array([[-3, -1, -2]])  # a zero would win
    alone = pool(below, np.array([3]))[0]
    zeros, sevens = pool(np.array([[-3, -1, -2, 0, 0], [-3, -1, -2, 7, 7]]), np.array([3, 3]))
    padding = "read" if zeros != sevens else "zeros" if not np.isclose(zeros, alone) else "ignored"
    return kind, padding


def bad_steps_borne(pool, n):
    """Return the largest number of bad steps that cannot carry the pool away, wherever they are."""
    bad = (np.arange(2**n)[:, None] >> np.arange(n)) % 2  # every choice of bad steps, a row each
    carried = np.zeros(2**n, bool)
    for size in (1e9, -1e9):
        carried |= np.abs(pool(bad * size)) > 1000
    return int(bad.sum(axis=1)[carried].min()) - 1 if carried.any() else n
