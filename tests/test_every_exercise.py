"""Every exercise of the course keeps its promises to the learner: the tests are made from the exercises' own tables."""

import dataclasses
import re
import time

import pytest
from course import EXERCISES, ROOT, STEMS, load, named, solution, stubs, workbook

from lstm_tutorial.exercises import check
from lstm_tutorial.exercises.engine import draw_trial, judge
from lstm_tutorial.exercises.matching import Allowed, match
from lstm_tutorial.exercises.registry import CHAPTERS, parameters
from lstm_tutorial.exercises.turns import turns_of

each_exercise = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
ON_INPUTS = [each for each in EXERCISES.values() if draw_trial(each, 0)[0]]
on_inputs = pytest.mark.parametrize("exercise", ON_INPUTS, ids=lambda exercise: exercise.id)
IN_FLOAT64 = [
    each for each in ON_INPUTS if each.dtypes == ("float64",) and not any(map(callable, draw_trial(each, 0)[0]))
]


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A right answer is not stopped because other programs run beside the tests."""
    monkeypatch.setenv("LSTM_TUTORIAL_SECONDS", "60")


def blocks(stem):
    """Yield title, label and exercise ids of every gated exercise of a workbook, in order."""
    label, ids = None, []
    for cell in workbook(stem):
        if "{exercise-start}" in cell.source:
            assert label is None, f"{label} has no {{exercise-end}}"
            title = re.search(r"\{exercise-start\} (.*)$", cell.source, re.M)[1]
            label, ids = re.search(r"^:label: *(\S+)$", cell.source, re.M)[1], []
        if cell.cell_type == "code":
            found = re.findall(r"^check\((\w+)\)$", cell.source, re.M)
            assert label or not found, f"check({found}) stands outside an exercise"
            ids += found
        if "{exercise-end}" in cell.source:
            yield title, label, ids
            label = None
    assert label is None, f"{label} has no {{exercise-end}}"


@pytest.mark.parametrize("stem", STEMS)
def test_workbook_has_each_exercise_of_its_chapter_once_under_its_title(stem):
    there = list(blocks(stem))
    labels = [label for _, label, _ in there]
    assert [label for label in labels if not label.startswith(f"ex-{stem}-")] == []
    assert len(set(labels)) == len(labels) >= 3
    assert [label for _, label, ids in there if len(ids) != 1] == [], "one check an exercise"
    titles = {ids[0]: title for title, _, ids in there}
    assert titles == {id: exercise.title for id, exercise in EXERCISES.items() if exercise.chapter == stem}


def test_every_exercise_belongs_to_a_chapter_of_the_book():
    assert {exercise.chapter for exercise in EXERCISES.values()} == set(STEMS)


@pytest.fixture
def run(monkeypatch, tmp_path):
    """`run(stem, source)` runs a workbook's cells as `source` changes them; returns the results and the progress."""
    monkeypatch.setenv("LSTM_TUTORIAL_PROGRESS", str(tmp_path / "progress.json"))

    def run(stem, source):
        results = {}
        monkeypatch.setattr(
            "lstm_tutorial.exercises.check", lambda answer: results.setdefault(answer.__name__, check(answer))
        )
        names = {}
        for cell in workbook(stem):
            if cell.cell_type == "code":
                exec(compile(source(cell.source), f"{stem}.ipynb", "exec"), names)
        return results, names["progress"]()

    return run


@pytest.mark.slow
@pytest.mark.parametrize("stem", STEMS)
def test_a_workbook_untouched_has_nothing_solved_and_with_the_solutions_everything(stem, run):
    ids = {id for id, exercise in EXERCISES.items() if exercise.chapter == stem}
    results, progress = run(stem, lambda source: source)
    assert {id: result.message for id, result in results.items()} == dict.fromkeys(ids, "not attempted yet")
    assert f"0 of {len(EXERCISES)}, 0%" in progress

    def solved(source):
        solutions = "from course import EXERCISES, solution\n\n\\1 = solution(EXERCISES['\\1'])\ncheck(\\1)"
        return re.sub(r"^check\((\w+)\)$", solutions, source, flags=re.M)

    results, progress = run(stem, solved)
    assert {id: result.passed for id, result in results.items()} == dict.fromkeys(ids, True), results
    title = CHAPTERS[stem]
    assert re.search(rf"^{title} +#{{{len(ids)}}} +{len(ids)} of {len(ids)}$", progress, re.M), progress


@pytest.mark.parametrize("exercise", IN_FLOAT64, ids=lambda exercise: exercise.id)
def test_solution_is_right_in_float32_where_the_check_draws_float64_alone(exercise):
    in_float32 = dataclasses.replace(exercise, dtypes=("float32",))
    passed, _, message = judge(in_float32, solution(exercise), range(6))
    assert passed, message


@each_exercise
def test_stub_takes_what_the_reference_takes(exercise):
    stub = stubs(exercise.chapter)[exercise.id]
    if exercise.reference and exercise.reference.__name__ == exercise.id:
        assert parameters(stub) == parameters(exercise.reference)[: len(parameters(stub))]


@each_exercise
def test_solution_passes_within_seconds(exercise):
    answer = solution(exercise)
    check(answer)  # imports and first calls
    start = time.process_time()
    result = check(answer)
    assert result.passed, result
    assert time.process_time() - start < 12  # a tenth of it where nothing else runs


@pytest.mark.slow
@each_exercise
def test_reference_passes_and_each_of_its_turns_gets_its_own_words(exercise):
    reference = exercise.reference
    if exercise.turns or exercise.same_as:
        assert (result := check(named(reference, exercise.id))).passed, result
    for words, chosen in turns_of(exercise) if exercise.turns else ():
        if words.startswith("it looks as if"):  # a number of the statement, or its sign
            continue
        result = check(named(lambda *inputs, chosen=chosen: reference(*inputs, **chosen), exercise.id))
        parts = [
            part for part in exercise.turns if part in words and words not in exercise.turns
        ]  # one may hide another
        said = any(part.lower() in result.message.lower() for part in (words, *parts))
        assert said and not result.passed, f"{words!r} is not in: {result}"


@each_exercise
def test_reference_does_what_the_package_does(exercise):
    for number in range(exercise.trials if exercise.same_as else 0):
        inputs, dtype, _ = draw_trial(exercise, number)
        want = exercise.same_as(*inputs)
        allowed = Allowed(1e-4 if dtype == "float32" else 1e-9)
        assert all(map(allowed.right, match(exercise.reference(*inputs), want)))


@pytest.mark.slow
@each_exercise
def test_wrong_answers_written_apart_are_refused_in_words_that_name_the_fault(exercise, monkeypatch):
    monkeypatch.setenv("LSTM_TUTORIAL_SECONDS", "20")  # some never end
    module = load(ROOT / "tests" / "wrong_answers" / f"{exercise.chapter.replace('-', '_')}.py")
    assert module.WRONG[exercise.id]
    for answer, words in module.WRONG[exercise.id]:
        result = check(named(answer, exercise.id))
        assert not result.passed and result.attempted, result
        assert len(words) > 5 and words.lower() not in f"{exercise.id}: not yet.", f"{words!r} names no fault"
        assert words.lower() in result.message.lower(), f"{words!r} is not in: {result}"


@on_inputs
def test_constants_and_copies_are_refused(exercise):
    inputs, *_ = draw_trial(exercise, 0)
    constant = solution(exercise)(*inputs)
    for answer in (lambda *inputs: constant, lambda *inputs: inputs[0]):
        result = check(named(answer, exercise.id))
        assert not result.passed and result.attempted, result
