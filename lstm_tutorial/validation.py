"""Checks that both twins share: one place, one wording.

Every message names the argument, what was expected and what came. Nothing here imports torch; arrays and tensors are
asked only for their `shape` and `dtype`. Letters stand for sizes that may be anything: B batch, T time, D input,
H hidden.
"""

from numbers import Integral, Real

import numpy as np


def check_shape(name, value, expected):
    """Refuse a shape other than the expected one, a tuple in which a letter stands for any size.

    Examples
    --------
    >>> check_shape("x", np.zeros((4, 7, 9)), ("B", "T", 10))
    Traceback (most recent call last):
    ValueError: x must have shape (B, T, 10), got (4, 7, 9)
    """
    got = tuple(value.shape)
    fits = len(got) == len(expected) and all(isinstance(e, str) or e == g for e, g in zip(expected, got, strict=True))
    if not fits:
        comma = "," if len(expected) == 1 else ""
        raise ValueError(f"{name} must have shape ({', '.join(map(str, expected))}{comma}), got {got}")


def check_floating(name, value):
    """Refuse integers, booleans and anything else that is not a real floating-point number.

    Examples
    --------
    >>> check_floating("x", np.array([3, 1]))
    Traceback (most recent call last):
    TypeError: x must hold floating-point numbers, got int64: embed or one-hot it first
    """
    dtype = str(value.dtype).removeprefix("torch.")
    if not dtype.startswith(("float", "bfloat")):
        raise TypeError(f"{name} must hold floating-point numbers, got {dtype}: embed or one-hot it first")


def check_sizes(**sizes):
    """Refuse a size that is not an integer of 1 or more.

    Examples
    --------
    >>> check_sizes(input_size=3, hidden_size=0)
    Traceback (most recent call last):
    ValueError: hidden_size must be an integer >= 1, got 0
    """
    for name, size in sizes.items():
        if not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{name} must be an integer >= 1, got {size!r}")


def check_number(name, value, low, high):
    """Refuse a number outside the closed interval from `low` to `high`.

    Examples
    --------
    >>> check_number("dropout", 1.5, 0, 1)
    Traceback (most recent call last):
    ValueError: dropout must be a number from 0 to 1, got 1.5
    """
    if not isinstance(value, Real) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name} must be a number from {low} to {high}, got {value!r}")


def check_dtype(dtype):
    """Return "float32" or "float64" for a name, a NumPy dtype or a torch dtype.

    Examples
    --------
    >>> check_dtype(np.float64), check_dtype("float32")
    ('float64', 'float32')
    >>> check_dtype("int64")
    Traceback (most recent call last):
    ValueError: dtype must be float32 or float64, got int64
    """
    text = str(dtype)
    try:
        name = text.removeprefix("torch.") if text.startswith("torch.") else np.dtype(dtype).name
    except TypeError:
        name = text
    if dtype is None or name not in ("float32", "float64"):
        raise ValueError(f"dtype must be float32 or float64, got {name}")
    return name


def check_lengths(lengths, B, T):
    """Return `lengths` as an int64 array (B,), one for each sequence; each must lie between 1 and T.

    Raises
    ------
    TypeError
        If the lengths are not integers.
    ValueError
        If there are not B of them, or one is below 1 or above T.

    Examples
    --------
    >>> check_lengths([3, 9], B=2, T=7)
    Traceback (most recent call last):
    ValueError: lengths must lie between 1 and T = 7, got 9 at position 1
    """
    lengths = np.asarray(lengths)
    if lengths.size and lengths.dtype.kind not in "iu":
        raise TypeError(f"lengths must hold integers, got {lengths.dtype}")
    if lengths.shape != (B,):
        raise ValueError(f"lengths must have shape (B,) with B = {B}, got {lengths.shape}")
    for b in np.flatnonzero((lengths < 1) | (lengths > T)):
        raise ValueError(f"lengths must lie between 1 and T = {T}, got {lengths[b]} at position {b}")
    return lengths.astype(np.int64)


def check_sequence(x, input_size, *, batch_first, has_lengths):
    """Refuse an input that is no sequence, nor a batch of them; return whether it has no batch axis.

    Parameters
    ----------
    x : array or tensor, shape (T, B, D), (B, T, D) with `batch_first`, or (T, D)
    input_size : int
        The size D.
    batch_first, has_lengths : bool
        Which layout a batch has, and whether lengths came with it: they need a batch.

    Examples
    --------
    >>> check_sequence(np.zeros((7, 10)), 10, batch_first=True, has_lengths=False)
    True
    >>> check_sequence(np.zeros((4, 0, 10)), 10, batch_first=True, has_lengths=False)
    Traceback (most recent call last):
    ValueError: x must have at least one step, got shape (4, 0, 10)
    """
    unbatched = len(x.shape) == 2
    layout = ("T", input_size) if unbatched else ("B", "T", input_size) if batch_first else ("T", "B", input_size)
    check_shape("x", x, layout)
    check_floating("x", x)
    T = x.shape[layout.index("T")]
    if T == 0:
        raise ValueError(f"x must have at least one step, got shape {tuple(x.shape)}")
    if unbatched and has_lengths:
        raise ValueError(f"lengths must be None for an unbatched x of shape (T, D), got x of shape {tuple(x.shape)}")
    return unbatched


def check_state(state, names, shape):
    """Refuse a state that is not one value a name, each of the given shape.

    Examples
    --------
    >>> check_state((np.zeros((1, 4, 5)), np.zeros((1, 3, 5))), ("h_0", "c_0"), (1, 4, 5))
    Traceback (most recent call last):
    ValueError: c_0 must have shape (1, 4, 5), got (1, 3, 5)
    """
    if not isinstance(state, tuple | list) or len(state) != len(names):
        raise TypeError(f"the state must be a tuple ({', '.join(names)}), got {type(state).__name__}")
    for name, value in zip(names, state, strict=True):
        check_shape(name, value, shape)
        check_floating(name, value)


def check_cell(x, state, weight_ih, weight_hh, bias_ih, bias_hh, weight_peephole=None):
    """Refuse the arguments of one step if a shape does not fit the others; H is read from `weight_hh`.

    Examples
    --------
    >>> H, D = 3, 2
    >>> check_cell(np.zeros((4, D)), (np.zeros((4, H)), np.zeros(H)), np.zeros((4 * H, D)), np.zeros((4 * H, H)),
    ...            np.zeros(4 * H), np.zeros(4 * H))
    Traceback (most recent call last):
    ValueError: c must have shape (4, 3), got (3,)
    """
    H, D = weight_hh.shape[-1], weight_ih.shape[-1]
    check_shape("x", x, (D,) if len(x.shape) == 1 else ("B", D))
    check_floating("x", x)
    check_state(state, ("h", "c"), (*x.shape[:-1], H))
    check_shape("weight_ih", weight_ih, (4 * H, D))
    check_shape("weight_hh", weight_hh, (4 * H, H))
    check_shape("bias_ih", bias_ih, (4 * H,))
    check_shape("bias_hh", bias_hh, (4 * H,))
    if weight_peephole is not None:
        check_shape("weight_peephole", weight_peephole, (3, H))


def check_choice(name, value, choices):
    """Refuse a value that is not among the choices.

    Examples
    --------
    >>> check_choice("pooling", "median", ("last", "max"))
    Traceback (most recent call last):
    ValueError: pooling must be one of 'last', 'max', got 'median'
    """
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")


def check_tokens(tokens, size, lengths=None):
    """Return tokens (B, T) as an int64 array, 0 past the lengths: padding may hold anything.

    Examples
    --------
    >>> check_tokens([[1, 2], [3, 99]], 5, lengths=[2, 1])
    array([[1, 2],
           [3, 0]])
    >>> check_tokens([[1, 5]], 5)
    Traceback (most recent call last):
    ValueError: tokens must lie between 0 and 4, got 5
    """
    tokens = np.asarray(tokens)
    check_shape("tokens", tokens, ("B", "T"))
    if tokens.dtype.kind not in "iu":
        raise TypeError(f"tokens must hold integers, got {tokens.dtype}")
    if lengths is not None:
        tokens = np.where(np.arange(tokens.shape[1]) < check_lengths(lengths, *tokens.shape)[:, None], tokens, 0)
    for token in tokens[(tokens < 0) | (tokens >= size)]:
        raise ValueError(f"tokens must lie between 0 and {size - 1}, got {token}")
    return tokens.astype(np.int64)


def check_state_dict(state_dict, shapes):
    """Refuse a state dict with a missing, an unknown or a misshapen entry, before anything is written.

    `shapes` gives the expected keys and their shapes; the message names every key that is missing or unknown, or the
    first entry of a wrong shape.

    Examples
    --------
    >>> check_state_dict({"weigth": np.zeros(2)}, {"weight": (2,)})
    Traceback (most recent call last):
    ValueError: state_dict must have the keys ['weight'], got missing ['weight'] and unknown ['weigth']
    """
    missing, unknown = sorted(shapes.keys() - state_dict.keys()), sorted(state_dict.keys() - shapes.keys())
    if missing or unknown:
        raise ValueError(f"state_dict must have the keys {list(shapes)}, got missing {missing} and unknown {unknown}")
    for key, shape in shapes.items():
        check_shape(key, state_dict[key], tuple(shape))
