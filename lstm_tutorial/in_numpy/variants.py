"""The LSTM with one part changed, and the loop that runs any cell over a sequence. Chapter: variants.

A cell is a pair of functions, a step and its backward, called like `lstm_cell` and `lstm_cell_backward`. Each cell here
is one step of an LSTM in which one gate is tied to another, left out, or normalised, so its weights have rows for the
other gates only, in the order i, f, g, o. Shapes as in `cell`. Peepholes are an option of `LSTM` itself.
"""

from typing import NamedTuple

import numpy as np

from lstm_tutorial.in_numpy.activations import sigmoid, sigmoid_slope, tanh, tanh_slope
from lstm_tutorial.in_numpy.cell import CellCache, _layer, update_cell_state
from lstm_tutorial.in_numpy.lstm import LSTM
from lstm_tutorial.in_numpy.padding import valid_steps
from lstm_tutorial.in_numpy.sequence import SequenceCache
from lstm_tutorial.validation import check_cell, check_choice, check_lengths


def coupled_cell(x, state, *weights):
    """Forget where something is written: i = 1 - f, rows f, g, o (Greff et al. 2015).

    Examples
    --------
    >>> weights = np.zeros((3, 1)), np.zeros((3, 1)), np.array([0.0, 50.0, 50.0]), np.zeros(3)  # f = 0.5, g = o = 1
    >>> (h, c), cache = coupled_cell(np.ones(1), (np.zeros(1), np.zeros(1)), *weights)
    >>> c  # 0.5 * 0 + (1 - 0.5) * 1
    array([0.5])
    """
    z_f, z_g, z_o = _pre_activations(x, state, weights, 3)
    f = sigmoid(z_f)
    return _finish(x, state, 1 - f, f, tanh(z_g), sigmoid(z_o), weights)


def coupled_cell_backward(d_h, d_c, cache):
    """Carry gradients back through `coupled_cell`, as `lstm_cell_backward` does."""
    d_i, d_f, d_g, d_o, d_c_prev = _unfinish(d_h, d_c, cache)
    d_f = d_f - d_i  # i = 1 - f
    d_z = d_f * sigmoid_slope(cache.f), d_g * tanh_slope(cache.g), d_o * sigmoid_slope(cache.o)
    return _to_weights(d_z, d_c_prev, cache)


def no_forget_gate_cell(x, state, *weights):
    """Keep everything: f = 1, rows i, g, o, the cell of Hochreiter and Schmidhuber (1997).

    Examples
    --------
    >>> weights = np.zeros((3, 1)), np.zeros((3, 1)), np.array([-50.0, 0.0, 0.0]), np.zeros(3)  # i = 0
    >>> (h, c), cache = no_forget_gate_cell(np.ones(1), (np.zeros(1), np.full(1, 7.0)), *weights)
    >>> c
    array([7.])
    """
    z_i, z_g, z_o = _pre_activations(x, state, weights, 3)
    return _finish(x, state, sigmoid(z_i), np.ones_like(z_i), tanh(z_g), sigmoid(z_o), weights)


def no_forget_gate_cell_backward(d_h, d_c, cache):
    """Carry gradients back through `no_forget_gate_cell`, as `lstm_cell_backward` does."""
    d_i, _, d_g, d_o, d_c_prev = _unfinish(d_h, d_c, cache)
    d_z = d_i * sigmoid_slope(cache.i), d_g * tanh_slope(cache.g), d_o * sigmoid_slope(cache.o)
    return _to_weights(d_z, d_c_prev, cache)


def no_input_gate_cell(x, state, *weights):
    """Write every candidate whole: i = 1, rows f, g, o (Greff et al. 2015).

    Examples
    --------
    >>> weights = np.zeros((3, 1)), np.zeros((3, 1)), np.array([-50.0, 50.0, 0.0]), np.zeros(3)  # f = 0, g = 1
    >>> (h, c), cache = no_input_gate_cell(np.ones(1), (np.zeros(1), np.full(1, 7.0)), *weights)
    >>> c
    array([1.])
    """
    z_f, z_g, z_o = _pre_activations(x, state, weights, 3)
    return _finish(x, state, np.ones_like(z_f), sigmoid(z_f), tanh(z_g), sigmoid(z_o), weights)


def no_input_gate_cell_backward(d_h, d_c, cache):
    """Carry gradients back through `no_input_gate_cell`, as `lstm_cell_backward` does."""
    _, d_f, d_g, d_o, d_c_prev = _unfinish(d_h, d_c, cache)
    d_z = d_f * sigmoid_slope(cache.f), d_g * tanh_slope(cache.g), d_o * sigmoid_slope(cache.o)
    return _to_weights(d_z, d_c_prev, cache)


def no_output_gate_cell(x, state, *weights):
    """Show the whole cell state: o = 1, rows i, f, g (Greff et al. 2015).

    Examples
    --------
    >>> weights = np.zeros((3, 1)), np.zeros((3, 1)), np.zeros(3), np.zeros(3)  # i = f = 0.5, g = 0
    >>> (h, c), cache = no_output_gate_cell(np.ones(1), (np.zeros(1), np.ones(1)), *weights)
    >>> bool(h[0] == np.tanh(0.5))
    True
    """
    z_i, z_f, z_g = _pre_activations(x, state, weights, 3)
    return _finish(x, state, sigmoid(z_i), sigmoid(z_f), tanh(z_g), np.ones_like(z_i), weights)


def no_output_gate_cell_backward(d_h, d_c, cache):
    """Carry gradients back through `no_output_gate_cell`, as `lstm_cell_backward` does."""
    d_i, d_f, d_g, _, d_c_prev = _unfinish(d_h, d_c, cache)
    d_z = d_i * sigmoid_slope(cache.i), d_f * sigmoid_slope(cache.f), d_g * tanh_slope(cache.g)
    return _to_weights(d_z, d_c_prev, cache)


class NormCache(NamedTuple):
    """What `layer_norm_cell_backward` needs: a `CellCache`, and what was normalised and by which spread."""

    cell: CellCache
    from_x: tuple
    from_h: tuple
    from_c: tuple
    gains: tuple


def layer_norm_cell(x, state, weight_ih, weight_hh, bias_ih, bias_hh, gain_ih, gain_hh, gain_c, bias_c):
    """Normalise both products over the units, and the cell state on its way out (Ba et al. 2016, equations 20 to 22).

    Rows i, f, g, o; `gain_ih` and `gain_hh` (4H,), `gain_c` and `bias_c` (H,). The cell state itself is carried on as
    it is. The mean is over the units of one sequence at one step, so neither batch nor length play a part.

    Examples
    --------
    >>> one, zero = np.ones(8), np.zeros(8)
    >>> weights = np.zeros((8, 1)), np.zeros((8, 2)), zero, zero, one, one, np.ones(2), np.zeros(2)
    >>> (h, c), cache = layer_norm_cell(np.ones(1), (np.zeros(2), np.array([2.0, 4.0])), *weights)
    >>> c, h.round(3)  # c = 0.5 * c_prev; h = 0.5 * tanh of -1 and 1, the normalised c
    (array([1., 2.]), array([-0.381,  0.381]))
    """
    check_cell(x, state, weight_ih, weight_hh, bias_ih, bias_hh)
    h_prev, c_prev = state
    n_x, s_x = normalise(x @ weight_ih.T)
    n_h, s_h = normalise(h_prev @ weight_hh.T)
    z_i, z_f, z_g, z_o = np.split(n_x * gain_ih + bias_ih + n_h * gain_hh + bias_hh, 4, axis=-1)
    i, f, g, o = sigmoid(z_i), sigmoid(z_f), tanh(z_g), sigmoid(z_o)
    c = update_cell_state(f, c_prev, i, g)
    n_c, s_c = normalise(c)
    tanh_c = tanh(n_c * gain_c + bias_c)
    cell = CellCache(x, h_prev, c_prev, i, f, g, o, c, tanh_c, weight_ih, weight_hh, None)
    return (o * tanh_c, c), NormCache(cell, (n_x, s_x), (n_h, s_h), (n_c, s_c), (gain_ih, gain_hh, gain_c))


def layer_norm_cell_backward(d_h, d_c, cache):
    """Carry gradients back through `layer_norm_cell`, as `lstm_cell_backward` does."""
    cell, (n_x, s_x), (n_h, s_h), (n_c, s_c), (gain_ih, gain_hh, gain_c) = cache
    d_z_c = d_h * cell.o * tanh_slope(cell.tanh_c)  # h = o * tanh(z_c)
    d_c = d_c + normalise_backward(d_z_c * gain_c, n_c, s_c)  # z_c = n_c * gain_c + bias_c
    d_i, d_f, d_g = d_c * cell.g, d_c * cell.c_prev, d_c * cell.i  # c = f * c_prev + i * g
    d_z = [d_i * sigmoid_slope(cell.i), d_f * sigmoid_slope(cell.f), d_g * tanh_slope(cell.g)]
    d_z = np.concatenate([*d_z, d_h * cell.tanh_c * sigmoid_slope(cell.o)], axis=-1)
    d_from_x = normalise_backward(d_z * gain_ih, n_x, s_x)  # z = n_x * gain_ih + bias_ih + n_h * gain_hh + bias_hh
    d_from_h = normalise_backward(d_z * gain_hh, n_h, s_h)
    rows, rows_x, rows_h = (np.atleast_2d(each) for each in (d_z, d_from_x, d_from_h))
    gradients = {
        "weight_ih": rows_x.T @ np.atleast_2d(cell.x),
        "weight_hh": rows_h.T @ np.atleast_2d(cell.h_prev),
        "bias_ih": rows.sum(axis=0),
        "bias_hh": rows.sum(axis=0),
        "gain_ih": (rows * n_x).sum(axis=0),
        "gain_hh": (rows * n_h).sum(axis=0),
        "gain_c": np.atleast_2d(d_z_c * n_c).sum(axis=0),
        "bias_c": np.atleast_2d(d_z_c).sum(axis=0),
    }
    return d_from_x @ cell.weight_ih, (d_from_h @ cell.weight_hh, d_c * cell.f), gradients


def normalise(z, eps=1e-5):
    """Return z with mean 0 and variance 1 over its last axis, and the spread that it was divided by.

    Examples
    --------
    >>> normalise(np.array([1.0, 3.0]))[0].round(3)
    array([-1.,  1.])
    """
    spread = np.sqrt(z.var(axis=-1, keepdims=True) + eps)
    return (z - z.mean(axis=-1, keepdims=True)) / spread, spread


def normalise_backward(d_n, n, spread):
    """Return the gradient of z in `n, spread = normalise(z)`: no part of d_n shifts or stretches all of z."""
    return (d_n - d_n.mean(axis=-1, keepdims=True) - n * (d_n * n).mean(axis=-1, keepdims=True)) / spread


def _pre_activations(x, state, weights, layers):
    """Check the arguments of a step, and return its pre-activations z, (B, H) each."""
    check_cell(x, state, *weights, layers=layers)
    return np.split(_layer(x, state[0], *weights), layers, axis=-1)


def _finish(x, state, i, f, g, o, weights):
    """Return the new states and the cache, once the values of the gates are known."""
    h_prev, c_prev = state
    c = update_cell_state(f, c_prev, i, g)
    tanh_c = tanh(c)
    return (o * tanh_c, c), CellCache(x, h_prev, c_prev, i, f, g, o, c, tanh_c, *weights[:2], None)


def _unfinish(d_h, d_c, cache):
    """Return the gradients of i, f, g, o and the cell state before: the lines of `lstm_cell_backward` for `_finish`."""
    d_c = d_c + d_h * cache.o * tanh_slope(cache.tanh_c)  # h = o * tanh_c
    return d_c * cache.g, d_c * cache.c_prev, d_c * cache.i, d_h * cache.tanh_c, d_c * cache.f


def _to_weights(d_z, d_c_prev, cache):
    """Return what a cell's backward returns, from the gradients of its pre-activations."""
    d_z = np.concatenate(d_z, axis=-1)  # z = x @ weight_ih.T + h @ weight_hh.T + bias
    rows = np.atleast_2d(d_z)
    gradients = {
        "weight_ih": rows.T @ np.atleast_2d(cache.x),
        "weight_hh": rows.T @ np.atleast_2d(cache.h_prev),
        "bias_ih": rows.sum(axis=0),
        "bias_hh": rows.sum(axis=0),
    }
    return d_z @ cache.weight_ih, (d_z @ cache.weight_hh, d_c_prev), gradients


def cell_sequence(cell, x, state, *weights, lengths=None):
    """Run any cell over a batch of sequences: the loop of `lstm_sequence`.

    Parameters
    ----------
    cell : callable
        `cell(x, state, *weights)` returns the new state, a tuple that begins with h, and a cache.
    x : array (T, B, D)
    state : tuple of arrays (B, H)
    *weights
        As the cell takes them.
    lengths : sequence of int, shape (B,), optional

    Returns
    -------
    tuple
        The hidden states (T, B, H), the state of each sequence's last valid step, and the cache.

    Examples
    --------
    >>> weights = np.zeros((3, 2)), np.zeros((3, 1)), np.zeros(3), np.zeros(3)
    >>> _, (h, c), _ = cell_sequence(coupled_cell, np.ones((4, 1, 2)), (np.zeros((1, 1)), np.ones((1, 1))), *weights)
    >>> c  # f = 0.5 at each of four steps
    array([[0.0625]])
    """
    state, (T, B, _) = tuple(each.copy() for each in state), x.shape  # the caller may change theirs
    lengths = np.full(B, T) if lengths is None else check_lengths(lengths, B, T)
    valid = valid_steps(lengths, T).T[..., None]  # (T, B, 1)
    x = np.where(valid, x, 0)
    output, steps = [], []
    for t in range(T):
        new, step = cell(x[t], state, *weights)
        output.append(np.where(valid[t], new[0], 0))
        state = tuple(np.where(valid[t], *pair) for pair in zip(new, state, strict=True))
        steps.append(step)
    return np.stack(output), state, SequenceCache(steps, valid)


def cell_sequence_backward(backward, d_output, d_state, cache):
    """Carry gradients back through time; `backward(*d_state, cache)` is that of the cell.

    Returns
    -------
    tuple
        `d_x`, exactly 0 past a length, the gradients of the first state, and a dict of those of the weights.
    """
    steps, valid = cache
    d_x, gradients = [], {}
    for t in reversed(range(len(steps))):
        d_new = [np.where(valid[t], each, 0) for each in d_state]
        d_new[0] = d_new[0] + np.where(valid[t], d_output[t], 0)  # h goes to the output and to the next step
        d_x_t, d_prev, found = backward(*d_new, steps[t])
        d_x.append(np.where(valid[t], d_x_t, 0))
        d_state = tuple(np.where(valid[t], *pair) for pair in zip(d_prev, d_state, strict=True))
        for name, gradient in found.items():
            gradients[name] = gradients.get(name, 0) + gradient
    return np.stack(d_x[::-1]), d_state, gradients


CELLS = {  # kind: what its rows are for, the step, its backward
    "coupled": ("fgo", coupled_cell, coupled_cell_backward),
    "no forget gate": ("igo", no_forget_gate_cell, no_forget_gate_cell_backward),
    "no input gate": ("fgo", no_input_gate_cell, no_input_gate_cell_backward),
    "no output gate": ("ifg", no_output_gate_cell, no_output_gate_cell_backward),
    "layer norm": ("ifgo", layer_norm_cell, layer_norm_cell_backward),
}
GAINS = {"gain_ih": 4, "gain_hh": 4, "gain_c": 1, "bias_c": 1}  # of layer norm: how many times H numbers


class LSTMVariant(LSTM):
    """An `LSTM` in which one part is changed.

    Parameters
    ----------
    kind : str
        "coupled": i = 1 - f; "no forget gate": f = 1, the cell of 1997; "no input gate": i = 1; "no output gate":
        o = 1; "layer norm": both products and the cell state on its way out are normalised over the units.
    forget_bias : float, optional
        As for `LSTM`; refused where there is no forget gate.
    input_size, hidden_size, num_layers, batch_first, bidirectional, dropout, rng, dtype
        As for `LSTM`.

    Notes
    -----
    Parameters are those of `LSTM` with the rows of the gates that are left, in the order i, f, g, o. Layer norm adds
    `gain_ih_l0` and `gain_hh_l0` (4H,) and `gain_c_l0` (H,), which begin at 1, and `bias_c_l0` (H,), which begins at 0.
    Sources: Hochreiter and Schmidhuber (1997), Greff et al. (2015), Ba et al. (2016). Chapter: variants.

    Examples
    --------
    >>> output, (h_n, c_n) = LSTMVariant(10, 5, kind="coupled", rng=0)(np.ones((7, 4, 10)))
    >>> output.shape, c_n.shape
    ((7, 4, 5), (1, 4, 5))
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        *,
        kind,
        batch_first=False,
        bidirectional=False,
        dropout=0.0,
        forget_bias=None,
        rng=None,
        dtype="float32",
    ):
        check_choice("kind", kind, tuple(CELLS))
        self.kind = kind
        self._rows, self._cell, self._cell_backward = CELLS[kind]
        if forget_bias is not None and "f" not in self._rows:
            raise ValueError(f"forget_bias must be None where there is no forget gate, got {forget_bias}")
        options = {"batch_first": batch_first, "bidirectional": bidirectional, "dropout": dropout}
        super().__init__(input_size, hidden_size, num_layers, **options, forget_bias=forget_bias, rng=rng, dtype=dtype)
        if kind == "layer norm":
            for layer in range(num_layers):
                for direction in range(self._directions):
                    for name, size in GAINS.items():
                        value = np.full(size * hidden_size, name != "bias_c", self.dtype)
                        self._parameters[f"{name}{self._end(layer, direction)}"] = value

    def __call__(self, x, state=None, *, lengths=None, keep_cache=True):
        """Run the network, as `LSTM` does."""
        return super().__call__(x, state, lengths=lengths, keep_cache=keep_cache)

    def _run_layer(self, x, state, weights, lengths, keep_cache):
        return cell_sequence(self._cell, x, state, *weights, lengths=lengths)

    def _run_layer_backward(self, d_output, d_state, cache):
        return cell_sequence_backward(self._cell_backward, d_output, d_state, cache)

    def _weights(self, layer, direction):
        kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", *(GAINS if self.kind == "layer norm" else ())]
        return [self._parameters[f"{each}{self._end(layer, direction)}"] for each in kinds]
