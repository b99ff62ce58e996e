"""Quizzes: their files are sound, the book shows them, and a reader can answer them by mouse and by keyboard."""

import copy
import math
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

from questions import evaluate, read_quiz, written

ROOT = Path(__file__).parents[1]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
CHAPTERS = [chapter["file"] for part in TOC["parts"] if "numbered" in part for chapter in part["chapters"]]
STEMS = [file.removeprefix("book/") for file in CHAPTERS]


def quiz_of(stem):
    return read_quiz(ROOT / "book" / "quizzes" / f"{stem}.yml")


# What stands in the files


@pytest.mark.parametrize("stem", STEMS)
def test_every_chapter_has_a_quiz_with_numbers(stem):
    questions = quiz_of(stem)
    assert len(questions) >= 5
    assert any(question.tolerance is not None for question in questions)
    page = (ROOT / "book" / f"{stem}.md").read_text(encoding="utf-8")
    under = page.split("## Check yourself\n")[1].split("\n## ")[0]
    assert f"```{{quiz}} {stem}\n```\n" in under


def test_every_quiz_belongs_to_a_chapter():
    assert {path.stem for path in (ROOT / "book" / "quizzes").iterdir()} <= set(STEMS)


@pytest.mark.parametrize("stem", STEMS)
def test_numbers_are_told_apart(stem):
    for question in quiz_of(stem):
        if question.tolerance is None:
            continue
        right, *others = question.answers[:-1]
        shown = float(right.text.replace("−", "-"))
        assert abs(shown - right.number) <= question.tolerance * (1 + 1e-9), "what is shown as right is not right"
        assert all(abs(near.number - right.number) > question.tolerance for near in others)
        texts = [answer.text for answer in question.answers]
        assert len(set(texts)) == len(texts), "two answers look alike when they are written out"


def test_the_right_choice_is_not_given_away_by_its_place_or_length():
    questions = [question for stem in STEMS for question in quiz_of(stem) if question.tolerance is None]
    places = Counter(question.right for question in questions)
    longest = sum(max(q.answers, key=lambda a: len(a.text)).correct for q in questions)
    assert max(places.values()) <= len(questions) / 2 and len(places) >= 3, places
    assert longest <= len(questions) / 2, f"the longest choice is right in {longest} of {len(questions)}"


# What is refused

CHOICE = {
    "question": "Which?",
    "choices": [
        {"answer": "This.", "correct": True, "feedback": "So it is."},
        {"answer": "That.", "feedback": "Why not."},
        {"answer": "Neither.", "feedback": "One of them is."},
    ],
}
NUMBER = {
    "question": "How many?",
    "number": "3 / (1 + exp(-0.5))",
    "tolerance": 0.02,
    "right": "So many.",
    "wrong": "Squash, then multiply.",
    "near": [{"number": "3 * 0.5", "feedback": "That is the sum."}],
}


def changed(question, *keys, **value):
    """Return a copy of a question with one value changed, or removed if none is given."""
    question = copy.deepcopy(question)
    place = question
    for key in keys[:-1]:
        place = place[key]
    if value:
        place[keys[-1]] = value["to"]
    else:
        del place[keys[-1]]
    return question


FAULTS = {
    "correct": (changed(CHOICE, "choices", 0, "correct"), "exactly one choice must be correct, got 0"),
    "two": (changed(CHOICE, "choices", 1, "correct", to=True), "exactly one choice must be correct, got 2"),
    "yes": (changed(CHOICE, "choices", 0, "correct", to="yes"), "correct in choice 1 must be true or false, got 'yes'"),
    "feedback": (changed(CHOICE, "choices", 2, "feedback"), "feedback missing in choice 3"),
    "empty": (changed(CHOICE, "choices", 1, "feedback", to=" "), "feedback in choice 2 must be a text"),
    "unquoted": (changed(CHOICE, "choices", 1, "answer", to=0.5), "answer in choice 2 must be a text .*got 0.5"),
    "few": (changed(CHOICE, "choices", 0), "choices must be a list of three or four"),
    "no list": (changed(CHOICE, "choices", to="this"), "choices must be a list of three or four"),
    "not a choice": (changed(CHOICE, "choices", 1, to="That."), "choice 2 must be a mapping with answer, feedback"),
    "text": (changed(CHOICE, "question"), "question missing in the question"),
    "key": (changed(CHOICE, "hint", to="?"), "the question must not have hint"),
    "number": (changed(NUMBER, "number"), "number missing in the question"),
    "wrong": (changed(NUMBER, "wrong"), "wrong missing in the question"),
    "name": (
        changed(NUMBER, "number", to="3 * sigmoid(1)"),
        "is not a number: sigmoid is not allowed",
    ),
    "import": (changed(NUMBER, "number", to="__import__('os')"), "is not a number: __import__ is not allowed"),
    "attribute": (changed(NUMBER, "number", to="pi.real"), "is not a number: pi.real is not allowed"),
    "syntax": (changed(NUMBER, "number", to="3 *"), "`3 .` is not a number"),
    "zero": (changed(NUMBER, "number", to="1 / 0"), "is not a number: division by zero"),
    "complex": (changed(NUMBER, "number", to="(-1) ** 0.5"), "is not a number"),
    "infinite": (changed(NUMBER, "number", to="inf"), "is not finite"),
    "tolerance": (changed(NUMBER, "tolerance", to=-1), "tolerance must not be negative"),
    "near feedback": (changed(NUMBER, "near", 0, "feedback"), "feedback missing in near"),
    "near right": (changed(NUMBER, "near", 0, "number", to="1.86"), "near 1.86 is within the tolerance of 1.867"),
    "near list": (changed(NUMBER, "near", to="1.5"), "near must be a list, got '1.5'"),
    "no question": ("Which?", "the question must be a mapping"),
}


@pytest.mark.parametrize("entry, words", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_refused_with_file_question_and_words(tmp_path, entry, words):
    (tmp_path / "toy.yml").write_text(yaml.safe_dump([CHOICE, NUMBER]), encoding="utf-8")
    assert [question.right for question in read_quiz(tmp_path / "toy.yml")] == [0, 0]
    (tmp_path / "toy.yml").write_text(yaml.safe_dump([CHOICE, entry]), encoding="utf-8")
    with pytest.raises(ValueError, match=rf"^toy.yml, question 2: .*{words}"):
        read_quiz(tmp_path / "toy.yml")


@pytest.mark.parametrize(
    "text, words", [("a: [", "is not YAML"), ("a: b", "must be a list of questions"), ("", "must be a list, got None")]
)
def test_a_file_that_holds_no_list_is_refused(tmp_path, text, words):
    (tmp_path / "toy.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=f"^toy.yml {words.split(',')[0]}"):
        read_quiz(tmp_path / "toy.yml")
    with pytest.raises(ValueError, match=r"^none.yml is missing"):
        read_quiz(tmp_path / "none.yml")


def test_numbers_are_worked_out_and_written():
    assert evaluate("3 / (1 + exp(-0.5))") == 3 / (1 + math.exp(-0.5))
    assert evaluate("-log(0.5) * 2") == 2 * math.log(2) and evaluate(7) == 7 and evaluate("fsum([1, 2])") == 3
    cases = (
        (1.8674, 0.02, "1.87"),
        (-0.5, 0.005, "−0.5"),
        (1280, 0, "1280"),
        (138.6, 2, "139"),
        (0.0041, 1e-4, "0.0041"),
    )
    assert [written(value, tolerance) for value, tolerance, _ in cases] == [text for *_, text in cases]


# What is built


@pytest.fixture
def build(tmp_path):
    """Build a small book with one quiz; return what Sphinx says."""
    (tmp_path / "quizzes").mkdir()
    path = f"import sys\nsys.path.append({str(ROOT / 'book' / '_ext')!r})\n"
    settings = 'extensions = ["myst_parser", "quiz"]\ncopyright = version = "0"\n'
    settings += 'suppress_warnings = ["epub.unknown_project_files"]\n'
    (tmp_path / "conf.py").write_text(path + settings, encoding="utf-8")
    (tmp_path / "index.md").write_text("# Toy\n\n```{quiz} toy\n```\n", encoding="utf-8")

    def build(builder, *entries):
        (tmp_path / "quizzes" / "toy.yml").write_text(yaml.safe_dump(list(entries)), encoding="utf-8")
        command = [sys.executable, "-m", "sphinx", "-W", "-n", "--keep-going", "-b", builder, ".", builder]
        run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        return run.stdout + run.stderr

    return build


@pytest.mark.slow
def test_a_changed_quiz_is_built_again_and_a_fault_in_it_is_an_error(build, tmp_path):
    assert "succeeded" in build("html", CHOICE, NUMBER)
    page = (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    assert 'quiz.js" defer' in page.replace('defer="defer"', "defer") or "quiz.js" in page
    assert "quiz.js" in page and 'data-right="0"' in page and "Squash, then multiply." in page
    assert "succeeded" in build("html", changed(NUMBER, "wrong", to="Multiply **last**."))
    assert "Multiply <strong>last</strong>." in (tmp_path / "html" / "index.html").read_text(encoding="utf-8")
    said = build("html", CHOICE, changed(NUMBER, "number", to="3 *"))
    assert "toy.yml, question 2: `3 *` is not a number" in said and "finished with problems" in said
    said = build("html", changed(CHOICE, "choices", 1, "answer", to="2."))
    assert "toy.yml, question 1: an answer must be one paragraph, got `2.`" in said
    said = build("html", changed(CHOICE, "question", to="- a list"))
    assert "toy.yml, question 1: it must begin with a paragraph" in said


@pytest.mark.slow
def test_in_print_the_answers_follow_the_questions(build, tmp_path):
    assert "succeeded" in build("latex", CHOICE, NUMBER)
    (file,) = (tmp_path / "latex").glob("*.tex")
    tex = file.read_text(encoding="utf-8")
    order = [tex.index(words) for words in ("Which?", "That.", "How many?", "Answers", "So it is.", "1.87", "So many.")]
    assert order == sorted(order) and tex.count(r"\begin{enumerate}") == 3 and "Check" not in tex
    assert "succeeded" in build("epub", CHOICE, NUMBER)
    page = (tmp_path / "epub" / "index.xhtml").read_text(encoding="utf-8")
    assert "<form" not in page and "quiz.js" not in page and page.index("How many?") < page.index("So it is.")


@pytest.mark.slow
def test_only_pages_with_a_quiz_load_its_script(html):
    pages = {path.relative_to(html).with_suffix("").as_posix() for path in html.rglob("*.html")}
    loading = {page for page in pages if "quiz.js" in (html / f"{page}.html").read_text(encoding="utf-8")}
    assert loading == set(CHAPTERS)


# What a reader does


@pytest.fixture
def visit(browser, html):
    """Open a chapter's page in a browser that remembers nothing; a complaint of its console is an error."""
    contexts, complaints = [], []

    def visit(stem, before="", **settings):
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 900}, **settings))
        page = contexts[-1].new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.add_init_script(before)
        page.goto((html / "book" / f"{stem}.html").as_uri())
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


def first(wanted):
    """The first question of the course of a kind: its chapter's stem, its place, and itself."""
    return next((s, n, q) for s in STEMS for n, q in enumerate(quiz_of(s)) if wanted(q))


def with_choices(question):
    return question.tolerance is None


def with_decimals(question):
    """Asks for a positive decimal number, and foresees another."""
    return (
        question.tolerance is not None and len(question.answers) > 2 and re.match(r"\d+\.\d", question.answers[0].text)
    )


class Asked:
    """A question on an open page."""

    def __init__(self, page, place):
        self.page, self.form = page, page.locator(".quiz form").nth(place)
        self.said = self.form.locator("[role=status]")
        self.fold, self.field = self.form.locator("details"), self.form.locator("input[type=text]")

    def give(self, answer):
        """Choose the answer of an index, or write a text; then check. Return what is said."""
        if isinstance(answer, int):
            self.form.locator("label").nth(answer).click()
        else:
            self.field.fill(answer)
        self.form.get_by_role("button", name="Check").click()
        return self.said.text_content()

    def feedback(self, index):
        return self.form.locator("dd").nth(index).text_content()

    def score(self):
        return self.page.locator(".quiz-score [role=status]").text_content()


@pytest.mark.slow
def test_choices_are_answered_by_mouse_wrong_and_then_right(visit):
    stem, place, question = first(with_choices)
    asked, count = Asked(visit(stem), place), len(quiz_of(stem))
    wrong = (question.right + 1) % len(question.answers)
    asked.form.get_by_role("button", name="Check").click()
    assert asked.said.text_content() == "Choose an answer first." and not asked.fold.is_visible()
    assert asked.give(wrong) == asked.feedback(wrong) and asked.said.text_content().startswith("Not right. ")
    assert "✗" in asked.form.locator("label").nth(wrong).evaluate("it => getComputedStyle(it, '::after').content")
    assert asked.fold.is_visible() and asked.fold.get_attribute("open") is None
    assert asked.score() == f"0 of {count} right"
    asked.form.locator("label").nth(question.right).click()
    assert asked.said.text_content() == "", "what was said belongs to another answer"
    assert asked.give(question.right) == asked.feedback(question.right)
    assert asked.said.text_content().startswith("Right. ") and asked.score() == f"1 of {count} right"


@pytest.mark.slow
def test_a_click_on_a_formula_chooses_its_answer(visit):
    stem, place, question = first(lambda question: with_choices(question) and "$" in question.answers[1].text)
    form = Asked(visit(stem), place).form
    form.locator("label").nth(1).scroll_into_view_if_needed()
    box = form.locator("label").nth(1).locator("mjx-container").first.bounding_box()
    form.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert form.locator("input").nth(1).is_checked()


@pytest.mark.slow
def test_a_number_is_judged_with_comma_and_point(visit):
    stem, place, question = first(with_decimals)
    asked = Asked(visit(stem), place)
    right, near = question.answers[0].text, question.answers[1].number
    assert asked.field.get_attribute("inputmode") in ("decimal", "text")
    assert asked.give(" ") == "Write a number first." == asked.give("")
    for text in ("about two", "1.2.3", "1/2", "0x1", "."):
        assert asked.give(text) == "That is not a number. Write it like 0.5 or 0,5.", text
    assert not asked.fold.is_visible()
    assert asked.give("123456") == asked.feedback(len(question.answers) - 1)
    assert asked.give(f"{near}") == asked.feedback(1) and asked.said.text_content().startswith("Not right. ")
    assert asked.give(right) == asked.feedback(0) == asked.give(right.replace(".", ",")) == asked.give(f" +{right} ")
    assert asked.give(f"−{right}") != asked.feedback(0)
    asked.field.fill(right)
    asked.field.press("Enter")
    assert asked.said.text_content().startswith("Right. ")


@pytest.mark.slow
def test_large_and_negative_numbers_are_read_as_people_write_them(visit):
    stem, place, question = first(with_decimals)
    asked = Asked(visit(stem), place)
    numbers = " ".join(["1280", "-3", "1e99", "1e99", "1e99", "1e99"][: len(question.answers) - 1])
    asked.form.evaluate("(it, numbers) => Object.assign(it.dataset, { numbers, tolerance: 0 })", numbers)
    assert [asked.give(text) for text in ("1280", "1,280", "1 280", "1.28e3")] == [asked.feedback(0)] * 4
    assert [asked.give(text) for text in ("-3", "−3", "-3,0")] == [asked.feedback(1)] * 3
    assert asked.give("1.280") == asked.feedback(len(question.answers) - 1)


def focused(page, wanted):
    """Press Tab until what has the focus fits a selector."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"no Tab leads to {wanted}")


@pytest.mark.slow
def test_a_whole_quiz_is_answered_by_keyboard(visit):
    stem, _, _ = first(with_decimals)
    page, questions = visit(stem), quiz_of(stem)
    page.evaluate("location.hash = 'check-yourself'")  # where the next Tab starts from
    for place, question in enumerate(questions):
        asked = Asked(page, place)
        if question.tolerance is None:
            focused(page, ".quiz input[type=radio]")
            page.keyboard.press("Space")
            for _ in range(question.right):
                page.keyboard.press("ArrowDown")
            focused(page, ".quiz-check")
            page.keyboard.press("Enter" if place % 2 else "Space")
        else:
            focused(page, ".quiz input[type=text]")
            page.keyboard.type(question.answers[0].text)
            page.keyboard.press("Enter")
        assert asked.said.text_content() == asked.feedback(question.right), place
    assert asked.score() == f"{len(questions)} of {len(questions)} right"
    focused(page, "summary")
    page.keyboard.press("Enter")
    focused(page, ".quiz-again")
    page.keyboard.press("Enter")
    assert asked.score() == f"0 of {len(questions)} right"


@pytest.mark.slow
def test_right_answers_are_remembered_until_start_again(visit):
    stem, place, question = first(with_decimals)
    page, count = visit(stem), len(quiz_of(stem))
    other = next(n for n, q in enumerate(quiz_of(stem)) if q.tolerance is None)
    choices = quiz_of(stem)[other]
    Asked(page, other).give((choices.right + 1) % len(choices.answers))
    Asked(page, place).give(question.answers[0].text.replace(".", ","))
    page.reload()
    asked, again = Asked(page, place), page.get_by_role("button", name="Start again")
    assert asked.field.input_value() == question.answers[0].text.replace(".", ",")
    assert asked.said.text_content().startswith("Right. ") and asked.score() == f"1 of {count} right"
    assert Asked(page, other).said.text_content() == "", "a wrong answer is not kept"
    Asked(page, other).give(choices.right)
    page.reload()
    assert Asked(page, other).form.locator("input").nth(choices.right).is_checked()
    assert asked.score() == f"2 of {count} right"
    again.click()
    assert asked.score() == f"0 of {count} right" and asked.said.text_content() == "" == asked.field.input_value()
    page.reload()
    assert asked.score() == f"0 of {count} right" and asked.said.text_content() == "" == asked.field.input_value()
    assert not asked.fold.is_visible() and page.evaluate("name => localStorage.getItem(name)", f"quiz {stem}") is None


SHUT = "for (const name of ['getItem', 'setItem', 'removeItem']) { const old = Storage.prototype[name]; "
SHUT += "Storage.prototype[name] = function (key, ...rest) { if (key.startsWith('quiz')) throw new Error('shut'); "
SHUT += "return old.call(this, key, ...rest); } }"


@pytest.mark.slow
@pytest.mark.parametrize(
    "before", [SHUT, *(f"localStorage.setItem('quiz STEM', '{junk}')" for junk in ("{", "[1]", "3"))]
)
def test_a_storage_that_is_shut_or_holds_something_else_does_no_harm(visit, before):
    stem, place, question = first(with_choices)
    asked = Asked(visit(stem, before=before.replace("STEM", stem)), place)
    assert asked.score().startswith("0 of ")
    assert asked.give(question.right).startswith("Right. ") and asked.score().startswith("1 of ")
    asked.page.get_by_role("button", name="Start again").click()
    assert asked.score().startswith("0 of ")


@pytest.mark.slow
def test_without_script_all_answers_can_be_read(visit):
    stem, place, question = first(with_choices)
    page = visit(stem, java_script_enabled=False)
    form = page.locator(".quiz form").nth(place)
    assert form.locator("legend").is_visible() and form.locator("label").count() == len(question.answers)
    assert not form.locator("dd").first.is_visible()
    form.locator("summary").click()
    assert [dd.is_visible() for dd in form.locator("dd").all()] == [True] * len(question.answers)
    assert form.locator("dd").nth(question.right).inner_text().startswith("Right. ")
    assert page.locator(".quiz button:visible").count() == 0


SOLVE = """
right => [...document.querySelectorAll(".quiz form")].map((form, k) => {
  const radios = [...form.querySelectorAll("input[type=radio]")];
  const numbers = (form.dataset.numbers ?? "").split(" ");
  const give = (index) => {
    if (radios.length) radios[index].checked = true;
    else form.querySelector("input[type=text]").value = numbers[index] ?? "123456789";
    form.requestSubmit();
    return form.querySelector("[role=status]").textContent;
  };
  const feedback = [...form.querySelectorAll("dd")].map((said) => said.textContent);
  const said = feedback.map((_, index) => give(index));
  give(right[k]);
  form.querySelector("details").open = true;
  return { said, feedback };
})
"""


@pytest.mark.slow
def test_every_quiz_can_be_solved_and_fits_a_narrow_screen(visit, html):
    page = visit(STEMS[0])
    for stem in STEMS:
        questions = quiz_of(stem)
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto((html / "book" / f"{stem}.html").as_uri())
        for question, seen in zip(questions, page.evaluate(SOLVE, [q.right for q in questions]), strict=True):
            assert seen["said"] == seen["feedback"]
            assert [said.startswith("Right. ") for said in seen["said"]] == [each.correct for each in question.answers]
        assert Asked(page, 0).score() == f"{len(questions)} of {len(questions)} right"
        raw = re.findall(r"\$|`|\\\(|\*\*|\{\w+\}", page.locator(".quiz").inner_text())
        page.set_viewport_size({"width": 390, "height": 844})
        assert (raw, page.evaluate("document.documentElement.scrollWidth")) == ([], 390), stem


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(visit, theme):
    from axe_playwright_python.sync_playwright import Axe

    stem, place, question = first(with_decimals)
    page = visit(stem, color_scheme=theme)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    other = next(n for n, q in enumerate(quiz_of(stem)) if q.tolerance is None)
    Asked(page, place).give(question.answers[0].text)
    Asked(page, other).give((quiz_of(stem)[other].right + 1) % 3)
    Asked(page, other).form.locator("summary").click()
    options = {"resultTypes": ["violations"], "preload": False}  # what it would preload it may not read from files
    found = Axe().run(page, ".quiz", options)
    assert found.violations_count == 0, found.generate_report()
