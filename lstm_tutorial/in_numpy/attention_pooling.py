"""Pooling that learns where to look: a score for each step, a softmax over the valid ones, a weighted sum."""

from typing import NamedTuple

import numpy as np

from lstm_tutorial.in_numpy.activations import softmax, softmax_backward, tanh
from lstm_tutorial.in_numpy.layers import Layer
from lstm_tutorial.in_numpy.padding import fill_padding, in_parts, valid_steps
from lstm_tutorial.validation import check_choice, check_dtype, check_floating, check_heads, check_pooled, check_shape


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
    scores = np.asarray(scores)
    check_shape("scores", scores, ("B", "T", "heads")[: max(2, scores.ndim)])
    check_floating("scores", scores)
    each = scores if scores.ndim == 3 else scores[..., None]  # (B, T, heads)
    lengths = check_pooled(each, lengths)
    valid = None if lengths is None else valid_steps(lengths, each) > 0
    return _softmax_over_steps(each, valid).reshape(scores.shape)


def _softmax_over_steps(scores, valid):
    """Do the same for scores (b, T, heads), with a mask (b, T, 1) or None."""
    finite = np.finfo(scores.dtype).max / 2
    scores = np.clip(scores, -finite, finite)  # infinity minus infinity would be NaN
    return softmax(fill_padding(scores, valid, -np.inf), axis=1)


class AttentionCache(NamedTuple):
    """What the backward of attention pooling needs."""

    x: np.ndarray  # (B, T, D)
    keys: np.ndarray  # (B, T, D); of "dot" they are x
    weights: np.ndarray  # (B, T, heads)
    lengths: np.ndarray | None


class AttentionPool(Layer):
    """Average the steps with weights that are learned: the better a step fits a query, the more it counts.

    Parameters
    ----------
    input_size : int
        The size D.
    kind : str
        "additive": the score of a step is `query @ tanh(weight @ x + bias)`; "dot": it is `query @ x`.
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
    Yang et al. (2016) use it. A dot product is usually divided by sqrt(D); here the learned query takes that in.
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
        self.input_size, self.kind, self.heads = input_size, kind, heads
        rng, bound = np.random.default_rng(rng), input_size**-0.5
        shapes = {"query": (heads, input_size)}
        if kind == "additive":
            shapes |= {"weight": (input_size, input_size), "bias": (input_size,)}
        self._parameters = {k: rng.uniform(-bound, bound, s).astype(check_dtype(dtype)) for k, s in shapes.items()}

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
        x = np.asarray(x)
        lengths = check_pooled(x, lengths)
        check_shape("x", x, ("B", "T", self.input_size))
        query = self._parameters["query"]
        x = x.astype(query.dtype, copy=False)
        pooled, weights = np.empty(x.shape[::2], x.dtype), np.empty((*x.shape[:2], self.heads), x.dtype)
        keys = np.empty(x.shape, x.dtype) if self.kind == "additive" and keep_cache else x
        for rows, part, valid in in_parts(x, lengths):
            part = key = fill_padding(part, valid, 0)  # (b, T, D)
            if self.kind == "additive":
                key = np.matmul(part, self._parameters["weight"].T, out=keys[rows] if keep_cache else None)
                key += self._parameters["bias"]
                tanh(key, out=key)
            weights[rows] = _softmax_over_steps(key @ query.T, valid)
            by_head = weights[rows].transpose(0, 2, 1)[:, :, None]  # (b, heads, 1, T)
            pooled[rows] = (by_head @ self._per_head(part)).reshape(len(part), self.input_size)
        self._cache = AttentionCache(x, keys, weights, lengths) if keep_cache else None
        if not return_weights:
            return pooled
        return pooled, weights[..., 0] if self.heads == 1 else weights.transpose(0, 2, 1)

    def backward(self, d_pooled):
        """Return d_x, exactly 0 past a length; `gradients` then holds those of every parameter."""
        x, keys, weights, lengths = self._last_forward()
        D, query = self.input_size, self._parameters["query"]
        d_pooled = np.asarray(d_pooled, x.dtype)
        check_shape("d_pooled", d_pooled, (len(x), D))
        self._cache = None
        d_x = np.empty(x.shape, x.dtype)
        self._gradients = {name: np.zeros_like(value) for name, value in self._parameters.items()}
        for rows, part, valid in in_parts(x, lengths):
            part, w = fill_padding(part, valid, 0), weights[rows]
            key = part if self.kind == "dot" else keys[rows]
            d_heads = d_pooled[rows].reshape(len(part), self.heads, 1, D // self.heads)
            d_w = (self._per_head(part) @ d_heads.swapaxes(2, 3))[..., 0].transpose(0, 2, 1)  # pooled = sum w * x
            d_scores = softmax_backward(d_w, w, axis=1)  # (b, T, heads)
            self._gradients["query"] += d_scores.reshape(-1, self.heads).T @ key.reshape(-1, D)  # key @ query.T
            d_key = d_scores @ query if self.heads > 1 else d_scores * query
            if self.kind == "additive":
                d_z = (d_key * (1 - key * key)).reshape(-1, D)  # key = tanh(z)
                self._gradients["weight"] += d_z.T @ part.reshape(-1, D)  # z = part @ weight.T + bias
                self._gradients["bias"] += np.ones(len(d_z), d_z.dtype) @ d_z
                d_key = (d_z @ self._parameters["weight"]).reshape(part.shape)
            np.add(d_key, (w[..., None] * d_heads.transpose(0, 2, 1, 3)).reshape(part.shape), out=d_x[rows])
        return d_x

    def _per_head(self, x):
        """Return x as (b, heads, T, D / heads): each head's own features."""
        return x.reshape(*x.shape[:2], self.heads, self.input_size // self.heads).transpose(0, 2, 1, 3)
