"""The exercises of the chapter cell-state."""

import operator

import numpy as np

from lstm_tutorial.exercises import Box, exercise, first_match, identity
from lstm_tutorial.in_numpy import lstm_cell, lstm_cell_backward, sigmoid, sigmoid_slope, tanh, tanh_slope


@exercise(
    "One step by hand",
    turns={
        "`c` went through tanh: the cell state is passed on as it is, only `h` needs its tanh": dict(passed_on=tanh),
        "in `c` the input gate keeps and the forget gate writes: exchange the two": dict(keeps="i", writes="f"),
        "`c` lacks what is written": dict(writes="none"),
        "`c` lacks what is kept": dict(keeps="none"),
        "in `c` the old cell state is kept whole: where is the forget gate?": dict(keeps="all"),
        "in `c` the candidate is written whole: where is the input gate?": dict(writes="all"),
        "in `c` the candidate goes through a sigmoid where tanh is expected": dict(squash=sigmoid),
        "`h` lacks the tanh of the cell state": dict(bounded=identity),
        "`h` lacks the output gate": dict(shows="all"),
        "`h` is computed from the old cell state: use the new one": dict(shown="old"),
    },
    tolerance=0.01,
)
def one_step_by_hand(
    *, z_i=-1.0, z_f=2.0, z_g=0.5, z_o=1.0, c_prev=-2.0,
    squash=tanh, keeps="f", writes="i", shows="o", passed_on=identity, bounded=tanh, shown="new",
):  # fmt: skip
    gates = {"i": sigmoid(z_i), "f": sigmoid(z_f), "o": sigmoid(z_o), "all": 1, "none": 0}
    c = passed_on(gates[keeps] * c_prev + gates[writes] * squash(z_g))
    return {"c": c, "h": gates[shows] * bounded(c if shown == "new" else c_prev)}


@exercise(
    "The forget bias for a half-life",
    draw=lambda trial: (np.exp(trial.rng.uniform(np.log(0.5), np.log(500), trial.sizes("B"))),),
    names="bias",
    axes="B",
    turns={
        "this is the forget gate itself: which bias does the sigmoid map to it?": dict(bias=lambda n: 2 ** (-1 / n)),
        "this is ln f: which bias does the sigmoid map to f?": dict(bias=lambda n: -np.log(2) / n),
        "after this time a share 1/e is left, not a half: where is ln 2?": dict(share=np.e),
        "the share of a step is 2 to the power -1 / n, not -n": dict(bias=lambda n: -np.log(np.expm1(n * np.log(2)))),
        "this is close for long half-lives and wrong for short ones: solve the sigmoid exactly": [
            dict(bias=lambda n: np.log(n / np.log(2))),
            dict(bias=np.log),
        ],
    },
    tolerance=1e-8,
)
def bias_for_half_life(half_life, *, share=2, bias=None):
    """Return b with sigmoid(b) = share ** (-1 / half_life), in a form that loses no digits."""
    return bias(half_life) if bias else -np.log(np.expm1(np.log(share) / half_life))


@exercise(
    "How long until it turns?",
    names="f = 0.8, f = 0.95, f = 0.995, f = 1",
    turns={
        "`h` has the sign of the cell state, not that of the candidate: how high is the cell state?": dict(up=0),
        "only at f = 1 is the cell state 100: elsewhere some of it is lost at every step": dict(gates=(1,) * 4),
        "at f = 1 the cell state is 0 after as many steps down as up, and `h` is 0: when is it negative?": dict(
            is_up=operator.gt
        ),
        "these are the steps before it turns: count the one at which `h` is negative as well": dict(counted=-1),
        "at f = 0.995 a hundred steps are too few to reach the highest value: how high is it then?": dict(top=True),
    },
)
def steps_to_turn(*, gates=(0.8, 0.95, 0.995, 1.0), up=100, is_up=operator.ge, counted=0, top=False):
    found = []
    for f in gates:
        c, steps = (1 / (1 - f) if top and f < 1 else sum(f**k for k in range(up))), counted
        while is_up(c, 0):
            c, steps = f * c - 1, steps + 1
        found.append(steps)
    return found


def draw_step(trial):
    """Draw what the paths of one step need: gates, the cell state and output gate before, recurrent weights."""
    (H,) = trial.sizes("H")
    f, i, o_prev = sigmoid(trial.normal(3, H))
    return f, i, tanh(trial.normal(H)), 1.5 * trial.normal(H), o_prev, trial.normal(4 * H, H)


@exercise(
    "One step, two parts",
    draw=draw_step,
    names="direct, through_h",
    axes="H H, H H",
    turns={
        "the slopes of the sigmoids and of tanh are missing": dict(flat="ifg"),
        "the slopes of the two sigmoids are missing": dict(flat="if"),
        **{f"the term of {name} lacks its slope": dict(flat=name) for name in "ifg"},
        **{f"the term of {name} lacks what {name} multiplies": dict(bare=name) for name in "ifg"},
        **{f"the term of {name} has neither slope nor factor": dict(flat=name, bare=name) for name in "ifg"},
        **{f"the term of {name} is missing": dict(terms="ifg".replace(name, "")) for name in "ifg"},
        "the candidate is a tanh: its slope is 1 - g**2": dict(turned="g"),
        "the gates are sigmoids: their slope is s * (1 - s)": [dict(turned=names) for names in ("if", "i", "f")],
        "`through_h` stops at h: how much does h itself change when c does?": dict(moves=lambda o, t: 1),
        "the slope of the tanh in h is missing": dict(moves=lambda o, t: o),
        "the output gate in h is missing": dict(moves=lambda o, t: 1 - t**2),
        "`c_prev` is no tanh yet: its slope is that where the value is tanh(c_prev)": dict(inner=identity),
        "`through_h` holds the direct path too: return the part through h alone": dict(total=True),
        "the rows of the weights are in the order i, f, g, o": [dict(order="figo"), dict(order="igfo")],
        "the slopes scale the rows of the weights, not the columns": dict(rows=False),
        "the slope of h scales the columns, not the rows: column k belongs to unit k of c": dict(h_rows=True),
    },
)
def split_one_step(
    f, i, g, c_prev, o_prev, weight_hh,
    *, moves=lambda o, t: o * (1 - t**2), inner=tanh, flat="", bare="", terms="ifg", turned="", order="ifgo",
    rows=True, h_rows=False, total=False,
):  # fmt: skip
    W, by_h = dict(zip(order, np.split(weight_hh, 4))), np.zeros((len(f), len(f)))  # (H, H) each
    for name, value, factor in (("i", i, g), ("f", f, c_prev), ("g", g, i)):
        slope = (tanh_slope if (name == "g") != (name in turned) else sigmoid_slope)(value)
        scale = (1 if name in flat else slope) * (np.ones_like(f) if name in bare else factor)
        by_h = by_h + (name in terms) * (scale[:, None] if rows else scale) * W[name]
    h_by_c = np.broadcast_to(moves(o_prev, inner(c_prev)), f.shape)
    return np.diag(f), by_h * (h_by_c[:, None] if h_rows else h_by_c) + total * np.diag(f)


def draw_run(trial):
    """Draw inputs, a cell state, an output gate and weights."""
    T, D, H = trial.sizes("T D H", high=5)
    x, c_t, o_t = trial.normal(T, D), trial.normal(H), sigmoid(trial.normal(H))
    return x, c_t, o_t, trial.normal(4 * H, D), 1.5 * trial.normal(4 * H, H), trial.normal(4 * H)


@exercise(
    "A change that does not arrive",
    draw=draw_run,
    names="jacobian",
    axes="H H",
    turns={
        "the hidden state does not change with the cell state: what is h_t computed from?": dict(moves_h=False),
        "this is the direct path alone: a change passes through h as well": dict(later_h=False),
        "h_t is o_t * tanh(c_t): the output gate is missing": dict(shows=False),
        "h_t is o_t * tanh(c_t): the tanh is missing": dict(bounded=identity),
    },
    tolerance=1e-6,
    dtypes=("float64",),
)
def mended_influence(x, c_t, o_t, weight_ih, weight_hh, bias, *, moves_h=True, later_h=True, shows=True, bounded=tanh):
    """Return dc_T/dc_t with h_t = o_t * tanh(c_t), by the package's backward pass of a step."""
    H, o_t = len(c_t), o_t if shows else np.ones_like(o_t)
    state, caches = (np.tile(o_t * bounded(c_t), (H, 1)), np.tile(c_t, (H, 1))), []
    for x_t in x:
        state, cache = lstm_cell(np.tile(x_t, (H, 1)), state, weight_ih, weight_hh, bias, 0 * bias)
        caches.append(cache)
    d_h, d_c = np.zeros((H, H)), np.eye(H)
    for cache in reversed(caches):
        _, (d_h, d_c), _ = lstm_cell_backward(d_h * later_h, d_c, cache)
    slope = tanh_slope(tanh(c_t)) if bounded is tanh else 1
    return d_c + d_h * o_t * slope * (moves_h and later_h)


@exercise(
    "A cell state that cannot run away",
    draw=lambda trial: (trial.log_uniform(0.7, 60),),
    names="weight_ih, weight_hh, bias",
    axes="4H D, 4H H, 4H",
    turns={
        "f and i should add up to 1: which bias gives 1 - f?": [dict(turn=-1), dict(turn=0)],
        "the forget gate keeps too little: after this time a share 1/e is left, not a half": dict(base=np.e),
        "the forget gate changes with x: it should have one value": dict(x_f=1.0),
        "the input gate changes with x: it should have one value": dict(x_i=1.0),
        "`weight_hh` is not zero: what is kept and written should not depend on h": dict(recurrent=1.0),
    },
    tolerance=1e-6,
    dtypes=("float64",),
)
def running_mean_unit(half_life, *, base=2, turn=1, x_i=0.0, x_f=0.0, recurrent=0.0):
    b = bias_for_half_life(half_life, share=base)
    return np.array([[x_i], [x_f], [1.0], [0.0]]), np.full((4, 1), recurrent), np.array([-turn * b, b, 0.0, 0.0])


class CellBox(Box):
    """One LSTM unit with constant gates, of which only h can be seen."""

    runs, budget = 20, "the unit runs twenty times"

    def __init__(self, trial):
        super().__init__()
        rng = trial.rng
        self.half_life = trial.log_uniform(2, 40)
        self.f, self.i, self.o = 0.5 ** (1 / self.half_life), *rng.uniform(0.3, 0.95, 2)
        weight, settled = trial.choice(0.3, 1.0, rng.uniform(0.3, 1.0)), trial.choice(0.5, 1.4, rng.uniform(0.5, 1.4))
        self.weight, settled = rng.choice([-1, 1], 2) * [weight, settled]
        self.bias = np.arctanh(np.clip(settled * (1 - self.f) / self.i, -0.8, 0.8))  # where c settles

    def answer(self, x):
        x = np.array(x, float)
        if x.ndim != 1 or not 1 <= len(x) <= 1000:
            raise ValueError(f"the unit reads one sequence of 1 to 1000 numbers, got shape {x.shape}")
        self.asked.append(x)
        c, found = 0.0, []
        for g in tanh(self.weight * x + self.bias):
            c = self.f * c + self.i * g
            found.append(self.o * tanh(c))
        return np.array(found)


def diagnose_half_life(got, want, box):
    if not box.asked:
        return "the unit was not run"
    turns = {
        "this is the forget gate, a share that is kept: the half-life is a number of steps": box.f,
        "after this time a share 1/e is left: where is ln 2?": want / np.log(2),
    }
    said = first_match(got, turns, 0.03)
    if said:
        return said
    how = f"this is too {'long' if got > want else 'short'}"
    changes = [np.abs(x - np.median(x)) for x in box.asked if np.ptp(x) > 0]
    if not changes:
        return f"{how}: in none of your runs does the input ever change"
    size, first = max(map(np.max, changes)), min(int(np.argmax(change > 0)) for change in changes)
    if size > 0.3:
        return f"{how}: a change of {size:.3g} is so large that tanh is no straight line: h does not halve with c"
    if first < 4 * want:
        return f"{how}: you changed the input at step {first}, when the cell state had not settled yet"
    if any(np.ptp(x) == 0 for x in box.asked):
        return f"{how}: the half lies between two steps; take the share that is left after a few more of them"
    return f"{how}: what would h have been without the change? It is not 0, since the unit also writes at input 0"


@exercise(
    "The half-life in a box",
    draw=lambda trial: (CellBox(trial),),
    diagnose=diagnose_half_life,
    tolerance=0.03,
    dtypes=("float64",),
    trials=18,
)
def half_life_of(box):
    return box.half_life
