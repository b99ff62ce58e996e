"""What the networks learn from: synthetic `tasks`, real `corpora`, and `text`, which makes numbers of symbols.

README.md beside this file has the sources and licences of the extracts that come with the package.
"""

from lstm_tutorial.data.corpora import (
    city_names,
    japanese_vowels,
    read,
    seattle_weather,
    spellings,
    stress_tags,
    sunspots,
    windows,
)
from lstm_tutorial.data.tasks import Batch, adding_problem, copy_memory, first_symbol, latch, symbol_question
from lstm_tutorial.data.text import IGNORE, PAD, START, STOP, Alphabet, fold, shift

__all__ = ["Alphabet", "Batch", "IGNORE", "PAD", "START", "STOP", "adding_problem", "city_names", "copy_memory"]
__all__ += ["first_symbol", "fold"]
__all__ += ["japanese_vowels", "latch", "read", "seattle_weather", "shift", "spellings", "stress_tags", "sunspots"]
__all__ += ["symbol_question", "windows"]
