"""The exercises of the chapter shapes. torch is imported where it is needed, never with the module."""

from itertools import product

import numpy as np

from lstm_tutorial.exercises import Box, exercise
from lstm_tutorial.in_numpy import LSTM
from lstm_tutorial.in_numpy.sequence import flip


def diagnose_shapes(got, want):
    for name, axes in {
        "output": ("the batch", "time", "the hidden units of both directions"),
        "h_n": ("the rows, one for each layer in each direction", "the batch", "the hidden units of one direction"),
    }.items():
        for place, axis, a, b in zip(("first", "second", "last"), axes, got[name], want[name]):
            if a != b:
                return f"the {place} number of `{name}` is wrong: it is the length of that axis, {axis}"
    return "`c_n` has the shape of `h_n`"


@exercise(
    "Three shapes by hand",
    turns={
        "`output`: with `batch_first` the batch comes first in the output too": dict(output=(30, 8, 40)),
        "`output`: at each step the output holds both directions": dict(output=(8, 30, 20)),
        "`output`: the output holds the top layer alone, in both directions": dict(output=(8, 30, 120)),
        "`h_n`: `batch_first` does not move the states": dict(states=(8, 6, 20)),
        "`h_n`: each layer has a final state in each direction": dict(states=(3, 8, 20)),
        "`h_n`: every layer has final states, not only the top one": dict(states=(2, 8, 20)),
        "`h_n`: the directions do not lie side by side in the states: they count as rows": dict(states=(3, 8, 40)),
        "`h_n`: a final state has no time axis, it belongs to a sequence of the batch": dict(states=(6, 30, 20)),
    },
    diagnose=diagnose_shapes,
)
def shapes_by_hand(*, output=(8, 30, 40), states=(6, 8, 20)):
    return {"output": output, "h_n": states, "c_n": states}


def side_by_side(h_n):
    """Return final states (2, B, H), an array or a tensor, as (B, 2H)."""
    return h_n.swapaxes(0, 1).reshape(h_n.shape[1], -1)


def mixed(h_n):
    return h_n.reshape(h_n.shape[1], -1)


@exercise(
    "Both directions side by side",
    draw=lambda trial: (trial.normal(2 * trial.choice(1, 2, 3), *trial.sizes("B H")),),  # h_n (layers * 2, B, H)
    axes="B 2H",
    turns={
        "a row holds two sequences: a `reshape` does not move the batch axis": dict(joined=mixed),
        "this is the bottom layer, its states stand first": dict(rows=(0, 1)),
        "forward comes first, then reverse": dict(rows=(-1, -2)),
        "one of the two halves comes from the bottom layer: the top layer has the last two rows": [
            dict(rows=each) for each in ((0, -1), (-2, 0), (-2, 1), (1, -1))
        ],
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


@exercise(
    "Both ends of a ragged output",
    draw=draw_ragged_output,
    axes="B 2H",
    turns={
        "this is `output[:, -1]`: in the padding there is nothing but 0": dict(forward="last", reverse="last"),
        "the reverse half is read at the last valid step: there it has read one step": dict(reverse="last valid"),
        "each half is read where the other one ends": dict(forward="first", reverse="last valid"),
        "both halves are read at step 0: there the forward half has read one step": dict(forward="first"),
        "the forward half is read in the padding, at the last of all T steps": dict(forward="last"),
        "the forward half is read a step too early: the last valid one is `lengths - 1`": dict(forward="one before"),
        "the reverse half is read at the last of all T steps: it ends at step 0": dict(reverse="last"),
        "reverse stands before forward": dict(order=-1),
    },
)
def read_both_ends(output, lengths, *, forward="last valid", reverse="first", order=1):
    step = {"first": 0 * lengths, "last valid": lengths - 1, "one before": lengths - 2, "last": 0 * lengths - 1}
    rows, halves = np.arange(len(output)), np.split(output, 2, axis=-1)
    ends = [half[rows, step[where]] for half, where in zip(halves, (forward, reverse))]
    return np.concatenate(ends[::order], axis=-1)


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
        "`final` is `output[:, -1]`: padding, and the reverse direction's first step": dict(last_column=True),
        "`final` has reverse before forward": dict(rows=[1, 0]),
        "`final` has the same direction twice": [dict(rows=[0, 0]), dict(rows=[1, 1])],
    },
)
def mended_reader(
    lstm, x, lengths, *, whole=True, packed=True, rows=slice(None), joined=side_by_side, last_column=False
):
    from lstm_tutorial.in_torch.topologies import run_lstm

    output, (h_n, _) = run_lstm(lstm, x, lengths if packed else None)
    final = output[:, -1] if last_column else joined(h_n[rows])
    return output if whole else output[:, : max(lengths)], final


class NetworkBox(Box):
    """A network that reads along one of two axes, in a hidden direction; its width does not show in which."""

    runs, budget = 4, "the network may be called four times"

    def __init__(self, trial):
        super().__init__()
        self.D, half = trial.sizes("D H")
        self.axis, self.direction = trial.choice(*product((0, 1), ("forward", "reverse", "both")))
        both = self.direction == "both"
        self.lstm = LSTM(self.D, half if both else 2 * half, bidirectional=both, dtype="float64", rng=trial.rng)

    def answer(self, x):
        if np.ndim(x) != 3:
            raise ValueError(f"x must have the shape (n, m, {self.D}), got {np.shape(x)}")
        self.asked.append(x)
        turn = -1 if self.direction == "reverse" else 1
        output, _ = self.lstm(np.swapaxes(np.array(x, float), 0, self.axis)[::turn])  # time first
        return np.swapaxes(output[::turn], 0, self.axis)


def diagnose_axis(got, want, network, D):
    (axis, direction), (right_axis, right) = got, want
    if not network.asked:
        return "the network was not called"
    if axis != right_axis:
        return "it takes the batch for time, or names no axis, 0 or 1: along which does a change in one place spread?"
    start = f'it takes a "{right}" network for a "{direction}" one'
    if right == "both":
        side = "before" if direction == "forward" else "after"
        return f"{start}: was there anything {side} the changed step, and did you look there?"
    return f"{start}: on which sides of the changed step do outputs move? A forward one carries a change to later steps"


@exercise(
    "Which axis is time?",
    draw=lambda trial: (box := NetworkBox(trial), box.D),
    diagnose=diagnose_axis,
    names="axis, direction",
    words="forward, reverse, both",
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
    axes="T T",
    combine=6,
    turns={
        "the second layer reads both directions of the first: what has its forward half seen?": dict(deep=always),
        "this is the forward half, or the matrix is transposed: rows are output steps": dict(sees=np.less_equal),
        "a step sees its own input too": dict(sees=np.greater),
        "with one layer the reverse half knows only what stands at its step and after it": dict(sees=always),
        "the padding is not read: the columns past the length are False": dict(columns=always),
        "an output past the length is 0, it depends on nothing: those rows are False": dict(rows=always),
        "the last valid step is `length - 1`, one too many or too few counts here": [dict(short=-1), dict(short=1)],
        "one layer and two are exchanged": dict(deep=np.greater),
    },
)
def reverse_half_sees(
    T, length, num_layers, *, sees=np.greater_equal, deep=np.equal, rows=np.less, columns=np.less, short=0
):
    s, t = np.arange(T)[:, None], np.arange(T)
    seen = sees(t, s) if deep(num_layers, 1) else True
    return np.ones((T, T), bool) & seen & rows(s, length - short) & columns(t, length - short)


FAULTS = {
    "same step": "of the two halves, which moves with the first step of a sequence?",
    "padding": "does the answer move when the padding does? Zeros are an input like others",
    "last column": "what does it say about a sequence that is shorter than the batch?",
    "mixed": "whose rows move when one sequence changes?",
}


class ReaderBox(Box):
    """A bidirectional reader of a padded batch, right or with one hidden fault."""

    runs = np.inf

    def __init__(self, trial):
        super().__init__()
        self.D, H = trial.sizes("D H")
        self.kind = trial.choice("right", *FAULTS)
        self.lstm = LSTM(self.D, H, batch_first=True, bidirectional=True, dtype="float64", rng=trial.rng)

    def answer(self, x, lengths):
        lengths = np.array(lengths)
        output, (h_n, _) = self.lstm(np.array(x, float), lengths=lengths)  # refuses what does not fit
        self.asked.append(lengths)
        if self.kind == "right":
            return join_directions(h_n)
        if self.kind == "padding":
            return read_both_ends(self.lstm(np.array(x, float))[0], lengths)
        if self.kind == "mixed":
            return mixed(h_n)
        return output[np.arange(len(output)), lengths - 1 if self.kind == "same step" else -1]


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
    """Draw two one-way LSTMs of the course, a batch with anything behind the lengths, and lengths."""
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


TURNED = {  # values (B, T, ...) of which so many steps are turned round
    "valid": lambda values, lengths: flip(values.swapaxes(0, 1), lengths).swapaxes(0, 1),
    "all": lambda values, lengths: values[:, ::-1],
    "none": lambda values, lengths: values,
}


@exercise(
    "Two networks for one",
    draw=draw_two_networks,
    names="output, h_n",
    axes="B T 2H, 2 B H",
    same_as=as_one,
    turns={
        "the reverse half is not turned back: its step t has to stand beside the forward half's": dict(out="none"),
        "the second network reads forward too": [dict(into="none", out=out) for out in ("none", "valid")],
        "all T steps are turned round, so the padding comes first: turn the valid steps alone": [
            dict(into="all", out=out, masked=(True, m)) for out in ("all", "valid") for m in (True, False)
        ],
        "the reverse half is turned back over all T steps: turn the valid steps alone": dict(out="all"),
        "a network reads the padding: give both of them the lengths": [
            dict(masked=each) for each in ((False, True), (True, False), (False, False))
        ],
        "reverse stands before forward": dict(order=-1),
    },
    dtypes=("float64",),
)
def bidirectional_from_two(forward, reverse, x, lengths, *, into="valid", out="valid", masked=(True, True), order=1):
    output, (h_n, _) = forward(x, lengths=lengths if masked[0] else None)
    back, (h_back, _) = reverse(TURNED[into](x, lengths), lengths=lengths if masked[1] else None)
    halves = [output, TURNED[out](back, lengths)]
    return np.concatenate(halves[::order], axis=-1), np.concatenate([h_n, h_back][::order])
