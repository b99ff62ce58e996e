"""The plain recurrent network (Elman 1990), which the LSTM is compared with."""

import numpy as np

from lstm_tutorial.in_numpy.activations import tanh, tanh_slope
from lstm_tutorial.in_numpy.layers import Layer
from lstm_tutorial.in_numpy.padding import valid_steps
from lstm_tutorial.validation import (
    as_array,
    check_dtype,
    check_lengths,
    check_sequence,
    check_shape,
    check_sizes,
    check_state,
)


def rnn_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Advance a plain recurrent network by one step: h = tanh(W [h, x] + b).

    Parameters
    ----------
    x : array (B, D)
    h : array (B, H)
    weight_ih, weight_hh, bias_ih, bias_hh : arrays (H, D), (H, H), (H,), (H,)

    Returns
    -------
    array (B, H)
        Every number of the state is written anew at every step: there is no gate to hold it.

    Examples
    --------
    >>> rnn_cell(np.ones((1, 1)), np.zeros((1, 1)), np.ones((1, 1)), np.ones((1, 1)), np.zeros(1), -np.ones(1))
    array([[0.]])
    """
    return tanh(x @ weight_ih.T + h @ weight_hh.T + bias_ih + bias_hh)


class RNN(Layer):
    """A plain recurrent network of one layer and one direction, with the numbers of `torch.nn.RNN`.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    batch_first : bool
        Whether x and output are (B, T, ...) rather than (T, B, ...).
    rng : numpy.random.Generator, int or None
        Draws the parameters from uniform(-1/sqrt(H), 1/sqrt(H)).
    dtype : str or dtype
        float32 or float64; input is cast to it.

    Notes
    -----
    Parameters: `weight_ih_l0` (H, D), `weight_hh_l0` (H, H), `bias_ih_l0` and `bias_hh_l0` (H,). Chapter: memory.

    Examples
    --------
    >>> output, h_n = RNN(10, 5, rng=0)(np.ones((7, 4, 10)))
    >>> output.shape, h_n.shape
    ((7, 4, 5), (1, 4, 5))
    """

    def __init__(self, input_size, hidden_size, *, batch_first=False, rng=None, dtype="float32"):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.batch_first = batch_first
        self.dtype = check_dtype(dtype)
        rng, D, H = np.random.default_rng(rng), input_size, hidden_size
        shapes = {"weight_ih_l0": (H, D), "weight_hh_l0": (H, H), "bias_ih_l0": (H,), "bias_hh_l0": (H,)}
        for name, shape in shapes.items():
            self._parameters[name] = rng.uniform(-(H**-0.5), H**-0.5, shape).astype(self.dtype)

    def __call__(self, x, h_0=None, *, lengths=None, keep_cache=True):
        """Run the network over x (T, B, D), or (B, T, D) with `batch_first`.

        Parameters
        ----------
        x : array (T, B, D) or (B, T, D)
        h_0 : array (1, B, H), optional
            Zeros if not given.
        lengths : sequence of int, shape (B,), optional
            As for the LSTM: past its length a sequence's output is 0, and padding may hold anything.
        keep_cache : bool
            False for inference: `backward` is then not possible.

        Returns
        -------
        tuple
            `output`, the layout of x with H in place of D, and `h_n` (1, B, H).
        """
        x = as_array("x", x)
        if check_sequence(x, self.input_size, batch_first=self.batch_first, has_lengths=lengths is not None):
            raise ValueError(f"x must have a batch axis, got {x.shape}")
        x = self._swap(x.astype(self.dtype, copy=False))
        (T, B, _), H = x.shape, self.hidden_size
        h_0 = np.zeros((1, B, H), self.dtype) if h_0 is None else as_array("h_0", h_0)
        check_state((h_0,), ("h_0",), (1, B, H))
        lengths = np.full(B, T) if lengths is None else check_lengths(as_array("lengths", lengths), B, T)
        valid = valid_steps(lengths, T).T[..., None]  # (T, B, 1)
        x = np.where(valid, x, 0)

        weight_ih, weight_hh = self._parameters["weight_ih_l0"], self._parameters["weight_hh_l0"]
        h = np.empty((T + 1, B, H), self.dtype)
        h[0] = h_0[0]
        z = x @ weight_ih.T + (self._parameters["bias_ih_l0"] + self._parameters["bias_hh_l0"])  # (T, B, H)
        for t in range(T):
            h[t + 1] = np.where(valid[t], tanh(z[t] + h[t] @ weight_hh.T), h[t])
        self._cache = (x, h, valid) if keep_cache else None
        return self._swap(np.where(valid, h[1:], 0)), h[-1:].copy()

    def backward(self, d_output=None, d_h_n=None):
        """Carry gradients back through the last forward, overwrite `gradients`, and return `d_x` and `d_h_0`.

        Parameters
        ----------
        d_output : array, the shape of `output`, optional
        d_h_n : array (1, B, H), optional
            None means zero for both.

        Raises
        ------
        RuntimeError
            Without a forward before it that kept its cache, or a second time for one forward.
        """
        x, h, valid = self._last_forward()
        T, B, D = x.shape
        H = self.hidden_size
        axes = (B, T) if self.batch_first else (T, B)
        d_output = np.zeros((*axes, H), self.dtype) if d_output is None else as_array("d_output", d_output)
        d_h_n = np.zeros((1, B, H), self.dtype) if d_h_n is None else as_array("d_h_n", d_h_n)
        check_shape("d_output", d_output, (*axes, H))
        check_shape("d_h_n", d_h_n, (1, B, H))
        self._cache = None

        weight_ih, weight_hh = self._parameters["weight_ih_l0"], self._parameters["weight_hh_l0"]
        d_output = self._swap(d_output.astype(self.dtype, copy=False))
        d_h = d_h_n[0].astype(self.dtype, copy=False)
        d_z = np.zeros_like(h[1:])
        for t in reversed(range(T)):
            d_h_new = np.where(valid[t], d_h + d_output[t], 0)  # output[t] = h
            d_z[t] = d_h_new * tanh_slope(h[t + 1])  # h = tanh(z)
            d_h = np.where(valid[t], d_z[t] @ weight_hh, d_h)  # z += h_prev @ weight_hh.T
        rows = d_z.reshape(-1, H)
        d_bias = rows.sum(axis=0)
        self._gradients = {
            "weight_ih_l0": rows.T @ x.reshape(-1, D),
            "weight_hh_l0": rows.T @ h[:-1].reshape(-1, H),
            "bias_ih_l0": d_bias,
            "bias_hh_l0": d_bias.copy(),
        }
        return self._swap(d_z @ weight_ih), d_h[None]

    def _swap(self, x):
        return x.swapaxes(0, 1) if self.batch_first else x
