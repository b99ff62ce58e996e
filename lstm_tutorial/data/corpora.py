"""The course's real data sets, split and ready for `fit`; their sources and licences are in data/README.md."""

import gzip
import hashlib
from importlib.resources import files
from numbers import Integral
from typing import NamedTuple

import numpy as np

from lstm_tutorial.data.tasks import Batch
from lstm_tutorial.data.text import IGNORE, Alphabet
from lstm_tutorial.validation import check_sizes

SHA256 = {
    "cities.csv.gz": "c601de90efda9ff8005fc9cb424d2813aa01e141ae7e7420b61d4c44140cfe9a",
    "cmudict.txt.gz": "26e0c4bf0a1f01f53eb4eb289b52eb8baf50f909cdc9f90ec92d7b27b44f71cf",
    "sunspots.csv.gz": "e63571f94e450b04b2c9809d64a565f6dac7e7e09623795493ab4c8605de46e8",
    "vowels.csv.gz": "61fbf62624f08fcd4413d8c073e8f8393bd1218781a42e25257fa19a5f93bd3e",
    "weather.csv.gz": "765ef7e1fda1c79875a342d8ba7d026a9796757a1030f8bb1bb634dcf59dbe31",
}
FOLDER = files(__package__)


class Splits(NamedTuple):
    """What belongs to the three parts of a data set."""

    train: list
    validation: list
    test: list


class CityNames(NamedTuple):
    """What `city_names` returns."""

    train: Batch
    validation: Batch
    test: Batch
    alphabet: Alphabet
    countries: tuple  # names; y is an index into it


class StressTags(NamedTuple):
    """What `stress_tags` returns."""

    train: Batch
    validation: Batch
    test: Batch
    phones: Alphabet
    words: Splits  # lists of str: words.test[n] is how row n of the test set is spelled


class Pairs(NamedTuple):
    """A sequence in, a sequence out, of different lengths."""

    x: np.ndarray  # (N, T) tokens, 0 past a length
    lengths: np.ndarray  # (N,)
    y: np.ndarray  # (N, S) tokens, 0 past a length
    y_lengths: np.ndarray  # (N,)


class Spellings(NamedTuple):
    """What `spellings` returns."""

    train: Pairs
    validation: Pairs
    test: Pairs
    letters: Alphabet
    phones: Alphabet


class Weather(NamedTuple):
    """What `seattle_weather` returns."""

    days: np.ndarray  # (1461,) datetime64[D]
    values: np.ndarray  # (1461, 4)
    columns: tuple  # what the columns of values are called


class JapaneseVowels(NamedTuple):
    """What `japanese_vowels` returns."""

    train: Batch
    validation: Batch
    test: Batch


def read(name):
    """Return the text of an extract, when it is byte for byte the one that the package came with.

    Parameters
    ----------
    name : str
        A key of `SHA256`.

    Returns
    -------
    str

    Raises
    ------
    FileNotFoundError
        If the file is missing.
    ValueError
        If the package has no extract of that name, or the file has been altered.

    Examples
    --------
    >>> read("sunspots.csv.gz").splitlines()[:3]
    ['year,sunspots', '1700,5.0', '1701,11.0']
    """
    if name not in SHA256:
        raise ValueError(f"name must be one of {', '.join(SHA256)}, got {name!r}")
    path = FOLDER / name
    again = "install lstm-tutorial again, or see lstm_tutorial/data/README.md for how the file is made"
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} must come with the package, got no such file: {again}") from None
    digest = hashlib.sha256(packed).hexdigest()
    if digest != SHA256[name]:
        raise ValueError(f"{path} must have the SHA-256 {SHA256[name]}, got {digest}: {again}")
    return gzip.decompress(packed).decode()


def city_names(*, sizes=(3360, 480, 960), rng=0):
    """Return place names of twelve countries: from a name to its country, or from a country to names.

    Parameters
    ----------
    sizes : tuple of int
        Names in train, validation and test, at most 4,800 together.
    rng : numpy.random.Generator, int or None
        Makes the split. The test set is drawn first, so a seed gives the same one with any number for training.

    Returns
    -------
    CityNames
        Each part a Batch: x (N, T), tokens of the name without start and stop, 0 past a length; lengths (N,); y (N,),
        the country. T = 20 in all parts. `shift(x, lengths)` makes what a generator learns from.

    Notes
    -----
    400 names of 3 to 20 characters a country, in small letters without diacritics (`fold`), and in every part as many
    of one country as of another (one more or less where 12 does not divide the size): always saying the same country
    is right 1 time in 12. No name is in two countries, so none is in two parts. From GeoNames, CC BY 4.0.

    Examples
    --------
    >>> cities = city_names()
    >>> cities.train.x.shape, len(cities.alphabet), cities.countries[:3]
    ((3360, 20), 32, ('Brazil', 'China', 'France'))
    >>> x, lengths, y = cities.test
    >>> cities.alphabet.decode(x[0]), int(lengths[0]), cities.countries[y[0]]
    ('belfast', 7, 'United Kingdom')
    """
    countries, names = zip(*(line.split(",") for line in read("cities.csv.gz").splitlines()))
    distinct = tuple(dict.fromkeys(countries))
    rng = np.random.default_rng(rng)
    groups = [np.flatnonzero(np.array(countries) == country) for country in distinct]
    order = np.stack([rng.permutation(group) for group in groups], axis=1).ravel()  # a country after the other
    alphabet = Alphabet("abcdefghijklmnopqrstuvwxyz '-")
    x, lengths = alphabet.batch(names)
    y = np.array([distinct.index(country) for country in countries])
    test, validation, train = (
        Batch(x[rows], lengths[rows], y[rows]) for rows in map(rng.permutation, reversed(_split(order, sizes)))
    )
    return CityNames(train, validation, test, alphabet, distinct)


def stress_tags(*, sizes=(20_000, 1_000, 4_000), rng=0):
    """Return words as phones, and the stress of each vowel: none, primary or secondary.

    Parameters
    ----------
    sizes : tuple of int
        Words in train, validation and test, at most 25,000 together.
    rng : numpy.random.Generator, int or None
        Makes the split, the test set first, as in `city_names`.

    Returns
    -------
    StressTags
        Each part a Batch: x (N, T), tokens of the phones without stress, 0 past a length; lengths (N,); y (N, T), the
        stress 0, 1 or 2 where the phone is a vowel and -100 (`IGNORE`) elsewhere. T = 14 in all parts.

    Notes
    -----
    No word and no sequence of phones is in two parts, but relatives are (walk, walked). From the CMU Pronouncing
    Dictionary, copyright Carnegie Mellon University.

    Examples
    --------
    >>> tags = stress_tags()
    >>> tags.train.x.shape, len(tags.phones)
    ((20000, 14), 42)
    >>> x, lengths, y = tags.test
    >>> tags.words.test[0], tags.phones.decode(x[0]), y[0, : lengths[0]]
    ('rivkin', 'R IH V K IH N', array([-100,    1, -100, -100,    0, -100]))
    """
    words, stressed, plain, phones = _dictionary()
    x, lengths = phones.batch(plain)
    y = np.full(x.shape, IGNORE)
    for row, text in zip(y, stressed):
        for t, phone in enumerate(text.split()):
            if phone[-1].isdigit():
                row[t] = int(phone[-1])
    rows = _split(np.random.default_rng(rng).permutation(len(words)), sizes)
    parts = [Batch(x[part], lengths[part], y[part]) for part in rows]
    return StressTags(*parts, phones, Splits(*([words[n] for n in part] for part in rows)))


def spellings(*, sizes=(20_000, 1_000, 1_000), rng=0):
    """Return words as letters and as phones: from spelling to sound.

    Parameters
    ----------
    sizes : tuple of int
        Words in train, validation and test, at most 25,000 together.
    rng : numpy.random.Generator, int or None
        Makes the split, the test set first, as in `city_names`.

    Returns
    -------
    Spellings
        Each part Pairs: x (N, T), tokens of the letters; lengths (N,); y (N, S), tokens of the phones without stress;
        y_lengths (N,). No start or stop in them, 0 past a length; `shift(y, y_lengths)` makes what a decoder learns
        from. T = S = 14 in all parts.

    Notes
    -----
    The same words as in `stress_tags`. Each has one pronunciation in the dictionary, so there is one right answer.

    Examples
    --------
    >>> words = spellings()
    >>> x, lengths, y, y_lengths = words.test
    >>> x.shape, y.shape, len(words.letters), len(words.phones)
    ((1000, 14), (1000, 14), 29, 42)
    >>> words.letters.decode(x[0]), words.phones.decode(y[0])
    ('rivkin', 'R IH V K IH N')
    """
    words, _, plain, phones = _dictionary()
    letters = Alphabet("abcdefghijklmnopqrstuvwxyz")
    arrays = *letters.batch(words), *phones.batch(plain)
    rows = _split(np.random.default_rng(rng).permutation(len(words)), sizes)
    return Spellings(*(Pairs(*(array[part] for array in arrays)) for part in rows), letters, phones)


def sunspots():
    """Return the sunspot number of each year from 1700 to 2008.

    Returns
    -------
    years, values : ndarray (309,)

    Examples
    --------
    >>> years, values = sunspots()
    >>> years[[0, -1]], values[[0, -1]]
    (array([1700, 2008]), array([5. , 2.9]))
    """
    rows = [line.split(",") for line in read("sunspots.csv.gz").splitlines()[1:]]
    return np.array([int(year) for year, _ in rows]), np.array([float(value) for _, value in rows])


def seattle_weather():
    """Return the weather of Seattle on each day from 2012 to 2015: a series with several inputs.

    Returns
    -------
    Weather
        days (1461,), datetime64[D]; values (1461, 4) and the names of their columns: "rain" in millimetres, "highest"
        and "lowest" temperature in degrees Celsius, mean "wind" in metres per second. No day is missing.

    Notes
    -----
    Split it by time: the days of a part must follow those of the part before. From the daily records of NOAA, by way
    of vega_datasets, public domain.

    Examples
    --------
    >>> days, values, columns = seattle_weather()
    >>> days[[0, -1]], columns
    (array(['2012-01-01', '2015-12-31'], dtype='datetime64[D]'), ('rain', 'highest', 'lowest', 'wind'))
    >>> values[0]
    array([ 0. , 12.8,  5. ,  4.7])
    """
    header, *rows = (line.split(",") for line in read("weather.csv.gz").splitlines())
    days = np.array([day for day, *_ in rows], "datetime64[D]")
    return Weather(days, np.array([row[1:] for row in rows], float), tuple(header[1:]))


def windows(values, width, *, ahead=1):
    """Cut a series into windows of some steps, each with the value that is to be forecast from it.

    Parameters
    ----------
    values : array (T,)
        Split it by time before: `windows(values[:n], width)` to train, `windows(values[n - width :], width)` to test.
    width : int
        Steps in a window.
    ahead : int
        How many steps after the window the forecast is for.

    Returns
    -------
    Batch
        x (N, width, 1), lengths (N,), y (N, 1), with N = T - width - ahead + 1; float32.

    Examples
    --------
    >>> x, lengths, y = windows([1, 2, 3, 4, 5], 3)
    >>> x[..., 0], y[:, 0]
    (array([[1., 2., 3.],
           [2., 3., 4.]], dtype=float32), array([4., 5.], dtype=float32))
    """
    values = np.asarray(values, np.float32)
    check_sizes(width=width, ahead=ahead)
    if values.ndim != 1 or len(values) < width + ahead:
        raise ValueError(f"values must have shape (T,) with T >= width + ahead = {width + ahead}, got {values.shape}")
    x = np.lib.stride_tricks.sliding_window_view(values[:-ahead], width)
    return Batch(x[..., None].copy(), np.full(len(x), width), values[width + ahead - 1 :, None].copy())


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
    rows = [line.split(",") for line in read("vowels.csv.gz").splitlines()]  # part, speaker, a field a frame
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


def _dictionary():
    """Return words, their phones with stress ("F OW1 N"), the phones without, and the alphabet of these."""
    words, stressed = zip(*(line.split(" ", maxsplit=1) for line in read("cmudict.txt.gz").splitlines()))
    plain = [phones.translate(str.maketrans("", "", "012")) for phones in stressed]
    return words, stressed, plain, Alphabet(sorted(set(" ".join(plain).split())), separator=" ")


def _split(order, sizes):
    """Return the rows of train, validation and test; test comes first in the order, then validation."""
    sizes = tuple(sizes)
    if len(sizes) != 3:
        raise ValueError(f"sizes must be three numbers (train, validation, test), got {sizes}")
    train, validation, test = sizes
    check_sizes(train=train, validation=validation, test=test)
    if sum(sizes) > len(order):
        raise ValueError(f"sizes must add up to {len(order)} at most, got {sizes}, which is {sum(sizes)}")
    held_out = test + validation
    return order[held_out : held_out + train], order[test:held_out], order[:test]
