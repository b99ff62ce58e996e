"""The exercises of the chapter gates."""

import copy
from itertools import product

import numpy as np

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
from lstm_tutorial.in_numpy import LSTM, cell, sigmoid, tanh

# What is kept, by hand


def diagnose_kept(got, want, inputs):
    turns = {
        "`bias_hh` is left out of the sum": 3 * sigmoid(0.2),
        "`bias_ih` is left out of the sum": 3 * sigmoid(-0.2),
        "the hidden state is left out of the sum": 3 * sigmoid(2.0),
        "the hidden state counts as positive: mind its sign": 3 * sigmoid(3.5),
        "the sum has not gone through the sigmoid": 3 * 0.5,
        "the sum went through tanh, a gate needs the sigmoid": 3 * tanh(0.5),
        "this is the sum, not what is kept": 0.5,
        "this is the opening of the gate, not what is kept: multiply": sigmoid(0.5),
        "this is what is lost, not what is kept": 3 * sigmoid(-0.5),
    }
    return first_match(got, turns, tolerance=0.01)


register(
    "kept_by_hand",
    chapter="gates",
    title="What is kept, by hand",
    reference=lambda: float(3 * sigmoid(2 * 0.5 - 1 * 1.5 + 0.7 + 0.3)),
    diagnose=diagnose_kept,
    tolerance=0.01,
)


# The forget gate


def draw_gate(rng):
    """Draw an input, a hidden state and the weights of one gate."""
    B, D, H = draw_sizes(rng, 3)
    shapes = (B, D), (B, H), (H, D), (H, H), (H,), (H,)
    return tuple(rng.normal(size=shape) for shape in shapes)


def diagnose_forget_gate(got, want, inputs):
    x, h, weight_ih, weight_hh, bias_ih, bias_hh = inputs
    from_x, from_h, bias = x @ weight_ih.T, h @ weight_hh.T, bias_ih + bias_hh
    z = from_x + from_h + bias
    swapped = np.concatenate([x, h], axis=1) @ np.concatenate([weight_hh, weight_ih], axis=1).T + bias
    turns = {
        "the sigmoid is missing: this is the sum under it": z,
        "it uses tanh where the sigmoid is expected: that is for the candidate": tanh(z),
        "the gate is upside down: 1 should mean keep": 1 - want,
        "the hidden state does not reach the gate": sigmoid(from_x + bias),
        "the input does not reach the gate": sigmoid(from_h + bias),
        "both biases are left out": sigmoid(z - bias),
        "`bias_hh` is left out": sigmoid(z - bias_hh),
        "`bias_ih` is left out": sigmoid(z - bias_ih),
        "`bias_ih` is added twice, `bias_hh` not at all": sigmoid(z + bias_ih - bias_hh),
        "`x` and `h` are put end to end the other way round than the weights": sigmoid(swapped),
        "`weight_hh` is used without its transpose": sigmoid(from_x + h @ weight_hh + bias),
        "each part goes through a sigmoid of its own: add first, then squash once": sigmoid(from_x)
        + sigmoid(from_h + bias),
    }
    return first_match(got, turns)


register(
    "forget_gate",
    chapter="gates",
    title="The forget gate",
    draw=draw_gate,
    reference=cell.forget_gate,
    diagnose=diagnose_forget_gate,
    names=("f",),
    axes=("B H",),
)


# From the literature's weights to PyTorch's


def draw_literature(rng):
    """Draw four matrices (H, H + D) and four biases (H,), in the order of the paper: f, i, c, o."""
    D, H = draw_sizes(rng, 2)
    return tuple(rng.normal(size=(H, H + D)) for _ in "fico") + tuple(rng.normal(size=H) for _ in "fico")


def stack(W_f, W_i, W_c, W_o, b_f, b_i, b_c, b_o, second=0.0):
    H = len(b_f)
    W = np.concatenate([W_i, W_f, W_c, W_o])
    bias = np.concatenate([b_i, b_f, b_c, b_o])
    return {
        "weight_ih_l0": W[:, H:],
        "weight_hh_l0": W[:, :H],
        "bias_ih_l0": bias,
        "bias_hh_l0": second * bias,
    }


def diagnose_stacked(got, want, inputs):
    H, W = len(inputs[-1]), np.concatenate([want["weight_hh_l0"], want["weight_ih_l0"]], axis=1)
    D = W.shape[1] - H
    input_first = {"weight_ih_l0": W[:, :D], "weight_hh_l0": W[:, D:]}
    halves = {"bias_ih_l0": want["bias_hh_l0"], "bias_hh_l0": want["bias_ih_l0"]}
    turns = {
        "the columns are cut as if the input came first: in [h, x] it is the hidden state": want | input_first,
        "the bias stands in both vectors, and so it counts twice": want | {"bias_hh_l0": want["bias_ih_l0"]},
        "the bias went into `bias_hh_l0`; put it into `bias_ih_l0`": want | halves,
    }
    return first_match(got, turns)


register(
    "stacked_weights",
    chapter="gates",
    title="From a paper's weights to PyTorch's",
    draw=draw_literature,
    reference=stack,
    diagnose=diagnose_stacked,
    axes=("4H D", "4H H", "4H", "4H"),
)


# A step with three wrong lines


def draw_step(rng):
    B, D, H = draw_sizes(rng, 3)
    shapes = (B, D), (B, H), (B, H), (4 * H, D), (4 * H, H), (4 * H,), (4 * H,)
    return tuple(rng.normal(size=shape) for shape in shapes)


def step(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh, *, swapped=False, squash=tanh, shows="o"):
    """Return (h, c) of one step; each keyword is one of the faults of the workbook's program."""
    blocks = np.split(x @ weight_ih.T + h @ weight_hh.T + bias_ih + bias_hh, 4, axis=-1)  # (B, H) each
    z_i, z_f, z_g, z_o = blocks[:2] + blocks[:1:-1] if swapped else blocks
    gates = {"i": sigmoid(z_i), "f": sigmoid(z_f), "o": sigmoid(z_o)}
    c = gates["f"] * c + gates["i"] * squash(z_g)
    return gates[shows] * tanh(c), c


FAULTS = [
    ("the rows are split in the wrong order", {"swapped": True}),
    ("the candidate cannot be negative", {"squash": sigmoid}),
    ("the wrong gate decides what `h` shows", {"shows": "i"}),
]


def diagnose_step(got, want, inputs):
    turns = {}
    for there in product((True, False), repeat=3):
        faults = [fault for fault, is_there in zip(FAULTS, there) if is_there]
        if faults:
            options = {name: value for _, option in faults for name, value in option.items()}
            count = {1: "one fault is", 2: "two faults are", 3: "all three faults are"}[len(faults)]
            turns[f"{count} left: {'; '.join(words for words, _ in faults)}"] = step(*inputs, **options)
    turns["`h` is made from the old cell state"] = (step(*inputs)[0] / tanh(want[1]) * tanh(inputs[2]), want[1])
    return first_match(got, turns)


register(
    "repaired_gates",
    chapter="gates",
    title="Three wrong lines",
    draw=draw_step,
    reference=step,
    diagnose=diagnose_step,
    names=("h", "c"),
    axes=("B H", "B H"),
)


# A unit that listens to itself


def unit(weight_ih, weight_hh, bias):
    """Return an LSTM of one unit with these rows i, f, g, o."""
    lstm = LSTM(weight_ih.shape[1], 1, batch_first=True, dtype="float64")
    weights = {"weight_ih_l0": weight_ih, "weight_hh_l0": weight_hh, "bias_ih_l0": bias, "bias_hh_l0": 0 * bias}
    lstm.load_state_dict(weights)
    return lstm


def cell_states_of_the_listener():
    weight_ih, weight_hh = np.array([[40.0], [-40], [0], [0]]), np.array([[0.0], [0], [-40], [0]])
    x = np.array([0.0, 1, 0, 0, 1, 1])[None, :, None]
    _, _, gates = unit(weight_ih, weight_hh, np.array([-20.0, 20, 10, 20]))(x, return_gates=True)
    return [float(c) for c in np.round(gates.c[0, :, 0])]


def diagnose_listener(got, want, inputs):
    turns = {
        "this is a latch that only sets: what does the candidate say once h is positive?": [0.0, 1, 1, 1, 1, 1],
        "this counts pulses: is the forget gate open at a pulse?": [0.0, 1, 1, 1, 2, 3],
        "this adds the candidate to the old state: is the forget gate open at a pulse?": [0.0, 1, 1, 1, 0, 1],
        "this changes at every step: what do the two gates do while there is no pulse?": [1.0, -1, 1, -1, 1, -1],
        "this forgets as soon as the pulse is over: what does the forget gate do without a pulse?": [
            0.0,
            1,
            0,
            0,
            1,
            1,
        ],
        "the first pulse gives the wrong sign: h is 0 then, so the bias alone decides": [0.0, -1, -1, -1, 1, -1],
        "these are the hidden states; the question is about the cell states": [round(np.tanh(c), 2) for c in want],
    }
    return first_match(got, turns, tolerance=0.02)


register(
    "listener_states",
    chapter="gates",
    title="A unit that listens to itself",
    reference=cell_states_of_the_listener,
    diagnose=diagnose_listener,
    names=tuple(f"c after step {t}" for t in range(1, 7)),
    tolerance=0.05,
)


# A design: the depth of brackets


def verify_depth(answer, rng):
    """Run the unit on random brackets and resets, and say at which kind of step it first goes wrong."""
    weight_ih, bias = (np.asarray(each, float) for each in answer)
    events = rng.choice(4, size=(20, 60), p=[0.3, 0.2, 0.1, 0.4])  # open, close, reset, nothing
    x = np.eye(4)[events][..., :3]
    depth = np.zeros(events.shape)
    for t in range(events.shape[1]):
        before = depth[:, t - 1] if t else 0
        depth[:, t] = np.where(events[:, t] == 2, 0, before + (events[:, t] == 0) - (events[:, t] == 1))
    _, _, gates = unit(weight_ih, np.zeros((4, 1)), bias)(x, return_gates=True)
    c = gates.c[..., 0]
    wrong = ~(np.abs(c - depth) < 0.1)
    if not wrong.any():
        return None
    t = int(wrong.any(axis=0).argmax())
    b = int(wrong[:, t].argmax())
    kind = ("an opening bracket", "a closing bracket", "a reset", "a step without any pulse")[events[b, t]]
    i, f, g = (values[b, t, 0] for values in gates[:3])
    start = f"it first goes wrong at {kind}, step {t + 1}: the cell state goes from {c[b, t - 1] if t else 0:.2f} to"
    return f"{start} {c[b, t]:.2f}, with f = {f:.2f}, i = {i:.2f}, g = {g:.2f}"


register(
    "depth_counter",
    chapter="gates",
    title="The depth of brackets",
    reference=lambda: (np.zeros((4, 3)), np.zeros(4)),
    verify=verify_depth,
    names=("weight_ih", "bias"),
    axes=("4H D", "4H"),
    dtypes=("float64",),
)


# An experiment: which gate is stuck

STUCK = {"none": "in which nothing is stuck"} | {
    f"{gate} {where}": f"whose {gate} gate is stuck {where}"
    for gate in ("input", "forget", "output")
    for where in ("open", "shut")
}
UNSEEN = {
    "none": "an open gate only comes near 1, a shut one near 0, and a candidate may be negative",
    "input open": "such a fault shows where a value comes without a write, and you look",
    "input shut": "such a fault shows where a value is written, and you look",
    "forget open": "such a fault shows where something in the cell is erased, and you look",
    "forget shut": "such a fault shows where something should stay from one step to the next, and you look",
    "output open": "such a fault shows where something is in the cell, and you do not ask for it",
    "output shut": "such a fault shows where you look at something that must be in the cell",
}
LOOK_ALIKE = {
    ("input shut", "output shut"): "neither shows what you write; start from a cell state that nobody had to write",
    ("forget shut", "output shut"): "neither shows what was in the cell before; look in the very step that writes",
}


class PanelBox:
    """One LSTM unit with a column of its input for the candidate and for each gate; it runs three times."""

    def __init__(self, rng):
        self.stuck, self.sums, self.runs, self.asked = str(rng.choice(list(STUCK))), rng.uniform(4, 8, 3), 0, []
        self.scale = rng.choice([-1, 1]) * rng.uniform(0.5, 2)

    def __deepcopy__(self, memo):
        return copy.copy(self)  # shares `asked`, so that the diagnosis can speak about the experiment

    def __call__(self, x, c=0.0):
        x = np.asarray(x, float)
        if x.ndim != 2 or x.shape[1] != 4:
            raise ValueError(f"x must have the shape (T, 4), its columns value, write, erase and show, got {x.shape}")
        self.runs += 1
        if self.runs > 3:
            raise RuntimeError("the unit runs three times, and this was the fourth")
        self.asked.append(x)
        wanted = np.stack([x[:, 1], 1 - x[:, 2], x[:, 3]], axis=1)  # (T, 3): i, f, o
        gate, where = (self.stuck + " -").split()[:2]
        if gate != "none":
            wanted[:, ("input", "forget", "output").index(gate)] = where == "open"
        found = []
        for (i, f, o), value in zip(sigmoid(self.sums * (2 * wanted - 1)), x[:, 0]):
            c = f * c + i * tanh(self.scale * value)
            found.append(o * tanh(c))
        return np.array(found)


def diagnose_stuck(got, want, inputs):
    said, is_so = " ".join(str(got).casefold().split()), str(want)
    if said not in STUCK:
        return f"the answers are {', '.join(STUCK)}; {said!r} is none of them"
    if not inputs[0].asked:
        return "the unit was not run"
    why = LOOK_ALIKE.get((is_so, said)) or LOOK_ALIKE.get((said, is_so)) or UNSEEN[is_so]
    return f"it takes a unit {STUCK[is_so]} for one {STUCK[said]}: {why}"


register(
    "stuck_gate",
    chapter="gates",
    title="Which gate is stuck?",
    draw=lambda rng: (PanelBox(rng),),
    reference=lambda box: box.stuck,
    diagnose=diagnose_stuck,
    dtypes=("float64",),
    trials=28,
)


# An experiment: in which order do the rows stand


class LibraryBox:
    """An LSTM that stacks its rows in an order of its own and shows hidden states with two decimals."""

    def __init__(self, rng):
        self.order, self.runs, self.asked = "".join(rng.permutation(list("ifgo"))), 0, []

    def __deepcopy__(self, memo):
        return copy.copy(self)

    def __call__(self, x, weight_ih, weight_hh, bias):
        self.runs += 1
        if self.runs > 6:
            raise RuntimeError("the library runs six times, and this was the seventh")
        x, *stacked = (np.asarray(each, float) for each in (x, weight_ih, weight_hh, bias))
        self.asked.append(x)
        blocks = [dict(zip(self.order, np.split(each, 4))) for each in stacked]
        weights = [np.concatenate([each[name] for name in "ifgo"]) for each in blocks]
        state, found = (np.zeros(len(weights[2]) // 4),) * 2, []
        for x_t in x:
            state, _ = cell.lstm_cell(x_t, state, *weights, 0 * weights[2])
            found.append(state[0])
        return np.round(found, 2)


def diagnose_order(got, want, inputs):
    said, is_so, asked = str(got).strip().casefold(), str(want), inputs[0].asked
    if sorted(said) != sorted("ifgo"):
        return "give a word of the four letters i, f, g and o, each once"
    if not asked:
        return "the library was not run"
    wrong = [name for name in "ifgo" if said.index(name) != is_so.index(name)]
    if max(map(len, asked)) == 1:
        why = "a single step starts from an empty cell, and there is nothing for the forget gate to keep"
    elif "g" in wrong:
        why = "only the candidate can be negative; are your weights large enough for two decimals to show it?"
    elif "f" in wrong:
        why = "only the forget gate decides what is left of an old cell state; is there anything in the cell to keep?"
    else:
        why = "either may hide what is new; but a shut output gate only hides, and what is hidden can be shown later"
    blocks = f"{', '.join(wrong[:-1])} and {wrong[-1]}"
    return f"the blocks of {blocks} are taken for each other: {why}"


register(
    "row_order",
    chapter="gates",
    title="In which order do the rows stand?",
    draw=lambda rng: (LibraryBox(rng),),
    reference=lambda box: box.order,
    diagnose=diagnose_order,
    dtypes=("float64",),
    trials=8,
)
