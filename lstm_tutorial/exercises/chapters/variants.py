"""The exercises of the chapter variants."""

from itertools import product

import numpy as np

from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.exercises.chapters.numpy_lstm import other_words
from lstm_tutorial.in_numpy import gru_cell, sigmoid, tanh
from lstm_tutorial.in_numpy.variants import layer_norm_cell

MADE_OF = {
    "r": "the sigmoid of 0.3 x − 1.2 h",
    "u": "the sigmoid of 0.4 x + 0.8 h − 0.1",
    "n": "the tanh of what comes from x plus r times what comes from h",
    "h": "(1 − u) times n plus u times the old h",
}


@exercise(
    "A step of a GRU by hand",
    names=", ".join(MADE_OF),
    turns={
        "this multiplies h by r before its weight, as the paper does: here r multiplies all that comes from h": dict(
            n_of=lambda r, from_x, h, b_hn: from_x + r * h + b_hn
        ),
        "r multiplies what comes from x as well": dict(n_of=lambda r, from_x, h, b_hn: r * (from_x + h + b_hn)),
        "r does not enter n": dict(n_of=lambda r, from_x, h, b_hn: from_x + h + b_hn),
        "n is a new value and may be negative: tanh, not the sigmoid": dict(squash=sigmoid),
        "u decides what is kept: it multiplies the old h": dict(mix=lambda u, n, h: u * n + (1 - u) * h),
        "this adds n whole: a GRU averages, with 1 − u and u": dict(mix=lambda u, n, h: n + u * h),
    },
    diagnose=lambda got, want: next(
        f"`{name}` is {words}" for (name, words), a, b in zip(MADE_OF.items(), got, want) if abs(a - b) > 0.005
    ),
    decimals=2,
)
def gru_by_hand(
    *, x=2.0, h=0.5, b_hn=0.7,
    n_of=lambda r, from_x, h, b_hn: from_x + r * (h + b_hn), squash=tanh, mix=lambda u, n, h: (1 - u) * n + u * h,
):  # fmt: skip
    r, u = sigmoid(0.3 * x - 1.2 * h), sigmoid(0.4 * x + 0.8 * h - 0.1)
    n = squash(n_of(r, 0.1 * x + 0.2, h, b_hn))
    return [float(each) for each in (r, u, n, mix(u, n, h))]


def draw_step(trial):
    """Draw an input, a hidden state and the weights of a GRU."""
    B, D, H = trial.sizes("B D H")
    shapes = (3 * H, D), (3 * H, H), (3 * H,), (3 * H,)
    return trial.normal(B, D), trial.normal(B, H), *(trial.normal(*shape) for shape in shapes)


def gru_step(
    x, h, weight_ih, weight_hh, bias_ih, bias_hh,
    *, reset="after", rows="run", squash=tanh, mix=lambda u, n, h: (1 - u) * n + u * h,
):  # fmt: skip
    """Return the new h of a GRU; `reset` says what the reset gate multiplies."""
    from_x = dict(zip(rows, np.split(x @ weight_ih.T + bias_ih, 3, axis=-1)))
    from_h = dict(zip(rows, np.split(h @ weight_hh.T + bias_hh, 3, axis=-1)))
    k = rows.index("n") * h.shape[-1]
    W_hn, b_hn = weight_hh[k : k + h.shape[-1]], bias_hh[k : k + h.shape[-1]]
    r, u = (sigmoid(from_x[gate] + from_h[gate]) for gate in "ru")
    z_n = {
        "after": lambda: from_x["n"] + r * from_h["n"],
        "before": lambda: from_x["n"] + (r * h) @ W_hn.T + b_hn,
        "product": lambda: from_x["n"] + r * (h @ W_hn.T) + b_hn,
        "all": lambda: r * (from_x["n"] + from_h["n"]),
        "nothing": lambda: from_x["n"] + from_h["n"],
        "with bias": lambda: from_x["n"] + (r * (h + b_hn)) @ W_hn.T,
    }[reset]()
    return mix(u, squash(z_n), h)


def diagnose_gru(got, want, x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Say which of u, r and n alone would have to be another for the new h to be this."""
    (r_x, u_x, n_x), (r_h, u_h, n_h) = (
        np.split(v @ weight.T + bias, 3, axis=-1)
        for v, weight, bias in ((x, weight_ih, bias_ih), (h, weight_hh, bias_hh))
    )
    r, u = sigmoid(r_x + r_h), sigmoid(u_x + u_h)
    n = tanh(n_x + r * n_h)
    with np.errstate(all="ignore"):
        other_n = (got - u * h) / (1 - u)
        other_r, other_u = (np.arctanh(other_n) - n_x) / n_h, (got - n) / (h - n)
    if np.all((other_r > 0) & (other_r < 1)):
        return (
            "all but the reset gate fits: it is a sigmoid of what comes from x and what comes from h, in its own rows"
        )
    if np.all((other_u > 0) & (other_u < 1)):
        return (
            "all but the update gate fits: it is a sigmoid of what comes from x and what comes from h, in its own rows"
        )
    if np.all(abs(other_n) < 1):
        return "the last line fits, n does not: it is the tanh of what comes from x plus r times what comes from h"
    return "it is not (1 − u) times n plus u times the old h"


OTHER_ROWS = [dict(rows=rows) for rows in ("urn", "nur", "rnu", "unr", "nru")]
REPLACES = dict(mix=lambda u, n, h: u * n + (1 - u) * h)


@exercise(
    "Three faults in a GRU",
    draw=draw_step,
    names="h",
    axes="B H",
    same_as=lambda *inputs: gru_cell(*inputs)[0],
    combine=3,
    turns={
        "the rows are split in the wrong order": OTHER_ROWS[:1],
        "the reset gate multiplies what comes from x too: it belongs to what comes from h alone": dict(reset="all"),
        "the update gate is the wrong way round: at u = 1 the old h is kept": REPLACES,
        "this is the form of the paper: PyTorch multiplies by r after the product with W_hn": dict(reset="before"),
        "the bias b_hn stands outside of the reset gate": dict(reset="product"),
        "the reset gate is missing": dict(reset="nothing"),
        "the new value lacks its tanh": dict(squash=identity),
        "the rows are in some other order than r, u, n": OTHER_ROWS[1:],
    },
    diagnose=diagnose_gru,
)
def repaired_gru(x, h, weight_ih, weight_hh, bias_ih, bias_hh, **options):
    return gru_step(x, h, weight_ih, weight_hh, bias_ih, bias_hh, **options)


class LibraryBox(Box):
    """A step of a GRU with conventions that nobody has written down."""

    runs, budget = 3, "the library runs three times"

    def __init__(self, trial):
        super().__init__()
        self.rows, self.reset, self.update = trial.choice(
            *product(("run", "urn"), ("before", "after"), ("keeps", "replaces"))
        )

    def answer(self, x, h, weight_ih, weight_hh, bias_ih, bias_hh):
        x, h, *weights = (np.asarray(each, float) for each in (x, h, weight_ih, weight_hh, bias_ih, bias_hh))
        self.asked.append((h.shape[-1], weights))
        mix = REPLACES if self.update == "replaces" else {}
        return gru_step(x, h, *weights, rows=self.rows, reset=self.reset, **mix)


def diagnose_library(got, want, library):
    if not library.asked:
        return "the library was not run"
    wrong = next(key for key in ("rows", "update", "reset") if got[key] != want[key])
    if wrong == "rows":
        why = "which block decides how much of the old h is left? Give one block a large bias, the other none"
    elif wrong == "update":
        why = "with a large bias of the update gate, is the new h the old one, or does it no longer depend on it?"
    elif all(H == 1 and not weights[3][2:].any() for H, weights in library.asked):
        why = "with one unit and without b_hn both forms are the same"
    else:
        why = "compute one step in both forms, with several units and with a bias b_hn, and compare"
    return f"`{wrong}` is not right: {why}"


@exercise(
    "Which GRU is in the library?",
    draw=lambda trial: (LibraryBox(trial),),
    diagnose=diagnose_library,
    words="run, urn, before, after, keeps, replaces",
    dtypes=("float64",),
    trials=24,
)
def library_conventions(library):
    return {"rows": library.rows, "reset": library.reset, "update": library.update}


def draw_coupled(trial):
    """Draw the weights of a cell with coupled gates, in the order f, g, o."""
    D, H = trial.sizes("D H")
    return trial.normal(3 * H, D), trial.normal(3 * H, H), trial.normal(3 * H)


@exercise(
    "Coupled gates inside an LSTM",
    draw=draw_coupled,
    names="weight_ih, weight_hh, bias",
    axes="4H D, 4H H, 4H",
    turns={
        "the rows of i are those of f, so that i = f: it should be 1 − f": dict(i=lambda f: f),
        "rows of zeros for i make i = 0.5 at every step": dict(i=lambda f: 0 * f),
        "the gate is 1 − f, its pre-activation is not 1 minus that of f: which z gives σ(z) = 1 − σ(z_f)?": dict(
            i=lambda f: 1 - f
        ),
        "the rows of i belong at the top and those of f below: i, f, g, o": dict(rows="figo"),
        "the bias of i has the sign of that of f: the whole pre-activation changes its sign": dict(i_bias=lambda f: f),
    },
)
def coupled_as_lstm(weight_ih, weight_hh, bias, *, i=np.negative, i_bias=None, rows="ifgo"):
    def stacked(array, i):
        blocks = dict(zip("fgo", np.split(array, 3)))
        return np.concatenate([(blocks | {"i": i(blocks["f"])})[row] for row in rows])

    return stacked(weight_ih, i), stacked(weight_hh, i), stacked(bias, i_bias or i)


JOBS = {
    "A": ("no", "in A a GRU averages its state with numbers between −1 and 1: can the average leave that range?"),
    "B": ("no", "in B nothing multiplies the old state: how far can one step move it?"),
    "C": ("yes", "in C the state is kept whole, and i = 1 adds the candidate"),
    "D": ("no", "in D nothing but the candidate can ignore a value: can it be 0 for every v, and tanh(v) at a mark?"),
    "E": ("yes", "in E one gate does both: at a mark f = 0 and i = 1, elsewhere f = 1 and i = 0"),
    "F": ("yes", "in F u = 0 replaces the whole state by n, and n may be 0"),
    "G": ("yes", "in G the forget gate may be 1 at every step, and the candidate is 1, −1 or 0"),
    "H": ("no", "in H the cell state is not 0: what is then tanh of it, with nothing to multiply it?"),
}


@exercise("What one unit can do", words="yes, no", turns=other_words(JOBS))
def one_unit_can(**answers):
    return {name: answers.get(name, word) for name, (word, _) in JOBS.items()}


def verify_counter(answer, trial):
    """Run the unit on strings of forty brackets, and compare its state, in units of its first step, with the depth."""
    weight_ih, bias = (np.asarray(each, float) for each in answer)

    def run(moves):
        h, found = np.zeros((len(moves), 1)), []
        for move in moves.T:
            x = np.stack([move == 1, move == -1], axis=-1).astype(float)
            h, _ = gru_cell(x, h, weight_ih, np.zeros((3, 1)), bias, np.zeros(3))
            found.append(h[:, 0])
        return np.stack(found, axis=1)

    step = run(np.array([[1]]))[0, 0]
    if not abs(step) > 0:
        u = sigmoid(weight_ih[1, 0] + bias[1])
        return f"one opening bracket leaves the state at {step:.2g}: with u = {u:.6g} it becomes (1 − u) n"
    move, depth = np.ones(40, int), np.zeros(40, int)
    moves = np.ones((40, 40), int)
    moves[0, 10:20] = moves[0, 30:] = -1  # ten up and ten down, twice
    for t in range(40):
        move = np.where(trial.rng.random(40) < 0.8, move, -move)
        move = np.where(depth == 0, 1, np.where(depth == 10, -1, move))
        moves[1:, t] = move[1:]
        depth = depth + move
    depths, states = np.cumsum(moves, axis=1), run(moves) / step
    wrong = ~(abs(states - depths) < 0.25)
    if wrong.any():
        t = wrong.any(axis=0).argmax()
        row = wrong[:, t].argmax()
        kind = "an opening bracket" if moves[row, t] == 1 else "a closing bracket"
        u = sigmoid(weight_ih[1, 0 if moves[row, t] == 1 else 1] + bias[1])
        words = f"it first goes wrong at {kind}, step {t + 1}: the state says {states[row, t]:.2f} brackets are open"
        return f"{words} where it is {depths[row, t]}; at each step the old state is multiplied by u = {u:.6g}"


@exercise(
    "Ten brackets in a GRU",
    verify=verify_counter,
    names="weight_ih, bias",
    turns={
        "the old state is multiplied by u = 0.88": dict(u=(0, 0, 2)),
        "the old state is multiplied by u = 0.99": dict(u=(0, 0, 6)),
        "one opening bracket leaves the state at 0: with u = 1": dict(u=(0, 0, 60)),
        "one opening bracket leaves the state at 0: with u = 0.9": dict(n=(0, -20, 0), u=(0, 0, 6)),
        "goes wrong at a closing bracket": [dict(n=(20, 0, 0)), dict(n=(0, 0, 20)), dict(u=(12, -12, 0))],
    },
    dtypes=("float64",),
)
def gru_counter(*, r=(0, 0, 0), u=(0, 0, 12), n=(20, -20, 0)):
    table = np.array([r, u, n], float)  # on an opening bracket, on a closing one, and the bias
    return table[:, :2], table[:, 2]


def nearest(D, H, blocks=(3, 4), biases=2):
    """Return how many units of the one cell have as many parameters as H units of the other."""

    def size(blocks, H):
        return blocks * H * (D + H + biases)

    return min(range(1, 3 * H), key=lambda n: abs(size(blocks[0], n) - size(blocks[1], H)))


def draw_size(trial):
    """Draw the size of an LSTM: one at which a bias more or less counts, one with two answers equally near, or any."""
    kind = trial.choice(1, 3, "equally near", "any")
    if kind == "equally near":
        return 5, trial.choice(26, 71)
    while True:
        D, H = int(trial.rng.choice([1, 7, 40, 300])), int(trial.log_uniform(8, 300))
        if kind == "any" or nearest(D, H, biases=kind) != nearest(D, H):
            return D, H


def rounded_down(D, H):
    """Return the largest number of units of a GRU that is not larger than an LSTM."""
    return max(n for n in range(1, 3 * H) if 3 * n * (D + n + 2) <= 4 * H * (D + H + 2))


def diagnose_size(got, want, D, H):
    if not 1 <= got < 3 * H:
        return "it is a number of units, at least 1 and not far above H"
    sizes = 3 * got * (D + got + 2), 4 * H * (D + H + 2)
    return f"with D = {D} a GRU of {got} units has {sizes[0]:,} parameters, an LSTM of {H} units {sizes[1]:,}"


@exercise(
    "Equal size",
    draw=draw_size,
    diagnose=diagnose_size,
    turns={
        "this is equal H: the GRU has one block of rows less, so it is smaller": dict(units=lambda D, H: H),
        "H times 4/3: only the columns of the input grow with H alone, weight_hh grows with its square": [
            dict(units=lambda D, H: round(4 * H / 3)),
            dict(units=lambda D, H: 4 * H // 3),
        ],
        "this is a smaller network: the GRU has three blocks where the LSTM has four, so it gets more units": [
            dict(units=lambda D, H: nearest(D, H, (4, 3))),
            dict(units=lambda D, H: round(3 * H / 4)),
            dict(units=lambda D, H: 3 * H // 4),
        ],
        "this equates `weight_hh` alone: the input's columns and the biases count too": [
            dict(units=lambda D, H: round(H * (4 / 3) ** 0.5)),
            dict(units=lambda D, H: int(H * (4 / 3) ** 0.5)),
        ],
        "the input's columns are left out": dict(units=lambda D, H: nearest(0, H)),
        "this rounds down: the nearest may be the next one": dict(units=rounded_down),
        "this rounds up: the nearest may be the one before": dict(units=lambda D, H: rounded_down(D, H) + 1),
        "a bias is left out: PyTorch has two": [
            dict(units=lambda D, H: nearest(D, H, biases=1)),
            dict(units=lambda D, H: nearest(D, H, biases=0)),
        ],
    },
)
def equal_units(D, H, *, units=nearest):
    return units(D, H)


def draw_normalised(trial):
    """Draw a step with layer norm: input, states, weights, gains."""
    B, D, H = trial.sizes("B D H")
    states = trial.normal(B, D), trial.normal(B, H), trial.normal(B, H)
    weights = trial.normal(4 * H, D), trial.normal(4 * H, H), trial.normal(4 * H)
    gains = (1 + 0.3 * trial.normal(n) for n in (4 * H, 4 * H, H))
    return *states, *weights, *gains, trial.normal(H)


def normalise(z, axis=-1, eps=1e-5, ddof=0, root=np.sqrt):
    """Return z with mean 0 and variance 1."""
    return (z - z.mean(axis, keepdims=True)) / root(z.var(axis, keepdims=True, ddof=ddof) + eps)


def by_gate(z):
    """Normalise the block of each gate on its own."""
    return np.concatenate([normalise(each) for each in np.split(z, 4, axis=-1)], axis=-1)


def diagnose_norm(got, want, *inputs):
    if np.allclose(got[1], want[1], atol=1e-4):
        return None  # the part that is wrong is named
    return "`c` is not right: is each product normalised over its 4H numbers, then scaled, and only then added?"


@exercise(
    "Layer norm in the cell",
    draw=draw_normalised,
    diagnose=diagnose_norm,
    names="h, c",
    order="c, h",
    axes="B H, B H",
    same_as=lambda x, h, c, weight_ih, weight_hh, bias, *gains: layer_norm_cell(
        x, (h, c), weight_ih, weight_hh, bias, 0 * bias, *gains
    )[0],
    turns={
        "the mean is one over the batch: it should be over the units of one sequence": dict(
            norm=lambda z: normalise(z, axis=0)
        ),
        "the sum of the two products is normalised: each should be, on its own": dict(joint=True),
        "each gate is normalised on its own: mean and deviation are over all 4H": dict(products=by_gate),
        "this divides by the variance, not by its root": dict(norm=lambda z: normalise(z, root=identity)),
        "the standard deviation is that of a sample (ddof=1)": dict(norm=lambda z: normalise(z, ddof=1)),
        "the 1e-5 in the root is missing: where all units are equal this is 0/0": dict(
            norm=lambda z: normalise(z, eps=0)
        ),
        "the mean is not subtracted": dict(norm=lambda z: z / np.sqrt(z.var(axis=-1, keepdims=True) + 1e-5)),
        "the products are not normalised": dict(products=identity),
        "the new c is normalised before it is carried on: only what enters the tanh is": dict(carried=True),
        "the old c is normalised before the forget gate multiplies it": dict(before=True),
        "c enters the tanh as it is: normalise it there": dict(shown=lambda n, gain, bias, c: c),
        "gain_c and bias_c are left out": dict(shown=lambda n, gain, bias, c: n),
        "h is normalised after the tanh: the norm comes before it": dict(late=True),
        "the old c is kept whole: where is the forget gate?": dict(keeps="all"),
        "the candidate is written whole: where is the input gate?": dict(writes="all"),
        "nothing is written into c": dict(writes="nothing"),
        "the candidate is subtracted": dict(by={"g": lambda z: -tanh(z)}),
        "the candidate lacks its tanh": dict(by={"g": identity}),
        "a gate lacks its sigmoid": [dict(by={gate: identity}) for gate in "ifo"],
    },
)
def layer_norm_step(
    x, h, c, weight_ih, weight_hh, bias, gain_x, gain_h, gain_c, bias_c,
    *, norm=normalise, products=None, joint=False, carried=False, before=False, late=False,
    shown=lambda n, gain, bias, c: n * gain + bias, by=(), keeps="f", writes="i",
):  # fmt: skip
    from_x, from_h, products = x @ weight_ih.T, h @ weight_hh.T, products or norm
    z = norm(from_x + from_h) * gain_x + bias if joint else products(from_x) * gain_x + products(from_h) * gain_h + bias
    layers = dict(i=sigmoid, f=sigmoid, g=tanh, o=sigmoid) | dict(by)
    gates = {name: layers[name](part) for name, part in zip("ifgo", np.split(z, 4, axis=-1))} | {"all": 1, "nothing": 0}
    new = gates[keeps] * (norm(c) if before else c) + gates[writes] * gates["g"]
    new = norm(new) * gain_c + bias_c if carried else new
    if late:
        return gates["o"] * (norm(tanh(new)) * gain_c + bias_c), new
    return gates["o"] * tanh(new if carried else shown(norm(new), gain_c, bias_c, new)), new
