"""An answer beside what is expected, part by part; what has another structure is refused with a hint.

A list for an array, three results for two, a lost batch axis: `match` says so before any number is compared.
"""

from numbers import Number
from typing import NamedTuple

import numpy as np

AXES = {"B": "batch", "T": "time", "D": "input", "H": "hidden", "K": "class", "4H": "gate"}
ARRAY, TENSOR = "a NumPy array", "a torch tensor"


class Misfit(Exception):
    """The answer has another structure than what is expected; says how."""


class Part(NamedTuple):
    """One array, number, word or truth value of an answer beside what is expected there: same kind, same shape."""

    name: str  # what the learner calls it; "" if the answer is this one value
    axes: list  # a token an axis, such as "B" or "4H"; [] if the exercise names none
    got: np.ndarray
    want: np.ndarray

    def wrong(self, tolerance):
        """Return, value by value, what differs by more than `tolerance` times the largest expected value."""
        return ~close(self.got, self.want, tolerance)

    def axis(self, k):
        """Name axis `k`: the learner's word where the exercise gives its letter, else its number."""
        return axis_name(self.axes, k)


def close(got, want, tolerance):
    """Return, value by value, whether `got` is `want`, where `tolerance` is relative to the largest of `want`.

    Examples
    --------
    >>> close(np.array([1.0, 0.1, np.nan]), np.array([1.0, 0.0, 5.0]), tolerance=0.02)
    array([ True,  True, False])
    """
    if want.dtype.kind in "bU":
        return np.asarray(got == want)
    largest = np.max(abs(want[np.isfinite(want)].astype(float)), initial=0)
    with np.errstate(invalid="ignore"):  # inf - inf
        near = abs(got.astype(float) - want) <= tolerance * (largest or 1)
    return near | (got == want) | (np.isnan(got) & np.isnan(want))


def match(got, want, names=(), axes=()):
    """Walk through an answer and what is expected side by side.

    Parameters
    ----------
    got, want : numbers, words, truth values, arrays or tensors; tuples, lists and dicts of them
    names, axes : tuple of str
        For each of them in turn: its name; its axes, such as "B H".

    Returns
    -------
    list of Part

    Raises
    ------
    Misfit
        At the first difference in structure.

    Examples
    --------
    >>> match(np.zeros(5), np.zeros((3, 5)), names=["h"], axes=["B H"])
    Traceback (most recent call last):
    lstm_tutorial.exercises.matching.Misfit: `h` has shape (5,) where (3, 5) is expected: is the batch axis lost?
    """
    several = f" ({', '.join(names)})" if len(names) > 1 else ""
    return list(_walk(got, want, iter(names), iter(axes), "", several))


def _walk(got, want, names, axes, key, several=""):
    """Yield the parts in order; `key` is the key of the dict that holds them."""
    if isinstance(want, dict):
        if not isinstance(got, dict):
            raise Misfit(f"{_kind(got)} came where a dict with the keys {', '.join(want)} is expected")
        for words, keys in (("lacks", want.keys() - got.keys()), ("has the unknown", got.keys() - want.keys())):
            if keys:
                raise Misfit(f"the dict {words} {', '.join(sorted(map(repr, keys)))}")
        for each in want:
            yield from _walk(got[each], want[each], names, axes, each)
    elif isinstance(want, tuple | list):
        if not isinstance(got, tuple | list):
            raise Misfit(f"{_kind(got)} came where {len(want)} results{several} are expected")
        if len(got) != len(want):
            raise Misfit(f"{len(got)} results came where {len(want)}{several} are expected")
        for g, w in zip(got, want, strict=True):
            yield from _walk(g, w, names, axes, key)
    else:
        yield _part(key or next(names, ""), next(axes, "").split(), got, want)


def _part(name, axes, got, want):
    it, came, expected = f"`{name}`" if name else "the result", _kind(got), _kind(want)
    if came != expected:
        where = f"{expected} of shape {tuple(want.shape)}" if expected in (ARRAY, TENSOR) else expected
        raise Misfit(f"{it} is {came} where {where} is expected")
    got, want = as_array(got), as_array(want)
    if got.shape != want.shape:
        raise Misfit(f"{it} has shape {got.shape} where {want.shape} is expected{_hint(got.shape, want.shape, axes)}")
    if (got.dtype == bool) != (want.dtype == bool) or got.dtype.kind not in "biufU":
        raise Misfit(f"{it} holds {got.dtype} where {want.dtype} is expected")
    axes = [letter for letter in axes if letter != "B" or len(axes) == want.ndim]  # unbatched
    return Part(name, axes if len(axes) == want.ndim else [], got, want)


def _kind(value):
    """Say in a learner's words what a value is."""
    if value is None or value is ...:
        return "still `...`" if value is ... else "nothing (None)"
    if isinstance(value, np.ndarray | np.generic) and value.ndim == 0:
        value = value.item()
    for kind, words in ((bool, "a truth value"), (str, "a word"), (Number, "a number"), (np.ndarray, ARRAY)):
        if isinstance(value, kind):
            return words
    return TENSOR if is_tensor(value) else f"a {type(value).__name__}"


def is_tensor(value):
    """Tell a torch tensor or parameter without importing torch."""
    return type(value).__module__.startswith("torch") and hasattr(value, "detach")


def as_array(value):
    """Return a value as an array: a tensor without its graph, a word without regard to its case."""
    if isinstance(value, str):
        return np.array(value.strip().casefold())
    return np.asarray(value.detach().cpu().numpy() if is_tensor(value) else value)


def axis_name(axes, k):
    """Name axis `k`.

    Examples
    --------
    >>> axis_name(["B", "H"], 0), axis_name([], 0)
    ('the batch axis', 'axis 0')
    """
    return f"the {AXES.get(axes[k], axes[k])} axis" if k < len(axes) else f"axis {k}"


def _hint(got, want, axes):
    """Guess what happened to a shape; an empty string without a guess."""
    for k in range(len(want)):
        if got == want[:k] + want[k + 1 :]:
            return f": is {axis_name(axes, k)} lost?"
    for k in range(len(got)):
        if want == got[:k] + got[k + 1 :]:
            return f": is axis {k}, of length {got[k]}, one too many?"
    if len(got) > 1 and got == want[::-1]:
        return ": is it transposed?"
    if len(got) != len(want):
        return f": {len(want)} axes are expected"
    if sorted(got) == sorted(want):
        return ": do the axes stand in another order?"
    longer = [k for k in range(len(want)) if got[k] == want[k] + 1]
    if len(longer) == 1 and sum(g != w for g, w in zip(got, want, strict=True)) == 1:
        return f": {axis_name(axes, longer[0])} is one too long, does it count the start as well?"
    return ""
