"""One step of an LSTM in PyTorch: the twin of `in_numpy.cell`, without a backward pass, which autograd finds.

Shapes: x (B, D), h and c (B, H). The weights of the gates and the candidate are stacked in torch's order i, f, g, o:
weight_ih (4H, D), weight_hh (4H, H), bias_ih and bias_hh (4H,). Without a batch axis everything works as well.
"""

import torch

from lstm_tutorial.validation import check_cell, check_kinds


def _layer(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Return the pre-activations of a layer: z = W_i x + W_h h + b, where b is the sum of two biases."""
    check_kinds(torch.Tensor, x=x, h=h, weight_ih=weight_ih, weight_hh=weight_hh, bias_ih=bias_ih, bias_hh=bias_hh)
    return x @ weight_ih.T + h @ weight_hh.T + bias_ih + bias_hh


def forget_gate(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Say how much of each cell state to keep: f = sigmoid(W_if x + W_hf h + b_f).

    Parameters
    ----------
    x : tensor (B, D)
        The input of this step.
    h : tensor (B, H)
        The hidden state of the step before.
    weight_ih, weight_hh, bias_ih, bias_hh : tensors (H, D), (H, H), (H,), (H,)
        This layer's rows only.

    Returns
    -------
    tensor (B, H)
        Between 0, forget all, and 1, keep all.

    Raises
    ------
    TypeError
        If an argument is not a tensor.

    Notes
    -----
    Gers, Schmidhuber and Cummins (2000) added this gate. Chapter: gates.

    Examples
    --------
    >>> one = torch.ones(1, 1)
    >>> forget_gate(0 * one, 0 * one, one, one, torch.tensor([2.0]), torch.tensor([0.0])).round(decimals=2)
    tensor([[0.8800]])
    """
    return torch.sigmoid(_layer(x, h, weight_ih, weight_hh, bias_ih, bias_hh))


def input_gate(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Say how much of each candidate to write: i = sigmoid(W_ii x + W_hi h + b_i). Shapes as in `forget_gate`.

    Examples
    --------
    >>> one = torch.ones(1, 1)
    >>> input_gate(one, 0 * one, one, one, torch.tensor([-1.0]), torch.tensor([0.0]))
    tensor([[0.5000]])
    """
    return torch.sigmoid(_layer(x, h, weight_ih, weight_hh, bias_ih, bias_hh))


def candidate(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Propose what to write: g = tanh(W_ig x + W_hg h + b_g), between -1 and 1. Shapes as in `forget_gate`.

    Examples
    --------
    >>> one = torch.ones(1, 1)
    >>> candidate(one, 0 * one, one, one, torch.tensor([-1.0]), torch.tensor([0.0]))
    tensor([[0.]])
    """
    return torch.tanh(_layer(x, h, weight_ih, weight_hh, bias_ih, bias_hh))


def output_gate(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Say how much of each cell state to show: o = sigmoid(W_io x + W_ho h + b_o). Shapes as in `forget_gate`.

    Examples
    --------
    >>> one = torch.ones(1, 1)
    >>> output_gate(one, one, one, one, torch.tensor([-2.0]), torch.tensor([0.0]))
    tensor([[0.5000]])
    """
    return torch.sigmoid(_layer(x, h, weight_ih, weight_hh, bias_ih, bias_hh))


def update_cell_state(f, c_prev, i, g):
    """Keep some of the old, write some of the new: c = f * c_prev + i * g, all of shape (B, H).

    Examples
    --------
    >>> update_cell_state(f=torch.tensor([0.5]), c_prev=torch.tensor([2.0]), i=torch.tensor([1.0]),
    ...                   g=torch.tensor([-0.5]))
    tensor([0.5000])
    """
    return f * c_prev + i * g


def update_hidden_state(o, c):
    """Show some of the cell state: h = o * tanh(c), both of shape (B, H).

    Examples
    --------
    >>> update_hidden_state(o=torch.tensor([1.0]), c=torch.tensor([0.0]))
    tensor([0.])
    """
    return o * torch.tanh(c)


def lstm_cell(x, state, weight_ih, weight_hh, bias_ih, bias_hh, weight_peephole=None):
    """Advance an LSTM by one step.

    Parameters
    ----------
    x : tensor (B, D) or (D,)
        The input of this step.
    state : tuple of tensors (B, H) or (H,)
        `(h, c)`, the hidden and the cell state of the step before.
    weight_ih, weight_hh, bias_ih, bias_hh : tensors (4H, D), (4H, H), (4H,), (4H,)
        The rows of the gates and the candidate in the order i, f, g, o.
    weight_peephole : tensor (3, H), optional
        Rows i, f, o: the first two gates also see c of the step before, the output gate the new c.

    Returns
    -------
    tuple of tensors (B, H)
        `(h, c)`, the new states.

    Raises
    ------
    ValueError, TypeError
        If a shape does not fit, an argument is not a tensor or `x` holds no floating-point numbers.

    Notes
    -----
    Sources as in the NumPy twin. `torch.nn.LSTMCell` is the same without peepholes. Like that one it gives new states
    of the old ones' dtype under `torch.autocast`. Chapter: pytorch-lstm.

    Examples
    --------
    >>> D, H = 2, 3
    >>> h, c = lstm_cell(torch.ones(D), (torch.zeros(H), torch.ones(H)), torch.zeros(4 * H, D),
    ...                  torch.zeros(4 * H, H), torch.zeros(4 * H), torch.zeros(4 * H))
    >>> c
    tensor([0.5000, 0.5000, 0.5000])
    """
    check_kinds(torch.Tensor, x=x, weight_ih=weight_ih, weight_hh=weight_hh, bias_ih=bias_ih, bias_hh=bias_hh)
    check_cell(x, state, weight_ih, weight_hh, bias_ih, bias_hh, weight_peephole)
    h_prev, c_prev = state
    check_kinds(torch.Tensor, h=h_prev, c=c_prev)
    z = _layer(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh)  # (B, 4H)
    (h, c), _ = step_from_pre_activations(z, c_prev, weight_peephole)
    return h.to(h_prev.dtype), c.to(c_prev.dtype)


def step_from_pre_activations(z, c_prev, weight_peephole=None):
    """Finish a step whose pre-activations z (B, 4H) are known; return `(h, c)` and the gates' values `(i, f, g, o)`.

    Examples
    --------
    >>> (h, c), (i, f, g, o) = step_from_pre_activations(torch.zeros(2, 12), torch.ones(2, 3))
    >>> f[0], c[0]
    (tensor([0.5000, 0.5000, 0.5000]), tensor([0.5000, 0.5000, 0.5000]))
    """
    z_i, z_f, z_g, z_o = z.chunk(4, dim=-1)  # (B, H) each
    if weight_peephole is not None:
        p_i, p_f, p_o = weight_peephole
        z_i = z_i + p_i * c_prev
        z_f = z_f + p_f * c_prev
    i = torch.sigmoid(z_i)
    f = torch.sigmoid(z_f)
    g = torch.tanh(z_g)
    c = update_cell_state(f, c_prev, i, g)
    if weight_peephole is not None:
        z_o = z_o + p_o * c
    o = torch.sigmoid(z_o)
    return (update_hidden_state(o, c), c), (i, f, g, o)


def autocast_dtype(value):
    """Return the dtype in which `torch.autocast` multiplies on the device of a tensor; None outside of it.

    Examples
    --------
    >>> with torch.autocast("cpu", torch.bfloat16):
    ...     autocast_dtype(torch.zeros(2))
    torch.bfloat16
    """
    device = value.device.type
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return torch.get_autocast_dtype(device)
    return None
