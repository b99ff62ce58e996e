"""From the vectors of all steps to one: last, max, mean and weighted pooling, each with its backward.

x (B, T, D) becomes (B, D). With `lengths` (B,) only valid steps count: padding may hold anything, NaN too, it changes
nothing, and its gradient is exactly 0.

`LastState`, `MaxPool`, `MeanPool` and `WeightedPool` are objects that are called as an `AttentionPool` is: `ManyToOne`
makes one of them of the name that it is given.
"""

import numpy as np

from lstm_tutorial.in_numpy.layers import Layer
from lstm_tutorial.in_numpy.padding import fill_padding, valid_steps
from lstm_tutorial.validation import as_array, check_half_life, check_pooled, check_shape, check_sizes, check_weights


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
    x, lengths, _ = _checked(x, lengths)
    return x[np.arange(len(x)), lengths - 1]


def last_pool_backward(d_pooled, x, lengths=None):
    """Return d_x: all of the gradient at one step, 0 elsewhere.

    Examples
    --------
    >>> last_pool_backward(np.array([[6.0]]), np.zeros((1, 3, 1)), lengths=[2])[..., 0]
    array([[0., 6., 0.]])
    """
    x, lengths, _ = _checked(x, lengths)
    d_pooled = _checked_gradient(d_pooled, x)
    d_x = np.zeros_like(x)
    d_x[np.arange(len(x)), lengths - 1] = d_pooled
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
    x, _, valid = _checked(x, lengths)
    return fill_padding(x, valid, -np.inf).max(axis=1)


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
    x, _, valid = _checked(x, lengths)
    d_pooled = _checked_gradient(d_pooled, x)
    winners = fill_padding(x == pooled[:, None], valid, False)  # (B, T, D)
    share = d_pooled / np.maximum(winners.sum(axis=1), 1)  # (B, D)
    return (winners * share[:, None]).astype(x.dtype)


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
    x, lengths, valid = _checked(x, lengths)
    return fill_padding(x, valid, 0).sum(axis=1) / lengths[:, None].astype(x.dtype)


def mean_pool_backward(d_pooled, x, lengths=None):
    """Return d_x: an equal share of the gradient at every valid step.

    Examples
    --------
    >>> mean_pool_backward(np.array([[6.0]]), np.zeros((1, 3, 1)), lengths=[2])[..., 0]
    array([[3., 3., 0.]])
    """
    x, lengths, valid = _checked(x, lengths)
    d_pooled = _checked_gradient(d_pooled, x)
    share = d_pooled / lengths[:, None].astype(x.dtype)  # (B, D)
    return fill_padding(np.ones_like(x), valid, 0) * share[:, None]


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
    x, lengths, valid = _checked(x, lengths)
    shares, *_ = _normalise(as_array("weights", weights), x, lengths, valid)
    return (shares[:, None] @ fill_padding(x, valid, 0))[:, 0]  # (B, 1, T) @ (B, T, D)


def weighted_pool_backward(d_pooled, x, weights, lengths=None):
    """Return d_x and d_weights, the shape of `weights`.

    Examples
    --------
    >>> x, weights = np.array([[[1.0], [2.0], [9.0]]]), np.array([1.0, 3.0, 5.0])
    >>> d_x, d_weights = weighted_pool_backward(np.array([[4.0]]), x, weights, lengths=[2])
    >>> d_x[..., 0], d_weights  # more weight for a step pulls the average towards it
    (array([[1., 3., 0.]]), array([-0.75,  0.25,  0.  ]))
    """
    x, lengths, valid = _checked(x, lengths)
    d_pooled = _checked_gradient(d_pooled, x)
    weights = as_array("weights", weights)
    shares, largest, total = _normalise(weights, x, lengths, valid)
    d_x = shares[..., None] * d_pooled[:, None]  # pooled = sum over t of shares * x
    d_shares = (fill_padding(x, valid, 0) @ d_pooled[..., None])[..., 0]  # (B, T)
    d_weights = (d_shares - (shares * d_shares).sum(axis=1, keepdims=True)) / total / largest
    d_weights = fill_padding(d_weights, valid, 0)
    return d_x, d_weights.sum(axis=0) if weights.ndim == 1 else d_weights


def _normalise(weights, x, lengths, valid):
    """Return the shares of the steps (B, T) in the dtype of x, and the two (B, 1) that the weights were divided by."""
    B, T = x.shape[:2]
    check_weights(weights, B, T, lengths)
    weights = fill_padding(np.broadcast_to(weights, (B, T)), valid, 0.0)
    largest = weights.max(axis=1, keepdims=True)  # first to at most 1: no sum overflows
    total = (weights / largest).sum(axis=1, keepdims=True)
    return (weights / largest / total).astype(x.dtype), largest, total


def _checked(x, lengths):
    """Check what is pooled; return x, how many steps count (B,), and which do, (B, T), or None where all do."""
    x = as_array("x", x)
    lengths = check_pooled(x, None if lengths is None else as_array("lengths", lengths))
    B, T, _ = x.shape
    return x, np.full(B, T) if lengths is None else lengths, valid_steps(lengths, T)


def _checked_gradient(d_pooled, x):
    """Return the gradient of a pool's result as an array (B, D)."""
    d_pooled = as_array("d_pooled", d_pooled)
    B, _, D = x.shape
    check_shape("d_pooled", d_pooled, (B, D))
    return d_pooled


def _stand_in(x):
    """Return an array with the shape and the dtype of x and next to no memory, for backwards that ask for no more."""
    return np.broadcast_to(np.zeros((), x.dtype), x.shape)


def _copy(lengths):
    """Return lengths that stay as they are when the caller changes theirs."""
    return None if lengths is None else np.array(lengths)


class LastState(Layer):
    """What a recurrent network knew after its last step, from its output (B, T, directions * H).

    The first direction ends in the last valid step. A second one, whose features are the second half, ends in the first
    step: there it has read the whole sequence.

    Examples
    --------
    >>> LastState(bidirectional=True)(np.array([[[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]]), [2])
    array([[ 2., 10.]])
    """

    def __init__(self, bidirectional=False):
        super().__init__()
        self.bidirectional = bidirectional

    def __call__(self, x, lengths=None, *, keep_cache=True):
        """Pool x (B, T, D) to (B, D)."""
        x = as_array("x", x)
        pooled = last_pool(x, lengths)
        if self.bidirectional:
            H = x.shape[-1] // 2
            pooled[:, H:] = x[:, 0, H:]
        self._cache = (_stand_in(x), _copy(lengths)) if keep_cache else None
        return pooled

    def backward(self, d_pooled):
        """Return d_x."""
        x, lengths = self._last_forward()
        d_x = last_pool_backward(d_pooled, x, lengths)
        self._cache = None
        if self.bidirectional:
            H = x.shape[-1] // 2
            d_x[..., H:] = 0
            d_x[:, 0, H:] = d_pooled[:, H:]
        return d_x


class MaxPool(Layer):
    """`max_pool` as an object.

    Examples
    --------
    >>> pool = MaxPool()
    >>> pool(np.array([[[1.0], [2.0], [9.0]]]), [2])
    array([[2.]])
    >>> pool.backward(np.array([[5.0]]))[..., 0]
    array([[0., 5., 0.]])
    """

    def __call__(self, x, lengths=None, *, keep_cache=True):
        """Pool x (B, T, D) to (B, D)."""
        x = as_array("x", x)
        pooled = max_pool(x, lengths)
        self._cache = (x.copy(), pooled.copy(), _copy(lengths)) if keep_cache else None
        return pooled

    def backward(self, d_pooled):
        """Return d_x."""
        x, pooled, lengths = self._last_forward()
        d_x = max_pool_backward(d_pooled, x, pooled, lengths)
        self._cache = None
        return d_x


class MeanPool(Layer):
    """`mean_pool` as an object.

    Examples
    --------
    >>> MeanPool()(np.array([[[1.0], [2.0], [9.0]]]), [2])
    array([[1.5]])
    """

    def __call__(self, x, lengths=None, *, keep_cache=True):
        """Pool x (B, T, D) to (B, D)."""
        x = as_array("x", x)
        pooled = mean_pool(x, lengths)
        self._cache = (_stand_in(x), _copy(lengths)) if keep_cache else None
        return pooled

    def backward(self, d_pooled):
        """Return d_x."""
        x, lengths = self._last_forward()
        d_x = mean_pool_backward(d_pooled, x, lengths)
        self._cache = None
        return d_x


class WeightedPool(Layer):
    """`weighted_pool` as an object: `weights` is a function that gives the weights (T,) for T steps.

    Examples
    --------
    >>> WeightedPool(position_weights)(np.array([[[0.0], [3.0], [9.0]]]), [2])
    array([[2.]])
    """

    def __init__(self, weights):
        super().__init__()
        self.weights = weights

    def __call__(self, x, lengths=None, *, keep_cache=True):
        """Pool x (B, T, D) to (B, D)."""
        x = as_array("x", x)
        check_shape("x", x, ("B", "T", "D"))
        weights = np.array(self.weights(x.shape[1]))
        pooled = weighted_pool(x, weights, lengths)
        self._cache = (_stand_in(x), weights, _copy(lengths)) if keep_cache else None
        return pooled

    def backward(self, d_pooled):
        """Return d_x."""
        x, weights, lengths = self._last_forward()
        d_x, _ = weighted_pool_backward(d_pooled, x, weights, lengths)
        self._cache = None
        return d_x
