"""Quizzes: their files are sound, a faulty one is refused, and an answer is judged as a reader means it."""

import math
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from py_mini_racer import MiniRacer

from questions import evaluate, read_quiz, written

ROOT = Path(__file__).parents[1]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
PARTS = [part["chapters"] for part in TOC["parts"] if "numbered" in part]
STEMS = [Path(each["file"]).name for part in PARTS for each in part if "sections" in each]  # not the recipes
QUIZZES = {path.stem: read_quiz(path) for path in (ROOT / "book" / "quizzes").glob("*.yml")}


# What stands in the files


@pytest.mark.parametrize("stem", STEMS)
def test_every_chapter_has_a_quiz_with_choices_and_numbers(stem):
    questions = QUIZZES[stem]
    assert len(questions) >= 5
    assert len({question.tolerance is None for question in questions}) == 2
    for question in questions:
        assert [answer.correct for answer in question.answers].count(True) == 1
        texts = [answer.text for answer in question.answers]
        assert len(set(texts)) == len(texts), "two answers look alike when they are written out"
    page = (ROOT / "book" / f"{stem}.md").read_text(encoding="utf-8")
    assert f"```{{quiz}} {stem}\n```\n" in page.split("## Check yourself\n")[1]


def test_the_right_choice_is_not_given_away_by_its_place_or_length():
    questions = [question for quiz in QUIZZES.values() for question in quiz if question.tolerance is None]
    places = Counter(question.right for question in questions)
    longest = sum(max(question.answers, key=lambda answer: len(answer.text)).correct for question in questions)
    assert max(places.values()) <= len(questions) / 2 and len(places) >= 3, places
    assert longest <= len(questions) / 2, f"the longest choice is right in {longest} of {len(questions)}"


# How an answer is judged


@pytest.fixture(scope="module")
def judge():
    """Return the function of the script that judges a number."""
    engine = MiniRacer()
    engine.eval("var document = { querySelectorAll: () => [] };")
    engine.eval((ROOT / "book" / "_static" / "quiz.js").read_text(encoding="utf-8"))
    return lambda text, numbers, tolerance: engine.call("quiz.judge", text, numbers, tolerance)


@pytest.mark.parametrize("stem", STEMS)
def test_each_number_gets_its_own_feedback(judge, stem):
    for question in QUIZZES[stem]:
        if question.tolerance is None:
            continue
        for index, number in enumerate(question.numbers):
            assert judge(repr(number), question.numbers, question.tolerance) == index
        for shown in (question.answers[0].text, question.answers[0].text.replace(".", ",")):
            assert judge(shown, question.numbers, question.tolerance) == 0, "what is shown as right is not right"
        assert judge("123456789", question.numbers, question.tolerance) == len(question.numbers)


@pytest.mark.parametrize(
    "texts, wanted",
    [
        (["1280", "1,280", "1 280", "1.28e3", "1280.0", "1280.5", "1279,5"], 0),
        (["-3", "−3", " -3,0 ", "-3.5"], 1),
        (["0.25", "0,25", "+.25", "-0.25", "0.75"], 2),
        (["1.280", "1281", "3", "0.76", "-3.51", "1e9"], 3),
        (["about two", "1.2.3", "1/2", "0x1", ".", "1,2,3", "", "12,80,000"], -1),
    ],
)
def test_numbers_are_read_as_people_write_them(judge, texts, wanted):
    assert {text: judge(text, [1280, -3, 0.25], 0.5) for text in texts} == dict.fromkeys(texts, wanted)


# What is refused

TOY = """
- question: Which?
  choices:
    - answer: This.
      correct: true
      feedback: So it is.
    - answer: That.
      feedback: Why not.
    - answer: Neither.
      feedback: One of them is.
- question: How many?
  number: 3 / (1 + exp(-0.5))
  tolerance: 0.02
  right: So many.
  wrong: Sigmoid, then multiply.
  near:
    - number: 3 * 0.5
      feedback: That is the pre-activation.
"""
FAULTS = [
    ("      correct: true\n", "", "1: exactly one choice must be correct, got 0"),
    ("Why not.", "Why not.\n      correct: true", "1: exactly one choice must be correct, got 2"),
    ("      feedback: Why not.\n", "", "1: feedback missing in {'answer': 'That.'}"),
    ("That.", "0.5", "1: answer must be a text, in quotes where YAML needs them, got 0.5"),
    ("    - answer: Neither.\n      feedback: One of them is.\n", "", "1: there must be three or four choices, got 2"),
    ("answer: That.\n      feedback: Why", "Why", "1: expected a mapping with answer, feedback, got 'Why not.'"),
    ("Which?", "Which?\n  hint: This.", "1: hint not known in {'question': 'Which?'"),
    ("  number: 3 /", "  value: 3 /", "2: number missing in {'question': 'How many?'"),
    ("3 * 0.5", "3 * sigmoid(1)", "2: `3 * sigmoid(1)` is not a number: name 'sigmoid' is not defined"),
    ("3 * 0.5", "1 / 0", "2: `1 / 0` is not a number: division by zero"),
    ("3 * 0.5", "inf", "2: `inf` is not finite"),
    ("0.02", "0", "2: tolerance must be above 0, got 0"),
    ("3 * 0.5", "1.86", "2: near 1.86 is within the tolerance of 1.867"),
]


@pytest.mark.parametrize("old, new, words", FAULTS)
def test_a_fault_is_refused_with_file_question_and_words(tmp_path, old, new, words):
    assert old in TOY
    (tmp_path / "toy.yml").write_text(TOY.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=f"^toy.yml, question {re.escape(words)}"):
        read_quiz(tmp_path / "toy.yml")


def test_numbers_are_worked_out_and_written():
    assert evaluate("3 / (1 + exp(-0.5))") == 3 / (1 + math.exp(-0.5)) and evaluate(7) == 7
    assert [written(1.8674, 0.02), written(-0.5, 0.005), written(100, 1)] == ["1.87", "−0.5", "100"]


# What is built


def build(folder, builder, page):
    """Build a small book of one page with a quiz and a figure to move; return what Sphinx warns of."""
    for name in ("quizzes", "figures"):
        (folder / name).mkdir()
    (folder / "quizzes" / "toy.yml").write_text(TOY, encoding="utf-8")
    (folder / "quizzes" / "bad.yml").write_text("- Which?", encoding="utf-8")
    (folder / "figures" / "play.json").write_text('{"toy": {"words": "a </script> <b>"}}', encoding="utf-8")
    (folder / "index.md").write_text(page, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-C",
        "-D",
        "extensions=myst_parser,quiz,play",
        "-b",
        builder,
        ".",
        "out",
    ]
    path = {"PYTHONPATH": str(ROOT / "book" / "_ext")}
    run = subprocess.run(command, cwd=folder, env=os.environ | path, capture_output=True, text=True)
    return run.stderr


FIGURE = "```{play} toy\n:name: fig-toy\n:alt: A toy.\n\nMove it.\n```\n"


@pytest.mark.slow
def test_on_paper_the_answers_follow_the_questions(tmp_path):
    build(tmp_path, "latex", f"# Toy\n\n```{{quiz}} toy\n```\n\n{FIGURE}")
    (file,) = (tmp_path / "out").glob("*.tex")
    text = file.read_text(encoding="utf-8")
    words = ["Which?", "That.", "How many?", "Answers", "So it is.", "1.87", "So many.", "Move it."]
    assert [text.index(word) for word in words] == sorted(text.index(word) for word in words)
    assert "Start again" not in text and "</script>" not in text


@pytest.mark.slow
def test_a_fault_on_a_page_is_a_warning(tmp_path):
    pages = (
        "# Toy\n\n```{quiz} bad\n```\n\n```{quiz} none\n```\n\n"
        + FIGURE.replace("alt", "class")
        + FIGURE.replace("toy", "top")
    )
    said = build(tmp_path, "html", pages)
    assert "bad.yml, question 1: expected a mapping with question, number" in said
    assert "none.yml cannot be read" in said
    assert "play toy: alt missing" in said and "play must be one of toy, got top" in said
