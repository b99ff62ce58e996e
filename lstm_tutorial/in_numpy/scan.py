"""A linear recurrence h_t = a_t h_{t-1} + b_t in log2 T passes over the whole sequence. Chapter: after-lstm."""

import numpy as np

from lstm_tutorial.validation import check_shape


def linear_scan(a, b):
    """Return h_t = a_t * h_{t-1} + b_t for all steps at once; h before the first step is 0.

    Two steps in a row are again one such step: first (a, b), then (a', b') is (a' a, a' b + b'). Each pass joins every
    step with what ends `distance` steps before it, and the distance doubles.

    Parameters
    ----------
    a, b : arrays (T, ...)
        Of one shape: the factors and what is added.

    Returns
    -------
    array (T, ...)

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    Blelloch (1990); for recurrent networks Martin and Cundy (2018). Chapter: after-lstm.

    Examples
    --------
    >>> linear_scan(np.array([0.5, 0.5, 0.5, 0.5]), np.array([1.0, 0.0, 0.0, 1.0]))
    array([1.   , 0.5  , 0.25 , 1.125])
    """
    check_shape("a", a, b.shape)
    distance = 1
    while distance < len(b):
        b = np.concatenate([b[:distance], a[distance:] * b[:-distance] + b[distance:]])
        a = np.concatenate([a[:distance], a[distance:] * a[:-distance]])
        distance *= 2
    return b


def linear_scan_backward(d_h, a, h):
    """Return the gradients of `linear_scan`: the same scan, from the last step to the first.

    Parameters
    ----------
    d_h : array (T, ...)
        The gradient of the loss with respect to each h, apart from what flows through later steps.
    a, h : arrays (T, ...)
        The factors, and what `linear_scan` returned.

    Returns
    -------
    tuple of arrays (T, ...)
        d_a and d_b.

    Examples
    --------
    >>> a, b = np.array([0.5, 0.5, 0.5]), np.array([1.0, 0.0, 0.0])
    >>> linear_scan_backward(np.array([0.0, 0.0, 1.0]), a, linear_scan(a, b))
    (array([0. , 0.5, 0.5]), array([0.25, 0.5 , 1.  ]))
    """
    check_shape("a", a, h.shape)
    check_shape("d_h", d_h, h.shape)
    factor_after = np.concatenate([a[1:], np.zeros_like(a[:1])])  # h_{t+1} = a_{t+1} h_t + b_{t+1}
    d_b = linear_scan(factor_after[::-1], d_h[::-1])[::-1]  # d_b_t = a_{t+1} d_b_{t+1} + d_h_t
    h_prev = np.concatenate([np.zeros_like(h[:1]), h[:-1]])
    d_a = d_b * h_prev  # h = a * h_prev + b
    return d_a, d_b
