"""The layer of `sequence` once more, several times as fast: the same numbers, and a reason for every trick.

A step sees x, a 1 for the bias and the last hidden state side by side: one product makes all gates. One tanh serves all
four. What is multiplied together lies together. The slopes of as many steps as fit the cache are computed at once, and
so are the gradients of the weights. Nothing is allocated in a loop, and memory is used again. Chapter: fast.
"""

import math
from collections import deque
from itertools import cycle
from typing import NamedTuple

import numpy as np

from lstm_tutorial.in_numpy.activations import tanh
from lstm_tutorial.in_numpy.lstm import LSTM
from lstm_tutorial.validation import check_lengths

CHUNK = 2**16  # gates whose slopes are in work at a time: with the slopes they stay in the second-level cache
ROWS = 2**7  # steps times sequences whose part of the weights' gradients is one product: few products, little room
FEW = 16  # up to so many sequences the copies of all steps at once are faster than one copy a step
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

    loan: Loan  # of the memory of the two that follow
    seen: np.ndarray  # (T + 1, B, D + 1 + H), what a step sees: x, 1 and the hidden state of the step before
    slots: np.ndarray  # (T + 1, 5, B, H), the gates o, i, f, g of a step, and the cell state that came into it
    weight_ih: np.ndarray
    weight_hh: np.ndarray
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
    T, B, D = x.shape
    if T == 1 and not keep_cache:
        return one_step(x, state, weight_ih, weight_hh, bias_ih, bias_hh, weight_peephole)
    H, dtype, alone = weight_hh.shape[1], x.dtype, B == 1
    ragged = longest_first(lengths, B, T)
    order = ragged.order
    half = np.array(0.5, dtype)  # an array of the right dtype: a Python number is converted anew at every call
    ready = lay_out(weight_ih, weight_hh, bias_ih, bias_hh, half, alone)
    p = None if weight_peephole is None else half * weight_peephole[:, None]  # of i, f and o: (3, 1, H)

    kept = T + 1 if keep_cache else 2  # step t writes over step t - 2 where nothing is kept
    shapes = (kept, B, D + 1 + H), (kept, 5, B, H)
    loan = (Memory(1) if memory is None else memory).lend(shapes, dtype)
    seen, slots = loan.arrays
    seen[..., D] = 1
    seen[0, :, D + 1 :], slots[0, CELL] = (each[order] for each in state)
    output = np.empty((T, B, H), dtype) if lengths is None else np.zeros((T, B, H), dtype)
    at_once = keep_cache and B <= FEW  # x and the output are copied for all steps at once
    if at_once:
        seen[:T, :, :D] = x[:, order]
    products, work = np.empty((2, B, H), dtype), np.empty((B, H), dtype)
    add, multiply, product = np.add, np.multiply, np.dot if alone else np.matmul
    for begin, end, n in stretches(ragged.running):
        rows = order if lengths is None else order[:n]
        i_g_and_f_c, tanh_c = products[:, :n], work[:n]
        i_g, f_c = i_g_and_f_c
        part = slice(begin, end + 1) if keep_cache else slice(None)
        steps, ends = views_of_steps(seen[part, :n], slots[part, :, :n], D, alone)
        now = 0 if keep_cache else begin % 2
        steps, ends = steps[now:] + steps[:now], ends[now + 1 :] + ends[: now + 1]
        for t, step, (c, h) in zip(range(begin, end), cycle(steps), cycle(ends)):
            look, see_x, z, o_i_f_g, o_i_f, i_f, g_c, o = step
            if not at_once:
                see_x[...] = x[t, rows]
            product(look, ready, z)
            if weight_peephole is None:
                activate(o_i_f_g, o_i_f, half)
            else:
                i_f += p[:2] * g_c[1]
                activate(o_i_f_g[1:], i_f, half)
            multiply(i_f, g_c, i_g_and_f_c)
            add(i_g, f_c, c)
            if weight_peephole is not None:
                o += p[2] * c
                activate(o, o, half)
            multiply(o, tanh(c, tanh_c), h)
            if not at_once:
                output[t, rows] = h
        if at_once:
            output[begin:end, rows] = seen[begin + 1 : end + 1, :n, D + 1 :]
    last, every = ragged.lengths % kept, np.arange(B)
    state = seen[last, every, D + 1 :][ragged.back], slots[last, CELL, every][ragged.back]
    if not keep_cache:
        return output, state, None
    return output, state, FusedCache(loan, seen, slots, weight_ih, weight_hh, weight_peephole, ragged)


def one_step(x, state, weight_ih, weight_hh, bias_ih, bias_hh, weight_peephole):
    """Run a single step that keeps no cache: to lay out the weights first would take longer than the step."""
    (h, c), H, half = state, weight_hh.shape[1], np.array(0.5, x.dtype)
    z = x[0] @ weight_ih.T  # (B, 4H)
    z += h @ weight_hh.T
    z += bias_ih + bias_hh
    i_f, g, o = z[:, : 2 * H], z[:, 2 * H : 3 * H], z[:, 3 * H :]
    if weight_peephole is not None:
        i_f += np.hstack([weight_peephole[0] * c, weight_peephole[1] * c])
    i_f *= half
    activate(i_f, i_f, half)
    c = i_f[:, H:] * c + i_f[:, :H] * tanh(g)
    if weight_peephole is not None:
        o += weight_peephole[2] * c
    o *= half
    activate(o, o, half)
    h = o * tanh(c)
    return h[None].copy(), (h, c), None


def lay_out(weight_ih, weight_hh, bias_ih, bias_hh, half, alone):
    """Return the weights of x, 1 and h one under the other, ready for seen @ W; those of the sigmoids are halved.

    An array (4, D + 1 + H, H), a block for each gate, so that the numbers of a gate lie together. Those of one sequence
    lie together anyway: for a sequence that is alone it is (D + 1 + H, 4H), because one product is faster than four.
    """
    (_, D), H = weight_ih.shape, weight_hh.shape[1]
    K = D + 1 + H
    ready = empty_on_a_line((K, 4 * H) if alone else (4, K, H), weight_ih.dtype)
    by_gate = ready.reshape(K, 4, H).swapaxes(0, 1) if alone else ready  # (4, K, H)
    by_gate[:, :D] = by_slot(weight_ih).swapaxes(1, 2)
    by_gate[:, D] = by_slot(bias_ih + bias_hh)
    by_gate[:, D + 1 :] = by_slot(weight_hh).swapaxes(1, 2)
    by_gate[:3] *= half  # so that z / 2 costs nothing
    return ready


def stretches(running):
    """Yield begin, end and n of stretches of steps in which the same n sequences run; without those where none runs.

    Examples
    --------
    >>> list(stretches(np.array([3, 3, 1, 0])))
    [(0, 2, 3), (2, 3, 1)]
    """
    begin = 0
    for end in (np.flatnonzero(np.diff(running, append=-1)) + 1).tolist():
        if running[begin] > 0:
            yield begin, end, int(running[begin])
        begin = end


def views_of_steps(seen, slots, D, alone):
    """Return views of all steps, made in one go, because to index in the loop takes longer.

    For each step: what it sees, and x in it; where the product goes; the slots that are used together; the slot of o.
    And for each step the cell state and the hidden state that come into it.
    """
    z = slots[:, :CELL]
    z = z.reshape(len(z), 1, -1) if alone else z
    used_together = slots[:, :CELL], slots[:, :3], slots[:, 1:3], slots[:, 3:]
    steps = zip(seen, seen[..., :D], z, *used_together, slots[:, 0])
    return list(steps), list(zip(slots[:, CELL], seen[..., D + 1 :]))


def activate(z, sigmoids, half):
    """Put z through tanh in place, and make gates of the sigmoids in it: sigmoid(z) = (1 + tanh(z / 2)) / 2."""
    tanh(z, z)
    np.multiply(sigmoids, half, sigmoids)
    np.add(sigmoids, half, sigmoids)


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
    _, seen, slots, weight_ih, weight_hh, weight_peephole, ragged = cache
    (T, _, B, H), K, dtype = slots[1:].shape, seen.shape[2], seen.dtype
    D, running, order = K - 1 - H, ragged.running.tolist(), ragged.order
    whole = isinstance(order, slice)  # no sequence ends before the others
    one, add, multiply = np.array(1, dtype), np.add, np.multiply
    d_h, d_c = (each[order].copy() for each in d_state)  # a sequence's rows rest until its last step comes
    d_x, d_weights, d_peephole = np.zeros((T, B, D), dtype), np.zeros((4 * H, K), dtype), np.zeros((3, H), dtype)

    some = max(1, min(T, CHUNK // max(1, 4 * B * H)))  # steps whose slopes are computed at once
    many = min(T, some * max(1, ROWS // max(1, some * B)))  # steps whose weights' gradients are one product
    room, way_room = np.empty(7 * some * B * H, dtype), np.empty((B, H), dtype)
    d_z_room, d_x_room = np.empty(many * B * 4 * H, dtype), None if whole else np.empty(many * B * D, dtype)
    product = np.empty_like(d_weights)
    for first in reversed(range(0, T, many)):
        m, n = min(many, T - first), running[first]
        d_z = d_z_room[: m * n * 4 * H].reshape(m, n, 4, H)  # i, f, g, o; a row a sequence: one product for all gates
        by_gate = d_z.swapaxes(1, 2)  # (m, 4, n, H)
        for start in reversed(range(first, first + m, some)):
            m_s, n_s = min(some, first + m - start), running[start]
            for t in range(start, start + m_s) if running[start + m_s - 1] < n else ():
                r = running[t]  # what has ended within these steps counts for nothing, whatever stands there
                seen[t, r:n, :D] = 0
                seen[t + 1, r:n, D + 1 :] = 0
                slots[t, :CELL, r:n] = 0
                slots[t + 1, CELL, r:n] = 0
                d_z[t - first, r:] = 0
            part = room[: 7 * m_s * n_s * H].reshape(7, m_s, n_s, H)
            slopes, products = part[:5], part[5:]
            now, after = slots[start : start + m_s, :, :n_s].swapaxes(0, 1), slice(start + 1, start + m_s + 1)
            all_slopes(now, seen[after, :n_s, D + 1 :], slots[after, CELL, :n_s], one, slopes, products)
            here = slice(start - first, start - first + m_s)
            d_above = d_output[start : start + m_s, order if whole else order[:n_s]]
            i_f_g, o, z = by_gate[here, :3, :n_s], by_gate[here, 3, :n_s], d_z[here, :n_s].reshape(m_s, n_s, 4 * H)
            steps = list(zip(d_above, slopes[0], slopes[1], o, slopes[2:].swapaxes(0, 1), i_f_g, now[2], z))
            for t, step in zip(reversed(range(start, start + m_s)), reversed(steps)):
                d_above, to_c, to_o, d_o, to_i_f_g, d_i_f_g, f, d_z_t = step
                r, d_h_t, d_c_t, way = running[t], d_h, d_c, way_room
                if r < n_s:
                    d_above, to_c, to_o, d_o = d_above[:r], to_c[:r], to_o[:r], d_o[:r]
                    to_i_f_g, d_i_f_g, f, d_z_t = to_i_f_g[:, :r], d_i_f_g[:, :r], f[:r], d_z_t[:r]
                if r < B:
                    d_h_t, d_c_t, way = d_h[:r], d_c[:r], way[:r]
                add(d_h_t, d_above, d_h_t)
                multiply(d_h_t, to_c, way)
                add(d_c_t, way, d_c_t)
                multiply(d_h_t, to_o, d_o)
                if weight_peephole is not None:
                    d_c_t += d_o * weight_peephole[2]
                multiply(d_c_t, to_i_f_g, d_i_f_g)
                multiply(d_c_t, f, d_c_t)  # all that a cell state's gradient meets on its way
                if weight_peephole is not None:
                    d_c_t += d_i_f_g[0] * weight_peephole[0] + d_i_f_g[1] * weight_peephole[1]
                np.dot(d_z_t, weight_hh, d_h_t)
        rows = d_z.reshape(m * n, 4 * H)
        np.matmul(rows.T, seen[first : first + m, :n].reshape(m * n, K), out=product)
        d_weights += product
        d_x_rows = d_x[first : first + m].reshape(m * B, D) if whole else d_x_room[: m * n * D].reshape(m * n, D)
        np.matmul(rows, weight_ih, out=d_x_rows)
        if not whole:
            d_x[first : first + m, order[:n]] = d_x_rows.reshape(m, n, D)
        if weight_peephole is not None:
            c_prev, c = slots[first : first + m, CELL, :n], slots[first + 1 : first + m + 1, CELL, :n]
            d_peephole += [(by_gate[:, k] * saw).sum(axis=(0, 1)) for k, saw in ((0, c_prev), (1, c_prev), (3, c))]
    del room, d_z_room, product  # before the gradients are copied: at its peak a step then holds less
    gradients = {"weight_ih": d_weights[:, :D].copy(), "weight_hh": d_weights[:, D + 1 :].copy()}
    gradients |= {name: d_weights[:, D].copy() for name in ("bias_ih", "bias_hh")}
    if weight_peephole is not None:
        gradients["weight_peephole"] = d_peephole
    return d_x, (d_h[ragged.back], d_c[ragged.back]), gradients


def all_slopes(now, h, c, one, slopes, products):
    """Write what a gradient is multiplied by on its way to the pre-activations, for many steps at once.

    `now` (5, m, n, H) are the slots of m steps, `h` and `c` (m, n, H) the states that came out of them. `slopes`
    (5, m, n, H) is from h to c, from h to z of o, and from c to z of i, f and g. `products` (2, m, n, H) is written
    over.
    """
    o, i, _, g, _ = now
    from_h, from_g = slopes[0], slopes[4]
    tanh(c, out=from_h)
    from_h *= h
    np.subtract(o, from_h, out=from_h)  # o (1 - tanh(c)^2), because h = o * tanh(c)
    np.multiply(now[1:3], now[3:], out=products)  # i * g and f * c_prev
    np.subtract(one, now[:3], out=slopes[1:4])
    slopes[1] *= h  # o (1 - o) tanh(c)
    slopes[2:4] *= products  # i (1 - i) g and f (1 - f) c_prev
    np.multiply(products[0], g, out=from_g)
    np.subtract(i, from_g, out=from_g)  # i (1 - g^2)


def empty_on_a_line(shape, dtype):
    """Return an array that begins on a cache line of 64 bytes, with anything in it.

    A product of small matrices loads its second factor in whole lines. From an address between two lines each load
    takes two, and the product up to twice the time.
    """
    size, itemsize = math.prod(shape), np.dtype(dtype).itemsize
    room = np.empty(size + 64 // itemsize, dtype)
    begin = -room.ctypes.data % 64 // itemsize
    return room[begin : begin + size].reshape(shape)


def by_slot(rows):
    """Return the rows (4H, ...) of i, f, g, o as an array (4, H, ...) of o, i, f, g."""
    i, f, g, o = np.split(rows, 4)
    return np.stack([o, i, f, g])
