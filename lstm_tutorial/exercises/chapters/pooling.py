"""The exercises of the chapter pooling."""

from itertools import product

import numpy as np

from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.in_numpy.padding import fill_padding, valid_steps
from lstm_tutorial.in_numpy.pooling import last_pool, max_pool, max_pool_backward, mean_pool

WHERE = {
    "last": "the last valid step is the third row",
    "max": "look down each column, over the three valid steps",
    "mean": "add up the three valid steps of each column, and divide by how many they are",
}


@exercise(
    "Three pools by hand",
    names="last, max, mean",
    axes="H, H, H",
    turns={
        "`last`: this is the last row of the table, and that is padding": dict(last=(0, 0)),
        "`max`: a zero of the padding is larger than the valid values, and does not count": dict(top=(0, 0.9)),
        "`max`: the largest value, with its sign: −0.1 is larger than −0.7": dict(top=(-0.7, 0.9)),
        "`max`: these are the smallest values": dict(top=(-0.7, 0.1)),
        "`mean`: the sum is divided by 5, but only 3 steps are valid": dict(mean=(-0.24, 0.24)),
        "`mean`: this is the sum, not yet divided": dict(mean=(-1.2, 1.2)),
        "`mean`: the sum is divided by 2, the number of units: divide by that of valid steps": dict(mean=(-0.6, 0.6)),
        "`mean`: this is the median of the steps": dict(mean=(-0.4, 0.2)),
    },
    diagnose=lambda got, want: next(
        f"`{name}`: {words}" for (name, words), a, b in zip(WHERE.items(), got, want) if np.any(abs(a - b) > 6e-4)
    ),
    decimals=3,
)
def three_pools_by_hand(*, last=(-0.7, 0.1), top=(-0.1, 0.9), mean=(-0.4, 0.4)):
    return np.array(last), np.array(top), np.array(mean)


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
        "NaN of the padding comes into the sum: is the mask too long, or is NaN multiplied by 0?": dict(fill=np.nan),
        "the sum is divided by T: divide each sequence by its own length": dict(by=lambda x, n: x.shape[1]),
        "this is the sum over the valid steps, not yet divided": dict(by=lambda x, n: 1),
        "the sum is multiplied by the length: divide it": dict(by=lambda x, n: 1 / n),
        "every sequence is divided by the mean length: each has its own": dict(by=lambda x, n: n.mean()),
        "every sequence is divided by the longest length: each has its own": dict(by=lambda x, n: n.max()),
        "this divides by the number of steps and units: count the steps alone": dict(by=lambda x, n: n * x.shape[2]),
        "the sum is divided by one more than the length": dict(by=lambda x, n: n + 1),
        "the sum is divided by one less than the length": dict(by=lambda x, n: n - 1),
        "the last valid step is missing: `np.arange(T) < lengths` holds exactly `lengths` steps": dict(late=-1),
        "this is the last valid step": dict(pool=last_pool, by=lambda x, n: 1),
        "this is the maximum over the valid steps": dict(pool=max_pool, by=lambda x, n: 1),
    },
)
def mean_of_the_valid(x, lengths, *, fill=0.0, late=0, by=lambda x, n: n, pool=None):
    valid = (np.arange(x.shape[1]) < lengths[:, None] + late)[..., None]
    total = pool(x, lengths) if pool else np.where(valid, x, fill).sum(axis=1)
    return total / by(x, lengths[:, None])


def draw_ties(trial):
    """Draw a gradient, states of which several tie, and lengths; the padding holds larger and equal ones too."""
    x, lengths = draw_states(trial, made=np.round)
    return trial.normal(*x.shape[::2]), x, lengths


def equally(won):
    """Return the shares of several winners."""
    return won / won.sum(axis=1, keepdims=True)


def valid_ones(x, top, valid):
    """Take every valid step for a winner."""
    return valid


def first(won):
    """Return the first winner alone."""
    return won & (np.cumsum(won, axis=1) == 1)


@exercise(
    "Back through the maximum",
    draw=draw_ties,
    axes="B T H",
    same_as=lambda d_pooled, x, lengths: max_pool_backward(d_pooled, x, max_pool(x, lengths), lengths),
    turns={
        "each of several winners gets the whole gradient: they have to share it": dict(share=identity),
        "one winner gets all of it: that is a subgradient too, but equal shares are asked for": [
            dict(share=first),
            dict(share=lambda won: first(won[:, ::-1])[:, ::-1]),
        ],
        "every valid step gets the gradient: it belongs to the winners": dict(wins=valid_ones, share=identity),
        "this is the gradient of the mean": dict(wins=valid_ones),
        "every step but the winners gets the gradient": dict(wins=lambda x, top, valid: (x != top) & valid),
        "padding that equals the maximum gets a share: it must get 0": dict(wins=lambda x, top, valid: x == top),
        "the padding is filled with 0, which wins where all valid values are negative": dict(fill=0.0),
        "the shares are right, but the gradient that comes in is left out": dict(d=np.ones_like),
        "the gradient is multiplied by x: where a step wins, the slope is 1, whatever its value": dict(slope=identity),
        "the gradient is multiplied by the number of winners: they share it": dict(
            share=lambda won: won * won.sum(axis=1, keepdims=True)
        ),
        "the winners are counted along another axis than the steps": [
            dict(share=lambda won: won / won.sum(axis=0, keepdims=True)),
            dict(share=lambda won: won / won.sum(axis=2, keepdims=True)),
            dict(share=lambda won: won / won.sum(keepdims=True)),
        ],
    },
)
def max_gradient(
    d_pooled, x, lengths,
    *, fill=-np.inf, wins=lambda x, top, valid: (x == top) & valid, share=equally, slope=np.ones_like, d=identity,
):  # fmt: skip
    valid = valid_steps(lengths, x.shape[1])[..., None]
    top = np.where(valid, x, fill).max(axis=1, keepdims=True)
    return share(wins(x, top, valid)) * d(d_pooled)[:, None] * slope(x)


def diagnose_maximum(got, want, x, lengths):
    wrong = np.unique(got[got > want + abs(want).max() / 1e4])
    if len(wrong) == 1:
        return f"the padding is filled with {wrong[0]:g}: that must be below every value that can come"
    return None


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
        "this is the minimum": dict(pooled=lambda x: -np.max(np.where(x == -np.inf, x, -x), axis=1)),
        "the largest value in size is not the maximum: keep the sign": dict(
            pooled=lambda x: np.abs(np.where(np.isfinite(x), x, 0)).max(axis=1)
        ),
    },
    diagnose=diagnose_maximum,
)
def mended_max(x, lengths, *, fill=-np.inf, late=0, pooled=lambda x: x.max(axis=1)):
    valid = (np.arange(x.shape[1]) < lengths[:, None] + late)[..., None]
    return pooled(np.where(valid, x, fill))


PROGRAMS = {  # the verdict, and what to ask where it is off
    "A": ("steady", "the largest of −2, −1, −4 and some zeros: how many zeros does it take?"),
    "B": ("moves", "what is the sum divided by, at T = 6 and at T = 11?"),
    "C": ("right", "what do zeros add to a sum? And what is it divided by?"),
    "D": ("steady", "what stands in the last step, before and after?"),
    "E": (
        "right",
        "first every negative number becomes 0, in the valid steps too. Can a zero of the padding then win?",
    ),
    "F": ("moves", "what is e to the 0, and how many of them are in the sum?"),
    "G": ("moves", "sort all values: which stand in the middle of 6, and which of 11?"),
}
VERDICTS = ("right", "steady", "moves")


@exercise(
    "Right, steady, or moving",
    names=", ".join(PROGRAMS),
    words=", ".join(VERDICTS),
    turns={
        f"program {name}: {ask}": [{name: word} for word in VERDICTS if word != right]
        for name, (right, ask) in PROGRAMS.items()
    },
)
def pooling_verdicts(*, A="steady", B="moves", C="right", D="steady", E="right", F="moves", G="moves"):
    return A, B, C, D, E, F, G


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
    valid = valid_steps(lengths[: x.shape[1]], x.shape[2])[..., None]
    untouched = valid & (x[0] == x[1]).all(axis=2, keepdims=True)
    low, high, least, most = (
        end(np.where(kept, x[0], fill), axis=1)
        for kept in (valid, untouched)
        for end, fill in ((np.min, np.inf), (np.max, -np.inf))
    )
    near = 0.01 * (high - low)
    slope, offset = np.polyfit(x[0].ravel(), x[3].ravel(), 1)
    line = f"{offset:.3g} − {-slope:.3g}"
    turned = f"pooling {line} x does not give {line} times the pool of x: a maximum turned over becomes a minimum"
    faults = {
        "other numbers in the padding change the result": abs(repadded - plain) > near,
        "a result lies outside the values that were pooled": (plain < low - near) | (plain > high + near),
        "the same steps in another order give another result": abs(shuffled - plain) > near,
        turned: abs(mapped - (slope * plain + offset)) > abs(slope) * near,
        "the click moves the result out of the range of the steps that it did not touch": abs(
            click - np.clip(click, least, most)
        )
        > near,
    }
    return next((words for words, wrong in faults.items() if wrong.any()), None)


@exercise(
    "A pool that a click does not move",
    draw=draw_click,
    verify=verify_click,
    axes="B H",
    turns={
        "the click moves the result": [
            dict(pool=np.mean),
            dict(pool=lambda row, axis: (row.min(axis=0) + row.max(axis=0)) / 2),
        ],
        "a maximum turned over becomes a minimum": [
            dict(pool=np.max),
            dict(pool=lambda row, axis: np.clip(row, -0.5, 0.5).mean(axis=0)),
        ],
        "in another order give another result": dict(pool=lambda row, axis: np.median(row[-3:], axis=0)),
        "other numbers in the padding": dict(masked=False),
        "outside the values that were pooled": dict(pool=np.sum),
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
        x, lengths = np.asarray(x, float), np.asarray(lengths)
        if x.ndim != 2 or lengths.shape != x.shape[:1] or lengths.min() < 1 or lengths.max() > x.shape[1]:
            raise ValueError(f"x must be (B, T) and lengths (B,) from 1 to T, got {x.shape} and {lengths}")
        x = x[..., None]
        x = x if self.padding == "read" else fill_padding(x, valid_steps(lengths, x.shape[1]), 0)
        return self.slope * POOLS[self.kind](x, lengths if self.padding == "ignored" else None)[:, 0] + self.start


def diagnose_box(got, want, box):
    (mine, my_padding), (kind, padding) = got, want
    if mine not in POOLS or my_padding not in PADDINGS:
        return "say 'last', 'max' or 'mean', then 'ignored', 'zeros' or 'read'"
    if mine != kind:
        ask = "raise a step that is neither the last nor the largest: which pool moves?"
        if {mine, kind} == {"last", "max"}:
            ask = "lower the last step, where it is not the largest: which pool moves?"
        return f"it takes {kind} for {mine}: {ask}"
    if padding == "ignored":
        ask = "did the valid steps or the length change as well?"
    elif my_padding == "read":
        ask = "whatever stands in the padding, only that it is there can matter. What did you compare?"
    elif padding == "read":
        ask = "put something else into the padding than zeros, larger than any valid value"
    elif kind == "max":
        ask = "when does a zero win a maximum? And one zero is as good as ten: compare with no padding at all"
    else:
        ask = "compare with the same sequence on its own, without any padding"
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


class HiddenPool:
    """`pool(x)`: valid steps (B, n) to (B,); it bears so many bad ones, and some attacks miss where it is weak."""

    def __init__(self, bears, weak, function):
        self.bears, self.weak, self.function = bears, weak, function

    def __call__(self, x):
        x = np.asarray(x, float)
        if x.ndim != 2 or not np.isfinite(x).all():
            raise ValueError(f"x must be (B, n) and finite, got shape {x.shape}")
        return self.function(x)


def draw_pool(trial):
    """Draw a pool that the name does not tell, and how many steps it pools."""
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
    return HiddenPool(*trial.choice(*pools)), n


def diagnose_bears(got, want, pool, n):
    if got != int(got) or not 0 <= got <= n:
        return f"a whole number from 0 to n = {n} is asked for"
    ask = "to move is not yet to be carried away. Does the result leave the range from −1,000 to 1,000?"
    if got == n:
        ask = "not even with all steps bad was it carried away: was a bad value large enough?"
    elif got > want:
        ask = {
            "up": "bad steps may point down as well as up",
            "down": "bad steps may point up as well as down",
            "place": "it matters which steps are bad. Try them at the end, and try them apart as well as side by side",
        }.get(pool.weak, "were all bad steps on one side?")
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
