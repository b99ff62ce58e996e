"""The exercises of the chapter shapes. torch is imported where it is needed, never with the module."""

import numpy as np

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
from lstm_tutorial.in_numpy import LSTM

# Three shapes by hand

HAND = dict(B=8, T=30, H=20, rows=6)  # three layers, two directions, batch_first


def shapes(B, T, H, rows):
    """The three shapes of that network."""
    return {"output": (B, T, 2 * H), "h_n": (rows, B, H), "c_n": (rows, B, H)}


def diagnose_shapes(got, want, inputs):
    """Say which axis of which shape was forgotten or moved."""
    found = {name: tuple(int(size) for size in shape) for name, shape in got.items()}
    B, T, H, rows = HAND.values()
    turns = {
        "output": {
            (T, B, 2 * H): "with `batch_first` the batch comes first in the output too",
            (B, T, H): "at each step the output holds both directions",
            (B, T, rows * H): "the output holds the top layer alone",
            (B, T, rows // 2 * H): "the output holds the top layer alone, in both directions",
            (B, rows, 2 * H): "the output has a place for every step, not for every layer",
        },
        "h_n": {
            (B, rows, H): "`batch_first` does not move the states",
            (rows // 2, B, H): "each layer has a final state in each direction",
            (2, B, H): "every layer has final states, not only the top one",
            (1, B, H): "every layer has final states, in both directions",
            (rows // 2, B, 2 * H): "the directions do not lie side by side in the states: they count as rows",
            (rows, T, H): "a final state has no time axis, it belongs to a sequence of the batch",
        },
    }
    for name, shape in found.items():
        words = turns["output" if name == "output" else "h_n"].get(shape)
        if words:
            return f"`{name}`: {words}"
    return "`c_n` has the shape of `h_n`" if found["c_n"] != found["h_n"] else None


register(
    "shapes_by_hand",
    chapter="shapes",
    title="Three shapes by hand",
    reference=lambda: shapes(**HAND),
    diagnose=diagnose_shapes,
)


# Both directions side by side


def draw_final_states(rng):
    """h_n (layers * 2, B, H) of a bidirectional network."""
    B, H = draw_sizes(rng, 2, low=2)
    return (rng.normal(size=(2 * int(rng.integers(1, 4)), B, H)),)


def join(h_n):
    """The top layer's final states, forward then reverse."""
    return np.concatenate([h_n[-2], h_n[-1]], axis=-1)


def diagnose_join(got, want, inputs):
    """Say which states were taken, or how they were mixed."""
    (h_n,) = inputs
    B = h_n.shape[1]
    turns = {
        "the values are there, but a row holds two sequences: a `reshape` does not move the batch axis": h_n[
            -2:
        ].reshape(B, -1),
        "this is the bottom layer, its states stand first": join(h_n[:2]),
        "forward comes first, then reverse": join(h_n[::-1][:2]),
        "the two directions alternate, unit by unit: they should stand one after the other": np.stack(
            [h_n[-2], h_n[-1]], axis=-1
        ).reshape(B, -1),
        "this is the reverse direction of the layer below beside the top's forward one": np.concatenate(
            [h_n[-3 % len(h_n)], h_n[-2]], axis=-1
        ),
    }
    turns = {words: value for words, value in turns.items() if not np.allclose(value, want)}
    return first_match(got, turns)


register(
    "join_directions",
    chapter="shapes",
    title="Both directions side by side",
    draw=draw_final_states,
    reference=join,
    diagnose=diagnose_join,
    names=("the result",),
    axes=("B 2H",),
)


# Both ends of a ragged output


def draw_ragged_output(rng):
    """The output (B, T, 2H) of a bidirectional layer, 0 past a length; lengths; even the longest is padded."""
    B, T, H = draw_sizes(rng, 3, low=3)
    lengths = rng.integers(1, T, size=B)
    lengths[:2] = rng.permutation([1, T - 1])
    valid = np.arange(T) < lengths[:, None]
    return rng.normal(size=(B, T, 2 * H)) * valid[..., None], lengths


def both_ends(output, lengths):
    """Forward at the last valid step, reverse at the first."""
    H = output.shape[-1] // 2
    return np.concatenate([output[np.arange(len(output)), lengths - 1, :H], output[:, 0, H:]], axis=-1)


def diagnose_both_ends(got, want, inputs):
    """Say at which step each half was read."""
    output, lengths = inputs
    rows, H = np.arange(len(output)), output.shape[-1] // 2
    last = output[rows, lengths - 1]
    turns = {
        "this is `output[:, -1]`: in the padding there is nothing but 0": output[:, -1],
        "the forward half is right, the reverse half stands at the last valid step: there it has read one step": last,
        "the halves are exchanged: forward ends at the last valid step, reverse at step 0": np.concatenate(
            [output[:, 0, :H], last[:, H:]], axis=-1
        ),
        "both halves are read at step 0: there the forward half has read one step": output[:, 0],
        "the reverse half is right, the forward half is read in the padding: counted from 0, the last valid step is "
        "`lengths - 1`": np.concatenate([0 * output[:, 0, :H], output[:, 0, H:]], axis=-1),
        "all sequences are read at the last step of the longest one": np.concatenate(
            [output[:, lengths.max() - 1, :H], output[:, 0, H:]], axis=-1
        ),
        "reverse stands before forward": np.concatenate([output[:, 0, H:], last[:, :H]], axis=-1),
    }
    return first_match(got, turns)


register(
    "read_both_ends",
    chapter="shapes",
    title="Both ends of a ragged output",
    draw=draw_ragged_output,
    reference=both_ends,
    diagnose=diagnose_both_ends,
    names=("the result",),
    axes=("B 2H",),
)


# A reader with two faults


def draw_reader(rng):
    """A bidirectional `torch.nn.LSTM`, a padded batch, lengths; in most draws no sequence fills all T steps."""
    import torch

    B, T, D, H = draw_sizes(rng, 4, low=2)
    with torch.random.fork_rng():  # the learner's own random numbers stay as they are
        lstm = torch.nn.LSTM(D, H, batch_first=True, bidirectional=True, dtype=torch.float64)
    values = LSTM(D, H, bidirectional=True, dtype="float64", rng=rng).state_dict()
    lstm.load_state_dict({name: torch.as_tensor(value) for name, value in values.items()})
    lengths = rng.integers(1, T + (rng.random() < 0.2), size=B)
    x = rng.normal(size=(B, T, D)) * (np.arange(T) < lengths[:, None])[..., None]
    return lstm, torch.as_tensor(x), torch.as_tensor(lengths)


def read(lstm, x, lengths):
    """The output, as long as x, and both final states side by side."""
    import torch

    from lstm_tutorial.in_torch.topologies import run_lstm

    with torch.no_grad():
        output, (h_n, _) = run_lstm(lstm, x, lengths)
    return output, torch.cat(tuple(h_n), dim=-1)


def verify_read(answer, rng, lstm, x, lengths):
    """Say which fault is still there."""
    import torch

    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return "it should return two tensors, output and final"
    if not all(isinstance(each, torch.Tensor) for each in answer):
        return "both results should be tensors"
    (got, got_final), (output, final) = answer, read(lstm, x, lengths)
    B, T, H = *x.shape[:2], lstm.hidden_size
    shapes = f"got {tuple(got.shape)} where (B, T, 2H) = {(B, T, 2 * H)} is expected"
    if got.shape == (B, int(lengths.max()), 2 * H) != (B, T, 2 * H):
        return f"the output is as long as the longest sequence, x is longer: {shapes}"
    if got.shape == (T, B, 2 * H) or got.shape == (int(lengths.max()), B, 2 * H):
        return f"the output has time first: unpacking has not been told that the batch comes first; {shapes}"
    if got.shape != output.shape:
        return f"the output has another shape: {shapes}"
    if got_final.shape != final.shape:
        return f"`final` has the shape {tuple(got_final.shape)} where (B, 2H) = {tuple(final.shape)} is expected"

    def near(a, b):
        return torch.allclose(a, b, rtol=1e-4, atol=1e-6)

    if not near(got, output):
        with torch.no_grad():
            unpacked, _ = lstm(x)
        read_all = "the network reads the padding: it has not been told the lengths"
        return read_all if near(got, unpacked) else "the output's values differ"
    if near(got_final, final):
        return None
    turns = {
        "`final` is mixed: `view` and `reshape` do not move the batch axis, so a row holds two sequences": torch.stack(
            final.chunk(2, dim=-1)
        ).reshape(B, -1),
        "`final` is `output[:, -1]`: padding, and the reverse direction's first step": output[:, -1],
        "`final` takes both halves at the last valid step: the reverse direction ends at step 0": output[
            torch.arange(B), lengths - 1
        ],
        "`final` has reverse before forward": torch.cat([final[:, H:], final[:, :H]], dim=-1),
    }
    return next((words for words, value in turns.items() if near(got_final, value)), "the values of `final` differ")


register(
    "mended_reader",
    chapter="shapes",
    title="A reader with two faults",
    draw=draw_reader,
    verify=verify_read,
)


# Which axis is time?

CALLS = 4


class Network:
    """A network that reads along one of two axes, in a hidden direction, and may be called a few times."""

    def __init__(self, lstm, axis, direction):
        self._lstm, self._axis, self._direction, self._calls = lstm, axis, direction, 0

    def __call__(self, x):
        """x (n, m, D) -> output (n, m, width)"""
        self._calls += 1
        if self._calls > CALLS:
            raise RuntimeError(f"the budget of {CALLS} calls is spent")
        x = np.swapaxes(x, 0, self._axis)  # time first
        output = self._lstm(x[::-1])[0][::-1] if self._direction == "reverse" else self._lstm(x)[0]
        return np.swapaxes(output, 0, self._axis)


def draw_hidden_axis(rng):
    """A network of unknown axis and direction, and D; its width does not tell how many directions it has."""
    D, half = int(rng.integers(2, 6)), int(rng.integers(2, 5))
    direction = str(rng.choice(["forward", "reverse", "both"]))
    both = direction == "both"
    lstm = LSTM(D, half if both else 2 * half, bidirectional=both, dtype="float64", rng=rng)
    return Network(lstm, int(rng.integers(2)), direction), D


def diagnose_axis(got, want, inputs):
    """Say what the experiment has missed."""
    (axis, direction), (right_axis, right) = got, want
    direction = str(direction).strip().casefold()
    if axis not in (0, 1) or direction not in ("forward", "reverse", "both"):
        return 'the axis is 0 or 1, the direction "forward", "reverse" or "both"'
    if axis != right_axis:
        return "it takes the batch for time: when one place changes, along which axis does the change spread?"
    if right == "both":
        side = "before" if direction == "forward" else "after"
        return (
            f'it takes a network that reads both ways for a "{direction}" one: was there anything {side} the changed '
            "step, and did you look there?"
        )
    if direction == "both":
        return f'it says that a "{right}" network reads both ways: on which sides of the changed step do outputs move?'
    return (
        f'it takes a "{right}" network for a "{direction}" one: a forward one carries a change to later steps, '
        "so where did you look?"
    )


register(
    "find_time_axis",
    chapter="shapes",
    title="Which axis is time?",
    draw=draw_hidden_axis,
    reference=lambda network, D: (network._axis, network._direction),
    diagnose=diagnose_axis,
    names=("axis", "direction"),
    dtypes=("float64",),
    trials=18,
)


# What the reverse half sees


def draw_ragged_sizes(rng):
    """T, the length of one sequence in it, and a number of layers."""
    T = int(rng.integers(3, 9))
    return T, int(rng.integers(2, T + 1)), int(rng.integers(1, 3))


def reverse_sees(T, length, num_layers):
    """True where the reverse half of an output step depends on an input step."""
    s, t = np.arange(T)[:, None], np.arange(T)
    valid = (s < length) & (t < length)
    return valid & (t >= s) if num_layers == 1 else valid


def diagnose_sees(got, want, inputs):
    """Say what was overlooked."""
    T, length, num_layers = inputs
    s, t = np.arange(T)[:, None], np.arange(T)
    valid = (s < length) & (t < length)
    turns = {
        "this is the forward half with one layer, or the matrix is transposed: rows are output steps": valid & (t <= s),
        "a step sees its own input too": valid & (t > s),
        "the padding is no input, and past the length the output is 0": t >= s,
        "the padding is not read, with `lengths`": (s < length) & (t >= s),
        "an output past the length is 0, it depends on nothing": np.broadcast_to(t < length, (T, T)),
        "all True: the padding is not read, and past the length the output is 0": np.ones((T, T), bool),
    }
    if num_layers > 1:
        turns["the second layer reads both directions of the first: what has the first one's forward half seen?"] = (
            valid & (t >= s)
        )
    else:
        turns["with one layer the reverse half knows only what stands at its step and after it"] = valid
    return first_match(got, {words: value for words, value in turns.items() if not np.array_equal(value, want)})


register(
    "reverse_half_sees",
    chapter="shapes",
    title="What the reverse half sees",
    draw=draw_ragged_sizes,
    reference=reverse_sees,
    diagnose=diagnose_sees,
    names=("the matrix",),
    axes=("T T",),
)


# What does this reader read?

FAULTS = {
    "same step": "of the two halves, which moves with the first step of a sequence?",
    "padding": "does the answer move when the padding does? Zeros are an input like others",
    "last column": "what does it say about a sequence that is shorter than the batch?",
    "mixed": "whose rows move when one sequence changes?",
}


class Reader:
    """A bidirectional reader of a padded batch, right or with one hidden fault."""

    def __init__(self, lstm, kind):
        self._lstm, self._kind = lstm, kind

    def __call__(self, x, lengths):
        """x (B, T, D), lengths (B,) -> (B, 2H)"""
        rows, lengths = np.arange(len(x)), np.asarray(lengths)
        output, (h_n, _) = self._lstm(x, lengths=None if self._kind == "padding" else lengths)
        if self._kind == "padding":
            return both_ends(output, lengths)
        if self._kind == "mixed":
            return h_n.reshape(len(x), -1)
        return {"same step": output[rows, lengths - 1], "last column": output[:, -1]}.get(self._kind, join(h_n))


def draw_black_box(rng):
    """A reader of a hidden kind, and D."""
    D, H = draw_sizes(rng, 2, low=2)
    lstm = LSTM(D, H, batch_first=True, bidirectional=True, dtype="float64", rng=rng)
    return Reader(lstm, str(rng.choice(["right", *FAULTS]))), D


def diagnose_reader(got, want, inputs):
    """Say what the experiment has missed."""
    word = str(got).strip().casefold()
    if word not in ("right", *FAULTS):
        return f"`{word}` is none of the five words: right, {', '.join(FAULTS)}"
    if want == "right":
        return f'it calls a right reader "{word}": {FAULTS[word]}'
    return f'it takes a reader of the kind "{want}" for "{word}": {FAULTS[want]}'


register(
    "judge_reader",
    chapter="shapes",
    title="What does this reader read?",
    draw=draw_black_box,
    reference=lambda reader, D: reader._kind,
    diagnose=diagnose_reader,
    names=("the verdict",),
    dtypes=("float64",),
    trials=20,
)


# Two networks for one


def draw_two_networks(rng):
    """Two one-way LSTMs of the course, a padded batch with rubbish behind the lengths, and lengths."""
    B, T, D, H = draw_sizes(rng, 4, low=2)
    networks = [LSTM(D, H, batch_first=True, dtype="float64", rng=rng) for _ in range(2)]
    lengths = rng.integers(1, T, size=B)
    lengths[0] = T - 1
    return *networks, rng.normal(size=(B, T, D)), lengths


def as_one(forward, reverse, x, lengths):
    """What one bidirectional network with both sets of weights gives."""
    both = LSTM(forward.input_size, forward.hidden_size, batch_first=True, bidirectional=True, dtype="float64", rng=0)
    weights = forward.state_dict() | {f"{name}_reverse": value for name, value in reverse.state_dict().items()}
    both.load_state_dict(weights)
    output, (h_n, _) = both(x, lengths=lengths)
    return output, h_n


def diagnose_as_one(got, want, inputs):
    """Say how the second network was made to read, or what was done with what it said."""
    forward, reverse, x, lengths = inputs
    there, (h, _) = forward(x, lengths=lengths)
    T = x.shape[1]
    back = np.where(np.arange(T) < lengths[:, None], lengths[:, None] - 1 - np.arange(T), np.arange(T))[..., None]
    flipped = np.take_along_axis(x, back, axis=1)
    said, (h_back, _) = reverse(flipped, lengths=lengths)
    whole, (h_whole, _) = reverse(x[:, ::-1], lengths=lengths)
    unread, (h_unread, _) = reverse(x[:, ::-1])
    straight, (h_straight, _) = reverse(x, lengths=lengths)
    aligned = np.take_along_axis(said, back, axis=1)

    def answer(second, h_second, first=there, h_first=h):
        return np.concatenate([first, second], axis=-1), np.concatenate([h_first, h_second])

    every, (h_every, _) = forward(x)
    turns = {
        "the reverse half is not turned back: its step t has to stand beside the forward half's": answer(said, h_back),
        "the second network reads forward too: turn its input round": answer(straight, h_straight),
        "all T steps are turned round, so the padding comes first: turn the valid steps alone": [
            answer(whole[:, ::-1], h_whole),
            answer(whole, h_whole),
            answer(unread[:, ::-1], h_unread),
        ],
        "the first network reads the padding: give it the lengths": answer(aligned, h_back, every, h_every),
        "reverse stands before forward": (
            np.concatenate([aligned, there], axis=-1),
            np.concatenate([h_back, h]),
        ),
        "the output is right, `h_n` takes the reverse half's last valid step: it ends at step 0": answer(
            aligned, aligned[np.arange(len(x)), lengths - 1][None]
        ),
    }
    for words, values in turns.items():
        for value in values if isinstance(values, list) else [values]:
            if first_match(got, {words: value}):
                return words
    return None


register(
    "bidirectional_from_two",
    chapter="shapes",
    title="Two networks for one",
    draw=draw_two_networks,
    reference=as_one,
    diagnose=diagnose_as_one,
    names=("output", "h_n"),
    axes=("B T 2H", "2 B H"),
    dtypes=("float64",),
)
