"""Pooling that learns where to look: a score for each step, a softmax over the valid ones, a weighted sum."""

from typing import NamedTuple

import numpy as np

from lstm_tutorial.in_numpy.activations import softmax, softmax_backward, tanh, tanh_slope
from lstm_tutorial.in_numpy.layers import Layer
from lstm_tutorial.in_numpy.padding import fill_padding, valid_steps
from lstm_tutorial.validation import (
    as_array,
    check_choice,
    check_dtype,
    check_floating,
    check_heads,
    check_pooled,
    check_shape,
)


def attention_weights(scores, lengths=None):
    """Turn the scores of steps into weights that sum to one over the valid steps and are exactly 0 on padding.

    Parameters
    ----------
    scores : array (B, T) or (B, T, heads)
        Any size, infinity too; where all valid ones are equal, the weights are.
    lengths : sequence of int, shape (B,), optional

    Returns
    -------
    array, the shape of `scores`

    Examples
    --------
    >>> attention_weights(np.array([[5.0, 5.0, 9.0], [1.0, -np.inf, 2000.0]]), lengths=[2, 3])
    array([[0.5, 0.5, 0. ],
           [0. , 0. , 1. ]])
    """
    scores = as_array("scores", scores)
    check_shape("scores", scores, ("B", "T", "heads")[: max(2, scores.ndim)])
    check_floating("scores", scores)
    each = scores if scores.ndim == 3 else scores[..., None]  # (B, T, heads)
    lengths = check_pooled(each, None if lengths is None else as_array("lengths", lengths))
    finite = np.finfo(scores.dtype).max / 2
    each = np.clip(each, -finite, finite)  # infinity minus infinity would be NaN
    return softmax(fill_padding(each, valid_steps(lengths, each.shape[1]), -np.inf), axis=1).reshape(scores.shape)


class AttentionCache(NamedTuple):
    """What the backward of attention pooling needs."""

    x: np.ndarray  # (B, T, D), 0 past a length
    keys: np.ndarray  # (B, T, D); of "dot" they are x
    weights: np.ndarray  # (B, T, heads)


class AttentionPool(Layer):
    """Average the steps with weights that are learned: the better a step fits a query, the more it counts.

    Parameters
    ----------
    input_size : int
        The size D.
    kind : str
        How the score of a step is made from its key. "dot": `query @ key`, where the key is x itself; "additive":
        `query @ tanh(weight @ x + bias)`.
    heads : int
        How many queries. Each has weights of its own and averages its own D / heads of the features with them.
    rng : numpy.random.Generator, int or None
        Draws all parameters from uniform(-1/sqrt(D), 1/sqrt(D)).
    dtype : str or dtype
        float32 or float64; input is cast to it.

    Attributes
    ----------
    parameters : dict of str to array
        `query` (heads, D); for "additive" also `weight` (D, D) and `bias` (D,).

    Notes
    -----
    The additive score is that of Bahdanau et al. (2015) with a query that is learned rather than asked by a decoder, as
    Yang et al. (2016) use it. A dot product is usually divided by sqrt(D); here the learned query takes that in. A key
    that is a linear map of x (Luong's "general") would change nothing, because the learned query can take that map in.
    Chapter: attention-pooling.

    Examples
    --------
    >>> pool = AttentionPool(32, heads=4, rng=0)
    >>> pooled, weights = pool(np.ones((2, 3, 32)), lengths=[1, 3], return_weights=True)
    >>> pooled.shape, weights.shape, weights[0, 0].tolist()
    ((2, 32), (2, 4, 3), [1.0, 0.0, 0.0])
    """

    def __init__(self, input_size, *, kind="additive", heads=1, rng=None, dtype="float32"):
        super().__init__()
        check_choice("kind", kind, ("additive", "dot"))
        check_heads(input_size, heads)
        self.input_size = input_size
        self.kind = kind
        self.heads = heads
        rng = np.random.default_rng(rng)
        bound = input_size**-0.5
        shapes = {"query": (heads, input_size)}
        if kind == "additive":
            shapes |= {"weight": (input_size, input_size), "bias": (input_size,)}
        for name, shape in shapes.items():
            self._parameters[name] = rng.uniform(-bound, bound, shape).astype(check_dtype(dtype))

    def __call__(self, x, lengths=None, *, return_weights=False, keep_cache=True):
        """Pool x.

        Parameters
        ----------
        x : array (B, T, D)
        lengths : sequence of int, shape (B,), optional
        return_weights : bool
            Whether to return the weights as a second result.
        keep_cache : bool
            False for inference: `backward` is then not possible.

        Returns
        -------
        array (B, D), and where asked the weights (B, T), or (B, heads, T) of several heads
        """
        x = as_array("x", x)
        lengths = check_pooled(x, None if lengths is None else as_array("lengths", lengths))
        check_shape("x", x, ("B", "T", self.input_size))
        query = self._parameters["query"]
        x = x.astype(query.dtype, copy=False)
        valid = valid_steps(lengths, x.shape[1])
        x = x.copy() if valid is None else fill_padding(x, valid, 0)  # the caller may change theirs before backward
        keys = x
        if self.kind == "additive":
            keys = tanh(x @ self._parameters["weight"].T + self._parameters["bias"])  # (B, T, D)
        weights = attention_weights(keys @ query.T, lengths)  # (B, T, heads)
        by_head = weights.transpose(0, 2, 1)  # (B, heads, T)
        pooled = (by_head[:, :, None] @ self._per_head(x)).reshape(len(x), self.input_size)
        self._cache = AttentionCache(x, keys, weights) if keep_cache else None
        if not return_weights:
            return pooled
        return pooled, by_head[:, 0].copy() if self.heads == 1 else by_head.copy()

    def backward(self, d_pooled):
        """Return d_x, exactly 0 past a length; `gradients` then holds those of every parameter."""
        x, keys, weights = self._last_forward()
        (B, T, D), query = x.shape, self._parameters["query"]
        d_pooled = as_array("d_pooled", d_pooled).astype(x.dtype, copy=False)
        check_shape("d_pooled", d_pooled, (B, D))
        self._cache = None
        d_heads = d_pooled.reshape(B, self.heads, 1, D // self.heads)
        d_weights = (self._per_head(x) @ d_heads.swapaxes(2, 3))[..., 0].transpose(0, 2, 1)  # pooled = sum weights * x
        d_x = (weights[..., None] * d_heads.transpose(0, 2, 1, 3)).reshape(B, T, D)
        d_scores = softmax_backward(d_weights, weights, axis=1)  # (B, T, heads)
        d_keys = d_scores @ query  # scores = keys @ query.T
        self._gradients = {"query": d_scores.reshape(B * T, self.heads).T @ keys.reshape(B * T, D)}
        if self.kind == "additive":
            d_z = d_keys * tanh_slope(keys)  # keys = tanh(z)
            rows = d_z.reshape(B * T, D)
            self._gradients["weight"] = rows.T @ x.reshape(B * T, D)  # z = x @ weight.T + bias
            self._gradients["bias"] = rows.sum(axis=0)
            d_keys = d_z @ self._parameters["weight"]
        return d_x + d_keys  # the keys are made of x too

    def _per_head(self, x):
        """Return x as (b, heads, T, D / heads): each head's own features."""
        return x.reshape(*x.shape[:2], self.heads, self.input_size // self.heads).transpose(0, 2, 1, 3)
