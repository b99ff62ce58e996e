"""The whole network: layers and directions of `lstm_sequence`, dropout, a state dict. What `torch.nn.LSTM` is."""

from typing import NamedTuple

import numpy as np

from lstm_tutorial.in_numpy.layers import Layer
from lstm_tutorial.in_numpy.sequence import flip, lstm_sequence, lstm_sequence_backward
from lstm_tutorial.validation import (
    as_array,
    check_dropout,
    check_dtype,
    check_lengths,
    check_number,
    check_sequence,
    check_shape,
    check_sizes,
    check_state,
)


class Gates(NamedTuple):
    """The gates and the cell states of the top layer; 0 past a length."""

    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c: np.ndarray


class LSTM(Layer):
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
    rng : numpy.random.Generator, int or None
        Draws the parameters from uniform(-1/sqrt(H), 1/sqrt(H)), and dropout.
    dtype : str or dtype
        float32 or float64; input is cast to it.

    Attributes
    ----------
    parameters : dict of str to array
        torch's names and gate order i, f, g, o: `weight_ih_l0` (4H, D), `weight_hh_l0` (4H, H), `bias_ih_l0` and
        `bias_hh_l0` (4H,), `weight_peephole_l0` (3, H) with rows i, f, o; then `_l0_reverse`, `_l1` and so on.
    gradients : dict of str to array
        The same keys, overwritten by each `backward`.

    Notes
    -----
    Left out on purpose: `bias=False`, `proj_size`, `device`, positional options. Unlike torch it takes `lengths`
    where torch packs, and `load_state_dict` changes nothing when it refuses. `FastLSTM` computes the same numbers
    several times as fast. Chapter: numpy-lstm.

    Examples
    --------
    >>> lstm = LSTM(10, 5, num_layers=2, bidirectional=True, rng=0)
    >>> output, (h_n, c_n) = lstm(np.ones((7, 4, 10)))
    >>> output.shape, h_n.shape, c_n.shape
    ((7, 4, 10), (4, 4, 5), (4, 4, 5))
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
            check_number("forget_bias", forget_bias, -np.inf, np.inf)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.batch_first = batch_first
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.peephole = peephole
        self.dtype = check_dtype(dtype)
        self.rng = np.random.default_rng(rng)
        H, R = hidden_size, len(self._rows) * hidden_size
        forget = slice(self._rows.find("f") * H, self._rows.find("f") * H + H)
        for layer in range(num_layers):
            D = input_size if layer == 0 else H * self._directions
            shapes = {"weight_ih": (R, D), "weight_hh": (R, H), "bias_ih": (R,), "bias_hh": (R,)}
            if peephole:
                shapes["weight_peephole"] = (3, H)
            for direction in range(self._directions):
                for kind, shape in shapes.items():
                    value = self.rng.uniform(-(H**-0.5), H**-0.5, shape).astype(self.dtype)
                    if forget_bias is not None and kind.startswith("bias"):
                        value[forget] = forget_bias if kind == "bias_ih" else 0
                    self._parameters[f"{kind}{self._end(layer, direction)}"] = value

    @property
    def _directions(self):
        return 2 if self.bidirectional else 1

    def _end(self, layer, direction):
        """Return how the names of a layer's parameters end in one direction: `_l0`, `_l0_reverse` and so on."""
        return f"_l{layer}_reverse" if direction else f"_l{layer}"

    def __call__(self, x, state=None, *, lengths=None, return_gates=False, keep_cache=True):
        """Run the network.

        Parameters
        ----------
        x : array (T, B, D), (B, T, D) with `batch_first`, or (T, D)
        state : tuple of arrays (layers * directions, B, H), optional
            `(h_0, c_0)`; zeros if not given. Without a batch axis if x has none.
        lengths : sequence of int, shape (B,), optional
            Valid steps of each sequence; see `lstm_sequence`.
        return_gates : bool
            Whether to return the top layer's `Gates` as a third result, directions side by side.
        keep_cache : bool
            False for inference: `backward` is then not possible.

        Returns
        -------
        tuple
            `output` (T, B, directions * H), or (B, T, ...) with `batch_first`; and `(h_n, c_n)`, each
            (layers * directions, B, H). Where there are lengths, the states are those of the last valid steps.
        """
        x = as_array("x", x)
        unbatched = check_sequence(x, self.input_size, batch_first=self.batch_first, has_lengths=lengths is not None)
        x = self._time_major(x.astype(self.dtype, copy=False), unbatched)  # (T, B, D)
        T, B, _ = x.shape
        if lengths is not None:
            lengths = check_lengths(as_array("lengths", lengths), B, T)
        h_0, c_0 = self._states(state, ("h_0", "c_0"), B, unbatched)
        self._cache = None  # what the last forward kept is not needed any more

        caches, masks, h_n, c_n = [], [], [], []
        for layer in range(self.num_layers):
            mask = self._dropout_mask(x.shape) if layer > 0 else None
            if mask is not None:
                x = x * mask
            masks.append(mask)
            outputs = []
            for direction in range(self._directions):
                k = layer * self._directions + direction
                seen = flip(x, lengths) if direction else x
                output, (h, c), cache = self._run_layer(
                    seen, (h_0[k], c_0[k]), self._weights(layer, direction), lengths, keep_cache or return_gates
                )
                outputs.append(flip(output, lengths) if direction else output)
                caches.append(cache)
                h_n.append(h)
                c_n.append(c)
            x = np.concatenate(outputs, axis=-1) if self.bidirectional else outputs[0]  # (T, B, directions * H)

        if keep_cache:
            self._cache = (caches, masks, lengths, (T, B), unbatched)
        states = self._batch(np.stack(h_n), unbatched), self._batch(np.stack(c_n), unbatched)
        if not return_gates:
            return self._layout(x, unbatched), states
        gates = self._top_gates(caches[-self._directions :], lengths)
        return self._layout(x, unbatched), states, Gates(*(self._layout(each, unbatched) for each in gates))

    def backward(self, d_output=None, d_state=None):
        """Carry gradients back through the last forward, and overwrite `gradients`.

        Parameters
        ----------
        d_output : array, the shape of `output`, optional
            None means zero. What lies past a length is not looked at.
        d_state : tuple, optional
            `(d_h_n, d_c_n)`, each the shape of `h_n`, or None for zero.

        Returns
        -------
        tuple
            `d_x`, the shape of x and exactly 0 past a length, and `(d_h_0, d_c_0)`.

        Raises
        ------
        RuntimeError
            Without a forward before it that kept its cache, or a second time for one forward.
        """
        caches, masks, lengths, (T, B), unbatched = self._last_forward()
        directions, H = self._directions, self.hidden_size
        if isinstance(d_state, tuple | list):
            zero = np.zeros(self._shape_of_state(B, unbatched), self.dtype)
            d_state = tuple(zero if each is None else each for each in d_state)
        d_h, d_c = self._states(d_state, ("d_h_n", "d_c_n"), B, unbatched)
        if d_output is None:
            d_x = np.zeros((T, B, directions * H), self.dtype)
        else:
            d_x = as_array("d_output", d_output)
            axes = (T,) if unbatched else (B, T) if self.batch_first else (T, B)
            check_shape("d_output", d_x, (*axes, directions * H))
            d_x = self._time_major(d_x.astype(self.dtype, copy=False), unbatched)
        self._cache = None

        d_h_0, d_c_0, found = np.empty_like(d_h), np.empty_like(d_c), {}
        for layer in reversed(range(self.num_layers)):
            d_outputs, d_inputs = np.split(d_x, directions, axis=-1), []
            for direction in range(directions):
                k = layer * directions + direction
                d_output = flip(d_outputs[direction], lengths) if direction else d_outputs[direction]
                d_seen, (d_h_0[k], d_c_0[k]), gradients = self._run_layer_backward(
                    d_output, (d_h[k], d_c[k]), caches[k]
                )
                d_inputs.append(flip(d_seen, lengths) if direction else d_seen)
                for kind, gradient in gradients.items():
                    found[f"{kind}{self._end(layer, direction)}"] = gradient
            d_x = d_inputs[0] + d_inputs[1] if self.bidirectional else d_inputs[0]  # both read the same x
            if masks[layer] is not None:
                d_x = d_x * masks[layer]
        self._gradients = {name: found[name] for name in self._parameters}
        return self._layout(d_x, unbatched), (self._batch(d_h_0, unbatched), self._batch(d_c_0, unbatched))

    def _run_layer(self, x, state, weights, lengths, keep_cache):
        """Run one layer in one direction over x (T, B, D); return its output, its last state, and its cache."""
        return lstm_sequence(x, state, *weights, lengths=lengths)

    def _run_layer_backward(self, d_output, d_state, cache):
        """Return d_x, the gradients of the first state, and a dict of those of the weights."""
        return lstm_sequence_backward(d_output, d_state, cache)

    def _weights(self, layer, direction):
        """Return the arguments that `lstm_sequence` takes after the state, of one layer in one direction."""
        kinds = "weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_peephole"
        return [self._parameters.get(f"{kind}{self._end(layer, direction)}") for kind in kinds]

    def _time_major(self, x, unbatched):
        """Return x as (T, B, ...)."""
        if unbatched:
            return x[:, None]
        return x.swapaxes(0, 1) if self.batch_first else x

    def _layout(self, x, unbatched):
        """Return x (T, B, ...) as the caller has it."""
        if unbatched:
            return x[:, 0]
        return x.swapaxes(0, 1) if self.batch_first else x

    def _batch(self, state, unbatched):
        """Return a state (layers * directions, B, H) as the caller has it."""
        return state[:, 0] if unbatched else state

    def _shape_of_state(self, B, unbatched):
        k = self.num_layers * self._directions
        return (k, self.hidden_size) if unbatched else (k, B, self.hidden_size)

    def _states(self, state, names, B, unbatched):
        """Return two states (layers * directions, B, H), zeros where there is none."""
        full = self._shape_of_state(B, unbatched=False)
        if state is None:
            return np.zeros(full, self.dtype), np.zeros(full, self.dtype)
        check_state(state, names, self._shape_of_state(B, unbatched))
        states = [as_array(name, each) for name, each in zip(names, state, strict=True)]
        return [each.reshape(full).astype(self.dtype, copy=False) for each in states]

    def _dropout_mask(self, shape):
        if not self.training or self.dropout == 0:
            return None
        kept = self.rng.random(shape) >= self.dropout
        return kept.astype(self.dtype) / (1 - self.dropout if self.dropout < 1 else 1)

    def _top_gates(self, caches, lengths):
        """Return i, f, g, o and c (T, B, directions * H) of the top layer's caches, one a direction."""
        by_direction = [cache.gates() for cache in caches]
        if self.bidirectional:
            by_direction[1] = [flip(each, lengths) for each in by_direction[1]]
        return [np.concatenate(each, axis=-1) for each in zip(*by_direction, strict=True)]
