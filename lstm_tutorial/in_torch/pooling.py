"""From the vectors of all steps to one, in PyTorch: the twin of `in_numpy.pooling`; autograd finds the gradients.

x (B, T, D) becomes (B, D). With `lengths` (B,) only valid steps count: padding may hold anything, NaN too, it changes
nothing, and its gradient is exactly 0.
"""

import torch

from lstm_tutorial.in_torch.padding import fill_padding, valid_steps
from lstm_tutorial.validation import (
    as_array,
    check_half_life,
    check_kinds,
    check_pooled,
    check_sizes,
    check_weights,
)


def last_pool(x, lengths=None):
    """Take the last valid step of each sequence.

    Parameters
    ----------
    x : tensor (B, T, D)
    lengths : sequence of int, shape (B,), optional
        Valid steps of each sequence; T for all if not given.

    Returns
    -------
    tensor (B, D)

    Raises
    ------
    ValueError, TypeError
        If x is no such tensor or a length does not fit.

    Notes
    -----
    Of a reverse direction the state that has read everything stands at the first step. Chapter: pooling.

    Examples
    --------
    >>> last_pool(torch.tensor([[[1.0], [2.0], [3.0]]]), lengths=[2])
    tensor([[2.]])
    """
    check_kinds(torch.Tensor, x=x)
    lengths = check_pooled(x, lengths)
    if lengths is None:
        return x[:, -1]
    last = torch.as_tensor(lengths, device=x.device) - 1
    return x[torch.arange(len(x), device=x.device), last]


def max_pool(x, lengths=None):
    """Take the largest value of each feature over the valid steps; parameters and result as in `last_pool`.

    Notes
    -----
    Steps that tie share the gradient equally: the rule of `torch.amax`, not of `torch.max`.

    Examples
    --------
    >>> max_pool(torch.tensor([[[1.0, -1.0], [0.0, -2.0], [9.0, 9.0]]]), lengths=[2])
    tensor([[ 1., -1.]])
    """
    check_kinds(torch.Tensor, x=x)
    valid = valid_steps(check_pooled(x, lengths), x.shape[1], x.device)
    return fill_padding(x, valid, -torch.inf).amax(dim=1)


def mean_pool(x, lengths=None):
    """Average each feature over the valid steps; parameters and result as in `last_pool`.

    Examples
    --------
    >>> mean_pool(torch.tensor([[[1.0], [2.0], [9.0]]]), lengths=[2])
    tensor([[1.5000]])
    """
    check_kinds(torch.Tensor, x=x)
    valid = valid_steps(check_pooled(x, lengths), x.shape[1], x.device)
    if valid is None:
        return x.mean(dim=1)
    return fill_padding(x, valid, 0).sum(dim=1) / valid.sum(dim=1, keepdim=True)


def position_weights(T):
    """Return weights (T,) that grow with the position: 1/T, 2/T, ..., 1; float64, as `decay_weights`.

    Examples
    --------
    >>> position_weights(4).tolist()
    [0.25, 0.5, 0.75, 1.0]
    """
    check_sizes(T=T)
    return torch.arange(1, T + 1, dtype=torch.float64) / T


def decay_weights(T, half_life):
    """Return weights (T,) that are 1 at the last step and half as large every `half_life` steps before it.

    Parameters
    ----------
    T : int
    half_life : float
        In time steps, above 0; infinity makes all weights equal.

    Examples
    --------
    >>> decay_weights(4, half_life=1).tolist()
    [0.125, 0.25, 0.5, 1.0]
    """
    check_half_life(T, half_life)
    return 0.5 ** (torch.arange(T - 1, -1, -1, dtype=torch.float64) / half_life)


def weighted_pool(x, weights, lengths=None):
    """Average each feature over the valid steps, each step with its own weight.

    Parameters
    ----------
    x : tensor (B, T, D)
    weights : tensor, array or list, shape (T,) or (B, T)
        Not negative, and not all 0 on the valid steps, over which they are normalised to a sum of 1. They may be
        learned: gradients flow to them.
    lengths : sequence of int, shape (B,), optional

    Returns
    -------
    tensor (B, D)

    Examples
    --------
    >>> weighted_pool(torch.tensor([[[1.0], [2.0], [9.0]]]), [1, 3, 5], lengths=[2])
    tensor([[1.7500]])
    """
    check_kinds(torch.Tensor, x=x)
    lengths = check_pooled(x, lengths)
    B, T, _ = x.shape
    weights = weights if torch.is_tensor(weights) else torch.as_tensor(as_array("weights", weights))
    check_weights(weights.detach(), B, T, lengths)
    weights = weights.to(x.device, weights.dtype if weights.is_floating_point() else torch.float64).expand(B, T)
    valid = valid_steps(lengths, T, x.device)
    weights = fill_padding(weights, valid, 0)  # (B, T)
    weights = weights / weights.detach().amax(dim=1, keepdim=True)  # to at most 1: no sum overflows
    shares = (weights / weights.sum(dim=1, keepdim=True)).to(x.dtype)
    return (shares[:, None] @ fill_padding(x, valid, 0))[:, 0]  # (B, 1, T) @ (B, T, D)
