"""Checks that both twins share: one place, one wording.

Every message names the argument, what was expected and what came. Nothing here imports torch. Arrays and tensors are
read through `shape` and `dtype`; where their values matter, `as_array` brings them to NumPy, from any device. A tensor
on the device "meta" has a shape and no values, so the checks of its values are left out. Letters stand for sizes that
may be anything: B batch, T time, D input, H hidden, K classes.
"""

import warnings
from numbers import Integral, Real

import numpy as np


def dtype_name(value):
    """Return the name of the dtype of an array, whatever its byte order, or of a tensor.

    Examples
    --------
    >>> dtype_name(np.zeros(2, ">f4"))
    'float32'
    """
    dtype = value.dtype
    return dtype.name if isinstance(dtype, np.dtype) else str(dtype).removeprefix("torch.")


def has_values(value):
    """Return False for a tensor on the device "meta", True for everything else.

    Examples
    --------
    >>> has_values(np.zeros(2))
    True
    """
    return not getattr(value, "is_meta", False)


def as_array(name, value):
    """Return an array of numbers, in the byte order of this machine, from anything that NumPy can read.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array, tensor on any device, number, or list of these

    Raises
    ------
    TypeError
        If it is a masked array, because its mask would be lost, or no array of numbers.

    Examples
    --------
    >>> as_array("x", [1.0, 2.0])
    array([1., 2.])
    >>> as_array("x", np.ma.array([1.0, 2.0], mask=[False, True]))
    Traceback (most recent call last):
    TypeError: x must be an array without a mask, got a masked array, whose mask would be lost
    """
    if type(value) is np.ndarray and value.dtype.kind in "biufc" and value.dtype.isnative:
        return value  # the usual case, without delay: a single step takes no longer than these checks
    parts = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(part, np.ma.MaskedArray) for part in parts):
        raise TypeError(f"{name} must be an array without a mask, got a masked array, whose mask would be lost")
    if not has_values(value):
        raise TypeError(f"{name} must hold values, got a tensor on the device meta")
    if hasattr(value, "cpu"):
        value = value.cpu()
    if str(getattr(value, "dtype", None)) == "torch.bfloat16":
        value = value.float()  # NumPy has no bfloat16, and float32 holds all of its values
    try:
        array = np.asarray(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be an array of numbers, got {type(value).__name__}: {error}") from error
    if array.dtype.kind not in "biufc":
        raise TypeError(f"{name} must be an array of numbers, got {type(value).__name__}")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def kind_of(kind):
    """Return the name of a class as its users write it.

    Examples
    --------
    >>> kind_of(np.ndarray), kind_of(list)
    ('numpy.ndarray', 'list')
    """
    package, *inside = kind.__module__.split(".")
    if package == "lstm_tutorial":
        package = inside[0]  # in_numpy or in_torch
    return kind.__name__ if package == "builtins" else f"{package}.{kind.__name__}"


def check_kinds(kind, **values):
    """Refuse a value that is no instance of a class, such as an array where a tensor belongs.

    Examples
    --------
    >>> check_kinds(np.ndarray, x=[1.0, 2.0])
    Traceback (most recent call last):
    TypeError: x must be a numpy.ndarray, got list
    """
    for name, value in values.items():
        if not isinstance(value, kind):
            hint = ": give it padded, with lengths" if type(value).__name__ == "PackedSequence" else ""
            raise TypeError(f"{name} must be a {kind_of(kind)}, got {kind_of(type(value))}{hint}")


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
    if isinstance(value.dtype, np.dtype) and value.dtype.kind == "f":
        return
    dtype = dtype_name(value)
    if not dtype.startswith(("float", "bfloat")):
        raise TypeError(f"{name} must hold floating-point numbers, got {dtype}: embed or one-hot it first")


def is_integer(value):
    """Return whether an array or tensor holds integers of any size; booleans are none.

    Examples
    --------
    >>> is_integer(np.zeros(2, ">u2")), is_integer(np.zeros(2, bool))
    (True, False)
    """
    return dtype_name(value).startswith(("int", "uint"))


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


def check_quantiles(quantiles):
    """Refuse anything but one or more numbers between 0 and 1, the ends excluded.

    Examples
    --------
    >>> check_quantiles([0.1, 90])
    Traceback (most recent call last):
    ValueError: quantiles must be one or more numbers between 0 and 1, got [0.1, 90]
    """
    values = quantiles.tolist() if hasattr(quantiles, "tolist") else quantiles
    several = isinstance(values, list | tuple) and len(values) > 0
    if not several or not all(isinstance(q, Real) and 0 < q < 1 for q in values):
        raise ValueError(f"quantiles must be one or more numbers between 0 and 1, got {values!r}")


def check_dropout(dropout, num_layers):
    """Refuse a share of dropped outputs that is none, and warn as torch does where there is nothing to drop.

    Parameters
    ----------
    dropout : float
        From 0 to 1. It is applied to the output of every layer but the top one.
    num_layers : int

    Examples
    --------
    >>> check_dropout(-0.5, num_layers=2)
    Traceback (most recent call last):
    ValueError: dropout must be a number from 0 to 1, got -0.5
    """
    check_number("dropout", dropout, 0, 1)
    if dropout > 0 and num_layers == 1:
        warnings.warn(
            f"dropout is applied between layers, so dropout={dropout} does nothing with num_layers=1", stacklevel=3
        )


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

    A tensor without values, on the device "meta", comes back as an int64 tensor.

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
    lengths = as_array("lengths", lengths) if has_values(lengths) else lengths
    if 0 not in lengths.shape and not is_integer(lengths):
        raise TypeError(f"lengths must hold integers, got {dtype_name(lengths)}")
    if tuple(lengths.shape) != (B,):
        raise ValueError(f"lengths must have shape (B,) with B = {B}, got {tuple(lengths.shape)}")
    if not has_values(lengths):
        return lengths.long()
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
    >>> check_state((np.zeros((1, 4, 5)), None), ("h_0", "c_0"), (1, 4, 5))
    Traceback (most recent call last):
    TypeError: c_0 must be an array or a tensor of shape (1, 4, 5), got NoneType
    >>> check_state((np.zeros((1, 4, 5)), np.zeros((1, 3, 5))), ("h_0", "c_0"), (1, 4, 5))
    Traceback (most recent call last):
    ValueError: c_0 must have shape (1, 4, 5), got (1, 3, 5)
    """
    if not isinstance(state, tuple | list) or len(state) != len(names):
        raise TypeError(f"the state must be a tuple ({', '.join(names)}), got {type(state).__name__}")
    for name, value in zip(names, state, strict=True):
        if not hasattr(value, "shape"):
            raise TypeError(f"{name} must be an array or a tensor of shape {shape}, got {type(value).__name__}")
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
    H = weight_hh.shape[-1]
    D = weight_ih.shape[-1]
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
    if not isinstance(value, str | Integral | None) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")


def check_tokens(tokens, size, lengths=None):
    """Return tokens (B, T) as an int64 array, 0 past the lengths: padding may hold anything.

    Tokens without values, on the device "meta", come back as an int64 tensor. Where only the lengths have no values,
    tokens are not checked, since nothing says which of them are padding.

    Examples
    --------
    >>> check_tokens([[1, 2], [3, 99]], 5, lengths=[2, 1])
    array([[1, 2],
           [3, 0]])
    >>> check_tokens([[1, 5]], 5)
    Traceback (most recent call last):
    ValueError: tokens must lie between 0 and 4, got 5
    """
    tokens = as_array("tokens", tokens) if has_values(tokens) else tokens
    check_shape("tokens", tokens, ("B", "T"))
    if not is_integer(tokens):
        raise TypeError(f"tokens must hold integers, got {dtype_name(tokens)}")
    if lengths is not None:
        lengths = check_lengths(lengths, *tokens.shape)
    if not has_values(tokens):
        return tokens.long()
    if not has_values(lengths):
        return tokens.astype(np.int64)
    if lengths is not None:
        tokens = np.where(np.arange(tokens.shape[1]) < lengths[:, None], tokens, 0)
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
    missing = sorted(shapes.keys() - state_dict.keys())
    unknown = sorted(state_dict.keys() - shapes.keys())
    if missing or unknown:
        raise ValueError(f"state_dict must have the keys {list(shapes)}, got missing {missing} and unknown {unknown}")
    for key, shape in shapes.items():
        check_shape(key, state_dict[key], tuple(shape))


def check_pooled(x, lengths):
    """Refuse x unless it is a batch (B, T, D) of at least one step; return its lengths from `check_lengths`, or None.

    Examples
    --------
    >>> check_pooled(np.zeros((4, 0, 10)), None)
    Traceback (most recent call last):
    ValueError: x must have at least one step, got shape (4, 0, 10)
    """
    check_shape("x", x, ("B", "T", "D"))
    check_floating("x", x)
    if x.shape[1] == 0:
        raise ValueError(f"x must have at least one step, got shape {tuple(x.shape)}")
    return None if lengths is None else check_lengths(lengths, *x.shape[:2])


def check_weights(weights, B, T, lengths=None):
    """Refuse weights of steps that are not finite, negative, or all 0, where a sequence has valid steps.

    Parameters
    ----------
    weights : array or tensor, shape (T,) or (B, T)
    lengths : array (B,), optional
        From `check_lengths`. The weights past them may be anything.

    Examples
    --------
    >>> check_weights(np.array([0.0, 2.0, 1.0]), B=2, T=3, lengths=np.array([3, 1]))
    Traceback (most recent call last):
    ValueError: weights must not all be 0 on the valid steps, got only zeros for sequence 1
    """
    if tuple(weights.shape) not in ((T,), (B, T)):
        raise ValueError(f"weights must have shape ({T},) or ({B}, {T}), got {tuple(weights.shape)}")
    if not (is_integer(weights) or dtype_name(weights).startswith(("float", "bfloat"))):
        raise TypeError(f"weights must hold real numbers, got {dtype_name(weights)}")
    if not has_values(weights) or not has_values(lengths):
        return
    weights = np.broadcast_to(as_array("weights", weights), (B, T))
    lengths = np.full(B, T) if lengths is None else lengths
    valid = np.arange(T) < lengths[:, None]
    for b, t in np.argwhere(valid & ~((weights >= 0) & np.isfinite(weights))):
        raise ValueError(f"weights must be finite and not negative, got {weights[b, t]} at step {t} of sequence {b}")
    for b in np.flatnonzero(~(valid & (weights > 0)).any(axis=1)):
        raise ValueError(f"weights must not all be 0 on the valid steps, got only zeros for sequence {b}")


def check_half_life(T, half_life):
    """Refuse a number of steps below 1, and a half-life that is not above 0.

    Examples
    --------
    >>> check_half_life(3, half_life=0)
    Traceback (most recent call last):
    ValueError: half_life must be above 0, got 0
    """
    check_sizes(T=T)
    check_number("half_life", half_life, 0, np.inf)
    if half_life == 0:
        raise ValueError(f"half_life must be above 0, got {half_life}")


def check_heads(input_size, heads):
    """Refuse a number of heads that does not divide the features evenly.

    Examples
    --------
    >>> check_heads(32, heads=5)
    Traceback (most recent call last):
    ValueError: heads must divide input_size = 32, got 5
    """
    check_sizes(input_size=input_size, heads=heads)
    if input_size % heads:
        raise ValueError(f"heads must divide input_size = {input_size}, got {heads}")


def check_targets(target, shape, ignore_index):
    """Refuse the targets of a cross-entropy unless they are classes, at least one of which counts.

    Parameters
    ----------
    target : array or tensor (...)
        Integers of any size. int64 where they are compared: 200 as uint8 must not equal an ignore_index of -56.
    shape : tuple
        Of the logits, (..., K), with at least one axis before K.
    ignore_index : int
        Steps that hold it do not count.

    Examples
    --------
    >>> check_targets(np.array([3, -100]), (2, 3), -100)
    Traceback (most recent call last):
    ValueError: target must hold classes from 0 to 2 or -100, got 3
    >>> check_targets(np.array([-100, -100]), (2, 3), -100)
    Traceback (most recent call last):
    ValueError: target must hold at least one class that counts, got only ignore_index = -100
    """
    shape = tuple(shape)
    if len(shape) < 2:
        raise ValueError(f"logits must have shape (..., K) with an axis before K, got {shape}")
    check_shape("target", target, shape[:-1])
    wanted = f"target must hold classes from 0 to {shape[-1] - 1} or {ignore_index}"
    if not is_integer(target):
        raise ValueError(f"{wanted}, got {dtype_name(target)}")
    if not has_values(target):
        return
    counts = target != ignore_index
    wrong = counts & ((target < 0) | (target >= shape[-1]))
    if wrong.any():
        raise ValueError(f"{wanted}, got {target[wrong][0]}")
    if not counts.any():
        raise ValueError(f"target must hold at least one class that counts, got only ignore_index = {ignore_index}")


def check_batch(batch):
    """Refuse a batch for `fit` that is no tuple of one input or more and a target.

    Examples
    --------
    >>> check_batch(np.zeros((4, 7, 10)))
    Traceback (most recent call last):
    TypeError: batches must give tuples (*inputs, target), got numpy.ndarray
    """
    if not isinstance(batch, tuple | list) or len(batch) < 2:
        raise TypeError(f"batches must give tuples (*inputs, target), got {kind_of(type(batch))}")


def check_loss(value, update, inputs, prediction, target):
    """Refuse a loss that is not finite, and say what else is not: the target, the prediction or an input.

    Parameters
    ----------
    value : float
    update : int
        How many updates came before.
    inputs, prediction, target
        What the loss was made of; arrays or tensors.

    Raises
    ------
    FloatingPointError

    Examples
    --------
    >>> one, nan = np.ones(2), np.full(2, np.nan)
    >>> check_loss(np.nan, 3, inputs=[one], prediction=one, target=nan)
    Traceback (most recent call last):
    FloatingPointError: the loss must stay finite, got nan at update 3: the target of this batch is not finite
    """
    if np.isfinite(value):
        return
    spoiled = [k for k, each in enumerate(inputs) if not all_finite(each)]
    if not all_finite(target):
        cause = "the target of this batch is not finite"
    elif all_finite(prediction):
        cause = "the prediction and the target are finite, so the loss itself overflows or divides by zero"
    elif spoiled:
        cause = f"input {spoiled[0]} of this batch is not finite, which harms nothing in padding alone"
    else:
        cause = "the inputs and the target are finite, the prediction is not; is lr too high?"
    raise FloatingPointError(f"the loss must stay finite, got {value} at update {update}: {cause}")


def check_norm(norm, update):
    """Refuse gradients whose norm is not finite.

    Examples
    --------
    >>> check_norm(np.inf, 3)
    Traceback (most recent call last):
    FloatingPointError: the gradients must stay finite, got a norm of inf at update 3
    """
    if not np.isfinite(norm):
        raise FloatingPointError(f"the gradients must stay finite, got a norm of {norm} at update {update}")


def all_finite(value):
    """Return whether nothing in an array, a tensor or a tuple of these is NaN or infinite.

    Examples
    --------
    >>> all_finite((np.ones(2), [1, 2])), all_finite(np.array([1.0, np.inf]))
    (True, False)
    """
    if isinstance(value, tuple):
        return all(map(all_finite, value))
    value = value.detach() if hasattr(value, "detach") else value
    return bool(np.isfinite(as_array("value", value)).all())
