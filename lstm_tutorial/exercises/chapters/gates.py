"""The exercises of the chapter gates."""

from itertools import permutations

import numpy as np

from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.in_numpy import LSTM, cell, lstm_cell, sigmoid, tanh


def diagnose_kept(got, want):
    if not 0 < got < 3:
        return "a gate keeps between nothing and all of the cell state"
    return f"this is what a pre-activation of {np.log(got / (3 - got)):.2f} would keep: add up its four terms again"


@exercise(
    "What is kept, by hand",
    turns={
        "the pre-activation has not gone through the sigmoid": dict(squash=identity),
        "this is the pre-activation, not what is kept": dict(squash=identity, c=1),
        "this is the value of the gate, not what is kept: multiply": dict(c=1),
        "this is what is lost, not what is kept": dict(squash=lambda z: sigmoid(-z)),
    },
    diagnose=diagnose_kept,
    tolerance=0.01,
)
def kept_by_hand(*, x=2, h=-1, weight_x=0.5, weight_h=1.5, bias_ih=0.7, bias_hh=0.3, c=3, squash=sigmoid):
    return float(c * squash(weight_x * x + weight_h * h + bias_ih + bias_hh))


def draw_gate(trial, layers=1):
    """Draw an input, a hidden state and the weights of so many layers."""
    B, D, H = trial.sizes("B D H")
    n = layers * H
    return trial.scores(B, D), trial.normal(B, H), *(trial.normal(*shape) for shape in ((n, D), (n, H), (n,), (n,)))


@exercise(
    "The forget gate",
    draw=draw_gate,
    names="f",
    axes="B H",
    same_as=cell.forget_gate,
    turns={
        "it uses tanh where the sigmoid is expected: that is for the candidate": dict(squash=tanh),
        "the gate is upside down: 1 should mean keep": dict(squash=lambda z: sigmoid(-z)),
        "both biases are left out": dict(biased=False),
    },
)
def forget_gate(x, h, weight_ih, weight_hh, bias_ih, bias_hh, *, squash=sigmoid, biased=True):
    return squash(x @ weight_ih.T + h @ weight_hh.T + (bias_ih + bias_hh) * biased)


def draw_layers(trial):
    """Draw four matrices (H, H + D) and four biases (H,), in the order f, i, c, o."""
    D, H = trial.sizes("D H")
    return *(trial.normal(H, H + D) for _ in "fico"), *(trial.normal(H) for _ in "fico")


@exercise(
    "From one matrix to PyTorch's two",
    draw=draw_layers,
    axes="4H D, 4H H, 4H, 4H",
    turns={
        "the columns are cut as if the input came first: in [h, x] it is the hidden state": dict(hidden_first=False),
        "`bias_ih_l0` holds all of b, `bias_hh_l0` zeros": [dict(share=each) for each in ((1, 1), (0.5, 0.5), (0, 1))],
    },
)
def stacked_weights(W_f, W_i, W_c, W_o, b_f, b_i, b_c, b_o, *, hidden_first=True, share=(1, 0)):
    H = len(b_f)
    W, bias = np.concatenate([W_i, W_f, W_c, W_o]), np.concatenate([b_i, b_f, b_c, b_o])  # (4H, H + D), (4H,)
    weight_hh, weight_ih = np.split(W, [H], axis=1) if hidden_first else np.split(W, [W.shape[1] - H], axis=1)[::-1]
    weights = {"weight_ih_l0": weight_ih, "weight_hh_l0": weight_hh}
    return weights | {"bias_ih_l0": share[0] * bias, "bias_hh_l0": share[1] * bias}


def draw_step(trial):
    """Draw an input, both states and the weights of a step."""
    x, h, *weights = draw_gate(trial, layers=4)
    return x, h, trial.normal(*h.shape), *weights


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
        "the candidate cannot be negative: it needs tanh": dict(by={"g": sigmoid}),
        "the wrong gate decides what `h` shows": dict(shows="i"),
        "the candidate lacks its tanh": dict(by={"g": identity}),
        "a gate lacks its sigmoid": [dict(by={name: identity}) for name in "ifo"],
        "a gate went through tanh: it needs the sigmoid": [dict(by={name: tanh}) for name in "ifo"],
        "`h` lacks the output gate": dict(shows="all"),
        "`h` lacks the tanh of the cell state": dict(bounded=identity),
        "the forget and the input gate are exchanged": dict(keeps="i", writes="f"),
        "the old cell state is kept whole: where is the forget gate?": dict(keeps="all"),
        "the candidate is written whole: where is the input gate?": dict(writes="all"),
    },
)
def repaired_gates(
    x, h, c, weight_ih, weight_hh, bias_ih, bias_hh,
    *, order="ifgo", by=(), keeps="f", writes="i", shows="o", bounded=tanh,
):  # fmt: skip
    z = dict(zip(order, np.split(x @ weight_ih.T + h @ weight_hh.T + bias_ih + bias_hh, 4, axis=-1)))  # (B, H) each
    layers = dict(i=sigmoid, f=sigmoid, g=tanh, o=sigmoid) | dict(by)
    values = {name: layer(z[name]) for name, layer in layers.items()} | {"all": 1}
    new = values[keeps] * c + values[writes] * values["g"]
    return values[shows] * bounded(new), new


def run(x, weight_ih, weight_hh, bias, c=0.0):
    """Run an LSTM with these rows i, f, g, o over x (B, T, D), from cell states c; return its output and gates."""
    H = len(bias) // 4
    lstm = LSTM(weight_ih.shape[1], H, batch_first=True, dtype="float64")
    weights = {"weight_ih_l0": weight_ih, "weight_hh_l0": weight_hh, "bias_ih_l0": bias, "bias_hh_l0": 0 * bias}
    lstm.load_state_dict(weights)
    output, _, gates = lstm(x, (np.zeros((1, len(x), H)), np.full((1, len(x), H), float(c))), return_gates=True)
    return output, gates


LISTENED = (0, 1, 0, 0, 1, 1)


def diagnose_listener(got, want):
    t = next(t for t, (a, b) in enumerate(zip(got, want)) if abs(a - b) > 0.05)
    if not LISTENED[t]:
        return f"at step {t + 1} there is no pulse: the forget gate is open, the input gate closed, and the state stays"
    h = "0" if not want[t - 1] else "positive" if want[t - 1] > 0 else "negative"
    return f"at step {t + 1} comes a pulse while h is {h}: the candidate replaces the state; which sign has it?"


@exercise(
    "A unit that reads its own h",
    names=", ".join(f"c after step {t + 1}" for t in range(len(LISTENED))),
    turns={
        "this is a latch that only sets: what is the candidate once h is positive?": dict(candidate_h=0),
        "this counts pulses: is the forget gate open at a pulse?": dict(forget_x=0, candidate_h=0),
        "this adds the candidate to the old state: is the forget gate open at a pulse?": dict(forget_x=0),
        "these are the hidden states; the question is about the cell states": dict(shown="h"),
    },
    diagnose=diagnose_listener,
    tolerance=0.05,
)
def listener_states(*, forget_x=-40, candidate_h=-40, shown="c"):
    weight_ih, weight_hh = np.array([[40.0], [forget_x], [0], [0]]), np.array([[0.0], [0], [candidate_h], [0]])
    h, gates = run(np.array(LISTENED, float)[None, :, None], weight_ih, weight_hh, np.array([-20.0, 20, 10, 20]))
    return [round(float(each), 2) for each in (h if shown == "h" else np.round(gates.c))[0, :, 0]]


def verify_depth(answer, trial):
    """Run the unit on random brackets and resets, and say at which kind of step it first goes wrong."""
    weight_ih, bias = (np.asarray(each, float) for each in answer)
    events = trial.rng.choice(4, size=(20, 60), p=[0.3, 0.2, 0.1, 0.4])  # open, close, reset, nothing
    x, depth = np.eye(4)[events][..., :3], np.zeros(20)
    _, gates = run(x, weight_ih, np.zeros((4, 1)), bias)
    for t in range(60):
        depth = np.where(events[:, t] == 2, 0, depth + x[:, t, 0] - x[:, t, 1])
        wrong = ~(np.abs(gates.c[:, t, 0] - depth) < 0.1)
        if wrong.any():
            b = wrong.argmax()
            kind = ("an opening bracket", "a closing bracket", "a reset", "a step without any pulse")[events[b, t]]
            i, f, g, _, c = (values[b, t, 0] for values in gates)
            words = f"it first goes wrong at {kind}, step {t + 1}: with f = {f:.2f}, i = {i:.2f} and g = {g:.2f}"
            return f"{words} the cell state becomes {c:.2f}, where the depth is {depth[b]:.0f}"


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
        "goes wrong at a reset": dict(f=(0, 0, 0, 20)),
        "goes wrong at an opening bracket": dict(g=(0, -20, 0, 0)),
        "goes wrong at a step without any pulse": dict(g=(20, -20, 0, 20)),
    },
    dtypes=("float64",),
)
def depth_counter(*, i=(0, 0, 0, 20), f=(0, 0, -40, 20), g=(20, -20, 0, 0), o=(0, 0, 0, 20)):
    table = np.array([i, f, g, o], float)  # on open, close, reset, and the bias
    return table[:, :3], table[:, 3]


STUCK = ("none", *(f"{gate} {where}" for gate in ("input", "forget", "output") for where in ("open", "closed")))


class PanelBox(Box):
    """One LSTM unit with a column of its input for the candidate and for each gate."""

    runs, budget = 3, "the unit runs three times"

    def __init__(self, trial):
        super().__init__()
        self.stuck = trial.choice(*STUCK)
        rows = [[0, 2, 0, 0, -1], [0, 0, -2, 0, 1], [1, 0, 0, 0, 0], [0, 0, 0, 2, -1]]  # the last column is the bias
        for k, gate in enumerate(("input", "forget", "candidate", "output")):
            if self.stuck.startswith(gate):
                rows[k] = [0, 0, 0, 0, 1 if self.stuck.endswith("open") else -1]
        scale = trial.rng.choice([-1, 1]) * trial.rng.uniform(0.5, 2)
        self.rows = np.array(rows) * np.insert(trial.rng.uniform(4, 8, 3), 2, scale)[:, None]

    def answer(self, x, c=0.0):
        self.asked.append(x)
        x = np.atleast_2d(np.asarray(x, float))
        return run(x[None], self.rows[:, :4], np.zeros((4, 1)), self.rows[:, 4], c)[0][0, :, 0]


def diagnose_stuck(got, want, box):
    if not box.asked:
        return "the unit was not run"
    if want == "none":
        why = "an open gate only comes near 1, a closed one near 0, and a candidate may be negative"
    elif want.endswith("closed") and got.endswith("closed"):
        why = "both may show nothing; start from a cell state other than 0, look at it, and look where you write"
    else:
        gate, where = want.split()
        other = "closed" if where == "open" else "open"
        why = f"such a fault shows where the {gate} gate should be {other}, if there is something to see"
    return f"`{want}` was taken for `{got}`: {why}"


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
        x, *weights = (np.asarray(each, float) for each in (x, weight_ih, weight_hh, bias))
        self.asked.append(x)
        blocks = [dict(zip(self.order, np.split(each, 4))) for each in weights]
        weights = [np.concatenate([each[name] for name in "ifgo"]) for each in blocks]
        return np.round(run(x[None], *weights)[0][0], 2)


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
        why = "both decide what a new value shows; but what the output gate hides, a later step can show"
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
