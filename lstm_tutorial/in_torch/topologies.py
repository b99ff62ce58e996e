"""From a sequence to one answer, and to an answer at every step: two programs around one recurrent network."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lstm_tutorial.in_torch.attention_pooling import AttentionPool
from lstm_tutorial.in_torch.lstm import LSTM, generator
from lstm_tutorial.in_torch.pooling import max_pool, mean_pool, weighted_pool
from lstm_tutorial.validation import check_choice, check_lengths, check_shape, check_sizes, check_tokens


def draw_linear(linear, rng):
    """Draw a linear layer's parameters as torch does, from the network's own generator."""
    for parameter in linear.parameters():
        nn.init.uniform_(parameter, -(linear.in_features**-0.5), linear.in_features**-0.5, generator=rng)


def run_lstm(lstm, x, lengths=None, state=None):
    """Run the course's LSTM, or a recurrent network of torch's packed inside, on x (B, T, D); both give the same.

    Examples
    --------
    >>> output, (h_n, c_n) = run_lstm(torch.nn.LSTM(3, 5), torch.zeros(4, 7, 3), lengths=[7, 1, 3, 5])
    >>> output.shape, h_n.shape
    (torch.Size([4, 7, 5]), torch.Size([1, 4, 5]))
    """
    if isinstance(lstm, LSTM):
        return lstm(x, state, lengths=lengths)
    seen = x if lstm.batch_first else x.transpose(0, 1)
    if lengths is None:
        output, state = lstm(seen, state)
    else:
        options, lengths = {"batch_first": lstm.batch_first}, torch.as_tensor(check_lengths(lengths, *x.shape[:2]))
        output, state = lstm(pack_padded_sequence(seen, lengths, enforce_sorted=False, **options), state)
        output, _ = pad_packed_sequence(output, total_length=x.shape[1], **options)
    return output if lstm.batch_first else output.transpose(0, 1), state


class Topology(nn.Module):
    """What the three share: an optional embedding, a recurrent network, and a linear head, all batch-first.

    Parameters
    ----------
    read_size : int
        Size of what the recurrent network reads at each step.
    hidden_size, output_size : int
        H and K.
    lstm : torch.nn.LSTM, torch.nn.GRU or torch.nn.RNN, optional
        A network to build on, instead of the course's `LSTM`; it packs inside. Its sizes must fit, and are read from
        it where `hidden_size`, or the `input_size` of what reads features, is None.
    options
        For the course's `LSTM`: `num_layers`, `bidirectional`, `dropout`, `peephole`, `forget_bias`.
    """

    def __init__(self, read_size, hidden_size, output_size, lstm, rng, dtype, options):
        super().__init__()
        hidden_size = lstm.hidden_size if hidden_size is None and lstm is not None else hidden_size
        check_sizes(hidden_size=hidden_size, output_size=output_size)
        self.hidden_size, self.output_size, self.rng = hidden_size, output_size, generator(rng)
        if lstm is None:
            lstm = LSTM(read_size, hidden_size, batch_first=True, rng=self.rng, dtype=dtype, **options)
        elif options:
            raise TypeError(f"lstm has its own options, got {sorted(options)} beside it")
        for name, size in (("input_size", read_size), ("hidden_size", hidden_size)):
            if getattr(lstm, name) != size:
                raise ValueError(f"lstm must have {name} {size}, got {getattr(lstm, name)}")
        self.lstm = lstm
        dtype = next(lstm.parameters()).dtype
        self.head = nn.Linear(hidden_size * (2 if lstm.bidirectional else 1), output_size, dtype=dtype)
        draw_linear(self.head, self.rng)

    def run(self, x, lengths=None, state=None):
        """Run the recurrent network on x (B, T, D); return its output (B, T, ...) and its final state."""
        return run_lstm(self.lstm, x, lengths, state)


class Reader(Topology):
    """What many-to-one and many-to-many share: they read features (B, T, D), or tokens (B, T) with an embedding."""

    def __init__(self, input_size, hidden_size, output_size, embedding, lstm, rng, dtype, options):
        input_size = lstm.input_size if input_size is None and lstm is not None and embedding is None else input_size
        check_sizes(input_size=input_size, **({} if embedding is None else {"embedding": embedding}))
        super().__init__(embedding or input_size, hidden_size, output_size, lstm, rng, dtype, options)
        self.input_size, self.embedding = input_size, None
        if embedding is not None:
            self.embedding = nn.Embedding(input_size, embedding, dtype=self.head.weight.dtype)
            nn.init.normal_(self.embedding.weight, generator=self.rng)

    def read(self, x, lengths):
        """Embed tokens where there is an embedding, and run the recurrent network."""
        if self.embedding is not None:
            x = self.embedding(torch.as_tensor(check_tokens(x, self.input_size, lengths), device=x.device))
        else:
            check_shape("x", x, ("B", "T", self.input_size))
        return self.run(x, lengths)


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
        if not isinstance(pooling, AttentionPool) and not callable(pooling):
            check_choice("pooling", pooling, ("last", "max", "mean", "attention"))
        super().__init__(input_size, hidden_size, output_size, embedding, lstm, rng, dtype, options)
        self.pooling, size = pooling, self.head.in_features
        if pooling == "attention":
            self.pool = AttentionPool(size, rng=self.rng, dtype=self.head.weight.dtype)
        elif isinstance(pooling, AttentionPool):
            if pooling.input_size != size:
                raise ValueError(f"pooling must have input_size {size}, got {pooling.input_size}")
            del self.pooling  # torch has filed it as a layer, and it goes by another name
            self.pooling, self.pool = "attention", pooling

    def forward(self, x, lengths=None):
        """Map x (B, T, D), or tokens (B, T), to scores (B, K)."""
        output, state = self.read(x, lengths)  # (B, T, directions * H)
        h_n = state[0] if isinstance(state, tuple) else state  # (layers * directions, B, H)
        if self.pooling == "last":
            pooled = torch.cat(tuple(h_n[-2:] if self.lstm.bidirectional else h_n[-1:]), dim=-1)
        elif self.pooling == "max":
            pooled = max_pool(output, lengths)
        elif self.pooling == "mean":
            pooled = mean_pool(output, lengths)
        elif self.pooling == "attention":
            pooled = self.pool(output, lengths)
        else:
            pooled = weighted_pool(output, self.pooling(output.shape[1]), lengths)
        return self.head(pooled)


class ManyToMany(Reader):
    """Read a sequence, give an answer at every step: a linear layer on every hidden state.

    Parameters
    ----------
    input_size, hidden_size, output_size, embedding, lstm, rng, dtype, options
        See `ManyToOne`. With `bidirectional` an answer sees the whole sequence, without it the steps up to its own.

    Examples
    --------
    >>> model = ManyToMany(10, 8, 5, bidirectional=True, rng=0)
    >>> model(torch.zeros(4, 7, 10)).shape
    torch.Size([4, 7, 5])
    """

    def __init__(
        self, input_size, hidden_size, output_size, *, embedding=None, lstm=None, rng=None, dtype="float32", **options
    ):
        super().__init__(input_size, hidden_size, output_size, embedding, lstm, rng, dtype, options)

    def forward(self, x, lengths=None):
        """Map x (B, T, D), or tokens (B, T), to scores (B, T, K), 0 past a length."""
        output, _ = self.read(x, lengths)
        scores = self.head(output)
        if lengths is None:
            return scores
        steps = torch.arange(scores.shape[1], device=scores.device)
        valid = steps < torch.as_tensor(lengths, device=scores.device)[:, None]  # (B, T)
        return scores * valid[..., None]
