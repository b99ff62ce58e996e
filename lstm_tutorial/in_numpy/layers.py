"""What a network needs around the LSTM: parameters with names, a linear layer, an embedding."""

import numpy as np

from lstm_tutorial.validation import check_dtype, check_floating, check_shape, check_sizes, check_state_dict


class Layer:
    """Parameters by name, their gradients, and the layers inside; what torch calls a Module.

    A subclass fills `_parameters` and, in its `backward`, `_gradients`; layers that it keeps as attributes are found
    by themselves, and their names are joined by dots.

    Attributes
    ----------
    parameters, gradients : dict of str to array
        The arrays themselves, no copies. `gradients` is empty until the first `backward`.
    training : bool
        Whether dropout is on.

    Examples
    --------
    >>> class Network(Layer):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.head = Linear(3, 2, rng=0)
    >>> list(Network().parameters)
    ['head.weight', 'head.bias']
    """

    def __init__(self):
        self._parameters, self._gradients = {}, {}
        self._cache = None
        self.training = True

    @property
    def parameters(self):
        return self._collect("_parameters")

    @property
    def gradients(self):
        return self._collect("_gradients")

    def _children(self):
        return {name: value for name, value in vars(self).items() if isinstance(value, Layer)}

    def _collect(self, kind):
        found = dict(getattr(self, kind))
        for name, child in self._children().items():
            found |= {f"{name}.{key}": value for key, value in child._collect(kind).items()}
        return found

    def train(self, mode=True):
        """Switch dropout on, here and in the layers inside."""
        self.training = mode
        for child in self._children().values():
            child.train(mode)
        return self

    def eval(self):
        """Switch dropout off."""
        return self.train(False)

    def state_dict(self):
        """Return a copy of every parameter by name, with torch's names."""
        return {name: value.copy() for name, value in self.parameters.items()}

    def load_state_dict(self, state_dict):
        """Copy values in, from arrays or CPU tensors; all keys and shapes are checked before the first is written.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or a shape differs. The layer is then unchanged.
        """
        new = {name: np.asarray(value) for name, value in state_dict.items()}
        parameters = self.parameters
        check_state_dict(new, {name: value.shape for name, value in parameters.items()})
        for name, value in new.items():
            check_floating(name, value)
        for name, value in new.items():
            parameters[name][...] = value

    def _last_forward(self):
        """Return what the last forward left for backward."""
        if self._cache is None:
            raise RuntimeError("backward needs a forward that kept its cache before it, and only one backward for each")
        return self._cache


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
        self.input_size, self.output_size = input_size, output_size
        rng, bound = np.random.default_rng(rng), input_size**-0.5
        shapes = {"weight": (output_size, input_size), "bias": (output_size,)}
        self._parameters = {k: rng.uniform(-bound, bound, s).astype(check_dtype(dtype)) for k, s in shapes.items()}

    def __call__(self, x):
        """Map x (..., input_size) to (..., output_size)."""
        x = np.asarray(x)
        check_floating("x", x)
        check_shape("x", x, ("...",) * (x.ndim - 1) + (self.input_size,))
        weight, bias = self._parameters.values()
        x = x.astype(weight.dtype, copy=False)
        self._cache = x
        return x @ weight.T + bias

    def backward(self, d_y):
        """Return d_x; `gradients` then holds those of `weight` and `bias`."""
        x = self._last_forward()
        check_shape("d_y", d_y, (*x.shape[:-1], self.output_size))
        self._cache = None
        rows, x_rows = d_y.reshape(-1, self.output_size), x.reshape(-1, self.input_size)
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

    Examples
    --------
    >>> embedding = Embedding(10, 3, rng=0)
    >>> embedding(np.array([[1, 4, 4], [2, 0, 9]])).shape
    (2, 3, 3)
    """

    def __init__(self, num_embeddings, embedding_dim, *, rng=None, dtype="float32"):
        super().__init__()
        check_sizes(num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        draw = np.random.default_rng(rng).standard_normal((num_embeddings, embedding_dim))
        self._parameters = {"weight": draw.astype(check_dtype(dtype))}

    def __call__(self, tokens):
        """Map integers (...,) to vectors (..., embedding_dim)."""
        tokens = np.asarray(tokens)
        if tokens.dtype.kind not in "iu":
            raise TypeError(f"tokens must hold integers, got {tokens.dtype}")
        if tokens.size and not 0 <= tokens.min() <= tokens.max() < self.num_embeddings:
            raise ValueError(
                f"tokens must lie between 0 and {self.num_embeddings - 1}, got {tokens.min()} to {tokens.max()}"
            )
        self._cache = tokens
        return self._parameters["weight"][tokens]

    def backward(self, d_y):
        """Store the gradient of `weight`; tokens have none, so nothing is returned."""
        tokens = self._last_forward()
        check_shape("d_y", d_y, (*tokens.shape, self.embedding_dim))
        self._cache = None
        d_weight = np.zeros_like(self._parameters["weight"])
        np.add.at(d_weight, tokens, d_y)  # a token that came twice collects both
        self._gradients = {"weight": d_weight}
