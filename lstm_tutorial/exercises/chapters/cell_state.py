"""The exercises of the chapter cell-state."""

import copy

import numpy as np

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import register
from lstm_tutorial.in_numpy import LSTM, lstm_cell, lstm_cell_backward, sigmoid, sigmoid_slope, tanh, tanh_slope
from lstm_tutorial.in_numpy.cell import CellCache

# One step by hand


def new_state(z=(-1.0, 2.0, 0.5, 1.0), c_prev=-2.0):
    """Return c and h of the step that the workbook gives by its weighted sums i, f, g, o."""
    i, f, g, o = sigmoid(z[0]), sigmoid(z[1]), tanh(z[2]), sigmoid(z[3])
    c = f * c_prev + i * g
    return {"c": c, "h": o * tanh(c)}


def diagnose_by_hand(got, want, inputs):
    c, h = want["c"], want["h"]
    i, f, g, o = sigmoid(-1.0), sigmoid(2.0), tanh(0.5), sigmoid(1.0)
    about_c = {
        "`c` is squashed: the cell state passes on as it is, only `h` sees its tanh": tanh(c),
        "in `c` the input gate keeps and the forget gate writes: it is the other way round": i * -2.0 + f * g,
        "`c` lacks what is written: kept alone is not all": f * -2.0,
        "`c` lacks what is kept: written alone is not all": i * g,
        "in `c` the candidate goes through a sigmoid where tanh is expected": f * -2.0 + i * sigmoid(0.5),
        "in `c` the old cell state counts as positive: mind its sign": f * 2.0 + i * g,
    }
    about_h = {
        "`h` lacks the tanh of the cell state": o * c,
        "`h` lacks the output gate": tanh(c),
        "`h` is made from the old cell state: use the new one": o * tanh(-2.0),
        "`h` has the wrong sign": -h,
    }
    return first_match(got["c"], about_c, 0.01) or first_match(got["h"], about_h, 0.01)


register(
    "one_step_by_hand",
    chapter="cell-state",
    title="One step by hand",
    reference=new_state,
    diagnose=diagnose_by_hand,
    tolerance=0.01,
)


# From half-life to forget bias


def draw_half_lives(rng):
    """Draw half-lives between half a step and some hundreds of steps."""
    return (np.exp(rng.uniform(np.log(0.5), np.log(500), rng.integers(2, 7))),)


def bias_of(half_life):
    """Return b with sigmoid(b) = 2 ** (-1 / half_life), in a form that loses no digits."""
    return -np.log(np.expm1(np.log(2) / half_life))


def diagnose_bias(got, want, inputs):
    (n,) = inputs
    f = 2 ** (-1 / n)
    turns = {
        "this is the forget gate itself: the bias is what the sigmoid turns into it": f,
        "this is ln f: the bias is what the sigmoid turns into f": np.log(f),
        "the sign is turned over: with it the longest half-life would get the shortest memory": -want,
        "after this time a share 1/e is left, not a half: where does ln 2 go?": -np.log(np.expm1(1 / n)),
        "the sigmoid is solved the wrong way: set 1 / (1 + exp(-b)) equal to f": np.log(f / (1 + f)),
        "this is the logarithm of the half-life: it lacks ln 2, and is only right for long half-lives": np.log(n),
        "this is close for long half-lives and wrong for short ones: solve the sigmoid exactly": np.log(n / np.log(2)),
    }
    return first_match(got, turns)


register(
    "bias_for_half_life",
    chapter="cell-state",
    title="The forget bias for a half-life",
    draw=draw_half_lives,
    reference=bias_of,
    diagnose=diagnose_bias,
    tolerance=1e-8,
    names=("bias",),
)


# How long until it turns


def climb_and_turn(f, up=100):
    """Return how many steps of -1 it takes until a cell state that climbed for `up` steps is negative."""
    c, steps = 0.0, 0
    for _ in range(up):
        c = f * c + 1
    while c >= 0:
        c, steps = f * c - 1, steps + 1
    return steps


FORGET_GATES = (0.8, 0.95, 0.995, 1.0)


def diagnose_turn(got, want, inputs):
    half_lives = [4, 14, 139]
    turns = {
        "`h` has the sign of the cell state, not that of the candidate: how high has the cell state climbed?": [1] * 4,
        "only at f = 1 does the cell state climb to 100: elsewhere some of it is lost at every step": [101] * 4,
        "at f = 1 the cell state is 0 after as many steps down as up, and `h` is 0: when is it negative?": [
            *want[:3],
            100,
        ],
        "these are the steps before it turns: count the one at which `h` is negative as well": [n - 1 for n in want],
        "at f = 0.995 a hundred steps are too few to climb to the top: how high does it stand?": [*half_lives, want[3]],
    }
    return first_match(got, turns, 1e-6)


register(
    "steps_to_turn",
    chapter="cell-state",
    title="How long until it turns?",
    reference=lambda: [climb_and_turn(f) for f in FORGET_GATES],
    diagnose=diagnose_turn,
    names=tuple(f"f = {f:g}" for f in FORGET_GATES),
)


# The two parts of one step's Jacobian


def draw_step(rng):
    """Draw what the paths of one step need: gates, the cell state and output gate before, recurrent weights."""
    H = int(rng.integers(2, 7))
    f, i, o_prev = sigmoid(rng.normal(size=(3, H)))
    return f, i, tanh(rng.normal(size=H)), 1.5 * rng.normal(size=H), o_prev, rng.normal(size=(4 * H, H))


def split_step(f, i, g, c_prev, o_prev, weight_hh):
    """Return dc_t/dc_(t-1), direct and through h, by the package's step back."""
    H = len(f)
    tanh_c = tanh(c_prev)
    given = [np.tile(each, (H, 1)) for each in (0 * f[:1], o_prev * tanh_c, c_prev, i, f, g, 0 * f, 0 * f, 0 * f)]
    cache = CellCache(*given, np.zeros((4 * H, 1), f.dtype), weight_hh, None)
    _, (d_h, d_c), _ = lstm_cell_backward(np.zeros((H, H), f.dtype), np.eye(H, dtype=f.dtype), cache)
    return d_c, d_h * o_prev * tanh_slope(tanh_c)


def diagnose_split(got, want, inputs):
    f, i, g, c_prev, o_prev, weight_hh = inputs
    direct, through = want
    slope = tanh_slope(tanh(c_prev))
    W_i, W_f, W_g, _ = np.split(weight_hh, 4)
    by_i, by_f, by_g = (each[:, None] for each in (g * sigmoid_slope(i), c_prev * sigmoid_slope(f), i * tanh_slope(g)))
    turns = {
        "it stops at h: how much does h itself move when c does?": through / (o_prev * slope),
        "the slope of the tanh that makes h is missing": through / slope,
        "the output gate that makes h is missing": through / o_prev,
        "it is transposed: row j belongs to unit j of the new cell state": through.T,
        "it holds the direct path too: return the part through h alone": direct + through,
        "the slopes of the gates are missing": (g[:, None] * W_i + c_prev[:, None] * W_f + i[:, None] * W_g)
        * (o_prev * slope),
        "the forget gate's share is missing": (by_i * W_i + by_g * W_g) * (o_prev * slope),
        "the gates' rows stand in the order i, f, g, o": (by_i * W_f + by_f * W_i + by_g * W_g) * (o_prev * slope),
        "a gate's slopes scale the rows of its weights, not the columns": (by_i.T * W_i + by_f.T * W_f + by_g.T * W_g)
        * (o_prev * slope),
    }
    return first_match(
        got, {f"`direct` is right; `through_h`: {words}": (direct, each) for words, each in turns.items()}
    )


register(
    "split_one_step",
    chapter="cell-state",
    title="One step, two parts",
    draw=draw_step,
    reference=split_step,
    names=("direct", "through_h"),
    axes=("H H", "H H"),
    diagnose=diagnose_split,
)


# A measurement with a fault


def draw_run(rng):
    """Draw inputs, a cell state, an output gate and weights."""
    T, D, H = int(rng.integers(1, 6)), int(rng.integers(1, 4)), int(rng.integers(2, 5))
    x, c_t, o_t = rng.normal(size=(T, D)), rng.normal(size=H), sigmoid(rng.normal(size=H))
    return x, c_t, o_t, rng.normal(size=(4 * H, D)), 1.5 * rng.normal(size=(4 * H, H)), rng.normal(size=4 * H)


def influence(x, c_t, o_t, weight_ih, weight_hh, bias, moving_h=True):
    """Return dc_T/dc_t with h_t = o_t * tanh(c_t), by the package's step back."""
    H = len(c_t)
    weights = weight_ih, weight_hh, bias, np.zeros_like(bias)
    state, caches = (np.tile(o_t * tanh(c_t), (H, 1)), np.tile(c_t, (H, 1))), []
    for x_t in x:
        state, cache = lstm_cell(np.tile(x_t, (H, 1)), state, *weights)
        caches.append(cache)
    d_h, d_c = np.zeros((H, H)), np.eye(H)
    for cache in reversed(caches):
        _, (d_h, d_c), _ = lstm_cell_backward(d_h, d_c, cache)
    return d_c + d_h * o_t * tanh_slope(tanh(c_t)) * moving_h


def diagnose_influence(got, want, inputs):
    x, c_t, o_t, weight_ih, weight_hh, bias = inputs
    state, direct = (o_t * tanh(c_t), c_t), np.ones_like(c_t)
    for x_t in x:
        state, cache = lstm_cell(x_t, state, weight_ih, weight_hh, bias, 0 * bias)
        direct = direct * cache.f
    still = influence(*inputs, moving_h=False)
    turns = {
        "the hidden state stands still while the cell state is nudged: what is h_t made of?": still,
        "the hidden state stands still while the cell state is nudged, and rows and columns are exchanged": still.T,
        "rows and columns are exchanged: row j belongs to unit j of the last cell state": want.T,
        "this is the direct path alone: a nudge travels through h as well": np.diag(direct),
        "this is twice the slope: a nudge up and one down lie two `eps` apart": 2 * want,
    }
    return first_match(got, turns, 1e-5)


register(
    "mended_influence",
    chapter="cell-state",
    title="A nudge that does not arrive",
    draw=draw_run,
    reference=influence,
    names=("jacobian",),
    axes=("H H",),
    diagnose=diagnose_influence,
    tolerance=1e-6,
    dtypes=("float64",),
    trials=8,
)


# A running mean from one unit


def draw_half_life(rng):
    return (float(np.exp(rng.uniform(np.log(0.7), np.log(60)))),)


def verify_running_mean(answer, rng, half_life):
    """Run the unit in the package's LSTM beside the running mean that it should hold."""
    lstm = LSTM(1, 1, dtype="float64")
    names = "weight_ih_l0", "weight_hh_l0", "bias_ih_l0"
    values = dict(zip(names, (np.asarray(each, float) for each in answer)))
    bad = [
        name.removesuffix("_ih_l0" if "bias" in name else "_l0")
        for name in names
        if not np.isfinite(values[name]).all()
    ]
    if bad:
        return f"`{bad[0]}` holds a value that is not a number"
    lstm.load_state_dict(values | {"bias_hh_l0": np.zeros(4)})
    x = rng.normal(size=(80, 1))
    *_, gates = lstm(x, return_gates=True)
    i, f, g, c = (each[:, 0] for each in (gates.i, gates.f, gates.g, gates.c))
    keep = 2 ** (-1 / half_life)
    if np.any(values["weight_hh_l0"][:3]):
        return "`weight_hh` is not zero: what is kept and written should not depend on h"
    if np.ptp(f) > 1e-9 or np.ptp(i) > 1e-9:
        return f"the {'forget' if np.ptp(f) > 1e-9 else 'input'} gate moves with x: it should stand at one opening"
    if not np.allclose(f, keep, rtol=1e-6):
        return f"the forget gate keeps too {'much' if f[0] > keep else 'little'} for this half-life"
    if not np.allclose(g, tanh(x[:, 0])):
        return "the candidate is not tanh(x): look at row g of `weight_ih` and of the bias"
    if not np.allclose(i, 1 - f):
        return (
            f"the input gate lets too {'much' if i[0] > 1 - keep else 'little'} in: kept and written should add up to 1"
        )
    mean = [0.0]
    for value in tanh(x[:, 0]):
        mean.append(keep * mean[-1] + (1 - keep) * value)
    return None if np.allclose(c, mean[1:]) else "the cell state is not the running mean of tanh(x)"


register(
    "running_mean_unit",
    chapter="cell-state",
    title="A cell state that cannot run away",
    draw=draw_half_life,
    reference=lambda half_life: (np.zeros((4, 1)), np.zeros((4, 1)), np.zeros(4)),
    verify=verify_running_mean,
    names=("weight_ih", "weight_hh", "bias"),
    axes=("4H D", "4H H", "4H"),
    dtypes=("float64",),
)


# An experiment: the half-life in a box


class CellBox:
    """One LSTM unit with a forget gate that stands still; it shows h and nothing else, and runs twenty times."""

    def __init__(self, rng):
        self.half_life, self.asked, self.runs = float(np.exp(rng.uniform(np.log(2), np.log(40)))), [], 0
        self.f, self.i, self.o = 0.5 ** (1 / self.half_life), *rng.uniform(0.3, 0.95, 2)
        self.weight, settled = rng.choice([-1, 1], 2) * rng.uniform([0.3, 0.5], [1.0, 1.4])
        self.bias = np.arctanh(np.clip(settled * (1 - self.f) / self.i, -0.8, 0.8))  # where c comes to rest

    def __deepcopy__(self, memo):
        return copy.copy(self)  # shares `asked`, so that the diagnosis can speak about the experiment

    def __call__(self, x):
        x = np.array(x, float)
        if x.ndim != 1 or not 1 <= len(x) <= 1000:
            raise ValueError(f"the unit reads one sequence of 1 to 1000 numbers, got shape {x.shape}")
        self.runs += 1
        if self.runs > 20:
            raise RuntimeError("the unit runs twenty times, and this was one time more")
        self.asked.append(x)
        c, found = 0.0, []
        for g in tanh(self.weight * x + self.bias):
            c = self.f * c + self.i * g
            found.append(self.o * tanh(c))
        return np.array(found)


def diagnose_half_life(got, want, inputs):
    (box,) = inputs
    if not box.asked:
        return "the unit was not run"
    turns = {
        "this is the forget gate, a share that is kept: the half-life is a number of steps": box.f,
        "after this time a share 1/e is left: where does ln 2 go?": want / np.log(2),
    }
    said = first_match(got, turns, 0.03)
    if said:
        return said
    if not 0 < got < np.inf:
        return "a half-life is a positive number of steps"
    off = f"{abs(got / want - 1):.0%}" if got < 10 * want else "many times"
    how = f"this is {off} too {'long' if got > want else 'short'}"
    nudges = [np.abs(x - np.median(x)) for x in box.asked if np.ptp(x) > 0]
    if not nudges:
        return f"{how}: in none of your runs does the input ever change"
    size, first = max(map(np.max, nudges)), min(int(np.argmax(nudge > 0)) for nudge in nudges)
    if size > 0.3:
        return f"{how}: a nudge of {size:.3g} moves c so far that tanh bends, and half of h is no longer half of c"
    if first < 4 * want:
        return f"{how}: you nudged at step {first}, when the unit was still on its way from an empty cell"
    if any(np.ptp(x) == 0 for x in box.asked):
        return f"{how}: the half lies between two steps; take the share that is left after a few more of them"
    return f"{how}: what would h have been without the nudge? It is not 0, since the unit also writes in silence"


register(
    "half_life_of",
    chapter="cell-state",
    title="The half-life in a box",
    draw=lambda rng: (CellBox(rng),),
    reference=lambda box: box.half_life,
    diagnose=diagnose_half_life,
    tolerance=0.03,
    dtypes=("float64",),
)
