"""The checks behind the workbooks: `check(forget_gate)` says whether an answer is right and, if not, what is off.

`registry` holds the chapters and the exercises, `engine` tries an answer, `guarded` runs it, `matching` and `diagnosis`
find the words, `journal` notes what is solved; every other module holds the exercises of one chapter and is imported by
the first check. Nothing here imports torch, and nothing opens the solutions.
"""

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.engine import Result, check
from lstm_tutorial.exercises.journal import progress
from lstm_tutorial.exercises.registry import Exercise, draw_sizes, exercises, register

__all__ = ["Exercise", "Result", "check", "draw_sizes", "exercises", "first_match", "progress", "register"]
