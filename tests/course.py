"""What the tests of the exercises share: workbooks, their stubs, the solutions, a name for an answer."""

import functools
import importlib.util
from pathlib import Path

import nbformat

from lstm_tutorial.exercises import exercises
from lstm_tutorial.exercises.registry import CHAPTERS

ROOT = Path(__file__).parents[1]
STEMS = list(CHAPTERS)
EXERCISES = dict(exercises())  # a copy: the engine's tests put a registry of their own in its place


@functools.cache
def load(path):
    """Return the module at a path, whatever characters its name has."""
    spec = importlib.util.spec_from_file_location(path.stem.replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def named(answer, name):
    """Return a function of the name of an exercise that does what the answer does."""

    @functools.wraps(answer)
    def other(*inputs):
        return answer(*inputs)

    other.__name__ = name
    return other


@functools.cache
def workbook(stem):
    """Return the cells of a chapter's workbook."""
    return nbformat.read(ROOT / "notebooks" / "exercises" / f"{stem}.ipynb", as_version=4).cells


@functools.cache
def stubs(stem):
    """Return the names that a chapter's workbook defines when it is run untouched."""
    names = {}
    for cell in workbook(stem):
        if cell.cell_type == "code":
            exec(compile(cell.source, f"{stem}.ipynb", "exec"), names)
    return names


def solution(exercise):
    """Return the solution of an exercise."""
    return getattr(load(ROOT / "book" / "solutions" / f"{exercise.chapter}.py"), exercise.id)
