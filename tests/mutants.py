"""Solutions with one small mistake, and solutions in unusual but right forms, for the checks to tell apart.

`python tests/mutants.py [stem ...]` tries all of them and prints counts; `test_mutants.py` tries a sample, before a
release all.
"""

import ast
import copy
import functools
import inspect
import os
import re
import sys
from contextlib import contextmanager, nullcontext
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from course import EXERCISES, STEMS, named, solution

from lstm_tutorial.exercises import check
from lstm_tutorial.exercises.engine import attempt, draw_trial
from lstm_tutorial.exercises.guarded import Guard

VAGUE = re.compile(r"values? differs?|that is not it|number is too (large|small)")  # a message that names no fault
PLACED = re.compile(r"(is|are) right;|Right for|Right but")  # one that names the part, or the inputs, where it lies
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
OPERATORS |= {ast.FloorDiv: ast.Div, ast.Mod: ast.FloorDiv, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}
OPERATORS |= {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
NAMES = {"sigmoid": "tanh", "tanh": "sigmoid", "sum": "mean", "mean": "sum", "max": "min", "min": "max"}
NAMES |= {"argmax": "argmin", "maximum": "minimum", "minimum": "maximum", "zeros": "ones", "ones": "zeros"}
NAMES |= {"zeros_like": "ones_like", "floor": "ceil", "any": "all", "all": "any", "sigmoid_slope": "tanh_slope"}
UNARY = {"sigmoid", "tanh", "exp", "log", "abs", "sqrt", "reversed", "cumsum", "softmax", "square", "round"}
FRESH = range(1000, 1200)


def slips(node):
    """Yield what may stand in place of a node when one operator, axis, index, sign, constant or length is wrong."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in OPERATORS:
        yield {"op": OPERATORS[type(node.op)]()}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        yield node.left
        yield node.right
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult | ast.Sub | ast.Div):
        yield {"left": node.right, "right": node.left}
    if isinstance(node, ast.UnaryOp):
        yield node.operand
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OPERATORS:
        yield {"ops": [OPERATORS[type(node.ops[0])](), *node.ops[1:]]}
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield {"value": not node.value}
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield {"value": node.value + 1}
        yield {"value": node.value - 1}
    elif isinstance(node, ast.Constant) and isinstance(node.value, float):
        yield {"value": 1.1 * node.value + 0.1}
    if isinstance(node, ast.Name | ast.Attribute):
        name = {"id": NAMES.get(getattr(node, "id", "")), "attr": NAMES.get(getattr(node, "attr", ""))}
        yield from ({key: value} for key, value in name.items() if value)
    if isinstance(node, ast.Name) and node.id in ("lengths", "length") and isinstance(node.ctx, ast.Load):
        yield ast.BinOp(node, ast.Add(), ast.Constant(1))
        yield ast.BinOp(node, ast.Sub(), ast.Constant(1))
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value
    if isinstance(node, ast.Call):
        if len(node.args) == 1 and getattr(node.func, "attr", getattr(node.func, "id", "")) in UNARY:
            yield node.args[0]
        if len(node.args) > 1 and not any(isinstance(each, ast.Starred) for each in node.args[:2]):
            yield {"args": [node.args[1], node.args[0], *node.args[2:]]}
        for k in range(len(node.keywords)):
            yield {"keywords": node.keywords[:k] + node.keywords[k + 1 :]}
    if isinstance(node, ast.Slice):
        yield from ({end: None} for end in ("lower", "upper", "step") if getattr(node, end))
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and len(node.value.elts) > 1:
        first, second, *rest = node.value.elts
        yield {"value": ast.Tuple([second, first, *rest], ast.Load())}
    if isinstance(node, ast.If | ast.IfExp):
        yield {"test": ast.UnaryOp(ast.Not(), node.test)}


@functools.cache
def mutants(name):
    """Return (source, function) of the solution of an exercise with each of the slips, in it or in what it calls."""
    answer = solution(EXERCISES[name])
    tree = ast.parse(Path(answer.__code__.co_filename).read_text(encoding="utf-8"))
    defined = {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef | ast.ClassDef)}
    used, new = {}, [name]
    while new:
        used |= {each: defined[each] for each in new}
        inside = {node.id for each in new for node in ast.walk(defined[each]) if isinstance(node, ast.Name)}
        new = [each for each in inside & defined.keys() if each not in used]
    program = ast.Module(list(used.values()), [])
    for each in used.values():
        if ast.get_docstring(each):
            each.body = each.body[1:]
    right, found = ast.unparse(program), {}
    for k, node in enumerate(ast.walk(program)):
        for slip in slips(node):
            other = copy.deepcopy(program)
            place = next(each for j, each in enumerate(ast.walk(other)) if j == k)
            if isinstance(slip, dict):
                for field, value in slip.items():
                    setattr(place, field, value)
            else:
                other = Put(place, slip).visit(other)
            source = ast.unparse(ast.fix_missing_locations(other))
            if source != right and source not in found:
                names = dict(answer.__globals__)
                exec(compile(source, "<mutant>", "exec"), names)
                found[source] = names[name]
    return list(found.items())


class Put(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, place, node):
        self.place, self.node = place, node

    def visit(self, node):
        return self.node if node is self.place else self.generic_visit(node)


def changed_lines(source, right):
    """Return the lines of a program that another lacks, for a report."""
    return "; ".join(line.strip() for line in source.splitlines() if line not in right.splitlines())


@contextmanager
def limits(seconds, gigabytes=4):
    """Give a check so many seconds, and this process so much more memory than it has."""
    before = os.environ.get("LSTM_TUTORIAL_SECONDS", "")
    os.environ["LSTM_TUTORIAL_SECONDS"] = str(seconds)
    if sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + gigabytes * 2**30, hard))
    try:
        yield
    finally:
        os.environ["LSTM_TUTORIAL_SECONDS"] = before
        if sys.platform == "linux":
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def verdict(exercise, mutant):
    """Return "refused", "same" (as good as the solution on 200 fresh draws) or "wrongly accepted", and the message.

    An experiment that fails now and then cannot be told from one that does not: it is the same if it fails in at most
    one draw of twenty.
    """
    with limits(seconds=1):
        result = check(named(mutant, exercise.id))
    if not result.passed:
        return "refused", result.message
    inputs, *_ = draw_trial(exercise, 0)
    numbers = FRESH if inputs else range(1)
    left = len(numbers) // 20 if any(map(callable, inputs)) else 0
    with np.errstate(all="ignore"), limits(seconds=600):
        guard = Guard()
        for number in numbers:
            fault = attempt(exercise, mutant, number, guard).fault
            left -= bool(fault)
            if left < 0:
                return "wrongly accepted", fault
    return "same", ""


class Tally:
    """The slips of a chapter, counted: how many are refused in words that name the fault, or its place at least.

    By hand the words may not name it, since they would tell the number.

    Parameters
    ----------
    stem : str
        The chapter.
    """

    def __init__(self, stem):
        self.count = dict.fromkeys(("tried", "same", "wrongly accepted", "refused", "named", "placed", "by hand"), 0)
        self.accepted, self.unnamed = [], []
        for exercise in (each for each in EXERCISES.values() if each.chapter == stem):
            right, by_hand = inspect.getsource(solution(exercise)), not draw_trial(exercise, 0)[0]
            for source, mutant in mutants(exercise.id):
                kind, message = verdict(exercise, mutant)
                report = f"{exercise.id}: {changed_lines(source, right)}\n      {message}"
                self._add(kind, message, report, by_hand)

    def _add(self, kind, message, report, by_hand):
        self.count["tried"] += 1
        self.count[kind] += 1
        if kind == "wrongly accepted":
            self.accepted.append(report)
        elif kind == "refused" and not VAGUE.search(message.partition("\n  printed:")[0]):
            self.count["named"] += 1
        elif kind == "refused" and by_hand:  # more words would tell the number
            self.count["by hand"] += 1
        elif kind == "refused":
            self.unnamed.append(report)
            self.count["placed"] += bool(PLACED.search(message))


def shaped(value, array=lambda a: a, number=lambda x: x, word=lambda w: w, several=lambda s: s):
    """Return a result with its arrays, numbers, words and lists put into another form."""
    if isinstance(value, dict):
        return {key: shaped(each, array, number, word, several) for key, each in value.items()}
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        return several(type(value)(shaped(each, array, number, word, several) for each in value))
    if isinstance(value, np.ndarray) and value.ndim:
        return array(value)
    if isinstance(value, str):
        return word(value)
    return number(value) if isinstance(value, int | float | np.number | np.bool_ | np.ndarray) else value


def one_array(several):
    """Return several numbers or arrays of one shape as one array."""
    if any(isinstance(each, torch.Tensor) for each in several):
        return several
    try:
        shapes = {(type(each).__module__, np.shape(each)) for each in several if not isinstance(each, str | dict)}
    except ValueError:  # lists of unequal length in them
        return several
    kinds = {np.asarray(each).dtype.kind for each in several if np.shape(each) is not None}
    fits = (
        len(shapes) == 1 and len(kinds) == 1 and kinds <= set("iuf") and next(iter(shapes))[0] in ("builtins", "numpy")
    )
    return np.stack([np.asarray(each) for each in several]) if fits and len(several) > 1 else several


def fraction(value):
    """Return a number as a fraction, a truth value as NumPy's."""
    return np.bool_(value) if isinstance(value, bool | np.bool_) else Fraction(float(value))


def stored_otherwise(array):
    """Return an array with its axes stored the other way round, and read-only."""
    other = np.asfortranarray(array)
    other.flags.writeable = False
    return other


@contextmanager
def unusual_session():
    """Another default dtype, no gradients, errors for what is usually a warning."""
    import warnings

    with np.errstate(all="raise"), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("error")
        torch.set_default_dtype(torch.float64)
        try:
            yield
            assert torch.get_default_dtype() == torch.float64 and not torch.is_grad_enabled()
            assert np.geterr()["over"] == "raise"
        finally:
            torch.set_default_dtype(torch.float32)


FORMS = {  # what an answer may be as well: how its results look, and in which session
    "lists": (dict(array=lambda a: a.tolist()), nullcontext),
    "NumPy's numbers": (dict(number=lambda x: np.asarray(x)[()], word=lambda w: f" {w.upper()} "), nullcontext),
    "fractions": (dict(number=fraction, several=lambda s: (list if isinstance(s, tuple) else tuple)(s)), nullcontext),
    "one array": (dict(array=stored_otherwise, several=one_array), nullcontext),
    "another session": ({}, unusual_session),
}


def refusals(exercise):
    """Yield name and message for each unusual but right form of the solution that is refused."""
    answer = solution(exercise)
    for name, (ways, session) in FORMS.items():

        def other(*inputs, ways=ways):
            return shaped(answer(*inputs), **ways)

        with session(), limits(seconds=60):
            result = check(named(other, exercise.id))
        if not result.passed:
            yield name, result.message


def main(stems):
    """Print for each chapter what was refused in words that name no fault, what was wrongly accepted, and counts."""
    os.environ["LSTM_TUTORIAL_PROGRESS"] = ""
    for stem in stems:
        for exercise in (each for each in EXERCISES.values() if each.chapter == stem):
            for form, message in refusals(exercise):
                print(f"  {exercise.id}, wrongly refused, {form}: {message}")
        tally = Tally(stem)
        for report in tally.unnamed:
            print(f"  {report}")
        for report in tally.accepted:
            print(f"  wrongly accepted: {report}")
        print(f"{stem}: {', '.join(f'{value} {key}' for key, value in tally.count.items())}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or STEMS)
