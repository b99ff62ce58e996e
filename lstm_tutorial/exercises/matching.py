"""An answer beside what is expected, part by part; what has another structure is refused with a hint.

What a reader would call the same answer is the same answer: a list or a tensor for an array, a fraction for a number,
an array for several numbers, 2.0 for 2 where a whole number is given by hand. What was odd about it is kept for the
message, in case that it is also wrong.
"""

from collections.abc import Mapping
from numbers import Number
from typing import NamedTuple

import numpy as np

AXES = {"B": "batch", "T": "time", "D": "input", "H": "hidden", "K": "class", "4H": "gate", "S": "step", "W": "beam"}
ARRAY, TENSOR = "a NumPy array", "a torch tensor"


class Misfit(Exception):
    """The answer has another structure than what is expected; says how."""


class Part(NamedTuple):
    """One array, number, word or truth value of an answer beside what is expected there: same kind, same shape."""

    name: str  # what the learner calls it; "" if the answer is this one value
    axes: list  # a token an axis, such as "B" or "4H"; [] if the exercise names none
    got: np.ndarray
    want: np.ndarray
    odd: str = ""  # what is unusual about it, such as that a list came for an array


class Allowed(NamedTuple):
    """How far a value may be from what is expected."""

    relative: float = 1e-9  # to the largest expected value
    absolute: float = 0.0

    def close(self, got, want):
        """Return, value by value, whether `got` is `want`.

        Examples
        --------
        >>> Allowed(0.02).close(np.array([1.0, 0.1, np.nan]), np.array([1.0, 0.0, 5.0]))
        array([ True,  True, False])
        """
        if want.dtype.kind in "bU":
            return np.asarray(got == want)
        largest = np.max(abs(want[np.isfinite(want)].astype(float)), initial=0)
        with np.errstate(invalid="ignore"):  # inf - inf
            near = abs(got.astype(float) - want) <= max(self.relative * (largest or 1), self.absolute)
        return near | (got == want) | (np.isnan(got) & np.isnan(want))

    def all(self, got, want):
        """Say whether every value of `got` is that of `want`."""
        return got.shape == want.shape and bool(self.close(got, want).all())

    def right(self, part):
        """Say whether a part of an answer is right."""
        return self.all(part.got, part.want)


def match(got, want, names=(), axes=(), by_hand=False):
    """Walk through an answer and what is expected side by side.

    Parameters
    ----------
    got, want : numbers, words, truth values, arrays or tensors; tuples, lists and dicts of them
    names, axes : tuple of str
        For each of them in turn: its name; its axes, such as "B H".
    by_hand : bool
        A whole number may be written 2.0.

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
    return list(_walk(got, want, iter(names), iter(axes), "", several, by_hand))


def _walk(got, want, names, axes, key, several, by_hand):
    """Yield the parts in order; `key` is the key of the dict that holds them."""
    if isinstance(want, dict):
        if not isinstance(got, Mapping):
            raise Misfit(f"{_kind(got)} came where a dict with the keys {', '.join(want)} is expected")
        for words, keys in (("lacks", want.keys() - got.keys()), ("has the unknown", got.keys() - want.keys())):
            if keys:
                raise Misfit(f"the dict {words} {', '.join(sorted(map(repr, keys)))}")
        for each in want:
            yield from _walk(got[each], want[each], names, axes, each, "", by_hand)
    elif isinstance(want, tuple | list):
        odd = ""
        if (isinstance(got, np.ndarray) or is_tensor(got)) and got.ndim and len(got) == len(want):
            odd = f"one array came where {len(want)} results{several} are expected"
        elif not isinstance(got, tuple | list):
            raise Misfit(f"{_kind(got)} came where {len(want)} results{several} are expected")
        if len(got) != len(want):
            raise Misfit(f"{len(got)} results came where {len(want)}{several} are expected")
        for g, w in zip(got, want, strict=True):
            for part in _walk(g, w, names, axes, key, "", by_hand):
                yield part._replace(odd=odd or part.odd)
    elif callable(want):  # a function or a network, which `verify` calls
        if isinstance(got, type):
            raise Misfit("this is the class itself: return an object made from it")
        if not callable(got):
            raise Misfit(f"{_kind(got)} came where {_kind(want)} is expected")
    else:
        yield _part(key or next(names, ""), next(axes, "").split(), got, want, by_hand)


def _part(name, axes, got, want, by_hand):
    it, came, expected = f"`{name}`" if name else "the result", _kind(got), _kind(want)
    lists = isinstance(got, tuple | list)
    also = {  # besides what is of the same kind
        ARRAY: lists or came == TENSOR,
        "a number": came == TENSOR and got.ndim == 0,
        "a truth value": came == "a number" and got in (0, 1),
    }
    if came != expected and not also.get(expected):
        where = f"{expected} of shape {tuple(want.shape)}" if expected in (ARRAY, TENSOR) else expected
        raise Misfit(f"{it} is {came} where {where} is expected")
    got, want = _numbers(got, it), as_array(want)
    lists = lists and (want.ndim > 1 or want.dtype.kind not in "iu")  # tokens are as well in a list
    if got.shape != want.shape:
        it = f"{it} (a list, read as an array)" if lists else it
        raise Misfit(f"{it} has shape {got.shape} where {want.shape} is expected{_hint(got.shape, want.shape, axes)}")
    if want.dtype == bool and got.dtype.kind in "iuf" and np.isin(got, (0, 1)).all():
        got = got.astype(bool)
    if any((got.dtype.kind == kind) != (want.dtype.kind == kind) for kind in "bU") or got.dtype.kind not in "biufU":
        raise Misfit(f"{it} holds {got.dtype} where {want.dtype} is expected")
    if want.size and want.ndim and want.dtype.kind in "iu" and got.dtype.kind == "f" and not by_hand:
        raise Misfit(f"{it} holds {got.dtype} where whole numbers, {want.dtype}, are expected")
    axes = [letter for letter in axes if letter != "B" or len(axes) == want.ndim]  # unbatched
    odd = f"{it} is {came} where {expected} is expected" if lists or (came == TENSOR != expected) else ""
    return Part(name, axes if len(axes) == want.ndim else [], got, want, odd)


def tidy(got, want):
    """Return an answer that fits in the form that is expected: numbers, words, arrays where those are expected.

    Examples
    --------
    >>> tidy({"kind": " Latch ", "steps": np.array(3)}, {"kind": "counter", "steps": 2})
    {'kind': 'latch', 'steps': 3}
    """
    if isinstance(want, dict):
        return {key: tidy(got[key], want[key]) for key in want}
    if isinstance(want, tuple | list):
        return type(want)(map(tidy, got, want)) if type(want) in (tuple, list) else tuple(map(tidy, got, want))
    if is_tensor(want):
        return got
    array = _numbers(got, "")
    return array if array.ndim else array.item()


def _numbers(value, it):
    """Return a value as an array of its own, fractions and the like as floats."""
    if isinstance(value, tuple | list) and any(each is None or each is ... for each in value):
        raise Misfit(f"{it} is not filled in everywhere")
    try:
        array = np.array([as_array(each) for each in value] if isinstance(value, tuple | list) else as_array(value))
    except ValueError:
        raise Misfit(f"{it} is a list whose entries have different shapes") from None
    if array.dtype != object:
        return array
    try:
        found = array.astype(float)  # fractions
        return found.astype(int) if np.all(found % 1 == 0) else found
    except (TypeError, ValueError):
        raise Misfit(f"{it} holds {_kind(array.flat[0])} where a number is expected") from None


def _kind(value):
    """Say in a learner's words what a value is."""
    if value is None or value is ...:
        return "still `...`" if value is ... else "nothing (None)"
    if isinstance(value, np.ndarray | np.generic) and value.ndim == 0:
        value = value.item()
    for kind, words in ((bool, "a truth value"), (str, "a word"), (Number, "a number"), (np.ndarray, ARRAY)):
        if isinstance(value, kind):
            return words
    if is_tensor(value):
        return TENSOR
    return "a network" if hasattr(value, "state_dict") else f"a {type(value).__name__}"


def is_tensor(value):
    """Tell a torch tensor or parameter without importing torch."""
    return type(value).__module__.startswith("torch") and hasattr(value, "detach")


def as_array(value):
    """Return a value as an array: a tensor without its graph, a word without regard to its case."""
    if isinstance(value, str):
        return np.array(value.strip().casefold())
    return np.asarray(value.detach().cpu().numpy() if is_tensor(value) else value)


def axis_name(axes, k):
    """Name axis `k`: a word where the exercise gives its letter, else its number.

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
    other = [k for k in range(len(want)) if got[k] != want[k]]
    if len(other) == 1:
        (k,) = other
        more = {1: "is one too long", -1: "is one too short"}.get(got[k] - want[k])
        times = "is too long" if got[k] > want[k] else "is too short"
        start = ", does it count the start as well?" if axes[k : k + 1] == ["T"] and more == "is one too long" else ""
        return f": {axis_name(axes, k)} {more or times}{start}"
    return ""
