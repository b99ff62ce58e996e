"""Padding kept out of results: which steps are valid, and a harmless value where none is."""

import numpy as np


def valid_steps(lengths, T):
    """Return a mask (B, T), True where a sequence has a step; None where no lengths are given: then every step counts.

    Examples
    --------
    >>> valid_steps([1, 3], T=3)
    array([[ True, False, False],
           [ True,  True,  True]])
    """
    return None if lengths is None else np.arange(T) < np.asarray(lengths)[:, None]


def fill_padding(x, valid, value):
    """Return x (B, T, ...) with a value where it is not valid (B, T); x itself where nothing says what is.

    Examples
    --------
    >>> fill_padding(np.ones((2, 3, 1)), valid_steps([1, 3], T=3), 0)[..., 0]
    array([[1., 0., 0.],
           [1., 1., 1.]])
    """
    if valid is None:
        return x
    return np.where(valid.reshape(valid.shape + (1,) * (x.ndim - 2)), x, value)
