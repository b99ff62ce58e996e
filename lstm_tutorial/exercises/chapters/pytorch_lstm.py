"""The exercises of the chapter pytorch-lstm. torch is imported where it is needed, never with the module."""

import numpy as np

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
from lstm_tutorial.in_numpy import LSTM, sigmoid

# Two biases, by hand


def diagnose_two_biases(got, want, inputs):
    """Say which bias was forgotten, or what was done with the cell state."""
    f = sigmoid(np.array([1.0, 2.0, 3.0]))
    turns = {
        "it uses `bias_ih` alone: what does the gate see?": float(4 * f[0]),
        "it uses `bias_hh` alone: what does the gate see?": float(4 * f[1]),
        "it squashes each bias by itself, the gate squashes their sum": float(4 * (f[0] + f[1])),
        "it multiplies by each bias's sigmoid in turn, there is one gate": float(4 * f[0] * f[1]),
        "this is the forget gate, the cell state is asked for": float(f[2]),
        "the sigmoid is missing": 12.0,
        "the candidate is not 0.5: it is a tanh, not a sigmoid": float(4 * f[2] + 0.25),
    }
    return first_match(got, turns, tolerance=0.002)


register(
    "two_biases_by_hand",
    chapter="pytorch-lstm",
    title="Two biases, by hand",
    reference=lambda: float(4 * sigmoid(np.array(3.0))),
    diagnose=diagnose_two_biases,
    tolerance=0.005,
)


# How many parameters


def draw_network(rng):
    """Sizes of a network."""
    D, H = draw_sizes(rng, 2, low=2)
    return D, H, int(rng.integers(1, 4)), bool(rng.integers(2))


def count(D, H, num_layers, bidirectional):
    """Count the numbers in the package's own network."""
    lstm = LSTM(D, H, num_layers, bidirectional=bidirectional, rng=0)
    return sum(value.size for value in lstm.parameters.values())


def diagnose_count(got, want, inputs):
    """Say which part of the count was forgotten."""
    D, H, num_layers, bidirectional = inputs
    ways = 2 if bidirectional else 1
    reads = [D] + [ways * H] * (num_layers - 1)  # numbers that a step of each layer takes in
    turns = {
        "one bias is counted, there are two": sum(ways * 4 * H * (d + H + 1) for d in reads),
        "the biases are left out": sum(ways * 4 * H * (d + H) for d in reads),
        "this counts one gate, there are four": want // 4,
        "each direction has weights of its own": sum(4 * H * (d + H + 2) for d in reads),
        "every layer is counted as if it read x: what does the second one read?": num_layers
        * ways
        * 4
        * H
        * (D + H + 2),
        "a second layer reads both directions of the one below": sum(
            ways * 4 * H * (d + H + 2) for d in [D] + [H] * (num_layers - 1)
        ),
        "the recurrent weights are (4H, H) and not (4H, 2H), each direction reads its own past": sum(
            ways * 4 * H * (d + ways * H + 2) for d in reads
        ),
    }
    return first_match(got, {words: value for words, value in turns.items() if value != want}, tolerance=1e-9)


register(
    "count_parameters",
    chapter="pytorch-lstm",
    title="How many parameters?",
    draw=draw_network,
    reference=count,
    diagnose=diagnose_count,
    trials=24,  # layers, directions and sizes all have to come up
)


# A network from an ONNX file


def draw_onnx(rng):
    """A list with (W, R, B) for each layer, the rows of the gates in ONNX's order i, o, f, c."""
    D, H = draw_sizes(rng, 2)
    S, layers = int(rng.integers(1, 3)), []
    for reads in [D] + [S * H] * int(rng.integers(0, 3)):
        shapes = (S, 4 * H, reads), (S, 4 * H, H), (S, 8 * H)
        layers.append(tuple(rng.normal(size=shape) for shape in shapes))
    return (layers,)


def from_onnx(layers, order=(0, 2, 3, 1), biases=(0, 1), flip=False, suffix="_reverse"):
    """Put the rows into torch's order and cut the biases; the arguments are what can go wrong."""

    def torch_rows(rows):
        blocks = np.split(rows, 4)
        return np.concatenate([blocks[k] for k in order])

    found = {}
    for k, (W, R, B) in enumerate(layers):
        for s in range(len(W)):
            source, end = len(W) - 1 - s if flip else s, f"_l{k}{suffix if s else ''}"
            halves = np.split(B[source], 2)
            rows = W[source], R[source], halves[biases[0]], halves[biases[1]]
            for name, array in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), rows, strict=True):
                found[name + end] = torch_rows(array)
    return found


def diagnose_onnx(got, want, inputs):
    """Name the mix-up."""
    (layers,) = inputs
    unsorted = from_onnx(layers, order=range(4))
    weights_only = {name: unsorted[name] if "bias" in name else value for name, value in want.items()}
    biases_only = {name: unsorted[name] if "weight" in name else value for name, value in want.items()}
    summed = {name: value.copy() for name, value in want.items()}
    for name in [each for each in want if each.startswith("bias_ih")]:
        summed[name] += summed[name.replace("_ih", "_hh")]
        summed[name.replace("_ih", "_hh")] *= 0
    turns = {
        "the rows stand as the file has them, i, o, f, c: torch's order is i, f, g, o": unsorted,
        "the weights are right, the rows of the biases stand as the file has them": weights_only,
        "the biases are right, the rows of the weights stand as the file has them": biases_only,
        "the rows have moved the wrong way: block 1 of the file is o, so where does o go?": from_onnx(
            layers, order=(0, 3, 1, 2)
        ),
        "only two gates have changed places: f moves to the second place, and both c and o move too": from_onnx(
            layers, order=(0, 2, 1, 3)
        ),
        "the two halves of B are exchanged: the first belongs to W": from_onnx(layers, biases=(1, 0)),
        "the two halves of B are added up: torch has a place for each": summed,
        "the directions are exchanged: forward stands first in the file": from_onnx(layers, flip=True),
    }
    return first_match(got, {words: value for words, value in turns.items() if not _equal(value, want)})


def _equal(a, b):
    return all(np.array_equal(a[name], b[name]) for name in b)


register(
    "from_onnx",
    chapter="pytorch-lstm",
    title="A network from an ONNX file",
    draw=draw_onnx,
    reference=from_onnx,
    axes=("4H D", "4H H", "4H", "4H") * 6,
    diagnose=diagnose_onnx,
    trials=18,  # layers and directions all have to come up
)


# What the last hidden state sees


def draw_network_and_input(rng):
    """A `torch.nn.LSTM` and one sequence."""
    import torch

    T, D, H = draw_sizes(rng, 3, low=2)
    with torch.random.fork_rng():  # the learner's own random numbers stay as they are
        lstm = torch.nn.LSTM(D, H, dtype=torch.float64)
    values = LSTM(D, H, dtype="float64", rng=rng).state_dict()
    lstm.load_state_dict({name: torch.as_tensor(value) for name, value in values.items()})
    return lstm, torch.as_tensor(rng.normal(size=(T, D)))


def gradient(lstm, x, of="h_n"):
    """Return the gradient (T, D) of the sum of one of the results with respect to x."""
    import torch

    x = x.detach().clone().requires_grad_()
    output, (h_n, c_n) = lstm(x)
    return torch.autograd.grad({"output": output, "h_n": h_n, "c_n": c_n}[of].sum(), x)[0]


def gradient_by_step(lstm, x):
    """The norm of that gradient at each step, (T,)."""
    return gradient(lstm, x).norm(dim=-1)


def diagnose_gradient(got, want, inputs):
    """Say what was differentiated, or what was done with the gradient."""
    lstm, x = inputs
    turns = {
        "this is the gradient of the sum of all outputs, not of `h_n` alone": gradient(lstm, x, "output").norm(dim=-1),
        "this is the gradient of `c_n`": gradient(lstm, x, "c_n").norm(dim=-1),
        "the norm is the root of the sum of squares, here the root is missing": want**2,
        "this adds up the gradient's numbers with their signs": gradient(lstm, x).sum(dim=-1),
        "this adds up absolute values, the norm adds up squares": gradient(lstm, x).abs().sum(dim=-1),
        "this is the mean of the absolute values": gradient(lstm, x).abs().mean(dim=-1),
        "this is the norm of x, not of its gradient": x.norm(dim=-1),
    }
    return first_match(got, turns)


register(
    "gradient_by_step",
    chapter="pytorch-lstm",
    title="What the last hidden state sees",
    draw=draw_network_and_input,
    reference=gradient_by_step,
    names=("the norms",),
    axes=("T",),
    diagnose=diagnose_gradient,
)


# A module with three faults


def draw_state_dict(rng):
    """The state dict of a one-layer LSTM, arrays."""
    D, H = draw_sizes(rng, 2, low=2)
    return (LSTM(D, H, dtype="float64", rng=rng).state_dict(),)


def _not_a_module(model, what):
    """Say so if an answer is no module."""
    import torch

    if isinstance(model, type):
        return "this is the class itself: return a network made from it"
    if not isinstance(model, torch.nn.Module):
        return f"it returned a {type(model).__name__} where {what} is expected"
    return None


def _lacking(model, expected):
    """Say so if a module's parameters hold another count of numbers than expected."""
    held = sum(parameter.numel() for parameter in model.parameters())
    if held == expected:
        return None
    hint = ": what is no `nn.Parameter`, or stands in a plain list, is not found" if held < expected else ""
    return f"its parameters hold {held} numbers where {expected} are expected{hint}"


def _fails_as(model, dtype, *inputs):
    """Say so if a copy of a module fails once it has moved to another number format."""
    import copy

    moved = copy.deepcopy(model).to(dtype)
    x, *rest = inputs
    try:
        result = moved(x.to(dtype), *rest)
    except (RuntimeError, TypeError, ValueError) as error:
        said = str(error).splitlines()[0]
        return f"after `.to({dtype})` the forward fails ({said}): is a state made in one fixed number format?"
    return None if result.dtype == dtype else f"after `.to({dtype})` the result is still {result.dtype}"


def verify_mended(model, rng, state_dict):
    """Compare values, gradients and keys with the torch twin, and move the module."""
    import torch

    from lstm_tutorial import in_torch

    fault = _not_a_module(model, "an `nn.Module`") or _lacking(model, sum(value.size for value in state_dict.values()))
    if fault:
        return fault
    if model.state_dict().keys() != state_dict.keys():
        return f"its state dict has the keys {', '.join(model.state_dict())}: keep the names of `state_dict`"
    H, D = state_dict["weight_hh_l0"].shape[1], state_dict["weight_ih_l0"].shape[1]
    dtype = torch.as_tensor(state_dict["weight_hh_l0"]).dtype
    twin = in_torch.LSTM(D, H, dtype=str(dtype))
    twin.load_state_dict(state_dict)
    x = torch.as_tensor(rng.normal(size=(4, 3, D)), dtype=dtype)
    h_n = twin(x)[1][0][0]
    h = model(x)
    if not isinstance(h, torch.Tensor) or h.shape != h_n.shape:
        return f"its result should be a tensor (B, H) = {tuple(h_n.shape)}, got {tuple(getattr(h, 'shape', ())) or h}"
    near = dict(rtol=1e-3, atol=1e-5) if dtype == torch.float32 else dict(rtol=1e-7, atol=1e-10)
    if not torch.allclose(h, h_n, **near):
        return "its hidden states are not those of an LSTM with these weights"
    if not h.requires_grad:
        return "no gradient comes back from its result: does something leave torch, or stand under `no_grad`?"
    h.sum().backward()
    h_n.sum().backward()
    want = dict(twin.named_parameters())
    for name, parameter in model.named_parameters():
        if parameter.grad is None or not torch.allclose(parameter.grad, want[name].grad, **near):
            return (
                f"the hidden states are right, the gradient of `{name}` is not: is the way back cut between two steps?"
            )
    return _fails_as(model, torch.float64 if dtype == torch.float32 else torch.float32, x)


register(
    "make_mended",
    chapter="pytorch-lstm",
    title="A module with three faults",
    draw=draw_state_dict,
    verify=verify_mended,
    trials=6,
)


# Is it a twin?

KINDS = ("twin", "float32", "cut", "no state", "clipped")


class Box:
    """An LSTM with the weights of a `torch.nn.LSTM`, right or with one hidden fault."""

    def __init__(self, lstm, kind):
        self._weights, self._kind = [parameter.detach() for parameter in lstm.parameters()], kind

    def __call__(self, x, state=None):
        """x (T, B, D), state (h_0, c_0) or None -> output (T, B, H), (h_n, c_n)"""
        import torch

        from lstm_tutorial.in_torch.cell import step_from_sums

        def rounded(value):
            return value.float() if self._kind == "float32" else value

        weight_ih, weight_hh, bias_ih, bias_hh = (rounded(weight) for weight in self._weights)
        h = c = rounded(x.new_zeros(*x.shape[1:-1], weight_hh.shape[1]))
        if state is not None and self._kind != "no state":
            h, c = (rounded(each[0]) for each in state)
        output = []
        for x_t in rounded(x):
            h = h.detach() if self._kind == "cut" else h
            z = x_t @ weight_ih.T + h @ weight_hh.T + bias_ih + bias_hh
            (h, c), _ = step_from_sums(z.clamp(-6, 6) if self._kind == "clipped" else z, c)
            output.append(h)
        h, c = h.to(x.dtype), c.to(x.dtype)
        return torch.stack(output).to(x.dtype), (h[None], c[None])


def draw_box(rng):
    """A `torch.nn.LSTM` and a box that claims to be its twin."""
    lstm, _ = draw_network_and_input(rng)
    return lstm, Box(lstm, str(rng.choice(KINDS)))


def diagnose_kind(got, want, inputs):
    """Say what the experiment has missed."""
    word = str(got).strip().casefold()
    if word not in KINDS:
        return f"`{word}` is none of the five words: {', '.join(KINDS)}"
    missed = {
        "float32": "at which distance do you call two results equal? Rounding in float64 stays near 1e-16",
        "cut": "its outputs are right, so no comparison of outputs shows it: what about gradients, over several steps?",
        "no state": "from which states did both start?",
        "clipped": "on ordinary inputs it is right: how large were the sums that you tried?",
    }
    if want == "twin":
        return f'it calls a right twin "{word}": two right programs round differently, so how far apart may they be?'
    if word == "float32":
        return f'it takes "{want}" for rounding: how large is a difference that comes from float32?'
    return f'it takes a box of the kind "{want}" for "{word}": {missed[want]}'


register(
    "judge_twin",
    chapter="pytorch-lstm",
    title="Is it a twin?",
    draw=draw_box,
    reference=lambda lstm, box: box._kind,
    diagnose=diagnose_kind,
    names=("the verdict",),
    dtypes=("float64",),
    trials=20,
)


# A classifier for sequences of any length


def draw_classifier(rng):
    """D, H and K."""
    return draw_sizes(rng, 3, low=2)


def verify_classifier(model, rng, D, H, K):
    """Ask of a classifier what every classifier of sequences must do."""
    import torch

    fault = _not_a_module(model, "an `nn.Module`") or _lacking(model, 4 * H * (D + H + 2) + K * (H + 1))
    if fault:
        return fault
    T, lengths = 6, [4, 6, 2]
    B = len(lengths)
    x = torch.as_tensor(rng.normal(size=(B, T, D)), dtype=torch.float32)
    for b, length in enumerate(lengths):
        x[b, length:] = 0
    logits = model(x, lengths)
    if not isinstance(logits, torch.Tensor) or logits.shape != (B, K):
        got = tuple(getattr(logits, "shape", ()))
        return f"for x {tuple(x.shape)} the scores should be a tensor (B, K) = {(B, K)}, got {got}"
    if torch.allclose(logits.exp().sum(dim=-1), torch.ones(B), atol=1e-4):
        return "its scores are logarithms of probabilities: return plain scores, `cross_entropy` does the rest"
    if torch.allclose(logits.sum(dim=-1), torch.ones(B), atol=1e-4):
        return "its scores sum to 1: leave softmax out, `cross_entropy` applies it"

    def moved(b, t, to=3.0):
        """Which sequences answer otherwise when a step, or all, of one sequence changes."""
        other = x.clone()
        other[b, t] = to
        return (model(other, lengths) - logits).abs().amax(dim=-1) > 1e-5

    if moved(0, slice(None))[1:].any():
        return "a change in one sequence changes another's scores: does the LSTM know that the batch comes first?"
    if moved(0, 5).any() or moved(2, 3).any():
        return "the padding changes the scores: the last step is not the last valid one"
    if not moved(1, 5)[1] or not moved(0, 3)[0]:
        return "the last valid step does not change the scores: which step is read?"
    logits.sum().backward()
    if any(parameter.grad is None for parameter in model.parameters()):
        return "no gradient reaches some of its parameters"
    return _fails_as(model, torch.float64, x, lengths)


register(
    "make_classifier",
    chapter="pytorch-lstm",
    title="A classifier for sequences of any length",
    draw=draw_classifier,
    verify=verify_classifier,
    trials=6,
)
