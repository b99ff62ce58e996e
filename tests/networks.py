"""Three implementations of one network, run on the same numbers, for the tests to compare."""

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def run_numpy(network, x, state, lengths, d_output, d_state):
    """Return a dict of results and gradients of a NumPy network."""
    output, final = network(x, state, lengths=lengths)
    d_x, d_first = network.backward(d_output, d_state)
    return _collect(output, final, d_x, d_first, network.gradients)


def run_torch(network, x, state, lengths, d_output, d_state):
    """Return the same of a torch network of the course; autograd finds the gradients."""
    x, state = _leaves(x, state)
    return _backward(network, network(x, state, lengths=lengths), x, state, d_output, d_state)


def run_reference(network, x, state, lengths, d_output, d_state):
    """Return the same of torch's own network, which packs where there are lengths."""
    x, state = _leaves(np.nan_to_num(x), state)
    seen = x
    if lengths is not None:
        batch_first, lengths = network.batch_first, torch.as_tensor(lengths)
        seen = pack_padded_sequence(x, lengths, batch_first=batch_first, enforce_sorted=False)
    output, final = network(seen, state)
    if lengths is not None:
        T = x.shape[1 if batch_first else 0]
        output, _ = pad_packed_sequence(output, batch_first=batch_first, total_length=T)
    return _backward(network, (output, final), x, state, d_output, d_state)


def assert_close(got, want, tolerance):
    """Compare two such dicts; the tolerance is relative to each array's largest value, and absolute below 1."""
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert got[name].shape == value.shape, name
        assert not np.isnan(got[name]).any(), name
        scale = max(1.0, np.abs(value).max(initial=0.0))
        np.testing.assert_allclose(got[name], value, rtol=0, atol=tolerance * scale, err_msg=name)


def _leaves(x, state):
    return torch.tensor(x, requires_grad=True), tuple(torch.tensor(each, requires_grad=True) for each in _tuple(state))


def _tuple(state):
    return state if isinstance(state, tuple) else (state,)


def _backward(network, results, x, state, d_output, d_state):
    output, final = results
    pairs = zip((output, *_tuple(final)), (d_output, *_tuple(d_state)), strict=True)
    sum((each * torch.tensor(d)).sum() for each, d in pairs).backward()
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    return _collect(output, final, x.grad, tuple(each.grad for each in state), gradients)


def _collect(output, final, d_x, d_first, gradients):
    found = {"output": output, "d_x": d_x} | {f"d_{name}": value for name, value in gradients.items()}
    found |= {f"final_{k}": each for k, each in enumerate(_tuple(final))}
    found |= {f"d_first_{k}": each for k, each in enumerate(_tuple(d_first))}
    return {name: np.asarray(getattr(value, "detach", lambda v=value: v)()) for name, value in found.items()}
