"""The exercises of the chapter gates."""

from itertools import permutations

import numpy as np

from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.in_numpy import LSTM, cell, lstm_cell, sigmoid, tanh


@exercise(
    "What is kept, by hand",
    turns={
        "the pre-activation has not gone through the sigmoid": dict(squash=identity),
        "the pre-activation went through tanh, a gate needs the sigmoid": dict(squash=tanh),
        "this is the pre-activation, not what is kept": dict(squash=identity, c=1),
        "this is the value of the gate, not what is kept: multiply": dict(c=1),
        "this is what is lost, not what is kept": dict(squash=lambda z: sigmoid(-z)),
    },
    tolerance=0.01,
)
def kept_by_hand(*, x=2, h=-1, weight_x=0.5, weight_h=1.5, bias_ih=0.7, bias_hh=0.3, c=3, squash=sigmoid):
    return float(c * squash(weight_x * x + weight_h * h + bias_ih + bias_hh))


def draw_gate(trial):
    """Draw an input, a hidden state and the weights of one gate."""
    B, D, H = trial.sizes("B D H")
    weights = (trial.normal(*shape) for shape in ((H, D), (H, H), (H,), (H,)))
    return trial.scores(B, D), trial.normal(B, H), *weights


@exercise(
    "The forget gate",
    draw=draw_gate,
    names="f",
    axes="B H",
    same_as=cell.forget_gate,
    turns={
        "the sigmoid is missing: this is the pre-activation": dict(squash=identity),
        "it uses tanh where the sigmoid is expected: that is for the candidate": dict(squash=tanh),
        "the gate is upside down: 1 should mean keep": dict(squash=lambda z: sigmoid(-z)),
        "both biases are left out": dict(biased=False),
        "`x` and `h` are put end to end the other way round than the weights": dict(end_to_end=True),
        "each part goes through a sigmoid of its own: add first, then squash once": dict(apart=True),
    },
)
def forget_gate(
    x, h, weight_ih, weight_hh, bias_ih, bias_hh, *, squash=sigmoid, biased=True, end_to_end=False, apart=False
):
    from_x, from_h, bias = x @ weight_ih.T, h @ weight_hh.T, (bias_ih + bias_hh) * biased
    if end_to_end:
        return sigmoid(np.concatenate([x, h], axis=1) @ np.concatenate([weight_hh, weight_ih], axis=1).T + bias)
    return sigmoid(from_x) + sigmoid(from_h + bias) if apart else squash(from_x + from_h + bias)


def draw_literature(trial):
    """Draw four matrices (H, H + D) and four biases (H,), in the order of the paper: f, i, c, o."""
    D, H = trial.sizes("D H")
    return *(trial.normal(H, H + D) for _ in "fico"), *(trial.normal(H) for _ in "fico")


@exercise(
    "From a paper's weights to PyTorch's",
    draw=draw_literature,
    axes="4H D, 4H H, 4H, 4H",
    turns={
        "the rows stand in the paper's order f, i, c, o": dict(order="fico"),
        "the rows stand in the order i, f, o, c: PyTorch has the output gate last": dict(order="ifoc"),
        "the columns are cut as if the input came first: in [h, x] it is the hidden state": dict(hidden_first=False),
        "the bias stands in both vectors, and so it counts twice": dict(shares=(1, 1)),
        "each vector holds half of the bias: put all of it into `bias_ih_l0`": dict(shares=(0.5, 0.5)),
        "the bias went into `bias_hh_l0`; put it into `bias_ih_l0`": dict(shares=(0, 1)),
    },
)
def stacked_weights(W_f, W_i, W_c, W_o, b_f, b_i, b_c, b_o, *, order="ifco", hidden_first=True, shares=(1, 0)):
    H = len(b_f)
    D = W_f.shape[1] - H
    W = np.concatenate([{"f": W_f, "i": W_i, "c": W_c, "o": W_o}[name] for name in order])  # (4H, H + D)
    bias = np.concatenate([{"f": b_f, "i": b_i, "c": b_c, "o": b_o}[name] for name in order])
    weight_hh, weight_ih = np.split(W, [H], axis=1) if hidden_first else np.split(W, [D], axis=1)[::-1]
    biases = {"bias_ih_l0": shares[0] * bias, "bias_hh_l0": shares[1] * bias}
    return {"weight_ih_l0": weight_ih, "weight_hh_l0": weight_hh} | biases


def draw_step(trial):
    """Draw an input, both states and the weights of a step."""
    B, D, H = trial.sizes("B D H")
    weights = (trial.normal(*shape) for shape in ((4 * H, D), (4 * H, H), (4 * H,), (4 * H,)))
    return trial.normal(B, D), trial.normal(B, H), trial.normal(B, H), *weights


@exercise(
    "Three wrong lines",
    draw=draw_step,
    names="h, c",
    order="c, h",
    axes="B H, B H",
    same_as=lambda x, h, c, *weights: lstm_cell(x, (h, c), *weights)[0],
    combine=3,
    turns={
        "the rows are split in the wrong order": dict(order="ifog"),
        "the candidate cannot be negative: it needs tanh": dict(squash=sigmoid),
        "the wrong gate decides what `h` shows": dict(shows="i"),
        "`h` is made from the old cell state": dict(shown="old"),
        "`h` lacks the output gate": dict(shows="all"),
        "`h` lacks the tanh of the cell state": dict(bounded=identity),
        "the candidate lacks its tanh": dict(squash=identity),
        "the forget and the input gate are exchanged": dict(keeps="i", writes="f"),
        "the old cell state is kept whole: where is the forget gate?": dict(keeps="all"),
        "the candidate is written whole: where is the input gate?": dict(writes="all"),
        "nothing is kept of the old cell state": dict(keeps="none"),
        "nothing new is written into the cell state": dict(writes="none"),
        "the candidate is subtracted: what is written is added": dict(writes="minus"),
    },
)
def repaired_gates(
    x, h, c, weight_ih, weight_hh, bias_ih, bias_hh,
    *, order="ifgo", squash=tanh, keeps="f", writes="i", shows="o", shown="new", bounded=tanh,
):  # fmt: skip
    z = dict(zip(order, np.split(x @ weight_ih.T + h @ weight_hh.T + bias_ih + bias_hh, 4, axis=-1)))  # (B, H) each
    gates = {name: sigmoid(z[name]) for name in "ifo"} | {"all": 1, "none": 0}
    gates["minus"] = -gates["i"]
    new = gates[keeps] * c + gates[writes] * squash(z["g"])
    return gates[shows] * bounded(new if shown == "new" else c), new


def unit(weight_ih, weight_hh, bias):
    """Return an LSTM of one unit with these rows i, f, g, o."""
    lstm = LSTM(weight_ih.shape[1], 1, batch_first=True, dtype="float64")
    weights = {"weight_ih_l0": weight_ih, "weight_hh_l0": weight_hh, "bias_ih_l0": bias, "bias_hh_l0": 0 * bias}
    lstm.load_state_dict(weights)
    return lstm


AT_STEP = {
    1: "at step 1 there is no pulse: nothing is written into an empty cell",
    2: "at step 2 comes the first pulse: the forget gate shuts, and h is 0, so the bias alone decides on the candidate",
    3: "at step 3 there is no pulse: the forget gate is open, the input gate shut, and the state stays",
    4: "at step 4 there is no pulse: the forget gate is open, the input gate shut, and the state stays",
    5: "at step 5 comes a pulse while h is positive: the old state is erased; which sign has the candidate?",
    6: "at step 6 comes a pulse while h is negative: the old state is erased; which sign has the candidate?",
}


@exercise(
    "A unit that listens to itself",
    names=", ".join(f"c after step {t}" for t in AT_STEP),
    turns={
        "this is a latch that only sets: what does the candidate say once h is positive?": dict(candidate_h=0),
        "this counts pulses: is the forget gate open at a pulse?": dict(forget_x=0, candidate_h=0),
        "this adds the candidate to the old state: is the forget gate open at a pulse?": dict(forget_x=0),
        "this changes at every step: what do the two gates do while there is no pulse?": dict(input_z=20, forget_z=-40),
        "this forgets as soon as the pulse is over: what does the forget gate do without a pulse?": dict(forget_z=-40),
        "the first pulse gives the wrong sign: h is 0 then, so the bias alone decides": dict(sign=-1),
        "these are the hidden states; the question is about the cell states": dict(shown="h"),
    },
    diagnose=lambda got, want: next(words for (t, words), a, b in zip(AT_STEP.items(), got, want) if abs(a - b) > 0.05),
    tolerance=0.05,
)
def listener_states(*, input_z=-20, forget_z=20, input_x=40, forget_x=-40, candidate_h=-40, sign=1, shown="c"):
    bias = np.array([input_z, forget_z, 10.0, 20])
    lstm = unit(np.array([[input_x], [forget_x], [0], [0.0]]), np.array([[0], [0], [candidate_h], [0.0]]), bias)
    h, _, gates = lstm(np.array([0.0, 1, 0, 0, 1, 1])[None, :, None], return_gates=True)
    return [round(sign * float(each), 2) for each in (h if shown == "h" else np.round(gates.c))[0, :, 0]]


def verify_depth(answer, trial):
    """Run the unit on random brackets and resets, and say at which kind of step it first goes wrong."""
    weight_ih, bias = (np.asarray(each, float) for each in answer)
    events = trial.rng.choice(4, size=(20, 60), p=[0.3, 0.2, 0.1, 0.4])  # open, close, reset, nothing
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


@exercise(
    "The depth of brackets",
    verify=verify_depth,
    names="weight_ih, bias",
    axes="4H D, 4H",
    turns={
        "goes wrong at a closing bracket": [
            dict(f=(0, -40, -40, 20), g=(20, 0, 0, 0)),  # it erases
            dict(i=(40, 40, 0, -20), g=(0, 0, 0, 20)),  # the candidate is always 1, as in the latch
        ],
        "goes wrong at a reset": [dict(f=(0, 0, 0, 20)), dict(f=(0, 0, 0, 20), i=(0, 0, -40, 20))],
        "goes wrong at an opening bracket": dict(g=(0, -20, 0, 0)),
        "goes wrong at a step without any pulse": dict(g=(20, -20, 0, 20)),
    },
    dtypes=("float64",),
)
def depth_counter(*, i=(0, 0, 0, 20), f=(0, 0, -40, 20), g=(20, -20, 0, 0), o=(0, 0, 0, 20)):
    table = np.array([i, f, g, o], float)  # on open, close, reset, and the bias
    return table[:, :3], table[:, 3]


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


class PanelBox(Box):
    """One LSTM unit with a column of its input for the candidate and for each gate."""

    runs, budget = 3, "the unit runs three times"

    def __init__(self, trial):
        super().__init__()
        self.stuck, self.z = trial.choice(*STUCK), trial.rng.uniform(4, 8, 3)
        self.scale = trial.rng.choice([-1, 1]) * trial.rng.uniform(0.5, 2)

    def answer(self, x, c=0.0):
        x = np.asarray(x, float)
        if x.ndim != 2 or x.shape[1] != 4:
            raise ValueError(f"x must have the shape (T, 4), its columns value, write, erase and show, got {x.shape}")
        self.asked.append(x)
        wanted = np.stack([x[:, 1], 1 - x[:, 2], x[:, 3]], axis=1)  # (T, 3): i, f, o
        gate, where = (self.stuck + " -").split()[:2]
        if gate != "none":
            wanted[:, ("input", "forget", "output").index(gate)] = where == "open"
        found = []
        for (i, f, o), value in zip(sigmoid(self.z * (2 * wanted - 1)), x[:, 0]):
            c = f * c + i * tanh(self.scale * value)
            found.append(o * tanh(c))
        return np.array(found)


def diagnose_stuck(got, want, box):
    if not box.asked:
        return "the unit was not run"
    why = LOOK_ALIKE.get((want, got)) or LOOK_ALIKE.get((got, want)) or UNSEEN[want]
    return f"it takes a unit {STUCK[want]} for one {STUCK[got]}: {why}"


@exercise(
    "Which gate is stuck?",
    draw=lambda trial: (PanelBox(trial),),
    diagnose=diagnose_stuck,
    words=", ".join(STUCK),
    dtypes=("float64",),
    trials=21,
)
def stuck_gate(box):
    return box.stuck


class LibraryBox(Box):
    """An LSTM that stacks its rows in an order of its own and shows hidden states with two decimals."""

    runs, budget = 6, "the library runs six times"

    def __init__(self, trial):
        super().__init__()
        self.order = trial.choice(*map("".join, permutations("ifgo")))

    def answer(self, x, weight_ih, weight_hh, bias):
        x, *stacked = (np.asarray(each, float) for each in (x, weight_ih, weight_hh, bias))
        self.asked.append(x)
        blocks = [dict(zip(self.order, np.split(each, 4))) for each in stacked]
        weights = [np.concatenate([each[name] for name in "ifgo"]) for each in blocks]
        state, found = (np.zeros(len(weights[2]) // 4),) * 2, []
        for x_t in x:
            state, _ = lstm_cell(x_t, state, *weights, 0 * weights[2])
            found.append(state[0])
        return np.round(found, 2)


def diagnose_order(got, want, library):
    if sorted(got) != sorted("ifgo"):
        return "give a word of the four letters i, f, g and o, each once"
    if not library.asked:
        return "the library was not run"
    wrong = [name for name in "ifgo" if got.index(name) != want.index(name)]
    if max(map(len, library.asked)) == 1:
        why = "a single step starts from an empty cell, and there is nothing for the forget gate to keep"
    elif "g" in wrong:
        why = "only the candidate can be negative; are your weights large enough for two decimals to show it?"
    elif "f" in wrong:
        why = "only the forget gate decides what is left of an old cell state; is there anything in the cell to keep?"
    else:
        why = "either may hide what is new; but a shut output gate only hides, and what is hidden can be shown later"
    return f"the blocks of {', '.join(wrong[:-1])} and {wrong[-1]} are taken for each other: {why}"


@exercise(
    "In which order do the rows stand?",
    draw=lambda trial: (LibraryBox(trial),),
    diagnose=diagnose_order,
    dtypes=("float64",),
    trials=24,
)
def row_order(library):
    return library.order
