"""Checks of what is pooled and how, shared by both twins; what `validation` is to the rest."""

import numpy as np

from lstm_tutorial.validation import check_floating, check_lengths, check_number, check_shape, check_sizes


def check_pooled(x, lengths):
    """Refuse x unless it is a batch (B, T, D) of at least one step; return the lengths as an array, or None.

    Examples
    --------
    >>> check_pooled(np.zeros((4, 0, 10)), None)
    Traceback (most recent call last):
    ValueError: x must have at least one step, got shape (4, 0, 10)
    """
    check_shape("x", x, ("B", "T", "D"))
    check_floating("x", x)
    if x.shape[1] == 0:
        raise ValueError(f"x must have at least one step, got shape {tuple(x.shape)}")
    return None if lengths is None else check_lengths(lengths, *x.shape[:2])


def check_weights(weights, B, T, lengths=None):
    """Refuse weights of steps that are not finite, negative, or all 0, where a sequence has valid steps.

    Parameters
    ----------
    weights : array (T,) or (B, T)
    lengths : array (B,), optional
        From `check_lengths`. What lies past them is not looked at.

    Examples
    --------
    >>> check_weights(np.array([0.0, 2.0, 1.0]), B=2, T=3, lengths=np.array([3, 1]))
    Traceback (most recent call last):
    ValueError: weights must not all be 0 on the valid steps, got only zeros for sequence 1
    """
    if tuple(weights.shape) not in ((T,), (B, T)):
        raise ValueError(f"weights must have shape ({T},) or ({B}, {T}), got {tuple(weights.shape)}")
    if weights.dtype.kind not in "fiu":
        raise TypeError(f"weights must hold real numbers, got {weights.dtype}")
    weights = np.broadcast_to(weights, (B, T))
    valid = np.arange(T) < (np.full(B, T) if lengths is None else lengths)[:, None]
    for b, t in np.argwhere(valid & ~((weights >= 0) & np.isfinite(weights))):
        raise ValueError(f"weights must be finite and not negative, got {weights[b, t]} at step {t} of sequence {b}")
    for b in np.flatnonzero(~(valid & (weights > 0)).any(axis=1)):
        raise ValueError(f"weights must not all be 0 on the valid steps, got only zeros for sequence {b}")


def check_half_life(T, half_life):
    """Refuse a number of steps below 1, and a half-life that is not above 0.

    Examples
    --------
    >>> check_half_life(3, half_life=0)
    Traceback (most recent call last):
    ValueError: half_life must be above 0, got 0
    """
    check_sizes(T=T)
    check_number("half_life", half_life, 0, np.inf)
    if half_life == 0:
        raise ValueError(f"half_life must be above 0, got {half_life}")


def check_heads(input_size, heads):
    """Refuse a number of heads that does not divide the features evenly.

    Examples
    --------
    >>> check_heads(32, heads=5)
    Traceback (most recent call last):
    ValueError: heads must divide input_size = 32, got 5
    """
    check_sizes(input_size=input_size, heads=heads)
    if input_size % heads:
        raise ValueError(f"heads must divide input_size = {input_size}, got {heads}")
