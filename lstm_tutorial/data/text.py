"""Text as tokens and back: which number stands for which symbol, and the three tokens that are no symbol."""

import unicodedata

import numpy as np

from lstm_tutorial.data.tasks import Batch
from lstm_tutorial.validation import check_lengths, check_shape

PAD, START, STOP = 0, 1, 2  # the same in every alphabet
IGNORE = -100  # a step that asks nothing; what `cross_entropy` leaves out

# Letters that are no plain letter with a mark, so that taking marks away does not touch them.
_PLAIN = str.maketrans(
    {"ł": "l", "ı": "i", "ß": "ss", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"} | dict.fromkeys("’‘ʼʻ", "'")
)


class Alphabet:
    """The symbols of a kind of text, each with its token; tokens 0, 1 and 2 are padding, start and stop.

    Parameters
    ----------
    symbols : iterable of str
        All different, none empty.
    separator : str
        What stands between two symbols of a text: nothing for letters, a space for phones.

    Attributes
    ----------
    symbols : tuple of str
        The symbol of each token, "<pad>", "<start>" and "<stop>" first. `len(alphabet)` counts them all: it is the
        size of an embedding and of a generator's output.

    Examples
    --------
    >>> letters = Alphabet("abc")
    >>> len(letters), letters.encode("cab", stop=True)
    (6, array([5, 3, 4, 2]))
    >>> letters
    Alphabet('abc')
    >>> letters.encode("abd")
    Traceback (most recent call last):
    ValueError: text must hold symbols of the alphabet (a b c), got 'd' at position 2 of 'abd'
    """

    def __init__(self, symbols, separator=""):
        symbols = tuple(symbols)
        if not symbols or "" in symbols or len(set(symbols)) < len(symbols):
            raise ValueError(f"symbols must be different and not empty, got {symbols}")
        self.symbols, self.separator = ("<pad>", "<start>", "<stop>", *symbols), separator
        self._tokens = {symbol: token for token, symbol in enumerate(symbols, start=STOP + 1)}

    def __len__(self):
        return len(self.symbols)

    def __repr__(self):
        return f"Alphabet({self.separator.join(self.symbols[STOP + 1 :])!r})"

    def encode(self, text, *, start=False, stop=False):
        """Return the tokens of a text.

        Parameters
        ----------
        text : str
            At least one symbol; phones with spaces between them.
        start, stop : bool
            Whether to put the start token before the text, the stop token after it.

        Returns
        -------
        ndarray of int64, shape (T,)

        Raises
        ------
        ValueError
            For an empty text, or a symbol outside the alphabet.

        Examples
        --------
        >>> Alphabet(["K", "AE", "T"], separator=" ").encode("K AE T", start=True)
        array([1, 3, 4, 5])
        """
        if not isinstance(text, str):
            raise TypeError(f"text must be a str, got {type(text).__name__}")
        if not text:
            raise ValueError("text must have at least one symbol, got ''")
        symbols = text.split(self.separator) if self.separator else text
        for t, symbol in enumerate(symbols):
            if symbol not in self._tokens:
                known = " ".join(repr(s) if s.isspace() else s for s in self._tokens)
                raise ValueError(
                    f"text must hold symbols of the alphabet ({known}), got {symbol!r} at position {t} of {text!r}"
                )
        return np.array([START] * start + [self._tokens[s] for s in symbols] + [STOP] * stop, np.int64)

    def decode(self, tokens):
        """Return the text of tokens, up to the first stop or padding; a start token before it is left out.

        Parameters
        ----------
        tokens : integer array (T,)

        Returns
        -------
        str

        Raises
        ------
        ValueError
            For a token that the alphabet does not have, or a start token after the first step.

        Examples
        --------
        >>> Alphabet("abc").decode([1, 5, 3, 4, 2, 0, 0])
        'cab'
        """
        tokens = np.asarray(tokens)
        check_shape("tokens", tokens, ("T",))
        if tokens.size and tokens.dtype.kind not in "iu":
            raise TypeError(f"tokens must hold integers, got {tokens.dtype}")
        found = []
        for t, token in enumerate(tokens.tolist()):
            if not 0 <= token < len(self) or (token == START and t > 0):
                kind = "the start token" if token == START else token
                raise ValueError(f"tokens must lie between 0 and {len(self) - 1}, got {kind} at position {t}")
            if token in (PAD, STOP):
                break
            if token != START:
                found.append(self.symbols[token])
        return self.separator.join(found)

    def batch(self, texts, *, start=False, stop=False):
        """Return the tokens of several texts, padded to the longest, and their lengths.

        Parameters
        ----------
        texts : sequence of str
            At least one.
        start, stop : bool
            As in `encode`; the lengths count them.

        Returns
        -------
        tokens : ndarray of int64, shape (N, T)
        lengths : ndarray of int64, shape (N,)

        Examples
        --------
        >>> Alphabet("abc").batch(["cab", "a"])
        (array([[5, 3, 4],
               [3, 0, 0]]), array([3, 1]))
        """
        if isinstance(texts, str) or not len(texts):
            raise ValueError(f"texts must be a list of at least one text, got {texts!r}")
        rows = [self.encode(text, start=start, stop=stop) for text in texts]
        lengths = np.array([len(row) for row in rows], np.int64)
        tokens = np.full((len(rows), lengths.max()), PAD, np.int64)
        for row, tokens_of_row in zip(rows, tokens):
            tokens_of_row[: len(row)] = row
        return tokens, lengths


def shift(tokens, lengths):
    """Make what a generator learns from: at every step the text so far goes in, the next symbol is asked.

    Parameters
    ----------
    tokens : integer array (N, T)
        Texts without start and stop.
    lengths : integer array (N,)

    Returns
    -------
    Batch
        x (N, T + 1), start and then the text; lengths + 1; y (N, T + 1), the text and then stop, `IGNORE` past it.

    Examples
    --------
    >>> x, lengths, y = shift(np.array([[5, 3, 4], [3, 0, 0]]), [3, 1])
    >>> x, lengths, y
    (array([[1, 5, 3, 4],
           [1, 3, 0, 0]]), array([4, 2]), array([[   5,    3,    4,    2],
           [   3,    2, -100, -100]]))
    """
    tokens = np.asarray(tokens)
    check_shape("tokens", tokens, ("N", "T"))
    N, T = tokens.shape
    lengths = check_lengths(lengths, N, T)
    steps = np.arange(T + 1)
    x = np.pad(np.where(steps[:T] < lengths[:, None], tokens, PAD), ((0, 0), (1, 0)), constant_values=START)
    y = np.where(steps < lengths[:, None], np.pad(tokens, ((0, 0), (0, 1))), IGNORE)
    y[np.arange(N), lengths] = STOP
    return Batch(x, lengths + 1, y)


def fold(name):
    """Write a name in small letters without diacritics, as the city names are.

    Examples
    --------
    >>> fold("Łódź"), fold("Saint-Étienne"), fold("Gießen")
    ('lodz', 'saint-etienne', 'giessen')
    """
    plain = unicodedata.normalize("NFKD", name.lower().translate(_PLAIN))
    return "".join(character for character in plain if not unicodedata.combining(character))
