"""Plausible wrong answers to the exercises of the chapter shapes, and words of the message each must get."""

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def by_hand(output=(8, 30, 40), h_n=(6, 8, 20), c_n=None):
    """The answer by hand with one shape exchanged."""
    return lambda: {"output": output, "h_n": h_n, "c_n": h_n if c_n is None else c_n}


def halves(output):
    H = output.shape[-1] // 2
    return output[..., :H], output[..., H:]


def last_of_both(output, lengths):
    return output[np.arange(len(output)), lengths - 1]


def exchanged(output, lengths):
    forward, reverse = halves(output)
    return np.concatenate([forward[:, 0], last_of_both(reverse, lengths)], axis=-1)


def one_late(output, lengths):
    forward, reverse = halves(output)
    return np.concatenate([forward[np.arange(len(output)), lengths], reverse[:, 0]], axis=-1)


def of_the_longest(output, lengths):
    forward, reverse = halves(output)
    return np.concatenate([forward[:, lengths.max() - 1], reverse[:, 0]], axis=-1)


def column_and_start(output, lengths):
    forward, reverse = halves(output)
    return np.concatenate([forward[:, -1], reverse[:, 0]], axis=-1)


def reader(final, total=True, told=True):
    """A reader that makes its final states as `final(output, h_n, lengths)`."""

    def read(lstm, x, lengths):
        if told:
            how = dict(total_length=x.shape[1]) if total else {}
            seen = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            output, (h_n, _) = lstm(seen)
            output, _ = pad_packed_sequence(output, batch_first=True, **how)
        else:
            output, (h_n, _) = lstm(x)
        return output, final(output, h_n, lengths)

    return read


def cat(output, h_n, lengths):
    return torch.cat([h_n[0], h_n[1]], dim=-1)


def viewed(output, h_n, lengths):
    return h_n.reshape(h_n.shape[1], -1)


def without_batch_first(lstm, x, lengths):
    seen = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output, (h_n, _) = lstm(seen)
    return pad_packed_sequence(output, total_length=x.shape[1])[0], torch.cat(tuple(h_n), dim=-1)


def seen(mask):
    """A matrix from s (T, 1), t (T,), length and number of layers."""
    return lambda T, length, layers: mask(np.arange(T)[:, None], np.arange(T), length, layers) & np.ones((T, T), bool)


def turn(values, lengths):
    turned = values.copy()
    for b, length in enumerate(lengths):
        turned[b, :length] = values[b, :length][::-1]
    return turned


def two(forward, reverse, x, lengths, into=turn, out=turn, order=1, told=True):
    """Both networks, with the faults that the program could have."""
    output, (h_n, _) = forward(x, lengths=lengths if told else None)
    back, (h_back, _) = reverse(into(x, lengths), lengths=lengths)
    pair, states = [output, out(back, lengths)][::order], [h_n, h_back][::order]
    return np.concatenate(pair, axis=-1), np.concatenate(states)


def as_it_is(values, lengths):
    return values


def turn_all(values, lengths):
    return values[:, ::-1]


def last_valid_of_both(forward, reverse, x, lengths):
    output, h_n = two(forward, reverse, x, lengths)
    H = h_n.shape[-1]
    return output, np.stack([h_n[0], output[np.arange(len(x)), lengths - 1, H:]])


def nudge(place=(2, 2), shape=(5, 5), axis=None, direction=None, calls=1):
    """Change one place; `axis` and `direction` read off what has moved, along time and around the place."""

    def find_time_axis(network, D):
        x = np.random.default_rng(0).normal(size=(*shape, D))
        other = x.copy()
        other[place] += 1
        before = [network(x) for _ in range(calls)][0]
        moved = (network(other) != before).any(axis=-1)
        found = 0 if moved[:, place[1]].sum() > 1 else 1
        along = moved[:, place[1]] if found == 0 else moved[place[0]]
        earlier, later = along[: place[found]].any(), along[place[found] + 1 :].any()
        right = "both" if earlier and later else "forward" if later else "reverse"
        return found if axis is None else axis(found), right if direction is None else direction(earlier, later)

    return find_time_axis


def examine(rows=True, column=True, halves=True, padding=True, lengths=(4, 6, 3), default="right"):
    """The experiments on a reader, some of them left out."""

    def judge_reader(reader, D):
        x, known = np.random.default_rng(0).normal(size=(len(lengths), 6, D)), np.array(lengths)
        before = reader(x, known)
        H = before.shape[1] // 2

        def moved(step, value):
            other = x.copy()
            other[0, step] = value
            return reader(other, known) != before

        first = moved(0, 1.0)
        if rows and first[1:].any():
            return "mixed"
        if column and not first[0].any():
            return "last column"
        if halves and not first[0, H:].any():
            return "same step"
        return "padding" if padding and lengths[0] < 6 and moved(5, 2.0).any() else default

    return judge_reader


WRONG = {
    "shapes_by_hand": [
        (by_hand(output=(30, 8, 40)), "the batch comes first in the output too"),
        (by_hand(output=(8, 30, 20)), "both directions"),
        (by_hand(output=(8, 30, 120)), "the top layer alone"),
        (by_hand(h_n=(8, 6, 20)), "does not move the states"),
        (by_hand(h_n=(3, 8, 20)), "in each direction"),
        (by_hand(h_n=(2, 8, 20)), "every layer has final states"),
        (by_hand(h_n=(3, 8, 40)), "they count as rows"),
        (by_hand(h_n=(6, 30, 20)), "no time axis"),
        (by_hand(c_n=(6, 8, 40)), "`c_n` has the shape of `h_n`"),
    ],
    "join_directions": [
        (lambda h_n: h_n[-2:].reshape(h_n.shape[1], -1), "a row holds two sequences"),
        (lambda h_n: np.concatenate([h_n[0], h_n[1]], axis=-1), "this is the bottom layer"),
        (lambda h_n: np.concatenate([h_n[-1], h_n[-2]], axis=-1), "forward comes first"),
        (lambda h_n: np.stack([h_n[-2], h_n[-1]], axis=-1).reshape(h_n.shape[1], -1), "alternate, unit by unit"),
        (lambda h_n: h_n[-1], "where ("),
        (lambda h_n: np.concatenate([h_n[-2], h_n[-1]], axis=0), "where ("),
    ],
    "read_both_ends": [
        (lambda output, lengths: output[:, -1], "this is `output[:, -1]`"),
        (last_of_both, "there it has read one step"),
        (exchanged, "the halves are exchanged"),
        (lambda output, lengths: output[:, 0], "both halves are read at step 0"),
        (one_late, "the forward half is read in the padding"),
        (column_and_start, "the forward half is read in the padding"),
        (of_the_longest, "the last step of the longest one"),
    ],
    "mended_reader": [
        (reader(viewed), "a row holds two sequences"),
        (reader(viewed, total=False), "as long as the longest sequence"),
        (reader(cat, total=False), "as long as the longest sequence"),
        (reader(lambda output, h_n, lengths: output[:, -1]), "`final` is `output[:, -1]`"),
        (
            reader(lambda output, h_n, lengths: output[torch.arange(len(output)), lengths - 1]),
            "the reverse direction ends at step 0",
        ),
        (reader(lambda output, h_n, lengths: torch.cat([h_n[1], h_n[0]], dim=-1)), "reverse before forward"),
        (reader(cat, told=False), "the network reads the padding"),
        (without_batch_first, "the output has time first"),
    ],
    "reverse_half_sees": [
        (seen(lambda s, t, n, layers: (s < n) & (t < n) & (t <= s)), "this is the forward half"),
        (seen(lambda s, t, n, layers: (s < n) & (t < n) & (t > s)), "a step sees its own input too"),
        (seen(lambda s, t, n, layers: t >= s), "the padding is no input"),
        (seen(lambda s, t, n, layers: (s < n) & (t < n) & (t >= s)), "the second layer reads both directions"),
        (seen(lambda s, t, n, layers: (s < n) & (t < n)), "what stands at its step and after it"),
        (seen(lambda s, t, n, layers: t < n), "it depends on nothing"),
        (seen(lambda s, t, n, layers: t > -1), "the padding is not read"),
    ],
    "find_time_axis": [
        (nudge(axis=lambda axis: 1 - axis), "it takes the batch for time"),
        (lambda network, D: (1, "forward"), "it takes the batch for time"),
        (nudge(place=(0, 0)), "was there anything before the changed step"),
        (nudge(place=(4, 4)), "was there anything after the changed step"),
        (nudge(direction=lambda earlier, later: "forward" if later else "reverse"), "both ways for a"),
        (nudge(direction=lambda earlier, later: "both"), "on which sides of the changed step"),
        (
            nudge(direction=lambda e, l: "both" if e and l else "reverse" if l else "forward"),
            "carries a change to later steps",
        ),
        (nudge(calls=4), "the budget of 4 calls is spent"),
        (nudge(direction=lambda earlier, later: "bidirectional"), 'the direction "forward", "reverse" or "both"'),
    ],
    "judge_reader": [
        (lambda reader, D: "right", 'for "right"'),
        (examine(rows=False), "whose rows move when one sequence changes"),
        (examine(halves=False), "of the two halves, which moves"),
        (examine(padding=False), "does the answer move when the padding does"),
        (examine(lengths=(6, 6, 6)), "Zeros are an input"),
        (examine(column=False), "shorter than the batch"),
        (examine(lengths=(4,)), "whose rows move"),
        (examine(default="last column"), "it calls a right reader"),
        (examine(default="fine"), "none of the five words"),
    ],
    "bidirectional_from_two": [
        (lambda *inputs: two(*inputs, out=as_it_is), "the reverse half is not turned back"),
        (lambda *inputs: two(*inputs, into=as_it_is, out=as_it_is), "the second network reads forward too"),
        (lambda *inputs: two(*inputs, into=turn_all, out=turn_all), "all T steps are turned round"),
        (lambda *inputs: two(*inputs, told=False), "the first network reads the padding"),
        (lambda *inputs: two(*inputs, order=-1), "reverse stands before forward"),
        (last_valid_of_both, "the output is right, `h_n` takes"),
    ],
}
