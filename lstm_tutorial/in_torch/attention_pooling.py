"""Pooling that learns where to look, in PyTorch: the twin of `in_numpy.attention_pooling`."""

import torch
from torch import nn

from lstm_tutorial.in_torch.lstm import Module, draw, generator, match_dtype
from lstm_tutorial.in_torch.padding import fill_padding, valid_steps
from lstm_tutorial.validation import (
    check_choice,
    check_dtype,
    check_floating,
    check_heads,
    check_kinds,
    check_pooled,
    check_shape,
)


def attention_weights(scores, lengths=None):
    """Turn the scores of steps into weights that sum to one over the valid steps and are exactly 0 on padding.

    Parameters
    ----------
    scores : tensor (B, T) or (B, T, heads)
        Any size, infinity too; where all valid ones are equal, the weights are.
    lengths : sequence of int, shape (B,), optional

    Returns
    -------
    tensor, the shape of `scores`

    Examples
    --------
    >>> attention_weights(torch.tensor([[5.0, 5.0, 9.0], [1.0, -torch.inf, 2000.0]]), lengths=[2, 3])
    tensor([[0.5000, 0.5000, 0.0000],
            [0.0000, 0.0000, 1.0000]])
    """
    check_kinds(torch.Tensor, scores=scores)
    check_shape("scores", scores, ("B", "T", "heads")[: max(2, scores.ndim)])
    check_floating("scores", scores)
    finite = torch.finfo(scores.dtype).max / 2
    scores = scores.clamp(-finite, finite)  # infinity minus infinity would be NaN
    each = scores if scores.ndim == 3 else scores[..., None]  # (B, T, heads)
    valid = valid_steps(check_pooled(each, lengths), each.shape[1], each.device)
    return torch.softmax(fill_padding(each, valid, -torch.inf), dim=1).reshape(scores.shape)


class AttentionPool(Module):
    """Average the steps with weights that are learned: the better a step fits a query, the more it counts.

    Parameters
    ----------
    input_size : int
        The size D.
    kind : str
        How the score of a step is made. "dot": the dot product of a query and a key, `query @ key`, where the key is
        x itself; "additive": `query @ tanh(weight @ x + bias)`.
    heads : int
        How many queries. Each has weights of its own and averages its own D / heads of the features with them.
    rng : torch.Generator, int or None
        Draws all parameters from uniform(-1/sqrt(D), 1/sqrt(D)).
    dtype : str or dtype
        float32 or float64.

    Notes
    -----
    Parameters are `query` (heads, D); for "additive" also `weight` (D, D) and `bias` (D,). A key that is a linear map
    of x would change nothing about "dot": the learned query can take that map in. Sources as in the NumPy twin.
    Chapter: attention-pooling.

    Examples
    --------
    >>> pool = AttentionPool(32, heads=4, rng=0)
    >>> pooled, weights = pool(torch.ones(2, 3, 32), lengths=[1, 3], return_weights=True)
    >>> pooled.shape, weights.shape, weights[0, 0].tolist()
    (torch.Size([2, 32]), torch.Size([2, 4, 3]), [1.0, 0.0, 0.0])
    """

    def __init__(self, input_size, *, kind="additive", heads=1, rng=None, dtype="float32"):
        super().__init__()
        check_choice("kind", kind, ("additive", "dot"))
        check_heads(input_size, heads)
        self.input_size = input_size
        self.kind = kind
        self.heads = heads
        dtype = getattr(torch, check_dtype(dtype))
        rng = generator(rng)
        shapes = {"query": (heads, input_size)}
        if kind == "additive":
            shapes |= {"weight": (input_size, input_size), "bias": (input_size,)}
        for name, shape in shapes.items():
            parameter = nn.Parameter(torch.empty(shape, dtype=dtype))
            draw(parameter, rng, input_size**-0.5)
            self.register_parameter(name, parameter)

    def forward(self, x, lengths=None, *, return_weights=False):
        """Pool x.

        Parameters
        ----------
        x : tensor (B, T, D)
        lengths : sequence of int, shape (B,), optional
        return_weights : bool
            Whether to return the weights as a second result.

        Returns
        -------
        tensor (B, D), and where asked the weights (B, T), or (B, heads, T) of several heads

        Raises
        ------
        ValueError, TypeError
            If x or the lengths have another shape, kind or dtype than the pool reads.
        """
        check_kinds(torch.Tensor, x=x)
        lengths = check_pooled(x, lengths)
        check_shape("x", x, ("B", "T", self.input_size))
        x = match_dtype("x", x, self.query)
        x = fill_padding(x, valid_steps(lengths, x.shape[1], x.device), 0)
        keys = torch.tanh(x @ self.weight.T + self.bias) if self.kind == "additive" else x  # (B, T, D)
        weights = attention_weights(keys @ self.query.T, lengths).transpose(1, 2)  # (B, heads, T)
        values = x.unflatten(2, (self.heads, self.input_size // self.heads)).transpose(1, 2)  # (B, heads, T, D / heads)
        pooled = (weights[:, :, None] @ values).flatten(1)
        if not return_weights:
            return pooled
        return pooled, weights[:, 0] if self.heads == 1 else weights
