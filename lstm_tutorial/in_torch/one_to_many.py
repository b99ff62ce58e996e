"""From one vector to a sequence: every output is fed back as the next input."""

from numbers import Integral

import torch
from torch import nn

from lstm_tutorial.in_torch.lstm import draw, generator, match_dtype
from lstm_tutorial.in_torch.padding import fill_padding, valid_steps
from lstm_tutorial.in_torch.topologies import Topology, draw_linear
from lstm_tutorial.validation import (
    check_choice,
    check_floating,
    check_kinds,
    check_number,
    check_shape,
    check_sizes,
    check_tokens,
    has_values,
    kind_of,
)


class OneToMany(Topology):
    """Read one vector, write a sequence: every output is fed back as the next input.

    Parameters
    ----------
    input_size, hidden_size, output_size : int
        Size of the vector; H; K, the size of an output, or the number of different tokens.
    condition : str
        Where the vector goes: "state" makes the initial h and c of it, "input" repeats it beside every input.
    embedding : int, optional
        Size of the vector that stands for each token; outputs are then scores of tokens, and a token is fed back.
    stop : int, optional
        The token that ends a sequence in `generate`.
    lstm, rng, dtype, options
        See `Topology`.

    Notes
    -----
    Chapter: one-to-many.

    Examples
    --------
    >>> model = OneToMany(10, 8, 2, rng=0)
    >>> model(torch.zeros(4, 10), steps=5).shape
    torch.Size([4, 5, 2])
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        output_size,
        *,
        condition="state",
        embedding=None,
        stop=None,
        lstm=None,
        rng=None,
        dtype="float32",
        **options,
    ):
        check_choice("condition", condition, ("state", "input"))
        check_sizes(input_size=input_size, **({} if embedding is None else {"embedding": embedding}))
        check_sizes(output_size=output_size)
        rng = generator(rng)
        fed = output_size if embedding is None else embedding
        fed += input_size if condition == "input" else 0
        super().__init__(fed, hidden_size, output_size, lstm, rng, dtype, options)
        if self.lstm.bidirectional:
            raise ValueError("lstm must read forwards only, got bidirectional=True: the next output is not there yet")
        if condition == "state" and isinstance(self.lstm, nn.GRU | nn.RNN):
            came = kind_of(type(self.lstm))
            raise TypeError(f'lstm must be an LSTM where condition="state", which makes its h and c, got {came}')
        if stop is not None and (embedding is None or not isinstance(stop, Integral) or not 0 <= stop < output_size):
            raise ValueError(f"stop must be one of {output_size} tokens, got {stop} with embedding={embedding}")
        self.input_size = input_size
        self.condition = condition
        self.stop = stop
        dtype = self.head.weight.dtype
        self.embedding = None
        if embedding is not None:
            self.embedding = nn.Embedding(output_size + 1, embedding, dtype=dtype)  # the last one says: start
            draw(self.embedding.weight, rng)
        self.to_state = None
        if condition == "state":
            self.to_state = nn.Linear(input_size, 2 * self.lstm.num_layers * self.hidden_size, dtype=dtype)
            draw_linear(self.to_state, rng)

    def forward(self, x, steps=None, *, targets=None, lengths=None):
        """Write a sequence for each vector.

        Parameters
        ----------
        x : tensor (B, input_size)
        steps : int
            How many outputs to write, each fed back as it is, or as its likeliest token.
        targets : tensor (B, T, K) or tokens (B, T), instead of `steps`
            Teacher forcing: what is fed back is the target, not the output. For training only.
        lengths : sequence of int, shape (B,), optional
            Valid steps of the targets.

        Returns
        -------
        tensor (B, T, K)
            Outputs, or scores of tokens; with lengths 0 past them.

        Raises
        ------
        ValueError, TypeError
            If x, the targets or the lengths have another shape, kind or dtype, or not one of `steps` and `targets` is
            given.
        """
        x = self._read(x)
        if (steps is None) == (targets is None):
            raise ValueError("steps or targets must be given, and not both")
        if steps is not None:
            return self._write(x, steps, lambda scores: scores.argmax(dim=-1))[0]
        if self.embedding is not None:
            targets = torch.as_tensor(check_tokens(targets, self.output_size, lengths), device=x.device)
        else:
            check_kinds(torch.Tensor, targets=targets)
            check_shape("targets", targets, (len(x), "T", self.output_size))
            targets = match_dtype("targets", targets, self.weight)
        # shifted by a step: (B, T, ...)
        fed = torch.cat([self._first(x), self._feed(targets[:, :-1])], dim=1)
        output, _ = self.run(self._beside(fed, x), lengths, self._state(x))
        scores = self.head(output)
        return fill_padding(scores, valid_steps(lengths, scores.shape[1], scores.device), 0)

    @torch.no_grad()
    def generate(self, x, steps, *, temperature=0.0, rng=None):
        """Write tokens until each sequence has stopped, or for `steps`.

        Parameters
        ----------
        x : tensor (B, input_size)
        steps : int
            The longest a sequence may become.
        temperature : float
            Scores are divided by it before a token is drawn; 0 takes the likeliest, always.
        rng : torch.Generator, int or None

        Returns
        -------
        tokens : tensor (B, T)
            The stop token from where a sequence has ended.
        lengths : tensor (B,)
            Tokens of each before the stop.

        Raises
        ------
        ValueError, TypeError
            If x or the temperature does not fit, or the network writes no tokens.
        """
        x = self._read(x)
        check_number("temperature", temperature, 0, float("inf"))
        if self.embedding is None:
            raise ValueError("generate needs tokens: build the network with embedding=")
        rng = generator(rng)

        def pick(scores):
            if temperature == 0:
                return scores.argmax(dim=-1)
            p = torch.softmax(scores / temperature, dim=-1)
            device = p.device if rng is None or not has_values(p) else rng.device  # drawn where the generator is
            return p.to(device).multinomial(1, generator=rng)[:, 0].to(p.device)

        _, tokens = self._write(x, steps, pick)
        if self.stop is None:
            return tokens, torch.full((len(x),), tokens.shape[1], device=tokens.device)
        stopped = (tokens == self.stop).cumsum(dim=1) > 0
        return tokens.masked_fill(stopped, self.stop), (~stopped).sum(dim=1)

    def _write(self, x, steps, pick):
        """Feed outputs back; return scores (B, T, K) and, where there is an embedding, the tokens (B, T)."""
        check_sizes(steps=steps)
        outputs = []
        tokens = []
        state = self._state(x)
        fed = self._first(x)
        for _ in range(steps):
            output, state = self.run(self._beside(fed, x), state=state)
            outputs.append(self.head(output[:, 0]))
            tokens.append(outputs[-1] if self.embedding is None else pick(outputs[-1]))
            fed = self._feed(tokens[-1][:, None])
            stopped = None if self.stop is None else (torch.stack(tokens, dim=1) == self.stop).any(dim=1)
            if stopped is not None and has_values(stopped) and stopped.all():
                break
        return torch.stack(outputs, dim=1), torch.stack(tokens, dim=1)

    def _read(self, x):
        """Check the vectors x (B, input_size), and return them in the dtype in which the network computes."""
        check_kinds(torch.Tensor, x=x)
        check_shape("x", x, ("B", self.input_size))
        check_floating("x", x)
        return match_dtype("x", x, self.weight)

    def _state(self, x):
        if self.to_state is None:
            return None
        h_0, c_0 = self.to_state(x).view(len(x), 2, self.lstm.num_layers, self.hidden_size).permute(1, 2, 0, 3)
        return torch.tanh(h_0).contiguous(), c_0.contiguous()  # each (layers, B, H)

    def _first(self, x):
        if self.embedding is None:
            return x.new_zeros(len(x), 1, self.output_size)
        return self.embedding(torch.full((len(x), 1), self.output_size, device=x.device))

    def _feed(self, y):
        return y if self.embedding is None else self.embedding(y)

    def _beside(self, fed, x):
        if self.condition == "state":
            return fed
        return torch.cat([fed, x[:, None].expand(-1, fed.shape[1], -1)], dim=-1)
