"""Padding kept out of results: which steps are valid, and a harmless value where none is."""

import torch

from lstm_tutorial.validation import as_array


def valid_steps(lengths, T, device=None):
    """Return a mask (B, T), True where a sequence has a step; None where there are no lengths: then every step counts.

    Parameters
    ----------
    lengths : sequence of int, shape (B,), or None
    T : int
    device : torch.device, optional
        Where the mask is wanted. Default: where the lengths are.

    Examples
    --------
    >>> valid_steps([1, 3], T=3)
    tensor([[ True, False, False],
            [ True,  True,  True]])
    """
    if lengths is None:
        return None
    lengths = lengths if torch.is_tensor(lengths) else as_array("lengths", lengths)
    lengths = torch.as_tensor(lengths, device=device)
    return torch.arange(T, device=lengths.device) < lengths[:, None]


def fill_padding(x, valid, value):
    """Return x (B, T, ...) with a value where `valid` (B, T) is False; x itself where `valid` is None.

    Examples
    --------
    >>> fill_padding(torch.ones(2, 3, 1), valid_steps([1, 3], T=3), 0)[..., 0]
    tensor([[1., 0., 0.],
            [1., 1., 1.]])
    """
    if valid is None:
        return x
    padding = ~valid.reshape(*valid.shape, *[1] * (x.ndim - 2))  # (B, T, 1, ...)
    return x.masked_fill(padding, value)
