"""From a sequence to one answer, and to an answer at every step: two programs around one LSTM."""

import numpy as np

from lstm_tutorial.in_numpy.attention_pooling import AttentionPool
from lstm_tutorial.in_numpy.layers import Embedding, Layer, Linear
from lstm_tutorial.in_numpy.lstm import LSTM
from lstm_tutorial.in_numpy.padding import fill_padding, valid_steps
from lstm_tutorial.in_numpy.pooling import LastState, MaxPool, MeanPool, WeightedPool
from lstm_tutorial.validation import as_array, check_choice, check_shape, check_sizes, check_tokens


def build_lstm(lstm, read_size, hidden_size, rng, dtype, options):
    """Return a network for a topology: the one that is given, or one of the class that is given.

    Examples
    --------
    >>> build_lstm(LSTM, 3, 5, 0, "float64", {"num_layers": 2}).num_layers
    2
    """
    if isinstance(lstm, type) and issubclass(lstm, LSTM):
        return lstm(read_size, hidden_size, batch_first=True, rng=rng, dtype=dtype, **options)
    if not isinstance(lstm, LSTM):
        name = lstm.__name__ if isinstance(lstm, type) else type(lstm).__name__
        raise TypeError(f"lstm must be an in_numpy.LSTM, or its class, got {name}")
    if options:
        raise TypeError(f"lstm has its own options, got {sorted(options)} beside it")
    for name, size in (("input_size", read_size), ("hidden_size", hidden_size), ("batch_first", True)):
        if getattr(lstm, name) != size:
            raise ValueError(f"lstm must have {name} {size}, got {getattr(lstm, name)}")
    return lstm


def build_pool(pooling, size, bidirectional, rng, dtype):
    """Return the pool that a pooling stands for: an object that is called, and that has a `backward`.

    Examples
    --------
    >>> build_pool("max", 4, False, 0, "float32")(np.array([[[1.0], [3.0]]]))
    array([[3.]])
    """
    if isinstance(pooling, AttentionPool):
        if pooling.input_size != size:
            raise ValueError(f"pooling must have input_size {size}, got {pooling.input_size}")
        return pooling
    if callable(pooling):
        return WeightedPool(pooling)
    check_choice("pooling", pooling, ("last", "max", "mean", "attention"))
    if pooling == "last":
        return LastState(bidirectional)
    if pooling == "max":
        return MaxPool()
    if pooling == "mean":
        return MeanPool()
    return AttentionPool(size, rng=rng, dtype=dtype)


class Reader(Layer):
    """What many-to-one and many-to-many share: they read features (B, T, D), or tokens (B, T) with an embedding."""

    def __init__(self, input_size, hidden_size, output_size, embedding, lstm, rng, dtype, options):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size, output_size=output_size)
        rng = np.random.default_rng(rng)
        dtype = lstm.dtype if isinstance(lstm, LSTM) else dtype
        self.embedding = None
        if embedding is not None:
            check_sizes(embedding=embedding)
            self.embedding = Embedding(input_size, embedding, rng=rng, dtype=dtype)
        self.lstm = build_lstm(lstm, embedding or input_size, hidden_size, rng, dtype, options)
        directions = 2 if self.lstm.bidirectional else 1
        self.head = Linear(hidden_size * directions, output_size, rng=rng, dtype=dtype)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.output_size = output_size

    def read(self, x, lengths, keep_cache):
        """Embed tokens where there is an embedding, and return the LSTM's output (B, T, directions * H)."""
        if self.embedding is not None:
            x = self.embedding(check_tokens(as_array("tokens", x), self.input_size, lengths), keep_cache=keep_cache)
        else:
            x = as_array("x", x)
            check_shape("x", x, ("B", "T", self.input_size))
        output, _ = self.lstm(x, lengths=lengths, keep_cache=keep_cache)
        return output

    def read_backward(self, d_output):
        """Return d_x, or None for tokens, which have no gradient."""
        d_x, _ = self.lstm.backward(d_output)
        return d_x if self.embedding is None else self.embedding.backward(d_x)


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
    lstm : class or LSTM
        `LSTM`, or `FastLSTM`, which gives the same numbers sooner; or a network that is built already, with
        `batch_first=True`.
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
        lstm=LSTM,
        rng=None,
        dtype="float32",
        **options,
    ):
        rng = np.random.default_rng(rng)
        super().__init__(input_size, hidden_size, output_size, embedding, lstm, rng, dtype, options)
        self.pooling = "attention" if isinstance(pooling, AttentionPool) else pooling
        self.pool = build_pool(pooling, self.head.input_size, self.lstm.bidirectional, rng, self.lstm.dtype)

    def __call__(self, x, lengths=None, *, keep_cache=True):
        """Map x (B, T, D), or tokens (B, T), to scores (B, K)."""
        output = self.read(x, lengths, keep_cache)  # (B, T, directions * H)
        return self.head(self.pool(output, lengths, keep_cache=keep_cache), keep_cache=keep_cache)

    def backward(self, d_scores):
        """Return d_x, or None for tokens; `gradients` then holds those of every parameter."""
        return self.read_backward(self.pool.backward(self.head.backward(d_scores)))


class ManyToMany(Reader):
    """Read a sequence, give an answer at every step: a linear layer on every hidden state.

    Parameters
    ----------
    input_size, hidden_size, output_size, embedding, lstm, rng, dtype, options
        See `ManyToOne`. With `bidirectional` an answer sees the whole sequence, without it the steps up to its own.

    Examples
    --------
    >>> model = ManyToMany(10, 8, 5, bidirectional=True, rng=0)
    >>> model(np.zeros((4, 7, 10))).shape
    (4, 7, 5)
    """

    def __init__(
        self, input_size, hidden_size, output_size, *, embedding=None, lstm=LSTM, rng=None, dtype="float32", **options
    ):
        super().__init__(input_size, hidden_size, output_size, embedding, lstm, rng, dtype, options)

    def __call__(self, x, lengths=None, *, keep_cache=True):
        """Map x (B, T, D), or tokens (B, T), to scores (B, T, K), 0 past a length."""
        output = self.read(x, lengths, keep_cache)
        valid = valid_steps(lengths, output.shape[1])
        self._cache = (valid, output.shape[:2]) if keep_cache else None
        return fill_padding(self.head(output, keep_cache=keep_cache), valid, 0)

    def backward(self, d_scores):
        """Return d_x, or None for tokens; `gradients` then holds those of every parameter."""
        valid, (B, T) = self._last_forward()
        d_scores = as_array("d_scores", d_scores)
        check_shape("d_scores", d_scores, (B, T, self.output_size))
        d_output = self.head.backward(fill_padding(d_scores, valid, 0))  # scores = fill_padding(head(output), valid, 0)
        self._cache = None
        return self.read_backward(d_output)
