"""From a value that differs to a sentence that helps: the sign, a factor, one axis, one place, one gate.

No sentence shows an expected value.
"""

from itertools import permutations

import numpy as np

from lstm_tutorial.exercises.matching import Allowed, Misfit, axis_name, match

GATES = "ifgo"  # the order in which an axis 4H stacks the gates
RELATIONS = {  # what is said where this, made of the answer (and of what is expected), is what is expected
    "every value has the wrong sign": lambda got, want: -got,
    "every value has lost its sign": lambda got, want: got * np.sign(want),
    "the tanh is missing": lambda got, want: np.tanh(got),
    "the sigmoid is missing": lambda got, want: 1 / (1 + np.exp(-got)),
    "every value is the logarithm of what is expected": lambda got, want: np.exp(got),
    "the logarithm is missing": lambda got, want: np.log(got),
    "the square is missing": lambda got, want: got**2,
    "every value is the square of what is expected": lambda got, want: np.sqrt(got) * np.sign(want),
    "every value is 1 divided by what is expected": lambda got, want: 1 / got,
    "every value is 1 minus what is expected": lambda got, want: 1 - got,
}


def first_match(got, wrong_turns, tolerance=1e-4):
    """Name the wrong turn that leads to just this answer.

    Parameters
    ----------
    got : what the learner's function returned
    wrong_turns : dict of str to value
        What to say, and the answer one gets that way.
    tolerance : float
        Relative to the largest value.

    Returns
    -------
    str or None
        The first that fits; None if none does.

    Examples
    --------
    >>> z = np.array([0.5, -1.0])
    >>> first_match(1 / (1 + np.exp(-z)), {
    ...     "the activation is missing": z,
    ...     "it uses sigmoid where tanh is expected": 1 / (1 + np.exp(-z)),
    ... })
    'it uses sigmoid where tanh is expected'
    """
    allowed = Allowed(tolerance)
    for words, value in wrong_turns.items():
        try:
            parts = match(got, value)
        except Misfit:
            continue
        if all(map(allowed.right, parts)):
            return words
    return None


def explain(parts, allowed, size, by_hand=False):
    """Say how the values of an answer differ from what is expected: of the first part that does.

    Parameters
    ----------
    parts : list of Part
        From `match`, in the order in which they are computed.
    allowed : Allowed
        How far a value may be off.
    size : dict
        How long the axes are: {"B": 3}.
    by_hand : bool
        Say nothing from which an expected number could be worked out.

    Returns
    -------
    str or None
        None if all values are right.

    Examples
    --------
    >>> want = np.array([[1.0, 2.0], [4.0, 7.0], [0.0, 5.0]])
    >>> explain(match(3 * want, want), Allowed(), {"B": 3})
    'every value is B = 3 times what is expected: a sum where a mean should be?'
    >>> explain(match(want[::-1], want, axes=["T H"]), Allowed(), {})
    'the values are right, but in reverse along the time axis'
    >>> explain(match((want, -want), (want, want), names=["h", "c"]), Allowed(), {})
    '`h` is right; `c`: every value has the wrong sign'
    """
    wrong = [part for part in parts if not allowed.right(part)]
    if not wrong:
        return None
    swapped = _swapped(wrong, allowed)
    if swapped:
        return swapped
    words = _fault(wrong[0], allowed, size, by_hand)
    if len(parts) > 1 and wrong[0].name:
        words = f"`{wrong[0].name}`: {words}"
        bad = {part.name for part in wrong}  # several numbers may have one name
        right = [f"`{name}`" for name in dict.fromkeys(part.name for part in parts) if name not in bad]
        if len(right) > 3:
            words = f"{len(right)} of {len(parts)} are right; {words}"
        elif right:
            words = f"{join(right)} {'is' if len(right) == 1 else 'are'} right; {words}"
    return words


def join(words):
    """Return "a", "a and b" or "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _swapped(wrong, allowed):
    """Say so if the wrong results are the right ones in another order."""
    if not 1 < len(wrong) < 6 or len({(part.want.shape, part.want.dtype.kind) for part in wrong}) > 1:
        return None
    for order in permutations(wrong):
        pairs = list(zip(wrong, order, strict=True))
        if all(allowed.all(a.got, b.want) for a, b in pairs):
            holds = f": {join([f'`{a.name}` holds `{b.name}`' for a, b in pairs])}" if wrong[0].name else ""
            return f"the results are right, but in another order{holds}"
    return None


def _fault(part, allowed, size, by_hand):
    """Say what is wrong with the values of one part: the most telling pattern that fits."""
    got, want = part.got, part.want
    if want.dtype.kind == "U" or (want.dtype == bool and want.ndim == 0):
        return "that is not it"
    if want.dtype == bool:
        if np.all(got != want):
            return "every truth value is the other one"
    else:
        words = _numbers(got.astype(float), want.astype(float), allowed, size, by_hand)
        if words:
            return words
    if not by_hand and want.size > 1:
        if got.T.shape == want.shape and want.ndim > 1 and allowed.all(got.T, want):
            return "the values are right, but transposed"
        for k in range(want.ndim):
            words = _along(part, k, allowed) if want.shape[k] > 1 else None
            if words:
                return words
    return _count(part, allowed, by_hand)


def _numbers(got, want, allowed, size, by_hand):
    """Say how numbers differ all alike; None if they do not."""
    with np.errstate(all="ignore"):
        for words, undo in RELATIONS.items():
            if want.any() and allowed.all(undo(got, want), want) and not (by_hand and "sign" not in words):
                return words if want.ndim else words.replace("every value", "it")
    if want.ndim == 0:
        words = "" if by_hand or want % 1 == 0 else _times(got / want, size)
        return f"it is {words}" if "?" in words else f"the number is too {'large' if got > want else 'small'}"
    if by_hand or want.size == 1:
        return None
    if np.ptp(got) == 0 and np.ptp(want):
        return "all values are the same, they should depend on the inputs"
    ratio = np.sum(got * want) / (np.sum(want * want) or 1)
    if ratio and allowed.all(got / ratio, want):
        return f"every value is {_times(ratio, size)}"
    offset = np.mean(got) - np.mean(want)
    if allowed.all(got - offset, want):
        return f"every value is {abs(offset):.3g} too {'large' if offset > 0 else 'small'}"
    return None


def _times(ratio, size):
    """Say how many times what is expected it is, and why if the factor is 100 or the length of an axis."""
    for letter, n in size.items():
        if n > 2 and np.isclose(ratio, n):
            return f"{letter} = {n} times what is expected: a sum where a mean should be?"
        if n > 2 and np.isclose(ratio, 1 / n):
            return f"1 / {letter} = 1 / {n} of what is expected: a mean where a sum should be?"
    hint = ": a percentage where a share should be?" if np.isclose(ratio, 100) else ""
    return f"{ratio:.3g} times what is expected{hint}"


def _along(part, k, allowed):
    """Say what is wrong along axis `k`: the direction, a shift, the gates' order, or some places alone."""
    got, want = (np.moveaxis(each, k, 0) for each in (part.got, part.want))
    axis, n = axis_name(part.axes, k), len(want)
    if allowed.all(got[::-1], want):
        return f"the values are right, but in reverse along {axis}"
    if n > 2 and allowed.all(got[1:], want[:-1]):
        return f"the values are right, but one place late along {axis}"
    if n > 2 and allowed.all(got[:-1], want[1:]):
        return f"the values are right, but one place early along {axis}"
    wrong = ~allowed.close(got, want).reshape(n, -1).all(axis=1)  # (n,)
    if part.axes[k : k + 1] == ["4H"]:
        return _gates(np.split(got, 4), want, wrong.reshape(4, -1).any(axis=1), allowed)
    rows = [next((b for b in range(n) if allowed.all(row, want[b])), None) for row in got]
    if n > 2 and got.dtype.kind == "f" and sorted(row for row in rows if row is not None) == list(range(n)):
        return f"the values are right, but in another order along {axis}"
    if wrong.all():
        return None
    if wrong[1:].all():
        return f"right at the first place along {axis}, wrong from the second on"
    if wrong[:-1].all():
        return f"right at the last place along {axis} alone"
    if wrong.sum() == 1 and (wrong[0] or wrong[-1]):
        return f"wrong at the {'first' if wrong[0] else 'last'} place along {axis} alone"
    return f"right at {n - wrong.sum()} of {n} places along {axis}, wrong at the others"


def _gates(blocks, want, wrong, allowed):
    """Say which gates' rows are wrong, or that they stand in another order."""
    for order in permutations(range(4)):
        if allowed.all(np.concatenate([blocks[k] for k in order]), want):
            there = ", ".join(GATES[order.index(k)] for k in range(4))
            return f"the rows of the gates are right, but not in the order i, f, g, o: they stand as {there}"
    if wrong.all():
        return None
    bad = [gate for gate, is_wrong in zip(GATES, wrong, strict=True) if is_wrong]
    return f"the rows of {join(bad)} are wrong, those of the other gates are right"


def _count(part, allowed, by_hand):
    """Say how many values differ and, unless it would tell a number, by how much."""
    wrong = ~allowed.close(part.got, part.want)
    words = f"{wrong.sum()} of {wrong.size} values differ" if wrong.size > 1 else "the value differs"
    if by_hand or part.want.dtype == bool:
        return words
    return f"{words}, by up to {np.max(abs(part.got - part.want)):.2g} where values reach {np.max(abs(part.want)):.2g}"
