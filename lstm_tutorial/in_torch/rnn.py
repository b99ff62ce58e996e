"""The plain recurrent network in PyTorch: the twin of `in_numpy.rnn`."""

import torch
from torch import nn

from lstm_tutorial.in_torch.cell import autocast_dtype
from lstm_tutorial.in_torch.lstm import Module, draw, generator, match_dtype
from lstm_tutorial.in_torch.padding import valid_steps
from lstm_tutorial.validation import check_dtype, check_kinds, check_lengths, check_sequence, check_sizes, check_state


def rnn_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Advance a plain recurrent network by one step: h = tanh(W [h, x] + b).

    Parameters
    ----------
    x : tensor (B, D)
    h : tensor (B, H)
    weight_ih, weight_hh, bias_ih, bias_hh : tensors (H, D), (H, H), (H,), (H,)

    Returns
    -------
    tensor (B, H)
        Every number of the state is computed again at every step: there is no gate to keep it. Under `torch.autocast`
        it has the lower dtype, as that of `torch.nn.RNNCell`.

    Raises
    ------
    TypeError
        If an argument is not a tensor.

    Notes
    -----
    Elman (1990). Chapter: memory.

    Examples
    --------
    >>> one = torch.ones(1, 1)
    >>> rnn_cell(one, 0 * one, one, one, torch.zeros(1), -torch.ones(1))
    tensor([[0.]])
    """
    check_kinds(torch.Tensor, x=x, h=h, weight_ih=weight_ih, weight_hh=weight_hh, bias_ih=bias_ih, bias_hh=bias_hh)
    product = x @ weight_ih.T
    h = torch.tanh(product + h @ weight_hh.T + bias_ih + bias_hh)
    return h if autocast_dtype(h) is None else h.to(product.dtype)


class RNN(Module):
    """A plain recurrent network of one layer and one direction, with the numbers of `torch.nn.RNN`.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    batch_first : bool
        Whether x and output are (B, T, ...) rather than (T, B, ...).
    rng : torch.Generator, int or None
        Draws the parameters from uniform(-1/sqrt(H), 1/sqrt(H)).
    dtype : str or dtype
        float32 or float64.

    Notes
    -----
    Parameters: `weight_ih_l0` (H, D), `weight_hh_l0` (H, H), `bias_ih_l0` and `bias_hh_l0` (H,). Chapter: memory.

    Examples
    --------
    >>> output, h_n = RNN(10, 5, rng=0)(torch.ones(7, 4, 10))
    >>> output.shape, h_n.shape
    (torch.Size([7, 4, 5]), torch.Size([1, 4, 5]))
    """

    def __init__(self, input_size, hidden_size, *, batch_first=False, rng=None, dtype="float32"):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.batch_first = batch_first
        D = input_size
        H = hidden_size
        dtype = getattr(torch, check_dtype(dtype))
        rng = generator(rng)
        shapes = {"weight_ih_l0": (H, D), "weight_hh_l0": (H, H), "bias_ih_l0": (H,), "bias_hh_l0": (H,)}
        for name, shape in shapes.items():
            parameter = nn.Parameter(torch.empty(shape, dtype=dtype))
            draw(parameter, rng, H**-0.5)
            self.register_parameter(name, parameter)

    def forward(self, x, h_0=None, *, lengths=None):
        """Run the network.

        Parameters
        ----------
        x : tensor (T, B, D), or (B, T, D) with `batch_first`
        h_0 : tensor (1, B, H), optional
            Zeros if not given.
        lengths : sequence of int, shape (B,), optional
            As for the LSTM: past its length a sequence's output is 0, and padding may hold anything.

        Returns
        -------
        tuple
            `output`, the layout of x with H in place of D, and `h_n` (1, B, H).

        Raises
        ------
        ValueError, TypeError
            If x, the state or the lengths have another shape, kind or dtype than the network reads.
        """
        check_kinds(torch.Tensor, x=x)
        if check_sequence(x, self.input_size, batch_first=self.batch_first, has_lengths=lengths is not None):
            raise ValueError(f"x must have a batch axis, got {tuple(x.shape)}")
        x = match_dtype("x", x, self.weight_ih_l0)
        x = x.transpose(0, 1) if self.batch_first else x
        T, B, _ = x.shape
        if h_0 is None:
            h_0 = x.new_zeros(1, B, self.hidden_size)
        check_state((h_0,), ("h_0",), (1, B, self.hidden_size))
        check_kinds(torch.Tensor, h_0=h_0)
        h = match_dtype("h_0", h_0, self.weight_ih_l0)[0]
        if lengths is not None:
            valid = valid_steps(check_lengths(lengths, B, T), T, x.device).T[..., None]  # (T, B, 1)
            x = torch.where(valid, x, 0)

        weights = self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0
        steps = []
        for t in range(T):
            h_new = rnn_cell(x[t], h, *weights)
            h = h_new if lengths is None else torch.where(valid[t], h_new, h)
            steps.append(h if lengths is None else torch.where(valid[t], h, 0))
        output = torch.stack(steps)
        return output.transpose(0, 1) if self.batch_first else output, h[None]
