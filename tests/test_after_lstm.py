"""The scan is the loop, and each layer of `after_lstm` computes the equations of its paper, written out here."""

import inspect

import numpy as np
import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention, softplus

from lstm_tutorial import in_numpy, in_torch
from lstm_tutorial.in_torch import after_lstm
from lstm_tutorial.in_torch.after_lstm import MIXERS, MLSTM, SLSTM, BlockNetwork, DiagonalSSM, MinGRU, MinLSTM

B, T, D, H = 3, 7, 4, 6


def draw(*shape, seed=0, scale=1.0):
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def loop(a, b):
    """The recurrence as it is written: h_t = a_t h_{t-1} + b_t."""
    h, found = torch.zeros_like(b[0]), []
    for a_t, b_t in zip(a, b, strict=True):
        h = a_t * h + b_t
        found.append(h)
    return torch.stack(found)


@pytest.mark.parametrize("T", [1, 2, 3, 8, 13, 64, 100])
def test_the_scan_is_the_loop_forward_and_backward(T):
    a, b, d_h = draw(T, 3, 2).tanh().requires_grad_(), draw(T, 3, 2, seed=1).requires_grad_(), draw(T, 3, 2, seed=2)
    wanted = loop(a, b)
    gradients = torch.autograd.grad(wanted, [a, b], d_h, retain_graph=True)
    got = in_torch.linear_scan(a, b)
    torch.testing.assert_close(got, wanted, rtol=0, atol=1e-10)
    for mine, theirs in zip(torch.autograd.grad(got, [a, b], d_h, materialize_grads=True), gradients, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-10)
    h = in_numpy.linear_scan(a.detach().numpy(), b.detach().numpy())
    np.testing.assert_allclose(h, wanted.detach(), rtol=0, atol=1e-10)
    for mine, theirs in zip(in_numpy.linear_scan_backward(d_h.numpy(), a.detach().numpy(), h), gradients, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-10)


@pytest.mark.parametrize("twin", [in_numpy, in_torch])
def test_the_scan_refuses_factors_of_another_shape(twin):
    one = np.ones if twin is in_numpy else torch.ones
    with pytest.raises(ValueError, match=r"a must have shape \(4, 2\), got \(4, 1\)"):
        twin.linear_scan(one((4, 1)), one((4, 2)))


def test_min_gru_is_its_equations():
    layer, x = MinGRU(D, H, rng=0).double(), draw(B, T, D)
    h = torch.zeros(B, H, dtype=torch.float64)
    for t, got in enumerate(layer(x).unbind(1)):
        z = torch.sigmoid(layer.gate(x[:, t]))
        h = (1 - z) * h + z * layer.candidate(x[:, t])
        torch.testing.assert_close(got, h, rtol=0, atol=1e-10)


def test_min_lstm_is_its_equations():
    layer, x = MinLSTM(D, H, rng=0).double(), draw(B, T, D)
    h = torch.zeros(B, H, dtype=torch.float64)
    for t, got in enumerate(layer(x).unbind(1)):
        f, i = torch.sigmoid(layer.forget(x[:, t])), torch.sigmoid(layer.input(x[:, t]))
        f, i = f / (f + i), i / (f + i)
        h = f * h + i * layer.candidate(x[:, t])
        torch.testing.assert_close(got, h, rtol=0, atol=1e-10)


@pytest.mark.parametrize("signed", [False, True])
def test_the_state_space_model_is_its_equations_channel_by_channel(signed):
    layer, x = DiagonalSSM(D, H, state_size=5, signed=signed, rng=0).double(), draw(B, T, D, scale=3)
    A, h, factors = -layer.log_rate.exp(), torch.zeros(B, H, 5, dtype=torch.float64), []
    for t, got in enumerate(layer(x).unbind(1)):
        u, step = layer.channels(x[:, t]), softplus(layer.step(x[:, t]))
        write, read = layer.write(x[:, t]), layer.read(x[:, t])
        for n in range(5):
            a = torch.exp(step * A[:, n])
            a = 2 * a - 1 if signed else a
            h[:, :, n] = a * h[:, :, n].clone() + step * write[:, n : n + 1] * u
            factors.append(a)
        y = sum(read[:, n : n + 1] * h[:, :, n] for n in range(5)) + layer.skip * u
        torch.testing.assert_close(got, y, rtol=0, atol=1e-10)
    factors = torch.stack(factors)
    assert (-1 if signed else 0) < factors.min() < 0.9 < factors.max() < 1


def test_slstm_is_its_equations_without_the_stabiliser():
    layer, x = SLSTM(D, H, forget_bias=1.0, rng=0).double(), draw(B, T, D, scale=2)
    h = c = n = torch.zeros(B, H, dtype=torch.float64)
    for t, got in enumerate(layer(x).unbind(1)):
        z = (x[:, t] @ layer.weight_ih.T + h @ layer.weight_hh.T + layer.bias).chunk(4, dim=1)
        i, f, g, o = torch.exp(z[0]), torch.sigmoid(z[1]), torch.tanh(z[2]), torch.sigmoid(z[3])
        c = f * c + i * g
        n = f * n + i
        h = o * c / n
        torch.testing.assert_close(got, h, rtol=0, atol=1e-10)


def test_mlstm_is_its_equations_without_the_stabiliser_at_once_and_step_by_step():
    layer, x, d = MLSTM(D, H, heads=2, forget_bias=1.0, rng=0).double(), draw(B, T, D, scale=2), H // 2
    at_once, by_steps = layer(x), layer.loop(x)
    for b in range(B):
        for head in range(2):
            rows = slice(head * d, head * d + d)
            C, n = torch.zeros(d, d, dtype=torch.float64), torch.zeros(d, dtype=torch.float64)
            for t in range(T):
                q, k, v, o = (each(x[b, t])[rows] for each in (layer.query, layer.key, layer.value, layer.output))
                k, o = k / d**0.5, torch.sigmoid(o)
                i, f = torch.exp(layer.input(x[b, t])[head]), torch.sigmoid(layer.forget(x[b, t])[head])
                C = f * C + i * torch.outer(v, k)
                n = f * n + i * k
                h = o * (C @ q) / max(abs(n @ q), 1)
                torch.testing.assert_close(at_once[b, t, rows], h, rtol=0, atol=1e-10)
                torch.testing.assert_close(by_steps[b, t, rows], h, rtol=0, atol=1e-10)


@pytest.mark.parametrize(("make", "size"), [(SLSTM, -1e4), (SLSTM, 1e4), (MLSTM, 1e4)])
def test_the_stabiliser_keeps_gates_finite_that_overflow_without_it(make, size):
    layer = make(D, H, rng=0).double()
    gate = layer.bias[:H] if make is SLSTM else layer.input.bias
    gate.data[:] = size
    x = draw(B, T, D).requires_grad_()
    output = layer(x)
    output.sum().backward()
    assert output.isfinite().all() and x.grad.isfinite().all()
    if make is MLSTM:
        torch.testing.assert_close(layer.loop(x), output)


def test_attention_is_that_of_torch():
    layer, x = after_lstm.CausalAttention(D, H, heads=2, rng=0).double(), draw(B, T, D)
    heads = [each(x).view(B, T, 2, H // 2).transpose(1, 2) for each in (layer.query, layer.key, layer.value)]
    wanted = scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2).reshape(B, T, H)
    torch.testing.assert_close(layer(x), layer.output(wanted), rtol=0, atol=1e-10)


def test_the_frame_with_attention_is_the_transformer_of_torch():
    network, x = BlockNetwork("attention", D, H, 2, wide=9, rng=0).double(), draw(B, T, D)
    for k, value in enumerate(network.parameters()):
        value.data = draw(*value.shape, seed=k)
    block, layer = network.blocks[0], torch.nn.TransformerEncoderLayer(H, 1, 9, 0, "gelu", norm_first=True).double()
    three = [block["mixer"].query, block["mixer"].key, block["mixer"].value]
    names = {"self_attn.out_proj": block["mixer"].output, "linear1": block["wide"], "linear2": block["narrow"]}
    names |= {"norm1": block["mix_norm"], "norm2": block["norm"]}
    values = {f"{name}.{kind}": getattr(part, kind) for name, part in names.items() for kind in ("weight", "bias")}
    for kind in ("weight", "bias"):
        values[f"self_attn.in_proj_{kind}"] = torch.cat([getattr(part, kind) for part in three])
    layer.load_state_dict(values)
    angles = np.outer(np.arange(T), 1 / 10000 ** (np.array([0, 2, 4]) / H))
    h = network.embedding(x) + torch.tensor(np.hstack([np.sin(angles), np.cos(angles)]))
    h = layer(h.transpose(0, 1), torch.ones(T, T, dtype=bool).triu(1)).transpose(0, 1)
    torch.testing.assert_close(network(x), network.head(network.norm(h)), rtol=0, atol=1e-9)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("mixer", MIXERS)
def test_no_answer_depends_on_a_later_input_and_all_on_the_first(mixer, layers):
    network, x = BlockNetwork(mixer, D, H, 2, layers, rng=0).double(), draw(1, T, D)
    found = torch.autograd.functional.jacobian(lambda x: network(x)[0].sum(dim=-1), x)[:, 0].abs().sum(dim=-1)  # (T, T)
    assert torch.equal(found.triu(1), torch.zeros(T, T, dtype=torch.float64))
    assert (found[:, 0] > 0).all() and (found.diagonal() > 0).all()


def test_a_seed_gives_the_same_network_and_a_wrong_name_is_refused():
    one, other = (dict(BlockNetwork("sLSTM", D, H, 2, rng=3).named_parameters()) for _ in range(2))
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    with pytest.raises(ValueError, match="mixer must be one of"):
        BlockNetwork("RNN", D, H, 2)


@pytest.mark.parametrize("name", after_lstm.__all__)
def test_each_model_is_short_enough_to_be_read(name):
    assert len(inspect.getsource(getattr(after_lstm, name)).splitlines()) < 60
