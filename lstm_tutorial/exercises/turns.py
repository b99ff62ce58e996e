"""Which mistake leads to just this answer: the reference is run with its options, and on other arguments.

The options are named in an exercise's `turns`. The other arguments are the same for all exercises: each in turn left
out, 1, with the wrong sign, used twice, transposed, in reverse, two of them exchanged, lengths and counts one off.
"""

import copy
from itertools import combinations, product

import numpy as np

from lstm_tutorial.exercises.matching import match
from lstm_tutorial.exercises.registry import options, parameters

COUNTS = {2: "two", 3: "three", 4: "four"}


def turns_of(exercise):
    """Yield words and options of each turn alone, then of several, then of the numbers of an exercise by hand.

    Only the first `combine` turns are combined.
    """
    found = {words: each if isinstance(each, list) else [each] for words, each in exercise.turns.items()}
    for words, several in found.items():
        for each in several:
            yield words, each
    for count in range(2, exercise.combine + 1):
        for some in combinations(list(found)[: exercise.combine], count):
            for each in product(*(found[words] for words in some)):
                together = {name: value for one in each for name, value in one.items()}
                if len(together) == sum(map(len, each)):
                    yield f"{COUNTS[count]} faults are left: {'; '.join(some)}", together
    given_by_hand = {} if parameters(exercise.reference) else options(exercise.reference)
    for name, value in given_by_hand.items():
        if isinstance(value, int | float) and not isinstance(value, bool) and value:
            yield f"it looks as if `{name}` were left out", {name: 0 * value}
            yield f"it looks as if `{name}` had the wrong sign", {name: -value}


def other_arguments(inputs, names):
    """Yield words and changed inputs: what a reference makes of them is what a slip makes of the right ones."""

    def changed(k, value):
        return *inputs[:k], value, *inputs[k + 1 :]

    arrays = [k for k, value in enumerate(inputs[: len(names)]) if isinstance(value, np.ndarray)]
    for k, value in enumerate(inputs[: len(names)]):
        name = names[k]
        if isinstance(value, float) or (k in arrays and value.dtype.kind == "f"):
            others = {"were left out": 0 * value, "had the wrong sign": -value, "were used twice": 2 * value}
            for words, other in (others | {"were 1 everywhere": 0 * value + 1}).items():
                yield f"it looks as if `{name}` {words}", changed(k, other)
        if type(value) is int and value > 0:
            yield f"it looks as if `{name}` were one too small", changed(k, value - 1)
            yield f"it looks as if `{name}` were one too large", changed(k, value + 1)
        if k not in arrays:
            continue
        if value.ndim == 2 and value.shape[0] == value.shape[1]:
            yield f"it looks as if `{name}` were transposed, or lacked its transpose", changed(k, value.T.copy())
        for axis in range(min(value.ndim, 2)):
            words = f"it looks as if `{name}` were read in reverse along its {('first', 'second')[axis]} axis"
            yield words, changed(k, np.flip(value, axis))
        if name == "lengths":
            longest = [(inputs[j].ndim, inputs[j].shape[1]) for j in arrays if inputs[j].ndim > 1]
            T = max(longest)[1] if longest else np.max(value)  # (B, T, D) before (B, H)
            others = {"one too small": np.maximum(value - 1, 1), "one too large": np.minimum(value + 1, T)}
            for words, other in (others | {"not used: the padding is not masked": np.full_like(value, T)}).items():
                yield f"it looks as if the lengths were {words}", changed(k, other)
        for j in arrays:
            if j != k and inputs[j].shape == value.shape:
                yield f"it looks as if `{name}` stood in place of `{names[j]}`", changed(j, value)
                if j > k:
                    words = f"it looks as if `{name}` and `{names[j]}` were exchanged"
                    yield words, (*inputs[:k], inputs[j], *inputs[k + 1 : j], value, *inputs[j + 1 :])


def find_turn(exercise, trials):
    """Return what is said of the turn that leads to the given answers in all trials, or None.

    A turn that leads to the whole answer comes before one that leads to its first wrong part alone.

    Parameters
    ----------
    exercise : Exercise
    trials : list of Tried
        Those of the answer. One in which it raised something has nothing to compare; more than half must have.
    """
    return _first(exercise, trials, lambda inputs: list(turns_of(exercise)))


def find_argument(exercise, trials):
    """Return what is said of the other arguments that lead to the given answers in all trials, or None."""
    names = parameters(exercise.reference)
    return _first(exercise, trials, lambda inputs: [(words, words) for words, _ in other_arguments(inputs, names)])


def _first(exercise, trials, candidates):
    judged = [trial for trial in trials if trial.misfit or (trial.parts and (trial.inputs or trial.finite))]
    wrong = [trial for trial in judged if trial.fault]
    if not wrong or 2 * len(judged) <= len(trials):
        return None
    main = max(wrong, key=lambda trial: (not trial.misfit, not trial.edge, trial.numbers))
    first = next((k for k, part in enumerate(main.parts) if not main.allowed.right(part)), 0)
    others = [trial for trial in judged if trial is not main]
    fitting = [(words, how) for words, how in candidates(main.inputs) if _fits(exercise, main, how, first)]
    for last in (len(main.parts) - 1, first):
        for words, how in fitting:
            if all(_fits(exercise, trial, how, last) for trial in (main, *others)):
                return words
    return None


def _fits(exercise, trial, how, last):
    """Say whether the reference with a mistake gives the answer of a trial, in its parts as far as `last`."""
    inputs = copy.deepcopy(trial.inputs)
    try:
        if isinstance(how, dict):
            value = exercise.reference(*inputs, **how)
        else:
            other = dict(other_arguments(inputs, parameters(exercise.reference)))
            if how not in other:
                return False
            value = exercise.reference(*other[how])
        turn = trial.match(value) if not trial.misfit else match(trial.got, value)
    except Exception:  # the mistake cannot be made with these inputs, or has another structure
        return False
    if trial.misfit:
        return all(map(trial.alike.right, turn))
    pairs = list(zip(turn, trial.parts))[: last + 1]
    return all(trial.alike.all(b.got, a.got) for a, b in pairs)
