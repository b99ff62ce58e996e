"""Padding kept out of results: which steps are valid, and a harmless value where none is."""

import numpy as np

from lstm_tutorial.validation import check_lengths

PART = 2**16  # floats in work at a time: they stay in the cache


def valid_steps(lengths, x):
    """Return 1 for the valid steps of x (B, T, ...) and 0 for padding, as (B, T, 1) of its dtype.

    Examples
    --------
    >>> valid_steps([1, 3], np.zeros((2, 3, 4)))[..., 0]
    array([[1., 0., 0.],
           [1., 1., 1.]])
    """
    B, T = x.shape[:2]
    lengths = np.full(B, T) if lengths is None else check_lengths(lengths, B, T)
    return (np.arange(T) < lengths[:, None])[..., None].astype(x.dtype)


def in_parts(x, lengths, *, copies=True):
    """Yield some sequences of x (B, T, D) at a time: their rows, they, and what is valid in them (b, T, 1) or None.

    Where nothing as large as x is made of it, neither a copy with other padding nor `copies` of another kind, parts
    gain nothing and all sequences come at once.

    Examples
    --------
    >>> [(rows, part.shape) for rows, part, _ in in_parts(np.zeros((3, 1000, 40)), None)]
    [(slice(0, 1, None), (1, 1000, 40)), (slice(1, 2, None), (1, 1000, 40)), (slice(2, 3, None), (1, 1000, 40))]
    """
    B, T, D = x.shape
    valid = None if lengths is None else (np.arange(T) < lengths[:, None])[..., None]
    at_once = max(1, PART // max(1, T * D) if copies or lengths is not None else B)
    for b in range(0, B, at_once):
        rows = slice(b, b + at_once)
        yield rows, x[rows], None if valid is None else valid[rows]


def fill_padding(x, valid, value):
    """Return x (b, T, D) with a value where it is not valid; x itself where nothing says what is.

    Examples
    --------
    >>> fill_padding(np.ones((1, 3, 1)), np.array([[[True], [False], [False]]]), -np.inf)[..., 0]
    array([[  1., -inf, -inf]])
    """
    return x if valid is None else np.where(valid, x, np.asarray(value, x.dtype))
