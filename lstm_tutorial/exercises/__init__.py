"""The checks behind the workbooks: `check(forget_gate)` says whether an answer is right and, if not, what is off.

`registry` holds the chapters and the exercises, `trials` draws their inputs, `engine` tries an answer, `guarded` and
`session` run it so that nothing else is harmed, `matching`, `turns` and `diagnosis` find the words, `journal` notes
what is solved; `chapters` has a module of exercises for each chapter, imported by the first check. Nothing here imports
torch, and nothing opens the solutions.
"""

from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.engine import Result, check
from lstm_tutorial.exercises.journal import progress
from lstm_tutorial.exercises.registry import Exercise, exercise, exercises, identity
from lstm_tutorial.exercises.trials import Box, Trial, draw_sizes

__all__ = ["Box", "Exercise", "Result", "Trial", "check", "draw_sizes", "exercise", "exercises", "first_match"]
__all__ += ["identity", "progress"]
