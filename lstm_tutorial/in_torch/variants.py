"""Relatives of the LSTM, in PyTorch: the twin of `in_numpy.variants`."""

import torch
from torch import nn

from lstm_tutorial.in_torch.lstm import generator
from lstm_tutorial.in_torch.sequence import valid_steps
from lstm_tutorial.validation import check_dtype, check_lengths, check_sequence, check_sizes, check_state


def rnn_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Advance a plain recurrent network by one step: h = tanh(W [h, x] + b). Shapes as in the NumPy twin.

    Examples
    --------
    >>> one = torch.ones(1, 1)
    >>> rnn_cell(one, 0 * one, one, one, torch.zeros(1), -torch.ones(1))
    tensor([[0.]])
    """
    return torch.tanh(x @ weight_ih.T + h @ weight_hh.T + bias_ih + bias_hh)


class RNN(nn.Module):
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
        self.input_size, self.hidden_size, self.batch_first = input_size, hidden_size, batch_first
        dtype, rng, (D, H) = getattr(torch, check_dtype(dtype)), generator(rng), (input_size, hidden_size)
        shapes = {"weight_ih_l0": (H, D), "weight_hh_l0": (H, H), "bias_ih_l0": (H,), "bias_hh_l0": (H,)}
        for name, shape in shapes.items():
            value = torch.empty(shape, dtype=dtype).uniform_(-(H**-0.5), H**-0.5, generator=rng)
            self.register_parameter(name, nn.Parameter(value))

    def forward(self, x, h_0=None, *, lengths=None):
        """Run the network over x (T, B, D), or (B, T, D) with `batch_first`; return `output` and `h_n` (1, B, H)."""
        if check_sequence(x, self.input_size, batch_first=self.batch_first, has_lengths=lengths is not None):
            raise ValueError(f"x must have a batch axis, got {tuple(x.shape)}")
        x = x.transpose(0, 1) if self.batch_first else x
        T, B, _ = x.shape
        h_0 = x.new_zeros(1, B, self.hidden_size) if h_0 is None else h_0
        check_state((h_0,), ("h_0",), (1, B, self.hidden_size))
        if lengths is not None:
            valid = valid_steps(torch.as_tensor(check_lengths(lengths, B, T), device=x.device), T)
            x = torch.where(valid, x, 0)

        h, steps = h_0[0], []
        for t in range(T):
            h_new = rnn_cell(x[t], h, *self.parameters())
            h = h_new if lengths is None else torch.where(valid[t], h_new, h)
            steps.append(h if lengths is None else torch.where(valid[t], h, 0))
        output = torch.stack(steps)
        return output.transpose(0, 1) if self.batch_first else output, h[None]
