"""The gated recurrent unit (Cho et al. 2014): two gates, and one state that is both memory and output.

The order of the rows is that of torch: r, z, n. weight_ih (3H, D), weight_hh (3H, H), bias_ih and bias_hh (3H,).
Chapter: variants.
"""

from typing import NamedTuple

import numpy as np

from lstm_tutorial.in_numpy.activations import sigmoid, sigmoid_slope, tanh, tanh_slope
from lstm_tutorial.in_numpy.lstm import LSTM
from lstm_tutorial.in_numpy.variants import cell_sequence, cell_sequence_backward
from lstm_tutorial.validation import check_shape


class GRUCache(NamedTuple):
    """What a step's backward needs from its forward."""

    x: np.ndarray
    h_prev: np.ndarray
    r: np.ndarray
    z: np.ndarray
    n: np.ndarray
    n_from_h: np.ndarray  # W_hn h + b_hn, before the reset gate
    weight_ih: np.ndarray
    weight_hh: np.ndarray


def gru_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Advance a GRU by one step: h = (1 - z) * n + z * h_prev.

    Parameters
    ----------
    x : array (B, D) or (D,)
    h : array (B, H) or (H,)
    weight_ih, weight_hh, bias_ih, bias_hh : arrays (3H, D), (3H, H), (3H,), (3H,)
        Rows r, z, n: the reset gate, the update gate, the candidate.

    Returns
    -------
    tuple
        The new h, and the cache for `gru_cell_backward`.

    Notes
    -----
    torch's form: the reset gate multiplies W_hn h + b_hn. In Cho et al. (2014) it multiplies h before the product; in
    Chung et al. (2014) the update gate is 1 - z. Chapter: variants.

    Examples
    --------
    >>> weights = np.zeros((3, 1)), np.zeros((3, 1)), np.array([0.0, 0.0, 50.0]), np.zeros(3)  # r = z = 0.5, n = 1
    >>> h, cache = gru_cell(np.ones(1), np.zeros(1), *weights)
    >>> h
    array([0.5])
    """
    H = weight_hh.shape[-1]
    check_shape("h", h, (*x.shape[:-1], H))
    check_shape("weight_ih", weight_ih, (3 * H, x.shape[-1]))
    r_from_x, z_from_x, n_from_x = np.split(x @ weight_ih.T + bias_ih, 3, axis=-1)  # (B, H) each
    r_from_h, z_from_h, n_from_h = np.split(h @ weight_hh.T + bias_hh, 3, axis=-1)
    r = sigmoid(r_from_x + r_from_h)
    z = sigmoid(z_from_x + z_from_h)
    n = tanh(n_from_x + r * n_from_h)
    return (1 - z) * n + z * h, GRUCache(x, h, r, z, n, n_from_h, weight_ih, weight_hh)


def gru_cell_backward(d_h, cache):
    """Carry the gradient of a step's result back.

    Returns
    -------
    tuple
        `d_x`, `d_h_prev` and a dict of the gradients of `weight_ih`, `weight_hh`, `bias_ih` and `bias_hh`.

    Examples
    --------
    >>> weights = np.zeros((3, 1)), np.zeros((3, 1)), np.zeros(3), np.zeros(3)
    >>> h, cache = gru_cell(np.ones(1), np.zeros(1), *weights)
    >>> gru_cell_backward(np.ones(1), cache)[1]  # d_h times the update gate
    array([0.5])
    """
    x, h_prev, r, z, n, n_from_h, weight_ih, weight_hh = cache
    d_n = d_h * (1 - z)  # h = (1 - z) * n + z * h_prev
    d_z = d_h * (h_prev - n)
    d_n_sum = d_n * tanh_slope(n)  # n = tanh(n_from_x + r * n_from_h)
    d_r = d_n_sum * n_from_h
    d_r_sum, d_z_sum = d_r * sigmoid_slope(r), d_z * sigmoid_slope(z)
    from_x = np.concatenate([d_r_sum, d_z_sum, d_n_sum], axis=-1)
    from_h = np.concatenate([d_r_sum, d_z_sum, d_n_sum * r], axis=-1)  # the reset gate stands on this side alone
    rows_x, rows_h = np.atleast_2d(from_x), np.atleast_2d(from_h)
    gradients = {
        "weight_ih": rows_x.T @ np.atleast_2d(x),
        "weight_hh": rows_h.T @ np.atleast_2d(h_prev),
        "bias_ih": rows_x.sum(axis=0),
        "bias_hh": rows_h.sum(axis=0),
    }
    return from_x @ weight_ih, d_h * z + from_h @ weight_hh, gradients


class GRU(LSTM):
    """Gated recurrent units over sequences, with the signature and the numbers of `torch.nn.GRU`.

    Parameters
    ----------
    input_size, hidden_size, num_layers, batch_first, bidirectional, dropout, rng, dtype
        As for `LSTM`, whose `forget_bias`, `peephole` and `return_gates` belong to its own gates.

    Notes
    -----
    It runs in the frame of `LSTM`, with `gru_cell` for the cell: layers, directions, lengths and dropout are the same
    code. Parameters: `weight_ih_l0` (3H, D), `weight_hh_l0` (3H, H), `bias_ih_l0` and `bias_hh_l0` (3H,), rows r, z, n.
    Cho et al. (2014), Chung et al. (2014). Chapter: variants.

    Examples
    --------
    >>> output, h_n = GRU(10, 5, num_layers=2, bidirectional=True, rng=0)(np.ones((7, 4, 10)))
    >>> output.shape, h_n.shape
    ((7, 4, 10), (4, 4, 5))
    """

    _rows = "rzn"

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        *,
        batch_first=False,
        bidirectional=False,
        dropout=0.0,
        rng=None,
        dtype="float32",
    ):
        options = {"batch_first": batch_first, "bidirectional": bidirectional, "dropout": dropout}
        super().__init__(input_size, hidden_size, num_layers, **options, rng=rng, dtype=dtype)

    def __call__(self, x, h_0=None, *, lengths=None, keep_cache=True):
        """Run the network: as `LSTM`, with one state `h_0` (layers * directions, B, H); return `output` and `h_n`."""
        state = None if h_0 is None else (h_0, h_0)  # the frame carries two states: the second is not used
        output, (h_n, _) = super().__call__(x, state, lengths=lengths, keep_cache=keep_cache)
        return output, h_n

    def backward(self, d_output=None, d_h_n=None):
        """Carry gradients back as `LSTM` does; return `d_x` and `d_h_0`."""
        d_x, (d_h_0, _) = super().backward(d_output, None if d_h_n is None else (d_h_n, d_h_n))
        return d_x, d_h_0

    def _run_layer(self, x, state, weights, lengths, keep_cache):
        output, (h,), cache = cell_sequence(_step, x, state[:1], *weights[:4], lengths=lengths)
        return output, (h, h), cache

    def _run_layer_backward(self, d_output, d_state, cache):
        d_x, (d_h,), gradients = cell_sequence_backward(_step_backward, d_output, d_state[:1], cache)
        return d_x, (d_h, d_h), gradients


def _step(x, state, *weights):
    h, cache = gru_cell(x, state[0], *weights)
    return (h,), cache


def _step_backward(d_h, cache):
    d_x, d_h_prev, gradients = gru_cell_backward(d_h, cache)
    return d_x, (d_h_prev,), gradients
