"""The exercises of the chapter numpy-lstm."""

import numpy as np

from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.in_numpy import lstm_sequence, lstm_sequence_backward
from lstm_tutorial.in_numpy.activations import sigmoid, sigmoid_slope, tanh, tanh_slope
from lstm_tutorial.in_numpy.cell import CellCache, lstm_cell_backward

SLOPES = (sigmoid_slope, sigmoid_slope, tanh_slope, sigmoid_slope)
TWICE = tuple(lambda s, slope=slope: slope(tanh(s) if slope is tanh_slope else sigmoid(s)) for slope in SLOPES)
ONE_STEP = {
    "`d_c` lacks the path through h: h depends on c too": dict(through_h=0),
    "on the path through h the output gate is left out": dict(shown=np.ones_like),
    "on the path through h the slope of tanh is left out": dict(slope_c=np.ones_like),
    "`tanh_c` is tanh(c) already: its slope is 1 - tanh_c**2": dict(slope_c=lambda t: tanh_slope(tanh(t))),
    "the slopes are missing: `d_z` is the gradient before the sigmoid and tanh": dict(slopes=(np.ones_like,) * 4),
    "the candidate is a tanh, its slope is 1 - g**2": dict(slopes=(sigmoid_slope,) * 4),
    "three gates are sigmoids, with the slope s * (1 - s): 1 - s**2 is that of tanh": dict(slopes=(tanh_slope,) * 4),
    "the gates are given after their sigmoid: the slope is s * (1 - s), with no second sigmoid": dict(slopes=TWICE),
    "each factor receives the gradient times its partner, not times itself": dict(itself=True),
    "`d_c_prev` is `d_c` times the forget gate": dict(kept=np.ones_like),
    "`d_c_prev` lacks the path through h: use the whole of `d_c`, as for the gates": dict(early=True),
}


def one_step(
    d_h, d_c, c_prev, i, f, g, o, tanh_c,
    through_h=1, shown=identity, slope_c=tanh_slope, slopes=SLOPES, itself=False, kept=identity, early=False,
):  # fmt: skip
    """Return d_c with all that reaches it, the four d_z and d_c_prev."""
    whole = d_c + through_h * d_h * shown(o) * slope_c(tanh_c)
    partners = (i, f, g) if itself else (g, c_prev, i)
    d_gates = *(whole * partner for partner in partners), d_h * tanh_c
    d_z = [d_gate * slope(gate) for d_gate, slope, gate in zip(d_gates, slopes, (i, f, g, o))]
    return whole, d_z, (d_c if early else whole) * kept(f)


MADE_OF = {
    "d_c": "the sum of what comes from the next step and of `d_h` * o * the slope of tanh at c",
    "d_z_i": "`d_c` times the partner of i in c = f * c_prev + i * g, times the slope of the sigmoid at i",
    "d_z_f": "`d_c` times the partner of f in c = f * c_prev + i * g, times the slope of the sigmoid at f",
    "d_z_g": "`d_c` times the partner of g in c = f * c_prev + i * g, times the slope of tanh at g",
    "d_z_o": "`d_h` times the partner of o in h = o * tanh_c, times the slope of the sigmoid at o",
    "d_c_prev": "`d_c` times the partner of c_prev in c = f * c_prev + i * g",
}


def diagnose_step(got, want):
    return next(f"`{name}` is {MADE_OF[name]}" for name, a, b in zip(MADE_OF, got, want) if abs(a / b - 1) > 0.01)


@exercise(
    "One step backwards, by hand", names=", ".join(MADE_OF), turns=ONE_STEP, diagnose=diagnose_step, tolerance=0.01
)
def backward_by_hand(*, d_h=1.0, d_c=0.18, c_prev=1.0, i=0.25, f=0.5, g=0.8, o=0.5, tanh_c=0.6, **mistake):
    d_c, d_z, d_c_prev = one_step(d_h, d_c, c_prev, i, f, g, o, tanh_c, **mistake)
    return [float(each) for each in (d_c, *d_z, d_c_prev)]


def draw_step(trial):
    """Draw the gates of a step that could have happened, and the gradients of its two states."""
    B, H = trial.sizes("B H")
    i, f, o = sigmoid(trial.normal(3, B, H))
    g, c_prev, d_h, d_c = tanh(trial.normal(B, H)), *trial.normal(3, B, H)
    return d_h, d_c, c_prev, i, f, g, o, tanh(f * c_prev + i * g)


def step_of_the_package(d_h, d_c, c_prev, i, f, g, o, tanh_c):
    """Return d_z and d_c_prev of one step; weights that are the identity hand d_z through as d_x."""
    one = np.eye(4 * c_prev.shape[-1], dtype=c_prev.dtype)
    cache = CellCache(c_prev, c_prev, c_prev, i, f, g, o, tanh_c, tanh_c, one, one, None)
    d_z, (_, d_c_prev), _ = lstm_cell_backward(d_h, d_c, cache)
    return d_z, d_c_prev


@exercise(
    "One step backwards, for arrays",
    draw=draw_step,
    names="d_z, d_c_prev",
    axes="B 4H, B H",
    same_as=step_of_the_package,
    turns=ONE_STEP,
)
def gates_backward(d_h, d_c, c_prev, i, f, g, o, tanh_c, **mistake):
    _, d_z, d_c_prev = one_step(d_h, d_c, c_prev, i, f, g, o, tanh_c, **mistake)
    return np.concatenate(d_z, axis=-1), d_c_prev


def draw_sequence(trial):
    """Draw a short sequence and run it, keeping each step's cache."""
    T, B, D, H = trial.sizes("T B D H")
    weights = [0.7 * trial.normal(*shape) for shape in ((4 * H, D), (4 * H, H), (4 * H,), (4 * H,))]
    *_, cache = lstm_sequence(trial.normal(T, B, D), trial.normal(2, B, H), *weights)
    return trial.normal(T, B, H), cache.steps


@exercise(
    "Backpropagation through time",
    draw=draw_sequence,
    names="d_x, d_h, d_c",
    axes="T B D, B H, B H, 4H D, 4H H, 4H, 4H",
    turns={
        "the weights' gradients are those of the first step alone: add up those of all steps": dict(add=False),
        "`d_c` is not handed on from step to step": dict(carry_c=0),
        "`d_h` is not handed on from step to step: add the next step's to `d_output[t]`": dict(carry_h=0),
        "`d_output` is used at the last step only: every output may reach the loss": dict(read="last"),
        "`d_output[t]` is added after step t is carried back: it belongs before": dict(read="late"),
        "the last step's `d_output` counts twice: `d_h` starts at zero": dict(start=1),
        "the loop runs from the first step to the last: gradients come from the end": dict(order=iter),
    },
)
def backward_through_time(d_output, caches, *, add=True, carry_c=1, carry_h=1, read="each", start=0, order=reversed):
    d_h, d_c = start * d_output[-1], 0 * d_output[-1]
    d_x, total = [None] * len(caches), {}
    for t in order(range(len(caches))):
        d_h = carry_h * d_h + d_output[t] * (read == "each" or (read == "last" and t == len(caches) - 1))
        d_x[t], (d_h, d_c), found = lstm_cell_backward(d_h, carry_c * d_c, caches[t])
        d_h = d_h + d_output[t] * (read == "late")
        total = {name: (total.get(name, 0) if add else 0) + found[name] for name in found}
    return np.stack(d_x), (d_h, d_c), total


def draw_collected(trial):
    """Draw what a loop through time has collected: d_z, x, and h with the state before the first step."""
    T, B, D, H = trial.sizes("T B D H")
    return trial.normal(T, B, 4 * H), trial.normal(T, B, D), trial.normal(T + 1, B, H)


AFTER_LOOP = {
    "`weight_hh` met the state before each step, and is given the one after it": dict(met=slice(1, None)),
    "the gradient of a bias is a sum over steps and sequences, this is a mean": dict(reduce=np.mean),
    "this is one step alone: add up those of all steps": [dict(steps=slice(-1, None)), dict(steps=slice(1))],
    "`d_z` goes sequence by sequence, the others step by step: reshape all in one order": dict(crossed=True),
}


@exercise(
    "Find the bugs: after the loop",
    draw=draw_collected,
    axes="4H D, 4H H, 4H, 4H",
    combine=2,
    turns=AFTER_LOOP | {"the two biases do not share the gradient: each gets all of it": dict(share=0.5)},
)
def weight_gradients(d_z, x, h, *, met=slice(-1), reduce=np.sum, steps=slice(None), crossed=False, share=1):
    """Add up over steps and sequences the gradient of each pre-activation times an input, a state before it, a one."""
    each, x, h = d_z[steps], x[steps], h[met][steps]
    rows = (each.swapaxes(0, 1) if crossed else each).reshape(-1, d_z.shape[-1])  # (T * B, 4H)
    bias = share * reduce(rows, axis=0)
    return {
        "weight_ih": rows.T @ x.reshape(-1, x.shape[-1]),
        "weight_hh": rows.T @ h.reshape(-1, h.shape[-1]),
        "bias_ih": bias,
        "bias_hh": bias,
    }


class Loss(Box):
    """A loss that may be called so many times, and notes what it was called with."""

    def __init__(self, function, runs, budget, faults=None):
        super().__init__()
        self.function, self.runs, self.budget, self.faults = function, runs, budget, faults

    def answer(self, arrays):
        self.asked.append(arrays)
        return float(self.function(arrays))


def draw_direction(trial):
    """Draw a loss in which the arrays multiply, some arrays, a direction, and a step so large that all slips show."""
    D, H = trial.sizes("D H")
    shapes = {"weight_ih": (H, D), "weight_hh": (H, H), "bias": (H,)}
    shapes = dict(list(shapes.items())[: trial.choice(1, 2, 3)])
    slopes, arrays, direction = ({name: trial.normal(*shape) for name, shape in shapes.items()} for _ in range(3))
    scale = sum(slope.size for slope in slopes.values()) ** -0.5

    def loss(arrays):
        return np.exp(scale * sum(np.sum(slope * arrays[name]) for name, slope in slopes.items()))

    budget = "a direction takes two calls of the loss, each with all arrays moved at once; it answers three times"
    return Loss(loss, 3, budget), arrays, direction, trial.log_uniform(0.03, 0.3)


@exercise(
    "A cheaper gradient check",
    draw=draw_direction,
    turns={
        "this looks at one side only: go up and down by eps": [
            dict(sides=sides) | by for by in ({}, dict(distance=identity)) for sides in ((1, 0), (0, -1))
        ],
        "the difference is to be divided by the distance between the two points, which is 2 * eps": [
            dict(distance=lambda eps, a=a, b=b: a * eps**b) for a, b in ((1, 1), (1, 0), (2, 0), (2, -1), (0.5, -1))
        ],
        "the lower loss is to be subtracted from the upper": [dict(signs=each) for each in ((1, 1), (1, 0), (0, 1))],
        "the step is eps times the direction: eps is left out": dict(step=np.ones_like),
    },
    dtypes=("float64",),
    tolerance=1e-8,
)
def directional_derivative(
    loss, arrays, direction, eps, *, sides=(1, -1), step=identity, signs=(1, -1), distance=lambda eps: 2 * eps
):
    at = [{name: arrays[name] + side * step(eps) * direction[name] for name in arrays} for side in sides]
    return sum(sign * loss(each) for sign, each in zip(signs, at)) / distance(eps)


def other_words(table):
    """Return the turns of a prediction: for each key, what to say of each word that is not the right one."""
    known = sorted({word for word, _ in table.values()})
    return {why: [{key: word} for word in known if word != right] for key, (right, why) in table.items()}


VERDICTS = "right, wrong, too large, too small"
CHECKS = {
    "A": ("right", "in A a tenth of eps leaves a hundredth of the error, and what is left is small"),
    "B": ("wrong", "in B the error is the same at both eps: can it come from the differences?"),
    "C": ("too small", "in C the error grows tenfold at a tenth of eps: which arm of the V is that?"),
    "D": ("too large", "in D the error falls with the square of eps: which arm of the V is that?"),
    "E": ("too small", "in E the loss is in float32: what is left of seven digits when two of them are subtracted?"),
}


@exercise("Read a gradient check", names=", ".join(CHECKS), words=VERDICTS, turns=other_words(CHECKS))
def read_the_check(**answers):
    return [answers.get(key, word) for key, (word, _) in CHECKS.items()]


BACKWARDS = {
    "a": ("found", "in a nothing comes from beyond the one step, so what is `d_c` without the part through h?"),
    "b": ("missed", "in b the gradient of the forget gate is `d_c * c_prev`: what is `c_prev` in this check?"),
    "c": ("missed", "in c, how many steps are there to add up?"),
    "d": ("found", "in d the right gradient is made with `h_0`, the wrong one with `h_1`: which of them is zero?"),
    "e": ("missed", "in e, over how many steps and sequences is the mean?"),
    "f": ("found", "in f the candidate is not zero, and the cell state reaches the loss through h"),
    "g": ("missed", "in g, what is twice the gradient of `weight_hh`, which meets `h_0`?"),
}


@exercise("Found or missed?", words="found, missed", turns=other_words(BACKWARDS))
def found_or_missed(**answers):
    return {key: answers.get(key, word) for key, (word, _) in BACKWARDS.items()}


FAULTS = {  # what a gradient may have, and what is said if it is accepted
    "moved": "whose numbers stand in other places: a step of the same size in every number does not see that",
    "number": "that is wrong in a single number: does your check move every number of the array?",
    "percent": "that is 2% too large: how large an error do you allow, measured by the size of the gradient?",
    "twice": "that is twice too large: how large an error do you allow, measured by the size of the gradient?",
}


def draw_backward(trial):
    """Draw a small LSTM, a loss over its hidden states, and its gradients, some of them with a fault."""
    T, B, D, H = trial.sizes("T B D H", T=2)
    shapes = {"x": (T, B, D), "weight_ih": (4 * H, D), "weight_hh": (4 * H, H), "bias": (4 * H,)}
    arrays = {name: trial.normal(*shape) for name, shape in shapes.items()}
    faults = {name: trial.choice(*FAULTS, *["none"] * 4) for name in arrays}
    weight = trial.normal(T, B, H) * trial.log_uniform(1e-5, 1e4)  # of the hidden states in the loss

    def run(x, weight_ih, weight_hh, bias):
        zero = np.zeros((B, H), x.dtype)
        return lstm_sequence(x, (zero, zero), weight_ih, weight_hh, bias, np.zeros_like(bias))

    def loss(arrays):  # in the dtype of its arrays
        output, *_ = run(**arrays)
        return np.sum(output * weight.astype(output.dtype))

    d_x, _, found = lstm_sequence_backward(weight, tuple(np.zeros((2, B, H))), run(**arrays)[-1])
    right = {"x": d_x, "bias": found["bias_ih"]} | found
    gradients = {name: with_fault(right[name], faults[name], trial.rng) for name in arrays}
    return Loss(loss, 40, "the loss can be called 40 times", faults), arrays, gradients


def with_fault(gradient, fault, rng):
    """Return a gradient with one of the faults."""
    wrong = gradient[:: -1 if fault == "moved" else 1] * {"percent": 1.02, "twice": 2.0}.get(fault, 1.0)
    if fault == "number":
        wrong.flat[int(rng.integers(1, wrong.size))] += np.max(np.abs(wrong))
    return wrong


def diagnose_verdicts(got, want, loss, arrays, gradients):
    if not loss.asked:
        return "the loss was not called"
    name = next(name for name in want if got[name] != want[name])
    if not want[name]:
        return f"`{name}`: it accepts a gradient {FAULTS[loss.faults[name]]}"
    why = f"it reaches {np.max(np.abs(gradients[name])):.0e}: is that your measure, and is eps well chosen?"
    if all(each.dtype == np.float32 for each in loss.asked[-1].values()):
        why = "the loss was computed in float32: what does your eps leave of seven digits?"
    return f"`{name}`: it refuses a gradient that is right; {why}"


@exercise("Which gradients are right?", draw=draw_backward, diagnose=diagnose_verdicts, trials=16)
def judge_gradients(loss, arrays, gradients):
    return {name: fault == "none" for name, fault in loss.faults.items()}
