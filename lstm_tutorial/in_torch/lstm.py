"""The whole network in PyTorch: the twin of `in_numpy.lstm`, an `nn.Module` whose gradients autograd finds."""

from collections.abc import Mapping
from hashlib import blake2b
from numbers import Integral
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from lstm_tutorial.in_torch.cell import autocast_dtype
from lstm_tutorial.in_torch.sequence import flip, lstm_sequence
from lstm_tutorial.validation import (
    as_array,
    check_dropout,
    check_dtype,
    check_floating,
    check_kinds,
    check_lengths,
    check_number,
    check_sequence,
    check_sizes,
    check_state,
    check_state_dict,
    has_values,
    kind_of,
)


class Gates(NamedTuple):
    """The values of the gates, and the cell states, of the top layer; 0 past a length."""

    i: torch.Tensor
    f: torch.Tensor
    g: torch.Tensor
    o: torch.Tensor
    c: torch.Tensor


class Module(nn.Module):
    """An `nn.Module` that takes a state dict as a whole or not at all."""

    def load_state_dict(self, state_dict):
        """Copy values in, from tensors or arrays; all keys and shapes are checked before the first is written.

        Parameters
        ----------
        state_dict : mapping of str to tensor or array
            With the keys of `state_dict()`, no more and no fewer.

        Raises
        ------
        ValueError, TypeError
            If a key is missing or unknown, a shape differs, or a value holds no floating-point numbers. The network is
            then unchanged.
        """
        check_kinds(Mapping, state_dict=state_dict)
        own = self.state_dict()
        new = {}
        for name, value in state_dict.items():
            new[name] = value if torch.is_tensor(value) else torch.as_tensor(as_array(name, value))
        check_state_dict(new, {name: value.shape for name, value in own.items()})
        for name, value in new.items():
            check_floating(name, value)
            if has_values(own[name]) and not has_values(value):
                raise ValueError(f"{name} must hold values, got a tensor on the device meta")
        return super().load_state_dict(new)


class LSTM(Module):
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
        float32 or float64; input of another type is refused, as torch does. Under `torch.autocast` the results have its
        lower dtype, as those of `torch.nn.LSTM`.

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

    _rows = "ifgo"  # what the rows of the weights are for; a variant has others

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
        check_dropout(dropout, num_layers)
        if forget_bias is not None:
            check_number("forget_bias", forget_bias, -float("inf"), float("inf"))
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.batch_first = batch_first
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.peephole = peephole
        self.rng = generator(rng)
        self._replay = Replay()
        dtype = getattr(torch, check_dtype(dtype))
        H, R = hidden_size, len(self._rows) * hidden_size
        forget = slice(self._rows.find("f") * H, self._rows.find("f") * H + H)
        for layer in range(num_layers):
            D = input_size if layer == 0 else H * self._directions
            shapes = {"weight_ih": (R, D), "weight_hh": (R, H), "bias_ih": (R,), "bias_hh": (R,)}
            if peephole:
                shapes["weight_peephole"] = (3, H)
            for direction in range(self._directions):
                for kind, shape in shapes.items():
                    parameter = nn.Parameter(torch.empty(shape, dtype=dtype))
                    draw(parameter, self.rng, H**-0.5)
                    if forget_bias is not None and kind.startswith("bias"):
                        parameter.data[forget] = forget_bias if kind == "bias_ih" else 0
                    self.register_parameter(self._name(kind, layer, direction), parameter)

    @property
    def _directions(self):
        return 2 if self.bidirectional else 1

    @staticmethod
    def _name(kind, layer, direction):
        return f"{kind}_l{layer}_reverse" if direction else f"{kind}_l{layer}"

    def _weights(self, layer, direction):
        """Return the parameters of one direction of one layer, by name, in the order of `lstm_sequence`."""
        kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
        if self.peephole:
            kinds.append("weight_peephole")
        return [getattr(self, self._name(kind, layer, direction)) for kind in kinds]

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

        Raises
        ------
        ValueError, TypeError
            If x, the state or the lengths have another shape, kind or dtype than the network reads.
        """
        check_kinds(torch.Tensor, x=x)
        unbatched = check_sequence(x, self.input_size, batch_first=self.batch_first, has_lengths=lengths is not None)
        x = self._time_major(match_dtype("x", x, self.weight_ih_l0), unbatched)  # (T, B, D)
        dtype = x.dtype
        if lengths is not None:
            lengths = torch.as_tensor(check_lengths(lengths, B=x.shape[1], T=x.shape[0]), device=x.device)
        h_0, c_0 = self._states(state, x, unbatched)

        finals = []
        for layer in range(self.num_layers):
            outputs = []
            gates = []
            if layer > 0:
                x = self._drop(x)
            for direction in range(self._directions):
                weights = self._weights(layer, direction)
                k = layer * self._directions + direction
                seen = flip(x, lengths) if direction else x
                output, final, values = self._run_layer(seen, (h_0[k], c_0[k]), weights, lengths)
                outputs.append(flip(output, lengths) if direction else output)
                gates.append([flip(each, lengths) if direction else each for each in values])
                finals.append(final)
            x = torch.cat(outputs, dim=-1)  # (T, B, directions * H)

        h_n, c_n = (torch.stack(each).to(dtype) for each in zip(*finals, strict=True))
        states = (h_n[:, 0], c_n[:, 0]) if unbatched else (h_n, c_n)
        output = self._layout(x.to(dtype), unbatched)
        if not return_gates:
            return output, states
        sides = [torch.cat(each, dim=-1).to(dtype) for each in zip(*gates, strict=True)]
        return output, states, Gates(*(self._layout(each, unbatched) for each in sides))

    def _run_layer(self, x, state, weights, lengths):
        """Run one layer in one direction; return its output, its last state, and the gates."""
        return lstm_sequence(x, state, *weights, lengths=lengths)

    def extra_repr(self):
        return f"{self.input_size}, {self.hidden_size}, num_layers={self.num_layers}"

    def _time_major(self, x, unbatched):
        if unbatched:
            return x[:, None]
        return x.transpose(0, 1) if self.batch_first else x

    def _layout(self, x, unbatched):
        if unbatched:
            return x[:, 0]
        return x.transpose(0, 1) if self.batch_first else x

    def _states(self, state, x, unbatched):
        """Return two states (layers * directions, B, H), zeros where there is none."""
        layers = self.num_layers * self._directions
        B = x.shape[1]
        H = self.hidden_size
        if state is None:
            return x.new_zeros(layers, B, H), x.new_zeros(layers, B, H)
        check_state(state, ("h_0", "c_0"), (layers, H) if unbatched else (layers, B, H))
        h_0, c_0 = state
        check_kinds(torch.Tensor, h_0=h_0, c_0=c_0)
        h_0 = match_dtype("h_0", h_0, self.weight_ih_l0)
        c_0 = match_dtype("c_0", c_0, self.weight_ih_l0)
        return h_0.reshape(layers, B, H), c_0.reshape(layers, B, H)

    def _drop(self, x):
        """Zero a share of x in training."""
        if not self.training or self.dropout == 0:
            return x
        if self.rng is None:
            return functional.dropout(x, self.dropout)
        kept = torch.rand(x.shape, generator=self._replay(self.rng)) >= self.dropout
        return x * kept.to(x) / (1 - self.dropout if self.dropout < 1 else 1)


# What the other networks need too: seeds, initial values, dtypes


def generator(rng):
    """Return a `torch.Generator` for a generator, an integer seed or None (torch's own global one).

    Raises
    ------
    TypeError
        For anything else, NumPy's generators among it.
    """
    if isinstance(rng, Integral) and not isinstance(rng, bool):
        return torch.Generator().manual_seed(int(rng))
    if rng is not None and not isinstance(rng, torch.Generator):
        raise TypeError(f"rng must be a torch.Generator, an integer seed or None, got {kind_of(type(rng))}")
    return rng


def move(rng):
    """Return a number that stands for the state of a generator and serves as a seed, and move on to the next state."""
    state = rng.get_state().numpy().tobytes()
    torch.rand(1, generator=rng, device=rng.device)
    return int.from_bytes(blake2b(state, digest_size=7).digest())


class Replay:
    """Give a generator for the draws of one forward, and the same one again where a checkpoint runs that forward again.

    `torch.utils.checkpoint` takes torch's global generator back to where it stood, and no other one. So every call
    moves that one too, and its state names the seed that `rng` has given: where the state comes again, the seed does.
    Only the last 10,000 seeds are kept.

    Examples
    --------
    >>> replay, rng, state = Replay(), generator(0), torch.get_rng_state()
    >>> first = torch.rand(2, generator=replay(rng))
    >>> second = torch.rand(2, generator=replay(rng))
    >>> _ = torch.set_rng_state(state)
    >>> torch.equal(torch.rand(2, generator=replay(rng)), first), torch.equal(first, second)
    (True, False)
    """

    def __init__(self):
        self.seeds = {}

    def __call__(self, rng):
        state = move(torch.default_generator), id(rng)
        if state not in self.seeds:
            self.seeds[state] = move(rng)
            if len(self.seeds) > 10_000:
                del self.seeds[next(iter(self.seeds))]
        return generator(self.seeds[state])


def draw(parameter, rng, bound=None):
    """Fill a parameter from uniform(-bound, bound), or from the standard normal distribution if there is no bound.

    The numbers are drawn where the generator is and then copied, so that a seed gives the same ones on every device.
    """
    device = parameter.device if rng is None else rng.device
    drawn = torch.empty(parameter.shape, dtype=parameter.dtype, device=device)
    if bound is None:
        drawn.normal_(generator=rng)
    else:
        drawn.uniform_(-bound, bound, generator=rng)
    with torch.no_grad():
        parameter.copy_(drawn)


def match_dtype(name, value, parameter):
    """Return a tensor in the dtype in which a network with this parameter computes.

    Outside of `torch.autocast` that is the parameter's own, and another one is refused. Inside it is the lower one of
    autocast, to which any float but float64 is cast, as for `torch.nn.LSTM`.

    Raises
    ------
    TypeError
        If the dtype does not fit.
    """
    low = (torch.float32, torch.bfloat16, torch.float16)
    autocast = autocast_dtype(value)
    if autocast is not None and value.dtype in low and parameter.dtype in low:
        return value.to(autocast)
    if value.dtype != parameter.dtype:
        raise TypeError(f"{name} must hold {parameter.dtype}, the network's, got {value.dtype}")
    return value
