"""The inputs of a check: looked through, cast and compared, whatever holds the arrays. Nothing here imports torch."""

import sys
from numbers import Number

import numpy as np

from lstm_tutorial.exercises.matching import as_array, is_tensor


def leaves(value):
    """Yield every array and number in a value, also those in tuples, dicts and networks, as arrays.

    Examples
    --------
    >>> [leaf.shape for leaf in leaves((np.zeros(3), {"weight": np.ones((2, 3))}, 1.0))]
    [(3,), (2, 3), ()]
    """
    if isinstance(value, np.ndarray | Number) or is_tensor(value):
        yield as_array(value)
    elif isinstance(value, tuple | list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    elif hasattr(value, "state_dict"):
        yield from leaves(value.state_dict())


def same(before, after):
    """Say whether every array and number in a value is what it was.

    Examples
    --------
    >>> same([np.zeros(3)], [np.zeros(3)]), same([np.zeros(3)], [np.ones(3)])
    (True, False)
    """
    before, after = list(leaves(before)), list(leaves(after))
    return len(before) == len(after) and all(
        a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(before, after)
    )


def cast(value, dtype):
    """Return a value with every floating-point array in it as `dtype`; integers, truth values and the rest stay.

    Examples
    --------
    >>> cast((np.zeros(2), np.array([1, 2])), "float32")
    (array([0., 0.], dtype=float32), array([1, 2]))
    """
    if isinstance(value, np.ndarray):
        return value.astype(dtype) if value.dtype.kind == "f" else value
    if is_tensor(value):
        if not value.is_floating_point():
            return value
        return value.detach().to(getattr(sys.modules["torch"], dtype)).requires_grad_(value.requires_grad)
    if isinstance(value, dict):
        return {key: cast(each, dtype) for key, each in value.items()}
    if isinstance(value, tuple | list):
        items = [cast(each, dtype) for each in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if hasattr(value, "state_dict") and hasattr(value, "to"):
        return value.to(getattr(sys.modules["torch"], dtype))
    return value
