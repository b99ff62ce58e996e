"""From the vectors of all steps to one: last, max, mean and weighted pooling, each with its backward.

x (B, T, D) becomes (B, D). With `lengths` (B,) only valid steps count: padding may hold anything, NaN too, it changes
nothing, and its gradient is exactly 0. Each works on a few sequences at a time, which is several times as fast.
"""

import numpy as np

from lstm_tutorial.in_numpy.padding import fill_padding, in_parts, valid_steps
from lstm_tutorial.validation import check_half_life, check_pooled, check_shape, check_sizes, check_weights

BLOCK, FEW = 50, 10  # steps in a row, at first and then: long enough for a fast maximum; FEW divides BLOCK


def last_pool(x, lengths=None):
    """Take the last valid step of each sequence.

    Parameters
    ----------
    x : array (B, T, D)
    lengths : sequence of int, shape (B,), optional
        Valid steps of each sequence; T for all if not given.

    Returns
    -------
    array (B, D)

    Notes
    -----
    All that an LSTM has read in one direction is in its last step; of a reverse direction it is in the first, so pool
    that one there, as `ManyToOne` does. Chapter: pooling.

    Examples
    --------
    >>> last_pool(np.array([[[1.0], [2.0], [3.0]]]), lengths=[2])
    array([[2.]])
    """
    x = np.asarray(x)
    lengths = check_pooled(x, lengths)
    return x[:, -1] if lengths is None else x[np.arange(len(x)), lengths - 1]


def last_pool_backward(d_pooled, x, lengths=None):
    """Return d_x: all of the gradient at one step, 0 elsewhere.

    Examples
    --------
    >>> last_pool_backward(np.array([[6.0]]), np.zeros((1, 3, 1)), lengths=[2])[..., 0]
    array([[0., 6., 0.]])
    """
    x, d_pooled, lengths = _backward_inputs(d_pooled, x, lengths)
    d_x = np.zeros_like(x)
    d_x[np.arange(len(x)), -1 if lengths is None else lengths - 1] = d_pooled
    return d_x


def max_pool(x, lengths=None):
    """Take the largest value of each feature over the valid steps; parameters and result as in `last_pool`.

    Notes
    -----
    Equal to `torch.nn.AdaptiveMaxPool1d(1)` on x with its last two axes swapped. Padding is filled with -inf first.

    Examples
    --------
    >>> max_pool(np.array([[[1.0, -1.0], [0.0, -2.0], [9.0, 9.0]]]), lengths=[2])
    array([[ 1., -1.]])
    """
    x = np.asarray(x)
    pooled = np.empty(x.shape[::2], x.dtype)
    for rows, part, valid in in_parts(x, check_pooled(x, lengths), copies=False):
        pooled[rows] = _largest(fill_padding(part, valid, -np.inf))
    return pooled


def _largest(x):
    """Return x.max(axis=1), three times as fast where there are many steps: over rows that hold several steps each."""
    B, T, D = x.shape
    if T < 2 * BLOCK or not x.flags.c_contiguous:
        return x.max(axis=1)
    whole, largest = T - T % BLOCK, np.maximum.reduce
    top = largest(x[:, :whole].reshape(B, whole // BLOCK, BLOCK * D), axis=1)
    top = largest(top.reshape(B, BLOCK // FEW, FEW * D), axis=1).reshape(B, FEW, D)
    top = largest(np.ascontiguousarray(top.swapaxes(0, 1)), axis=0)  # steps first: rows of B * D
    return top if whole == T else np.maximum(top, x[:, whole:].max(axis=1))


def max_pool_backward(d_pooled, x, pooled, lengths=None):
    """Return d_x, given what `max_pool` made of x: the winning steps share the gradient equally, the others get 0.

    Notes
    -----
    Where steps tie, any division among them is a subgradient. Equal shares are the rule of `torch.amax` too, while
    `torch.max` and `torch.nn.AdaptiveMaxPool1d` give all to one of them.

    Examples
    --------
    >>> x = np.array([[[5.0], [7.0], [7.0], [9.0]]])
    >>> max_pool_backward(np.array([[6.0]]), x, max_pool(x, lengths=[3]), lengths=[3])[..., 0]
    array([[0., 3., 3., 0.]])
    """
    x, d_pooled, lengths = _backward_inputs(d_pooled, x, lengths)
    winners = (x == pooled[:, None]) * valid_steps(lengths, x)  # (B, T, D)
    return winners * (d_pooled / np.maximum(winners.sum(axis=1), 1))[:, None]


def mean_pool(x, lengths=None):
    """Average each feature over the valid steps; parameters and result as in `last_pool`.

    Notes
    -----
    Equal to `torch.nn.AdaptiveAvgPool1d(1)` on x with its last two axes swapped, where there is no padding.

    Examples
    --------
    >>> mean_pool(np.array([[[1.0], [2.0], [9.0]]]), lengths=[2])
    array([[1.5]])
    """
    x = np.asarray(x)
    lengths = check_pooled(x, lengths)
    B, T, D = x.shape
    pooled, ones = np.empty((B, D), x.dtype), np.ones((1, T), x.dtype)
    for rows, part, valid in in_parts(x, lengths, copies=False):
        pooled[rows] = (ones @ fill_padding(part, valid, 0))[:, 0]  # a product with ones is the fastest sum
    return pooled / (T if lengths is None else lengths[:, None].astype(x.dtype))


def mean_pool_backward(d_pooled, x, lengths=None):
    """Return d_x: an equal share of the gradient at every valid step.

    Examples
    --------
    >>> mean_pool_backward(np.array([[6.0]]), np.zeros((1, 3, 1)), lengths=[2])[..., 0]
    array([[3., 3., 0.]])
    """
    x, d_pooled, lengths = _backward_inputs(d_pooled, x, lengths)
    valid = valid_steps(lengths, x)
    return valid / valid.sum(axis=1, keepdims=True) * d_pooled[:, None]


def position_weights(T):
    """Return weights (T,) that grow with the position: 1/T, 2/T, ..., 1.

    Examples
    --------
    >>> position_weights(4)
    array([0.25, 0.5 , 0.75, 1.  ])
    """
    check_sizes(T=T)
    return np.arange(1, T + 1) / T


def decay_weights(T, half_life):
    """Return weights (T,) that are 1 at the last step and half as large every `half_life` steps before it.

    Parameters
    ----------
    T : int
    half_life : float
        In time steps, above 0; infinity makes all weights equal.

    Notes
    -----
    Only ratios count, so a sequence that ends earlier is weighed from its own last step. Over 1,000 half-lives before
    the end a float holds 0; `weighted_pool` refuses a sequence that ends there.

    Examples
    --------
    >>> decay_weights(4, half_life=1)
    array([0.125, 0.25 , 0.5  , 1.   ])
    """
    check_half_life(T, half_life)
    return 0.5 ** (np.arange(T - 1, -1, -1) / half_life)


def weighted_pool(x, weights, lengths=None):
    """Average each feature over the valid steps, each step with its own weight.

    Parameters
    ----------
    x : array (B, T, D)
    weights : array (T,) or (B, T)
        Not negative, and not all 0 on the valid steps, over which they are normalised to a sum of 1. `position_weights`
        and `decay_weights` make some; any function of yours may.
    lengths : sequence of int, shape (B,), optional

    Returns
    -------
    array (B, D)

    Examples
    --------
    >>> weighted_pool(np.array([[[1.0], [2.0], [9.0]]]), [1, 3, 5], lengths=[2])
    array([[1.75]])
    """
    x = np.asarray(x)
    lengths = check_pooled(x, lengths)
    shares, *_ = _normalise(np.asarray(weights), x, lengths)
    pooled = np.empty(x.shape[::2], x.dtype)
    for rows, part, valid in in_parts(x, lengths, copies=False):
        pooled[rows] = (shares[rows, None] @ fill_padding(part, valid, 0))[:, 0]  # (b, 1, T) @ (b, T, D)
    return pooled


def weighted_pool_backward(d_pooled, x, weights, lengths=None):
    """Return d_x and d_weights, the shape of `weights`.

    Examples
    --------
    >>> x, weights = np.array([[[1.0], [2.0], [9.0]]]), np.array([1.0, 3.0, 5.0])
    >>> d_x, d_weights = weighted_pool_backward(np.array([[4.0]]), x, weights, lengths=[2])
    >>> d_x[..., 0], d_weights  # more weight for a step pulls the average towards it
    (array([[1., 3., 0.]]), array([-0.75,  0.25,  0.  ]))
    """
    x, d_pooled, lengths = _backward_inputs(d_pooled, x, lengths)
    weights = np.asarray(weights)
    shares, largest, total = _normalise(weights, x, lengths)
    d_x = shares[..., None] * d_pooled[:, None]  # pooled = sum over t of shares * x
    d_shares = np.where(valid_steps(lengths, x), x, 0) @ d_pooled[..., None]
    d_shares = d_shares[..., 0]  # (B, T)
    d_weights = (d_shares - (shares * d_shares).sum(axis=1, keepdims=True)) / total / largest
    d_weights *= valid_steps(lengths, x)[..., 0]
    return d_x, d_weights.sum(axis=0) if weights.ndim == 1 else d_weights


def _normalise(weights, x, lengths):
    """Return the shares of the steps (B, T) in the dtype of x, and the two (B, 1) that the weights were divided by."""
    B, T = x.shape[:2]
    check_weights(weights, B, T, lengths)
    weights = np.where(valid_steps(lengths, x)[..., 0], weights, 0.0)  # (B, T)
    largest = weights.max(axis=1, keepdims=True)  # first to at most 1: no sum overflows
    total = (weights / largest).sum(axis=1, keepdims=True)
    return (weights / largest / total).astype(x.dtype), largest, total


def _backward_inputs(d_pooled, x, lengths):
    """Check what a backward is given, and return x and d_pooled as arrays, and the lengths."""
    x, d_pooled = np.asarray(x), np.asarray(d_pooled)
    lengths = check_pooled(x, lengths)
    check_shape("d_pooled", d_pooled, x.shape[::2])
    return x, d_pooled, lengths
