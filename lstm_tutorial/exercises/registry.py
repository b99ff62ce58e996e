"""The chapters in their order, and every exercise by the name of the function that the learner writes."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field

CHAPTERS = {  # stem: a short title, in the order of the book
    "memory": "An RNN forgets",
    "gates": "What a gate is",
    "cell-state": "The cell state",
    "numpy-lstm": "The whole LSTM in NumPy",
    "pytorch-lstm": "An LSTM in PyTorch",
    "shapes": "Shapes",
    "many-to-one": "Many to one",
    "many-to-many": "Many to many",
    "one-to-many": "One to many",
    "encoder-decoder": "Encoder and decoder",
    "state": "State over time",
    "pooling": "Pooling",
    "attention-pooling": "Attention pooling",
    "choosing": "Choosing a pooling",
    "training": "Training",
    "fast": "A fast LSTM in NumPy",
    "scale": "From one core to many machines",
    "variants": "The variants of the LSTM",
    "after-lstm": "After the LSTM",
}
REGISTRY = {}


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise: what is drawn, what is expected, and what to say about an answer that is not right."""

    id: str  # the name of the function that the learner writes
    chapter: str  # the chapter's stem, such as "cell-state"
    title: str  # as in the workbook
    draw: Callable = lambda trial: ()  # Trial -> tuple of inputs, float64; () for an exercise by hand
    reference: Callable | None = None  # *inputs -> what is expected; its keyword-only options are mistakes
    turns: dict = field(default_factory=dict)  # what to say: the options, or a list of options, that it is said of
    combine: int = 1  # how many of the turns, from the first on, may go together in one answer
    names: tuple = ()  # what each part of the answer is called, in the order of the result: ("h", "c")
    axes: tuple = ()  # and its axes: ("B H", "B H"); letters of the notation page, 4H for stacked gates
    order: tuple = ()  # the names in the order in which they are computed, where that is another: ("c", "h")
    diagnose: Callable | None = None  # got, want, *inputs -> message or None; asked where no turn fits
    verify: Callable | None = None  # answer, trial, *inputs -> message or None; without `names` of any structure
    same_as: Callable | None = None  # the function of the package that computes the same; a test compares the two
    words: tuple = ()  # those that an answer may hold, where it holds words
    tolerance: float = 1e-9  # relative to the largest value of a part; in float32 at least 1e-4
    decimals: int | None = None  # an answer that is rounded to so many decimals is right
    dtypes: tuple = ("float64", "float32")  # every third trial is in the last one
    trials: int = 12  # one if nothing is drawn


def exercise(title, *, names="", axes="", order="", words="", **fields):
    """Make an exercise of the function below: its name is the exercise's id, its module the chapter.

    Called without options the function returns what is expected. Each keyword-only option is a mistake that one can
    make, and `turns` says in words what has gone wrong if the answer is what the function returns with that option.

    Parameters
    ----------
    title : str
        As it stands in the workbook.
    names, axes, order, words : str
        As in `Exercise`, with commas between them: `names="h, c", axes="B H, B H", order="c, h"`.
    **fields
        The other fields of `Exercise`.

    Raises
    ------
    ValueError
        If there is an exercise of this name already.
    """
    lists = {"names": names, "axes": axes, "order": order, "words": words}
    lists = {name: tuple(value.split(", ")) if value else () for name, value in lists.items()}

    def register(reference):
        chapter = reference.__module__.rpartition(".")[2].replace("_", "-")
        add(Exercise(id=reference.__name__, chapter=chapter, title=title, reference=reference, **lists, **fields))
        return reference

    return register


def identity(z):
    """Return what came: for an option where a function is missing."""
    return z


def add(exercise):
    """Put an exercise into the registry."""
    if exercise.id in REGISTRY:
        raise ValueError(f"an exercise {exercise.id} exists already, in the chapter {REGISTRY[exercise.id].chapter}")
    if exercise.reference is None and exercise.verify is None:
        raise ValueError(f"the exercise {exercise.id} needs a reference or verify")
    REGISTRY[exercise.id] = exercise


def options(reference):
    """Return the keyword-only options of a reference and their defaults.

    Examples
    --------
    >>> def half(x, *, factor=0.5): ...
    >>> options(half), parameters(half)
    ({'factor': 0.5}, ('x',))
    """
    code = getattr(inspect.unwrap(reference), "__code__", None)
    found = inspect.signature(reference).parameters.values() if code else ()
    return {each.name: each.default for each in found if each.kind is each.KEYWORD_ONLY}


def parameters(function):
    """Return the names of what a function takes in order; those of a function not written in Python are unknown."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_varnames[: code.co_argcount] if code else ()


def exercises():
    """Return all exercises by id, importing every chapter's module the first time."""
    chapters = importlib.import_module("lstm_tutorial.exercises.chapters")
    for module in pkgutil.iter_modules(chapters.__path__):
        importlib.import_module(f"{chapters.__name__}.{module.name}")
    return REGISTRY
