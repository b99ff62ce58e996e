"""Wrong answers to the exercises of the chapter shapes, and words of the message each must get."""

import numpy as np
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def as_it_was(lstm, x, lengths):
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, (h_n, _) = lstm(packed)
    return pad_packed_sequence(output, batch_first=True)[0], h_n.reshape(len(x), -1)


def flipped(forward, reverse, x, lengths):
    output, (h_n, _) = forward(x, lengths=lengths)
    back, (h_back, _) = reverse(x[:, ::-1], lengths=lengths)
    return np.concatenate([output, back[:, ::-1]], axis=-1), np.concatenate([h_n, h_back])


def nudge(place=(2, 2), axis=lambda axis: axis, direction=None):
    """Change one place; see how far the change spreads along the axis of time, on both sides of the place."""

    def find_time_axis(network, D):
        x = np.random.default_rng(0).normal(size=(5, 5, D))
        other = x.copy()
        other[place] += 1
        moved = (network(other) != network(x)).any(axis=-1)
        found = 0 if moved[:, place[1]].sum() > 1 else 1
        along = moved[:, place[1]] if found == 0 else moved[place[0]]
        earlier, later = along[: place[found]].any(), along[place[found] + 1 :].any()
        return axis(found), direction or ("both" if earlier and later else "forward" if later else "reverse")

    return find_time_axis


def examine(rows=True, column=True, halves=True, padding=True, default="right"):
    """The experiments on a reader, some of them left out."""

    def judge_reader(reader, D):
        x, lengths = np.random.default_rng(0).normal(size=(3, 6, D)), np.array([4, 6, 3])
        other, behind, before = x.copy(), x.copy(), reader(x, lengths)
        other[0, 0], behind[0, 5] = 1.0, 2.0
        first = reader(other, lengths) != before
        if rows and first[1:].any():
            return "mixed"
        if column and not first[0].any():
            return "last column"
        if halves and not first[0, before.shape[1] // 2 :].any():
            return "same step"
        return "padding" if padding and (reader(behind, lengths) != before).any() else default

    return judge_reader


WRONG = {
    "shapes_by_hand": [
        (lambda: {"output": (8, 30, 40), "h_n": (8, 6, 20), "c_n": (8, 6, 20)}, "does not move the states"),
        (lambda: {"output": (8, 30, 40), "h_n": (6, 8, 20), "c_n": (6, 30, 20)}, "`c_n` has the shape"),
    ],
    "join_directions": [(lambda h_n: h_n[-2:].reshape(h_n.shape[1], -1), "a row holds two sequences")],
    "read_both_ends": [(lambda output, n: output[np.arange(len(n)), n - 1], "there it has read one step")],
    "mended_reader": [(as_it_was, "two faults are left")],
    "reverse_half_sees": [(lambda T, n, layers: np.triu(np.ones((T, T), bool)), "three faults are left")],
    "find_time_axis": [
        (nudge(axis=lambda axis: 1 - axis), "it takes the batch for time"),
        (nudge(place=(0, 0)), "was there anything before the changed step"),
        (nudge(place=(4, 4)), "was there anything after the changed step"),
        (nudge(direction="both"), "on which sides of the changed step"),
        (nudge(direction="bidirectional"), "is none of them"),
        (lambda network, D: (0, "forward"), "the network was not called"),
    ],
    "judge_reader": [
        (examine(rows=False), "whose rows move when one sequence changes"),
        (examine(halves=False), "of the two halves, which moves"),
        (examine(padding=False), "does the answer move when the padding does"),
        (examine(column=False), "shorter than the batch"),
        (examine(default="last column"), "it calls a right reader"),
        (lambda reader, D: "right", "the reader was not called"),
    ],
    "bidirectional_from_two": [(flipped, "all T steps are turned round")],
}
