"""After the LSTM: linear recurrences, xLSTM and attention, each small enough to be read. In PyTorch alone.

All read x (B, T, D) and return (B, T, H), and no output depends on a later input. `BlockNetwork` puts any of them into
the same frame. Chapter: after-lstm.
"""

import math

import torch
from torch import nn
from torch.nn.functional import gelu, logsigmoid, softplus

from lstm_tutorial.in_torch.gru import GRU
from lstm_tutorial.in_torch.lstm import LSTM, Module, draw, generator
from lstm_tutorial.in_torch.scan import linear_scan
from lstm_tutorial.in_torch.topologies import draw_linear
from lstm_tutorial.in_torch.variants import cell_sequence
from lstm_tutorial.validation import check_choice, check_sizes

__all__ = [
    "MLSTM",
    "SLSTM",
    "BlockNetwork",
    "CausalAttention",
    "DiagonalSSM",
    "MinGRU",
    "MinLSTM",
    "slstm_cell",
]


def linear(inputs, outputs, rng, bias=True):
    """Return a linear layer whose parameters are drawn from a generator, as torch draws them."""
    layer = nn.Linear(inputs, outputs, bias=bias)
    draw_linear(layer, rng)
    return layer


class MinGRU(Module):
    """A GRU whose gate and candidate read x alone (Feng et al. 2024): h_t = (1 - z_t) h_{t-1} + z_t n_t.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    rng : torch.Generator, int or None

    Examples
    --------
    >>> MinGRU(3, 5, rng=0)(torch.ones(2, 7, 3)).shape
    torch.Size([2, 7, 5])
    """

    def __init__(self, input_size, hidden_size, *, rng=None):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size)
        rng = generator(rng)
        self.gate = linear(input_size, hidden_size, rng)
        self.candidate = linear(input_size, hidden_size, rng)

    def forward(self, x):
        """Map x (B, T, D) to the hidden states (B, T, H)."""
        x = x.transpose(0, 1)  # (T, B, D)
        z = torch.sigmoid(self.gate(x))
        return linear_scan(1 - z, z * self.candidate(x)).transpose(0, 1)


class MinLSTM(Module):
    """An LSTM whose gates and candidate read x alone, and sum to 1 (Feng et al. 2024).

    f' = f / (f + i) and i' = i / (f + i); h_t = f'_t h_{t-1} + i'_t g_t. There is no output gate.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    rng : torch.Generator, int or None

    Examples
    --------
    >>> MinLSTM(3, 5, rng=0)(torch.ones(2, 7, 3)).shape
    torch.Size([2, 7, 5])
    """

    def __init__(self, input_size, hidden_size, *, rng=None):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size)
        rng = generator(rng)
        self.forget = linear(input_size, hidden_size, rng)
        self.input = linear(input_size, hidden_size, rng)
        self.candidate = linear(input_size, hidden_size, rng)

    def forward(self, x):
        """Map x (B, T, D) to the hidden states (B, T, H)."""
        x = x.transpose(0, 1)  # (T, B, D)
        f, i = torch.sigmoid(self.forget(x)), torch.sigmoid(self.input(x))
        return linear_scan(f / (f + i), i / (f + i) * self.candidate(x)).transpose(0, 1)


class DiagonalSSM(Module):
    """A state-space model with a diagonal matrix whose step depends on the input (after Gu and Dao 2023, algorithm 2).

    Each of the H channels u has a state of N numbers: h_t = exp(-Δ_t A) h_{t-1} + Δ_t B_t u_t, and y_t = C_t h_t + D
    u_t, where Δ_t, B_t and C_t are computed from x_t. Mamba adds a short convolution and a gate, which are left out.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    state_size : int
        N.
    signed : bool
        Whether the factors are 2 exp(-Δ_t A) - 1, between -1 and 1, instead of between 0 and 1 (Grazzi et al. 2024).
    rng : torch.Generator, int or None

    Examples
    --------
    >>> DiagonalSSM(3, 5, rng=0)(torch.ones(2, 7, 3)).shape
    torch.Size([2, 7, 5])
    """

    def __init__(self, input_size, hidden_size, *, state_size=4, signed=False, rng=None):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size, state_size=state_size)
        H, N, rng = hidden_size, state_size, generator(rng)
        self.signed = signed
        self.channels = linear(input_size, H, rng)
        self.step = linear(input_size, H, rng)
        self.write = linear(input_size, N, rng, bias=False)  # B
        self.read = linear(input_size, N, rng, bias=False)  # C
        self.log_rate = nn.Parameter(torch.log(torch.arange(1.0, N + 1)).repeat(H, 1))  # of A, (H, N)
        self.skip = nn.Parameter(torch.ones(H))  # D
        with torch.no_grad():  # steps Δ between 0.001 and 0.1, as in Mamba
            size = torch.exp(torch.empty(H).uniform_(math.log(0.001), math.log(0.1), generator=rng))
            self.step.bias.copy_(size + torch.log(-torch.expm1(-size)))  # softplus of it is the size

    def forward(self, x):
        """Map x (B, T, D) to the outputs (B, T, H)."""
        x = x.transpose(0, 1)  # (T, B, D)
        u, step = self.channels(x), softplus(self.step(x))  # (T, B, H)
        a = torch.exp(-step[..., None] * self.log_rate.exp())  # (T, B, H, N)
        a = 2 * a - 1 if self.signed else a
        h = linear_scan(a, (step * u)[..., None] * self.write(x)[..., None, :])
        y = (h @ self.read(x)[..., None])[..., 0] + self.skip * u
        return y.transpose(0, 1)


def slstm_cell(x, state, weight_ih, weight_hh, bias):
    """Advance an sLSTM by one step: an exponential input gate, and a cell state that is divided by its normaliser.

    Parameters
    ----------
    x : tensor (B, D)
    state : tuple of tensors (B, H)
        h, the cell state c, the normaliser n, and m, the logarithm that c and n are scaled down by; at first 0, 0, 0
        and minus infinity.
    weight_ih, weight_hh, bias : tensors (4H, D), (4H, H), (4H,)
        Rows i, f, g, o.

    Returns
    -------
    tuple of tensors (B, H)
        The new state.

    Notes
    -----
    Beck et al. (2024), section 2.2, with the sigmoid for f. No exponent is above 0: m is the larger of both.

    Examples
    --------
    >>> bias = torch.tensor([1000.0, 0.0, 50.0, 50.0])  # i = exp(1000), g = o = 1
    >>> state = torch.zeros(1), torch.zeros(1), torch.zeros(1), torch.full((1,), -torch.inf)
    >>> slstm_cell(torch.ones(1), state, torch.zeros(4, 1), torch.zeros(4, 1), bias)[0]
    tensor([1.])
    """
    h, c, n, m = state
    z_i, z_f, z_g, z_o = (x @ weight_ih.T + h @ weight_hh.T + bias).chunk(4, dim=-1)  # (B, H) each
    kept = logsigmoid(z_f) + m  # log f + m
    m = torch.maximum(kept, z_i)
    f, i = torch.exp(kept - m), torch.exp(z_i - m)
    c = f * c + i * torch.tanh(z_g)
    n = f * n + i
    return torch.sigmoid(z_o) * c / n, c, n, m


class SLSTM(Module):
    """An sLSTM over sequences: `slstm_cell` in the loop of any cell, since its gates read h.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    forget_bias : float
    rng : torch.Generator, int or None
        Draws the other parameters from uniform(-1/sqrt(H), 1/sqrt(H)).

    Examples
    --------
    >>> SLSTM(3, 5, rng=0)(torch.ones(2, 7, 3)).shape
    torch.Size([2, 7, 5])
    """

    def __init__(self, input_size, hidden_size, *, forget_bias=3.0, rng=None):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size)
        D, H, rng = input_size, hidden_size, generator(rng)
        for name, shape in {"weight_ih": (4 * H, D), "weight_hh": (4 * H, H), "bias": (4 * H,)}.items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))
            draw(getattr(self, name), rng, H**-0.5)
        self.bias.data[H : 2 * H] = forget_bias

    def forward(self, x):
        """Map x (B, T, D) to the hidden states (B, T, H)."""
        zero = x.new_zeros(x.shape[0], self.weight_hh.shape[1])
        state = (zero, zero, zero, zero - torch.inf)
        weights = self.weight_ih, self.weight_hh, self.bias
        return cell_sequence(slstm_cell, x.transpose(0, 1), state, *weights)[0].transpose(0, 1)


class MLSTM(Module):
    """An mLSTM over sequences: the state of each head is a matrix, to which values are added under their keys.

    C_t = f_t C_{t-1} + i_t v_t k_t^T, n_t = f_t n_{t-1} + i_t k_t, h_t = o_t C_t q_t / max(abs(n_t q_t), 1). The
    gates read x alone, so `forward` computes all steps at once, as attention does, and `loop` one after the other.
    Beck et al. (2024), section 2.3, with the sigmoid for f.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    heads : int
        Matrices of (H / heads, H / heads) numbers.
    forget_bias : float
    rng : torch.Generator, int or None

    Examples
    --------
    >>> MLSTM(3, 6, heads=2, rng=0)(torch.ones(2, 7, 3)).shape
    torch.Size([2, 7, 6])
    """

    def __init__(self, input_size, hidden_size, *, heads=1, forget_bias=3.0, rng=None):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size, heads=heads)
        self.heads, rng = heads, generator(rng)
        self.query, self.key, self.value, self.output = (linear(input_size, hidden_size, rng) for _ in range(4))
        self.input, self.forget = (linear(input_size, heads, rng) for _ in range(2))
        nn.init.constant_(self.forget.bias, forget_bias)

    def parts(self, x):
        """Return q, k and v (B, heads, T, H / heads), and the logarithms of i and f (B, heads, T)."""
        q, k, v = (split_heads(layer(x), self.heads) for layer in (self.query, self.key, self.value))
        log_i, log_f = self.input(x), logsigmoid(self.forget(x))
        return q, k / math.sqrt(k.shape[-1]), v, log_i.transpose(1, 2), log_f.transpose(1, 2)

    def forward(self, x):
        """Map x (B, T, D) to the hidden states (B, T, H), all steps at once."""
        q, k, v, log_i, log_f = self.parts(x)
        total = log_f.cumsum(dim=-1)
        log_d = total[..., :, None] - total[..., None, :] + log_i[..., None, :]  # step t keeps of step s, (B, h, T, T)
        log_d = log_d.masked_fill(later(x), -torch.inf)
        m = log_d.amax(dim=-1, keepdim=True)
        weights = q @ k.mT * torch.exp(log_d - m)
        n = torch.maximum(weights.sum(dim=-1, keepdim=True).abs(), torch.exp(-m))
        return torch.sigmoid(self.output(x)) * join_heads(weights @ v / n)

    def loop(self, x):
        """Return what `forward` does, step by step, with a state of fixed size."""
        C, n, m, found = 0, 0, -torch.inf, []
        for q, k, v, log_i, log_f in zip(*(each.unbind(2) for each in self.parts(x)), strict=True):
            m_prev, m = m, torch.maximum(log_f + m, log_i)  # (B, heads)
            f, i = torch.exp(log_f + m_prev - m)[..., None], torch.exp(log_i - m)[..., None]
            C = f[..., None] * C + i[..., None] * v[..., :, None] * k[..., None, :]  # (B, heads, H / heads, H / heads)
            n = f * n + i * k
            size = torch.maximum((n * q).sum(dim=-1).abs(), torch.exp(-m))
            found.append((C @ q[..., None])[..., 0] / size[..., None])
        return torch.sigmoid(self.output(x)) * join_heads(torch.stack(found, dim=2))


class CausalAttention(Module):
    """Attention of each step to itself and to the steps before it (Vaswani et al. 2017, equation 1).

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    heads : int
    rng : torch.Generator, int or None

    Examples
    --------
    >>> CausalAttention(3, 6, heads=2, rng=0)(torch.ones(2, 7, 3)).shape
    torch.Size([2, 7, 6])
    """

    def __init__(self, input_size, hidden_size, *, heads=1, rng=None):
        super().__init__()
        check_sizes(input_size=input_size, hidden_size=hidden_size, heads=heads)
        self.heads, rng = heads, generator(rng)
        self.query, self.key, self.value = (linear(input_size, hidden_size, rng) for _ in range(3))
        self.output = linear(hidden_size, hidden_size, rng)

    def forward(self, x):
        """Map x (B, T, D) to (B, T, H)."""
        q, k, v = (split_heads(layer(x), self.heads) for layer in (self.query, self.key, self.value))
        scores = q @ k.mT / math.sqrt(k.shape[-1])
        weights = scores.masked_fill(later(x), -torch.inf).softmax(dim=-1)  # (B, heads, T, T)
        return self.output(join_heads(weights @ v))


def later(x):
    """Return a mask (T, T) of x (B, T, ...): True where the column's step comes after the row's."""
    steps = torch.arange(x.shape[1], device=x.device)
    return steps > steps[:, None]


def split_heads(x, heads):
    """Return x (B, T, H) as (B, heads, T, H / heads)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def join_heads(x):
    """Return x (B, heads, T, H / heads) as (B, T, H)."""
    return x.transpose(1, 2).flatten(-2)


MIXERS = {  # what mixes the steps in a block, for H units; initial biases as their authors set them
    "LSTM": lambda H, rng: LSTM(H, H, batch_first=True, forget_bias=1, rng=rng),
    "GRU": lambda H, rng: GRU(H, H, batch_first=True, rng=rng),
    "sLSTM": lambda H, rng: SLSTM(H, H, rng=rng),
    "mLSTM": lambda H, rng: MLSTM(H, H, rng=rng),
    "minLSTM": lambda H, rng: MinLSTM(H, H, rng=rng),
    "minGRU": lambda H, rng: MinGRU(H, H, rng=rng),
    "SSM": lambda H, rng: DiagonalSSM(H, H, rng=rng),
    "signed SSM": lambda H, rng: DiagonalSSM(H, H, signed=True, rng=rng),
    "attention": lambda H, rng: CausalAttention(H, H, rng=rng),
}


class BlockNetwork(Module):
    """The frame of a Transformer, in which attention can be exchanged for any other way of mixing the steps.

    A linear layer of the input; in each block x + mixer(norm(x)) and then x + feed-forward(norm(x)); a norm and a
    linear layer for the answer. With attention, sines and cosines of the position are added to the input (Vaswani et
    al. 2017).

    Parameters
    ----------
    mixer : str
        One of `MIXERS`.
    input_size, hidden_size, output_size, num_layers : int
        D, H, K and the number of blocks.
    wide : int, optional
        Units of the feed-forward layers; 2H if not given.
    rng : torch.Generator, int or None

    Raises
    ------
    ValueError
        If the mixer's name is unknown, or a size is below 1.

    Notes
    -----
    The norms stand before each part (Xiong et al. 2020).

    Examples
    --------
    >>> BlockNetwork("minGRU", 3, 8, 2, rng=0)(torch.ones(4, 7, 3)).shape
    torch.Size([4, 7, 2])
    """

    def __init__(self, mixer, input_size, hidden_size, output_size, num_layers=1, *, wide=None, rng=None):
        super().__init__()
        check_choice("mixer", mixer, tuple(MIXERS))
        wide = 2 * hidden_size if wide is None else wide
        check_sizes(input_size=input_size, hidden_size=hidden_size, output_size=output_size)
        check_sizes(num_layers=num_layers, wide=wide)
        H, rng = hidden_size, generator(rng)
        self.has_positions = mixer == "attention"
        self.embedding = linear(input_size, H, rng)
        self.blocks = nn.ModuleList()
        for _ in range(num_layers):
            parts = {"mix_norm": nn.LayerNorm(H), "mixer": MIXERS[mixer](H, rng), "norm": nn.LayerNorm(H)}
            parts |= {"wide": linear(H, wide, rng), "narrow": linear(wide, H, rng)}
            self.blocks.append(nn.ModuleDict(parts))
        self.norm = nn.LayerNorm(H)
        self.head = linear(H, output_size, rng)

    def forward(self, x):
        """Map x (B, T, D) to scores (B, T, K)."""
        x = self.embedding(x)
        x = x + positions(x) if self.has_positions else x
        for block in self.blocks:
            mixed = block["mixer"](block["mix_norm"](x))
            x = x + (mixed[0] if isinstance(mixed, tuple) else mixed)  # an LSTM returns its state too
            x = x + block["narrow"](gelu(block["wide"](block["norm"](x))))
        return self.head(self.norm(x))


def positions(x):
    """Return the sines and cosines of the steps of x (B, T, H), (T, H)."""
    T, H = x.shape[1:]
    rates = 10000 ** -(torch.arange(0, H, 2, device=x.device, dtype=x.dtype) / H)
    angles = torch.arange(T, device=x.device, dtype=x.dtype)[:, None] * rates  # (T, H / 2)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)[:, :H]
