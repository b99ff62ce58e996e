"""Checks of the chapter pooling: pools by hand, a mean and a gradient that know the lengths, a bug, a design."""

import numpy as np

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
from lstm_tutorial.in_numpy.padding import fill_padding, valid_steps
from lstm_tutorial.in_numpy.pooling import last_pool, max_pool, max_pool_backward, mean_pool

# Three pools by hand

STATES = np.array([[-0.4, 0.2], [-0.1, 0.9], [-0.7, 0.1], [0.0, 0.0], [0.0, 0.0]])
NUMBERS = STATES[:3]


def diagnose_three(got, want, inputs):
    """Ask about the first pool that is off."""
    last, top, average = (np.asarray(each, float) for each in got)
    if not np.allclose(last, want[0], atol=2e-3):
        if np.allclose(last, 0):
            return "`last`: this is the last row of the table, and that is padding"
        return "`last`: the third row is the last valid step"
    if not np.allclose(top, want[1], atol=2e-3):
        if np.allclose(top, [0, 0.9]):
            return "`max`: a zero of the padding is larger than every valid value of the first unit, and does not count"
        if np.allclose(top, NUMBERS[1]) or np.allclose(top, [-0.7, 0.9]):
            return "`max`: the largest value, with its sign: −0.1 is larger than −0.4"
        return "`max`: look down each column, three steps of it"
    if np.allclose(average, NUMBERS.sum(axis=0) / 5, atol=2e-3):
        return "`mean`: the sum is divided by 5, but only 3 steps are valid"
    if np.allclose(average, NUMBERS.sum(axis=0), atol=2e-3):
        return "`mean`: this is the sum, not yet divided"
    if np.allclose(average, NUMBERS.sum(axis=0) / 2, atol=2e-3):
        return "`mean`: the sum is divided by 2, the number of units. Divide by the number of valid steps"
    return None


register(
    "three_pools_by_hand",
    chapter="pooling",
    title="Three pools by hand",
    reference=lambda: (NUMBERS[-1], NUMBERS.max(axis=0), NUMBERS.mean(axis=0)),
    names=("last", "max", "mean"),
    axes=("H", "H", "H"),
    diagnose=diagnose_three,
    tolerance=0.003,
)


# A mean that knows the lengths


def filled(x, lengths, value):
    """Return x (B, T, H) with a value in its padding."""
    return fill_padding(x, valid_steps(lengths, x.shape[1]), value)


def draw_ragged(rng, filling=None):
    """Draw states (B, T, H) and lengths; each sequence has padding, filled with whatever was left in the memory."""
    B, T, H = draw_sizes(rng, 3, low=3, high=8)
    x, lengths = rng.normal(size=(B, T, H)), rng.integers(1, T, size=B)
    lengths[:2] = rng.permutation([1, T - 1])
    if filling is not None:
        x = filled(x, lengths, filling)
    return x, lengths


def diagnose_mean(got, want, inputs):
    """Say what was divided by what."""
    x, lengths = inputs
    B, T, H = x.shape
    if np.isnan(got).any():
        return (
            "some results are NaN. The padding holds NaN: leave it out with `np.where`; times a mask it stays, "
            "because NaN times 0 is NaN"
        )
    total = np.nansum(x, axis=1)
    turns = {
        "the sum is right, and divided by T: divide each sequence by its own length": total / T,
        "this is the sum over the valid steps, not yet divided": total,
        "every sequence is divided by the mean length: each has its own": total / lengths.mean(),
        "every sequence is divided by the longest length: each has its own": total / lengths.max(),
        "this divides by all valid values, over the steps and the units: count the steps alone": total
        / (lengths[:, None] * H),
        "this is the last valid step": x[np.arange(B), lengths - 1],
        "this is the maximum over the valid steps": max_pool(x, lengths),
        "the last valid step is missing: `np.arange(T) < lengths` holds exactly `lengths` steps": np.stack(
            [row[: n - 1].sum(axis=0) / n for row, n in zip(x, lengths)]
        ),
    }
    return first_match(got, turns)


register(
    "mean_of_the_valid",
    chapter="pooling",
    title="A mean that knows the lengths",
    draw=lambda rng: draw_ragged(rng, filling=np.nan),
    reference=mean_pool,
    names=("the mean",),
    axes=("B H",),
    diagnose=diagnose_mean,
)


# Back through the maximum


def draw_ties(rng):
    """Draw a gradient, small whole numbers as states, so that steps tie, and lengths; the padding holds larger ones."""
    x, lengths = draw_ragged(rng)
    x = rng.integers(-2, 1, size=x.shape).astype(float)
    x = filled(x, lengths, rng.integers(-2, 3, size=x.shape))
    return rng.normal(size=x.shape[::2]), x, lengths


def diagnose_max_gradient(got, want, inputs):
    """Say who was given what."""
    d_pooled, x, lengths = inputs
    valid, pooled = valid_steps(lengths, x.shape[1])[..., None], max_pool(x, lengths)

    def shared(won):
        return won / won.sum(axis=1, keepdims=True) * d

    won = (x == pooled[:, None]) * valid
    first = won * (np.cumsum(won, axis=1) == 1)
    unmasked = (x == x.max(axis=1, keepdims=True)) * 1.0
    equal = (x == pooled[:, None]) * 1.0
    d = d_pooled[:, None]
    turns = {
        "each of several winners gets the whole gradient: they have to share it": won * d,
        "the first winner gets all of it. That is a subgradient too, but equal shares are asked for": first * d,
        "every valid step gets the gradient: it belongs to the winners": valid * d,
        "this is the gradient of the mean": shared(valid),
        "a step of the padding wins here: take the maximum over the valid steps": shared(unmasked),
        "padding that happens to equal the maximum gets a share: it must get 0": shared(equal),
        "the shares are right, but the gradient that comes in is left out": shared(won) / d,
        "the gradient is multiplied by x: where a step wins, the slope is 1, whatever its value": shared(won) * x,
    }
    return first_match(got, turns)


register(
    "max_gradient",
    chapter="pooling",
    title="Back through the maximum",
    draw=draw_ties,
    reference=lambda d_pooled, x, lengths: max_pool_backward(d_pooled, x, max_pool(x, lengths), lengths),
    names=("d_x",),
    axes=("B T H",),
    diagnose=diagnose_max_gradient,
)


# A maximum with three faults


def draw_negative(rng):
    """Draw states most of which are negative, so that a zero often wins."""
    x, lengths = draw_ragged(rng)
    return x - 1, lengths


def faulty_max(x, lengths, value=0.0, late=1):
    """The given program without its third fault: pads filled with a value, from `late` steps too late on."""
    padding = np.arange(x.shape[1]) >= lengths[:, None] + late
    return np.where(padding[..., None], value, x).max(axis=1)


def diagnose_mended(got, want, inputs):
    """Say which of the faults is left."""
    x, lengths = inputs
    turns = {
        "two faults are left: a zero can still win, and one step of padding counts as valid": faulty_max(x, lengths),
        "a zero of the padding still wins where all valid values are negative": faulty_max(x, lengths, late=0),
        "one step of padding still counts as valid: which index has its first step?": faulty_max(x, lengths, -np.inf),
        "this is the maximum over all steps, the padding too": x.max(axis=1),
        "the largest value in size is not the maximum: keep the sign": np.abs(filled(x, lengths, 0)).max(axis=1),
        "the last valid step is missing": faulty_max(x, np.maximum(lengths - 1, 1), -np.inf, late=0),
    }
    found = first_match(got, turns)
    if found:
        return found
    if np.any(got < want - 1e-4):
        return "some results are too small: the fill must be below every value that can come, and valid steps must stay"
    return None


register(
    "mended_max",
    chapter="pooling",
    title="A maximum with three faults",
    draw=draw_negative,
    reference=max_pool,
    names=("the maximum",),
    axes=("B H",),
    diagnose=diagnose_mended,
)


# Right, steady, or moving

PROGRAMS = {
    "A": lambda x, lengths: x.max(axis=1),
    "B": lambda x, lengths: x.mean(axis=1),
    "C": lambda x, lengths: x.sum(axis=1) / lengths[:, None],
    "D": lambda x, lengths: x[:, -1],
    "E": lambda x, lengths: np.maximum(x, 0).max(axis=1),
    "F": lambda x, lengths: np.log(np.exp(x).sum(axis=1)),
    "G": lambda x, lengths: np.median(x, axis=1),
}
SHORT = np.array([-2.0, -1.0, -4.0])[None, :, None]  # the valid steps of the short sequence, (1, 3, 1)


def verdicts():
    """Run each program on the sequence alone, padded to 6 and padded to 11, and compare."""
    lengths, found = np.array([3]), []
    for program in PROGRAMS.values():
        alone, six, eleven = (program(np.pad(SHORT, ((0, 0), (0, n), (0, 0))), lengths) for n in (0, 3, 8))
        found.append("moves" if not np.allclose(six, eleven) else "right" if np.allclose(alone, six) else "steady")
    return tuple(found)


QUESTIONS = {
    "A": "the largest of −2, −1, −4 and some zeros: how many zeros does it take?",
    "B": "what is the sum divided by, at T = 6 and at T = 11?",
    "C": "what do zeros add to a sum? And what is it divided by?",
    "D": "what stands in the last step, before and after?",
    "E": "first every negative number becomes 0, in the valid steps too. Can a zero of the padding then win?",
    "F": "what is e to the 0, and how many of them are in the sum?",
    "G": "sort all values: which stand in the middle of 6, and which of 11?",
}


def diagnose_programs(got, want, inputs):
    """Ask about the first verdict that is off."""
    for name, mine, right in zip(PROGRAMS, got, want):
        mine = str(mine).strip().lower()
        if mine not in ("right", "steady", "moves"):
            return f"program {name}: say 'right', 'steady' or 'moves'"
        if mine != right:
            return f"program {name}: {QUESTIONS[name]}"
    return None


register(
    "pooling_verdicts",
    chapter="pooling",
    title="Right, steady, or moving",
    reference=verdicts,
    names=tuple(PROGRAMS),
    diagnose=diagnose_programs,
)


# A pool that a click does not move

KINDS = ("as it is", "with a click", "in another order", "turned over and moved", "with other padding")


def draw_click(rng):
    """Draw five versions of one sequence, a row each: as it is, with a click, shuffled, mapped, padded differently."""
    T, H, n = int(rng.integers(8, 14)), int(rng.integers(2, 5)), int(rng.integers(3, 8))
    x = np.repeat(rng.normal(size=(1, T, H)) + 3, 5, axis=0)
    x[1, rng.integers(n)] = rng.choice([-1, 1], size=H) * rng.uniform(100, 1e4)
    x[2, :n] = x[2, rng.permutation(n)]
    x[3] = 5 - 2 * x[3]
    x[4, n:] = rng.normal(size=(T - n, H)) * 50
    return x, np.full(5, n)


def verify_click(answer, rng, x, lengths):
    """Ask of the rows what the exercise asks of the pool."""
    answer = np.asarray(answer)
    if answer.shape != x.shape[::2]:
        return f"the result has shape {answer.shape} where (B, H) = {x.shape[::2]} is expected"
    if not np.isfinite(answer).all():
        return "some results are NaN or infinite"
    n, near = lengths[0], dict(rtol=1e-3, atol=1e-2)
    plain, click, shuffled, mapped, repadded = answer
    valid = x[0, :n]
    if not np.allclose(repadded, plain, **near):
        return "other numbers in the padding change the result"
    if np.any(plain < valid.min(axis=0) - 1e-3) or np.any(plain > valid.max(axis=0) + 1e-3):
        return "a result lies outside the values that were pooled"
    if not np.allclose(shuffled, plain, **near):
        return "the same steps in another order give another result"
    if not np.allclose(mapped, 5 - 2 * plain, **near):
        return "pooling 5 − 2x does not give 5 minus twice the pool of x: a maximum turned over becomes a minimum"
    struck = np.flatnonzero((x[1, :n] != x[0, :n]).any(axis=1))
    rest = np.delete(valid, struck, axis=0)
    if np.any(click < rest.min(axis=0) - 1e-3) or np.any(click > rest.max(axis=0) + 1e-3):
        return "the click moves the result out of the range of the steps that it did not touch"
    return None


register(
    "sturdy_pool",
    chapter="pooling",
    title="A pool that a click does not move",
    draw=draw_click,
    verify=verify_click,
)


# Which pool is in the box?

POOLS, PADDINGS = ("last", "max", "mean"), ("ignored", "zeros", "read")


class BlackBox:
    """`pool(x, lengths)`: one unit's states (B, T) to (B,), pooled in a hidden way; a rising line follows."""

    def __init__(self, kind, padding, slope, start):
        self._kind, self._padding, self._slope, self._start, self._calls = kind, padding, slope, start, 10

    def __call__(self, x, lengths):
        """Pool a batch."""
        x, lengths = np.asarray(x, float), np.asarray(lengths)
        if x.ndim != 2 or lengths.shape != x.shape[:1] or lengths.min() < 1 or lengths.max() > x.shape[1]:
            raise ValueError(f"x must be (B, T) and lengths (B,) from 1 to T, got {x.shape} and {lengths}")
        if self._calls == 0:
            raise ValueError("all 10 calls are spent: many sequences fit into one call")
        self._calls -= 1
        pool = {"last": last_pool, "max": max_pool, "mean": mean_pool}[self._kind]
        x = x if self._padding == "read" else np.where(valid_steps(lengths, x.shape[1]), x, 0)
        return self._slope * pool(x[..., None], lengths if self._padding == "ignored" else None)[:, 0] + self._start


def draw_box(rng):
    """One of nine boxes, with a line of its own behind it."""
    return (BlackBox(str(rng.choice(POOLS)), str(rng.choice(PADDINGS)), *np.exp(rng.normal(size=1)), rng.normal()),)


def diagnose_box(got, want, inputs):
    """Ask about the experiment that took one kind for another."""
    (mine, my_padding), (kind, padding) = ([str(each).strip().lower() for each in pair] for pair in (got, want))
    if mine not in POOLS or my_padding not in PADDINGS:
        return "say 'last', 'max' or 'mean', then 'ignored', 'zeros' or 'read'"
    if mine != kind:
        question = "raise a step that is neither the last nor the largest: which pool moves?"
        if {mine, kind} == {"last", "max"}:
            question = "lower the last step, where it is not the largest: which pool moves?"
        return f"it takes {kind} for {mine}: {question}"
    start = f"the pool is right; it takes a box whose padding is {padding} for one where it is {my_padding}: "
    if padding == "ignored":
        return start + "did the valid steps or the length change as well?"
    if my_padding == "read":
        return start + "whatever stands in the padding, only that it is there can matter. What did you compare?"
    if padding == "read":
        return start + "put something else into the padding than zeros, larger than any valid value"
    if kind == "max":
        return start + "when does a zero win a maximum? And one zero is as good as ten: compare with no padding at all"
    return start + "compare with the same sequence on its own, without any padding"


register(
    "identify_pool",
    chapter="pooling",
    title="Which pool is in the box?",
    draw=draw_box,
    reference=lambda pool: (pool._kind, pool._padding),
    names=("pool", "padding"),
    diagnose=diagnose_box,
    dtypes=("float64",),
    trials=24,
)


# How many bad steps it bears


class Pool:
    """`pool(x)`: valid steps (B, n) to (B,); it bears so many bad ones, and some tests have a blind spot."""

    def __init__(self, function, bears, blind_spot=""):
        self._function, self._bears, self._blind_spot = function, bears, blind_spot

    def __call__(self, x):
        """Pool a batch."""
        x = np.asarray(x, float)
        if x.ndim != 2 or not np.isfinite(x).all():
            raise ValueError(f"x must be (B, n) and finite, got shape {x.shape}")
        return self._function(x)


def draw_pool(rng):
    """A pool that the name does not tell, and how many steps it pools."""
    n = int(rng.choice([6, 9, 12]))
    low, high = (int(k) for k in rng.permutation(n // 2)[:2])  # how many each end loses
    limit = float(rng.uniform(50, 900))
    kinds = [
        Pool(lambda x: x.mean(axis=1), 0),
        Pool(lambda x: x.max(axis=1), 0, "down"),
        Pool(lambda x: x.min(axis=1), 0, "up"),
        Pool(lambda x: x[:, -1], 0, "place"),
        Pool(lambda x: np.median(x, axis=1), (n - 1) // 2),
        Pool(lambda x: np.median(x[:, -5:], axis=1), 2, "place"),
        Pool(lambda x: np.median(x.reshape(len(x), -1, 3).mean(axis=2), axis=1), (n // 3 - 1) // 2, "place"),
        Pool(
            lambda x: np.sort(x, axis=1)[:, low : n - high].mean(axis=1), min(low, high), "up" if low < high else "down"
        ),
        Pool(lambda x: limit * np.tanh(x / limit).mean(axis=1), n, "size"),
    ]
    return kinds[rng.integers(len(kinds))], n


def verify_bears(answer, rng, pool, n):
    """Ask for the attack that was left out."""
    if isinstance(answer, bool) or not isinstance(answer, int | np.integer) or not 0 <= answer <= n:
        return f"a whole number from 0 to n = {n} is asked for"
    if answer == pool._bears:
        return None
    if answer > pool._bears:
        question = {
            "up": "bad steps may point down as well as up",
            "down": "bad steps may point up as well as down",
            "place": "it matters which steps are bad. Try them at the end, and try them apart as well as side by side",
        }.get(pool._blind_spot, "were all bad steps on one side?")
        if answer == n:
            question = "not even with all steps bad was it carried away: was a bad value large enough?"
        return f"it says {answer} of {n} for a pool that bears fewer: {question}"
    question = "to move is not yet to be carried away. Does the result leave the range from −1,000 to 1,000?"
    if pool._blind_spot == "size":
        question = "it moves, but does it move without end? Make the bad values a thousand times larger and see"
    return f"it says {answer} of {n} for a pool that bears more: {question}"


register(
    "bad_steps_borne",
    chapter="pooling",
    title="How many bad steps it bears",
    draw=draw_pool,
    verify=verify_bears,
    dtypes=("float64",),
    trials=24,
)
