"""`check` tries a learner's function on random inputs and says what is off.

It draws the inputs of an exercise, computes what is expected with the package's own functions, and hands the learner's
function a copy, under guard. Notebook, tests and grading share it.
"""

import copy
import difflib
import dis
import inspect
import textwrap
import traceback
import zlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lstm_tutorial.exercises.diagnosis import explain, first_match
from lstm_tutorial.exercises.guarded import Guard, OutOfTime, file_of
from lstm_tutorial.exercises.inputs import cast, leaves, same
from lstm_tutorial.exercises.journal import record
from lstm_tutorial.exercises.matching import Misfit, match
from lstm_tutorial.exercises.registry import exercises

_UNTOUCHED = "untouched"


@dataclass(frozen=True)
class Result:
    """What a check found; shown as its message.

    Examples
    --------
    >>> Result("forget_gate", True, True, "right.")
    forget_gate: right.
    """

    exercise: str
    passed: bool
    attempted: bool
    message: str

    @property
    def points(self):
        """1 if passed, else 0."""
        return int(self.passed)

    def __bool__(self):
        return self.passed

    def __repr__(self):
        return f"{self.exercise}: {self.message}"


def check(answer):
    """Try a learner's function on random inputs and say whether it is right or what is off.

    Parameters
    ----------
    answer : function
        Its name is the exercise's id.

    Returns
    -------
    Result
        With `passed`, `attempted`, `message` and `points`. Never an exception: what the learner's function raises is
        part of the message. So is what it prints, shortened, and that it was stopped where it did not end.

    Notes
    -----
    A check that is passed is noted in `progress.json` beside the workbooks; see `progress`.

    Examples
    --------
    >>> check(3)
    check: give it the function itself, not what it returns: check(forget_gate).
    """
    name = getattr(answer, "__name__", None)
    if not callable(answer) or name is None:
        return Result("check", False, False, "give it the function itself, not what it returns: check(forget_gate).")
    known = exercises()
    if name not in known:
        near = difflib.get_close_matches(name, known, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "keep the name that stands in the workbook."
        return Result(name, False, False, f"there is no exercise of this name; {hint}")
    exercise, trials, guard = known[name], [], Guard()
    for number in range(exercise.trials):
        trials.append(_try(exercise, answer, number, guard))
        if trials[-1].fault is _UNTOUCHED:
            return Result(name, False, False, "not attempted yet")
        if trials[-1].by_hand or trials[-1].out_of_time:
            break
    wrong = [trial for trial in trials if trial.fault]
    if wrong:
        shown = wrong[-1] if wrong[-1].out_of_time else max(wrong, key=lambda trial: trial.size)
        message = f"not yet. {_pattern(trials)}{_sentence(shown.fault)}"
    else:
        shown = trials[0]
        message = "right." if shown.by_hand else f"right, on {len(trials)} random inputs."
    message += "\n  printed: " + textwrap.indent(shown.printed, "    ").strip() if shown.printed else ""
    note = None if wrong else record(name)
    return Result(name, not wrong, True, message + (f"\n  {note}" if note else ""))


class _Trial(NamedTuple):
    fault: str | None  # what is wrong; None if nothing is
    out_of_time: bool
    printed: str
    by_hand: bool  # no inputs: one trial is enough
    size: int  # how many numbers the inputs hold
    dtype: str
    sizes: dict  # of the axes that the exercise names: {"B": 3, "H": 5}


def draw_trial(exercise, number):
    """Return the inputs of a trial, their dtype and the generator that drew them; the same at every call."""
    rng = np.random.default_rng([zlib.crc32(exercise.id.encode()), number])
    dtype = exercise.dtypes[-1 if number % 3 == 2 else 0]
    return cast(exercise.draw(rng), dtype), dtype, rng


def _try(exercise, answer, number, guard):
    """Try the answer on a copy of the inputs of one trial."""
    inputs, dtype, rng = draw_trial(exercise, number)
    want = exercise.reference(*copy.deepcopy(inputs)) if exercise.reference else None
    parts = match(want, want, exercise.names, exercise.axes) if exercise.reference else []
    sizes = {letter: size for part in parts for letter, size in zip(part.axes, part.want.shape)}
    given, out_of_time, printed = copy.deepcopy(inputs), False, ""
    try:
        got = guard.run(answer, *given)
        printed = guard.printed
        fault = _changed(answer, inputs, given) or _judge(exercise, answer, inputs, got, want, dtype, rng, guard)
    except OutOfTime as stopped:
        fault, out_of_time = str(stopped), True
    except (Exception, SystemExit) as error:
        fault = _raised(error, answer, inputs)
    size = sum(leaf.size for leaf in leaves(inputs))
    return _Trial(fault, out_of_time, printed or guard.printed, not inputs, size, dtype, sizes)


def _judge(exercise, answer, inputs, got, want, dtype, rng, guard):
    """Say what is wrong with what the learner's function returned; None if nothing is."""
    if all(each is ... for each in (got if isinstance(got, tuple | list) and got else [got])):
        return _UNTOUCHED
    if got is None:
        is_stub = inspect.isfunction(answer) and len(list(dis.get_instructions(answer))) <= 3
        return _UNTOUCHED if is_stub else "it returned None: is the `return` missing?"
    try:
        parts = match(got, want, exercise.names, exercise.axes) if exercise.reference else []
    except Misfit as misfit:
        return str(misfit)
    if exercise.verify:  # an answer may hold functions or networks, which `verify` calls
        try:
            return guard.run(exercise.verify, got, rng, *copy.deepcopy(inputs))
        except Misfit as misfit:
            return str(misfit)
    tolerance = max(exercise.tolerance, 1e-4 if dtype == "float32" else 0)
    general = explain(parts, tolerance, by_hand=not inputs)
    if general is None:
        return None
    copies = {f"this is the argument `{name}`, unchanged": value for name, value in _named(answer, inputs)}
    special = exercise.diagnose(got, want, copy.deepcopy(inputs)) if exercise.diagnose else None
    return special or first_match(got, copies) or general


def _named(answer, inputs):
    """Pair each input with the name that the learner's function gives it."""
    code = getattr(inspect.unwrap(answer), "__code__", None)
    names = code.co_varnames[: code.co_argcount] if code else ()
    return [(names[k] if k < len(names) else f"argument {k + 1}", each) for k, each in enumerate(inputs)]


def _changed(answer, inputs, given):
    """Say which argument the learner's function changed, if any."""
    for (name, before), after in zip(_named(answer, inputs), given, strict=True):
        if not same(before, after):
            return f"it changed its argument `{name}` in place: write `x = x + 1` rather than `x += 1`, or copy first"
    return None


def _raised(error, answer, inputs):
    """Show what a learner's function raised, at which of its lines, and what it was given."""
    words = [f"it raised {type(error).__name__}: {textwrap.shorten(str(error), 300)}"]
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file_of(answer)]
    words += [f"line {frame.lineno}: {frame.line}".rstrip(": ") for frame in lines[-1:]]
    shapes = [f"{name} {leaf.shape}" for name, each in _named(answer, inputs) for leaf in leaves(each) if leaf.ndim]
    words += [f"given: {', '.join(shapes)}"] if shapes else []
    return "\n  ".join(words)


def _pattern(trials):
    """Say in which trials the answer is right, if they have something in common."""
    right, wrong = ([trial for trial in trials if bool(trial.fault) == is_wrong] for is_wrong in (False, True))
    if not right:
        return ""
    if {trial.dtype for trial in right} == {"float64"} and {trial.dtype for trial in wrong} == {"float32"}:
        return "Right in float64 only. "
    for letter, one, many in (("B", "one sample", "a batch"), ("T", "one step", "a longer sequence")):
        ones = [{trial.sizes.get(letter, 1) == 1 for trial in some} for some in (right, wrong)]
        if ones == [{True}, {False}]:
            return f"Right for {one}, but not for {many}. "
        if ones == [{False}, {True}]:
            return f"Right for {many}, but not for {one}. "
    return f"Right in {len(right)} of {len(trials)} trials. "


def _sentence(words):
    """Begin with a capital and end with a full stop, unless code stands there."""
    return words[0].upper() + words[1:] + ("." if words[-1] not in ".?!" and "\n" not in words else "")
