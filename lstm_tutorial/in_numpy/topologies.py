"""From a sequence to one answer, and to an answer at every step: two programs around one LSTM."""

import numpy as np

from lstm_tutorial.in_numpy.attention_pooling import AttentionPool
from lstm_tutorial.in_numpy.layers import Embedding, Layer, Linear
from lstm_tutorial.in_numpy.lstm import LSTM
from lstm_tutorial.in_numpy.padding import valid_steps
from lstm_tutorial.in_numpy.pooling import (
    max_pool,
    max_pool_backward,
    mean_pool,
    mean_pool_backward,
    weighted_pool,
    weighted_pool_backward,
)
from lstm_tutorial.validation import check_choice, check_shape, check_sizes, check_tokens


class Reader(Layer):
    """What many-to-one and many-to-many share: they read features (B, T, D), or tokens (B, T) with an embedding."""

    def __init__(self, input_size, hidden_size, output_size, embedding, rng, dtype, options):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size, output_size=output_size)
        rng, read_size = np.random.default_rng(rng), input_size
        if embedding is not None:
            check_sizes(embedding=embedding)
            self.embedding, read_size = Embedding(input_size, embedding, rng=rng, dtype=dtype), embedding
        self.lstm = LSTM(read_size, hidden_size, batch_first=True, rng=rng, dtype=dtype, **options)
        self.head = Linear(hidden_size * (2 if self.lstm.bidirectional else 1), output_size, rng=rng, dtype=dtype)
        self.input_size, self.hidden_size, self.output_size = input_size, hidden_size, output_size

    def read(self, x, lengths, keep_cache):
        """Embed tokens where there is an embedding, and run the LSTM."""
        if hasattr(self, "embedding"):
            x = self.embedding(check_tokens(x, self.input_size, lengths))
        else:
            check_shape("x", np.asarray(x), ("B", "T", self.input_size))
        return self.lstm(x, lengths=lengths, keep_cache=keep_cache)

    def read_backward(self, d_output, d_state):
        """Return d_x, or None for tokens, which have no gradient."""
        d_x, _ = self.lstm.backward(d_output, d_state)
        return self.embedding.backward(d_x) if hasattr(self, "embedding") else d_x


class ManyToOne(Reader):
    """Read a sequence, give one answer: pool the hidden states of the valid steps, and a linear layer.

    Parameters
    ----------
    input_size, hidden_size, output_size : int
        D, or the number of different tokens where there is an embedding; H; K.
    pooling : str, function or AttentionPool
        "last": the last valid step, and of a second direction the first, which it read last; never `output[:, -1]`.
        "max", "mean" or "attention": over all valid steps of both directions. A function, such as `position_weights`,
        gives the weights (T,) of `weighted_pool` for the T steps of a padded batch: more padding changes nothing only
        where their ratios do not depend on T. An `AttentionPool` of one's own chooses kind and heads.
    embedding : int, optional
        Size of the vector that stands for each token; x then holds tokens.
    rng : numpy.random.Generator, int or None
    dtype : str or dtype
    options
        For the `LSTM`: `num_layers`, `bidirectional`, `dropout`, `peephole`, `forget_bias`.

    Examples
    --------
    >>> model = ManyToOne(10, 8, 2, pooling="max", rng=0)
    >>> model(np.zeros((4, 7, 10)), lengths=[7, 1, 3, 5]).shape
    (4, 2)
    >>> model.backward(np.ones((4, 2))).shape
    (4, 7, 10)
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        output_size,
        pooling="last",
        *,
        embedding=None,
        rng=None,
        dtype="float32",
        **options,
    ):
        if not isinstance(pooling, AttentionPool) and not callable(pooling):
            check_choice("pooling", pooling, ("last", "max", "mean", "attention"))
        rng = np.random.default_rng(rng)
        super().__init__(input_size, hidden_size, output_size, embedding, rng, dtype, options)
        self.pooling, size = pooling, self.head.input_size
        if pooling == "attention":
            self.pool = AttentionPool(size, rng=rng, dtype=dtype)
        elif isinstance(pooling, AttentionPool):
            if pooling.input_size != size:
                raise ValueError(f"pooling must have input_size {size}, got {pooling.input_size}")
            self.pooling, self.pool = "attention", pooling

    def __call__(self, x, lengths=None, *, keep_cache=True):
        """Map x (B, T, D), or tokens (B, T), to scores (B, K)."""
        output, (h_n, _) = self.read(x, lengths, keep_cache)  # (B, T, directions * H), (layers * directions, B, H)
        if self.pooling == "last":
            pooled = np.concatenate(h_n[-2:] if self.lstm.bidirectional else h_n[-1:], axis=-1)
        elif self.pooling == "max":
            pooled = max_pool(output, lengths)
        elif self.pooling == "mean":
            pooled = mean_pool(output, lengths)
        elif self.pooling == "attention":
            pooled = self.pool(output, lengths, keep_cache=keep_cache)
        else:
            pooled = weighted_pool(output, self.pooling(output.shape[1]), lengths)
        self._cache = (h_n.shape, output, pooled, lengths) if keep_cache else None
        return self.head(pooled)

    def backward(self, d_scores):
        """Return d_x, or None for tokens; `gradients` then holds those of every parameter."""
        shape, output, pooled, lengths = self._last_forward()
        d_pooled = self.head.backward(np.asarray(d_scores))  # (B, directions * H)
        self._cache = None
        if self.pooling == "last":
            d_h_n = np.zeros(shape, d_pooled.dtype)
            d_h_n[-2 if self.lstm.bidirectional else -1 :] = np.split(d_pooled, d_pooled.shape[1] // shape[2], axis=-1)
            return self.read_backward(None, (d_h_n, None))
        if self.pooling == "max":
            d_output = max_pool_backward(d_pooled, output, pooled, lengths)
        elif self.pooling == "mean":
            d_output = mean_pool_backward(d_pooled, output, lengths)
        elif self.pooling == "attention":
            d_output = self.pool.backward(d_pooled)
        else:
            d_output, _ = weighted_pool_backward(d_pooled, output, self.pooling(output.shape[1]), lengths)
        return self.read_backward(d_output, None)


class ManyToMany(Reader):
    """Read a sequence, give an answer at every step: a linear layer on every hidden state.

    Parameters
    ----------
    input_size, hidden_size, output_size, embedding, rng, dtype, options
        See `ManyToOne`. With `bidirectional` an answer sees the whole sequence, without it the steps up to its own.

    Examples
    --------
    >>> model = ManyToMany(10, 8, 5, bidirectional=True, rng=0)
    >>> model(np.zeros((4, 7, 10))).shape
    (4, 7, 5)
    """

    def __init__(self, input_size, hidden_size, output_size, *, embedding=None, rng=None, dtype="float32", **options):
        super().__init__(input_size, hidden_size, output_size, embedding, rng, dtype, options)

    def __call__(self, x, lengths=None, *, keep_cache=True):
        """Map x (B, T, D), or tokens (B, T), to scores (B, T, K), 0 past a length."""
        output, _ = self.read(x, lengths, keep_cache)
        valid = valid_steps(lengths, output)
        self._cache = valid if keep_cache else None
        return self.head(output) * valid

    def backward(self, d_scores):
        """Return d_x, or None for tokens; `gradients` then holds those of every parameter."""
        valid = self._last_forward()
        check_shape("d_scores", d_scores, (*valid.shape[:2], self.output_size))
        d_output = self.head.backward(np.where(valid, d_scores, np.zeros((), valid.dtype)))  # scores = ... * valid
        self._cache = None
        return self.read_backward(d_output, None)
