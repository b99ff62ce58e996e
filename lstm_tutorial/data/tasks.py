"""The course's data sets, seeded and with lengths. Nothing is downloaded."""

from typing import NamedTuple

import numpy as np

from lstm_tutorial.validation import check_choice, check_number, check_sizes


class Batch(NamedTuple):
    """Sequences, how long each is, and what is asked; ready for `fit`."""

    x: np.ndarray  # (B, T, D), 0 past a length
    lengths: np.ndarray  # (B,)
    y: np.ndarray


def adding_problem(B, T, *, min_length=None, rng=None):
    """Draw the adding problem: two of the numbers in a sequence are marked; what is their sum?

    Parameters
    ----------
    B, T : int
        Number of sequences, and of steps (the longest, where lengths differ).
    min_length : int, optional
        Draws each length from here to T; without it all are T. At least 2.
    rng : numpy.random.Generator, int or None

    Returns
    -------
    Batch
        x (B, T, 2): a number from 0 to 1, and a mark that is 1 twice, once in each half; y (B, 1), the sum.

    Notes
    -----
    After Hochreiter and Schmidhuber (1997), experiment 4, with numbers from 0 to 1 and targets not rescaled. Always
    saying 1 has a mean squared error of 1/6, the variance of the sum; that is the baseline.

    Examples
    --------
    >>> x, lengths, y = adding_problem(3, 10, rng=0)
    >>> x.shape, y.shape, bool(np.allclose((x[..., 0] * x[..., 1]).sum(axis=1), y[:, 0]))
    ((3, 10, 2), (3, 1), True)
    """
    rng, lengths = _start(B, T, min_length, 2, rng)
    half = lengths // 2
    marks = np.zeros((B, T))
    marks[np.arange(B), rng.integers(0, half)] = 1
    marks[np.arange(B), rng.integers(half, lengths)] = 1
    x = np.stack([rng.random((B, T)) * _valid(lengths, T), marks], axis=-1).astype(np.float32)
    return Batch(x, lengths, x.prod(axis=-1).sum(axis=-1, keepdims=True))


def copy_memory(B, T, *, symbols=8, span=10, rng=None):
    """Draw the copy task: remember some symbols, wait T steps, say them again in order.

    Parameters
    ----------
    B, T : int
        Number of sequences, and of steps to wait.
    symbols : int
        Number of different symbols.
    span : int
        How many are to be remembered.
    rng : numpy.random.Generator, int or None

    Returns
    -------
    Batch
        x (B, T + 2 span, symbols + 2), one-hot: symbols, blanks, a go sign where the wait ends, blanks; y
        (B, T + 2 span) of classes: blank until the go sign, then the symbols. Class `symbols` is the blank, the next
        one the go sign.

    Notes
    -----
    After Arjovsky, Shah and Bengio (2016). Blanks, then symbols at random, cost span * ln(symbols) / (T + 2 span) nats
    a step: the baseline of who remembers nothing.

    Examples
    --------
    >>> x, lengths, y = copy_memory(1, 3, symbols=4, span=2, rng=0)
    >>> x.argmax(axis=-1), y
    (array([[3, 2, 4, 4, 5, 4, 4]]), array([[4, 4, 4, 4, 4, 3, 2]]))
    """
    check_sizes(symbols=symbols, span=span)
    rng, lengths = _start(B, T, None, 1, rng)
    length, blank = T + 2 * span, symbols
    tokens, y = np.full((2, B, length), blank)
    tokens[:, :span] = y[:, -span:] = rng.integers(0, symbols, (B, span))
    tokens[:, T + span - 1] = blank + 1
    return Batch(np.eye(symbols + 2, dtype=np.float32)[tokens], lengths + 2 * span, y)


def first_symbol(B, T, *, rng=None):
    """Draw the task "the first symbol decides": a symbol, then noise; which symbol was it?

    Parameters
    ----------
    B, T : int
        Number of sequences, and of steps.
    rng : numpy.random.Generator, int or None

    Returns
    -------
    Batch
        x (B, T, 2): the symbol, +1 or -1, at the first step of the first input, which is 0 from then on; N(0, 1) noise
        on the second input, but none at the first step; y (B,), class 1 for +1 and class 0 for -1.

    Notes
    -----
    After the two-class latching problem of Bengio, Simard and Frasconi (1994). The lag is T - 1 steps in every
    sequence, and one number is to be remembered. Guessing is right half of the time.

    Examples
    --------
    >>> x, lengths, y = first_symbol(4, 100, rng=0)
    >>> x[:, 0, 0], y, bool(x[:, 1:, 0].any())
    (array([ 1.,  1.,  1., -1.], dtype=float32), array([1, 1, 1, 0]), False)
    """
    rng, lengths = _start(B, T, None, 1, rng)
    y = rng.integers(0, 2, B)
    x = np.zeros((B, T, 2), np.float32)
    x[:, 0, 0] = 2 * y - 1
    x[:, 1:, 1] = rng.standard_normal((B, T - 1))
    return Batch(x, lengths, y)


def latch(B, T, *, rate=0.1, min_length=None, rng=None):
    """Draw the latch task: say at every step which pulse came last, the one that sets or the one that resets.

    Parameters
    ----------
    B, T : int
        Number of sequences, and of steps (the longest, where lengths differ).
    rate : float
        Chance of a pulse at each step, for each of the two; never both at once, so at most 0.5.
    min_length : int, optional
        Draws each length from here to T; without it all are T.
    rng : numpy.random.Generator, int or None

    Returns
    -------
    Batch
        x (B, T, 2) of zeros and ones, set and reset pulses; y (B, T), 1 from a set pulse until a reset pulse, else 0,
        starting from 0.

    Examples
    --------
    >>> x, lengths, y = latch(1, 8, rate=0.3, rng=0)
    >>> x[0].T.astype(int), y[0].astype(int)
    (array([[0, 1, 1, 1, 0, 0, 0, 0],
           [0, 0, 0, 0, 1, 1, 0, 1]]), array([0, 1, 1, 1, 0, 0, 0, 0]))
    """
    check_number("rate", rate, 0, 0.5)
    rng, lengths = _start(B, T, min_length, 1, rng)
    draw, valid = rng.random((B, T)), _valid(lengths, T)
    x = (np.stack([draw < rate, draw > 1 - rate], axis=-1) & valid[..., None]).astype(np.float32)
    y, state = np.zeros((B, T), np.float32), np.zeros(B, np.float32)
    for t in range(T):
        state = np.where(x[:, t, 0] == 1, 1, np.where(x[:, t, 1] == 1, 0, state))
        y[:, t] = state * valid[:, t]
    return Batch(x, lengths, y)


def symbol_question(question, B, T, *, symbols=4, noise=0.0, position=None, min_length=None, rng=None):
    """Draw sequences of symbols and one question about each, which wants one way of pooling or another.

    Parameters
    ----------
    question : str
        "exists": does symbol 0 occur? It does once, or not at all. "average": do more than half of the steps hold a
        symbol from the first half of the alphabet? "final": which symbol is the last? "marked": which symbol stands at
        the one marked step?
    B, T : int
        Number of sequences, and of steps (the longest, where lengths differ).
    symbols : int
        Number of different symbols, even and at least 2.
    noise : float
        Standard deviation of the normal noise on every number of the valid steps.
    position : float, optional
        Where symbol 0 or the mark stands, from 0, the first step, to 1, the last; without it anywhere.
    min_length : int, optional
        Draws each length from here to T; without it all are T.
    rng : numpy.random.Generator, int or None

    Returns
    -------
    Batch
        x (B, T, symbols + 1): one-hot symbols, and a mark that is 0 but at the marked step; y (B,), 0 or 1 for "exists"
        and "average", the symbol for "final" and "marked". All answers are equally likely.

    Notes
    -----
    Without noise every question can be answered without a mistake.

    Examples
    --------
    >>> x, lengths, y = symbol_question("marked", 3, 10, min_length=2, rng=0)
    >>> marked = x[..., -1].argmax(axis=1)
    >>> x.shape, bool((x[range(3), marked, :-1].argmax(axis=1) == y).all())
    ((3, 10, 5), True)
    """
    check_choice("question", question, ("exists", "average", "final", "marked"))
    check_number("noise", noise, 0, np.inf)
    if position is not None:
        check_number("position", position, 0, 1)
    check_sizes(symbols=symbols)
    if symbols % 2:
        raise ValueError(f"symbols must be even, got {symbols}")
    rng, lengths = _start(B, T, min_length, 1, rng)
    rows, valid = np.arange(B), _valid(lengths, T)
    needle = rng.integers(0, lengths) if position is None else np.round(position * (lengths - 1)).astype(int)
    drawn, half = rng.integers(0, symbols, (B, T)), symbols // 2
    if question == "exists":
        drawn, y = rng.integers(1, symbols, (B, T)), rng.integers(0, 2, B)
        drawn[rows, needle] *= 1 - y
    elif question == "average":
        more = ((drawn < half) * valid).sum(axis=1) * 2 - lengths  # a tie is broken at the first step
        drawn[:, 0] = np.where(more == 0, drawn[:, 0] % half + half * (drawn[:, 0] < half), drawn[:, 0])
        y = ((drawn < half) * valid).sum(axis=1) * 2 > lengths
    else:
        y = drawn[rows, lengths - 1 if question == "final" else needle]
    x = np.zeros((B, T, symbols + 1))
    x[..., :-1] = np.eye(symbols)[drawn]
    x[rows, needle, -1] = question == "marked"
    x = (x + noise * rng.standard_normal(x.shape)) * valid[..., None]
    return Batch(x.astype(np.float32), lengths, y.astype(np.int64))


def _start(B, T, min_length, least, rng):
    """Check the sizes and return a generator and the lengths (B,)."""
    check_sizes(B=B, T=T, **({} if min_length is None else {"min_length": min_length}))
    low = T if min_length is None else min_length
    if not least <= low <= T:
        name = "T" if min_length is None else "min_length"
        raise ValueError(f"{name} must lie between {least} and {'infinity' if name == 'T' else f'T = {T}'}, got {low}")
    rng = np.random.default_rng(rng)
    return rng, rng.integers(low, T + 1, B)


def _valid(lengths, T):
    return np.arange(T) < lengths[:, None]  # (B, T)
