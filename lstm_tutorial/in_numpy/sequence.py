"""One LSTM layer in one direction over a whole sequence: forward, and backpropagation through time.

The same numbers as `lstm_cell` in a loop, with three changes that make it fast: the input's part of all gates of all
steps is one matrix product before the loop, the weights' gradients are one product each after it, and a batch sorted
by length lets every step work on the sequences that are still running and on no other.
"""

from typing import NamedTuple

import numpy as np

from lstm_tutorial.in_numpy.activations import sigmoid, sigmoid_slope, tanh, tanh_slope
from lstm_tutorial.validation import check_lengths


class Ragged(NamedTuple):
    """A batch in order of length, longest first."""

    order: np.ndarray | slice  # (B,) which sequence stands where
    back: np.ndarray | slice  # (B,) the way back to the caller's order
    lengths: np.ndarray  # (B,) in the new order
    running: np.ndarray  # (T,) how many sequences have a step t; they are the first ones


def longest_first(lengths, B, T):
    """Sort a batch by length, so that at step t the first `running[t]` sequences are those that still run.

    Examples
    --------
    >>> longest_first([1, 3, 2], B=3, T=4).running
    array([3, 2, 1, 0])
    """
    if lengths is None:
        return Ragged(slice(None), slice(None), np.full(B, T), np.full(T, B))
    lengths = check_lengths(lengths, B, T)
    order = np.argsort(-lengths, kind="stable")
    running = (lengths > np.arange(T)[:, None]).sum(axis=1)
    return Ragged(order, np.argsort(order), lengths[order], running)


def without_padding(x, ragged):
    """Return x (T, B, ...) in the ragged order, with zeros past each length: padding may hold anything, NaN too."""
    x = x[:, ragged.order]
    if isinstance(ragged.order, slice):
        return x
    valid = np.arange(len(x))[:, None] < ragged.lengths  # (T, B)
    return np.where(valid[..., None], x, np.zeros((), x.dtype))


def flip(x, lengths=None):
    """Reverse each sequence of x (T, B, ...) within its length; padding stays where it is.

    Examples
    --------
    >>> flip(np.array([[1, 1], [2, 2], [3, 0]])[..., None], lengths=np.array([3, 2]))[..., 0]
    array([[3, 2],
           [2, 1],
           [1, 0]])
    """
    if lengths is None:
        return x[::-1]
    t = np.arange(len(x))[:, None]
    return np.take_along_axis(x, np.where(t < lengths, lengths - 1 - t, t)[..., None], axis=0)


class SequenceCache(NamedTuple):
    """What backpropagation through time needs; all in the ragged order, all zero past a length."""

    x: np.ndarray  # (T, B, D)
    h: np.ndarray  # (T + 1, B, H), the state before the first step among them
    c: np.ndarray  # (T + 1, B, H)
    gates: np.ndarray  # (T, B, 4H), the openings of i, f, g, o
    weight_ih: np.ndarray
    weight_hh: np.ndarray
    weight_peephole: np.ndarray | None
    ragged: Ragged


def lstm_sequence(x, state, weight_ih, weight_hh, bias_ih, bias_hh, weight_peephole=None, lengths=None):
    """Run one LSTM layer over a batch of sequences.

    Parameters
    ----------
    x : array (T, B, D)
    state : tuple of arrays (B, H)
        `(h, c)` before the first step.
    weight_ih, weight_hh, bias_ih, bias_hh : arrays (4H, D), (4H, H), (4H,), (4H,)
        Rows in the order i, f, g, o.
    weight_peephole : array (3, H), optional
        Rows i, f, o.
    lengths : sequence of int, shape (B,), optional
        Valid steps of each sequence. Past them the output is 0, and padding may hold anything.

    Returns
    -------
    tuple
        The hidden states (T, B, H), `(h, c)` of each sequence's last valid step, (B, H) each, and the cache for
        `lstm_sequence_backward`.

    Notes
    -----
    `lstm_cell` in a loop gives the same; the tests hold the two together. Shapes are checked by `LSTM`.
    Chapter: numpy-lstm.

    Examples
    --------
    >>> T, B, D, H = 5, 2, 3, 4
    >>> weights = np.zeros((4 * H, D)), np.zeros((4 * H, H)), np.zeros(4 * H), np.zeros(4 * H)
    >>> output, (h, c), cache = lstm_sequence(np.ones((T, B, D)), (np.zeros((B, H)), np.ones((B, H))), *weights,
    ...                                       lengths=[5, 2])
    >>> c[:, 0]  # every forget gate is half open, and the second sequence ends after two steps
    array([0.03125, 0.25   ])
    """
    (T, B, _), H = x.shape, weight_hh.shape[1]
    ragged = longest_first(lengths, B, T)
    x = without_padding(x, ragged)
    h, c = np.zeros((2, T + 1, B, H), x.dtype)
    h[0], c[0] = (each[ragged.order] for each in state)
    gates = x @ weight_ih.T + (bias_ih + bias_hh)  # (T, B, 4H): of all steps at once
    for t, n in enumerate(ragged.running):
        h_prev, c_prev = h[t, :n], c[t, :n]
        gates[t, n:] = 0
        gates[t, :n] += h_prev @ weight_hh.T
        i, f, g, o = _four(gates[t, :n])  # views: what is written to them is cached
        if weight_peephole is not None:
            i += weight_peephole[0] * c_prev
            f += weight_peephole[1] * c_prev
        i[...], f[...], g[...] = sigmoid(i), sigmoid(f), tanh(g)
        c[t + 1, :n] = f * c_prev + i * g
        if weight_peephole is not None:
            o += weight_peephole[2] * c[t + 1, :n]
        o[...] = sigmoid(o)
        h[t + 1, :n] = o * tanh(c[t + 1, :n])
    last = ragged.lengths, np.arange(B)
    state = h[last][ragged.back], c[last][ragged.back]
    return h[1:, ragged.back], state, SequenceCache(x, h, c, gates, weight_ih, weight_hh, weight_peephole, ragged)


def lstm_sequence_backward(d_output, d_state, cache):
    """Carry gradients back through time.

    Parameters
    ----------
    d_output : array (T, B, H)
        What lies past a length is not looked at.
    d_state : tuple of arrays (B, H)
        `(d_h, d_c)` of the last valid steps.
    cache : SequenceCache
        From `lstm_sequence`.

    Returns
    -------
    tuple
        `d_x` (T, B, D), exactly 0 past a length, `(d_h, d_c)` of the state before the first step, and a dict of the
        parameters' gradients.

    Examples
    --------
    >>> T, B, D, H = 5, 2, 3, 4
    >>> weights = np.zeros((4 * H, D)), np.zeros((4 * H, H)), np.zeros(4 * H), np.zeros(4 * H)
    >>> zero, one = np.zeros((B, H)), np.ones((B, H))
    >>> output, _, cache = lstm_sequence(np.ones((T, B, D)), (zero, one), *weights, lengths=[5, 2])
    >>> d_x, (d_h, d_c), gradients = lstm_sequence_backward(np.zeros_like(output), (zero, one), cache)
    >>> d_c[:, 0]  # what the product of the forget gates lets through
    array([0.03125, 0.25   ])
    """
    x, h, c, gates, weight_ih, weight_hh, weight_peephole, ragged = cache
    d_output = d_output[:, ragged.order]
    d_h, d_c = (each[ragged.order].copy() for each in d_state)  # a sequence's rows rest until its last step comes
    d_z = np.zeros_like(gates)
    for t, n in reversed(list(enumerate(ragged.running))):
        i, f, g, o = _four(gates[t, :n])
        d_i, d_f, d_g, d_o = _four(d_z[t, :n])  # views: gradients of the weighted sums
        c_prev, tanh_c = c[t, :n], tanh(c[t + 1, :n])

        d_h[:n] += d_output[t, :n]  # output[t] = h
        d_o[...] = d_h[:n] * tanh_c * sigmoid_slope(o)  # h = o * tanh(c)
        d_c[:n] += d_h[:n] * o * tanh_slope(tanh_c)
        if weight_peephole is not None:
            d_c[:n] += d_o * weight_peephole[2]  # o += weight_peephole[2] * c
        d_i[...] = d_c[:n] * g * sigmoid_slope(i)  # c = f * c_prev + i * g
        d_f[...] = d_c[:n] * c_prev * sigmoid_slope(f)
        d_g[...] = d_c[:n] * i * tanh_slope(g)
        d_c[:n] *= f
        if weight_peephole is not None:
            # i += weight_peephole[0] * c_prev
            d_c[:n] += d_i * weight_peephole[0] + d_f * weight_peephole[1]
        d_h[:n] = d_z[t, :n] @ weight_hh  # z += h_prev @ weight_hh.T

    rows = d_z.reshape(-1, d_z.shape[-1])  # (T * B, 4H): every step of every sequence
    gradients = {
        "weight_ih": rows.T @ x.reshape(-1, x.shape[-1]),  # z = x @ weight_ih.T + ...
        "weight_hh": rows.T @ h[:-1].reshape(-1, h.shape[-1]),
        "bias_ih": rows.sum(axis=0),
        "bias_hh": rows.sum(axis=0),
    }
    if weight_peephole is not None:
        d_i, d_f, _, d_o = _four(d_z)
        seen = d_i * c[:-1], d_f * c[:-1], d_o * c[1:]
        gradients["weight_peephole"] = np.stack([each.sum(axis=(0, 1)) for each in seen])
    d_x = d_z @ weight_ih
    return d_x[:, ragged.back], (d_h[ragged.back], d_c[ragged.back]), gradients


def _four(rows):
    """Return views of the four gates' columns in the order i, f, g, o."""
    return np.split(rows, 4, axis=-1)
