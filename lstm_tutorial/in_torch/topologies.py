"""From a sequence to one answer, and to an answer at every step: two programs around one recurrent network."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lstm_tutorial.in_torch.attention_pooling import AttentionPool
from lstm_tutorial.in_torch.lstm import LSTM, Module, draw, generator
from lstm_tutorial.in_torch.padding import fill_padding, valid_steps
from lstm_tutorial.in_torch.pooling import last_pool, max_pool, mean_pool, weighted_pool
from lstm_tutorial.validation import (
    check_choice,
    check_dtype,
    check_kinds,
    check_lengths,
    check_shape,
    check_sizes,
    check_tokens,
    has_values,
    kind_of,
)


def draw_linear(linear, rng):
    """Draw a linear layer's parameters as torch does, from the network's own generator."""
    bound = linear.in_features**-0.5
    draw(linear.weight, rng, bound)
    if linear.bias is not None:
        draw(linear.bias, rng, bound)


def run_lstm(lstm, x, lengths=None, state=None):
    """Run the course's LSTM, or a recurrent network of torch's packed inside, on x (B, T, D); both give the same.

    Parameters
    ----------
    lstm : LSTM, torch.nn.LSTM, torch.nn.GRU or torch.nn.RNN
    x : tensor (B, T, D)
        Whatever `batch_first` says.
    lengths : sequence of int, shape (B,), optional
    state
        As `lstm` takes it; zeros if not given.

    Returns
    -------
    tuple
        `output` (B, T, directions * H), and the final state as `lstm` gives it.

    Examples
    --------
    >>> output, (h_n, c_n) = run_lstm(torch.nn.LSTM(3, 5), torch.zeros(4, 7, 3), lengths=[7, 1, 3, 5])
    >>> output.shape, h_n.shape
    (torch.Size([4, 7, 5]), torch.Size([1, 4, 5]))
    """
    seen = x if lstm.batch_first else x.transpose(0, 1)
    if isinstance(lstm, LSTM):
        output, state = lstm(seen, state, lengths=lengths)
    else:
        lengths = None if lengths is None else check_lengths(lengths, *x.shape[:2])
        if lengths is None or not has_values(x):  # on the device "meta" shapes are all there is
            output, state = lstm(seen, state)
        else:
            options = {"batch_first": lstm.batch_first}
            packed = pack_padded_sequence(seen, torch.as_tensor(lengths), enforce_sorted=False, **options)
            output, state = lstm(packed, state)
            output, _ = pad_packed_sequence(output, total_length=x.shape[1], **options)
    return output if lstm.batch_first else output.transpose(0, 1), state


def build_recurrent(network, input_size, hidden_size, rng, dtype, **options):
    """Build a recurrent network of the course or of torch, batch-first; `rng` draws the same parameters for both.

    Examples
    --------
    >>> ours, theirs = (build_recurrent(each, 3, 4, generator(0), "float32") for each in (LSTM, nn.LSTM))
    >>> torch.equal(ours.weight_hh_l0, theirs.weight_hh_l0)
    True
    """
    if issubclass(network, LSTM):
        return network(input_size, hidden_size, batch_first=True, rng=rng, dtype=dtype, **options)
    dtype = getattr(torch, check_dtype(dtype))
    built = network(input_size, hidden_size, batch_first=True, dtype=dtype, **options)
    for parameter in built.parameters():
        draw(parameter, rng, hidden_size**-0.5)
    return built


class Topology(Module):
    """What the three share: an optional embedding, a recurrent network, and a linear head, all batch-first.

    Parameters
    ----------
    read_size : int
        Size of what the recurrent network reads at each step.
    hidden_size, output_size : int
        H and K.
    lstm : class or network, optional
        What to build on: the course's `LSTM`, which is the default, or `torch.nn.LSTM`, `GRU` or `RNN`, which pack
        inside. A class is built with the sizes, `rng`, `dtype` and the options. A network must have these sizes, which
        are read from it where `hidden_size`, or the `input_size` of what reads features, is None. A module of one's own
        will do if it is called like `torch.nn.LSTM` and has its attributes, `bidirectional` among them.
    rng : torch.Generator, int or None
        Draws the parameters.
    dtype : str or dtype
        float32 or float64; a network brings its own.
    options
        For a class: `num_layers`, `bidirectional`, `dropout`, and for the course's also `peephole`, `forget_bias`.
    """

    def __init__(self, read_size, hidden_size, output_size, lstm, rng, dtype, options):
        super().__init__()
        lstm = LSTM if lstm is None else lstm
        built = not isinstance(lstm, type)
        if built:
            read = ("input_size", "hidden_size", "batch_first", "bidirectional")
            fits = isinstance(lstm, nn.Module) and all(hasattr(lstm, name) for name in read)
        else:
            fits = issubclass(lstm, LSTM | nn.LSTM | nn.GRU | nn.RNN)
        if not fits:
            came = kind_of(type(lstm) if built else lstm)
            raise TypeError(f"lstm must be an in_torch.LSTM, a torch.nn.LSTM, GRU or RNN, or such a class, got {came}")
        hidden_size = lstm.hidden_size if hidden_size is None and built else hidden_size
        check_sizes(hidden_size=hidden_size, output_size=output_size)
        if not built:
            lstm = build_recurrent(lstm, read_size, hidden_size, rng, dtype, **options)
        elif options:
            raise TypeError(f"lstm has its own options, got {sorted(options)} beside it")
        for name, size in (("input_size", read_size), ("hidden_size", hidden_size), ("proj_size", 0)):
            if getattr(lstm, name, size) != size:
                raise ValueError(f"lstm must have {name} {size}, got {getattr(lstm, name)}")
        self.hidden_size = hidden_size
        self.output_size = output_size
        self.lstm = lstm
        directions = 2 if lstm.bidirectional else 1
        self.head = nn.Linear(hidden_size * directions, output_size, dtype=self.weight.dtype)
        draw_linear(self.head, rng)

    @property
    def weight(self):
        """One parameter of the recurrent network: where it is, and in which dtype it computes."""
        found = getattr(self.lstm, "weight_ih_l0", None)
        return next(self.lstm.parameters()) if found is None else found

    def run(self, x, lengths=None, state=None):
        """Run the recurrent network on x (B, T, D); return its output (B, T, ...) and its final state."""
        return run_lstm(self.lstm, x, lengths, state)


class Reader(Topology):
    """What many-to-one and many-to-many share: they read features (B, T, D), or tokens (B, T) with an embedding."""

    def __init__(self, input_size, hidden_size, output_size, embedding, lstm, rng, dtype, options):
        if input_size is None and embedding is None and isinstance(lstm, nn.Module):
            input_size = getattr(lstm, "input_size", None)
        check_sizes(input_size=input_size, **({} if embedding is None else {"embedding": embedding}))
        read_size = input_size if embedding is None else embedding
        super().__init__(read_size, hidden_size, output_size, lstm, rng, dtype, options)
        self.input_size = input_size
        self.embedding = None
        if embedding is not None:
            self.embedding = nn.Embedding(input_size, embedding, dtype=self.head.weight.dtype)
            draw(self.embedding.weight, rng)

    def read(self, x, lengths):
        """Embed tokens where there is an embedding, and run the recurrent network."""
        if self.embedding is None:
            check_kinds(torch.Tensor, x=x)
            check_shape("x", x, ("B", "T", self.input_size))
            return self.run(x, lengths)
        tokens = torch.as_tensor(check_tokens(x, self.input_size, lengths), device=self.weight.device)
        return self.run(self.embedding(tokens), lengths)


class LastState:
    """Pool the states that have read everything: the last valid step, and of a reverse direction the first.

    Examples
    --------
    >>> output = torch.tensor([[[1.0, -1.0], [2.0, -2.0], [3.0, -3.0]]])  # forward and reverse side by side
    >>> LastState(bidirectional=True)(output, lengths=[2])
    tensor([[ 2., -1.]])
    """

    def __init__(self, bidirectional):
        self.bidirectional = bidirectional

    def __call__(self, output, lengths=None):
        """Map output (B, T, directions * H) to (B, directions * H)."""
        last = last_pool(output, lengths)
        if not self.bidirectional:
            return last
        H = output.shape[2] // 2
        return torch.cat([last[:, :H], output[:, 0, H:]], dim=-1)


class WeightedPool:
    """Pool with weights that a function gives for the T steps of a batch.

    Examples
    --------
    >>> WeightedPool(lambda T: [0.0, 1.0, 3.0])(torch.tensor([[[1.0], [2.0], [4.0]]]))
    tensor([[3.5000]])
    """

    def __init__(self, weights_of):
        self.weights_of = weights_of

    def __call__(self, output, lengths=None):
        """Map output (B, T, D) to (B, D)."""
        return weighted_pool(output, self.weights_of(output.shape[1]), lengths)


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
    lstm, rng, dtype, options
        See `Topology`.

    Notes
    -----
    `pooling` keeps the name or the function, "attention" for an `AttentionPool`. `pool` is what it stands for: it is
    called with the output (B, T, directions * H) and the lengths and gives (B, directions * H). Chapters: many-to-one,
    pooling.

    Examples
    --------
    >>> model = ManyToOne(10, 8, 2, pooling="max", rng=0)
    >>> model(torch.zeros(4, 7, 10), lengths=[7, 1, 3, 5]).shape
    torch.Size([4, 2])
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        output_size,
        pooling="last",
        *,
        embedding=None,
        lstm=None,
        rng=None,
        dtype="float32",
        **options,
    ):
        if isinstance(pooling, type) or not callable(pooling):
            check_choice("pooling", pooling, ("last", "max", "mean", "attention"))
        rng = generator(rng)
        super().__init__(input_size, hidden_size, output_size, embedding, lstm, rng, dtype, options)
        size = self.head.in_features
        if isinstance(pooling, AttentionPool):
            if pooling.input_size != size:
                raise ValueError(f"pooling must have input_size {size}, got {pooling.input_size}")
            self.pooling = "attention"
            self.pool = pooling
            return
        self.pooling = pooling
        if pooling == "last":
            self.pool = LastState(self.lstm.bidirectional)
        elif pooling == "max":
            self.pool = max_pool
        elif pooling == "mean":
            self.pool = mean_pool
        elif pooling == "attention":
            self.pool = AttentionPool(size, rng=rng, dtype=self.head.weight.dtype)
        else:
            self.pool = WeightedPool(pooling)

    def forward(self, x, lengths=None):
        """Map x (B, T, D), or tokens (B, T), to scores (B, K)."""
        output, _ = self.read(x, lengths)  # (B, T, directions * H)
        pooled = self.pool(output, lengths)  # (B, directions * H)
        return self.head(pooled)


class ManyToMany(Reader):
    """Read a sequence, give an answer at every step: a linear layer on every hidden state.

    Parameters
    ----------
    input_size, hidden_size, output_size, embedding, lstm, rng, dtype, options
        See `ManyToOne`. With `bidirectional` an answer sees the whole sequence, without it the steps up to its own.

    Notes
    -----
    Chapter: many-to-many.

    Examples
    --------
    >>> model = ManyToMany(10, 8, 5, bidirectional=True, rng=0)
    >>> model(torch.zeros(4, 7, 10)).shape
    torch.Size([4, 7, 5])
    """

    def __init__(
        self, input_size, hidden_size, output_size, *, embedding=None, lstm=None, rng=None, dtype="float32", **options
    ):
        super().__init__(input_size, hidden_size, output_size, embedding, lstm, generator(rng), dtype, options)

    def forward(self, x, lengths=None):
        """Map x (B, T, D), or tokens (B, T), to scores (B, T, K), 0 past a length."""
        output, _ = self.read(x, lengths)
        valid = valid_steps(lengths, output.shape[1], output.device)
        return fill_padding(self.head(output), valid, 0)
