"""From two arrays that differ to a sentence that helps: the sign, a factor, one axis, one place, one gate.

No sentence shows an expected value.
"""

from itertools import permutations

import numpy as np

from lstm_tutorial.exercises.matching import Misfit, close, match

GATES = "ifgo"  # the order in which an axis 4H stacks the gates


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
    for words, value in wrong_turns.items():
        try:
            parts = match(got, value)
        except Misfit:
            continue
        if not any(part.wrong(tolerance).any() for part in parts):
            return words
    return None


def explain(parts, tolerance, by_hand=False):
    """Say how the values of an answer differ from what is expected.

    Parameters
    ----------
    parts : list of Part
        From `match`.
    tolerance : float
        Relative to the largest value of each part.
    by_hand : bool
        Say nothing from which an expected number could be worked out.

    Returns
    -------
    str or None
        None if all values are right.

    Examples
    --------
    >>> want = np.array([[1.0, 2.0], [4.0, 7.0]])
    >>> explain(match(2 * want, want), tolerance=1e-9)
    'every value is 2 times what is expected'
    >>> explain(match(want[::-1], want, axes=["T H"]), tolerance=1e-9)
    'the values are right, but in reverse along the time axis'
    >>> explain(match((want, -want), (want, want), names=["h", "c"]), tolerance=1e-9)
    '`h` is right; `c`: every value has the wrong sign'
    """
    wrong = [part for part in parts if part.wrong(tolerance).any()]
    if not wrong:
        return None
    swapped = _swapped(wrong, tolerance)
    if swapped:
        return swapped
    first, *others = wrong
    words = _fault(first, tolerance, by_hand)
    if len(parts) > 1 and first.name:
        words = f"`{first.name}`: {words}"
        right = [part for part in parts if not part.wrong(tolerance).any()]
        if right:
            words = f"{_names(right)} {'is' if len(right) == 1 else 'are'} right; {words}"
        if others:
            words = f"{words}; {_names(others)} {'differs' if len(others) == 1 else 'differ'} too"
    return words


def _names(parts):
    return _join([f"`{part.name}`" for part in parts])


def _join(words):
    """Return "a", "a and b" or "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _swapped(wrong, tolerance):
    """Say so if the wrong results are the right ones in another order."""
    if not 1 < len(wrong) < 6 or len({(part.want.shape, part.want.dtype.kind) for part in wrong}) > 1:
        return None
    for order in permutations(wrong):
        pairs = list(zip(wrong, order, strict=True))
        if all(close(a.got, b.want, tolerance).all() for a, b in pairs):
            holds = f": {_join([f'`{a.name}` holds `{b.name}`' for a, b in pairs])}" if wrong[0].name else ""
            return f"the results are right, but in another order{holds}"
    return None


def _fault(part, tolerance, by_hand):
    """Say what is wrong with the values of one part: the most telling pattern that fits."""
    got, want = part.got, part.want
    if want.dtype.kind == "U" or (want.dtype == bool and want.ndim == 0):
        return "that is not it"
    if want.dtype == bool:
        return _count(part, tolerance, by_hand=True)
    bad = np.sum(~np.isfinite(got) & np.isfinite(want))
    if bad:
        return f"{bad} of {got.size} values are NaN or infinite: an overflow, 0/0 or the logarithm of 0?"
    got, want = got.astype(float), want.astype(float)
    if close(-got, want, tolerance).all():
        return "every value has the wrong sign" if want.ndim else "the sign is wrong"
    if want.ndim == 0:
        return "the number is too large" if got > want else "the number is too small"
    if by_hand or want.size == 1:
        return _count(part, tolerance, by_hand)
    if np.ptp(got) == 0:
        return "all values are the same, they should depend on the inputs"
    ratio = np.sum(got * want) / (np.sum(want * want) or 1)
    if ratio and close(got / ratio, want, tolerance).all():
        return f"every value is {ratio:.3g} times what is expected"
    offset = np.mean(got) - np.mean(want)
    if close(got - offset, want, tolerance).all():
        return f"every value is {abs(offset):.3g} too {'large' if offset > 0 else 'small'}"
    if got.T.shape == want.shape and want.ndim > 1 and close(got.T, want, tolerance).all():
        return "the values are right, but transposed"
    along = (_along(part, k, tolerance) for k in range(want.ndim) if want.shape[k] > 1)
    return next(filter(None, along), None) or _count(part, tolerance, by_hand)


def _along(part, k, tolerance):
    """Say what is wrong along axis `k`: the direction, a shift, the gates' order, or some places alone."""
    got, want = (np.moveaxis(each, k, 0) for each in (part.got, part.want))
    axis, n = part.axis(k), len(want)

    def same(a, b):
        return close(a, b, tolerance).all()

    if same(got[::-1], want):
        return f"the values are right, but in reverse along {axis}"
    if n > 2 and same(got[1:], want[:-1]):
        return f"the values are right, but one place late along {axis}"
    if n > 2 and same(got[:-1], want[1:]):
        return f"the values are right, but one place early along {axis}"
    wrong = ~close(got, want, tolerance).reshape(n, -1).all(axis=1)  # (n,)
    if part.axes[k : k + 1] == ["4H"]:
        return _gates(np.split(got, 4), want, wrong.reshape(4, -1).any(axis=1), same)
    if wrong.all():
        return None
    if wrong[1:].all():
        return f"right at the first place along {axis}, wrong from the second on"
    if wrong[:-1].all():
        return f"right at the last place along {axis} alone"
    if wrong.sum() == 1 and (wrong[0] or wrong[-1]):
        return f"wrong at the {'first' if wrong[0] else 'last'} place along {axis} alone"
    return f"right at {n - wrong.sum()} of {n} places along {axis}, wrong at the others"


def _gates(blocks, want, wrong, same):
    """Say which gates' rows are wrong, or that they stand in another order."""
    if any(same(np.concatenate(order), want) for order in permutations(blocks)):
        return f"the rows of the gates are right, but not in the order {', '.join(GATES)}"
    if wrong.all():
        return None
    bad = [gate for gate, is_wrong in zip(GATES, wrong, strict=True) if is_wrong]
    return f"the rows of {_join(bad)} are wrong, those of the other gates are right"


def _count(part, tolerance, by_hand):
    """Say how many values differ and, unless it would tell a number, by how much."""
    wrong = part.wrong(tolerance)
    words = f"{wrong.sum()} of {wrong.size} values differ" if wrong.size > 1 else "the value differs"
    if by_hand:
        return words
    return f"{words}, by up to {np.max(abs(part.got - part.want)):.2g} where values reach {np.max(abs(part.want)):.2g}"
