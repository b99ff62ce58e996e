"""The exercises of the chapter shapes. torch is imported where it is needed, never with the module."""

import math
from itertools import product

import numpy as np

from lstm_tutorial.exercises import Box, exercise
from lstm_tutorial.in_numpy import LSTM

SIZES = {"B": 8, "T": 30, "D": 12, "H": 20, "2D": 24, "2H": 40, "3H": 60, "6H": 120, "1": 1, "2": 2, "3": 3, "6": 6}
AXES = {
    "output": ("the batch", "time", "the hidden units of both directions"),
    "h_n": ("the rows, one for each layer in each direction", "the batch", "the hidden units of one direction"),
}


def diagnose_shapes(got, want):
    for name, axes in AXES.items():
        for place, axis, a, b in zip(("first", "second", "last"), axes, got[name], want[name]):
            if a != b:
                return f"the {place} number of `{name}` is wrong: it is the length of that axis, {axis}"
    return "`c_n` has the shape of `h_n`"


@exercise(
    "Three shapes by hand",
    turns={
        "`output`: with `batch_first` the batch comes first in the output too": dict(output="T B 2H"),
        "`output`: at each step the output holds both directions": [dict(output="B T H"), dict(output="T B H")],
        "`output`: the output holds the top layer alone": dict(output="B T 6H"),
        "`output`: the output holds the top layer alone, in both directions": dict(output="B T 3H"),
        "`output`: the output has a place for every step, not for every layer": dict(output="B 6 2H"),
        "12 is the input size D, which is in none of the three shapes": [
            *(dict(output=each) for each in ("B T 2D", "B T D")),
            dict(states="6 B D"),
        ],
        "`h_n`: `batch_first` does not move the states": dict(states="B 6 H"),
        "`h_n`: each layer has a final state in each direction": dict(states="3 B H"),
        "`h_n`: every layer has final states, not only the top one": dict(states="2 B H"),
        "`h_n`: every layer has final states, in both directions": dict(states="1 B H"),
        "`h_n`: the directions do not lie side by side in the states: they count as rows": [
            *(dict(states=each) for each in ("3 B 2H", "6 B 2H")),
        ],
        "`h_n`: a final state has no time axis, it belongs to a sequence of the batch": dict(states="6 T H"),
        "`c_n` has the shape of `h_n`": dict(c_n="6 B 2H"),
    },
    diagnose=diagnose_shapes,
)
def shapes_by_hand(*, output="B T 2H", states="6 B H", c_n=None):
    """Return the shapes for three layers, two directions and `batch_first`."""
    axes = {"output": output, "h_n": states, "c_n": c_n or states}
    return {name: tuple(SIZES[axis] for axis in each.split()) for name, each in axes.items()}


def draw_final_states(trial):
    """Draw the final states h_n (layers * 2, B, H) of a bidirectional network."""
    B, H = trial.sizes("B H")
    return (trial.normal(2 * trial.choice(1, 2, 3), B, H),)


def side_by_side(h_n):
    """Return final states (2, B, H), an array or a tensor, as (B, 2H)."""
    return h_n.swapaxes(0, 1).reshape(h_n.shape[1], -1)


def mixed(h_n):
    return h_n.reshape(h_n.shape[1], -1)


def alternating(h_n):
    return h_n.swapaxes(0, 1).swapaxes(1, 2).reshape(h_n.shape[1], -1)


@exercise(
    "Both directions side by side",
    draw=draw_final_states,
    names="the result",
    axes="B 2H",
    turns={
        "a row holds two sequences: a `reshape` does not move the batch axis": dict(joined=mixed),
        "the two directions alternate, unit by unit: they should stand one after the other": dict(joined=alternating),
        "this is the bottom layer, its states stand first": dict(rows=(0, 1)),
        "forward comes first, then reverse": dict(rows=(-1, -2)),
        "these are the first and the last row: the top layer has the last two": dict(rows=(0, -1)),
        "one of the two halves comes from the bottom layer": [dict(rows=each) for each in ((-2, 0), (-2, 1), (1, -1))],
        "the same direction stands there twice": [dict(rows=(-1, -1)), dict(rows=(-2, -2))],
    },
)
def join_directions(h_n, *, rows=(-2, -1), joined=side_by_side):
    return joined(h_n[list(rows)])


def draw_ragged_output(trial):
    """Draw the output (B, T, 2H) of a bidirectional layer, 0 past a length, and lengths."""
    B, T, H = trial.sizes("B T H")
    lengths = trial.lengths(B, T)
    return trial.normal(B, T, 2 * H) * (np.arange(T) < lengths[:, None])[..., None], lengths


STEPS = {  # where a half is read
    "first": lambda lengths, T: 0,
    "last valid": lambda lengths, T: lengths - 1,
    "one before": lambda lengths, T: lengths - 2,
    "of the longest": lambda lengths, T: max(lengths) - 1,
    "last": lambda lengths, T: T - 1,
}


@exercise(
    "Both ends of a ragged output",
    draw=draw_ragged_output,
    names="the result",
    axes="B 2H",
    turns={
        "this is `output[:, -1]`: in the padding there is nothing but 0": dict(forward="last", reverse="last"),
        "the reverse half is read at the last valid step: there it has read one step": dict(reverse="last valid"),
        "the halves are exchanged: forward ends at the last valid step, reverse at step 0": dict(
            forward="first", reverse="last valid"
        ),
        "both halves are read at step 0: there the forward half has read one step": dict(forward="first"),
        "the forward half is read in the padding, at the last of all T steps": dict(forward="last"),
        "all sequences are read at the last step of the longest one": [
            dict(forward="of the longest"),
            dict(forward="of the longest", reverse="of the longest"),
        ],
        "the forward half is read a step too early: the last valid one is `lengths - 1`": dict(forward="one before"),
        "the reverse half is read at the last of all T steps: it ends at step 0": dict(reverse="last"),
        "reverse stands before forward": dict(order=-1),
        "forward is the first half of the last axis, reverse the second": dict(cut=-1),
    },
)
def read_both_ends(output, lengths, *, forward="last valid", reverse="first", order=1, cut=1):
    ahead, back = np.split(output, 2, axis=-1)[::cut]
    rows, T = np.arange(len(output)), output.shape[1]
    halves = ahead[rows, STEPS[forward](lengths, T)], back[rows, STEPS[reverse](lengths, T)]
    return np.concatenate(halves[::order], axis=-1)


def torch_lstm(rng, *sizes, **how):
    """Return a `torch.nn.LSTM` in float64; the learner's own random numbers stay as they are."""
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(int(rng.integers(2**31)))
        return torch.nn.LSTM(*sizes, dtype=torch.float64, **how)


def draw_reader(trial):
    """Draw a bidirectional `torch.nn.LSTM`, a padded batch with anything in the padding, and lengths."""
    import torch

    B, T, D, H = trial.sizes("B T D H")
    lstm = torch_lstm(trial.rng, D, H, batch_first=True, bidirectional=True)
    return lstm, torch.as_tensor(trial.normal(B, T, D)), torch.as_tensor(trial.lengths(B, T))


@exercise(
    "A reader with two faults",
    draw=draw_reader,
    names="output, final",
    axes="B T 2H, B 2H",
    combine=2,
    turns={
        "the time axis is one too short": dict(whole=False),
        "a row of `final` holds two sequences: `view` and `reshape` do not move the batch axis": dict(joined=mixed),
        "the network reads the padding: it was not given the lengths": dict(packed=False),
        "`final` is `output[:, -1]`: padding, and the reverse direction's first step": dict(step="last"),
        "`final` takes both halves at the last valid step: the reverse direction ends at step 0": dict(
            step="last valid"
        ),
        "`final` has reverse before forward": dict(rows=[1, 0]),
        "in `final` the directions alternate, unit by unit: they should stand one after the other": dict(
            joined=alternating
        ),
        "`final` has the same direction twice": [dict(rows=[0, 0]), dict(rows=[1, 1])],
        "`final` is made of the cell states, `c_n`": dict(state=1),
    },
)
def mended_reader(
    lstm, x, lengths, *, whole=True, packed=True, state=0, rows=slice(None), joined=side_by_side, step=None
):
    from lstm_tutorial.in_torch.topologies import run_lstm

    output, states = run_lstm(lstm, x, lengths if packed else None)
    final = joined(states[state][rows])
    if step:
        final = output[range(len(x)), STEPS[step](lengths, x.shape[1])]
    return output if whole else output[:, : max(lengths)], final


DIRECTIONS = ("forward", "reverse", "both")


class NetworkBox(Box):
    """A network that reads along one of two axes, in a hidden direction; its width does not tell in which."""

    runs, budget = 4, "the network may be called four times"

    def __init__(self, trial):
        super().__init__()
        self.D, half = trial.sizes("D H")
        self.axis, self.direction = trial.choice(*product((0, 1), DIRECTIONS))
        both = self.direction == "both"
        self.lstm = LSTM(self.D, half if both else 2 * half, bidirectional=both, dtype="float64", rng=trial.rng)

    def answer(self, x):
        x = np.array(x, float)
        if x.ndim != 3 or x.shape[2] != self.D:
            raise ValueError(f"x must have the shape (n, m, {self.D}), got {x.shape}")
        self.asked.append(x)
        turn = -1 if self.direction == "reverse" else 1
        output, _ = self.lstm(np.swapaxes(x, 0, self.axis)[::turn])  # time first
        return np.swapaxes(output[::turn], 0, self.axis)


def diagnose_axis(got, want, network, D):
    (axis, direction), (right_axis, right) = got, want
    if axis not in (0, 1):
        return "the axis is 0 or 1"
    if not network.asked:
        return "the network was not called"
    if axis != right_axis:
        return "it takes the batch for time: when one place changes, along which axis does the change spread?"
    start = f'it takes a "{right}" network for a "{direction}" one'
    if right == "both":
        side = "before" if direction == "forward" else "after"
        return f"{start}: was there anything {side} the changed step, and did you look there?"
    if direction == "both":
        return f"{start}: on which sides of the changed step do outputs move?"
    return f"{start}: a forward one carries a change to later steps, so where did you look?"


@exercise(
    "Which axis is time?",
    draw=lambda trial: (box := NetworkBox(trial), box.D),
    diagnose=diagnose_axis,
    names="axis, direction",
    words=", ".join(DIRECTIONS),
    dtypes=("float64",),
    trials=18,
)
def find_time_axis(network, D):
    return network.axis, network.direction


def draw_ragged_sizes(trial):
    """Draw T, the length of one sequence in it, and a number of layers."""
    (T,) = trial.sizes("T")
    return T, *trial.choice(*product((1, int(trial.rng.integers(1, T + 1)), T), (1, 2)))


def always(a, b):
    return True


@exercise(
    "What the reverse half sees",
    draw=draw_ragged_sizes,
    names="the matrix",
    axes="T T",
    combine=6,
    turns={
        "the second layer reads both directions of the first: what has its forward half seen?": dict(deep="one layer"),
        "this is the forward half, or the matrix is transposed: rows are output steps": dict(sees=np.less_equal),
        "a step sees its own input too": dict(sees=np.greater),
        "with one layer the reverse half knows only what stands at its step and after it": dict(sees=always),
        "the padding is not read: the columns past the length are False": dict(columns=always),
        "an output past the length is 0, it depends on nothing: those rows are False": dict(rows=always),
        "with `<=` one step of the padding counts as valid: the last valid one is `length - 1`": [
            dict(rows=np.less_equal),
            dict(columns=np.less_equal),
            dict(short=-1),
        ],
        "one step too few counts as valid: the last valid one is `length - 1`": dict(short=1),
        "it is enough here that one of the two steps is valid: both have to be": dict(both=np.logical_or),
        "one layer and two are exchanged": dict(deep="exchanged"),
    },
)
def reverse_half_sees(
    T, length, num_layers,
    *, sees=np.greater_equal, deep="all", rows=np.less, columns=np.less, both=np.logical_and, short=0,
):  # fmt: skip
    s, t = np.arange(T)[:, None], np.arange(T)
    shallow = {"all": num_layers == 1, "one layer": True, "exchanged": num_layers > 1}[deep]
    seen = sees(t, s) if shallow else True
    return np.ones((T, T), bool) & seen & both(rows(s, length - short), columns(t, length - short))


FAULTS = {
    "same step": "of the two halves, which moves with the first step of a sequence?",
    "padding": "does the answer move when the padding does? Zeros are an input like others",
    "last column": "what does it say about a sequence that is shorter than the batch?",
    "mixed": "whose rows move when one sequence changes?",
}


class ReaderBox(Box):
    """A bidirectional reader of a padded batch, right or with one hidden fault."""

    runs = math.inf

    def __init__(self, trial):
        super().__init__()
        self.D, H = trial.sizes("D H")
        self.kind = trial.choice("right", *FAULTS)
        self.lstm = LSTM(self.D, H, batch_first=True, bidirectional=True, dtype="float64", rng=trial.rng)

    def answer(self, x, lengths):
        x, lengths = np.array(x, float), np.array(lengths)
        if x.ndim != 3 or x.shape[2] != self.D:
            raise ValueError(f"x must have the shape (B, T, {self.D}), got {x.shape}")
        output, (h_n, _) = self.lstm(x, lengths=lengths)  # refuses lengths that do not fit
        self.asked.append(lengths)
        if self.kind == "padding":
            return read_both_ends(self.lstm(x)[0], lengths)
        if self.kind == "mixed":
            return h_n.reshape(len(x), -1)
        step = {"same step": lengths - 1, "last column": -1}.get(self.kind)
        return join_directions(h_n) if step is None else output[np.arange(len(x)), step]


def diagnose_reader(got, want, reader, D):
    if not reader.asked:
        return "the reader was not called"
    if want == "right":
        return f'it calls a right reader "{got}": {FAULTS[got]}'
    return f'it takes a reader of the kind "{want}" for "{got}": {FAULTS[want]}'


@exercise(
    "What does this reader read?",
    draw=lambda trial: (box := ReaderBox(trial), box.D),
    diagnose=diagnose_reader,
    words=", ".join(["right", *FAULTS]),
    dtypes=("float64",),
    trials=20,
)
def judge_reader(reader, D):
    return reader.kind


def draw_two_networks(trial):
    """Draw two one-way LSTMs of the course, a batch with rubbish behind the lengths, and lengths."""
    B, T, D, H = trial.sizes("B T D H")
    networks = [LSTM(D, H, batch_first=True, dtype="float64", rng=trial.rng) for _ in range(2)]
    return *networks, trial.normal(B, T, D), trial.lengths(B, T)


def as_one(forward, reverse, x, lengths):
    """Return what one bidirectional network with both sets of weights gives."""
    both = LSTM(forward.input_size, forward.hidden_size, batch_first=True, bidirectional=True, dtype="float64", rng=0)
    weights = forward.state_dict() | {f"{name}_reverse": value for name, value in reverse.state_dict().items()}
    both.load_state_dict(weights)
    output, (h_n, _) = both(x, lengths=lengths)
    return output, h_n


def turn_valid(values, lengths):
    """Return values (B, T, ...) with the valid steps of each row turned round."""
    turned = values.copy()
    for row, old, length in zip(turned, values, lengths):
        row[:length] = old[:length][::-1]
    return turned


def turn_all(values, lengths):
    return values[:, ::-1]


def turn_none(values, lengths):
    return values


@exercise(
    "Two networks for one",
    draw=draw_two_networks,
    names="output, h_n",
    axes="B T 2H, 2 B H",
    same_as=as_one,
    turns={
        "the reverse half is not turned back: its step t has to stand beside the forward half's": dict(out=turn_none),
        "the second network reads forward too: turn its input round": [
            dict(into=turn_none, out=turn_none),
            dict(into=turn_none),
        ],
        "all T steps are turned round, so the padding comes first: turn the valid steps alone": [
            dict(into=turn_all, out=turn_all),
            dict(into=turn_all, out=turn_none),
            dict(into=turn_all),
            dict(into=turn_all, out=turn_all, told=(True, False)),
        ],
        "the reverse half is turned back over all T steps: turn the valid steps alone": dict(out=turn_all),
        "the first network reads the padding: give it the lengths": dict(told=(False, True)),
        "the second network reads the padding: give it the lengths": dict(told=(True, False)),
        "both networks read the padding: give them the lengths": dict(told=(False, False)),
        "reverse stands before forward": dict(order=-1),
        "the output is right, `h_n` has reverse before forward": dict(order_h=-1),
        "the output is right, `h_n` takes the reverse half's last valid step: it ends at step 0": dict(ends="last"),
        "the output is right, `h_n` holds the cell states": dict(state=1),
    },
    dtypes=("float64",),
)
def bidirectional_from_two(
    forward, reverse, x, lengths,
    *, into=turn_valid, out=turn_valid, told=(True, True), order=1, order_h=None, ends="first", state=0,
):  # fmt: skip
    output, states = forward(x, lengths=lengths if told[0] else None)
    back, states_back = reverse(into(x, lengths), lengths=lengths if told[1] else None)
    back = out(back, lengths)
    h_back = back[np.arange(len(x)), lengths - 1][None] if ends == "last" else states_back[state]
    halves, h_n = [output, back][::order], [states[state], h_back][:: order_h or order]
    return np.concatenate(halves, axis=-1), np.concatenate(h_n)
