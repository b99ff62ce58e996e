"""The exercises of the chapter memory."""

import copy

import numpy as np

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
from lstm_tutorial.in_numpy import rnn_cell, tanh, tanh_slope

# How long until one hundredth is left, by hand


def steps_left(factor):
    """Return after how many steps less than one hundredth is left."""
    return int(np.floor(np.log(0.01) / np.log(factor))) + 1


def diagnose_steps(got, want, inputs):
    turns = {
        "after that many steps a little more than one hundredth is left: one step is missing": want - 1,
        "this is where one hundredth would be reached between two steps: give whole steps": np.log(0.01) / np.log(0.8),
        "this takes the slope alone: the factor is the weight times the slope": steps_left(0.64),
        "the slope of tanh is 1 minus the square of the state, not 1 minus the state": steps_left(0.5),
        "this is the factor of one step: how many of them make less than one hundredth?": 0.8,
        "this is where a tenth is left, not a hundredth": int(np.log(0.1) / np.log(0.8)) + 1,
    }
    return first_match(got, turns, 1e-3)


register(
    "steps_by_hand",
    chapter="memory",
    title="How long until little is left",
    reference=lambda: steps_left(1.25 * (1 - 0.6**2)),
    diagnose=diagnose_steps,
)


# All hidden states of a sequence


def draw_weights(rng, D, H):
    """Draw the parameters of an RNN, large enough for tanh to matter."""
    return rng.normal(size=(H, D)), rng.normal(size=(H, H)), rng.normal(size=H), rng.normal(size=H)


def draw_sequence(rng):
    """Draw a batch of sequences, the states before them and the weights."""
    T, B, D, H = draw_sizes(rng, 4)
    return rng.normal(size=(T, B, D)), tanh(rng.normal(size=(B, H))), *draw_weights(rng, D, H)


def all_states(x, h_0, *weights, cell=rnn_cell):
    """Return every hidden state, (T, B, H)."""
    h, found = h_0, []
    for x_t in x:
        h = cell(x_t, h, *weights)
        found.append(h)
    return np.stack(found)


def diagnose_states(got, want, inputs):
    x, h_0, weight_ih, weight_hh, bias_ih, bias_hh = inputs
    one = np.zeros_like(bias_ih)

    def linear(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
        return x @ weight_ih.T + h @ weight_hh.T + bias_ih + bias_hh

    turns = {
        "every step starts from `h_0` again: hand the new state on to the next step": np.stack(
            [rnn_cell(x_t, h_0, weight_ih, weight_hh, bias_ih, bias_hh) for x_t in x]
        ),
        "the first step starts from zeros, not from `h_0`": all_states(x, 0 * h_0, *inputs[2:]),
        "the list starts with `h_0` and lacks the last state: it should hold the states after each step": np.stack(
            [h_0, *want[:-1]]
        ),
        "the tanh is missing": all_states(x, h_0, *inputs[2:], cell=linear),
        "`bias_hh` is left out": all_states(x, h_0, weight_ih, weight_hh, bias_ih, one),
        "the state before is left out: `weight_hh` is not used": all_states(
            x, h_0, weight_ih, 0 * weight_hh, bias_ih, bias_hh
        ),
        "`weight_hh` should be transposed, as `weight_ih` is": all_states(
            x, h_0, weight_ih, weight_hh.T, bias_ih, bias_hh
        ),
    }
    return first_match(got, turns)


register(
    "all_hidden_states",
    chapter="memory",
    title="All hidden states of a sequence",
    draw=draw_sequence,
    reference=all_states,
    names=("h",),
    axes=("T B H",),
    diagnose=diagnose_states,
)


# A gradient, one step back


def draw_step_back(rng):
    """Draw a gradient, the state it belongs to and the recurrent weights."""
    B, H = draw_sizes(rng, 2)
    return rng.normal(size=(B, H)), tanh(rng.normal(size=(B, H))), rng.normal(size=(H, H))


def diagnose_step_back(got, want, inputs):
    d_h, h, weight_hh = inputs
    turns = {
        "the slope of tanh is missing": d_h @ weight_hh,
        "the recurrent weights are missing: this is the gradient of the weighted sum": d_h * tanh_slope(h),
        "`weight_hh` is transposed: forwards it is `h @ weight_hh.T`, backwards without `.T`": (d_h * tanh_slope(h))
        @ weight_hh.T,
        "the slope comes too late: first through tanh, then through the weights": (d_h @ weight_hh) * tanh_slope(h),
        "`h` is already tanh of the weighted sum: the slope is 1 minus its square, with no second tanh": (
            d_h * tanh_slope(tanh(h))
        )
        @ weight_hh,
        "the slope of tanh is 1 minus the square of the state, not 1 minus the state": (d_h * (1 - h)) @ weight_hh,
    }
    return first_match(got, turns)


register(
    "one_step_back",
    chapter="memory",
    title="A gradient, one step back",
    draw=draw_step_back,
    reference=lambda d_h, h, weight_hh: (d_h * tanh_slope(h)) @ weight_hh,
    names=("d_h_prev",),
    axes=("B H",),
    diagnose=diagnose_step_back,
)


# A measurement with two mistakes


def draw_states(rng):
    """Draw the states of one sequence and the weights."""
    T, D, H = draw_sizes(rng, 3, low=2)
    return tanh(rng.normal(size=(T, H))), rng.normal(size=(H, D)), rng.normal(size=(H, H)) / np.sqrt(H)


def sizes_by_lag(states, weight_ih, weight_hh, slope=tanh_slope):
    """Return the size of d h_T / d x_{T-k} for the lags k = 0 to T - 1, with a slope that may be wrong."""
    carried, found = np.eye(len(weight_hh), dtype=states.dtype), []
    for h in states[::-1]:
        into_sum = carried * slope(h)  # (H, H): a column for each weighted sum of this step
        found.append(np.linalg.norm(into_sum @ weight_ih))
        carried = into_sum @ weight_hh
    return np.array(found)


def diagnose_sizes(got, want, inputs):
    wrong_slope = sizes_by_lag(*inputs, slope=lambda h: 1 - h)
    no_slope = sizes_by_lag(*inputs, slope=np.ones_like)
    turns = {
        "both mistakes are still there: look at the slope, and at where each size is put": wrong_slope[::-1],
        "the slope is right now; the order is not: the first entry should be lag 0, the last step": want[::-1],
        "the order is right now; the slope is not: what is the derivative of tanh where its value is `h`?": wrong_slope,
        "the slope is gone altogether: it is a factor of every step": no_slope,
        "the slope is gone altogether, and the first entry should be lag 0": no_slope[::-1],
        "this is relative to lag 0: give the sizes themselves": want / want[0],
        "these are the squares of the sizes: the norm takes the root": want**2,
    }
    return first_match(got, turns)


register(
    "mended_sizes",
    chapter="memory",
    title="A measurement with two mistakes",
    draw=draw_states,
    reference=sizes_by_lag,
    names=("sizes",),
    axes=("T",),
    diagnose=diagnose_sizes,
)


# Vanish, stay or explode?

FATES = {"a": "explodes", "b": "stays", "c": "vanishes", "d": "vanishes", "e": "explodes"}
REASONS = {
    "a": "in a the factor is the weight, and there are a hundred of them",
    "b": "in b the sign turns at every step: what happens to the size?",
    "c": "in c the state is far from 0: how large is the slope of tanh there?",
    "d": "in d the factor is near 1, but a thousand of them are multiplied: work the power out",
    "e": "in e the state is near 0: how large is the slope of tanh there, and so the factor?",
}


def diagnose_fates(got, want, inputs):
    words = {key: str(np.asarray(value)).strip().casefold() for key, value in got.items()}
    unknown = sorted(set(words.values()) - {"vanishes", "stays", "explodes"})
    if unknown:
        return f"the words are vanishes, stays and explodes; {unknown[0]!r} is none of them"
    return next((REASONS[key] for key in want if words[key] != want[key]), None)


register(
    "fates",
    chapter="memory",
    title="Vanish, stay or explode?",
    reference=lambda: dict(FATES),
    diagnose=diagnose_fates,
)


# Weights that take nothing


def draw_design(rng):
    """Draw a number of units and a generator of the learner's own."""
    return int(rng.integers(2, 9)), np.random.default_rng(int(rng.integers(1000)))


def verify_lossless(weight_hh, rng, H, generator):
    d_h = rng.normal(size=(20, H))
    lengths = np.linalg.norm(d_h @ weight_hh, axis=1) / np.linalg.norm(d_h, axis=1)
    if not np.isfinite(weight_hh).all():
        return "some weights are NaN or infinite"
    if np.ptp(lengths) < 1e-6 and abs(lengths[0] - 1) > 1e-6:
        return f"every gradient comes out {lengths[0]:.3g} times as long: scale the matrix"
    if np.abs(lengths - 1).max() > 1e-6:
        low, high = lengths.min(), lengths.max()
        return f"some gradients come out {low:.2f} times as long, others {high:.2f} times: it depends on the direction"
    if np.abs(weight_hh).max(axis=1).max() > 1 - 1e-9:
        return "some unit hears a single unit only: every unit should listen to two or more"
    return None


register(
    "lossless_weights",
    chapter="memory",
    title="Weights that take nothing",
    draw=draw_design,
    reference=lambda H, generator: np.eye(H),
    verify=verify_lossless,
    names=("weight_hh",),
    axes=("H H",),
    dtypes=("float64",),
)


# An experiment: what kind of memory is in the box

LONGEST, CALLS = 200, 100
KINDS = {
    "keeps": "that keeps everything",
    "fades": "whose memory fades by the same factor at every step",
    "window": "that hears the last few steps alone",
}


class MemoryBox:
    """A memory that can only be asked: a sequence in, one number out, a hundred times."""

    def __init__(self, rng):
        self.kind = str(rng.choice(list(KINDS)))
        self.half_life, self.window = float(np.exp(rng.uniform(np.log(3), np.log(35)))), int(rng.integers(5, 80))
        self.drift, self.noise, self.asked = 0.5 + rng.random(), np.random.default_rng(int(rng.integers(10**6))), []
        self.calls, lags = 0, np.arange(LONGEST)
        shares = {
            "keeps": 1.0 + 0 * lags,
            "fades": 0.5 ** (lags / self.half_life),
            "window": 1.0 * (lags < self.window),
        }
        self.shares = shares[self.kind]

    def __deepcopy__(self, memo):
        twin = copy.copy(self)  # shares `asked`, so that the diagnosis can speak about the experiment
        twin.noise = copy.deepcopy(self.noise)
        return twin

    def __call__(self, x):
        x = np.array(x, float)
        if x.ndim != 1 or not 1 <= len(x) <= LONGEST:
            raise ValueError(f"the box reads one sequence of 1 to {LONGEST} numbers, got shape {x.shape}")
        self.calls += 1
        if self.calls > CALLS:
            raise RuntimeError(f"the box answers {CALLS} times, and this was one time more")
        self.asked.append(x)
        clock = self.drift * len(x) / LONGEST
        return float(tanh(x[::-1] @ self.shares[: len(x)]) - clock + 0.01 * self.noise.normal())


def fault_of_experiment(asked):
    """Say what would mislead in the sequences that the box was asked; None if nothing is found."""
    silent = {len(x) for x in asked if np.ptp(x) == 0}
    nudged = [x for x in asked if np.ptp(x) > 0] or [np.ones(1)]
    size = max(np.ptp(x) for x in nudged)
    if not asked:
        return "the box was not asked anything"
    if not {len(x) for x in nudged} <= silent:
        return "a nudge says nothing without a control run of the same length and without the nudge"
    if size > 3:
        return f"you nudged by {size:.3g}, and out there tanh is flat: after many steps it still shows nearly 1"
    if size < 0.1:
        return f"you nudged by {size:.1g} at most, and the answers tremble by 0.01: what is left drowns"
    return None


def diagnose_memory(got, want, inputs):
    (box,) = inputs
    said, is_so = str(got).strip().casefold(), str(want)
    if said not in KINDS:
        return f"the words are keeps, fades and window; {said!r} is none of them"
    nudged = [x != np.median(x) for x in box.asked if np.ptp(x) > 0]
    reach = max((len(x) - 1 - int(np.argmax(x)) for x in nudged), default=0)
    half, last = f"half is left after {box.half_life:.0f} steps", f"it hears {box.window} steps"
    why = {
        ("fades", "keeps"): f"{half}, and your furthest nudge lay {reach} steps back",
        ("fades", "window"): f"{half}; did you look at lags where about half should be left?",
        ("window", "keeps"): f"{last}, and your furthest nudge lay {reach} steps back",
        ("window", "fades"): f"{last}, each as loudly; does any lag lie between all and nothing?",
    }
    why = fault_of_experiment(box.asked) or why.get((is_so, said), "is a single trembling answer enough?")
    return f"it takes a box {KINDS[is_so]} for one {KINDS[said]}. {why[0].upper() + why[1:]}"


register(
    "kind_of_memory",
    chapter="memory",
    title="What kind of memory is in the box?",
    draw=lambda rng: (MemoryBox(rng),),
    reference=lambda box: box.kind,
    diagnose=diagnose_memory,
    dtypes=("float64",),
    trials=18,
)
