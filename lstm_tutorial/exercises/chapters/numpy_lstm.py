"""The exercises of the chapter numpy-lstm."""

import numpy as np

from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.in_numpy import lstm_sequence, lstm_sequence_backward
from lstm_tutorial.in_numpy.activations import sigmoid, sigmoid_slope, tanh, tanh_slope
from lstm_tutorial.in_numpy.cell import CellCache, lstm_cell, lstm_cell_backward

SLOPES = (sigmoid_slope, sigmoid_slope, tanh_slope, sigmoid_slope)
TWICE = (*[lambda s: sigmoid_slope(sigmoid(s))] * 2, tanh_slope, lambda s: sigmoid_slope(sigmoid(s)))
STEP_BACK = {
    "`d_c` lacks the path through h: h depends on c too": dict(through_h=lambda d_h, o, t: 0 * d_h),
    "`d_c` lacks what comes from the next step: the two paths add up": dict(from_next=0),
    "on the path through h the output gate is left out": dict(through_h=lambda d_h, o, t: d_h * tanh_slope(t)),
    "on the path through h the slope of tanh is left out": dict(through_h=lambda d_h, o, t: d_h * o),
    "on the path through h stands tanh_c, not the slope of tanh": dict(through_h=lambda d_h, o, t: d_h * o * t),
    "`tanh_c` is tanh(c) already: its slope is 1 - tanh_c**2, with no second tanh": dict(
        through_h=lambda d_h, o, t: d_h * o * tanh_slope(tanh(t))
    ),
    "the slopes are missing: `d_z` is the gradient before the sigmoid and tanh": dict(slopes=(np.ones_like,) * 4),
    "the candidate is a tanh, its slope is 1 - g**2": dict(slopes=(sigmoid_slope,) * 4),
    "three gates are sigmoids, with the slope s * (1 - s): 1 - s**2 is that of tanh": dict(slopes=(tanh_slope,) * 4),
    "the gates are given after their sigmoid: the slope is s * (1 - s), with no second sigmoid": dict(slopes=TWICE),
    "each factor receives the gradient times its partner, not times itself": dict(partners="themselves"),
    "the partner of i is the candidate, that of f the old cell state": dict(partners="crossed"),
    "`d_c_prev` is `d_c` times the forget gate": dict(handed_on=lambda d_c, from_next, f: d_c),
    "`d_c_prev` lacks the path through h: use the whole of `d_c`, as for the gates": dict(
        handed_on=lambda d_c, from_next, f: from_next * f
    ),
}


def step_back(
    d_h, d_c, c_prev, i, f, g, o, tanh_c,
    through_h=lambda d_h, o, t: d_h * o * tanh_slope(t), from_next=1, slopes=SLOPES, partners="others",
    handed_on=lambda d_c, from_next, f: d_c * f,
):  # fmt: skip
    """Return d_c with all that reaches it, the four d_z and d_c_prev."""
    whole = from_next * d_c + through_h(d_h, o, tanh_c)
    of_i, of_f, of_g = {"others": (g, c_prev, i), "crossed": (c_prev, g, i), "themselves": (i, f, g)}[partners]
    d_gates = whole * of_i, whole * of_f, whole * of_g, d_h * tanh_c
    d_z = [d_gate * slope(gate) for d_gate, slope, gate in zip(d_gates, slopes, (i, f, g, o))]
    return whole, d_z, handed_on(whole, d_c, f)


MADE_OF = {
    "d_c": "what comes from the next step, plus `d_h` times the output gate and the slope of tanh at c",
    "d_z_i": "`d_c`, the partner of i in c = f * c_prev + i * g, and the slope of the sigmoid at i",
    "d_z_f": "`d_c`, the partner of f in c = f * c_prev + i * g, and the slope of the sigmoid at f",
    "d_z_g": "`d_c`, the partner of g in c = f * c_prev + i * g, and the slope of tanh at g",
    "d_z_o": "`d_h`, the partner of o in h = o * tanh_c, and the slope of the sigmoid at o",
    "d_c_prev": "`d_c` and the partner of c_prev in c = f * c_prev + i * g",
}


@exercise(
    "One step back, by hand",
    names=", ".join(MADE_OF),
    turns=STEP_BACK,
    diagnose=lambda got, want: next(
        f"`{name}` is made of {words}"
        for (name, words), a, b in zip(MADE_OF.items(), got, want)
        if abs(a / b - 1) > 0.01
    ),
    tolerance=0.01,
)
def backward_by_hand(*, d_h=1.0, d_c=0.18, c_prev=1.0, i=0.25, f=0.5, g=0.8, o=0.5, tanh_c=0.6, **mistake):
    d_c, d_z, d_c_prev = step_back(d_h, d_c, c_prev, i, f, g, o, tanh_c, **mistake)
    return [float(each) for each in (d_c, *d_z, d_c_prev)]


def draw_gates_backward(trial):
    """Draw the gates of a step that could have happened, and the gradients of its two states."""
    B, H = trial.sizes("B H")
    i, f, o = sigmoid(trial.normal(3, B, H))
    g, c_prev, d_h, d_c = tanh(trial.normal(B, H)), *trial.normal(3, B, H)
    return d_h, d_c, c_prev, i, f, g, o, tanh(f * c_prev + i * g)


def gates_by_the_package(d_h, d_c, c_prev, i, f, g, o, tanh_c):
    """Return d_z and d_c_prev of one step; weights that are the identity hand d_z through as d_x."""
    one = np.eye(4 * c_prev.shape[-1], dtype=c_prev.dtype)
    cache = CellCache(c_prev, c_prev, c_prev, i, f, g, o, tanh_c, tanh_c, one, one, None)
    d_z, (_, d_c_prev), _ = lstm_cell_backward(d_h, d_c, cache)
    return d_z, d_c_prev


@exercise(
    "The gradients of the four gates",
    draw=draw_gates_backward,
    names="d_z, d_c_prev",
    axes="B 4H, B H",
    same_as=gates_by_the_package,
    turns=STEP_BACK,
)
def gates_backward(d_h, d_c, c_prev, i, f, g, o, tanh_c, **mistake):
    _, d_z, d_c_prev = step_back(d_h, d_c, c_prev, i, f, g, o, tanh_c, **mistake)
    return np.concatenate(d_z, axis=-1), d_c_prev


def draw_sequence(trial):
    """Draw a short sequence and run it, keeping each step's cache."""
    T, B, D, H = trial.sizes("T B D H")
    weights = [0.7 * trial.normal(*shape) for shape in ((4 * H, D), (4 * H, H), (4 * H,), (4 * H,))]
    state, caches = tuple(trial.normal(2, B, H)), []
    for x in trial.normal(T, B, D):
        state, cache = lstm_cell(x, state, *weights)
        caches.append(cache)
    return trial.normal(T, B, H), caches


@exercise(
    "Backpropagation through time",
    draw=draw_sequence,
    names="d_x, d_h, d_c",
    axes="T B D, B H, B H, 4H D, 4H H, 4H, 4H",
    turns={
        "the weights' gradients are those of the last step handled alone: add up those of all steps": dict(add=False),
        "the weights' gradients are averaged over time: they add up": dict(mean=True),
        "`d_c` is not handed on from step to step": dict(carry_c=0),
        "`d_h` is not handed on from step to step: each step's is `d_output[t]` plus what the next step sent": dict(
            carry_h=0
        ),
        "`d_output` is used at the last step only: every output may reach the loss": dict(read="last"),
        "`d_output` is not used": dict(read="none"),
        "`d_output[t]` is added after the step back through t: it belongs before": dict(read="late"),
        "the last step's `d_output` counts twice: `d_h` starts at zero": dict(start=1),
        "`d_h` and `d_c` are exchanged": dict(exchanged=True),
        "the loop runs from the first step to the last: gradients come from the end": dict(forwards=True),
    },
)
def backward_through_time(
    d_output, caches,
    *, add=True, mean=False, carry_c=1, carry_h=1, read="each", start=0, forwards=False, exchanged=False,
):  # fmt: skip
    steps = list(range(len(caches)))
    d_h, d_c = start * d_output[-1], 0 * d_output[-1]
    d_x, total = [None] * len(caches), {}
    for t in steps if forwards else reversed(steps):
        from_loss = d_output[t] * (read == "each" or (read == "last" and t == steps[-1]))
        states = carry_h * d_h + from_loss, carry_c * d_c
        d_x[t], (d_h, d_c), found = lstm_cell_backward(*(states[::-1] if exchanged else states), caches[t])
        d_h = d_h + d_output[t] * (read == "late")
        total = {name: (total.get(name, 0) if add else 0) + found[name] for name in found}
    return np.stack(d_x), (d_h, d_c), {name: value / (len(steps) if mean else 1) for name, value in total.items()}


def draw_collected(trial):
    """Draw what a loop back through time has collected: d_z, x, and h with the state before the first step."""
    T, B, D, H = trial.sizes("T B D H")
    return trial.normal(T, B, 4 * H), trial.normal(T, B, D), trial.normal(T + 1, B, H)


AFTER_LOOP = {
    "`weight_hh` met the state before each step, and is given the one after it": dict(met=slice(1, None)),
    "the gradient of a bias is a sum over steps and sequences, this is a mean": dict(reduce=np.mean),
    "this is the last step alone: add up those of all steps": dict(steps=slice(-1, None)),
    "this is the first step alone: add up those of all steps": dict(steps=slice(1)),
    "`d_z` goes sequence by sequence, the others step by step: reshape all in one order": dict(crossed=True),
}


@exercise(
    "Find the bugs: after the loop",
    draw=draw_collected,
    axes="4H D, 4H H, 4H, 4H",
    combine=2,
    turns=AFTER_LOOP
    | {
        "one bias is left at zero: both biases are added, both get the gradient": [
            dict(shares=(1, 0)),
            dict(shares=(0, 1)),
        ],
        "the two biases do not share the gradient: each gets all of it": dict(shares=(0.5, 0.5)),
    },
)
def weight_gradients(d_z, x, h, *, met=slice(-1), reduce=np.sum, steps=slice(None), crossed=False, shares=(1, 1)):
    """Add up over steps and sequences the gradient of each pre-activation times an input, a state before it, a one."""
    each, x, h = d_z[steps], x[steps], h[met][steps]
    rows = (each.swapaxes(0, 1) if crossed else each).reshape(-1, d_z.shape[-1])  # (T * B, 4H)
    bias = reduce(rows, axis=0)
    return {
        "weight_ih": rows.T @ x.reshape(-1, x.shape[-1]),
        "weight_hh": rows.T @ h.reshape(-1, h.shape[-1]),
        "bias_ih": shares[0] * bias,
        "bias_hh": shares[1] * bias,
    }


class Loss(Box):
    """A loss to which every number of every array matters, and each the more the larger the others make it."""

    runs = 3
    budget = "a direction takes two calls of the loss, each with all arrays moved at once; it answers three times"

    def __init__(self, slopes):
        super().__init__()
        self.slopes = slopes

    def answer(self, arrays):
        return float(np.exp(sum(np.sum(slope * arrays[name]) for name, slope in self.slopes.items())))


def draw_direction(trial):
    """Draw a loss, some arrays, a direction, and a step so large that every way to differ shows."""
    D, H = trial.sizes("D H")
    shapes = {"weight_ih": (H, D), "weight_hh": (H, H), "bias": (H,)}
    shapes = dict(list(shapes.items())[: trial.choice(1, 2, 3)])
    slopes, arrays, direction = ({name: trial.normal(*shape) for name, shape in shapes.items()} for _ in range(3))
    count = sum(slope.size for slope in slopes.values())
    loss = Loss({name: slope / count**0.5 for name, slope in slopes.items()})
    return loss, arrays, direction, trial.log_uniform(0.03, 0.3)


BY_EPS = dict(divide=lambda up, down, eps: (up - down) / eps)


@exercise(
    "A cheaper gradient check",
    draw=draw_direction,
    turns={
        "this looks at one side only: go up and down by eps": [
            dict(sides=sides) | divide for sides in ((1, 0), (0, -1)) for divide in (BY_EPS, {})
        ],
        "between up and down lie 2 eps, not one": BY_EPS,
        "it is not divided by the distance between the two points": dict(divide=lambda up, down, eps: up - down),
        "the distance between the two points is 2 * eps: here eps is left out": dict(
            divide=lambda up, down, eps: (up - down) / 2
        ),
        "it is multiplied by eps where it should be divided: `/ (2 * eps)`": [
            dict(divide=lambda up, down, eps: (up - down) / 2 * eps),
            dict(divide=lambda up, down, eps: (up - down) * 2 * eps),
        ],
        "the lower loss is to be subtracted from the upper one": [
            dict(divide=lambda up, down, eps: (up + down) / (2 * eps)),
            dict(divide=lambda up, down, eps: up / (2 * eps)),
            dict(divide=lambda up, down, eps: down / (2 * eps)),
        ],
        "the step is eps times the direction: eps is left out": dict(step=np.ones_like),
        "the direction is to be used as it is, not made to length 1": dict(unit=True),
        "it moves along the first array only: all arrays move together": dict(moved=1),
    },
    dtypes=("float64",),
    tolerance=1e-8,
)
def directional_derivative(
    loss, arrays, direction, eps,
    *, sides=(1, -1), step=identity, divide=lambda up, down, eps: (up - down) / (2 * eps), unit=False, moved=None,
):  # fmt: skip
    length = np.sqrt(sum(np.sum(each**2) for each in direction.values())) if unit else 1
    along = {name: (name in list(arrays)[:moved]) * step(eps) / length * direction[name] for name in arrays}
    up, down = (loss({name: arrays[name] + side * along[name] for name in arrays}) for side in sides)
    return divide(up, down, eps)


def other_than(right, words):
    """Return the turns of a prediction: for each key, what to say of each word that is not the right one."""
    known = sorted(set(right.values()))
    return {words[key]: [{key: word} for word in known if word != right[key]] for key in right}


VERDICTS = dict(A="right", B="wrong", C="too small", D="too large", E="too small")
READINGS = {
    "A": "in A a tenth of eps leaves a hundredth of the error, and what is left is small",
    "B": "in B the error is the same at both eps: can it come from the differences?",
    "C": "in C the error grows tenfold at a tenth of eps: which arm of the V is that?",
    "D": "in D the error falls with the square of eps: which arm of the V is that?",
    "E": "in E the loss is computed in float32: what is left of seven digits when two such losses are subtracted?",
}


@exercise(
    "Read a gradient check",
    names="A, B, C, D, E",
    words="right, wrong, too large, too small",
    turns=other_than(VERDICTS, READINGS),
)
def read_the_check(**answers):
    return tuple((VERDICTS | answers).values())


FOUND = dict(a="found", b="missed", c="missed", d="found", e="missed", f="found", g="missed")
REASONS = {
    "a": "in a nothing comes from beyond the one step, so what is `d_c` without the part through h?",
    "b": "in b the gradient of the forget gate is `d_c * c_prev`: what is `c_prev` in this check?",
    "c": "in c, how many steps are there to add up?",
    "d": "in d the right gradient is made with `h_0`, the wrong one with `h_1`: which of them is zero?",
    "e": "in e, over how many steps and sequences is the mean?",
    "f": "in f the candidate is not zero, and the cell state reaches the loss through h",
    "g": "in g, what is twice the gradient of `weight_hh`, which meets `h_0`?",
}


@exercise("Found or missed?", words="found, missed", turns=other_than(FOUND, REASONS))
def found_or_missed(**answers):
    return FOUND | answers


FAULTS = {
    "moved": "whose numbers stand in other places: a step of the same size in every number does not see that",
    "number": "that is wrong in a single number: does your check move every number of the array?",
    "percent": "that is 2% too large: how large an error do you allow, measured by the size of the gradient?",
    "twice": "that is twice what it should be: how large an error do you allow, measured by the size of the gradient?",
}


class LossBox(Box):
    """A loss over the hidden states of an LSTM, computed in its arrays' dtype."""

    runs, budget = 40, "the loss can be asked 40 times"

    def __init__(self, weight, faults):
        super().__init__()
        self.weight, self.faults = weight, faults  # (T, B, H): of the output

    def forward(self, x, weight_ih, weight_hh, bias):
        zero = np.zeros(self.weight.shape[1:], x.dtype)
        return lstm_sequence(x, (zero, zero), weight_ih, weight_hh, bias, np.zeros_like(bias))

    def answer(self, arrays):
        self.asked.append(arrays)
        output, *_ = self.forward(**arrays)
        return float(np.sum(output * self.weight.astype(output.dtype)))


def draw_backward(trial):
    """Draw a small LSTM, a loss over it, and its gradients, some of them with a fault."""
    T, B, D, H = trial.sizes("T B D H", T=2)
    shapes = {"x": (T, B, D), "weight_ih": (4 * H, D), "weight_hh": (4 * H, H), "bias": (4 * H,)}
    arrays = {name: trial.normal(*shape) for name, shape in shapes.items()}
    faults = {name: trial.choice(*FAULTS, *["none"] * 4) for name in arrays}
    loss = LossBox(trial.normal(T, B, H) * trial.log_uniform(1e-5, 1e4), faults)
    *_, cache = loss.forward(**arrays)
    d_x, _, found = lstm_sequence_backward(loss.weight, tuple(np.zeros((2, B, H))), cache)
    right = {"x": d_x, "weight_ih": found["weight_ih"], "weight_hh": found["weight_hh"], "bias": found["bias_ih"]}
    return loss, arrays, {name: with_fault(value, faults[name], trial.rng) for name, value in right.items()}


def with_fault(gradient, fault, rng):
    """Return a gradient with one of the faults."""
    if fault == "moved":
        return gradient[::-1].copy()
    if fault == "number":
        wrong = gradient.copy()
        wrong.flat[int(rng.integers(1, wrong.size))] += np.max(np.abs(wrong))
        return wrong
    return gradient * {"percent": 1.02, "twice": 2.0}.get(fault, 1.0)


def diagnose_verdicts(got, want, loss, arrays, gradients):
    if not loss.asked:
        return "the loss was not asked anything"
    name = next(name for name in want if got[name] != want[name])
    if not want[name]:
        return f"`{name}`: it lets a gradient pass {FAULTS[loss.faults[name]]}"
    why = f"it reaches {np.max(np.abs(gradients[name])):.0e}: is that your measure, and is eps well chosen?"
    if loss.asked[-1][name].dtype == np.float32:
        why = "the loss was computed in float32: what does your eps leave of seven digits?"
    return f"`{name}`: it refuses a gradient that is right; {why}"


@exercise(
    "Which gradients are right?",
    draw=draw_backward,
    diagnose=diagnose_verdicts,
    turns={"the verdicts are turned over: True stands for a gradient that is right": dict(right=False)},
    trials=16,
)
def judge_gradients(loss, arrays, gradients, *, right=True):
    return {name: (fault == "none") == right for name, fault in loss.faults.items()}
