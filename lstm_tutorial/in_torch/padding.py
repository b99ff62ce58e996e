"""Padding kept out of results: a harmless value where a step is not valid."""

import torch


def fill_padding(x, lengths, value):
    """Return x (B, T, D) with a value in its padding; x itself where no lengths are given.

    Examples
    --------
    >>> fill_padding(torch.ones(2, 3, 1), [1, 3], 0)[..., 0]
    tensor([[1., 0., 0.],
            [1., 1., 1.]])
    """
    if lengths is None:
        return x
    lengths = torch.as_tensor(lengths, device=x.device)
    padding = torch.arange(x.shape[1], device=x.device) >= lengths[:, None]  # (B, T)
    return x.masked_fill(padding[..., None], value)
