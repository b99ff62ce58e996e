"""The whole network: layers, directions, dropout, a state dict. What `torch.nn.LSTM` is, built from `fused`."""

from typing import NamedTuple

import numpy as np

from lstm_tutorial.in_numpy.fused import CELL, fused_sequence, fused_sequence_backward
from lstm_tutorial.in_numpy.layers import Layer
from lstm_tutorial.in_numpy.sequence import flip
from lstm_tutorial.validation import (
    check_dtype,
    check_lengths,
    check_number,
    check_sequence,
    check_shape,
    check_sizes,
    check_state,
)


class Gates(NamedTuple):
    """The openings of the gates, and the cell states, of the top layer; 0 past a length."""

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
    where torch packs, and `load_state_dict` changes nothing when it refuses. Chapter: numpy-lstm.

    Examples
    --------
    >>> lstm = LSTM(10, 5, num_layers=2, bidirectional=True, rng=0)
    >>> output, (h_n, c_n) = lstm(np.ones((7, 4, 10)))
    >>> output.shape, h_n.shape, c_n.shape
    ((7, 4, 10), (4, 4, 5), (4, 4, 5))
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
            check_number("forget_bias", forget_bias, -np.inf, np.inf)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.batch_first, self.bidirectional, self.dropout = batch_first, bidirectional, dropout
        self.peephole, self.dtype = peephole, check_dtype(dtype)
        self.rng, H, self._used = np.random.default_rng(rng), hidden_size, {}  # caches whose memory is used again
        for layer in range(num_layers):
            D = input_size if layer == 0 else H * self._directions
            for direction in range(self._directions):
                shapes = (4 * H, D), (4 * H, H), (4 * H,), (4 * H,), (3, H)
                for name, shape in zip(self._names(layer, direction), shapes, strict=False):
                    self._parameters[name] = self.rng.uniform(-(H**-0.5), H**-0.5, shape).astype(self.dtype)
                    if forget_bias is not None and name.startswith("bias"):
                        self._parameters[name][H : 2 * H] = forget_bias if "ih" in name else 0

    @property
    def _directions(self):
        return 2 if self.bidirectional else 1

    def _names(self, layer, direction):
        kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] + ["weight_peephole"] * self.peephole
        return [f"{kind}_l{layer}{'_reverse' * direction}" for kind in kinds]

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
        x = np.asarray(x)
        unbatched = check_sequence(x, self.input_size, batch_first=self.batch_first, has_lengths=lengths is not None)
        x = self._time_major(x.astype(self.dtype, copy=False), unbatched)  # (T, B, D)
        T, B, _ = x.shape
        if lengths is not None:
            lengths = check_lengths(lengths, B, T)
        h_0, c_0 = self._states(state, ("h_0", "c_0"), B, unbatched)

        caches, masks, finals = [], [], []
        for layer in range(self.num_layers):
            masks.append(self._dropout_mask(x.shape) if layer > 0 else None)
            if masks[-1] is not None:
                x = x * masks[-1]
            outputs = []
            for direction in range(self._directions):
                weights = [self._parameters[name] for name in self._names(layer, direction)]
                weights += [None] * (5 - len(weights))
                k = layer * self._directions + direction
                seen = flip(x, lengths) if direction else x
                options = {"keep_cache": keep_cache or return_gates, "recycle": self._used.get(k)}
                output, final, cache = fused_sequence(seen, (h_0[k], c_0[k]), *weights, lengths=lengths, **options)
                self._used |= {} if cache is None else {k: cache}
                outputs.append(flip(output, lengths) if direction else output)
                finals.append(final)
                caches.append(cache)
            x = np.concatenate(outputs, axis=-1) if len(outputs) > 1 else outputs[0]  # (T, B, directions * H)

        self._cache = (caches, masks, lengths, unbatched) if keep_cache else None
        h_n, c_n = (np.stack(each) for each in zip(*finals, strict=True))
        states = (h_n[:, 0], c_n[:, 0]) if unbatched else (h_n, c_n)
        if not return_gates:
            return self._layout(x, unbatched), states
        top = [self._gates_of(cache) for cache in caches[-self._directions :]]
        top = [[flip(each, lengths) if k else each for each in gates] for k, gates in enumerate(top)]
        gates = Gates(*(self._layout(np.concatenate(each, axis=-1), unbatched) for each in zip(*top, strict=True)))
        return self._layout(x, unbatched), states, gates

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
        caches, masks, lengths, unbatched = self._last_forward()
        T, B = len(caches[0].seen) - 1, caches[0].seen.shape[1]
        directions, H = self._directions, self.hidden_size
        d_h, d_c = self._states(d_state, ("d_h_n", "d_c_n"), B, unbatched)
        if d_output is None:
            d_x = np.zeros((T, B, directions * H), self.dtype)
        else:
            d_x = np.asarray(d_output, self.dtype)
            axes = (T,) if unbatched else (B, T) if self.batch_first else (T, B)
            check_shape("d_output", d_x, (*axes, directions * H))
            d_x = self._time_major(d_x, unbatched)
        self._cache = None

        d_first, found = {}, {}
        for layer in reversed(range(self.num_layers)):
            d_outputs, d_x = np.split(d_x, directions, axis=-1), None
            for direction in range(directions):
                k = layer * directions + direction
                d_seen = flip(d_outputs[direction], lengths) if direction else d_outputs[direction]
                d_seen, d_first[k], gradients = fused_sequence_backward(d_seen, (d_h[k], d_c[k]), caches[k])
                d_seen = flip(d_seen, lengths) if direction else d_seen
                d_x = d_seen if d_x is None else np.add(d_x, d_seen, out=d_x)
                found |= zip(self._names(layer, direction), gradients.values(), strict=True)
            if masks[layer] is not None:
                d_x = d_x * masks[layer]
        self._gradients = {name: found[name] for name in self._parameters}
        d_h_0, d_c_0 = (np.stack([d_first[k][which] for k in sorted(d_first)]) for which in (0, 1))
        return self._layout(d_x, unbatched), (d_h_0[:, 0], d_c_0[:, 0]) if unbatched else (d_h_0, d_c_0)

    def _time_major(self, x, unbatched):
        return x[:, None] if unbatched else x.swapaxes(0, 1) if self.batch_first else x

    def _layout(self, x, unbatched):
        return x[:, 0] if unbatched else x.swapaxes(0, 1) if self.batch_first else x

    def _states(self, state, names, B, unbatched):
        """Return two states (layers * directions, B, H), zeros where there is none."""
        full = (self.num_layers * self._directions, B, self.hidden_size)
        shape = full[::2] if unbatched else full
        state = (None, None) if state is None else state
        if isinstance(state, tuple | list):
            state = [np.zeros(shape, self.dtype) if each is None else np.asarray(each) for each in state]
        check_state(state, names, shape)
        return [each.reshape(full).astype(self.dtype, copy=False) for each in state]

    def _dropout_mask(self, shape):
        if not self.training or self.dropout == 0:
            return None
        kept = self.rng.random(shape) >= self.dropout
        return kept.astype(self.dtype) / (1 - self.dropout if self.dropout < 1 else 1)

    def _gates_of(self, cache):
        """Return i, f, g, o and c of one direction in the caller's order of the batch."""
        back, lengths = cache.ragged.back, cache.ragged.lengths
        valid = (np.arange(len(cache.slots) - 1)[:, None] < lengths[back])[..., None]  # (T, B, 1)
        o, i, f, g, _ = cache.slots[:-1].swapaxes(0, 1)
        return [np.where(valid, each[:, back], 0) for each in (i, f, g, o, cache.slots[1:, CELL])]
