"""Real speech as a sequence of numbers: Japanese Vowels; its source and licence are in data/README.md."""

from numbers import Integral
from typing import NamedTuple

import numpy as np

from lstm_tutorial import data
from lstm_tutorial.tasks import Batch


class JapaneseVowels(NamedTuple):
    """What `japanese_vowels` returns."""

    train: Batch
    validation: Batch
    test: Batch


def japanese_vowels(*, validation=5, rng=0):
    """Return utterances of the vowels /ae/ by nine men: who is speaking?

    Parameters
    ----------
    validation : int
        How many of the 30 training utterances of each speaker become the validation part, 0 to 29. With 0 that part is
        empty, its x of shape (0, 29, 12).
    rng : numpy.random.Generator, int or None
        Draws the validation part, speaker by speaker, and shuffles it and the training part. The test part depends on
        no seed.

    Returns
    -------
    JapaneseVowels
        Each part a Batch: x (N, T, 12) float32, 12 coefficients a frame, 0 past a length; lengths (N,), 7 to 29;
        y (N,), the speaker, 0 to 8. T = 29 in all parts. N = 270 - 9 validation, 9 validation, and 370.

    Raises
    ------
    ValueError
        If validation is not an integer from 0 to 29.

    Notes
    -----
    A step is a frame of 25.6 ms, and the next frame starts 6.4 ms later; its numbers are the coefficients of an LPC
    cepstrum. They are as published, not standardised: take mean and standard deviation from the training part, over
    valid steps only, and apply them to all parts.

    The test part is the published one, in its order, a speaker after the other. It was spoken on other occasions than
    the training utterances, from which the validation part is drawn, so it may well be harder than that. Its speakers
    are not balanced: always saying 2 is right 88 times in 370; in the other parts, 1 time in 9.

    From Kudo, Toyama and Shimbo (1999), UCI Machine Learning Repository, https://doi.org/10.24432/C5NS47, CC BY 4.0.

    Examples
    --------
    >>> vowels = japanese_vowels()
    >>> vowels.train.x.shape, vowels.validation.x.shape, vowels.test.x.shape
    ((225, 29, 12), (45, 29, 12), (370, 29, 12))
    >>> x, lengths, y = vowels.test
    >>> int(lengths[0]), int(y[0]), x[0, :2, :3]
    (19, 0, array([[1.635533, 0.024848, 0.432087],
           [1.547694, 0.008754, 0.319101]], dtype=float32))

    The scale of the training part, over valid steps:

    >>> x, lengths, y = vowels.train
    >>> valid = x[np.arange(29) < lengths[:, None]]  # (frames, 12)
    >>> mean, std = valid.mean(axis=0), valid.std(axis=0)  # (12,)
    """
    if not isinstance(validation, Integral) or isinstance(validation, bool) or not 0 <= validation <= 29:
        raise ValueError(f"validation must be an integer from 0 to 29, utterances a speaker, got {validation!r}")
    rng = np.random.default_rng(rng)
    rows = [line.split(",") for line in data.read("vowels.csv.gz").splitlines()]  # part, speaker, a field a frame
    lengths = np.array([len(frames) for _, _, *frames in rows])
    x = np.zeros((len(rows), lengths.max(), 12), np.float32)
    for n, (_, _, *frames) in enumerate(rows):
        x[n, : len(frames)] = [frame.split() for frame in frames]
    y = np.array([int(speaker) - 1 for _, speaker, *_ in rows])
    is_test = np.array([part == "test" for part, *_ in rows])
    order = np.stack([rng.permutation(np.flatnonzero(~is_test & (y == k))) for k in range(9)], axis=1)  # (30, 9)
    parts = (
        rng.permutation(order[validation:].ravel()),
        rng.permutation(order[:validation].ravel()),
        np.flatnonzero(is_test),
    )
    return JapaneseVowels(*(Batch(x[part], lengths[part], y[part]) for part in parts))
