"""The layer of `sequence` once more, several times as fast: the same numbers, and a reason for every trick.

A step sees x, a 1 for the bias and the last hidden state side by side: one product makes all gates. One tanh serves all
four. What is multiplied together lies together. The slopes of as many steps as fit the cache are computed at once, and
so are the gradients of the weights. Nothing is allocated in a loop, and memory is used again. Chapter: fast.
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from lstm_tutorial.in_numpy.activations import tanh
from lstm_tutorial.in_numpy.lstm import LSTM
from lstm_tutorial.validation import check_lengths

CHUNK = 2**16  # gates whose slopes are in work at a time: with the slopes they stay in the second-level cache
ROWS = 2**9  # steps times sequences whose part of the weights' gradients is one product: few products, little room
CELL = 4  # the slot beside o, i, f, g: the products i * g and f * c_prev are of slots two apart, made in one call


class FastLSTM(LSTM):
    """`LSTM` with the same signature, parameters and numbers, several times as fast: only how a layer runs differs.

    Notes
    -----
    A gate is (1 + tanh(z / 2)) / 2 here: see `fused_sequence` for how exact that is. Chapter: fast.

    Examples
    --------
    >>> x, fast, plain = np.ones((7, 4, 10), "float32"), FastLSTM(10, 5, rng=0), LSTM(10, 5, rng=0)
    >>> bool(np.allclose(fast(x)[0], plain(x)[0], atol=1e-6))
    True
    """

    _memory = None

    def _run_layer(self, x, state, weights, lengths, keep_cache):
        if self._memory is None:
            self._memory = Memory(self.num_layers * self._directions)
        return fused_sequence(x, state, *weights, lengths=lengths, keep_cache=keep_cache, memory=self._memory)

    def _run_layer_backward(self, d_output, d_state, cache):
        return fused_sequence_backward(d_output, d_state, cache)


class Memory:
    """Arrays that were used before: the first touch of new memory can cost as much as the arithmetic on it.

    What `lend` returns comes back by itself when nobody refers to it any more, in no thread. So no two caches that are
    in use share memory. A deque serves because taking from it and adding to it are one step each, whatever the threads.

    Examples
    --------
    >>> memory = Memory(1)
    >>> loan = memory.lend(((2, 3), (4,)), "float32")
    >>> first = loan.arrays[0]
    >>> memory.lend(((2, 3), (4,)), "float32").arrays[0] is first  # it is still in use
    False
    >>> del loan
    >>> memory.lend(((2, 3), (4,)), "float32").arrays[0] is first
    True
    """

    def __init__(self, most):
        self.free = deque(maxlen=most)  # when it is full, the oldest goes

    def lend(self, shapes, dtype):
        """Return a `Loan` of arrays of these shapes, with anything in them."""
        for _ in range(len(self.free)):
            try:
                arrays = self.free.popleft()
            except IndexError:  # another thread was faster
                break
            if [array.shape for array in arrays] == list(shapes) and arrays[0].dtype == dtype:
                return Loan(arrays, self.free)
            self.free.append(arrays)
        return Loan([np.empty(shape, dtype) for shape in shapes], self.free)


class Loan:
    """Arrays on loan from a `Memory`; they go back when this object goes."""

    def __init__(self, arrays, free):
        self.arrays = arrays
        self.free = free

    def __del__(self):
        self.free.append(self.arrays)


class Ragged(NamedTuple):
    """A batch in order of length, longest first."""

    order: np.ndarray | slice  # (B,) which sequence stands where
    back: np.ndarray | slice  # (B,) the way back to the caller's order
    lengths: np.ndarray  # (B,) in the new order
    running: np.ndarray  # (T,) how many sequences have a step t; they are the first ones


def longest_first(lengths, B, T):
    """Sort a batch by length, so that at step t the first `running[t]` sequences are those that still run.

    Examples
    --------
    >>> longest_first([1, 3, 2], B=3, T=4).running
    array([3, 2, 1, 0])
    """
    if lengths is None:
        return Ragged(slice(None), slice(None), np.full(B, T), np.full(T, B))
    lengths = check_lengths(lengths, B, T)
    order = np.argsort(-lengths, kind="stable")
    running = (lengths > np.arange(T)[:, None]).sum(axis=1)
    return Ragged(order, np.argsort(order), lengths[order], running)


class FusedCache(NamedTuple):
    """What the backward needs; all in the ragged order. Past a length stands whatever stood there before."""

    loan: Loan  # of the two that follow
    seen: np.ndarray  # (T + 1, B, D + 1 + H), what a step sees: x, 1 and the hidden state of the step before
    slots: np.ndarray  # (T + 1, 5, B, H), the gates o, i, f, g of a step, and the cell state that came into it
    to_x: np.ndarray  # (4H, D), the weights of o, i, f and g on x
    to_h: np.ndarray  # (4H, H), and on h
    weight_peephole: np.ndarray | None
    ragged: Ragged

    def gates(self):
        """Return i, f, g, o and c of all steps, (T, B, H) each, in the caller's order of the batch, 0 past a length."""
        T, back = len(self.slots) - 1, self.ragged.back
        valid = (np.arange(T)[:, None] < self.ragged.lengths[back])[..., None]  # (T, B, 1)
        o, i, f, g, _ = self.slots[:-1].swapaxes(0, 1)
        return [np.where(valid, each[:, back], 0) for each in (i, f, g, o, self.slots[1:, CELL])]


def fused_sequence(
    x,
    state,
    weight_ih,
    weight_hh,
    bias_ih,
    bias_hh,
    weight_peephole=None,
    lengths=None,
    *,
    keep_cache=True,
    memory=None,
):
    """Run one LSTM layer over a batch of sequences: parameters, results and numbers as of `lstm_sequence`.

    Parameters
    ----------
    keep_cache : bool
        False for inference: the cache is None, and what two steps need is all that is kept.
    memory : Memory, optional
        Where the cache's arrays are borrowed.
    others
        See `lstm_sequence`.

    Notes
    -----
    A gate is (1 + tanh(z / 2)) / 2: sigmoid(z), to the rounding of numbers near 1. So a gate that is almost shut has an
    absolute error of 6e-8 in float32, and of what it should be below z = -18 nothing is left.

    Examples
    --------
    >>> T, B, D, H = 5, 2, 3, 4
    >>> weights = np.zeros((4 * H, D)), np.zeros((4 * H, H)), np.zeros(4 * H), np.zeros(4 * H)
    >>> output, (h, c), cache = fused_sequence(np.ones((T, B, D)), (np.zeros((B, H)), np.ones((B, H))), *weights,
    ...                                        lengths=[5, 2])
    >>> c[:, 0]
    array([0.03125, 0.25   ])
    """
    (T, B, D), H, dtype = x.shape, weight_hh.shape[1], x.dtype
    ragged = longest_first(lengths, B, T)
    half = np.array(0.5, dtype)  # an array of the right dtype: a Python number is converted anew at every call

    # The weights of x, 1 and h side by side, a gate at a time, ready for seen @ W: contiguous, not just transposed.
    # Those of the sigmoids are halved, so that z / 2 costs nothing.
    halves = np.array([0.5, 0.5, 0.5, 1], dtype)[:, None, None]
    ready = by_slot(np.concatenate([weight_ih, (bias_ih + bias_hh)[:, None], weight_hh], axis=1))
    ready = aligned(np.multiply(ready, halves, out=ready).swapaxes(1, 2))  # (4, D + 1 + H, H)
    peephole = None if weight_peephole is None else half * weight_peephole[[2, 0, 1], None]  # o, i, f: (3, 1, H)

    kept = T + 1 if keep_cache else 2  # step t writes over step t - 2 where nothing is kept
    shapes = (kept, B, D + 1 + H), (kept, 5, B, H)
    loan = (Memory(1) if memory is None else memory).lend(shapes, dtype)
    seen, slots = loan.arrays
    seen[..., D] = 1
    seen[0, :, D + 1 :], slots[0, CELL] = (each[ragged.order] for each in state)
    output = np.empty((T, B, H), dtype) if lengths is None else np.zeros((T, B, H), dtype)
    products, work = np.empty((2, B, H), dtype), np.empty((B, H), dtype)
    for t, n in enumerate(ragged.running.tolist()):
        look, now, then, after = seen[t % kept], slots[t % kept], seen[(t + 1) % kept], slots[(t + 1) % kept]
        c, h, rows, i_g_and_f_c, tanh_c = after[CELL], then[:, D + 1 :], ragged.order, products, work
        if n < B:  # the others have ended: neither their padding nor what stands in their rows is looked at
            look, now, c, h, rows = look[:n], now[:, :n], c[:n], h[:n], rows[:n]
            i_g_and_f_c, tanh_c = products[:, :n], work[:n]
        look[:, :D] = x[t, rows]
        z = now[:CELL]
        np.matmul(look, ready, out=z)  # (n, D + 1 + H) @ (4, D + 1 + H, H)
        if peephole is None:
            activate(z, 3, half)
        else:
            z[1:3] += peephole[1:] * now[CELL]
            activate(z[1:], 2, half)
        np.multiply(now[1:3], now[3:], out=i_g_and_f_c)
        np.add(i_g_and_f_c[0], i_g_and_f_c[1], out=c)
        if peephole is not None:
            z[0] += peephole[0] * c
            activate(z[:1], 1, half)
        np.multiply(z[0], tanh(c, out=tanh_c), out=h)
        output[t, rows] = h
    last, every = ragged.lengths % kept, np.arange(B)
    state = seen[last, every, D + 1 :][ragged.back], slots[last, CELL, every][ragged.back]
    if not keep_cache:
        return output, state, None
    to_x, to_h = (by_slot(weight).reshape(4 * H, -1) for weight in (weight_ih, weight_hh))
    return output, state, FusedCache(loan, seen, slots, to_x, to_h, weight_peephole, ragged)


def activate(z, sigmoids, half):
    """Put z through tanh in place, and make gates of the first slots: sigmoid(z) = (1 + tanh(z / 2)) / 2."""
    tanh(z, out=z)
    gates = z[:sigmoids]
    gates *= half
    gates += half


def fused_sequence_backward(d_output, d_state, cache):
    """Carry gradients back through time: parameters, results and numbers as of `lstm_sequence_backward`.

    Examples
    --------
    >>> T, B, D, H = 5, 2, 3, 4
    >>> weights = np.zeros((4 * H, D)), np.zeros((4 * H, H)), np.zeros(4 * H), np.zeros(4 * H)
    >>> zero, one = np.zeros((B, H)), np.ones((B, H))
    >>> output, _, cache = fused_sequence(np.ones((T, B, D)), (zero, one), *weights, lengths=[5, 2])
    >>> d_x, (d_h, d_c), gradients = fused_sequence_backward(np.zeros_like(output), (zero, one), cache)
    >>> d_c[:, 0]
    array([0.03125, 0.25   ])
    """
    _, seen, slots, to_x, to_h, weight_peephole, ragged = cache
    (T, _, B, H), K, dtype = slots[1:].shape, seen.shape[2], seen.dtype
    D, running, order, one = K - 1 - H, ragged.running.tolist(), ragged.order, np.array(1, dtype)
    whole = isinstance(order, slice)  # no sequence ends before the others
    peephole = None if weight_peephole is None else weight_peephole[[2, 0, 1], None]  # o, i, f: (3, 1, H)
    d_h, d_c = (each[order].copy() for each in d_state)  # a sequence's rows rest until its last step comes
    d_x, d_weights, d_peephole = np.zeros((T, B, D), dtype), np.zeros((4 * H, K), dtype), np.zeros((3, H), dtype)

    few = max(1, min(T, CHUNK // max(1, 4 * B * H)))  # steps whose slopes are computed at once
    many = min(T, few * max(1, ROWS // max(1, few * B)))  # steps whose weights' gradients are one product
    room, way = np.empty((9, few * B * H), dtype), np.empty((B, H), dtype)
    d_z_room, d_x_room = (np.empty(many * B * size, dtype) for size in (4 * H, D))
    product = np.empty_like(d_weights)
    for first in reversed(range(0, T, many)):
        m, n = min(many, T - first), running[first]
        d_z = d_z_room[: m * n * 4 * H].reshape(m, n, 4, H)  # a row a sequence: one product for all gates
        for start in reversed(range(first, first + m, few)):
            m_s, n_s = min(few, first + m - start), running[start]
            part = room[:, : m_s * n_s * H].reshape(9, m_s, n_s, H)
            slopes, work = part[:5], part[5:]
            for t in range(start, start + m_s) if running[start + m_s - 1] < n else ():
                r = running[t]  # what has ended within these steps counts for nothing, whatever stands there
                seen[t, r:n], slots[t, :CELL, r:n], slots[t + 1, CELL, r:n] = 0, 0, 0
            now, c = slots[start : start + m_s, :, :n_s].swapaxes(0, 1), slots[start + 1 : start + m_s + 1, CELL, :n_s]
            all_slopes(now, c, one, slopes, work)
            for k in reversed(range(m_s)):
                t, slopes_t, forget, d_h_t, d_c_t, way_t = start + k, slopes[:, k], now[2, k], d_h, d_c, way
                r, d_z_t, d_output_t = running[t], d_z[t - first], d_output[t]
                if not whole:
                    d_output_t = d_output_t[order[:r]]
                if r < B:
                    d_z_t[r:] = 0
                    d_z_t, slopes_t, forget = d_z_t[:r], slopes_t[:, :r], forget[:r]
                    d_h_t, d_c_t, way_t = d_h[:r], d_c[:r], way[:r]
                by_gate = d_z_t.swapaxes(0, 1)  # (4, r, H)
                d_h_t += d_output_t
                np.multiply(d_h_t, slopes_t[0], out=way_t)
                d_c_t += way_t
                np.multiply(d_h_t, slopes_t[1], out=by_gate[0])
                if peephole is not None:
                    d_c_t += by_gate[0] * peephole[0]
                np.multiply(d_c_t, slopes_t[2:], out=by_gate[1:])
                d_c_t *= forget  # all that a cell state's gradient meets on its way
                if peephole is not None:
                    d_c_t += by_gate[1] * peephole[1] + by_gate[2] * peephole[2]
                np.matmul(d_z_t.reshape(r, 4 * H), to_h, out=d_h_t)
        rows = d_z.reshape(m * n, 4 * H)
        np.matmul(rows.T, seen[first : first + m, :n].reshape(m * n, K), out=product)
        d_weights += product
        d_x_rows = d_x[first : first + m].reshape(m * B, D) if whole else d_x_room[: m * n * D].reshape(m * n, D)
        np.matmul(rows, to_x, out=d_x_rows)
        if not whole:
            d_x[first : first + m, order[:n]] = d_x_rows.reshape(m, n, D)
        if peephole is not None:
            saw = slots[first + 1 : first + m + 1, CELL, :n], slots[first : first + m, CELL, :n]
            d_peephole += [(d_z[:, :, k] * saw[k > 0]).sum(axis=(0, 1)) for k in range(3)]
    d_weights = d_weights.reshape(4, H, K)
    gradients = {"weight_ih": by_row(d_weights[..., :D]), "weight_hh": by_row(d_weights[..., D + 1 :])}
    gradients |= {name: by_row(d_weights[..., D]) for name in ("bias_ih", "bias_hh")}
    if peephole is not None:
        gradients["weight_peephole"] = d_peephole[[1, 2, 0]]
    return d_x, (d_h[ragged.back], d_c[ragged.back]), gradients


def all_slopes(now, c, one, slopes, work):
    """Write what a gradient is multiplied by on its way to the weighted sums, for many steps at once.

    `now` (5, m, n, H) and `c` (m, n, H) are the slots of m steps and the cell states that came out of them. `slopes`
    (5, m, n, H) is from h to c, from h to the sum of o, and from c to those of i, f and g. `work` is written over.
    """
    o, i, _, g, _ = now
    products, tanh_c = work[:3], tanh(c, out=work[3])
    np.multiply(o, tanh_c, out=products[0])
    np.multiply(now[1:3], now[3:], out=products[1:])  # o * tanh(c), i * g and f * c_prev once more
    np.subtract(one, now[:3], out=slopes[1:4])
    slopes[1:4] *= products  # s (1 - s) times the other factor
    for slope, gate, product, factor in ((slopes[0], o, products[0], tanh_c), (slopes[4], i, products[1], g)):
        np.multiply(product, factor, out=slope)
        np.subtract(gate, slope, out=slope)  # o (1 - tanh(c)^2), and i (1 - g^2)


def aligned(array):
    """Return a copy that is contiguous and begins on a cache line of 64 bytes.

    A product of small matrices loads its second factor in whole lines. From an address between two lines each load
    takes two, and the product up to twice the time.
    """
    room = np.empty(array.size + 64 // array.itemsize, array.dtype)
    begin = -room.ctypes.data % 64 // array.itemsize
    copy = room[begin : begin + array.size].reshape(array.shape)
    copy[...] = array
    return copy


def by_slot(rows):
    """Return the rows (4H, ...) of i, f, g, o as an array (4, H, ...) of o, i, f, g."""
    i, f, g, o = np.split(rows, 4)
    return np.stack([o, i, f, g])


def by_row(slots):
    """Return an array (4, H, ...) of o, i, f, g as rows (4H, ...) of i, f, g, o."""
    o, i, f, g = slots
    return np.concatenate([i, f, g, o])
