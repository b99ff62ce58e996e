"""What a reader can do on a chapter's page: move its figures, answer its quiz, look at its terms, see its times."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from test_play import NUMBERS, POOLING, UNIT, pooled, run_unit
from test_quiz import QUIZZES, STEMS

from lstm_tutorial.in_numpy import LSTM, sigmoid
from reading import times, written

ROOT = Path(__file__).parents[1]
FIGURES = {"unit": "gates", "half-life": "cell-state", "output": "shapes", "pooling": "pooling"}


# How long a chapter takes


def test_times_are_counted_from_words_cells_and_exercises(tmp_path):
    page, lab, workbook = (
        tmp_path / name for name in ("book/toy.md", "notebooks/toy.ipynb", "notebooks/exercises/toy.ipynb")
    )
    for path in (page, workbook):
        path.parent.mkdir(parents=True)
    page.write_text("word " * 1500 + "$a + b$ " * 800 + "\n```\n" + "code " * 900 + "\n```\n", encoding="utf-8")
    cell, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    hidden = [cell("1", metadata={"tags": ["remove-cell"]})] * 9
    nbformat.write(nbformat.v4.new_notebook(cells=[cell("1") for _ in range(17)] + hidden), lab)
    kinds = {"ex-a": "By hand, 10", "ex-b": "Find the bug, 15", "ex-c": "Design, 20"}
    exercises = [text(f":label: {label}\n\n*{kind} minutes.*\n") for label, kind in kinds.items()]
    nbformat.write(nbformat.v4.new_notebook(cells=[*exercises, text("*Write, 5 minutes.*")]), workbook)
    toy = times(tmp_path, "toy")
    assert (toy.page, toy.lab, toy.core(), toy.further()) == (10, 10, 25, 20)
    assert [written(minutes).replace("\xa0", " ") for minutes in (0, 45, 60, 65)] == [
        "0 min",
        "45 min",
        "1 h",
        "1 h 5 min",
    ]


# What is built


@pytest.mark.slow
@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_has_its_times_terms_and_quiz(html, stem):
    page = BeautifulSoup((html / "book" / f"{stem}.html").read_text(encoding="utf-8"), "html.parser")

    (line,) = page.select(".reading-time")
    takes = times(ROOT, stem)
    page_time, lab_time, exercise_time = map(written, (takes.page, takes.lab, takes.core()))
    assert line.get_text().strip() == f"{page_time} to read · lab {lab_time} · exercises {exercise_time}"
    links = [link["href"] for link in line.select("a")]
    assert links == [f"../notebooks/{stem}.html", f"../notebooks/exercises/{stem}.html"]

    terms = [link["href"].partition("#")[2] for link in page.select("a:has(> .std-term)")]
    assert len(set(terms)) == len(terms) >= 10, "a chapter marks a term where it first says it"
    for term in terms:
        (card,) = page.select(f"#card-{term}[role=tooltip][hidden]")
        name, meaning = card.select("p")
        assert name.strong.get_text() and name.select("[lang=zh]") and meaning.get_text().strip()
        assert not card.select("a")

    forms = page.select(f'.quiz[data-quiz="{stem}"] form')
    for form, question in zip(forms, QUIZZES[stem], strict=True):
        assert int(form["data-right"]) == question.right
        assert form.legend.get_text().strip() and len(form.select("details dt")) == len(question.answers)
        said = [answer.get_text().startswith("Right. ") for answer in form.select("details dd")]
        assert said == [answer.correct for answer in question.answers]
        if question.tolerance is None:
            assert len(form.select("label input[type=radio]")) == len(question.answers)
        else:
            assert form.select("label input[type=text]")
            assert [float(number) for number in form["data-numbers"].split()] == question.numbers


@pytest.mark.slow
def test_a_script_is_loaded_only_where_it_is_needed(html):
    wanted = {f"book/{stem}.html": {"quiz.js", "hover.js"} for stem in STEMS}
    for name, stem in FIGURES.items():
        wanted[f"book/{stem}.html"] |= {"play.js", f"play-{name}.js"}
    found = {}
    for path in html.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if scripts := re.findall(r"_static/((?:play|quiz|hover)[\w-]*\.js)", text):
            found[path.relative_to(html).as_posix()] = set(scripts)
    assert found == wanted


# What a reader does


@pytest.fixture
def visit(browser, html):
    """Open a chapter in a browser that remembers nothing; a complaint of its console is an error."""
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


def violations(page, selector):
    """Return what axe finds in a part of a page: a missing name, a colour too pale."""
    found = Axe().run(page, selector, {"resultTypes": ["violations"], "preload": False}).response["violations"]
    return [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]]


def press(place, *keys):
    """Put the keyboard's focus on something and press keys, which may lead away from it."""
    place.focus()
    for key in keys:
        place.page.keyboard.press(key)


def numbers(figure):
    """Return the numbers that a figure shows beside its sliders and strips."""
    text = " ".join(figure.locator("output").all_inner_texts())
    return [float(number) for number in text.replace("−", "-").split()]


def move_unit(figure):
    """Raise the input of step 2, and lower the weight on h of the input gate; return what stands at step 2."""
    press(figure.get_by_role("slider", name="x, step 1", exact=True), "ArrowRight", "ArrowDown")
    press(figure.get_by_role("slider", name="weight on h", exact=True), "ArrowLeft", "ArrowLeft")
    x = [0, 0.9, *UNIT["sequences"]["pulses"][2:]]
    rows = UNIT["presets"]["latch"] | {"i": [40, 0, -0.1, -20]}
    gates = run_unit(x, UNIT["reset"], rows)
    return [0.9, 0, *(gates[name][1] for name in "figoch"), 40, 0, -0.1, -20]


def move_half_life(figure):
    press(figure.get_by_role("slider", name="forget bias"), "ArrowRight")
    f = sigmoid(3.1)
    return [3.1, np.log(0.5) / np.log(f), f ** NUMBERS["half-life"]["steps"]]


def move_output(figure):
    """Make the first sequence shorter; one direction; look at a box. The shapes and names are the package's."""
    press(figure.get_by_role("slider", name="lengths[0]"), "ArrowLeft")
    press(figure.get_by_role("group", name="directions").get_by_role("radio", name="2"), "ArrowLeft")
    output, (h_n, c_n) = LSTM(2, 7, 2, batch_first=True)(np.zeros((3, 5, 2), "float32"), lengths=[4, 3, 2])
    shapes = [f"output {output.shape}", f"h_n {h_n.shape}", f"c_n {c_n.shape}"]
    shown = figure.get_by_role("group", name="tensor").locator("label").all_inner_texts()
    assert [text.replace("H", "7") for text in shown] == shapes
    press(figure.get_by_role("radio", name=re.compile("^Sequence 0, layer 1, step 2:")), "Space", "ArrowRight")
    figure.get_by_text("Sequence 0, layer 1, step 3: output[0, 3], h_n[1, 0], c_n[1, 0].").wait_for()
    return [4, 3, 2]


def move_pooling(figure):
    """Raise step 4 by three spreads, then read the padding; return each pool and how far it has moved."""
    press(figure.get_by_role("group", name="outlier").get_by_role("radio", name="0", exact=True), "ArrowRight")
    press(figure.get_by_role("slider", name="half-life"), "ArrowRight")
    press(figure.get_by_role("group", name="padding").get_by_role("radio", name="masked"), "ArrowRight")
    before = np.array(POOLING["x"])
    after = before + 3 * POOLING["spread"] * (np.arange(9) == POOLING["step"])
    was, now = (pooled(x, length=9, half_life=2.5, query=2) for x in (before, after))
    return [6, 2.5, 2, *np.stack([now, now - was], axis=1).ravel()]


MOVES = {"unit": move_unit, "half-life": move_half_life, "output": move_output, "pooling": move_pooling}


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_moved_by_keyboard_shows_what_the_package_says(visit, name):
    page = visit(FIGURES[name])
    figure = page.locator(f"figure.play-{name} .play-stage")
    before = numbers(figure)
    wanted = MOVES[name](figure)
    shown = numbers(figure)
    if name == "pooling":
        shown = shown[-15:]
    np.testing.assert_allclose(shown, wanted, atol=5.1e-4)  # three decimals are shown
    assert shown != before
    assert figure.get_by_role("status").inner_text()
    assert violations(page, f"figure.play-{name}") == []
    picture = page.locator(f"figure.play-{name} img")
    assert not picture.is_visible()
    page.emulate_media(media="print")
    assert picture.is_visible() and not figure.is_visible()


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_the_picture_stands_without_scripts(visit, name):
    page = visit(FIGURES[name], java_script_enabled=False)
    picture = page.locator(f"figure.play-{name} img")
    assert picture.is_visible() and picture.get_attribute("alt")


@pytest.mark.slow
def test_a_quiz_says_why_and_remembers_what_was_right(visit):
    damaged = "if (!localStorage.getItem('quiz gates')) localStorage.setItem('quiz gates', '{')"
    page = visit("gates", before=damaged)
    questions = QUIZZES["gates"]
    score = page.locator(".quiz-score").get_by_role("status")
    choice = next(place for place, question in enumerate(questions) if question.tolerance is None)
    number = next(place for place, question in enumerate(questions) if question.tolerance is not None)
    forms = page.locator(".quiz form")
    assert score.inner_text() == f"0 of {len(questions)} right"

    def answer(place, given):
        form = forms.nth(place)
        if isinstance(given, int):
            form.get_by_role("radio").nth(given).focus()
            page.keyboard.press("Space")
            page.keyboard.press("Tab")
        else:
            form.get_by_role("textbox", name="Your number").fill(given)
        page.keyboard.press("Enter")
        return form.get_by_role("status").text_content()

    def feedback(place, index):
        return forms.nth(place).locator("dd").nth(index).text_content()

    right = questions[choice].right
    wrong = (right + 1) % len(questions[choice].answers)
    text = questions[number].answers[0].text.replace(".", ",")
    assert answer(number, "many") == "That is not a number. Write it like 0.5 or 0,5."
    assert answer(choice, wrong) == feedback(choice, wrong) and score.inner_text().startswith("0 of")
    assert answer(choice, right) == feedback(choice, right) and score.inner_text().startswith("1 of")
    assert answer(number, str(questions[number].numbers[1])) == feedback(number, 1)
    assert answer(number, text) == feedback(number, 0) and score.inner_text().startswith("2 of")
    assert violations(page, ".quiz") == []

    page.reload()
    assert score.inner_text().startswith("2 of") and forms.nth(choice).get_by_role("radio").nth(right).is_checked()
    assert forms.nth(number).get_by_role("textbox").input_value() == text
    page.get_by_role("button", name="Start again").click()
    page.reload()
    assert score.inner_text().startswith("0 of") and forms.nth(number).get_by_role("status").text_content() == ""


@pytest.mark.slow
def test_a_term_shows_its_card_by_keyboard_mouse_and_touch(visit):
    page = visit("gates")
    terms, card = page.locator("a:has(> .std-term)"), page.locator(".term-card:not([hidden])")
    assert card.count() == 0
    terms.nth(0).focus()
    assert card.locator("strong").inner_text().lower() == terms.nth(0).inner_text().lower()
    assert terms.nth(0).get_attribute("aria-describedby") == card.get_attribute("id")
    assert violations(page, ".term-card:not([hidden])") == []
    page.keyboard.press("Escape")
    assert card.count() == 0
    terms.nth(1).hover()
    card.wait_for()
    assert card.locator("strong").inner_text().lower() == terms.nth(1).inner_text().lower()
    page.mouse.move(5, 5)
    card.wait_for(state="detached")

    page = visit("gates", has_touch=True)
    terms, card, here = page.locator("a:has(> .std-term)"), page.locator(".term-card:not([hidden])"), page.url
    terms.nth(0).tap()
    card.wait_for()
    assert page.url == here
    terms.nth(0).tap()
    page.wait_for_url("**/glossary.html#term-*")
