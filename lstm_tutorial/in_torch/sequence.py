"""One LSTM layer in one direction over a whole sequence, in PyTorch: the twin of `in_numpy.sequence`.

`lstm_cell` in a loop with a mask: it keeps the state of the sequences that have ended. The input's part of all
pre-activations is one product before the loop.
"""

import torch

from lstm_tutorial.in_torch.cell import step_from_pre_activations
from lstm_tutorial.in_torch.padding import valid_steps
from lstm_tutorial.validation import check_kinds


def flip(x, lengths=None):
    """Reverse each sequence of x (T, B, ...) within its length; padding stays where it is.

    Examples
    --------
    >>> flip(torch.tensor([[1, 1], [2, 2], [3, 0]])[..., None], lengths=torch.tensor([3, 2]))[..., 0]
    tensor([[3, 2],
            [2, 1],
            [1, 0]])
    """
    if lengths is None:
        return x.flip(0)
    t = torch.arange(len(x), device=x.device)[:, None]
    return torch.take_along_dim(x, torch.where(t < lengths, lengths - 1 - t, t)[..., None], dim=0)


def lstm_sequence(x, state, weight_ih, weight_hh, bias_ih, bias_hh, weight_peephole=None, lengths=None):
    """Run one LSTM layer over a batch of sequences.

    Parameters
    ----------
    x : tensor (T, B, D)
    state : tuple of tensors (B, H)
        `(h, c)` before the first step.
    weight_ih, weight_hh, bias_ih, bias_hh : tensors (4H, D), (4H, H), (4H,), (4H,)
        Rows in the order i, f, g, o.
    weight_peephole : tensor (3, H), optional
        Rows i, f, o.
    lengths : sequence of int, shape (B,), optional
        Valid steps of each sequence. Past them the output is 0, and padding may hold anything.

    Returns
    -------
    tuple
        The hidden states (T, B, H); `(h, c)` of each sequence's last valid step, (B, H) each; and the gates' values
        i, f, g, o and the cell states, each (T, B, H), 0 past a length. (The NumPy twin returns its cache there.)

    Raises
    ------
    TypeError
        If x or the state is not a tensor. `LSTM` checks the shapes.

    Notes
    -----
    Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000). Chapter: pytorch-lstm.

    Examples
    --------
    >>> T, B, D, H = 5, 2, 3, 4
    >>> weights = torch.zeros(4 * H, D), torch.zeros(4 * H, H), torch.zeros(4 * H), torch.zeros(4 * H)
    >>> output, (h, c), gates = lstm_sequence(torch.ones(T, B, D), (torch.zeros(B, H), torch.ones(B, H)), *weights,
    ...                                       lengths=torch.tensor([5, 2]))
    >>> c[:, 0]  # every forget gate is 0.5, and the second sequence ends after two steps
    tensor([0.0312, 0.2500])
    """
    h, c = state
    check_kinds(torch.Tensor, x=x, h=h, c=c)
    if lengths is not None:
        valid = valid_steps(lengths, len(x), x.device).T[..., None]  # (T, B, 1)
        x = torch.where(valid, x, 0)  # before anything is computed: a NaN would pass through a product with zero
    from_input = x @ weight_ih.T + (bias_ih + bias_hh)  # (T, B, 4H): the input's part, all steps in one product
    steps = []
    for t, z in enumerate(from_input):
        (h_new, c_new), gates = step_from_pre_activations(z + h @ weight_hh.T, c, weight_peephole)
        step = torch.stack([h_new, *gates, c_new])
        if lengths is not None:
            step = torch.where(valid[t], step, 0)
            h_new = torch.where(valid[t], h_new, h)
            c_new = torch.where(valid[t], c_new, c)
        h, c = h_new, c_new
        steps.append(step)
    output, *gates = torch.stack(steps, dim=1)  # h, i, f, g, o and c, each (T, B, H)
    return output, (h, c), gates
