"""Solutions to the exercises of the chapter `shapes`: a function an exercise, under the exercise's name."""

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def shapes_by_hand():
    """B = 8, T = 30, H = 20, three layers, two directions."""
    states = (3 * 2, 8, 20)  # layers times directions, B, H
    return {"output": (8, 30, 2 * 20), "h_n": states, "c_n": states}


def join_directions(h_n):
    """h_n (layers * 2, B, H) -> top layer, forward then reverse, (B, 2H)."""
    return np.concatenate([h_n[-2], h_n[-1]], axis=-1)


def read_both_ends(output, lengths):
    """output (B, T, 2H), lengths (B,) -> (B, 2H)."""
    H = output.shape[-1] // 2
    forward, reverse = output[..., :H], output[..., H:]
    last = forward[np.arange(len(output)), lengths - 1]  # (B, H)
    return np.concatenate([last, reverse[:, 0]], axis=-1)


def mended_reader(lstm, x, lengths):
    """Return output (B, T, 2H) and final (B, 2H)."""
    how = dict(batch_first=True)
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False, **how)
    output, (h_n, c_n) = lstm(packed)
    output, _ = pad_packed_sequence(output, total_length=x.shape[1], **how)
    return output, torch.cat([h_n[-2], h_n[-1]], dim=-1)


def reverse_half_sees(T, length, num_layers):
    """Return truth values (T, T): rows output steps, columns input steps."""
    s, t = np.arange(T)[:, None], np.arange(T)
    valid = (s < length) & (t < length)
    if num_layers > 1:
        return valid  # the layer below has seen everything, in both directions
    return valid & (t >= s)


def find_time_axis(network, D):
    """Change one place in the middle and see where the change spreads."""
    x = np.random.default_rng(0).normal(size=(5, 5, D))
    other = x.copy()
    other[2, 2] += 1
    moved = (network(other) != network(x)).any(axis=-1)  # (5, 5)
    axis = 0 if moved[:, 2].sum() > 1 else 1
    along = moved[:, 2] if axis == 0 else moved[2]  # (5,)
    earlier, later = along[:2].any(), along[3:].any()
    return axis, "both" if earlier and later else "forward" if later else "reverse"


def judge_reader(reader, D):
    """Change one step at a time, in one sequence, and look at rows and halves."""
    x, lengths = np.random.default_rng(0).normal(size=(3, 6, D)), np.array([4, 6, 3])
    before = reader(x, lengths)  # (3, 2H)
    H = before.shape[1] // 2

    def moved(step):
        other = x.copy()
        other[0, step] += 1
        return reader(other, lengths) != before

    first = moved(0)
    if first[1:].any():
        return "mixed"
    if not first[0].any():
        return "last column"
    if not first[0, H:].any():
        return "same step"
    return "padding" if moved(4).any() else "right"


def bidirectional_from_two(forward, reverse, x, lengths):
    """Return output (B, T, 2H) and h_n (2, B, H)."""

    def turn(values):
        turned = values.copy()
        for b, length in enumerate(lengths):
            turned[b, :length] = values[b, :length][::-1]
        return turned

    output, (h_n, _) = forward(x, lengths=lengths)
    back, (h_back, _) = reverse(turn(x), lengths=lengths)
    return np.concatenate([output, turn(back)], axis=-1), np.concatenate([h_n, h_back])
