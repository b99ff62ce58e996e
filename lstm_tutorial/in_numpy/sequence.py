"""One LSTM layer in one direction over a whole sequence: forward, and backpropagation through time.

A sequence is `lstm_cell` in a loop. A mask serves batches in which some sequences end before others. Nothing here is
done for speed: `fast` computes the same numbers several times as fast. Chapter: numpy-lstm.
"""

from typing import NamedTuple

import numpy as np

from lstm_tutorial.in_numpy.cell import lstm_cell, lstm_cell_backward
from lstm_tutorial.in_numpy.padding import valid_steps
from lstm_tutorial.validation import as_array, check_lengths


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
    """What backpropagation through time needs."""

    steps: list  # a CellCache for each step
    valid: np.ndarray  # (T, B, 1), True where a sequence has a step

    def gates(self):
        """Return i, f, g, o and c of all steps, (T, B, H) each, 0 past a length."""
        return [np.where(self.valid, np.stack([getattr(step, name) for step in self.steps]), 0) for name in "ifgoc"]


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

    Examples
    --------
    >>> T, B, D, H = 5, 2, 3, 4
    >>> weights = np.zeros((4 * H, D)), np.zeros((4 * H, H)), np.zeros(4 * H), np.zeros(4 * H)
    >>> output, (h, c), cache = lstm_sequence(np.ones((T, B, D)), (np.zeros((B, H)), np.ones((B, H))), *weights,
    ...                                       lengths=[5, 2])
    >>> c[:, 0]  # every forget gate is 0.5, and the second sequence ends after two steps
    array([0.03125, 0.25   ])
    """
    x = as_array("x", x)
    T, B, _ = x.shape
    lengths = np.full(B, T) if lengths is None else check_lengths(lengths, B, T)
    valid = valid_steps(lengths, T).T[..., None]  # (T, B, 1)
    x = np.where(valid, x, 0)  # before anything is computed: a NaN would pass through a product with zero
    h, c = state
    output, steps = [], []
    for t in range(T):
        (h_new, c_new), step = lstm_cell(x[t], (h, c), weight_ih, weight_hh, bias_ih, bias_hh, weight_peephole)
        output.append(np.where(valid[t], h_new, 0))
        h = np.where(valid[t], h_new, h)  # a sequence that has ended keeps its last state
        c = np.where(valid[t], c_new, c)
        steps.append(step)
    return np.stack(output), (h, c), SequenceCache(steps, valid)


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
    >>> d_c[:, 0]  # d_c times the forget gates of the valid steps
    array([0.03125, 0.25   ])
    """
    steps, valid = cache
    d_h, d_c = d_state
    d_x, gradients = [], {}
    for t in reversed(range(len(steps))):
        d_h_new = np.where(valid[t], d_h + d_output[t], 0)  # h goes to the output and to the next step
        d_c_new = np.where(valid[t], d_c, 0)
        d_x_t, (d_h_prev, d_c_prev), found = lstm_cell_backward(d_h_new, d_c_new, steps[t])
        d_x.append(np.where(valid[t], d_x_t, 0))
        d_h = np.where(valid[t], d_h_prev, d_h)  # rests until the sequence's last step comes
        d_c = np.where(valid[t], d_c_prev, d_c)
        for name, gradient in found.items():  # every step used the same weights: their gradients add up
            gradients[name] = gradients.get(name, 0) + gradient
    return np.stack(d_x[::-1]), (d_h, d_c), gradients
