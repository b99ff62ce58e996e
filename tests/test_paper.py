"""The book on paper is whole: as PDF, where TeX is found, and as EPUB."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from epub import breakable, hang, mathml, pieces, typeset
from paper import OTHERWISE

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "book" / "paper" / "build.py"
EPUBCHECK = Path("/usr/share/java/epubcheck.jar")  # where Debian has it

spec = importlib.util.spec_from_file_location("paper_build", SCRIPT)
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)


def pages(toc):
    """Return all pages of a table of contents, in its order."""
    if isinstance(toc, dict):
        own = [toc[key] for key in ("root", "file") if key in toc]
        return own + [page for value in toc.values() if isinstance(value, list) for page in pages(value)]
    return [page for item in toc for page in pages(item)]


def title(page):
    """Return the title of a page, as it reads in print."""
    path = ROOT / f"{page}.md"
    if path.exists():
        text = path.read_text(encoding="utf-8")
    else:
        cells = json.loads(path.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
        text = "".join(cells[0]["source"])
    return re.search(r"^# (.*)", text, re.M)[1].replace("`", "")


SITE = pages(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8")))
SOLUTIONS = [page for page in SITE if page.startswith("book/solutions/")]


# Without TeX


def test_the_paper_has_every_page_of_the_site_and_the_solutions_last():
    paper = pages(build.contents())
    assert sorted(paper) == sorted(SITE)
    assert paper[-len(SOLUTIONS) :] == SOLUTIONS != []


@pytest.mark.parametrize("edition", ["pdf", "epub"])
def test_the_paper_is_set_up_like_the_site_less_what_needs_a_browser(edition):
    site = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    paper = build.config(edition)
    gone = set(site["sphinx"]["config"]["extensions"]) - set(paper["sphinx"]["config"]["extensions"])
    missing = {"sphinx_togglebutton", "sphinx_copybutton", "sphinx_book_theme", "maths"}
    assert gone == missing | {"hover", "published", "reading", "slim"}
    assert paper["sphinx"]["config"]["nitpicky"]
    assert (paper["title"], paper["author"]) == (site["title"], site["author"])


def test_without_tex_one_line_says_what_is_missing(tmp_path):
    command = [sys.executable, SCRIPT, "pdf", "--target", tmp_path, "--work", tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PATH": str(tmp_path)})
    assert run.returncode != 0
    assert "make pdf needs xelatex" in run.stderr and "apt install" in run.stderr
    assert len(run.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("formula", "parts"),
    [
        (r"a = b, \qquad c", [["a ", "= b, "], [" c"]]),
        (r"a = \sum_{t=1} \left( b = c \right) = d", [["a ", r"= \sum_{t=1} \left( b = c \right) ", "= d"]]),
        (r"= a", [["= a"]]),
        (r"(a \quad b)", [[r"(a \quad b)"]]),
        (r"\begin{aligned} a &= b \quad \end{aligned}", [[r"\begin{aligned} a &= b \quad \end{aligned}"]]),
    ],
)
def test_a_formula_may_break_at_wide_spaces_and_equals_signs_outside_brackets(formula, parts):
    assert pieces(formula) == parts


@pytest.mark.parametrize("formula", [r"n \ln p", r"o\tanh c", r"2\log_2 p", r"f^n \tanh^2 c"])
def test_a_function_has_space_on_both_sides(formula):
    assert mathml(formula, "inline").count("<mspace") == 2


@pytest.mark.parametrize("formula", [r"\tanh(c)", r"-\ln(f)", r"\odot\tanh(c)", r"\log_2(p)", r"(1 + \tanh)"])
def test_a_function_has_no_space_beside_brackets_and_signs(formula):
    assert "<mspace" not in mathml(formula, "inline")


@pytest.mark.parametrize(("formula", "signs"), [(r"\sigma(-2)", 1), (r"a = -b \times (-c)", 2), (r"t - 1", 0)])
def test_a_minus_sign_is_no_difference(formula, signs):
    assert mathml(formula, "inline").count('<mo form="prefix">&#x02212;</mo>') == signs


def test_code_that_is_too_long_goes_on_further_right_than_it_begins():
    lines = 'a = <span class="n">b</span>\n\n        c &lt; d\n'
    assert re.findall(r"hang-(\d+)", hang(lines)) == ["4", "4", "12"]
    assert re.sub(r"</?span[^>]*>", "", hang(lines)) == re.sub(r"</?span[^>]*>", "", lines)


@pytest.mark.parametrize("word", ["1e-6", "-1", "61.9–66.1", "-&gt;"])
def test_in_code_a_number_with_its_sign_and_an_arrow_do_not_break(word):
    assert f'<span class="whole">{word}</span>' in hang(f"x = {word}\n")


def test_a_long_word_of_code_may_break_behind_its_brackets_and_points_alone():
    first, second = (f'<span class="n">{name}</span><span class="p">(</span><span class="n">x</span>)' for name in "ab")
    assert "<wbr" not in hang(f"{first}\n")
    assert hang(second.replace("b", "b" * 40) + "\n").count('(</span><wbr /><span class="n">x') == 1


def test_a_plus_between_words_has_space():
    assert "<mi>one&#x000A0;row</mi><mo>&#x0002B;</mo><mtext>two" in mathml(r"\text{one row} + \text{two}", "block")


def test_in_a_table_code_breaks_between_words_and_a_point_keeps_to_its_formula():
    cell = '<td><code><span class="pre">np.linalg.norm(v)</span></code></td>'
    assert breakable(cell).count("<wbr />") == 3 and "<wbr />" not in breakable("<td>a.b</td>")
    assert typeset("<math><mi>f</mi></math>, and") == '<span class="whole"><math><mi>f</mi></math>,</span> and'


def test_what_paper_says_otherwise_is_said_on_the_site():
    said = " ".join(" ".join((ROOT / f"{page}.md").read_text().split()) for page in SITE if page.startswith("book/"))
    assert [words for words in OTHERWISE if words not in said] == []


def made(edition, folder):
    """Build an edition in a folder. A warning is an error here, as in `make pdf` and `make epub`."""
    command = [sys.executable, SCRIPT, edition, "--target", folder, "--work", folder / "work"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
    return folder / f"{build.NAME}.{edition}"


# The PDF


@pytest.fixture(scope="module")
def pdf(tmp_path_factory):
    """The text of the PDF with single spaces, TeX's log, and the titles of parts and chapters in their order."""
    if missing := [tool for tool in (*build.TOOLS["pdf"], "pdftotext") if shutil.which(tool) is None]:
        pytest.skip(f"{', '.join(missing)} not found: the PDF is not built")
    folder = tmp_path_factory.mktemp("pdf")
    text = subprocess.run(["pdftotext", made("pdf", folder), "-"], capture_output=True, text=True, check=True).stdout
    tex = folder / "work" / "pdf" / "_build" / "latex" / build.NAME
    log, toc = (tex.with_suffix(end).read_text(encoding="utf-8", errors="replace") for end in (".log", ".toc"))
    chapters = re.findall(r"^\\contentsline {(?:part|chapter)}{(?:\\numberline {\d+})?(.*)}{\w+}{", toc, re.M)
    return " ".join(text.split()), log, chapters


@pytest.mark.slow
def test_every_title_is_in_the_pdf_and_the_solutions_come_last(pdf):
    text, _, chapters = pdf
    assert [page for page in SITE if title(page) not in text] == []
    assert chapters[-len(SOLUTIONS) :] == [title(page) for page in SOLUTIONS]


@pytest.mark.slow
def test_the_pdf_shows_hints_numbers_and_chinese_and_no_markup(pdf):
    text, _, _ = pdf
    for words in ("Hint 1. ", "One solution", "Exercise 1.1 (", "遗忘门"):
        assert words in text, words
    assert re.findall(r"</?(?:details|summary)>|\?\?|\{(?:ref|numref|doc|term)\}`", text) == []
    screen = r"\w+: not attempted yet|Alias for field number|You need not read what is printed|\n *\w+_\w+: "
    assert re.findall(screen, text) == []


@pytest.mark.slow
def test_nothing_in_the_pdf_is_cut_or_missing(pdf):
    _, log, _ = pdf
    assert re.findall("Missing character.*", log) == []
    assert [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(points) > 20] == []
    assert re.findall("LaTeX Warning: Reference.*undefined", log) == []


# The EPUB


@pytest.fixture(scope="module")
def epub(tmp_path_factory):
    return made("epub", tmp_path_factory.mktemp("epub"))


@pytest.mark.slow
def test_every_page_is_in_the_epub_and_in_its_contents(epub):
    with zipfile.ZipFile(epub) as book:
        assert {f"{page}.xhtml" for page in SITE} <= set(book.namelist())
        entries = re.findall(r'href="(.*?)\.xhtml"', book.read("nav.xhtml").decode())
        order = re.findall(r'href="(.*?)\.xhtml"', book.read("toc.ncx").decode().replace("src=", "href="))
    assert entries == pages(build.contents())
    assert [page for page in order if page in SOLUTIONS] == SOLUTIONS


@pytest.mark.slow
def test_the_epub_shows_what_the_site_folds_and_no_picture_without_words(epub):
    folded = {}
    with zipfile.ZipFile(epub) as book:
        for page in SITE:
            text = book.read(f"{page}.xhtml").decode()
            assert re.findall(r"</?details|<summary|<script|mjx-|\\\(|: not attempted yet", text) == [], page
            assert re.findall(r"<mn>\d+pt</mn>", text) == [], page  # a line's extra space
            assert "-narrow.svg" not in text, page
            assert [image for image in re.findall(r"<img[^>]*>", text) if not re.search(r'alt="[^"]{9}', image)] == []
            folded[page] = text.count('class="paper-fold')
    workbooks = {page: folded[page] for page in SITE if page.startswith("notebooks/exercises/")}
    for page, count in workbooks.items():
        cells = (ROOT / f"{page}.ipynb").read_text(encoding="utf-8")
        assert count == cells.count("<summary>") > 0, page


@pytest.mark.slow
def test_the_epub_names_its_parts_numbers_its_chapters_and_has_a_cover(epub):
    toc = build.contents()
    chapters = sum(part.get("numbered") is not None and len(part["chapters"]) for part in toc["parts"])
    with zipfile.ZipFile(epub) as book:
        contents, package = (book.read(name).decode() for name in ("nav.xhtml", "content.opf"))
        assert len(book.read("_static/cover.png")) > 10_000
    assert re.findall("<span>(.*?)</span>", contents) == [part["caption"] for part in toc["parts"]]
    assert re.findall(r'\.xhtml">(\d+)\. ', contents) == [str(number) for number in range(1, chapters + 1)]
    assert 'properties="cover-image"' in package and '<itemref idref="nav" />' in package
    assert ">unknown<" not in package and '"unknown"' not in package
    assert "schema:accessMode" in package and "schema:accessibilitySummary" in package


@pytest.mark.slow
def test_the_epub_says_nothing_that_holds_for_the_site_alone(epub):
    with zipfile.ZipFile(epub) as book:
        for page in SITE:
            text = book.read(f"{page}.xhtml").decode()
            assert [words for words in OTHERWISE if words in " ".join(text.split())] == [], page
            assert re.search(r'<html [^>]*lang="en"', text), page
            assert not re.search('<dd><p>Alias for|<dd class="field-[^"]*"></dd>|<dd></dd>', text), page


# What a reader of 420 pixels would see.
WIDE = """() => [...document.querySelectorAll('body *')].filter(e => e.clientWidth > 0 && (
        e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX != 'visible'
        || e.getBoundingClientRect().right > innerWidth + 1)).map(e => e.outerHTML.slice(0, 200))"""
UNEVEN = """() => [
        ...[...document.querySelectorAll('.line')].filter(line => {
            const words = document.createTreeWalker(line, NodeFilter.SHOW_TEXT), range = document.createRange();
            while (words.nextNode()) {
                const first = words.currentNode.data.search(/[^\\s]/);
                if (first >= 0) {
                    range.setStart(words.currentNode, first); range.setEnd(words.currentNode, first + 1);
                    return range.getBoundingClientRect().top - line.getBoundingClientRect().top > 12;
                }
            }
        }),
        ...[...document.querySelectorAll('caption')].filter(e => parseFloat(getComputedStyle(e).fontSize) < 14),
        ...[...document.querySelectorAll('.descname')].filter(e => getComputedStyle(e).fontWeight != 700),
    ].map(e => e.textContent.slice(0, 100))"""


@pytest.mark.slow
@pytest.mark.parametrize("faults", [WIDE, UNEVEN], ids=["wide", "uneven"])
def test_on_a_phone_nothing_in_the_epub_is_cut_or_uneven(epub, browser, tmp_path, faults):
    with zipfile.ZipFile(epub) as book:
        book.extractall(tmp_path)
    page, found = browser.new_page(viewport={"width": 420, "height": 700}), {}
    for name in SITE:
        page.goto((tmp_path / f"{name}.xhtml").as_uri())
        found[name] = page.evaluate(faults)
    page.close()
    assert {name: texts for name, texts in found.items() if texts} == {}


@pytest.mark.slow
def test_epubcheck_has_nothing_to_say(epub):
    if shutil.which("java") is None or not EPUBCHECK.exists():
        pytest.skip(f"no java, or no {EPUBCHECK}: the EPUB is not checked")
    run = subprocess.run(["java", "-jar", EPUBCHECK, epub], capture_output=True, text=True)
    said = re.findall(r"^(?:FATAL|ERROR|WARNING).*", run.stdout + run.stderr, re.M)
    assert (run.returncode, said[:20]) == (0, [])
