"""The exercises of the chapter numpy-lstm."""

import copy

import numpy as np

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
from lstm_tutorial.in_numpy import lstm_cell, lstm_cell_backward, lstm_sequence, lstm_sequence_backward, sigmoid, tanh
from lstm_tutorial.in_numpy.cell import CellCache
from lstm_tutorial.in_numpy.sequence import SequenceCache

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def gates_backward(d_h, d_c, c_prev, i, f, g, o, tanh_c):
    """Return d_z and d_c_prev of one step; weights that are the identity hand d_z through as d_x."""
    one = np.eye(4 * c_prev.shape[-1], dtype=c_prev.dtype)
    cache = CellCache(c_prev, c_prev, c_prev, i, f, g, o, tanh_c, tanh_c, one, one, None)
    d_z, (_, d_c_prev), _ = lstm_cell_backward(d_h, d_c, cache)
    return d_z, d_c_prev


# One step back by hand: one unit, numbers for a pocket calculator.

BY_HAND = dict(d_h=1.0, d_c=0.18, c_prev=1.0, i=0.25, f=0.5, g=0.8, o=0.5, tanh_c=0.6)


def _by_hand(d_c=None, d_c_prev=None):
    """Return the six numbers, or those that follow from another d_c."""
    given = {name: np.full(1, value) for name, value in BY_HAND.items()}
    d_z, right_d_c_prev = gates_backward(**given)
    right = float(right_d_c_prev[0] / BY_HAND["f"])
    d_c = right if d_c is None else d_c
    d_z_i, d_z_f, d_z_g = (float(each) * d_c / right for each in d_z[:3])
    return d_c, d_z_i, d_z_f, d_z_g, float(d_z[3]), d_c * BY_HAND["f"] if d_c_prev is None else d_c_prev


def diagnose_by_hand(got, want, inputs):
    """Follow a wrong d_c to the end."""
    t = BY_HAND
    through_h = t["d_h"] * t["o"] * (1 - t["tanh_c"] ** 2)
    d_c = t["d_c"] + through_h
    no_slopes = d_c, d_c * t["g"], d_c * t["c_prev"], d_c * t["i"], t["d_h"] * t["tanh_c"], d_c * t["f"]
    candidate = d_c * t["i"] * t["g"] * (1 - t["g"])
    return first_match(
        got,
        {
            "`d_c` lacks what reaches the loss through h: h depends on c too": _by_hand(t["d_c"]),
            "`d_c` lacks what comes from the next step: the two add up": _by_hand(through_h),
            "on the way through h the output gate is left out of `d_c`": _by_hand(
                t["d_c"] + t["d_h"] * (1 - t["tanh_c"] ** 2)
            ),
            "on the way through h the slope of tanh is left out of `d_c`": _by_hand(t["d_c"] + t["d_h"] * t["o"]),
            "`d_c_prev` is what came from the next step times f: use the whole of `d_c`": _by_hand(
                d_c_prev=t["d_c"] * t["f"]
            ),
            "the slopes are missing: each `d_z` lies before the sigmoid or tanh of its gate": no_slopes,
            "the candidate is a tanh, its slope is 1 - g**2": (*want[:3], candidate, *want[4:]),
        },
        tolerance=0.01,
    )


register(
    "backward_by_hand",
    chapter="numpy-lstm",
    title="One step back, by hand",
    reference=_by_hand,
    names=("d_c", "d_z_i", "d_z_f", "d_z_g", "d_z_o", "d_c_prev"),
    diagnose=diagnose_by_hand,
    tolerance=0.01,
)


# The gates' gradients.


def draw_gates_backward(rng):
    """Draw the openings of a step that could have happened, and the gradients of its two states."""
    B, H = draw_sizes(rng, 2)
    i, f, o = sigmoid(rng.normal(size=(3, B, H)))
    g, c_prev, d_h, d_c = tanh(rng.normal(size=(B, H))), *rng.normal(size=(3, B, H))
    return d_h, d_c, c_prev, i, f, g, o, tanh(f * c_prev + i * g)


def diagnose_gates_backward(got, want, inputs):
    d_h, d_c, c_prev, i, f, g, o, tanh_c = inputs
    zero, (d_z, d_c_prev) = np.zeros_like(d_h), want
    d_c_all = d_c + d_h * o * (1 - tanh_c**2)

    def with_d_c(wrong):
        return np.concatenate([gates_backward(zero, wrong, *inputs[2:])[0][..., : -o.shape[-1]], d_z_o], axis=-1)

    d_z_o = d_h * tanh_c * o * (1 - o)
    no_slopes = np.concatenate([d_c_all * g, d_c_all * c_prev, d_c_all * i, d_h * tanh_c], axis=-1)
    all_sigmoid = d_z.copy()
    H = o.shape[-1]
    all_sigmoid[..., 2 * H : 3 * H] = d_c_all * i * g * (1 - g)
    turns = {
        "`d_c` lacks the path through h: add what `d_h` sends to c": d_c,
        "on the path through h the output gate is left out": d_c + d_h * (1 - tanh_c**2),
        "on the path through h the slope of tanh is left out": d_c + d_h * o,
        "`tanh_c` is tanh(c) already: its slope is 1 - tanh_c**2, no second tanh": d_c
        + d_h * o * (1 - tanh(tanh_c) ** 2),
        "`d_c` lacks what comes from the next step: the two paths add up": d_c_all - d_c,
    }
    turns = {words: (with_d_c(wrong), wrong * f) for words, wrong in turns.items()}
    turns |= {
        "the slopes are missing: `d_z` is the gradient before the gates' sigmoid and tanh": (no_slopes, d_c_prev),
        "the candidate is a tanh, its slope is 1 - g**2": (all_sigmoid, d_c_prev),
        "`d_c_prev` is `d_c` times the forget gate": (d_z, d_c_all),
        "`d_c_prev` lacks the path through h: use the same `d_c` as for the gates": (d_z, d_c * f),
    }
    return first_match(got, turns)


register(
    "gates_backward",
    chapter="numpy-lstm",
    title="The gradients of the four gates",
    draw=draw_gates_backward,
    reference=gates_backward,
    names=("d_z", "d_c_prev"),
    axes=("B 4H", "B H"),
    diagnose=diagnose_gates_backward,
)


# Through time.


def draw_sequence(rng):
    """Draw a short sequence and run it, keeping each step's cache."""
    T, B, D, H = draw_sizes(rng, 4, high=6)
    weights = [0.7 * rng.normal(size=shape) for shape in ((4 * H, D), (4 * H, H), (4 * H,), (4 * H,))]
    state, caches = tuple(rng.normal(size=(2, B, H))), []
    for x in rng.normal(size=(T, B, D)):
        state, cache = lstm_cell(x, state, *weights)
        caches.append(cache)
    return rng.normal(size=(T, B, H)), caches


def reference_through_time(d_output, caches):
    zero = np.zeros_like(d_output[0])
    valid = np.ones((*d_output.shape[:2], 1), bool)
    return lstm_sequence_backward(d_output, (zero, zero), SequenceCache(caches, valid))


def _through_time(d_output, caches, carry_h=1, carry_c=1, add=True, every=True, backwards=True):
    """The loop, with the mistakes one can make in it."""
    d_h, d_c = np.zeros((2, *d_output[0].shape), d_output.dtype)
    total, d_xs, steps = {}, [None] * len(caches), list(range(len(caches)))
    for t in reversed(steps) if backwards else steps:
        from_above = d_output[t] if every or t == steps[-1] else 0
        d_xs[t], (d_h, d_c), found = lstm_cell_backward(carry_h * d_h + from_above, carry_c * d_c, caches[t])
        total = {name: (total.get(name, 0) if add else 0) + found[name] for name in WEIGHTS}
    return np.stack(d_xs), (d_h, d_c), total


def diagnose_through_time(got, want, inputs):
    n = len(inputs[1])
    mean = {name: value / n for name, value in want[2].items()}
    return first_match(
        got,
        {
            "the weights' gradients are those of the last step handled alone: add up those of all steps": _through_time(
                *inputs, add=False
            ),
            "the weights' gradients are averaged over time: they add up": (*want[:2], mean),
            "`d_c` is not handed on from step to step": _through_time(*inputs, carry_c=0),
            "`d_h` is not handed on from step to step: each step's is `d_output[t]` plus what the step after it sent": (
                _through_time(*inputs, carry_h=0)
            ),
            "`d_output` is used at the last step only: every output may reach the loss": _through_time(
                *inputs, every=False
            ),
            "the loop runs from the first step to the last: gradients come from the end": _through_time(
                *inputs, backwards=False
            ),
        },
    )


register(
    "backward_through_time",
    chapter="numpy-lstm",
    title="Backpropagation through time",
    draw=draw_sequence,
    reference=reference_through_time,
    names=("d_x", "d_h", "d_c"),
    axes=("T B D", "B H", "B H", "4H D", "4H H", "4H", "4H"),
    diagnose=diagnose_through_time,
)


# Find the bugs.


def draw_weight_gradients(rng):
    T, B, D, H = draw_sizes(rng, 4)
    return rng.normal(size=(T, B, 4 * H)), rng.normal(size=(T, B, D)), rng.normal(size=(T + 1, B, H))


def reference_weight_gradients(d_z, x, h):
    """Add up over steps and sequences what each sum's gradient meets: an input, a state before the step, a one."""
    bias = d_z.sum(axis=(0, 1))
    return {
        "weight_ih": np.einsum("tbg,tbd->gd", d_z, x),
        "weight_hh": np.einsum("tbg,tbh->gh", d_z, h[:-1]),
        "bias_ih": bias,
        "bias_hh": bias.copy(),
    }


def diagnose_weight_gradients(got, want, inputs):
    d_z, _, h = inputs
    sums = want["bias_ih"]
    states = {None: want["weight_hh"], "after": np.einsum("tbg,tbh->gh", d_z, h[1:])}
    biases = {None: sums, "mean": d_z.mean(axis=(0, 1)), "time": sums / d_z.shape[1], "batch": sums / d_z.shape[0]}
    words = {
        "after": "`weight_hh` met the state before the step; it is given the state after it",
        "mean": "the biases' gradients are averaged over time and batch: they add up",
        "time": "the biases' gradients are averaged over the batch: they add up",
        "batch": "the biases' gradients are averaged over time: they add up",
    }
    turns = {}
    for state, weight_hh in states.items():
        for bias, d_bias in biases.items():
            said = [words[each] for each in (state, bias) if each]
            if said:
                turns["; ".join(said)] = want | {"weight_hh": weight_hh, "bias_ih": d_bias, "bias_hh": d_bias}
    turns["`bias_hh` is left at zero: both biases are added, both get the gradient"] = want | {"bias_hh": 0 * sums}
    turns["the two biases share one gradient, they do not halve it"] = want | {"bias_ih": sums / 2, "bias_hh": sums / 2}
    return first_match(got, turns)


register(
    "weight_gradients",
    chapter="numpy-lstm",
    title="Find the bugs: after the loop",
    draw=draw_weight_gradients,
    reference=reference_weight_gradients,
    axes=("4H D", "4H H", "4H", "4H"),
    diagnose=diagnose_weight_gradients,
)


# A cheap gradient check.


def draw_direction(rng):
    """Draw a loss with curvature, arrays, a direction, and a step so large that every way to differ shows."""
    shapes = {"weight": draw_sizes(rng, 2), "bias": draw_sizes(rng, 1)}
    arrays, direction, slopes = ({name: rng.normal(size=each) for name, each in shapes.items()} for _ in range(3))

    def loss(arrays):
        return float(sum(np.sum(slopes[name] * np.exp(0.5 * arrays[name])) for name in shapes))

    return loss, arrays, direction, float(rng.uniform(0.05, 0.3))


def _moved(loss, arrays, direction, step):
    return loss({name: value + step * direction[name] for name, value in arrays.items()})


def reference_direction(loss, arrays, direction, eps):
    return (_moved(loss, arrays, direction, eps) - _moved(loss, arrays, direction, -eps)) / (2 * eps)


def diagnose_direction(got, want, inputs):
    loss, arrays, direction, eps = inputs
    length = float(np.sqrt(sum(np.sum(each**2) for each in direction.values())))
    unit = {name: each / length for name, each in direction.items()}
    above, here, below = (_moved(loss, arrays, direction, step) for step in (eps, 0, -eps))
    first = {name: each if name == "weight" else 0 * each for name, each in direction.items()}
    return first_match(
        got,
        {
            "this looks at one side only: go up and down by eps": (above - here) / eps,
            "this looks at one side only, the lower one: go up and down by eps": (here - below) / eps,
            "between up and down lie 2 eps, not one": 2 * want,
            "it is not divided by the distance between the two points": above - below,
            "the direction is to be used as it is, not made to length 1": reference_direction(loss, arrays, unit, eps),
            "it moves along the first array only: all arrays move together": reference_direction(
                loss, arrays, first, eps
            ),
            "up and down are the wrong way round": -want,
        },
        tolerance=1e-6,
    )


register(
    "directional_derivative",
    chapter="numpy-lstm",
    title="A cheaper gradient check",
    draw=draw_direction,
    reference=reference_direction,
    diagnose=diagnose_direction,
    dtypes=("float64",),
    tolerance=1e-8,
)


# Read a gradient check.

VERDICTS = ("right", "wrong", "too small", "too large", "too small")
READINGS = {
    "A": "in A a tenth of eps leaves a hundredth of the error, and what is left is small",
    "B": "in B the error is the same at both eps: can it come from the differences?",
    "C": "in C the error grows tenfold at a tenth of eps: which arm of the V is that?",
    "D": "in D the error falls with the square of eps: which arm of the V is that?",
    "E": "in E the loss is computed in float32: what is left of seven digits when two such losses are subtracted?",
}


def diagnose_reading(got, want, inputs):
    words = [str(np.asarray(each)).strip().casefold() for each in got]
    unknown = sorted(set(words) - set(VERDICTS))
    if unknown:
        return f"the words are right, wrong, too large and too small; {unknown[0]!r} is none of them"
    return next((READINGS[row] for row, w, v in zip("ABCDE", words, want) if w != v), None)


register(
    "read_the_check",
    chapter="numpy-lstm",
    title="Read a gradient check",
    reference=lambda: VERDICTS,
    diagnose=diagnose_reading,
    names=tuple("ABCDE"),
)


# Which faults does a small check find?

FOUND = {"a": "found", "b": "missed", "c": "missed", "d": "found", "e": "missed", "f": "found", "g": "missed"}
REASONS = {
    "a": "in a nothing comes from beyond the one step, so what is `d_c` without the part through h?",
    "b": "in b the gradient of the forget gate is `d_c * c_prev`: what is `c_prev` in this check?",
    "c": "in c, how many steps are there to add up?",
    "d": "in d the right gradient is made with `h_0`, the wrong one with `h_1`: which of them is zero?",
    "e": "in e, over how many steps and sequences is the mean?",
    "f": "in f the candidate is not zero, and the cell state reaches the loss through h",
    "g": "in g, what is twice the gradient of `weight_hh`, which meets `h_0`?",
}


def diagnose_found(got, want, inputs):
    words = {key: str(np.asarray(value)).strip().casefold() for key, value in got.items()}
    unknown = sorted(set(words.values()) - {"found", "missed"})
    if unknown:
        return f"the words are found and missed; {unknown[0]!r} is neither"
    return next((REASONS[key] for key in want if words[key] != want[key]), None)


register(
    "found_or_missed",
    chapter="numpy-lstm",
    title="Found or missed?",
    reference=lambda: dict(FOUND),
    diagnose=diagnose_found,
)


# An experiment: which gradients are right?

CALLS = 40
FAULTS = {
    "moved": "whose numbers stand in other places: a step of the same size in every number does not see that",
    "number": "that is wrong in a single number: does your check move every number of the array?",
    "percent": "that is 2% too large: how large an error do you allow, measured by the size of the gradient?",
    "twice": "that is twice what it should be: how large an error do you allow, measured by the size of the gradient?",
}


class LossBox:
    """A loss over the hidden states of an LSTM; it can be asked forty times, and computes in its arrays' dtype."""

    def __init__(self, rng, shape, faults):
        self.weight = rng.normal(size=shape) * 10 ** rng.uniform(-5, 4)  # (T, B, H): of the output
        self.faults, self.calls, self.asked = faults, 0, []

    def __deepcopy__(self, memo):
        return copy.copy(self)  # shares `asked`, so that the diagnosis can speak about the experiment

    def forward(self, x, weight_ih, weight_hh, bias):
        zero = np.zeros(self.weight.shape[1:], x.dtype)
        return lstm_sequence(x, (zero, zero), weight_ih, weight_hh, bias, np.zeros_like(bias))

    def __call__(self, arrays):
        self.calls += 1
        if self.calls > CALLS:
            raise RuntimeError(f"the loss can be asked {CALLS} times, and this was one time more")
        self.asked.append(self.calls)
        output, *_ = self.forward(**arrays)
        return float(np.sum(output * self.weight.astype(output.dtype)))


def draw_backward(rng):
    """Draw a small LSTM, a loss over it, and its gradients, some of them with a fault."""
    T, B, D, H = draw_sizes(rng, 4, low=2, high=5)
    shapes = {"x": (T, B, D), "weight_ih": (4 * H, D), "weight_hh": (4 * H, H), "bias": (4 * H,)}
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    faults = {name: str(rng.choice([*FAULTS, *["none"] * 6])) for name in arrays}
    loss = LossBox(rng, (T, B, H), faults)
    zero, (*_, cache) = np.zeros((B, H)), loss.forward(**arrays)
    d_x, _, found = lstm_sequence_backward(loss.weight, (zero, zero), cache)
    right = {"x": d_x, "weight_ih": found["weight_ih"], "weight_hh": found["weight_hh"], "bias": found["bias_ih"]}
    return loss, arrays, {name: with_fault(value, faults[name], rng) for name, value in right.items()}


def with_fault(gradient, fault, rng):
    """Return a gradient with one of the faults."""
    if fault == "moved":
        return gradient[::-1].copy()
    if fault == "number":
        wrong = gradient.copy()
        wrong.flat[int(rng.integers(1, wrong.size))] += np.max(np.abs(wrong))
        return wrong
    return gradient * {"percent": 1.02, "twice": 2.0}.get(fault, 1.0)


def diagnose_verdicts(got, want, inputs):
    loss, arrays, gradients = inputs
    if not loss.asked:
        return "the loss was not asked anything"
    for name in want:
        if bool(got[name]) and not want[name]:
            return f"`{name}`: it lets a gradient pass {FAULTS[loss.faults[name]]}"
        if want[name] and not got[name]:
            why = f"it reaches {np.max(np.abs(gradients[name])):.0e}: is that your measure, and is eps well chosen?"
            if arrays[name].dtype == np.float32:
                why = "the loss was computed in float32: what does your eps leave of seven digits?"
            return f"`{name}`: it refuses a gradient that is right; {why}"
    return None


register(
    "judge_gradients",
    chapter="numpy-lstm",
    title="Which gradients are right?",
    draw=draw_backward,
    reference=lambda loss, arrays, gradients: {name: fault == "none" for name, fault in loss.faults.items()},
    diagnose=diagnose_verdicts,
)
