"""A linear recurrence in log2 T passes over the whole sequence, in PyTorch: the twin of `in_numpy.scan`."""

import torch

from lstm_tutorial.validation import check_kinds, check_shape


def linear_scan(a, b):
    """Return h_t = a_t * h_{t-1} + b_t for all steps at once; h before the first step is 0.

    Parameters
    ----------
    a, b : tensors (T, ...)
        Of one shape: the factors and what is added.

    Returns
    -------
    tensor (T, ...)

    Raises
    ------
    ValueError, TypeError
        If the shapes differ, or an argument is not a tensor.

    Notes
    -----
    Sources as in the NumPy twin. Chapter: after-lstm.

    Examples
    --------
    >>> linear_scan(torch.tensor([0.5, 0.5, 0.5, 0.5]), torch.tensor([1.0, 0.0, 0.0, 1.0]))
    tensor([1.0000, 0.5000, 0.2500, 1.1250])
    """
    check_kinds(torch.Tensor, a=a, b=b)
    check_shape("a", a, b.shape)
    distance = 1
    while distance < len(b):
        rest = len(b) - distance  # split instead of slices: the gradient of a slice is padded with zeros first
        (a_done, a_late), (b_done, b_late) = a.split([distance, rest]), b.split([distance, rest])
        b = torch.cat([b_done, torch.addcmul(b_late, a_late, b.split([rest, distance])[0])])
        a = torch.cat([a_done, a_late * a.split([rest, distance])[0]])
        distance *= 2
    return b
