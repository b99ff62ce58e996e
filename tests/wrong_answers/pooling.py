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


def look(rows=((0, 1, 4, 2), (0, 2, 4, 2), (0, 1, 5, 2)), sign=-1, contents=(0, 7), compare="alone"):
    """An experiment on a box, right or with a fault."""

    def find(pool):
        plain, middle, largest = pool(np.array(rows), np.array([len(row) for row in rows]))
        kind = "mean" if middle != plain else "max" if largest != plain else "last"
        valid = sign * np.array([3.0, 1.0, 2.0])
        first, second = (pool(np.array([[*valid, each, each]]), [3])[0] for each in contents)
        alone = pool(valid[None], [3])[0]
        if compare == "amounts":
            alone = pool(np.array([[*valid, *np.zeros(9)]]), [3])[0]
        if compare == "another length":
            alone = pool(valid[None, :2], [2])[0]
        padding = "read" if first != second else "zeros" if not np.isclose(first, alone) else "ignored"
        return kind, padding

    return find


def always_read(pool):
    kind, padding = look()(pool)
    return kind, padding.replace("zeros", "read")


def one_by_one(pool):
    return [pool(np.array([[k]]), [1]) for k in range(11)]


def attack(sizes=(1e9, -1e9), places="all", moves=1000):
    """Replace so many steps and see how far the pool goes, right or with a fault."""

    def find(pool, n):
        bad = (np.arange(2**n)[:, None] >> np.arange(n)) % 2
        if places == "first":
            bad = np.tri(n + 1, n, -1)
        good = np.linspace(-1, 1, n)[None]
        carried = [np.abs(pool(np.where(bad, size, good)) - pool(good)) > moves for size in sizes]
        count = bad.sum(axis=1)[np.any(carried, axis=0)]
        return int(count.min()) - 1 if len(count) else n

    return find


WRONG = {
    "three_pools_by_hand": [
        (lambda: hand(last=(0, 0)), "that is padding"),
        (lambda: hand(last=(-0.4, 0.2)), "the third row"),
        (lambda: hand(top=(0, 0.9)), "a zero of the padding"),
        (lambda: hand(top=(-0.7, 0.9)), "with its sign"),
        (lambda: hand(top=(-0.4, 0.9)), "down each column"),
        (lambda: hand(mean=(-0.24, 0.24)), "divided by 5"),
        (lambda: hand(mean=(-1.2, 1.2)), "not yet divided"),
        (lambda: hand(mean=(-0.6, 0.6)), "divided by 2"),
        (lambda: hand()[:2], "2 results came where 3"),
    ],
    "mean_of_the_valid": [
        (lambda x, lengths: x.mean(axis=1), "values are NaN or infinite"),
        (lambda x, lengths: (x * valid_of(x, lengths)).sum(axis=1) / lengths[:, None], "values are NaN or infinite"),
        (lambda x, lengths: total(x, lengths) / x.shape[1], "divided by T"),
        (lambda x, lengths: total(x, lengths), "not yet divided"),
        (lambda x, lengths: total(x, lengths) / lengths.mean(), "its own"),
        (lambda x, lengths: total(x, lengths) / lengths.max(), "longest length"),
        (lambda x, lengths: total(x, lengths) / (lengths[:, None] * x.shape[2]), "count the steps alone"),
        (lambda x, lengths: total(x, lengths - 1) / lengths[:, None], "last valid step is missing"),
        (lambda x, lengths: x[np.arange(len(x)), lengths - 1], "this is the last valid step"),
        (lambda x, lengths: np.nanmean(x), "is a number where a NumPy array"),
    ],
    "max_gradient": [
        (lambda d, x, lengths: winners(x, lengths) * d[:, None], "have to share"),
        (first_only, "a subgradient too"),
        (lambda d, x, lengths: valid_of(x, lengths) * d[:, None], "every valid step"),
        (lambda d, x, lengths: valid_of(x, lengths) / lengths[:, None, None] * d[:, None], "gradient of the mean"),
        (lambda d, x, lengths: shared(x == x.max(axis=1, keepdims=True), d), "a step of the padding wins"),
        (lambda d, x, lengths: shared(winners(x, lengths), np.ones_like(d)), "left out"),
        (lambda d, x, lengths: shared(winners(x, lengths), d) * x, "multiplied by x"),
        (lambda d, x, lengths: shared(winners(x, lengths), d).sum(axis=1), "is the time axis lost?"),
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
        (lambda x, lengths: mended(-np.inf)(x, lengths).max(axis=1), "is the hidden axis lost?"),
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
    "identify_pool": [
        (look(sign=1), "when does a zero win"),
        (look(compare="amounts"), "without any padding"),
        (look(contents=(0, 0)), "put something else into the padding"),
        (look(contents=(-5, -9)), "larger than any valid value"),
        (look(compare="another length"), "or the length change"),
        (look(rows=((0, 1, 4, 2), (0, 1, 6, 2), (0, 1, 5, 2))), "it takes max for mean"),
        (look(rows=((0, 1, 4, 2), (0, 1, 4, 3), (0, 1, 5, 2))), "it takes last for mean"),
        (look(rows=((0, 1, 2, 4), (0, 2, 2, 4), (0, 1, 2, 5))), "it takes last for max"),
        (always_read, "What did you compare?"),
        (one_by_one, "all 10 calls are spent"),
        (lambda pool: ("average", "ignored"), "say 'last', 'max' or 'mean'"),
    ],
    "bad_steps_borne": [
        (attack(sizes=(1e9,)), "may point down as well"),
        (attack(sizes=(-1e9,)), "may point up as well"),
        (attack(places="first"), "it matters which steps are bad"),
        (attack(moves=2), "does it move without end"),
        (attack(moves=1e-6), "is not yet to be carried away"),
        (attack(sizes=(100, -100)), "was a bad value large enough"),
        (lambda pool, n: (n - 1) // 2, "for a pool that bears fewer"),
        (lambda pool, n: 0, "for a pool that bears more"),
        (lambda pool, n: 0.5, "a whole number from 0 to n"),
    ],
}
