"""The exercises of the chapter memory."""

import numpy as np

from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.in_numpy import rnn_cell, tanh, tanh_slope


@exercise(
    "How long until little is left",
    turns={
        "after that many steps a little more than one hundredth is left: one step is missing": dict(whole=np.floor),
        "one step before that, less than one hundredth is left already": dict(whole=lambda n: np.ceil(n) + 1),
        "give a number of whole steps": dict(whole=identity),
        "this takes the slope alone: the factor is the weight times the slope": dict(weight=1),
        "the slope of tanh is 1 minus the square of the state, not 1 minus the state": dict(slope=lambda h: 1 - h),
        "this is the factor of one step: how many of them make less than one hundredth?": dict(asked="factor"),
    },
    decimals=2,
)
def steps_by_hand(*, weight=1.25, state=0.6, left=0.01, slope=lambda h: 1 - h**2, whole=np.ceil, asked="steps"):
    factor = weight * slope(state)
    return float(whole(np.log(left) / np.log(factor))) if asked == "steps" else factor


def draw_sequence(trial):
    """Draw a batch of sequences, the states before them, and the weights."""
    T, B, D, H = trial.sizes("T B D H")
    weights = (trial.normal(*shape) for shape in ((H, D), (H, H), (H,), (H,)))
    return trial.normal(T, B, D), tanh(trial.normal(B, H)), *weights


def linear(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Return the pre-activation of a step."""
    return x @ weight_ih.T + h @ weight_hh.T + bias_ih + bias_hh


@exercise(
    "All hidden states of a sequence",
    draw=draw_sequence,
    names="h",
    axes="T B H",
    turns={
        "every step starts from `h_0` again: hand the new state on to the next step": dict(carried=False),
        "the list starts with `h_0` and lacks the last state: it should hold the states after each step": dict(
            kept="old"
        ),
        "every place holds the last state: store each step's own": dict(kept="last"),
        "the tanh is missing": dict(cell=linear),
    },
)
def all_hidden_states(x, h_0, weight_ih, weight_hh, bias_ih, bias_hh, *, cell=rnn_cell, carried=True, kept="new"):
    states = [h_0]
    for x_t in x:
        states.append(cell(x_t, states[-1] if carried else h_0, weight_ih, weight_hh, bias_ih, bias_hh))
    return np.stack({"new": states[1:], "old": states[:-1], "last": states[-1:] * len(x)}[kept])


NOT_THE_SLOPE = [
    dict(slope=lambda h, a=a, b=b, power=power: a + b * h**power)
    for a, b, power in [(1, -1, 1), (1, -2, 1), (1, -1, 3), (1, 1, 2), (2, -1, 2), (0, -1, 2), (0, 1, 2), (0, 1, 1)]
] + [dict(slope=lambda h: 1 / tanh_slope(h))]
SLOPE = "each step multiplies by the slope of tanh, which is 1 minus the square of the state"


def draw_step_back(trial):
    """Draw a gradient, the state it belongs to and the recurrent weights."""
    B, H = trial.sizes("B H")
    return trial.normal(B, H), tanh(trial.normal(B, H)), trial.normal(H, H)


@exercise(
    "A gradient, one step back",
    draw=draw_step_back,
    names="d_h_prev",
    axes="B H",
    turns={
        "the slope of tanh is missing": dict(slope=np.ones_like),
        "the recurrent weights are missing: this is the gradient of the pre-activation": dict(through=lambda d, W: d),
        "`weight_hh` is transposed: forwards it has its `.T`, backwards it has not": dict(through=lambda d, W: d @ W.T),
        "the slope comes too late: first through tanh, then through the weights": dict(late=True),
        "`h` is tanh of the pre-activation already, it needs no second tanh": dict(slope=lambda h: tanh_slope(tanh(h))),
        SLOPE: NOT_THE_SLOPE,
    },
)
def one_step_back(d_h, h, weight_hh, *, slope=tanh_slope, through=np.matmul, late=False):
    return through(d_h, weight_hh) * slope(h) if late else through(d_h * slope(h), weight_hh)


def draw_states(trial):
    """Draw the states of one sequence and the weights."""
    T, D, H = trial.sizes("T D H")
    return tanh(trial.normal(T, H)), trial.normal(H, D), trial.normal(H, H) / np.sqrt(H)


@exercise(
    "A measurement with two mistakes",
    draw=draw_states,
    names="sizes",
    axes="T",
    combine=2,
    turns={
        SLOPE: NOT_THE_SLOPE,
        "the first entry should be lag 0, the last step": dict(turned=True),
        "the slope is gone altogether: it is a factor of every step": dict(slope=np.ones_like),
        "this is relative to lag 0: give the sizes themselves": dict(size=lambda found: found / found[0]),
        "these are the squares of the sizes: the norm takes the root": dict(size=np.square),
        "the states are read from the first on: a gradient comes from the last one": dict(forwards=True),
        "the slope belongs to each row's unit: it scales the columns of the Jacobian": dict(columns=False),
        "the previous step is reached through `weight_hh`, which is left out": dict(back=lambda W: np.eye(len(W))),
        "a size has the factors of all steps after it too, not of its own step alone": dict(carried=False),
        "lag 0 has no factor `weight_hh`: multiply by it after the size is stored": dict(early=True),
    },
)
def mended_sizes(
    states, weight_ih, weight_hh,
    *, slope=tanh_slope, turned=False, size=identity, forwards=False, columns=True, back=identity, carried=True,
    early=False,
):  # fmt: skip
    start, found = np.eye(len(weight_hh), dtype=states.dtype), []
    jacobian = start
    for h in states if forwards else states[::-1]:
        jacobian = jacobian * (slope(h) if columns else slope(h)[:, None])  # a column for each unit of this step
        after = jacobian @ back(weight_hh)
        found.append(np.linalg.norm((after if early else jacobian) @ weight_ih))
        jacobian = after if carried else start
    return size(np.array(found))[:: -1 if turned else 1]


@exercise(
    "Vanish, stay or explode?",
    words="vanishes, stays, explodes",
    turns={
        "in a the factor is the weight, and there are a hundred of them": [dict(a="vanishes"), dict(a="stays")],
        "in b the sign turns at every step: what happens to the size?": [dict(b="vanishes"), dict(b="explodes")],
        "in c the state is far from 0: how large is the slope of tanh there?": [dict(c="stays"), dict(c="explodes")],
        "in d the factor is near 1, but there are a thousand of them": [dict(d="stays"), dict(d="explodes")],
        "in e the state is near 0: how large is the slope of tanh there?": [dict(e="vanishes"), dict(e="stays")],
    },
)
def fates(*, a="explodes", b="stays", c="vanishes", d="vanishes", e="explodes"):
    return dict(a=a, b=b, c=c, d=d, e=e)


def verify_lossless(weight_hh, trial, H, rng):
    weight_hh = np.asarray(weight_hh, float)
    d_h = trial.normal(20, H)
    lengths = np.linalg.norm(d_h @ weight_hh, axis=1) / np.linalg.norm(d_h, axis=1)
    low, high = lengths.min(), lengths.max()
    if high - low > 1e-6:
        return f"some gradients come out {low:.2f} times as long, others {high:.2f} times: it depends on the direction"
    if abs(high - 1) > 1e-6:
        return f"every gradient comes out {high:.3g} times as long: scale the matrix"
    if np.abs(weight_hh).max() > 1 - 1e-9:
        return "some unit is connected to a single unit: every unit needs two or more"
    return None


def draw_design(trial):
    """Draw a number of units and a generator of the learner's own."""
    return *trial.sizes("H", H=2), np.random.default_rng(int(trial.rng.integers(1000)))


def orthogonal(draws):
    """Return an orthogonal matrix made of random numbers."""
    return np.linalg.qr(draws)[0]


@exercise(
    "Weights that lose nothing",
    draw=draw_design,
    verify=verify_lossless,
    names="weight_hh",
    axes="H H",
    turns={
        "it depends on the direction": [dict(made=lambda draws: draws / np.sqrt(len(draws))), dict(made=np.tanh)],
        "is connected to a single unit": [
            dict(made=lambda draws: np.eye(len(draws))),
            dict(made=lambda draws: np.roll(np.eye(len(draws)), 1, axis=0)),
        ],
        "times as long: scale the matrix": [
            dict(made=lambda draws: 2 * orthogonal(draws)),
            dict(made=lambda draws: 0 * draws),
        ],
    },
    dtypes=("float64",),
)
def lossless_weights(H, rng, *, made=orthogonal):
    return made(rng.normal(size=(H, H)))


LONGEST = 200
KINDS = {
    "keeps": "that keeps everything",
    "fades": "whose memory fades by the same factor at every step",
    "window": "that adds up the last few steps alone",
}


class MemoryBox(Box):
    """A hidden memory: a sequence in, one number out."""

    runs, budget = 100, "the box answers 100 times"

    def __init__(self, trial):
        super().__init__()
        rng, lags = trial.rng, np.arange(LONGEST)
        self.kind = trial.choice(*KINDS)
        self.half_life, self.window = trial.log_uniform(3, 35), int(rng.integers(5, 80))
        self.drift, self.noise = rng.uniform(0.5, 1.5), np.random.default_rng(int(rng.integers(10**6)))
        self.shares = {
            "keeps": np.ones(LONGEST),
            "fades": 0.5 ** (lags / self.half_life),
            "window": 1.0 * (lags < self.window),
        }[self.kind]

    def answer(self, x):
        x = np.array(x, float)
        if x.ndim != 1 or not 1 <= len(x) <= LONGEST:
            raise ValueError(f"the box reads one sequence of 1 to {LONGEST} numbers, got shape {x.shape}")
        self.asked.append(x)
        clock = self.drift * len(x) / LONGEST
        return float(tanh(x[::-1] @ self.shares[: len(x)]) - clock + 0.01 * self.noise.normal())


def fault_of_experiment(asked):
    """Say what is wrong with the sequences that the box was given; None if nothing is found."""
    if not asked:
        return "the box was not run"
    pulses = [x for x in asked if np.ptp(x) > 0] or [np.ones(1)]
    size = max(np.ptp(x) for x in pulses)
    if not {len(x) for x in pulses} <= {len(x) for x in asked if np.ptp(x) == 0}:
        return "a pulse needs a control run of the same length without it"
    if size > 3:
        return f"your pulses are {size:.3g} large, where tanh is flat: after many steps it still shows nearly 1"
    if size < 0.1:
        return f"your pulses are {size:.1g} at most, and the noise is 0.01: it hides what is left"
    return None


def diagnose_memory(got, want, box):
    pulses = [x != np.median(x) for x in box.asked if np.ptp(x) > 0]
    reach = max((len(x) - 1 - int(np.argmax(x)) for x in pulses), default=0)
    half, last = f"half is left after {box.half_life:.0f} steps", f"it adds up {box.window} steps"
    why = {
        ("fades", "keeps"): f"{half}, and your longest lag was {reach} steps",
        ("fades", "window"): f"{half}; did you test lags where about half should be left?",
        ("window", "keeps"): f"{last}, and your longest lag was {reach} steps",
        ("window", "fades"): f"{last} with equal weight; is the effect at any lag between all and nothing?",
    }
    why = fault_of_experiment(box.asked) or why.get((want, got), "is a single noisy answer enough?")
    return f"it takes a box {KINDS[want]} for one {KINDS[got]}. {why[0].upper() + why[1:]}"


@exercise(
    "What kind of memory is in the box?",
    draw=lambda trial: (MemoryBox(trial),),
    diagnose=diagnose_memory,
    words=", ".join(KINDS),
    dtypes=("float64",),
    trials=18,
)
def kind_of_memory(box):
    return box.kind
