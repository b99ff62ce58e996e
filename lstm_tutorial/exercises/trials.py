"""What the inputs of a trial are drawn with: a draw says what it needs, the engine decides about the edges.

Every set of trials holds them: one sequence, one step, one unit, everything at its smallest, scores in the hundreds,
repeated values, lengths of 1 and of all steps, and a batch in which even the longest sequence is padded.
"""

import copy
import math
import zlib

import numpy as np

# What is at an edge in the first twelve trials, and again in the next: an axis of length 1, all axes at their
# smallest, large scores, equal scores, or padding behind every sequence. Every third trial is in float32.
EDGES = ("", "B", "", "T", "H", "", "large", "ties", "smallest", "padded", "D", "")


class Trial:
    """The sizes and random numbers of one trial, the same whenever it is drawn.

    Parameters
    ----------
    name : str
        The exercise's id.
    number : int
        Which trial.

    Examples
    --------
    >>> trial = Trial("an_exercise", 1)
    >>> B, T = trial.sizes("B T")
    >>> trial.edge, B, trial.lengths(B, T).shape
    ('B', 1, (1,))
    """

    def __init__(self, name, number):
        self._seed = zlib.crc32(name.encode())
        self._number = number
        self._choices = 0
        self.rng = np.random.default_rng([self._seed, number])
        self._planned = EDGES[number % len(EDGES)]
        self.edge = ""  # the planned one, once something has been drawn in which it shows
        self.size = {}  # what `sizes` has given: {"B": 3, "T": 5}

    def sizes(self, letters, high=7, **lowest):
        """Return a size for each letter, all different except at an edge; the lowest is 1 unless it is given.

        Examples
        --------
        >>> B, T, K = Trial("an_exercise", 0).sizes("B T K", K=2)
        >>> len({B, T, K})
        3
        """
        letters = letters.split()
        low = {letter: lowest.get(letter, 1) for letter in letters}
        high = max(high, len(letters) + max(low.values()))
        found = draw_sizes(self.rng, len(letters), low=2, high=high)
        while any(size < low[letter] for size, letter in zip(found, letters)):
            found = draw_sizes(self.rng, len(letters), low=2, high=high)
        for letter, size in zip(letters, found):
            self.size[letter] = low[letter] if self._at(letter, "smallest") else size
        return tuple(self.size[letter] for letter in letters)

    def _at(self, *edges):
        """Say whether this trial is at one of these edges."""
        if self._planned in edges:
            self.edge = self._planned
        return self._planned in edges

    def lengths(self, B, T, low=1):
        """Return B lengths from `low` to T, both among them; but for the edge of a batch whose rows are all padded."""
        lengths = self.rng.integers(low, T + 1, size=B)
        lengths[:2] = self.rng.permutation([T, low])[:B] if B > 1 else self.choice(T, low)
        return np.maximum(np.minimum(lengths, T - 1), low) if self._at("padded") else lengths

    def normal(self, *shape):
        """Return normal random numbers."""
        return self.rng.normal(size=shape)

    def scores(self, *shape):
        """Return normal random numbers; in the hundreds, both signs, or with repetitions where that is the edge."""
        scores = self.rng.normal(size=shape)
        if self._at("large"):
            return 800 * scores
        return np.round(scores) if self._at("ties") else scores

    def choice(self, *values):
        """Return one of several values; as many trials as there are values have all of them, in a random order."""
        self._choices += 1
        rng = np.random.default_rng([self._seed, self._choices, self._number // len(values)])
        return values[rng.permutation(len(values))[self._number % len(values)]]

    def log_uniform(self, low, high):
        """Return a number between two others, as often in each octave."""
        return math.exp(self.rng.uniform(math.log(low), math.log(high)))


class Box:
    """What an experiment is made on: it runs so many times, and notes what it was asked.

    A class below it has `answer`, which a call leads to. The engine hands out copies. The diagnosis gets one with the
    notes, `asked`, of the learner's copy.
    """

    runs = 1
    budget = "the box runs once"  # the same in words

    def __init__(self):
        self.asked = []

    def __deepcopy__(self, memo):
        twin = copy.copy(self)
        twin.asked = list(self.asked)
        for name, value in vars(self).items():
            if isinstance(value, np.random.Generator):
                setattr(twin, name, copy.deepcopy(value))
        return twin

    def __call__(self, *inputs):
        self.runs -= 1
        if self.runs < 0:
            raise RuntimeError(f"{self.budget}, and this was one time more")
        return self.answer(*inputs)


def draw_sizes(rng, count, low=1, high=7):
    """Draw sizes that differ from each other, so that no mistaken shape fits by chance.

    Examples
    --------
    >>> B, D, H = draw_sizes(np.random.default_rng(0), 3)
    >>> len({B, D, H})
    3
    """
    return tuple(int(size) for size in rng.permutation(np.arange(low, high + 1))[:count])
