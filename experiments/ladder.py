"""From a naive LSTM to the fused layer, one trick at a time: every rung gives the numbers of the rung below.

Forward, a rung is a function of `(x, h, c, weight_ih, weight_hh, bias)` that returns the hidden states of all steps and
the last cell state, and keeps nothing else. Backward, a rung is a function of `(d_output, cache)`, where the cache is
what `arrays_of` makes of that of `lstm_sequence`; it returns `d_x` and the gradients of `weight_ih`, `weight_hh` and of
one bias.

`forward_pieces` and `backward_pieces` hold what was expected before a rung was timed: the calls that it is made of and
how often each is made. The benchmark times every call alone, and adds up. What a sum of pieces cannot know is how the
pieces get on with each other: whether one finds in the cache what the other left there.
"""

import numpy as np

from lstm_tutorial.in_numpy import sigmoid_slope, tanh_slope
from lstm_tutorial.in_numpy.fast import CHUNK, fused_sequence, fused_sequence_backward

HALF, HALVED = np.array(0.5, np.float32), (0.5, 0.5, 0.5, 1)


def sigmoid(z):
    """The formula as it is printed."""
    return 1 / (1 + np.exp(-z))


def close_step(z_i, z_f, z_g, z_o, c):
    """Return the new states from the weighted sums of the gates."""
    i, f, g, o = sigmoid(z_i), sigmoid(z_f), np.tanh(z_g), sigmoid(z_o)
    c = f * c + i * g
    return o * np.tanh(c), c


def one_sample(x, h, c, weight_ih, weight_hh, bias):
    """The equations, for one sequence after the other."""
    output, c = np.empty((*x.shape[:2], h.shape[1]), x.dtype), c.copy()
    W_i, W_f, W_g, W_o = np.split(np.hstack([weight_hh, weight_ih]), 4)  # (H, H + D) each
    b_i, b_f, b_g, b_o = np.split(bias, 4)
    for b in range(x.shape[1]):
        h_b, c_b = h[b], c[b]
        for t in range(len(x)):
            hx = np.concatenate([h_b, x[t, b]])
            z_i, z_f = W_i @ hx + b_i, W_f @ hx + b_f
            z_g, z_o = W_g @ hx + b_g, W_o @ hx + b_o
            h_b, c_b = close_step(z_i, z_f, z_g, z_o, c_b)
            output[t, b] = h_b
        c[b] = c_b
    return output, c


def whole_batch(x, h, c, weight_ih, weight_hh, bias):
    """All sequences of the batch in one product: a weight that has been fetched is used B times."""
    output = np.empty((*x.shape[:2], h.shape[1]), x.dtype)
    W_i, W_f, W_g, W_o = np.split(np.hstack([weight_hh, weight_ih]), 4)
    b_i, b_f, b_g, b_o = np.split(bias, 4)
    for t in range(len(x)):
        hx = np.concatenate([h, x[t]], axis=1)  # (B, H + D)
        h, c = close_step(hx @ W_i.T + b_i, hx @ W_f.T + b_f, hx @ W_g.T + b_g, hx @ W_o.T + b_o, c)
        output[t] = h
    return output, c


def four_in_one(x, h, c, weight_ih, weight_hh, bias):
    """The gates and the candidate in one product: one call where there were four."""
    output = np.empty((*x.shape[:2], h.shape[1]), x.dtype)
    W = np.hstack([weight_hh, weight_ih])  # (4H, H + D)
    for t in range(len(x)):
        z = np.concatenate([h, x[t]], axis=1) @ W.T + bias  # (B, 4H)
        h, c = close_step(*np.split(z, 4, axis=1), c)
        output[t] = h
    return output, c


def laid_out(x, h, c, weight_ih, weight_hh, bias):
    """A block for each gate: weights turned round in memory, once, so that each gate's sums come out in one piece."""
    output, one = np.empty((*x.shape[:2], h.shape[1]), x.dtype), np.ones((x.shape[1], 1), x.dtype)
    W = gate_blocks(weight_ih, weight_hh, bias)
    for t in range(len(x)):
        z_o, z_i, z_f, z_g = np.concatenate([x[t], one, h], axis=1) @ W  # (B, H) each, contiguous
        h, c = close_step(z_i, z_f, z_g, z_o, c)
        output[t] = h
    return output, c


def gate_blocks(weight_ih, weight_hh, bias, scale=(1, 1, 1, 1)):
    """Return the weights of x, 1 and h, an array (4, D + 1 + H, H), in the order o, i, f, g."""
    blocks = np.stack(np.split(np.hstack([weight_ih, bias[:, None], weight_hh]), 4))[[3, 0, 1, 2]]
    return np.ascontiguousarray(np.array(scale, bias.dtype)[:, None, None] * blocks.swapaxes(1, 2))


def one_tanh(x, h, c, weight_ih, weight_hh, bias):
    """One tanh for all gates: sigmoid(z) = (1 + tanh(z / 2)) / 2, and the weights are halved beforehand."""
    output, one = np.empty((*x.shape[:2], h.shape[1]), x.dtype), np.ones((x.shape[1], 1), x.dtype)
    W = gate_blocks(weight_ih, weight_hh, bias, scale=HALVED)
    for t in range(len(x)):
        h, c = activate_together(np.concatenate([x[t], one, h], axis=1) @ W, c)
        output[t] = h
    return output, c


def activate_together(z, c):
    """Return the new states from the sums (4, B, H) of o, i, f, g, those of the sigmoids halved."""
    z = np.tanh(z)
    o, i, f = z[:3] * HALF + HALF
    c = f * c + i * z[3]
    return o * np.tanh(c), c


def nothing_new(x, h, c, weight_ih, weight_hh, bias, place=np.asarray):
    """No array is made inside the loop; g and c lie side by side, so that i * g and f * c are one multiplication."""
    (T, B, D), H = x.shape, h.shape[1]
    W = place(gate_blocks(weight_ih, weight_hh, bias, scale=HALVED))
    output, now, work = np.empty((T, B, H), x.dtype), np.empty((5, B, H), x.dtype), np.empty((3, B, H), x.dtype)
    look = np.ones((B, D + 1 + H), x.dtype)
    now[4] = c
    for t in range(T):
        look[:, :D], look[:, D + 1 :] = x[t], h
        np.matmul(look, W, out=now[:4])
        h = activate_in_place(now, work, output[t])
    return output, now[4]


def activate_in_place(now, work, h):
    """Make of the sums in the slots o, i, f, g, and of c in the last one, the new c and h; return h."""
    z, gates, products = now[:4], now[:3], work[:2]
    np.tanh(z, out=z)
    gates *= HALF
    gates += HALF
    np.multiply(now[1:3], now[3:], out=products)  # i * g and f * c
    np.add(work[0], work[1], out=now[4])
    return np.multiply(now[0], np.tanh(now[4], out=work[2]), out=h)


def on_a_line(x, h, c, weight_ih, weight_hh, bias):
    """The weights begin on a cache line, so that no load of 64 bytes or less has to touch two lines."""
    return nothing_new(x, h, c, weight_ih, weight_hh, bias, place=aligned)


def aligned(array):
    """Return a copy that begins at an address that 64 divides."""
    room = np.empty(array.size + 64 // array.itemsize, array.dtype)
    begin = -room.ctypes.data % 64 // array.itemsize
    copy = room[begin : begin + array.size].reshape(array.shape)
    copy[...] = array
    return copy


def input_first(x, h, c, weight_ih, weight_hh, bias):
    """The input's part of all steps in one product before the loop: it waits for no hidden state."""
    (T, B, D), H = x.shape, h.shape[1]
    W = gate_blocks(weight_ih, weight_hh, bias, scale=HALVED)
    from_x, bias, from_h = aligned(W[:, :D]), W[:, D : D + 1], aligned(W[:, D + 1 :])
    output, now, work = np.empty((T, B, H), x.dtype), np.empty((5, B, H), x.dtype), np.empty((3, B, H), x.dtype)
    z_x = x.reshape(T * B, D) @ from_x
    z_x += bias
    now[4] = c
    for t, z_x_t in enumerate(z_x.reshape(4, T, B, H).swapaxes(0, 1)):
        np.matmul(h, from_h, out=now[:4])
        now[:4] += z_x_t
        h = activate_in_place(now, work, output[t])
    return output, now[4]


def fused(x, h, c, weight_ih, weight_hh, bias):
    """The package's layer, which also takes lengths and peepholes."""
    output, (_, c), _ = fused_sequence(x, (h, c), weight_ih, weight_hh, bias, 0 * bias, keep_cache=False)
    return output, c


FORWARD = [one_sample, whole_batch, four_in_one, laid_out, one_tanh, nothing_new, on_a_line, fused]
BRANCH = {input_first: on_a_line}  # a trick that leaves the ladder, and the rung that it is compared with


def forward_pieces(T, B, D, H):
    """Return, by rung, pairs: how often a call is made, and the call."""
    rng = np.random.default_rng(0)

    def some(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    def look_and_multiply(weights):
        look[:, :D], look[:, D + 1 :] = x[:B], h
        np.matmul(look, weights, out=now[:4])

    W_one, W, x, h, c = some(H, H + D), some(4 * H, H + D), some(T * B, D), some(B, H), some(B, H)
    hx, hx_b, z, b, c_b, x_b = some(B, H + D), some(H + D), some(B, 4 * H), some(4 * H), some(H), some(D)
    blocks, from_all, one, look = some(4, B, H), some(4, D + 1 + H, H), some(B, 1), some(B, D + 1 + H)
    now, work, z_4, on_line = some(5, B, H), some(3, B, H), np.split(z, 4, axis=1), aligned(from_all)
    from_x, from_h, sums = aligned(from_all[:, :D]), aligned(from_all[:, D + 1 :]), some(4, T * B, H)
    join = (T, lambda: np.concatenate([h, x[:B]], axis=1))
    close, close_b = (T, lambda: close_step(*z_4, c)), (T * B, lambda: close_step(c_b, c_b, c_b, c_b, c_b))
    product = (T, lambda: np.concatenate([x[:B], one, h], axis=1) @ from_all)
    activate = (T, lambda: activate_in_place(now, work, h))
    before = (1, lambda: np.add(x @ from_x, blocks[:, :1], out=sums))
    found = {
        "one_sample": [(4 * T * B, lambda: W_one @ hx_b + c_b), (T * B, lambda: np.concatenate([c_b, x_b])), close_b],
        "whole_batch": [(4 * T, lambda: hx @ W_one.T + c_b), join, close],
        "four_in_one": [(T, lambda: np.split(hx @ W.T + b, 4, axis=1)), join, close],
        "laid_out": [product, (T, lambda: close_step(*blocks, c))],
        "one_tanh": [product, (T, lambda: activate_together(blocks, c))],
        "nothing_new": [(T, lambda: look_and_multiply(from_all)), activate],
        "on_a_line": [(T, lambda: look_and_multiply(on_line)), activate],
    }
    found["fused"] = found["on_a_line"]
    in_loop = (T, lambda: np.add(np.matmul(h, from_h, out=now[:4]), blocks, out=now[:4]))
    return found | {"input_first": [before, in_loop, activate]}


def arrays_of(cache):
    """Return the arrays of a `SequenceCache`: x, h and c (T + 1, ...), the gates (T, B, 4H), weight_ih, weight_hh."""
    first, last = cache.steps[0], cache.steps[-1]
    x, h, c = (np.stack([getattr(step, name) for step in cache.steps]) for name in ("x", "h_prev", "c_prev"))
    gates = [np.concatenate([step.i, step.f, step.g, step.o], axis=1) for step in cache.steps]
    h, c = np.concatenate([h, (last.o * last.tanh_c)[None]]), np.concatenate([c, last.c[None]])
    return x, h, c, np.stack(gates), first.weight_ih, first.weight_hh


def gradients_inside(d_output, cache):
    """The weights' gradients of every step inside the loop, added to what is there."""
    x, h, c, gates, weight_ih, weight_hh = cache
    d_h, d_c, d_x = np.zeros_like(h[0]), np.zeros_like(h[0]), np.empty_like(x)
    d_weight_ih, d_weight_hh = np.zeros_like(weight_ih), np.zeros_like(weight_hh)
    d_bias = np.zeros_like(weight_hh[:, 0])
    for t in reversed(range(len(x))):
        d_z, d_c = open_step(d_h + d_output[t], d_c, c[t], c[t + 1], gates[t])
        d_weight_ih += d_z.T @ x[t]
        d_weight_hh += d_z.T @ h[t]
        d_bias += d_z.sum(axis=0)
        d_x[t], d_h = d_z @ weight_ih, d_z @ weight_hh
    return d_x, d_weight_ih, d_weight_hh, d_bias


def open_step(d_h, d_c, c_prev, c, gates):
    """Return the gradients of the sums (B, 4H) and of the cell state that came in."""
    i, f, g, o = np.split(gates, 4, axis=1)
    tanh_c = np.tanh(c)
    d_c = d_c + d_h * o * tanh_slope(tanh_c)
    d_z = d_c * g * sigmoid_slope(i), d_c * c_prev * sigmoid_slope(f), d_c * i * tanh_slope(g)
    return np.concatenate([*d_z, d_h * tanh_c * sigmoid_slope(o)], axis=1), d_c * f


def gradients_after(d_output, cache):
    """The weights' gradients as one product each after the loop: no step waits for them."""
    x, h, c, gates, weight_ih, weight_hh = cache
    d_h, d_c, d_z = np.zeros_like(h[0]), np.zeros_like(h[0]), np.empty_like(gates)
    for t in reversed(range(len(x))):
        d_z[t], d_c = open_step(d_h + d_output[t], d_c, c[t], c[t + 1], gates[t])
        d_h = d_z[t] @ weight_hh
    return products_after(d_z, x, h, weight_ih)


def products_after(d_z, x, h, weight_ih):
    """Return d_x and the gradients of weights and bias, of all steps at once."""
    rows = d_z.reshape(-1, d_z.shape[-1])  # (T * B, 4H)
    x_rows, h_rows = x.reshape(-1, x.shape[-1]), h[:-1].reshape(-1, h.shape[-1])
    return (rows @ weight_ih).reshape(x.shape), rows.T @ x_rows, rows.T @ h_rows, rows.sum(axis=0)


def slopes_first(d_output, cache):
    """The slopes of all steps before the loop: they wait for no gradient, and leave a few products to each step."""
    x, h, c, gates, weight_ih, weight_hh = cache
    (from_h, to_sums), f = all_factors(c, gates), gates[..., h.shape[-1] : 2 * h.shape[-1]]
    d_h, d_c, d_z = np.zeros_like(h[0]), np.zeros_like(h[0]), np.empty_like(gates)
    for t in reversed(range(len(x))):
        d_h, d_c = use_factors(d_h + d_output[t], d_c, from_h[t], to_sums[t], f[t], d_z[t])
        d_h = d_h @ weight_hh
    return products_after(d_z, x, h, weight_ih)


def all_factors(c, gates):
    """Return what d_h is multiplied by to reach c, and what d_c (for o: d_h) is multiplied by to reach each sum."""
    (i, f, g, o), tanh_c = np.split(gates, 4, axis=-1), np.tanh(c[1:])
    to_sums = g * sigmoid_slope(i), c[:-1] * sigmoid_slope(f), i * tanh_slope(g), tanh_c * sigmoid_slope(o)
    return o * tanh_slope(tanh_c), np.concatenate(to_sums, axis=-1)


def use_factors(d_h, d_c, from_h, to_sums, f, d_z):
    """Write the gradients of a step's sums; return them, and the gradient of the cell state that came in."""
    B, H = d_h.shape
    d_c = d_c + d_h * from_h
    np.multiply(d_c[:, None], to_sums[:, : 3 * H].reshape(B, 3, H), out=d_z[:, : 3 * H].reshape(B, 3, H))
    np.multiply(d_h, to_sums[:, 3 * H :], out=d_z[:, 3 * H :])
    return d_z, d_c * f


def fused_backward(d_output, cache):
    """The package's: in chunks that fit the cache, nothing allocated in the loop; its cache has its own layout."""
    zero = np.zeros_like(d_output[0])
    d_x, _, gradients = fused_sequence_backward(d_output, (zero, zero), cache)
    return d_x, gradients["weight_ih"], gradients["weight_hh"], gradients["bias_ih"]


BACKWARD = [gradients_inside, gradients_after, slopes_first, fused_backward]


def backward_pieces(T, B, D, H):
    """Return, by rung, pairs: how often a call is made, and the call."""
    rng = np.random.default_rng(0)

    def some(*shape):
        return rng.random(shape).astype(np.float32)

    x, h, W_ih, W_hh, d_z = some(T, B, D), some(T + 1, B, H), some(4 * H, D), some(4 * H, H), some(T, B, 4 * H)
    d_h, gates, c, blocks = some(B, H), some(B, 4 * H), some(T + 1, B, H), some(4, B, H)
    d_ih, d_hh, d_b, m = some(4 * H, D), some(4 * H, H), some(4 * H), max(1, min(T, CHUNK // (4 * B * H)))
    now = some(5, 1, B, H)
    open_, back = (T, lambda: open_step(d_h, d_h, d_h, d_h, gates)), (T, lambda: d_z[0] @ W_hh)
    after, z = (1, lambda: products_after(d_z, x, h, W_ih)), d_z[0]
    inside = (T, lambda: (np.add(d_ih, z.T @ x[0], out=d_ih), np.add(d_hh, z.T @ h[0], out=d_hh)))
    rest = (T, lambda: (np.add(d_b, z.sum(axis=0), out=d_b), z @ W_ih))
    few = (T, lambda: use_factors(d_h, d_h, d_h, gates, d_h, z))
    chunk = (T / m, lambda: all_factors(c[: m + 1], d_z[:m]))
    n = min(T, max(m, 1024 // B))  # steps whose gradients are one product
    products = (T / n, lambda: products_after(d_z[:n], x[:n], h[: n + 1], W_ih))
    in_place = (T, lambda: (np.multiply(d_h, blocks[:2], out=now[:2, 0]), np.multiply(d_h, blocks[1:], out=now[2:, 0])))
    return {
        "gradients_inside": [open_, back, inside, rest],
        "gradients_after": [open_, back, after],
        "slopes_first": [(1, lambda: all_factors(c, d_z)), few, back, after],
        "fused_backward": [chunk, in_place, (T, lambda: np.matmul(z, W_hh, out=d_h)), products],
    }
