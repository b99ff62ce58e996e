"""What a reader can do on a chapter's page: move its figures, answer its quiz, look at its terms, see its times."""

import io
import re
from copy import copy
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from docutils import nodes
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from sphinx import addnodes
from test_play import CITY, PARITY, POOLING, UNIT, believed, count_brackets, pooled, run_unit, tracked
from test_quiz import QUIZZES, STEMS
from torch import nn

from lstm_tutorial.in_numpy import LSTM, sigmoid
from quiz import element
from reading import answer, read, work, written

ROOT = Path(__file__).parents[1]
FIGURES = {"brackets": "intro", "unit": "gates", "half-life": "cell-state", "output": "shapes", "pooling": "pooling"}
FIGURES |= {"city": "many-to-one", "parity": "after-lstm"}


# What is built


def plain(time):
    return written(time).replace("\N{NO-BREAK SPACE}", " ")


def minutes(page):
    """Return the minutes to read a built page, counted on its HTML."""
    article = copy(page.article)
    formulas, figures = len(article.select("div.math")), len(article.select("figure"))
    lines = sum(len(block.get_text().strip("\n").splitlines()) for block in article.select("pre"))
    for unread in article.select("figure, table, pre, .quiz, .math, .reading-time, .term-card, h1, h2, h3"):
        unread.extract()
    return len(re.findall(r"\b[^\W\d]\S*", article.get_text())) / 100 + formulas + figures + lines / 4


@pytest.mark.slow
@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_has_its_times_terms_and_quiz(html, stem):
    page = BeautifulSoup((html / "book" / f"{stem}.html").read_text(encoding="utf-8"), "html.parser")

    (line,) = page.select(".reading-time")
    lab, exercises = work(ROOT, stem)
    core = sum(time for kind, time in exercises.values() if kind not in ("Design", "Experiment"))
    shown = line.get_text().replace("\N{NO-BREAK SPACE}", " ").strip()
    read, rest = re.fullmatch(r"(\d+) min to read · (.*)", shown).groups()
    assert int(read) == pytest.approx(minutes(page), abs=4), "the line is rounded to five minutes"
    assert rest == f"quiz {2 * len(QUIZZES[stem])} min · lab {plain(lab)} · exercises {plain(core)}"
    links = [link["href"] for link in line.select("a")]
    assert links == [f"../notebooks/{stem}.html", f"../notebooks/exercises/{stem}.html"]

    terms = [link["href"].partition("#")[2] for link in page.select("a:has(> .std-term)")]
    assert len(set(terms)) == len(terms) >= 5, "a chapter marks a term where it first says it, and only there"
    for term in terms:
        (card,) = page.select(f"#card-{term}[role=tooltip][hidden]")
        name, meaning = card.select("p")
        assert name.strong.get_text() and meaning.get_text().strip() and not card.select("a")

    forms = page.select(f'.quiz[data-quiz="{stem}"] form')
    for form, question in zip(forms, QUIZZES[stem], strict=True):
        assert int(form["data-right"]) == question.right
        assert form.legend.get_text().strip()
        feedback = [answer.get_text().startswith("Right. ") for answer in form.select("details dd")]
        assert feedback == [answer.correct for answer in question.answers]
        assert [float(number) for number in form.get("data-numbers", "").split()] == question.numbers
        assert len(form.select("label input")) == (1 if question.numbers else len(question.answers))


def test_times_are_written_in_hours_and_minutes():
    assert [written(time).split() for time in (0, 60)] == [["0", "min"], ["1", "h"]]
    assert plain(65) == "1 h 5 min"


def test_a_page_takes_as_long_as_its_words_formulas_figures_code_and_questions():
    def words(count):
        return nodes.paragraph("", "word " * count + "3 = 3")

    maths = nodes.paragraph("", "so ", nodes.math("", "x + y"))
    page = nodes.section("", words(249), maths, nodes.math_block(), nodes.literal_block("", "a\nb\nc\n\nd\ne"))
    page += [nodes.figure("", nodes.caption("", "more words")), nodes.table("", words(50))]
    page += addnodes.only("", element("form", words(70)), element("form"))
    assert read(page) == 250 / 100 + 1 + 1 + 6 / 4
    assert answer(page) == 4


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


def move_brackets(figure):
    """Type another text, and make all weights larger."""
    press(figure.get_by_role("textbox", name="Type a sentence"), "Control+a", *") (a (b")
    press(figure.get_by_role("radio", name="+1%", exact=True), "ArrowRight")
    states = count_brackets(") (a (b", change=0.1)
    line = figure.get_by_role("img", name="RNN unit: depth read from h after each character: ) ")
    numbers = line.get_attribute("aria-label").rstrip(".").rpartition(": ")[2].split(", ")
    np.testing.assert_allclose([float(each[2:]) for each in numbers], states["depth"], atol=0.051)
    c, h, depth = (f"{values[-1]:.3f}" for values in states.values())
    return [float(c), float(depth)], f"After 7 characters: LSTM c = {c}, h = {h}; RNN: depth {depth}."


def move_unit(figure):
    """Lower the input of step 2, and the bias of the input gate."""
    press(figure.get_by_role("slider", name="x, step 1", exact=True), "ArrowRight", "ArrowDown")
    press(figure.get_by_role("slider", name="bias", exact=True), "Home")
    x = [0, 0.9, *UNIT["sequences"]["pulses"][2:]]
    gates = run_unit(x, UNIT["reset"], UNIT["presets"]["latch"] | {"i": [40, 0, 0, -40]})
    at_step_2 = {name: values[1] for name, values in gates.items()}
    words = "Step 2: c = f × c before + i × g = {f:.3f} × 0.000 + {i:.3f} × {g:.3f} = {c:.3f}.".format(**at_step_2)
    return [0.9, 0, *(at_step_2[name] for name in "figoch"), 40, 0, 0, -40], words


def move_half_life(figure):
    press(figure.get_by_role("slider", name="forget bias"), "ArrowRight")
    f = sigmoid(3.1)
    life, left = np.log(0.5) / np.log(f), f**100
    words = f"The forget gate is {f:.3f}. Half is left after {life:.3f} steps, {left:.3f} after 100."
    return [3.1, life, left], words


def move_output(figure):
    """Make the first sequence shorter, take one direction, and choose a box."""
    press(figure.get_by_role("slider", name="lengths[0]"), "ArrowLeft")
    press(figure.get_by_role("group", name="directions").get_by_role("radio", name="2"), "ArrowLeft")
    press(figure.get_by_role("radio", name=re.compile("^Sequence 0, layer 1, step 2:")), "Space", "ArrowRight")
    output, (h_n, c_n) = LSTM(2, 7, 2, batch_first=True)(np.zeros((3, 5, 2), "float32"), lengths=[4, 3, 2])
    shapes = [f"output {output.shape}", f"h_n {h_n.shape}", f"c_n {c_n.shape}"]
    shown = figure.get_by_role("group", name="tensor").locator("label").all_inner_texts()
    assert [text.replace("H", "7") for text in shown] == shapes
    return [4, 3, 2], "Sequence 0, layer 1, step 3: output[0, 3], h_n[1, 0], c_n[1, 0]."


def move_pooling(figure):
    """Add an outlier of three spreads, change the half-life, and read the padding."""
    press(figure.get_by_role("group", name="outlier").get_by_role("radio", name="0", exact=True), "ArrowRight")
    press(figure.get_by_role("slider", name="half-life"), "ArrowRight")
    press(figure.get_by_role("group", name="padding").get_by_role("radio", name="masked"), "ArrowRight")
    before = np.array(POOLING["x"])
    after = before + 3 * POOLING["spread"] * (np.arange(9) == POOLING["step"])
    was, now = (pooled(x, length=9, half_life=2.5, query=2) for x in (before, after))
    return [6, 2.5, 2, *np.stack([now, now - was], axis=1).ravel()], "last 0.000 +0.000, max 0.700 +0.700, mean"


def move_city(figure):
    """Type another name, with a capital letter and an accent."""
    press(figure.get_by_role("textbox", name="Type a place name"), "Control+a", "S")
    figure.page.keyboard.insert_text("ã")
    letters, padded = believed("sa")
    first, second = (CITY["countries"][k] for k in letters.argmax(axis=1))
    assert figure.get_by_role("img", name=f"each letter: s {first}, a {second}.").is_visible()
    columns = [letters[-1], *padded]
    best = [np.argsort(-column)[:3] for column in columns]
    likeliest = CITY["countries"][best[0][0]]
    numbers = [column[k] for column, three in zip(columns, best) for k in three]
    return numbers, f"sa. last letter: {likeliest} {numbers[0]:.3f}, "


def move_parity(figure):
    """Go one step on and flip its bit."""
    press(figure.get_by_role("slider", name="step"), "ArrowRight")
    bits, at = list(PARITY["sequences"]["mixed"]), PARITY["step"]
    old = figure.get_by_role("group", name="bit").get_by_role("radio", name=str(bits[at]), exact=True)
    press(old, "ArrowLeft" if bits[at] else "ArrowRight")
    bits[at] = 1 - bits[at]
    word = "odd" if sum(bits[: at + 1]) % 2 else "even"
    states = [tracked(bits, kind)[0][at] for kind in PARITY["networks"]]
    return [at + 1, bits[at], *states], f"After step {at + 1} the number of ones is {word}."


MOVES = {
    "brackets": move_brackets,
    "unit": move_unit,
    "half-life": move_half_life,
    "output": move_output,
    "pooling": move_pooling,
    "city": move_city,
    "parity": move_parity,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_moved_by_keyboard_shows_what_the_package_says(visit, name):
    page = visit(FIGURES[name])
    figure, picture = page.locator(f".play-{name} .play-stage"), page.locator(f"figure.play-{name} img")
    assert not picture.is_visible()
    wanted, words = MOVES[name](figure)
    shown = " ".join(figure.locator("output").all_inner_texts()).replace("−", "-").split()
    np.testing.assert_allclose(np.array(shown, float), wanted, atol=5.1e-4)  # three decimals are shown
    figure.locator("p[role=status]", has_text=words).wait_for(state="attached")
    assert violations(page, f"figure.play-{name}") == []
    page.emulate_media(media="print")
    assert picture.is_visible() and not figure.is_visible()
    assert visit(FIGURES[name], java_script_enabled=False).locator(f"figure.play-{name} img").is_visible()


@pytest.mark.slow
def test_a_quiz_says_why_and_remembers_what_was_right(visit):
    page = visit("gates", before="if (!localStorage['quiz gates']) localStorage['quiz gates'] = '{'")  # damaged
    score = page.locator(".quiz-score").get_by_role("status")
    number = next(question for question in QUIZZES["gates"] if question.numbers)
    choices = next(question for question in QUIZZES["gates"] if not question.numbers)
    forms = page.locator(".quiz form")
    first = forms.nth(QUIZZES["gates"].index(number))
    second = forms.nth(QUIZZES["gates"].index(choices))
    right, wrong = choices.right, choices.right - 1

    def says(form, index):
        return form.get_by_role("status").text_content() == form.locator("dd").nth(index).text_content()

    press(second.get_by_role("radio").nth(wrong), "Space", "Enter")
    assert says(second, wrong) and score.inner_text().startswith("0 of ")
    press(second.get_by_role("radio").nth(right), "Space", "Enter")
    assert says(second, right) and score.inner_text().startswith("1 of ")
    field = first.get_by_role("textbox", name="Your number")
    for text, index in [(repr(number.numbers[1]), 1), (number.answers[0].text.replace(".", ","), 0)]:
        field.fill(text)
        press(field, "Enter")
        assert says(first, index)
    assert score.inner_text().startswith("2 of ") and violations(page, ".quiz") == []

    page.reload()
    assert score.inner_text().startswith("2 of ") and says(first, 0) and field.input_value() == text
    assert says(second, right) and second.get_by_role("radio").nth(right).is_checked()
    page.get_by_role("button", name="Start again").click()
    page.reload()
    assert score.inner_text().startswith("0 of ") and field.input_value() == ""


@pytest.mark.slow
def test_a_term_shows_its_card_by_keyboard_mouse_and_touch(visit):
    page = visit("gates")
    terms, card = page.locator("a:has(> .std-term)"), page.locator(".term-card:not([hidden])")
    assert card.count() == 0
    terms.nth(0).focus()
    assert terms.nth(0).get_attribute("aria-describedby") == card.get_attribute("id")
    assert violations(page, ".term-card:not([hidden])") == []
    page.keyboard.press("Escape")
    assert card.count() == 0
    terms.nth(1).hover()
    card.wait_for()
    assert terms.nth(1).get_attribute("aria-describedby") == card.get_attribute("id")
    page.mouse.move(5, 5)
    card.wait_for(state="detached")

    page = visit("gates", has_touch=True)
    terms, card, here = page.locator("a:has(> .std-term)"), page.locator(".term-card:not([hidden])"), page.url
    terms.nth(0).tap()
    card.wait_for()
    assert page.url == here
    terms.nth(0).tap()
    page.wait_for_url("**/glossary.html#term-*")


# What the sources of the chapters say

MARKDOWN = MarkdownIt().use(dollarmath_plugin).use(colon_fence_plugin).use(front_matter_plugin)
GREEK = "alpha|beta|gamma|delta|epsilon|eta|theta|lambda|mu|nu|rho|sigma|tau|ell"
ACCENTS = {r"\tilde", r"\bar", r"\hat", r"\overrightarrow", r"\overleftarrow"}
INDICES = set("tTkjsbn")  # letters that count; as a subscript they are no part of a weight's name
WORDS = r"d?\\(?:text|mathrm|label|begin|end)\{[^}]*\}(?:_(?:\{[^}]*\}|\w))?|\\\\\[\w*\]"
SHORT = {"LSTM": "long short-term memory", "RNN": "recurrent neural network", "BPTT": "backpropagation through time"}


def source(name):
    return (ROOT / "book" / f"{name}.md").read_text(encoding="utf-8")


def formulas(text):
    """Yield the formulas of a page, those in its captions and folds included."""
    for token in MARKDOWN.parse(text):
        found = [token, *(token.children or [])]
        yield from (each.content for each in found if each.type.startswith("math_"))
        if token.type.endswith("fence") and token.info.startswith("{math}"):
            yield re.sub(r"^:label:.*", "", token.content)
        elif token.type.endswith("fence") and token.info.startswith("{"):
            yield from formulas(token.content)


def group(tokens):
    """Take one token or one group in braces from the front of a list."""
    taken, depth = [], 0
    while tokens:
        taken.append(tokens.pop(0))
        depth += {"{": 1, "}": -1}.get(taken[-1], 0)
        if depth == 0:
            break
    return taken[1:-1] if taken[0] == "{" else taken


def symbols(formula):
    """Return the symbols of a formula, without indices, and whatever else occurs in it: indices, functions.

    A symbol is a letter with its accent; a weight or a bias is one with its subscript, such as W_hh.
    """
    tokens = re.findall(r"\\[A-Za-z]+|\S", re.sub(WORDS, " ", formula))
    found, others = set(), set()
    while tokens:
        token = tokens.pop(0)
        name = token.lstrip("\\")
        if token in "_^":  # of a sum or a bracket
            others |= set(group(tokens))
            continue
        if token == "d" and tokens and re.match(r"[A-Za-z]|\\(tilde|bar|alpha)", tokens[0]):
            continue  # a gradient, such as dc
        if token in ACCENTS:
            name = f"{name} {''.join(group(tokens))}"
        elif not re.fullmatch(f"{GREEK}|[A-Za-z]", name):
            others.add(token)
            continue
        while tokens and tokens[0] in ("_", "^"):
            power = tokens.pop(0) == "^"
            script = group(tokens)
            others |= set(script)
            if name == "e" and power:  # the exponential function
                name, tokens = "", script + tokens
            elif name in ("W", "w", "b") and not power and not set(script) <= INDICES:
                name += "_" + re.sub("[{}]", "", "".join(script))
        found.add(name)
    return found - {""}, others | found


def declared(text):
    """Return the symbols that the front matter of a page declares: the names, each with how it is written."""
    matter = re.match(r"---\n(.*?\n)---\n", text, re.S)
    written = yaml.safe_load(matter[1])["symbols"].split(";") if matter else []
    return {"".join(symbols(each)[0]) or each.strip(): each.strip() for each in written}


def tabled():
    """Return the symbols in the first column of the tables of the notation, each as often as it stands there."""
    cells = re.findall(r"^\| ([^|]*\$[^|]*) \|", source("notation"), re.M)
    return [each for cell in cells for each in re.findall(r"\$([^$]+)\$", cell)]


def test_symbols_are_read_from_a_formula():
    assert symbols(r"f_t = \sigma\left(W_{hf}\,h_{t-1} + b_f\right)")[0] == {"f", "sigma", "W_hf", "h", "b_f"}
    assert symbols(r"d\tilde c_t = dc_t \odot i_t, \quad p_b = e^{-z_b}")[0] == {"tilde c", "c", "i", "p", "z"}
    assert symbols(r"\mathrm{output}_t = W_k x_{T-k} + \text{scores}")[0] == {"W", "x"}
    assert symbols(r"r_k \odot h_3") == ({"r", "h"}, {"r", "h", "k", "3", r"\odot"})


def test_a_symbol_stands_in_the_notation_once():
    found = tabled()
    assert len(found) > 40 and [each for each in set(found) if found.count(each) > 1] == []


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_declares_the_symbols_of_its_formulas_and_the_notation_has_them(stem):
    text = source(stem)
    known = {name for each in tabled() for name in symbols(each)[0] or {each}}
    found = [symbols(formula) for formula in formulas(text)]
    used = set().union(*(names for names, _ in found))
    anywhere = set().union(*(others for _, others in found))
    ours = declared(text)
    assert sorted(used - ours.keys()) == [], "used in a formula, and not in the front matter's symbols"
    assert sorted(ours.keys() - anywhere) == [], "in the front matter's symbols, and in no formula"
    assert sorted(ours.keys() - known) == [], "in no table of book/notation.md"


def test_the_first_use_of_a_term_is_the_bold_one_that_defines_it():
    seen, plain = set(), []
    for stem in STEMS:
        for stars, term in re.findall(r"(\*\*)?\{term\}`([^`]+)`", source(stem)):
            name = re.sub(r".*<(.*)>", r"\1", term).lower()
            if name not in seen and not stars:
                plain.append(f"{stem}: {term}")
            seen.add(name)
    assert plain == [], plain


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_spells_out_what_it_abbreviates(stem):
    text = re.sub(
        r"\A---\n.*?\n---\n|^`{3}.*?^`{3}|^#[^\n]*", "", source(stem), flags=re.S | re.M
    )  # no code, no headings
    text = " ".join(re.sub(r" <[^>`]*>|`\w+\.[^`]*`", "", text).split())  # no targets of roles, no names in code
    for short, words in SHORT.items():
        if first := re.search(rf"\b{short}s?\b", text):
            near = text[: first.end() + len(words) + 20].lower()
            assert words in near, f"{short} is not spelt out: {text[max(0, first.start() - 60) : first.end() + 60]}"


PRINTED = {"hochreiter1991", "cavnar1994", "minsky1969"}  # works without an address


def test_every_work_is_cited_and_whole():
    entries = re.findall(
        r"^@(\w+)\{(\w+),\n(.*?)^\}", (ROOT / "book/references.bib").read_text(encoding="utf-8"), re.S | re.M
    )
    assert len(entries) > 60
    texts = [
        path
        for folder in ("book", "notebooks")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".md", ".ipynb")
    ]
    cited = ",".join(re.findall(r"\{cite:\w+\}`([^`]+)`", "".join(path.read_text(encoding="utf-8") for path in texts)))
    cited = {key.strip() for key in cited.split(",")}
    for kind, key, fields in entries:
        wanted = {"title", "author", "year"} | {
            "article": {"journal", "volume", "pages"},
            "inproceedings": {"booktitle"},
        }.get(kind, set())
        found = set(re.findall(r"^  (\w+)", fields, re.M))
        assert wanted - found == set() and (found & {"doi", "url"} or key in PRINTED), key
        assert key in cited, f"{key} is not cited"


def test_what_the_answers_say_of_torch_is_so():
    lstm, x, zeros = nn.LSTM(10, 16), torch.ones(5, 2, 10), torch.zeros(1, 2, 16)
    output, (h_n, c_n) = lstm(x)
    sizes = [sum(each.numel() for each in layer.parameters()) for layer in (lstm, nn.GRU(10, 16))]
    assert sizes == [1792, 1792 * 3 / 4]
    assert torch.equal(output[-1], h_n[-1]) and torch.equal(output, lstm(x, (zeros, zeros))[0])
    rest = lstm(x[3:], [state.detach() for state in lstm(x[:3])[1]])[0]
    torch.testing.assert_close(rest, output[3:])
    output[-1].sum().backward()
    with pytest.raises(RuntimeError, match="a second time"):
        lstm(x, (h_n, c_n))[0].sum().backward()
    x[2, 0, 3] = torch.nan
    assert lstm(x)[0].isnan().all(dim=2).T.tolist() == [[False] * 2 + [True] * 3, [False] * 5]
    assert nn.functional.cross_entropy(torch.zeros(2, 3), torch.tensor([-100, -100])).isnan()
    with pytest.warns(UserWarning, match="all but last recurrent layer"):
        nn.LSTM(10, 16, dropout=0.5)
    assert not (nn.LSTM(10, 16, 2, dropout=1.0)(torch.ones(5, 2, 10))[0] == 0).any(), "no dropout after the last layer"
    lengths = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 3]), enforce_sorted=False).batch_sizes
    assert lengths.device.type == "cpu" and lengths.tolist() == [2, 2, 2, 1, 1]
    with pytest.raises(RuntimeError, match="greater than 0"):
        nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 0]), enforce_sorted=False)
    assert "Otherwise, it's a no-op" in lstm.flatten_parameters.__doc__


@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_a_quantised_lstm_is_a_quarter_as_large_and_nearly_as_exact():
    def stored(model):
        torch.save(model.state_dict(), file := io.BytesIO())
        return file.tell()

    torch.manual_seed(0)
    lstm, x = nn.ModuleDict({"lstm": nn.LSTM(16, 128)}).eval(), torch.randn(50, 8, 16)
    small = torch.ao.quantization.quantize_dynamic(lstm, {nn.LSTM, nn.Linear}, dtype=torch.qint8)
    assert 0.2 < stored(small) / stored(lstm) < 0.3
    right, near = (each["lstm"](x)[0].detach() for each in (lstm, small))
    assert 0 < (near - right).abs().max() < 0.05 * right.abs().max()
    assert not near.requires_grad and not [each for each in small.parameters() if each.requires_grad]
