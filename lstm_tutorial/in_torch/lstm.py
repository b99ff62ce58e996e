"""The whole network in PyTorch: the twin of `in_numpy.lstm`, an `nn.Module` whose gradients autograd finds."""

from typing import NamedTuple

import torch
from torch import nn

from lstm_tutorial.in_torch.sequence import flip, lstm_sequence
from lstm_tutorial.validation import (
    check_dtype,
    check_lengths,
    check_number,
    check_sequence,
    check_sizes,
    check_state,
    check_state_dict,
)


class Gates(NamedTuple):
    """The openings of the gates, and the cell states, of the top layer; 0 past a length."""

    i: torch.Tensor
    f: torch.Tensor
    g: torch.Tensor
    o: torch.Tensor
    c: torch.Tensor


def generator(rng):
    """Return a `torch.Generator` for a generator, a seed or None (torch's own global one)."""
    return torch.Generator().manual_seed(rng) if isinstance(rng, int) else rng


class LSTM(nn.Module):
    """Long short-term memory over sequences, with the signature and the numbers of `torch.nn.LSTM`.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    num_layers : int
        Each further layer reads the outputs of the one below.
    batch_first : bool
        Whether x and output are (B, T, ...) rather than (T, B, ...). It does not move the states.
    bidirectional : bool
        Whether a second direction reads each sequence from its last valid step to its first.
    dropout : float
        Share of the outputs of every layer but the top one that is zeroed in training; the rest grows to match.
    peephole : bool
        Whether the gates see the cell state (Gers and Schmidhuber 2000). torch has no such thing.
    forget_bias : float, optional
        Sets the forget rows of every `bias_ih` to this and of every `bias_hh` to 0 (Jozefowicz et al. 2015).
    rng : torch.Generator, int or None
        Draws the parameters from uniform(-1/sqrt(H), 1/sqrt(H)), and dropout. None: torch's global generator.
    dtype : str or dtype
        float32 or float64; input of another type is refused, as torch does.

    Notes
    -----
    Parameters have torch's names; with peepholes `weight_peephole_l0` (3, H), rows i, f, o, and so on. Left out on
    purpose: `bias=False`, `proj_size`, `device` (use `.to`), positional options. Unlike torch it takes `lengths` where
    torch packs, and `load_state_dict` is always strict and changes nothing when it refuses. Chapter: pytorch-lstm.

    Examples
    --------
    >>> lstm = LSTM(10, 5, num_layers=2, bidirectional=True, rng=0)
    >>> output, (h_n, c_n) = lstm(torch.ones(7, 4, 10))
    >>> output.shape, h_n.shape, c_n.shape
    (torch.Size([7, 4, 10]), torch.Size([4, 4, 5]), torch.Size([4, 4, 5]))
    """

    def __init__(
        self,
        input_size,
        hidden_size,
        num_layers=1,
        *,
        batch_first=False,
        bidirectional=False,
        dropout=0.0,
        peephole=False,
        forget_bias=None,
        rng=None,
        dtype="float32",
    ):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        check_number("dropout", dropout, 0, 1)
        if forget_bias is not None:
            check_number("forget_bias", forget_bias, -float("inf"), float("inf"))
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.batch_first, self.bidirectional, self.dropout = batch_first, bidirectional, dropout
        self.peephole, dtype = peephole, getattr(torch, check_dtype(dtype))
        self.rng, H = generator(rng), hidden_size
        for layer in range(num_layers):
            D = input_size if layer == 0 else H * self._directions
            for direction in range(self._directions):
                shapes = (4 * H, D), (4 * H, H), (4 * H,), (4 * H,), (3, H)
                for name, shape in zip(self._names(layer, direction), shapes, strict=False):
                    value = torch.empty(shape, dtype=dtype).uniform_(-(H**-0.5), H**-0.5, generator=self.rng)
                    if forget_bias is not None and name.startswith("bias"):
                        value[H : 2 * H] = forget_bias if "ih" in name else 0
                    self.register_parameter(name, nn.Parameter(value))

    @property
    def _directions(self):
        return 2 if self.bidirectional else 1

    def _names(self, layer, direction):
        kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] + ["weight_peephole"] * self.peephole
        return [f"{kind}_l{layer}{'_reverse' * direction}" for kind in kinds]

    def forward(self, x, state=None, *, lengths=None, return_gates=False):
        """Run the network.

        Parameters
        ----------
        x : tensor (T, B, D), (B, T, D) with `batch_first`, or (T, D)
        state : tuple of tensors (layers * directions, B, H), optional
            `(h_0, c_0)`; zeros if not given. Without a batch axis if x has none.
        lengths : sequence of int, shape (B,), optional
            Valid steps of each sequence; see `lstm_sequence`.
        return_gates : bool
            Whether to return the top layer's `Gates` as a third result, directions side by side.

        Returns
        -------
        tuple
            `output` (T, B, directions * H), or (B, T, ...) with `batch_first`; and `(h_n, c_n)`, each
            (layers * directions, B, H). Where there are lengths, the states are those of the last valid steps.
        """
        unbatched = check_sequence(x, self.input_size, batch_first=self.batch_first, has_lengths=lengths is not None)
        x = self._time_major(self._same_dtype("x", x), unbatched)  # (T, B, D)
        if lengths is not None:
            lengths = torch.as_tensor(check_lengths(lengths, B=x.shape[1], T=x.shape[0]), device=x.device)
        h_0, c_0 = self._states(state, x, unbatched)

        finals = []
        for layer in range(self.num_layers):
            outputs, gates = [], []
            x = self._drop(x) if layer > 0 else x
            for direction in range(self._directions):
                weights = [getattr(self, name) for name in self._names(layer, direction)]
                weights += [None] * (5 - len(weights))
                k = layer * self._directions + direction
                seen = flip(x, lengths) if direction else x
                output, final, opened = lstm_sequence(seen, (h_0[k], c_0[k]), *weights, lengths=lengths)
                outputs.append(flip(output, lengths) if direction else output)
                gates.append([flip(each, lengths) if direction else each for each in opened])
                finals.append(final)
            x = torch.cat(outputs, dim=-1)  # (T, B, directions * H)

        h_n, c_n = (torch.stack(each) for each in zip(*finals, strict=True))
        states = (h_n[:, 0], c_n[:, 0]) if unbatched else (h_n, c_n)
        if not return_gates:
            return self._layout(x, unbatched), states
        gates = Gates(*(self._layout(torch.cat(each, dim=-1), unbatched) for each in zip(*gates, strict=True)))
        return self._layout(x, unbatched), states, gates

    def load_state_dict(self, state_dict):
        """Copy values in, from tensors or arrays; all keys and shapes are checked before the first is written.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or a shape differs. The network is then unchanged.
        """
        new = {name: torch.as_tensor(value) for name, value in state_dict.items()}
        check_state_dict(new, {name: value.shape for name, value in self.named_parameters()})
        return super().load_state_dict(new)

    def extra_repr(self):
        return f"{self.input_size}, {self.hidden_size}, num_layers={self.num_layers}"

    def _time_major(self, x, unbatched):
        return x[:, None] if unbatched else x.transpose(0, 1) if self.batch_first else x

    def _layout(self, x, unbatched):
        return x[:, 0] if unbatched else x.transpose(0, 1) if self.batch_first else x

    def _same_dtype(self, name, value):
        if value.dtype != self.weight_ih_l0.dtype:
            raise TypeError(f"{name} must hold {self.weight_ih_l0.dtype}, the network's, got {value.dtype}")
        return value

    def _states(self, state, x, unbatched):
        """Return two states (layers * directions, B, H), zeros where there is none."""
        full = (self.num_layers * self._directions, x.shape[1], self.hidden_size)
        if state is None:
            return x.new_zeros(full), x.new_zeros(full)
        check_state(state, ("h_0", "c_0"), full[::2] if unbatched else full)
        return [self._same_dtype(name, each).reshape(full) for name, each in zip(("h_0", "c_0"), state, strict=True)]

    def _drop(self, x):
        if not self.training or self.dropout == 0:
            return x
        device = self.rng.device if self.rng is not None else x.device
        kept = torch.rand(x.shape, generator=self.rng, device=device) >= self.dropout
        return x * kept.to(x) / (1 - self.dropout if self.dropout < 1 else 1)
