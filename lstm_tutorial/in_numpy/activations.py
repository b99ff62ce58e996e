"""The functions that bend: sigmoid, tanh and softmax, each with its slope."""

import numpy as np

tanh = np.tanh


def sigmoid(z):
    """Squash every number into the interval from 0 to 1, without overflow at any input.

    Parameters
    ----------
    z : array of floats, any shape

    Returns
    -------
    array, the shape of `z`
        1 / (1 + exp(-z)), exact to rounding also where it is tiny.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    # exp only ever sees numbers <= 0, so it cannot overflow
    return np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))


def sigmoid_slope(s):
    """Return the slope of the sigmoid where its value is `s`: at most 1/4, and 0 when the gate is shut or wide open.

    Examples
    --------
    >>> sigmoid_slope(np.array([0.0, 0.5, 1.0]))
    array([0.  , 0.25, 0.  ])
    """
    return s * (1 - s)


def tanh_slope(t):
    """Return the slope of tanh where its value is `t`: 1 at rest, 0 when saturated.

    Examples
    --------
    >>> tanh_slope(np.array([0.0, 0.5, 1.0]))
    array([1.  , 0.75, 0.  ])
    """
    return 1 - t * t


def softmax(z, axis=-1):
    """Turn scores into probabilities that sum to one along `axis`.

    Parameters
    ----------
    z : array of floats, any shape
        Scores, for instance (B, K).
    axis : int
        The axis of the classes.

    Returns
    -------
    array, the shape of `z`

    Examples
    --------
    >>> softmax(np.array([0.0, 0.0, 1000.0]))
    array([0., 0., 1.])
    """
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))  # the largest becomes 0: no overflow, the same ratios
    return e / np.sum(e, axis=axis, keepdims=True)


def softmax_backward(d_p, p, axis=-1):
    """Return the gradient of the scores, given that of the probabilities `p` which softmax made of them.

    Examples
    --------
    >>> softmax_backward(np.array([1.0, 1.0]), np.array([0.25, 0.75]))
    array([0., 0.])
    """
    return p * (d_p - np.sum(p * d_p, axis=axis, keepdims=True))
