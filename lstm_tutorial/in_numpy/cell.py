"""One step of an LSTM: three gates and a candidate, two states, and the backward pass. Chapter: gates.

Shapes: x (B, D), h and c (B, H). The weights of the gates and the candidate are stacked in torch's order i, f, g, o:
weight_ih (4H, D), weight_hh (4H, H), bias_ih and bias_hh (4H,). Without a batch axis everything works as well.
"""

from typing import NamedTuple

import numpy as np

from lstm_tutorial.in_numpy.activations import sigmoid, sigmoid_slope, tanh, tanh_slope
from lstm_tutorial.validation import as_array, check_cell, check_shape


def _layer(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Return the pre-activations of a layer: z = W_i x + W_h h + b, where b is the sum of two biases."""
    return x @ weight_ih.T + h @ weight_hh.T + bias_ih + bias_hh


def forget_gate(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Say how much of each cell state to keep: f = sigmoid(W_if x + W_hf h + b_f).

    Parameters
    ----------
    x : array (B, D)
        The input of this step.
    h : array (B, H)
        The hidden state of the step before.
    weight_ih, weight_hh, bias_ih, bias_hh : arrays (H, D), (H, H), (H,), (H,)
        This layer's rows only.

    Returns
    -------
    array (B, H)
        Between 0, forget all, and 1, keep all.

    Notes
    -----
    Gers, Schmidhuber and Cummins (2000) added this gate. Chapter: gates.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> forget_gate(0 * one, 0 * one, one, one, np.array([2.0]), np.zeros(1)).round(2)
    array([[0.88]])
    """
    return sigmoid(_layer(x, h, weight_ih, weight_hh, bias_ih, bias_hh))


def input_gate(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Say how much of each candidate to write: i = sigmoid(W_ii x + W_hi h + b_i).

    Shapes as in `forget_gate`.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> input_gate(one, 0 * one, one, one, np.array([-1.0]), np.array([0.0]))
    array([[0.5]])
    """
    return sigmoid(_layer(x, h, weight_ih, weight_hh, bias_ih, bias_hh))


def candidate(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Propose what to write: g = tanh(W_ig x + W_hg h + b_g), between -1 and 1.

    Shapes as in `forget_gate`.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> candidate(one, 0 * one, one, one, np.array([-1.0]), np.array([0.0]))
    array([[0.]])
    """
    return tanh(_layer(x, h, weight_ih, weight_hh, bias_ih, bias_hh))


def output_gate(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Say how much of each cell state to show: o = sigmoid(W_io x + W_ho h + b_o).

    Shapes as in `forget_gate`.

    Examples
    --------
    >>> one = np.ones((1, 1))
    >>> output_gate(one, one, one, one, np.array([-2.0]), np.array([0.0]))
    array([[0.5]])
    """
    return sigmoid(_layer(x, h, weight_ih, weight_hh, bias_ih, bias_hh))


def update_cell_state(f, c_prev, i, g):
    """Keep some of the old, write some of the new: c = f * c_prev + i * g.

    All have shape (B, H).

    Examples
    --------
    >>> update_cell_state(f=0.5, c_prev=np.array([2.0]), i=1.0, g=np.array([-0.5]))
    array([0.5])
    """
    return f * c_prev + i * g


def update_hidden_state(o, c):
    """Show some of the cell state: h = o * tanh(c), both of shape (B, H).

    Examples
    --------
    >>> update_hidden_state(o=np.array([1.0]), c=np.array([0.0]))
    array([0.])
    """
    return o * tanh(c)


class CellCache(NamedTuple):
    """What a step's backward needs from its forward; nothing is computed twice."""

    x: np.ndarray
    h_prev: np.ndarray
    c_prev: np.ndarray
    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c: np.ndarray
    tanh_c: np.ndarray
    weight_ih: np.ndarray
    weight_hh: np.ndarray
    weight_peephole: np.ndarray | None


def lstm_cell(x, state, weight_ih, weight_hh, bias_ih, bias_hh, weight_peephole=None):
    """Advance an LSTM by one step.

    Parameters
    ----------
    x : array (B, D) or (D,)
        The input of this step.
    state : tuple of arrays (B, H) or (H,)
        `(h, c)`, the hidden and the cell state of the step before.
    weight_ih, weight_hh, bias_ih, bias_hh : arrays (4H, D), (4H, H), (4H,), (4H,)
        The rows of the gates and the candidate in the order i, f, g, o.
    weight_peephole : array (3, H), optional
        Rows i, f, o: the first two gates also see c of the step before, the output gate the new c.

    Returns
    -------
    tuple
        `(h, c)`, the new states, and the cache for `lstm_cell_backward`.

    Raises
    ------
    ValueError, TypeError
        If a shape does not fit or `x` holds no floating-point numbers.

    Notes
    -----
    Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000); peepholes: Gers and Schmidhuber
    (2000). Chapter: cell-state.

    Examples
    --------
    >>> D, H = 2, 3
    >>> (h, c), cache = lstm_cell(np.ones(D), (np.zeros(H), np.ones(H)), np.zeros((4 * H, D)), np.zeros((4 * H, H)),
    ...                           np.zeros(4 * H), np.zeros(4 * H))
    >>> c
    array([0.5, 0.5, 0.5])
    """
    x = as_array("x", x)
    check_cell(x, state, weight_ih, weight_hh, bias_ih, bias_hh, weight_peephole)
    h_prev = as_array("h", state[0])
    c_prev = as_array("c", state[1])
    z_i, z_f, z_g, z_o = np.split(_layer(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh), 4, axis=-1)  # (B, H) each
    if weight_peephole is not None:
        p_i, p_f, p_o = weight_peephole
        z_i = z_i + p_i * c_prev
        z_f = z_f + p_f * c_prev
    i = sigmoid(z_i)
    f = sigmoid(z_f)
    g = tanh(z_g)
    c = update_cell_state(f, c_prev, i, g)
    if weight_peephole is not None:
        z_o = z_o + p_o * c
    o = sigmoid(z_o)
    tanh_c = tanh(c)
    h = o * tanh_c
    x, h_prev, c_prev, kept_c = x.copy(), h_prev.copy(), c_prev.copy(), c.copy()  # the caller may change theirs
    return (h, c), CellCache(x, h_prev, c_prev, i, f, g, o, kept_c, tanh_c, weight_ih, weight_hh, weight_peephole)


def lstm_cell_backward(d_h, d_c, cache):
    """Carry the gradients of a step's results back to all that went into it.

    Parameters
    ----------
    d_h, d_c : arrays (B, H) or (H,)
        Gradients of the new hidden and cell state.
    cache : CellCache
        From `lstm_cell`.

    Returns
    -------
    tuple
        `d_x`, `(d_h_prev, d_c_prev)` and a dict of the gradients of `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` and,
        where there are peepholes, `weight_peephole`. Each has the shape of what it belongs to.

    Examples
    --------
    >>> D, H = 2, 3
    >>> (h, c), cache = lstm_cell(np.ones(D), (np.zeros(H), np.ones(H)), np.zeros((4 * H, D)), np.zeros((4 * H, H)),
    ...                           np.zeros(4 * H), np.zeros(4 * H))
    >>> d_x, (d_h_prev, d_c_prev), gradients = lstm_cell_backward(np.zeros(H), np.ones(H), cache)
    >>> d_c_prev  # with d_h = 0 what comes back is d_c times the forget gate
    array([0.5, 0.5, 0.5])
    """
    x, h_prev, c_prev, i, f, g, o, c, tanh_c, weight_ih, weight_hh, weight_peephole = cache
    check_shape("d_h", d_h, c.shape)
    check_shape("d_c", d_c, c.shape)

    d_o = d_h * tanh_c  # h = o * tanh_c
    d_z_o = d_o * sigmoid_slope(o)  # o = sigmoid(z_o)
    d_c = d_c + d_h * o * tanh_slope(tanh_c)  # c reaches the loss through h too
    if weight_peephole is not None:
        p_i, p_f, p_o = weight_peephole
        d_c = d_c + d_z_o * p_o  # z_o = z_o + p_o * c

    d_f = d_c * c_prev  # c = f * c_prev + i * g
    d_i = d_c * g
    d_g = d_c * i
    d_c_prev = d_c * f
    d_z_i = d_i * sigmoid_slope(i)  # i = sigmoid(z_i), f = sigmoid(z_f), g = tanh(z_g)
    d_z_f = d_f * sigmoid_slope(f)
    d_z_g = d_g * tanh_slope(g)
    if weight_peephole is not None:
        d_c_prev = d_c_prev + d_z_i * p_i + d_z_f * p_f  # z_i = z_i + p_i * c_prev

    d_z = np.concatenate([d_z_i, d_z_f, d_z_g, d_z_o], axis=-1)  # (B, 4H)
    d_x = d_z @ weight_ih  # z = x @ weight_ih.T + h @ weight_hh.T + bias
    d_h_prev = d_z @ weight_hh
    rows = np.atleast_2d(d_z)
    gradients = {
        "weight_ih": rows.T @ np.atleast_2d(x),
        "weight_hh": rows.T @ np.atleast_2d(h_prev),
        "bias_ih": rows.sum(axis=0),
        "bias_hh": rows.sum(axis=0),
    }
    if weight_peephole is not None:
        seen = np.atleast_2d(d_z_i * c_prev), np.atleast_2d(d_z_f * c_prev), np.atleast_2d(d_z_o * c)
        gradients["weight_peephole"] = np.stack([each.sum(axis=0) for each in seen])
    return d_x, (d_h_prev, d_c_prev), gradients
