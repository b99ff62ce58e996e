"""The chapters in their order, and every exercise by the name of the function that the learner writes."""

import importlib
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

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
    "pooling": "Pooling",
    "attention-pooling": "Attention pooling",
    "choosing": "Choosing a pooling",
    "fast": "A fast LSTM in NumPy",
}
REGISTRY = {}


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise: what is drawn, what is expected, and what to say about an answer that is not right."""

    id: str  # the name of the function that the learner writes
    chapter: str  # the chapter's stem, such as "cell-state"
    title: str  # one line
    draw: Callable = lambda rng: ()  # rng -> tuple of inputs, float64; () for an exercise by hand
    reference: Callable | None = None  # *inputs -> what is expected
    names: tuple = ()  # what each array of the answer is called: ("h", "c")
    axes: tuple = ()  # and its axes: ("B H", "B H"); letters of the notation page, 4H for stacked gates
    diagnose: Callable | None = None  # got, want, inputs -> message or None; asked before the general diagnosis
    verify: Callable | None = None  # answer, rng, *inputs -> message or None; where more than one answer is right
    tolerance: float = 1e-9  # relative to the largest value of an array; in float32 at least 1e-4
    dtypes: tuple = ("float64", "float32")  # every third trial is in the last one
    trials: int = 12


def register(id, **fields):
    """Add an exercise to the registry; the fields are those of `Exercise`.

    Raises
    ------
    ValueError
        If the id is taken, or there is neither a reference nor a `verify`.

    Examples
    --------
    >>> register("a_gate", chapter="gates", title="A gate", draw=lambda rng: (rng.normal(size=3),))
    Traceback (most recent call last):
    ValueError: the exercise a_gate needs a reference or verify
    """
    exercise = Exercise(id=id, **fields)
    if id in REGISTRY:
        raise ValueError(f"an exercise {id} exists already, in the chapter {REGISTRY[id].chapter}")
    if exercise.reference is None and exercise.verify is None:
        raise ValueError(f"the exercise {id} needs a reference or verify")
    REGISTRY[id] = exercise


def exercises():
    """Return all exercises by id, importing every chapter's module the first time."""
    package = sys.modules[__package__]
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{__package__}.{module.name}")
    return REGISTRY


def draw_sizes(rng, count, low=1, high=7):
    """Draw sizes that differ from each other, so that no mistaken shape fits by chance.

    Examples
    --------
    >>> B, D, H = draw_sizes(np.random.default_rng(0), 3)
    >>> len({B, D, H})
    3
    """
    return tuple(int(size) for size in rng.permutation(np.arange(low, high + 1))[:count])
