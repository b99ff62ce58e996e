"""What a network needs around the LSTM: parameters with names, a linear layer, an embedding."""

from collections.abc import Mapping
from functools import reduce

import numpy as np

from lstm_tutorial.validation import (
    as_array,
    check_dtype,
    check_floating,
    check_kinds,
    check_shape,
    check_sizes,
    check_state_dict,
)


class Layer:
    """Parameters by name, their gradients, and the layers inside; what torch calls a Module.

    A subclass fills `_parameters` and, in its `backward`, `_gradients`. Layers that it keeps as attributes, or in lists
    and dicts that are attributes, are found by themselves, and their names are joined by dots.

    Attributes
    ----------
    parameters, gradients : dict of str to array
        The arrays themselves, no copies. A layer that stands in two places, or an array that two layers share, is there
        once, under its first name, as in torch's `named_parameters`. `gradients` is empty until the first `backward`;
        then a parameter that took no part since `zero_grad` has a gradient of 0.
    training : bool
        Whether dropout is on.

    Notes
    -----
    What a forward keeps for the backward is left out of copies and pickles.

    Examples
    --------
    >>> class Network(Layer):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.inside = [Linear(3, 4, rng=0), Linear(4, 2, rng=1)]
    >>> list(Network().parameters)
    ['inside.0.weight', 'inside.0.bias', 'inside.1.weight', 'inside.1.bias']
    """

    _cache = None  # what the last forward left for backward

    def __init__(self):
        self._parameters = {}
        self._gradients = {}
        self.training = True

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name not in ("_cache", "_memory")}

    @property
    def parameters(self):
        found, known = {}, set()
        for name, value in self._named():
            if id(value) not in known:
                known.add(id(value))
                found[name] = value
        return found

    @property
    def gradients(self):
        parts = {id(value): [] for value in self.parameters.values()}
        for layer in {id(layer): layer for _, layer in self._layers()}.values():
            for key, gradient in layer._gradients.items():
                parts[id(layer._parameters[key])].append(gradient)
        if not any(parts.values()):
            return {}
        found = {}
        for name, value in self.parameters.items():
            each = parts[id(value)]
            found[name] = reduce(np.add, each) if each else np.zeros_like(value)
        return found

    def _layers(self, prefix=""):
        """Yield what the names of a layer's parameters begin with, and the layer: this one, and all inside."""
        yield prefix, self
        for name, value in vars(self).items():
            if name not in ("_parameters", "_gradients", "_cache"):
                yield from _layers_in(f"{prefix}{name}", value)

    def _named(self):
        """Yield name and value of every parameter; one that has two names comes twice."""
        for prefix, layer in self._layers():
            for key, value in layer._parameters.items():
                yield f"{prefix}{key}", value

    def zero_grad(self):
        """Forget all gradients: those of what takes no part in the next backward are then 0."""
        for _, layer in self._layers():
            layer._gradients = {}

    def train(self, mode=True):
        """Switch dropout on, here and in the layers inside."""
        for _, layer in self._layers():
            layer.training = mode
        return self

    def eval(self):
        """Switch dropout off."""
        return self.train(False)

    def state_dict(self):
        """Return a copy of every parameter by name, with torch's names."""
        return {name: value.copy() for name, value in self._named()}

    def load_state_dict(self, state_dict):
        """Copy values in, from arrays or tensors; all keys and shapes are checked before the first is written.

        Raises
        ------
        ValueError, TypeError
            If a key is missing or unknown, a shape differs, or a value holds no floating-point numbers. The layer is
            then unchanged.
        """
        check_kinds(Mapping, state_dict=state_dict)
        new = {name: as_array(name, value) for name, value in state_dict.items()}
        own = dict(self._named())
        check_state_dict(new, {name: value.shape for name, value in own.items()})
        for name, value in new.items():
            check_floating(name, value)
        for name, value in new.items():
            own[name][...] = value

    def _last_forward(self):
        """Return what the last forward left for backward."""
        cache = self._cache
        if cache is None:
            raise RuntimeError("backward needs a forward that kept its cache before it, and only one backward for each")
        return cache


def _layers_in(name, value):
    """Yield the layers in an attribute: itself, or the members of a list, a tuple or a dict."""
    if isinstance(value, Layer):
        yield from value._layers(f"{name}.")
    elif isinstance(value, list | tuple):
        for k, each in enumerate(value):
            yield from _layers_in(f"{name}.{k}", each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _layers_in(f"{name}.{key}", each)


class Linear(Layer):
    """y = x @ weight.T + bias, over the last axis; the same as `torch.nn.Linear`.

    Parameters
    ----------
    input_size, output_size : int
    rng : numpy.random.Generator, int or None
        Draws both from uniform(-1/sqrt(input_size), 1/sqrt(input_size)), as torch does.
    dtype : str or dtype

    Examples
    --------
    >>> linear = Linear(3, 2, rng=0)
    >>> linear(np.ones((4, 7, 3))).shape
    (4, 7, 2)
    >>> linear.backward(np.ones((4, 7, 2))).shape
    (4, 7, 3)
    """

    def __init__(self, input_size, output_size, *, rng=None, dtype="float32"):
        super().__init__()
        check_sizes(input_size=input_size, output_size=output_size)
        self.input_size = input_size
        self.output_size = output_size
        self.dtype = check_dtype(dtype)
        rng = np.random.default_rng(rng)
        bound = input_size**-0.5
        for name, shape in {"weight": (output_size, input_size), "bias": (output_size,)}.items():
            self._parameters[name] = rng.uniform(-bound, bound, shape).astype(self.dtype)

    def __call__(self, x, *, keep_cache=True):
        """Map x (..., input_size) to (..., output_size); without a cache `backward` is then not possible."""
        x = as_array("x", x)
        check_floating("x", x)
        check_shape("x", x, ("...",) * (x.ndim - 1) + (self.input_size,))
        x = x.astype(self.dtype, copy=keep_cache)  # the caller may change theirs before backward
        self._cache = x if keep_cache else None
        return x @ self._parameters["weight"].T + self._parameters["bias"]

    def backward(self, d_y):
        """Return d_x; `gradients` then holds those of `weight` and `bias`."""
        x = self._last_forward()
        d_y = as_array("d_y", d_y).astype(self.dtype, copy=False)
        check_shape("d_y", d_y, (*x.shape[:-1], self.output_size))
        self._cache = None
        rows = d_y.reshape(-1, self.output_size)
        x_rows = x.reshape(-1, self.input_size)
        self._gradients = {"weight": rows.T @ x_rows, "bias": rows.sum(axis=0)}  # y = x @ weight.T + bias
        return d_y @ self._parameters["weight"]


class Embedding(Layer):
    """A learned vector for each token; the same as `torch.nn.Embedding`.

    Parameters
    ----------
    num_embeddings : int
        Number of different tokens.
    embedding_dim : int
        D, the size of each vector.
    rng : numpy.random.Generator, int or None
        Draws from the standard normal distribution, as torch does.
    dtype : str or dtype

    Examples
    --------
    >>> embedding = Embedding(10, 3, rng=0)
    >>> embedding(np.array([[1, 4, 4], [2, 0, 9]])).shape
    (2, 3, 3)
    """

    def __init__(self, num_embeddings, embedding_dim, *, rng=None, dtype="float32"):
        super().__init__()
        check_sizes(num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.dtype = check_dtype(dtype)
        weight = np.random.default_rng(rng).standard_normal((num_embeddings, embedding_dim))
        self._parameters = {"weight": weight.astype(self.dtype)}

    def __call__(self, tokens, *, keep_cache=True):
        """Map integers (...,) to vectors (..., embedding_dim); without a cache `backward` is then not possible."""
        tokens = as_array("tokens", tokens)
        if tokens.dtype.kind not in "iu":
            raise TypeError(f"tokens must hold integers, got {tokens.dtype}")
        if tokens.size and not 0 <= tokens.min() <= tokens.max() < self.num_embeddings:
            raise ValueError(
                f"tokens must lie between 0 and {self.num_embeddings - 1}, got {tokens.min()} to {tokens.max()}"
            )
        self._cache = tokens.copy() if keep_cache else None  # the caller may change theirs before backward
        return self._parameters["weight"][tokens]

    def backward(self, d_y):
        """Store the gradient of `weight`; tokens have none, so nothing is returned."""
        tokens = self._last_forward()
        d_y = as_array("d_y", d_y)
        check_shape("d_y", d_y, (*tokens.shape, self.embedding_dim))
        self._cache = None
        d_weight = np.zeros_like(self._parameters["weight"])
        np.add.at(d_weight, tokens, d_y)  # a token that came twice collects both
        self._gradients = {"weight": d_weight}
