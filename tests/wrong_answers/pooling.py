"""Wrong answers to the exercises of the chapter pooling, and words of the message each must get."""

import numpy as np


def at_argmax(d_pooled, x, lengths):
    d_x = np.zeros_like(x)
    for b, n in enumerate(lengths):
        for k in range(x.shape[2]):
            d_x[b, x[b, :n, k].argmax(), k] = d_pooled[b, k]
    return d_x


def in_place(x, lengths):
    x[np.arange(x.shape[1]) >= lengths[:, None]] = -np.inf
    return x.max(axis=1)


def filled(x, lengths, value=-1000):
    return np.where((np.arange(x.shape[1]) < lengths[:, None])[..., None], x, value)


def look(rows=((0, 1, 4, 2), (0, 2, 4, 2), (0, 1, 5, 2)), sign=-1, contents=(0, 7), compare="alone", swap=()):
    """An experiment on a box, right or with a fault."""

    def find(pool):
        plain, middle, largest = pool(np.array(rows), np.array([len(row) for row in rows]))
        kind = "mean" if middle != plain else "max" if largest != plain else "last"
        valid = sign * np.array([3.0, 1.0, 2.0])
        first, second = (pool(np.array([[*valid, each, each]]), [3])[0] for each in contents)
        other = dict(alone=valid, amounts=[*valid, *np.zeros(9)], length=valid[:2])[compare]
        alone = pool(np.array([other]), [min(3, len(other))])[0]
        padding = "read" if first != second else "zeros" if not np.isclose(first, alone) else "ignored"
        return kind, dict(swap).get(padding, padding)

    return find


def attack(sizes=(1e9, -1e9), subsets=True, moves=1000):
    """Replace so many steps and see how far the pool goes, right or with a fault."""

    def find(pool, n):
        bad = (np.arange(2**n)[:, None] >> np.arange(n)) % 2 if subsets else np.tri(n + 1, n, -1)
        good = np.linspace(-1, 1, n)[None]
        carried = [np.abs(pool(np.where(bad, size, good)) - pool(good)) > moves for size in sizes]
        count = bad.sum(axis=1)[np.any(carried, axis=0)]
        return int(count.min()) - 1 if len(count) else n

    return find


WRONG = {
    "three_pools_by_hand": [(lambda: ([-0.7, 0.1], [-0.4, 0.9], [-0.4, 0.4]), "look down each column")],
    "mean_of_the_valid": [(lambda x, lengths: np.nan_to_num(x).mean(axis=1), "divided by T")],
    "max_gradient": [(at_argmax, "one winner gets all of it")],
    "mended_max": [
        (in_place, "in place"),
        (lambda x, lengths: filled(x, lengths).max(axis=1), "must be below every value"),
    ],
    "pooling_verdicts": [(lambda: ("steady",) * 4 + ("right", "moves", "steady"), "program B")],
    "sturdy_pool": [(lambda x, lengths: np.sort(filled(x, lengths), axis=1)[:, -2], "a maximum turned over")],
    "identify_pool": [
        (look(sign=1), "wins over negative values only"),
        (look(compare="amounts"), "no padding at all"),
        (look(contents=(-5, -9)), "larger than any valid value"),
        (look(compare="length"), "or the length change"),
        (look(swap={"zeros": "read"}.items()), "What did you compare?"),
        (look(rows=((0, 1, 4, 2), (0, 1, 6, 2), (0, 1, 5, 2))), "it takes max for mean"),
        (look(rows=((0, 1, 2, 4), (0, 2, 2, 4), (0, 1, 2, 5))), "it takes last for max"),
        (lambda pool: [pool(np.array([[k]]), [1]) for k in range(11)], "the pool answers 10 calls"),
        (lambda pool: ("ignored", "last"), "say 'last', 'max' or 'mean'"),
    ],
    "bad_steps_borne": [
        (attack(sizes=(1e9,)), "may point down as well"),
        (attack(sizes=(-1e9,)), "may point up as well"),
        (attack(subsets=False), "it matters which steps are bad"),
        (attack(moves=2), "does it move without end"),
        (attack(moves=1e-6), "is not yet to be carried away"),
        (attack(sizes=(100, -100)), "was a bad value large enough"),
    ],
}
