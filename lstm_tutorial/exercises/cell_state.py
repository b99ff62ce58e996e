"""The exercises of the chapter cell-state."""

import numpy as np

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
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


# A sequence of cell states


def draw_openings(rng):
    """Draw what the gates did over time, and the cell state before."""
    T, H = draw_sizes(rng, 2)
    return (
        sigmoid(rng.normal(size=(T, H))),
        sigmoid(rng.normal(size=(T, H))),
        tanh(rng.normal(size=(T, H))),
        2 * rng.normal(size=H),
    )


def all_cell_states(f, i, g, c_0, squash=lambda c: c):
    c, found = c_0, []
    for t in range(len(f)):
        c = squash(f[t] * c + i[t] * g[t])
        found.append(c)
    return np.stack(found)


def diagnose_states(got, want, inputs):
    f, i, g, c_0 = inputs
    late = np.concatenate([c_0[None], want[:-1]])
    squashed = all_cell_states(f, i, g, c_0, tanh)
    turns = {
        "every step starts from `c_0` again: hand the new cell state on to the next step": f * c_0 + i * g,
        "the first step starts from zeros, not from `c_0`": all_cell_states(f, i, g, np.zeros_like(c_0)),
        "the cell state is squashed on its way: no tanh stands between one cell state and the next": squashed,
        "the input gate keeps and the forget gate writes: it is the other way round": all_cell_states(i, f, g, c_0),
        "what is kept is missing": i * g,
        "the list starts with `c_0` and lacks the last state: it should hold the states after each step": late,
        "nothing is forgotten: the forget gate is left out": c_0 + np.cumsum(i * g, axis=0),
    }
    return first_match(got, turns)


register(
    "cell_states",
    chapter="cell-state",
    title="All cell states of a sequence",
    draw=draw_openings,
    reference=all_cell_states,
    names=("c",),
    axes=("T H",),
    diagnose=diagnose_states,
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
    mean = all_cell_states(np.full(80, keep), np.full(80, 1 - keep), tanh(x[:, 0]), 0.0)
    return None if np.allclose(c, mean) else "the cell state is not the running mean of tanh(x)"


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
