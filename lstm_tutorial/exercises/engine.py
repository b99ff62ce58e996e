"""`check` tries a learner's function on random inputs and says what is off.

It draws the inputs of an exercise, computes what is expected, and hands the learner's function a copy, under guard.
Notebook, tests and grading share it.
"""

import copy
import difflib
import inspect
import textwrap
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lstm_tutorial.exercises.diagnosis import explain, first_match, join
from lstm_tutorial.exercises.guarded import Guard, OutOfTime, said, where
from lstm_tutorial.exercises.inputs import cast, leaves, same
from lstm_tutorial.exercises.journal import record
from lstm_tutorial.exercises.matching import Allowed, Misfit, match, tidy
from lstm_tutorial.exercises.registry import exercises, parameters
from lstm_tutorial.exercises.session import usual_settings
from lstm_tutorial.exercises.trials import Box, Trial
from lstm_tutorial.exercises.turns import find_argument, find_turn

UNTOUCHED = "untouched"
WEAK = ("differ", "right at", "wrong at", "number is too", "that is not it")  # in words that do not name a cause
ONLY_AT = {  # what is said where an answer is wrong at some edges alone
    "large": "Right but for scores in the hundreds. ",
    "ties": "Right but for repeated values. ",
    "padded": "Right but where even the longest sequence is padded. ",
}
AXES = {  # a letter of an axis, and what is said of length 1 and of more
    "B": ("one sample", "a batch"),
    "T": ("one step", "a longer sequence"),
    "H": ("one unit", "several units"),
    "D": ("one feature", "several features"),
}


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
        With `passed`, `attempted`, `message` and `points`. Never an exception, unless the learner interrupts: what
        the learner's function raises is part of the message. So is what it prints, shortened, and that it was stopped
        where it did not end.

    Notes
    -----
    A check that is passed is noted in `progress.json` beside the workbooks; see `progress`.

    Examples
    --------
    >>> check(3)
    check: give it the function itself, not what it returns: check(forget_gate).
    """
    name = "check"
    try:
        name = getattr(answer, "__name__", None)
        if not callable(answer) or type(name) is not str:
            words = "give it the function itself, not what it returns: check(forget_gate)."
            return Result("check", False, False, words)
        known = exercises()
        if name not in known:
            near = difflib.get_close_matches(name, known, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else "keep the name that stands in the workbook."
            return Result(name, False, False, f"there is no exercise of this name; {hint}")
        exercise = known[name]
        with usual_settings():
            passed, attempted, message = judge(exercise, answer, range(exercise.trials))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # an object that cannot be looked at
        passed, attempted, message = False, True, f"not yet. What it returned cannot be read: {said(error)}"
    note = record(name) if passed else None
    return Result(name, passed, attempted, message + (f"\n  {note}" if note else ""))


class Tried(NamedTuple):
    """What came of one trial."""

    fault: str | None  # what is wrong; None if nothing is
    inputs: tuple
    edge: str  # see `trials`
    size: dict  # of the axes: {"B": 3, "H": 5}
    dtype: str
    printed: str
    match: object  # value -> parts beside what is expected, in the order of computation
    allowed: Allowed  # how far a right value may be off
    got: object = None  # the answer
    parts: list = ()  # its parts
    finite: bool = True  # no value is NaN or infinite but where that is expected
    misfit: bool = False  # it has another structure
    explained: int = 0  # the fault is more than that values differ: 1, and comes before all others: 2
    stopped: bool = False  # the time was up

    @property
    def alike(self):
        """How far an answer may be from that of a turn."""
        return Allowed(max(self.allowed.relative, 1e-7), self.allowed.absolute)

    @property
    def numbers(self):
        """How many numbers the inputs hold."""
        return sum(leaf.size for leaf in leaves(self.inputs))


def judge(exercise, answer, numbers):
    """Try an answer in the trials of these numbers.

    Returns
    -------
    tuple
        Whether it is right, whether it was attempted, and the message.
    """
    guard, trials = Guard(), []
    for number in numbers:
        trials.append(attempt(exercise, answer, number, guard))
        if trials[-1].fault is UNTOUCHED:
            return False, False, "not attempted yet"
        if not trials[-1].inputs or trials[-1].stopped:
            break
    wrong = [trial for trial in trials if trial.fault]
    shown = trials[0]
    if wrong:
        shown = max(wrong, key=lambda trial: (trial.stopped, trial.explained, not trial.edge, trial.numbers))
        message = f"not yet. {_words(exercise, answer, trials, shown)}"
    else:
        message = f"right, on {len(trials)} random inputs." if shown.inputs else "right."
    message += "\n  printed: " + textwrap.indent(shown.printed, "    ").strip() if shown.printed else ""
    return not wrong, True, message


def draw_trial(exercise, number):
    """Return the inputs of a trial, their dtype and the trial that drew them; the same at every call."""
    trial = Trial(exercise.id, number)
    dtype = exercise.dtypes[-1 if number % 3 == 2 else 0]
    return cast(exercise.draw(trial), dtype), dtype, trial


def attempt(exercise, answer, number, guard):
    """Try an answer on a copy of the inputs of one trial; return a `Tried`."""
    inputs, dtype, trial = draw_trial(exercise, number)
    want = exercise.reference(*copy.deepcopy(inputs)) if exercise.reference else None

    def matched(value):
        if exercise.verify and not exercise.names:  # its structure is for the learner to choose
            return []
        parts = match(value, want, exercise.names, exercise.axes, by_hand=not inputs)
        return sorted(parts, key=lambda part: exercise.order.index(part.name)) if exercise.order else parts

    size = dict(trial.size)
    for part in matched(want) if exercise.reference else []:
        size = dict(zip(part.axes, part.want.shape)) | size
    relative = max(exercise.tolerance, 1e-4 if dtype == "float32" and inputs else 0)
    absolute = 0 if exercise.decimals is None else 0.5001 * 10.0**-exercise.decimals
    tried = Tried(None, inputs, trial.edge, size, dtype, "", matched, Allowed(relative, absolute))
    given = copy.deepcopy(inputs)
    for box, learners in zip(inputs, given):
        if isinstance(box, Box):
            box.asked = learners.asked
    try:
        got = guard.run(answer, *given)
        printed = guard.printed
        found = _changed(_named(answer, inputs), given) or _untouched(got) or _held(got, given)
        if not found and number % 6 == 0:
            found = _again(exercise, answer, inputs, got, guard)
        tried = tried._replace(printed=printed)
        return tried._replace(fault=found, explained=2) if found else _look(exercise, tried, got, want, trial, guard)
    except OutOfTime as stopped:
        words = f"it was stopped: a check has {guard.seconds:g} seconds. Does a loop never end?{where(stopped, answer)}"
        return tried._replace(fault=words, stopped=True, explained=1, printed=guard.printed)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        words = f"it raised {said(error)}{where(error, answer)}"
        shapes = [f"{n} {leaf.shape}" for n, each in _named(answer, inputs) for leaf in leaves(each) if leaf.ndim]
        words += f"\n  given: {', '.join(shapes)}" if shapes else ""
        return tried._replace(fault=words, explained=1, printed=guard.printed)


def _look(exercise, tried, got, want, trial, guard):
    """Look at what the learner's function returned."""
    try:
        parts = tried.match(got) if exercise.reference else []
    except Misfit as misfit:
        return tried._replace(fault=str(misfit), misfit=True, got=got)
    tried = tried._replace(got=got, parts=parts)
    for part in parts:
        if part.want.dtype.kind in "iuf" and (bad := np.sum(~np.isfinite(part.got) & np.isfinite(part.want))):
            many = f"{bad} of {part.got.size} values are" if part.got.ndim else "it is"
            words = f"{many} NaN or infinite: an overflow, 0/0 or the logarithm of 0?"
            return tried._replace(fault=f"`{part.name}`: {words}" if part.name else words, finite=False)
        words = [word.casefold() for word in exercise.words]
        if words and part.want.dtype.kind == "U" and str(part.got) not in words:
            fault = f"the words are {join(exercise.words)}; {str(part.got)!r} is none of them"
            return tried._replace(fault=fault, explained=1)
    if exercise.verify:  # an answer may hold functions or networks, which `verify` calls
        try:
            return tried._replace(fault=guard.run(exercise.verify, got, trial, *copy.deepcopy(tried.inputs)))
        except Misfit as misfit:
            return tried._replace(fault=str(misfit))
        except Exception as error:
            own = got if inspect.isfunction(got) else getattr(type(got), "forward", type(got).__call__)
            words = f"what it returned does not work here: {said(error)}{where(error, own)}"
            return tried._replace(fault=words, explained=1)
    fault = explain(parts, tried.allowed, tried.size, by_hand=not tried.inputs)
    return tried._replace(fault=fault)


def _words(exercise, answer, trials, shown):
    """Say what is wrong with an answer, in the words of one trial and of what all trials have in common."""
    odd = next((part.odd for part in shown.parts if part.odd), "")
    odd = f"{_sentence(odd)} It is read as one. " if odd else ""
    words = not (shown.explained == 2 or shown.stopped or exercise.verify) and find_turn(exercise, trials)
    if words:
        return odd + _sentence(words)
    if shown.explained or shown.misfit or exercise.verify:
        return ("" if shown.explained == 2 else _pattern(trials)) + _sentence(shown.fault)
    if not shown.finite:
        return odd + _pattern(trials) + _sentence(shown.fault)
    want = exercise.reference(*copy.deepcopy(shown.inputs))
    got = tidy(shown.got, want)
    if exercise.diagnose:
        words = exercise.diagnose(got, want, *copy.deepcopy(shown.inputs))
        if words:
            return odd + _pattern(trials) + _sentence(words)
    if any(weak in shown.fault for weak in WEAK):
        names = {f"this is the argument `{name}`, unchanged": each for name, each in _named(answer, shown.inputs)}
        varied = any(
            np.any(part.got != part.got.flat[0]) or (part.got.size == 1 and part.got.dtype.kind in "iuf")
            for part in shown.parts
        )
        words = first_match(got, names) or (varied and find_argument(exercise, trials))
        if words:
            return odd + _sentence(words)
        if shown.inputs and shown.dtype == "float64" and all(map(Allowed(1e-5).right, shown.parts)):
            return f"{odd}The values are right to five digits, no more: is something in float32, or an approximation?"
    return odd + _pattern(trials) + _sentence(shown.fault)


def _untouched(got):
    """Say whether this comes from the stub that the workbook has, or from a function without `return`."""
    if all(each is ... for each in (got if isinstance(got, tuple | list) and got else [got])):
        return UNTOUCHED
    return "it returned None: is the `return` missing?" if got is None else None


def _named(answer, inputs):
    """Pair each input with the name that the learner's function gives it."""
    names = parameters(answer)
    return [(names[k] if k < len(names) else f"argument {k + 1}", each) for k, each in enumerate(inputs)]


def _changed(named, given):
    """Say which argument the learner's function changed, if any."""
    for (name, before), after in zip(named, given, strict=True):
        if not same(before, after):
            return f"it changed its argument `{name}` in place: write `x = x + 1` rather than `x += 1`, or copy first"
    return None


def _held(got, given):
    """Say so if a network's parameters are the arrays it was made from."""
    if isinstance(got, type) or not hasattr(got, "state_dict"):
        return None
    arrays = [leaf for each in given if not hasattr(each, "state_dict") for leaf in leaves(each)]
    if any(np.may_share_memory(a, b) for a in leaves(got) for b in arrays):
        return "its parameters are the arrays it was given: training would change those too, so make copies"
    return None


def _again(exercise, answer, inputs, got, guard):
    """Call an answer once more with the same inputs and say what is odd about that, if anything is."""
    if exercise.verify or not inputs or any(map(callable, inputs)):
        return None
    before = copy.deepcopy(list(leaves(got)))
    again = guard.run(answer, *copy.deepcopy(inputs))
    if not same(before, list(leaves(again))):
        return "called twice with the same arguments it gives two answers: does it keep something from the first call?"
    if any(a.size and np.may_share_memory(a, b) for a in leaves(got) for b in leaves(again)):
        return "two calls return the same array, so a change to one result changes the other: return a new one"
    return None


def _pattern(trials):
    """Say in which trials the answer is right, if they have something in common."""
    right, wrong = ([trial for trial in trials if bool(trial.fault) == is_wrong] for is_wrong in (False, True))
    if not right:
        return ""
    edges = {trial.edge for trial in wrong}
    if len(edges) == 1 and ONLY_AT.get(*edges):
        return ONLY_AT[edges.pop()]
    if {trial.dtype for trial in right} == {"float64"} and {trial.dtype for trial in wrong} == {"float32"}:
        return "Right in float64 only. "
    right = [trial for trial in right if trial.edge not in ("large", "ties")] or right
    for letter, (one, more) in AXES.items():
        ones = [{trial.size[letter] == 1 for trial in some if letter in trial.size} for some in (right, wrong)]
        if ones == [{True}, {False}]:
            return f"Right for {one}, but not for {more}. "
        if ones == [{False}, {True}]:
            return f"Right for {more}, but not for {one}. "
    return f"Right in {len(trials) - len(wrong)} of {len(trials)} trials. "


def _sentence(words):
    """Begin with a capital and end with a full stop, unless code stands there."""
    return words[0].upper() + words[1:] + ("." if words[-1] not in ".?!" and "\n" not in words else "")
