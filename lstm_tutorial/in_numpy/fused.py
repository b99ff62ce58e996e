"""The layer of `sequence` once more, several times as fast: the same numbers, and a reason for every trick.

The input's part of the gates is one product for many steps. Work goes in chunks of steps that fit the cache. One tanh
bends all four gates. The weights are laid out as the products want them. What is multiplied together lies together. And
nothing is allocated inside a loop. Chapter: fast.
"""

from typing import NamedTuple

import numpy as np

from lstm_tutorial.in_numpy.activations import tanh
from lstm_tutorial.in_numpy.sequence import Ragged, longest_first, without_padding

CHUNK = 2**17  # gates in work at a time: they and their slopes stay in the second-level cache
CELL = 4  # the slot beside the gates o, i, f, g: a step's products i * g and f * c_prev are of slots two apart


class FusedCache(NamedTuple):
    """What the backward needs; all in the ragged order, all zero past a length."""

    x: np.ndarray  # (T, B, D)
    h: np.ndarray  # (T + 1, B, H), the state before the first step among them
    slots: np.ndarray  # (T + 1, 5, B, H), the openings o, i, f, g of a step, and the cell state that came into it
    weight_ih: np.ndarray
    weight_hh: np.ndarray
    weight_peephole: np.ndarray | None
    ragged: Ragged


def fused_sequence(
    x, state, weight_ih, weight_hh, bias_ih, bias_hh, weight_peephole=None, lengths=None, keep_cache=True
):
    """Run one LSTM layer over a batch of sequences: parameters, results and numbers as of `lstm_sequence`.

    Parameters
    ----------
    keep_cache : bool
        False for inference: the cache is None, and what two steps need is all that is kept.
    others
        See `lstm_sequence`.

    Notes
    -----
    A gate is (1 + tanh(z / 2)) / 2: sigmoid(z), to the rounding of numbers near 1. So a gate that is almost shut has an
    absolute error of 6e-8 in float32, and of what it should be below z = -18 nothing is left.

    Examples
    --------
    >>> T, B, D, H = 5, 2, 3, 4
    >>> weights = np.zeros((4 * H, D)), np.zeros((4 * H, H)), np.zeros(4 * H), np.zeros(4 * H)
    >>> output, (h, c), cache = fused_sequence(np.ones((T, B, D)), (np.zeros((B, H)), np.ones((B, H))), *weights,
    ...                                        lengths=[5, 2])
    >>> c[:, 0]
    array([0.03125, 0.25   ])
    """
    (T, B, D), H, dtype = x.shape, weight_hh.shape[1], x.dtype
    ragged = longest_first(lengths, B, T)
    x, running, is_ragged = without_padding(x, ragged), ragged.running.tolist(), lengths is not None
    half = np.array(0.5, dtype)  # an array of the right dtype: a Python number is converted anew at every call

    # Weights ready for x @ W, a product for each gate, whose results lie gate by gate: contiguous, not just transposed.
    # Those of the sigmoids are halved, so that z / 2 costs nothing.
    scale = np.array([0.5, 0.5, 0.5, 1], dtype)[:, None, None]
    from_x, from_h = (np.ascontiguousarray(scale * by_slot(w).swapaxes(1, 2)) for w in (weight_ih, weight_hh))
    bias = scale * by_slot(bias_ih + bias_hh)[:, None]  # (4, 1, H)
    peephole = None if weight_peephole is None else half * weight_peephole[[2, 0, 1], None]  # o, i, f: (3, 1, H)

    slots = np.empty((T + 1 if keep_cache else 2, 5, B, H), dtype)
    h = np.empty((T + 1, B, H), dtype)
    h[0], slots[0, CELL] = (each[ragged.order] for each in state)
    steps = steps_at_once(T, B, H)
    sums, products, bent = np.empty(4 * steps * B * H, dtype), np.empty((2, B, H), dtype), np.empty((B, H), dtype)
    for start in range(0, T, steps):
        m, n = min(steps, T - start), running[start]
        z_x = sums[: 4 * m * n * H].reshape(4, m * n, H)
        np.matmul(x[start : start + m, :n].reshape(m * n, D), from_x, out=z_x)  # the input's part, of m steps at once
        z_x += bias
        for t, z_x_t in enumerate(z_x.reshape(4, m, n, H).swapaxes(0, 1), start):
            n, now, after = running[t], slots[t % len(slots)], slots[(t + 1) % len(slots)]
            if is_ragged:
                h[t + 1, n:] = 0
                if keep_cache:
                    now[:CELL, n:], after[CELL, n:] = 0, 0
            now, c, z_x_t = now[:, :n], after[CELL, :n], z_x_t[:, :n]
            z = now[:CELL]
            np.matmul(h[t, :n], from_h, out=z)
            z += z_x_t
            if peephole is None:
                bend(z, 3, half)
            else:
                z[1:3] += peephole[1:] * now[CELL]
                bend(z[1:], 2, half)
            np.multiply(now[1:3], now[3:], out=products[:, :n])  # i * g and f * c_prev
            np.add(products[0, :n], products[1, :n], out=c)
            if peephole is not None:
                z[0] += peephole[0] * c
                bend(z[:1], 1, half)
            np.multiply(z[0], tanh(c, out=bent[:n]), out=h[t + 1, :n])  # o * tanh(c)
    last = ragged.lengths, np.arange(B)
    state = h[last][ragged.back], slots[last[0] % len(slots), CELL, last[1]][ragged.back]
    cache = FusedCache(x, h, slots, weight_ih, weight_hh, weight_peephole, ragged) if keep_cache else None
    return h[1:, ragged.back], state, cache


def bend(z, sigmoids, half):
    """Put z through tanh in place, and make gates of the first slots: sigmoid(z) = (1 + tanh(z / 2)) / 2."""
    tanh(z, out=z)
    gates = z[:sigmoids]
    gates *= half
    gates += half


def fused_sequence_backward(d_output, d_state, cache):
    """Carry gradients back through time: parameters, results and numbers as of `lstm_sequence_backward`.

    Examples
    --------
    >>> T, B, D, H = 5, 2, 3, 4
    >>> weights = np.zeros((4 * H, D)), np.zeros((4 * H, H)), np.zeros(4 * H), np.zeros(4 * H)
    >>> zero, one = np.zeros((B, H)), np.ones((B, H))
    >>> output, _, cache = fused_sequence(np.ones((T, B, D)), (zero, one), *weights, lengths=[5, 2])
    >>> d_x, (d_h, d_c), gradients = fused_sequence_backward(np.zeros_like(output), (zero, one), cache)
    >>> d_c[:, 0]
    array([0.03125, 0.25   ])
    """
    x, h, slots, weight_ih, weight_hh, weight_peephole, ragged = cache
    (T, B, D), H, dtype = x.shape, weight_hh.shape[1], x.dtype
    running, one = ragged.running.tolist(), np.array(1, dtype)
    to_x, to_h = by_slot(weight_ih), by_slot(weight_hh)  # (4, H, D), (4, H, H): ready for d_z @ W
    peephole = None if weight_peephole is None else weight_peephole[[2, 0, 1], None]  # o, i, f
    d_output = d_output[:, ragged.order]
    d_h, d_c = (each[ragged.order].copy() for each in d_state)  # a sequence's rows rest until its last step comes
    d_x, d_weights = np.zeros(x.shape, dtype), [np.zeros_like(w) for w in (to_x, to_h)]
    d_bias, d_peephole = np.zeros((4, H), dtype), np.zeros((3, H), dtype)

    steps = steps_at_once(T, B, H)
    room = np.empty((2, 5 * steps * B * H), dtype)
    for start in reversed(range(0, T, steps)):
        m, n = min(steps, T - start), running[start]
        slopes, d_z = (each[: 5 * m * n * H].reshape(5, m, n, H) for each in room)
        now = slots[start : start + m, :, :n].swapaxes(0, 1)
        c = slots[start + 1 : start + m + 1, CELL, :n]
        all_slopes(now, c, one, slopes)
        for t in reversed(range(start, start + m)):
            n_t, k = running[t], t - start
            d_h_t, d_c_t, d_z_t, slopes_t = d_h[:n_t], d_c[:n_t], d_z[:, k, :n_t], slopes[:, k, :n_t]
            d_z[:, k, n_t:] = 0
            d_h_t += d_output[t, :n_t]
            np.multiply(d_h_t, slopes_t[:2], out=d_z_t[:2])
            d_c_t += d_z_t[0]
            if peephole is not None:
                d_c_t += d_z_t[1] * peephole[0]
            np.multiply(d_c_t, slopes_t[2:], out=d_z_t[2:])
            d_c_t *= now[2, k, :n_t]  # the forget gate: all that a cell state's gradient meets on its way
            if peephole is not None:
                d_c_t += d_z_t[2] * peephole[1] + d_z_t[3] * peephole[2]
            np.add.reduce(d_z_t[1:] @ to_h, axis=0, out=d_h_t)
        rows, x_rows, h_rows = d_z[1:].reshape(4, m * n, H), x[start : start + m, :n], h[start : start + m, :n]
        d_weights[0] += rows.swapaxes(1, 2) @ x_rows.reshape(m * n, D)  # one product for the weights of all m steps
        d_weights[1] += rows.swapaxes(1, 2) @ h_rows.reshape(m * n, H)
        d_bias += np.ones(m * n, dtype) @ rows
        d_x[start : start + m, :n] = np.add.reduce(rows @ to_x, axis=0).reshape(m, n, D)
        if peephole is not None:
            seen = d_z[1] * c, d_z[2] * now[CELL], d_z[3] * now[CELL]
            d_peephole += [each.sum(axis=(0, 1)) for each in seen]
    gradients = {"weight_ih": by_row(d_weights[0]), "weight_hh": by_row(d_weights[1])}
    gradients |= {name: by_row(d_bias) for name in ("bias_ih", "bias_hh")}
    if peephole is not None:
        gradients["weight_peephole"] = d_peephole[[1, 2, 0]]
    return d_x[:, ragged.back], (d_h[ragged.back], d_c[ragged.back]), gradients


def all_slopes(now, c, one, slopes):
    """Write what a gradient is multiplied by on its ways from h and c to the gates, of many steps at once.

    `slopes` is (5, m, n, H): from h to c and to o's sum, then from c to the sums of i, f and g.
    """
    o, i, _, g, _ = now
    bent = tanh(c)
    gates = slopes[1:4]
    np.subtract(one, now[:3], out=gates)
    gates *= now[:3]  # s (1 - s), of o, i and f
    slopes[1] *= bent  # h = o * tanh(c)
    slopes[2:4] *= now[3:]  # c = i * g + f * c_prev
    np.multiply(bent, bent, out=bent)
    np.subtract(one, bent, out=bent)
    np.multiply(o, bent, out=slopes[0])
    np.multiply(g, g, out=slopes[4])
    np.subtract(one, slopes[4], out=slopes[4])
    slopes[4] *= i


def by_slot(rows):
    """Return the rows (4H, ...) of i, f, g, o as an array (4, H, ...) of o, i, f, g."""
    i, f, g, o = np.split(rows, 4)
    return np.stack([o, i, f, g])


def by_row(slots):
    """Return an array (4, H, ...) of o, i, f, g as rows (4H, ...) of i, f, g, o."""
    o, i, f, g = slots
    return np.concatenate([i, f, g, o])


def steps_at_once(T, B, H):
    """Return how many steps make a chunk."""
    return max(1, min(T, CHUNK // max(1, 4 * B * H)))
