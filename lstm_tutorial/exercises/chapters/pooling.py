"""The exercises of the chapter pooling."""

from itertools import product

import numpy as np

from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.in_numpy.padding import fill_padding, valid_steps
from lstm_tutorial.in_numpy.pooling import last_pool, max_pool, max_pool_backward, mean_pool
from lstm_tutorial.validation import check_pooled

WHERE = (
    "`last`: the last valid step is the third row, the rows of zeros are padding",
    "`max`: look down each column, over the three valid steps: −0.1 is larger than −0.7",
    "`mean`: add up the three valid steps of each column, and divide by how many they are",
)


@exercise(
    "Three pools by hand",
    names="last, max, mean",
    axes="H, H, H",
    turns={
        "`max`: a zero of the padding is larger than the valid values, and does not count": dict(top=(0, 0.9)),
        "`mean`: the sum is divided by 5, but only 3 steps are valid": dict(mean=(-0.24, 0.24)),
    },
    diagnose=lambda got, want: next(words for words, a, b in zip(WHERE, got, want) if np.any(abs(a - b) > 5e-4)),
    decimals=3,
)
def three_pools_by_hand(*, top=(-0.1, 0.9), mean=(-0.4, 0.4)):
    return np.array([-0.7, 0.1]), np.array(top), np.array(mean)


def draw_states(trial, made=identity):
    """Draw states, small or large, most of them negative, and lengths; the padding holds numbers of the same kind."""
    B, T, H = trial.sizes("B T H")
    size, level = trial.choice(*product((0.3, 1e6), (-12, -1, 4)))
    return size * (made(trial.normal(B, T, H)) + level), trial.lengths(B, T)


def draw_with_nan(trial):
    """Draw states with NaN in the padding, and lengths."""
    x, lengths = draw_states(trial)
    return fill_padding(x, valid_steps(lengths, x.shape[1]), np.nan), lengths


@exercise(
    "A mean that knows the lengths",
    draw=draw_with_nan,
    axes="B H",
    same_as=mean_pool,
    turns={
        "NaN of the padding is added: mask too long, or NaN times 0?": dict(pool=lambda x, n: x.mean(axis=1)),
        "the sum is divided by T: divide each sequence by its own length": dict(by=lambda x, n: x.shape[1]),
        "this is the sum over the valid steps, not yet divided": dict(by=lambda x, n: 1),
        "every sequence is divided by the longest length: each has its own": dict(by=lambda x, n: n.max()),
        "the last valid step is missing: `np.arange(T) < lengths` holds exactly `lengths` steps": dict(
            pool=lambda x, lengths: mean_pool(x, lengths) - last_pool(x, lengths) / lengths[:, None]
        ),
    },
)
def mean_of_the_valid(x, lengths, *, pool=mean_pool, by=lambda x, n: n):
    n = lengths[:, None]
    return pool(x, lengths) * n / by(x, n)


def draw_ties(trial):
    """Draw a gradient, states of which several tie, and lengths; the padding holds larger and equal ones too."""
    x, lengths = draw_states(trial, made=np.round)
    return trial.normal(*x.shape[::2]), x, lengths


@exercise(
    "Back through the maximum",
    draw=draw_ties,
    axes="B T H",
    same_as=lambda d_pooled, x, lengths: max_pool_backward(d_pooled, x, max_pool(x, lengths), lengths),
    turns={
        "each of several winners gets the whole gradient: they have to share it": dict(share=identity),
        "one winner gets all of it: that is a subgradient too, but equal shares are asked for": dict(
            share=lambda won: won & (np.cumsum(won, axis=1) == 1)
        ),
        "this is the gradient of the mean: a maximum gives all to the winners": dict(wins=lambda largest, valid: valid),
        "padding that equals the maximum gets a share: it must get 0": dict(wins=lambda largest, valid: largest),
        "the padding is filled with 0, which wins where all valid values are negative": dict(fill=0.0),
    },
)
def max_gradient(d_pooled, x, lengths, *, fill=-np.inf, wins=np.logical_and, share=None):
    valid = valid_steps(lengths, x.shape[1])[..., None]
    top = np.where(valid, x, fill).max(axis=1, keepdims=True)
    won = wins(x == top, valid)
    return (share(won) if share else won / won.sum(axis=1, keepdims=True)) * d_pooled[:, None]


@exercise(
    "A maximum with three faults",
    draw=draw_states,
    axes="B H",
    same_as=max_pool,
    combine=2,
    turns={
        "a zero of the padding still wins where all valid values are negative": dict(fill=0.0),
        "one step of padding still counts as valid: which index has its first step?": dict(late=1),
        "the last valid step is missing": dict(late=-1),
        "what stands in for the padding is not low enough: it must be below every value that can come": [
            dict(fill=value) for value in (-1.0, -10.0, -99.0, -100.0, -999.0, -1000.0, -9999.0, -1e4, -1e5, -1e6)
        ],
    },
)
def mended_max(x, lengths, *, fill=-np.inf, late=0):
    return fill_padding(x, valid_steps(lengths + late, x.shape[1]), fill).max(axis=1)


PROGRAMS = {  # the verdict, and what to ask where it is off
    "A": ("steady", "the largest of −2, −1, −4 and some zeros: how many zeros does it take?"),
    "B": ("moves", "what is the sum divided by, at T = 6 and at T = 11?"),
    "C": ("right", "what do zeros add to a sum? And what is it divided by?"),
    "D": ("steady", "what stands in the last step, before and after?"),
    "E": ("right", "first every negative number becomes 0, valid or not. Can a zero of the padding then win?"),
    "F": ("moves", "what is e to the 0, and how many of them are in the sum?"),
    "G": ("moves", "sort all values: which stand in the middle of 6, and which of 11?"),
}


@exercise(
    "Right, steady, or moving",
    names=", ".join(PROGRAMS),
    words="right, steady, moves",
    diagnose=lambda got, want: next(
        f"program {name}: {PROGRAMS[name][1]}" for name, a, b in zip(PROGRAMS, got, want) if a != b
    ),
)
def pooling_verdicts():
    return tuple(right for right, _ in PROGRAMS.values())


VERSIONS = 5  # of each sequence: as it is, with a click, in another order, turned over and moved, with other padding


def draw_click(trial):
    """Draw five versions of each of some sequences, one version after the other, (5 B, T, H), and the lengths."""
    B, T, H = trial.sizes("B T H", T=3)
    size, lengths = trial.log_uniform(0.1, 100), trial.lengths(B, T, low=3)
    x = np.repeat(size * (trial.normal(1, B, T, H) + trial.choice(-3, 0, 3)), VERSIONS, axis=0)
    for b, n in enumerate(lengths):
        place = trial.choice(0, n - 1, trial.rng.integers(n))
        x[1, b, place] = size * trial.rng.choice([-1, 1], size=H) * trial.log_uniform(5, 1e4)
        x[2, b, :n] = x[2, b, np.roll(trial.rng.permutation(n), 1)]
        x[4, b, n:] = 50 * size * trial.normal(T - n, H)
    x[3] = size * trial.rng.uniform(-5, 5) - trial.rng.uniform(0.5, 3) * x[3]
    return x.reshape(VERSIONS * B, T, H), np.tile(lengths, VERSIONS)


def verify_click(answer, trial, x, lengths):
    """Compare what the pool makes of the versions of each sequence."""
    x = x.reshape(VERSIONS, -1, *x.shape[1:])  # (5, B, T, H)
    plain, click, shuffled, mapped, repadded = np.asarray(answer, float).reshape(VERSIONS, *x.shape[1::2])
    untouched = valid_steps(lengths[: x.shape[1]], x.shape[2]) & (x[0] == x[1]).all(axis=2)
    least, most = fill_padding(x[0], untouched, np.inf).min(axis=1), fill_padding(x[0], untouched, -np.inf).max(axis=1)
    slope, offset = np.polyfit(x[0].ravel(), x[3].ravel(), 1)
    turned = (mapped - offset) / slope - plain
    faults = {  # and how far the result is off
        "other numbers in the padding change the result": repadded - plain,
        "the same steps in another order give another result": shuffled - plain,
        "pooling a x + b does not give a times the pool, plus b: a maximum turned over becomes a minimum": turned,
        "the click moves the result out of the range of the untouched steps": click - np.clip(click, least, most),
    }
    return next((words for words, off in faults.items() if np.any(abs(off) > 0.01 * np.std(x[0]))), None)


@exercise(
    "A pool that a click does not move",
    draw=draw_click,
    verify=verify_click,
    axes="B H",
    turns={
        "the click moves the result": dict(pool=np.mean),
        "a maximum turned over becomes a minimum": dict(pool=np.max),
        "in another order give another result": dict(pool=lambda row, axis: np.median(row[-3:], axis=0)),
        "other numbers in the padding": dict(masked=False),
    },
)
def sturdy_pool(x, lengths, *, pool=np.median, masked=True):
    return np.stack([pool(row[:n] if masked else row, axis=0) for row, n in zip(x, lengths)])


POOLS = {"last": last_pool, "max": max_pool, "mean": mean_pool}
PADDINGS = ("ignored", "zeros", "read")


class PoolBox(Box):
    """`pool(x, lengths)`: one unit's states (B, T) to (B,), pooled in a hidden way; a rising line follows."""

    runs, budget = 10, "the pool answers 10 calls (each may hold many sequences)"

    def __init__(self, trial):
        super().__init__()
        self.kind, self.padding = trial.choice(*product(POOLS, PADDINGS))
        self.slope, self.start = trial.log_uniform(0.3, 3), float(trial.normal())

    def answer(self, x, lengths):
        x = np.asarray(x, float)[..., None]
        lengths = check_pooled(x, np.asarray(lengths))
        x = x if self.padding == "read" else fill_padding(x, valid_steps(lengths, x.shape[1]), 0)
        return self.slope * POOLS[self.kind](x, lengths if self.padding == "ignored" else None)[:, 0] + self.start


def diagnose_box(got, want, box):
    (mine, my_padding), (kind, padding) = got, want
    if mine not in POOLS or my_padding not in PADDINGS:
        return "say 'last', 'max' or 'mean', then 'ignored', 'zeros' or 'read'"
    if mine != kind:
        ask = "change the last step, where it is not the largest, then one that is neither: which pool moves?"
        return f"it takes {kind} for {mine}: {ask}"
    if padding == "ignored":
        ask = "did the valid steps or the length change as well?"
    elif padding == "read":
        ask = "put something else into the padding than zeros, larger than any valid value"
    elif my_padding == "read":
        ask = "the result does not depend on what stands in the padding. What did you compare?"
    else:
        ask = (
            "compare with no padding at all: one zero does to a maximum what ten do, and wins over negative values only"
        )
    return f"the pool is right; it takes a box whose padding is {padding} for one where it is {my_padding}: {ask}"


@exercise(
    "Which pool is in the box?",
    draw=lambda trial: (PoolBox(trial),),
    names="pool, padding",
    diagnose=diagnose_box,
    words=", ".join((*POOLS, *PADDINGS)),
    dtypes=("float64",),
    trials=18,
)
def identify_pool(pool):
    return pool.kind, pool.padding


def draw_pool(trial):
    """Draw a pool `pool(x)`, (B, n) to (B,), how many bad steps it bears and what misses its weakness; and n."""
    n = trial.choice(6, 9, 12)
    low, high = (int(k) for k in trial.rng.permutation(n // 2)[:2])  # how many each end loses
    limit = trial.rng.uniform(50, 900)
    pools = (
        (0, "", lambda x: x.mean(axis=1)),
        (0, "down", lambda x: x.max(axis=1)),
        (0, "up", lambda x: x.min(axis=1)),
        (0, "place", lambda x: x[:, -1]),
        ((n - 1) // 2, "", lambda x: np.median(x, axis=1)),
        (2, "place", lambda x: np.median(x[:, -5:], axis=1)),
        ((n // 3 - 1) // 2, "place", lambda x: np.median(x.reshape(len(x), -1, 3).mean(axis=2), axis=1)),
        (min(low, high), "up" if low < high else "down", lambda x: np.sort(x, axis=1)[:, low : n - high].mean(axis=1)),
        (n, "size", lambda x: limit * np.tanh(x / limit).mean(axis=1)),
    )
    bears, weak, function = trial.choice(*pools)

    def pool(x):
        x = np.asarray(x, float)
        if x.ndim != 2 or not np.isfinite(x).all():
            raise ValueError(f"x must be (B, n) and finite, got shape {x.shape}")
        return function(x)

    pool.bears, pool.weak = bears, weak
    return pool, n


def diagnose_bears(got, want, pool, n):
    ask = "to move is not yet to be carried away. Does the result leave the range from −1,000 to 1,000?"
    if got == n:
        ask = "not even with all steps bad was it carried away: was a bad value large enough?"
    elif got > want:
        ask = {
            "up": "bad steps may point down as well as up",
            "down": "bad steps may point up as well as down",
        }.get(
            pool.weak, "it matters which steps are bad. Try them at the end, and try them apart as well as side by side"
        )
    elif pool.weak == "size":
        ask = "it moves, but does it move without end? Make the bad values a thousand times larger and see"
    return f"it says {got:g} of {n} for a pool that bears {'fewer' if got > want else 'more'}: {ask}"


@exercise(
    "How many bad steps it bears",
    draw=draw_pool,
    diagnose=diagnose_bears,
    dtypes=("float64",),
    trials=27,
)
def bad_steps_borne(pool, n):
    return pool.bears
